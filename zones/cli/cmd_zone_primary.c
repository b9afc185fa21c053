/* fedroam zone primary set, list, show, remove, refresh; fedroam zone accept */
#include "zones_cli/cmds.h"

#include "admin/transfer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/parse.h"
#include "names/netid.h"
#include "store/primary.h"
#include "zones_cli/reading.h"
#include "zones_cli/tsig_option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ARGS_MAX 8192

/* --- set --- */

static enum fr_err put_number(struct fr_cli *cli, struct fr_json *json, const char *option,
                              const char *key, uint64_t max, struct fr_diag *diag)
{
    const char *text = fr_cli_opt(cli, option);
    uint64_t value = 0;

    if (text == NULL) return FR_OK;
    if (fr_parse_u64(fr_span_str(text), 0, max, &value) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "--%s is a number from 0 to %" PRIu64, option, max);
    fr_json_put_uint(json, key, value);
    return FR_OK;
}

static enum fr_err put_set_args(struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag,
                                struct fr_tsig_key *key, struct fr_buf *ca)
{
    enum fr_err err = FR_OK;

    fr_json_object(json);
    fr_session_put_opt(cli, json, "member", "member");
    fr_json_put_str(json, "zone", fr_cli_arg(cli, 0));
    fr_session_put_opts(cli, json, "address", "addresses");
    fr_session_put_opts(cli, json, "netid", "netids");
    fr_json_put_bool(json, "tls", fr_cli_flag(cli, "tls"));
    fr_session_put_opt(cli, json, "tls-name", "tls_name");
    fr_session_put_opt(cli, json, "pin", "pin");
    if (fr_cli_opt(cli, "tsig-key") != NULL) err = fr_tsig_option_put(cli, json, diag, key);
    if (err == FR_OK) err = put_number(cli, json, "max-gone", "max_gone", 100, diag);
    if (err == FR_OK) err = put_number(cli, json, "refresh-min", "refresh_min_s", 604800, diag);
    if (err == FR_OK) err = put_number(cli, json, "refresh-max", "refresh_max_s", 604800, diag);
    if (err == FR_OK && fr_cli_opt(cli, "ca") != NULL)
        err = fr_file_read(fr_cli_opt(cli, "ca"), diag, ca);
    fr_json_end(json);
    return err;
}

enum fr_exit fr_cmd_zone_primary_set(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX), ca = FR_BUF_INIT(FR_PRIMARY_CA_MAX),
                  body = FR_BUF_INIT(FR_PRIMARY_CA_MAX + 2 + FR_TSIG_SECRET_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_tsig_key key = {0};
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    enum fr_err err = put_set_args(cli, &json, &diag, &key, &ca);
    if (err == FR_OK)
        err = fr_primary_body_write(&body, fr_span(key.secret, key.n), fr_buf_span(&ca));
    if (err == FR_OK)
        err = fr_session_change(cli, "zone.primary.set", &args, fr_buf_span(&body), &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "zone %s of %s is transferred from its name servers\n",
                               fr_admin_reply_text(reply, "zone"), fr_cli_opt(cli, "member"));
    fr_admin_reply_free(reply);
    fr_secret_zero(&key, sizeof key);
    fr_buf_deinit(&args);
    fr_buf_deinit(&ca);
    fr_buf_deinit_secret(&body);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

/* --- remove, refresh, accept --- */

static enum fr_exit change_some(struct fr_cli *cli, const char *op, bool has_full, const char *done)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "member", "member");
    fr_session_put_opt(cli, &json, "zone", "zone");
    if (has_full) fr_json_put_bool(&json, "full", fr_cli_flag(cli, "full"));
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(
            cli, reply, "%zu zone%s of %s: %s\n", fr_admin_reply_count(reply, "zones"),
            fr_admin_reply_count(reply, "zones") == 1 ? "" : "s", fr_cli_opt(cli, "member"), done);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_zone_primary_remove(struct fr_cli *cli)
{
    return change_some(cli, "zone.primary.remove", false,
                       "no longer transferred; the devices stay");
}

enum fr_exit fr_cmd_zone_primary_refresh(struct fr_cli *cli)
{
    return change_some(cli, "zone.primary.refresh", true, "the running broker looks now");
}

enum fr_exit fr_cmd_zone_accept(struct fr_cli *cli)
{
    return change_some(cli, "zone.accept", false,
                       "the running broker takes what was held, at most as much as was shown");
}

/* --- list --- */

static const char *state_text(const struct fr_primary_state *state, int64_t now_s)
{
    if (state->is_held) return "held";
    if (state->has_serial && state->expire_s > 0 && now_s - state->contact_s > state->expire_s)
        return "expired";
    if (state->failed_s != 0) return "failing";
    return state->has_serial ? "good" : "new";
}

