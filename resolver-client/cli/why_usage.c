/* What the running broker knows of a member's look-ups: its budgets, and what it was told of the device. */
#include "resolver_cli/why.h"

#include "admin/inquiry.h"
#include "base/json_out.h"
#include "names/eui.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 256, KEY_PATH_MAX = 64, SHOWN = 3 };

enum fr_err fr_why_ask_broker(const struct fr_cli *cli, uint64_t deveui, const char *member,
                              struct fr_diag *diag, struct fr_admin_reply **out)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    char eui[FR_EUI_TEXT], dir[FR_STATE_DIR_MAX];
    struct fr_diag why = {0};

    fr_eui_print(deveui, eui);
    fr_json_object(&json);
    fr_json_put_str(&json, "deveui", eui);
    fr_json_put_str(&json, "member", member);
    fr_json_end(&json);
    enum fr_err err = fr_session_find(cli, diag, dir);
    if (err == FR_OK && fr_buf_err(&args) == FR_OK) {
        const struct fr_admin_request request = {.op = "device.lookups", .args = fr_buf_str(&args)};
        if (fr_admin_ask(dir, &request, &why, out) != FR_OK)
            fr_cli_note(cli, "%s: budgets and last look-ups are not looked at", why.what);
    }
    fr_buf_deinit(&args);
    return err;
}

static const char *text_at(const struct fr_admin_reply *reply, const char *list, size_t i,
                           const char *key)
{
    char path[KEY_PATH_MAX];

    (void)snprintf(path, sizeof path, "%s.%zu.%s", list, i, key);
    const char *text = fr_admin_reply_text(reply, path);
    return text ? text : "";
}

static uint64_t uint_at(const struct fr_admin_reply *reply, size_t i, const char *key,
                        uint64_t absent)
{
    char path[KEY_PATH_MAX];

    (void)snprintf(path, sizeof path, "budgets.%zu.%s", i, key);
    return fr_admin_reply_uint(reply, path, absent);
}

/* "queries 20000, unknown 100000 (3 used, 7 refused in 24 h)" */
static void print_budget(const struct fr_admin_reply *reply, size_t i, char *out, size_t size)
{
    const uint64_t limit = uint_at(reply, i, "limit", 0);
    const uint64_t used = uint_at(reply, i, "used", UINT64_MAX);
    const uint64_t refused = uint_at(reply, i, "refused_24h", 0);
    size_t n = strlen(out);

    n += (size_t)snprintf(out + n, size - n, "%s%s ", n > 0 ? ", " : "",
                          text_at(reply, "budgets", i, "budget"));
    if (limit == 0)
        n += (size_t)snprintf(out + n, size - n, "any");
    else
        n += (size_t)snprintf(out + n, size - n, "%" PRIu64, limit);
    if (used != UINT64_MAX) n += (size_t)snprintf(out + n, size - n, " (%" PRIu64 " used)", used);
    if (refused > 0) (void)snprintf(out + n, size - n, " (%" PRIu64 " refused in 24 h)", refused);
}

static void tell_budgets(struct fr_walk *walk, const struct fr_admin_reply *reply,
                         const char *member)
{
    static const char STEP[] = "budget";
    const size_t n = fr_admin_reply_count(reply, "budgets");
    char text[400] = "", over[40] = "";
    uint64_t refused = 0;

    for (size_t i = 0; i < n && strlen(text) < 300; i++) {
        const uint64_t limit = uint_at(reply, i, "limit", 0);
        print_budget(reply, i, text, sizeof text);
        refused += uint_at(reply, i, "refused_24h", 0);
        if (limit > 0 && uint_at(reply, i, "used", 0) >= limit)
            (void)snprintf(over, sizeof over, "%s", text_at(reply, "budgets", i, "budget"));
    }
    if (over[0]) {
        fr_walk_wrong(walk, FR_EXIT_DENIED, STEP, "%s has used up its budget %s: %s", member, over,
                      text);
        fr_walk_todo(
            walk, "it begins anew at midnight UTC, or: fedroam policy set budget.%s NUMBER", over);
    } else if (refused > 0) {
        fr_walk_doubt(walk, STEP, "%s", text);
        fr_walk_todo(walk, "look at what %s asks for, or: fedroam policy set budget.…", member);
    } else {
        fr_walk_right(walk, STEP, "%s", text);
    }
}

static void tell_lookups(struct fr_walk *walk, const struct fr_admin_reply *reply,
                         const char *member)
{
    static const char STEP[] = "lookups";
    const size_t n = fr_admin_reply_count(reply, "lookups");
    const char *since = fr_admin_reply_text(reply, "since");
    char text[400] = "";

    if (n == 0) {
        fr_walk_right(walk, STEP, "%s did not ask this broker for it lately (it started %s)",
                      member, since ? since : "");
        return;
    }
    for (size_t i = 0, at = 0; i < n && i < SHOWN && at < 300; i++) {
        const char *netid = text_at(reply, "lookups", i, "netid");
        at += (size_t)snprintf(
            text + at, sizeof text - at, "%s%s %s %s%s%s", i > 0 ? "; " : "",
            text_at(reply, "lookups", i, "when"), text_at(reply, "lookups", i, "type"),
            text_at(reply, "lookups", i, "answer"), netid[0] ? " in " : "", netid);
    }
    fr_walk_right(walk, STEP, "%s%s", text, n > SHOWN ? "; and earlier" : "");
}

void fr_why_usage(struct fr_walk *walk, const struct fr_admin_reply *reply, const char *member)
{
    if (fr_walk_is_over(walk) || reply == NULL) return;
    tell_budgets(walk, reply, member);
    tell_lookups(walk, reply, member);
}
