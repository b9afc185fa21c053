/* Grants: which members the caller lets find its devices. */
#include "store/visibility.h"
#include "api/call.h"
#include "api/rows.h"
#include "base/clock.h"
#include "base/json_out.h"

#include <string.h>

#define TEXT_MAX (4 * 1024 * 1024)

struct list {
    const char *home;
    struct fr_json json;
};

static void write_grant(struct fr_json *j, const struct fr_visibility_row *row)
{
    char since[FR_TIME_TEXT];
    fr_time_print(row->since_s, since);
    fr_json_object(j);
    fr_json_put_str(j, "home", row->home);
    fr_json_put_str(j, "visited", row->visited);
    fr_json_put_str(j, "since", since);
    fr_json_end(j);
}

static enum fr_err add_grant(void *data, const struct fr_visibility_row *row)
{
    struct list *list = data;
    if (strcmp(row->home, list->home) == 0) write_grant(&list->json, row);
    return FR_OK;
}

void fr_api_grants_get(struct fr_api_call *call)
{
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    struct list list = {.home = call->pass->who->member, .json = fr_json(&text)};
    struct fr_query_value none = {0};
    if (!fr_api_read_query(call, &none)) return;
    fr_json_object(&list.json);
    fr_json_key(&list.json, "grants");
    fr_json_array(&list.json);
    enum fr_err err = fr_visibility_each(call->pass->snap, add_grant, &list);
    fr_json_end(&list.json);
    fr_json_end(&list.json);
    fr_api_answer_text(call, err, &text);
    fr_buf_deinit(&text);
}

/* The member of the path; false: answered. */
static bool read_visited(struct fr_api_call *call, char out[FR_MEMBER_ID_MAX + 1])
{
    if (fr_span_copy(call->params[0], out, FR_MEMBER_ID_MAX + 1)) return true;
    fr_api_refuse_as(call, 404, FR_E_NOT_FOUND, "there is no such member");
    return false;
}

void fr_api_grant_get(struct fr_api_call *call)
{
    char visited[FR_MEMBER_ID_MAX + 1];
    struct fr_visibility_row row;
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    struct fr_json json = fr_json(&text);
    struct fr_query_value none = {0};
    if (!read_visited(call, visited) || !fr_api_read_query(call, &none)) return;
    enum fr_err err = fr_visibility_get(call->pass->snap, call->pass->who->member, visited, &row);
    if (err == FR_E_NOT_FOUND) {
        fr_api_refuse_as(call, 404, err, "there is no such grant");
    } else {
        if (!err) write_grant(&json, &row);
        fr_api_answer_text(call, err, &text);
    }
    fr_buf_deinit(&text);
}

static unsigned status_denied(const struct fr_admin_reply *reply)
{
    (void)reply;
    return 204;
}

static void set_grant(struct fr_api_call *call, bool is_allowed)
{
    char visited[FR_MEMBER_ID_MAX + 1];
    if (!read_visited(call, visited)) return;
    const struct fr_api_change change = {
        .op = "visibility.set",
        .args = json_pack("{s:s,s:s,s:b}", "home", call->pass->who->member, "visited", visited,
                          "allowed", is_allowed),
        .status = is_allowed ? NULL : status_denied,
    };
    if (change.args)
        fr_api_change(call, &change);
    else
        fr_api_refuse_as(call, 400, FR_E_INVALID, "this is no member's name");
}

void fr_api_grant_put(struct fr_api_call *call)
{
    set_grant(call, true);
}

void fr_api_grant_delete(struct fr_api_call *call)
{
    set_grant(call, false);
}