static const struct fr_column list_columns[] = {
    {.key = "member"},  {.key = "zone"},     {.key = "state"},   {.key = "serial"},
    {.key = "devices"}, {.key = "left_out"}, {.key = "contact"}, {0}};

struct listing {
    struct fr_snap *snap;
    struct fr_table *table;
    const char *member;
};

static enum fr_err add_primary(void *data, const struct fr_primary_row *row)
{
    const struct listing *l = data;
    struct fr_primary_state state;
    char contact[FR_TIME_TEXT] = "never";

    if (l->member != NULL && strcmp(l->member, row->member) != 0) return FR_OK;
    enum fr_err err = fr_primary_state_get(l->snap, row->member, row->zone, &state);
    if (err) return err;
    if (state.contact_s) fr_time_print(state.contact_s, contact);
    fr_table_text(l->table, row->member);
    fr_table_text(l->table, row->zone);
    fr_table_text(l->table, state_text(&state, fr_clock_real_s(fr_clock_system())));
    fr_table_uint(l->table, state.serial);
    fr_table_uint(l->table, state.taken);
    fr_table_uint(l->table, state.left_out);
    fr_table_text(l->table, contact);
    return FR_OK;
}

enum fr_exit fr_cmd_zone_primary_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct listing l = {.member = fr_cli_opt(cli, "member")};
    struct fr_diag diag = {0};

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    err = fr_table_new(list_columns, &l.table);
    if (err) goto out;
    l.snap = session.snap;
    err = fr_primary_each(session.snap, add_primary, &l);
    if (err == FR_OK) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
out:
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- show --- */

static void put_time(struct fr_json *json, const char *key, int64_t when_s)
{
    char text[FR_TIME_TEXT];

    if (when_s == 0) return;
    fr_time_print(when_s, text);
    fr_json_put_str(json, key, text);
}

static void put_row(struct fr_json *json, const struct fr_primary_row *row)
{
    char text[2 * FR_DIGEST_SIZE + 1 + FR_ADDR_TEXT];

    fr_json_put_str(json, "member", row->member);
    fr_json_put_str(json, "zone", row->zone);
    fr_json_key(json, "addresses");
    fr_json_array(json);
    for (uint8_t i = 0; i < row->n_addrs; i++) {
        fr_addr_print(&row->addrs[i], text);
        fr_json_str(json, text);
    }
    fr_json_end(json);
    fr_json_key(json, "netids");
    fr_json_array(json);
    for (uint8_t i = 0; i < row->n_netids; i++) {
        fr_netid_print(row->netids[i], text);
        fr_json_str(json, text);
    }
    fr_json_end(json);
    if (row->key_name[0]) {
        fr_json_put_str(json, "tsig_key", row->key_name);
        fr_json_put_str(json, "tsig_algorithm", row->key_algorithm);
    }
    fr_json_put_bool(json, "tls", row->has_tls);
    if (row->tls_name[0]) fr_json_put_str(json, "tls_name", row->tls_name);
    if (row->has_pin) {
        fr_hex_print(row->pin, sizeof row->pin, text);
        fr_json_put_str(json, "pin", text);
    }
    fr_json_put_uint(json, "max_gone", row->max_gone);
    fr_json_put_uint(json, "refresh_min", row->refresh_min_s);
    fr_json_put_uint(json, "refresh_max", row->refresh_max_s);
}

static void put_state(struct fr_json *json, const struct fr_primary_state *state, int64_t now_s)
{
    fr_json_put_str(json, "state", state_text(state, now_s));
    if (state->has_serial) fr_json_put_uint(json, "serial", state->serial);
    fr_json_put_uint(json, "devices", state->taken);
    fr_json_put_uint(json, "left_out", state->left_out);
    put_time(json, "contact", state->contact_s);
    put_time(json, "taken", state->taken_s);
    put_time(json, "taken_whole", state->full_s);
    if (state->is_held) {
        fr_json_put_uint(json, "held_serial", state->held_serial);
        fr_json_put_uint(json, "held_gone", state->held_gone);
        fr_json_put_uint(json, "held_of", state->held_of);
    }
    put_time(json, "failed", state->failed_s);
    if (state->failed_s) fr_json_put_str(json, "fault", state->fault);
}

static void put_left(struct fr_json *json, const struct fr_primary_left *left)
{
    fr_json_key(json, "left_out_first");
    fr_json_array(json);
    for (uint8_t i = 0; i < left->n; i++) {
        fr_json_object(json);
        fr_json_put_str(json, "record", left->items[i].name);
        fr_json_put_str(json, "why", left->items[i].why);
        fr_json_end(json);
    }
    fr_json_end(json);
}

static void print_time(FILE *out, const char *label, int64_t when_s)
{
    char text[FR_TIME_TEXT];

    if (when_s == 0) return;
    fr_time_print(when_s, text);
    (void)fprintf(out, "  %-12s %s\n", label, text);
}

static void print_one(FILE *out, const struct fr_primary_row *row,
                      const struct fr_primary_state *state, const struct fr_primary_left *left,
                      int64_t now_s)
{
    (void)fprintf(out, "%s of %s: %s\n", row->zone, row->member, state_text(state, now_s));
    for (uint8_t i = 0; i < row->n_addrs; i++) {
        char text[FR_ADDR_TEXT];
        fr_addr_print(&row->addrs[i], text);
        (void)fprintf(out, "  %-12s %s%s%s%s\n", "from", text, row->has_tls ? ", TLS" : "",
                      row->key_name[0] ? ", TSIG " : "", row->key_name);
    }
    for (uint8_t i = 0; i < row->n_netids; i++)
        (void)fprintf(out, "  %-12s %06x\n", "fills", (unsigned)row->netids[i]);
    if (state->has_serial) (void)fprintf(out, "  %-12s %" PRIu32 "\n", "serial", state->serial);
    (void)fprintf(out, "  %-12s %" PRIu64 " devices, %" PRIu64 " records left out\n", "taken",
                  state->taken, state->left_out);
    print_time(out, "contact", state->contact_s);
    print_time(out, "changed", state->taken_s);
    if (state->is_held)
        (void)fprintf(out,
                      "  %-12s serial %" PRIu32 " would take away %" PRIu64 " of %" PRIu64
                      " devices: fedroam zone accept --member %s\n",
                      "held", state->held_serial, state->held_gone, state->held_of, row->member);
    if (state->failed_s) {
        print_time(out, "failing", state->failed_s);
        (void)fprintf(out, "  %-12s %s\n", "because", state->fault);
    }
    for (uint8_t i = 0; i < left->n; i++)
        (void)fprintf(out, "  %-12s %s: %s\n", i == 0 ? "left out" : "", left->items[i].name,
                      left->items[i].why);
}

struct showing {
    struct fr_cli *cli;
    struct fr_snap *snap;
    const char *member;
    struct fr_json *json; /* NULL: text */
    struct fr_primary_left *left;
    size_t n;
};

static enum fr_err show_one(void *data, const struct fr_primary_row *row)
{
    struct showing *s = data;
    const int64_t now_s = fr_clock_real_s(fr_clock_system());
    struct fr_primary_state state;

    if (strcmp(row->member, s->member) != 0) return FR_OK;
    enum fr_err err = fr_primary_state_get(s->snap, row->member, row->zone, &state);
    if (err == FR_OK) err = fr_primary_left_get(s->snap, row->member, row->zone, s->left);
    if (err) return err;
    s->n++;
    if (s->json == NULL) {
        print_one(fr_cli_out(s->cli), row, &state, s->left, now_s);
        return FR_OK;
    }
    fr_json_object(s->json);
    put_row(s->json, row);
    put_state(s->json, &state, now_s);
    put_left(s->json, s->left);
    fr_json_end(s->json);
    return FR_OK;
}

enum fr_exit fr_cmd_zone_primary_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_buf text = FR_BUF_INIT(64u << 20);
    struct fr_json json = fr_json(&text);
    struct fr_primary_left *left = fr_calloc(1, sizeof *left);
    struct showing s = {.cli = cli, .member = fr_cli_arg(cli, 0), .left = left};
    struct fr_diag diag = {0};

    enum fr_err err = left ? fr_session_open(cli, &diag, &session) : FR_E_NOMEM;
    if (err) goto out;
    s.snap = session.snap;
    if (fr_cli_output(cli) == FR_OUTPUT_JSON) s.json = &json;
    fr_json_array(&json);
    err = fr_primary_each(session.snap, show_one, &s);
    fr_json_end(&json);
    if (err == FR_OK) err = fr_buf_err(&text);
    if (err == FR_OK && s.n == 0)
        err = fr_diag_fail(&diag, FR_E_NOT_FOUND, "no zone is transferred from %s", s.member);
    if (err == FR_OK && s.json != NULL) (void)fprintf(fr_cli_out(cli), "%s\n", fr_buf_str(&text));
out:
    fr_session_close(&session);
    fr_buf_deinit(&text);
    fr_free(left);
    return fr_cli_fail(cli, err, &diag);
}
