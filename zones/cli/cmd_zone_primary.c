/* fedroam zone primary set, list, show, remove, refresh; fedroam zone accept */
#include "zones_cli/cmds.h"

#include "admin/transfer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"
#include "session/remote.h"
#include "store/primary_json.h"
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

    if (fr_cli_opt(cli, "member") == NULL && !fr_remote_is_meant(cli))
        return fr_cli_usage(cli, "whose zones? --member ID");
    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "member", "member");
    fr_session_put_opt(cli, &json, "zone", "zone");
    if (has_full) fr_json_put_bool(&json, "full", fr_cli_flag(cli, "full"));
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%zu zone%s of %s: %s\n",
                               fr_admin_reply_count(reply, "zones"),
                               fr_admin_reply_count(reply, "zones") == 1 ? "" : "s",
                               fr_admin_reply_text(reply, "member"), done);
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
    fr_table_text(l->table, fr_primary_state_text(&state, fr_clock_real_s(fr_clock_system())));
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

struct showing {
    struct fr_snap *snap;
    const char *member;
    struct fr_json json;
    size_t n;
};

static enum fr_err add_shown(void *data, const struct fr_primary_row *row)
{
    struct showing *s = data;

    if (strcmp(row->member, s->member) != 0) return FR_OK;
    s->n++;
    return fr_primary_put_json(&s->json, s->snap, row, fr_clock_real_s(fr_clock_system()));
}

/* What the broker's API says, read here. */
static enum fr_err read_here(struct fr_cli *cli, const char *member, struct fr_diag *diag,
                             struct fr_admin_reply **out)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_buf text = FR_BUF_INIT(64u << 20);
    struct showing s = {.member = member, .json = fr_json(&text)};

    enum fr_err err = fr_session_open(cli, diag, &session);
    if (err) goto out;
    s.snap = session.snap;
    fr_json_object(&s.json);
    fr_json_key(&s.json, "zones");
    fr_json_array(&s.json);
    err = fr_primary_each(session.snap, add_shown, &s);
    fr_json_end(&s.json);
    fr_json_end(&s.json);
    if (err == FR_OK) err = fr_buf_err(&text);
    if (err == FR_OK && s.n == 0)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "no zone is transferred from %s", member);
    if (err == FR_OK) err = fr_admin_reply_parse(fr_buf_span(&text), out);
out:
    fr_session_close(&session);
    fr_buf_deinit(&text);
    return err;
}

static enum fr_err read_there(struct fr_cli *cli, struct fr_diag *diag, struct fr_admin_reply **out)
{
    struct fr_publisher *publisher = NULL;

    enum fr_err err = fr_remote_open(cli, diag, &publisher);
    if (err == FR_OK) err = fr_remote_get(publisher, FR_PUBLISH_API "/zones", diag, out);
    fr_publisher_close(publisher);
    if (err == FR_OK && fr_admin_reply_count(*out, "zones") == 0)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "no zone is transferred from you");
    return err;
}

/* One zone of the reply; its values by their keys. */
struct zone {
    const struct fr_admin_reply *reply;
    size_t i;
    char path[96];
};

static const char *path_of(struct zone *zone, const char *key)
{
    (void)snprintf(zone->path, sizeof zone->path, "zones.%zu.%s", zone->i, key);
    return zone->path;
}

static const char *text_of(struct zone *zone, const char *key)
{
    const char *text = fr_admin_reply_text(zone->reply, path_of(zone, key));

    return text != NULL ? text : "";
}

static uint64_t uint_of(struct zone *zone, const char *key)
{
    return fr_admin_reply_uint(zone->reply, path_of(zone, key), 0);
}

static void print_text(FILE *out, struct zone *zone, const char *label, const char *key)
{
    const char *text = text_of(zone, key);

    if (text[0]) (void)fprintf(out, "  %-12s %s\n", label, text);
}

static void print_servers(FILE *out, struct zone *zone)
{
    const bool has_tls = fr_admin_reply_bool(zone->reply, path_of(zone, "tls"));
    const char *key = text_of(zone, "tsig_key");
    const size_t addresses = fr_admin_reply_count(zone->reply, path_of(zone, "addresses")),
                 netids = fr_admin_reply_count(zone->reply, path_of(zone, "netids"));
    char item[32];

    for (size_t i = 0; i < addresses; i++) {
        (void)snprintf(item, sizeof item, "addresses.%zu", i);
        (void)fprintf(out, "  %-12s %s%s%s%s\n", "from", text_of(zone, item),
                      has_tls ? ", TLS" : "", key[0] ? ", TSIG " : "", key);
    }
    for (size_t i = 0; i < netids; i++) {
        (void)snprintf(item, sizeof item, "netids.%zu", i);
        print_text(out, zone, "fills", item);
    }
}

static void print_left_out(FILE *out, struct zone *zone)
{
    const size_t n = fr_admin_reply_count(zone->reply, path_of(zone, "left_out_first"));
    char record[48], why[48];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(record, sizeof record, "left_out_first.%zu.record", i);
        (void)snprintf(why, sizeof why, "left_out_first.%zu.why", i);
        (void)fprintf(out, "  %-12s %s: ", i == 0 ? "left out" : "", text_of(zone, record));
        (void)fprintf(out, "%s\n", text_of(zone, why));
    }
}

static void print_one(FILE *out, struct zone *zone)
{
    const char *member = text_of(zone, "member");
    const uint64_t serial = fr_admin_reply_uint(zone->reply, path_of(zone, "serial"), UINT64_MAX);

    (void)fprintf(out, "%s of %s: ", text_of(zone, "zone"), member);
    (void)fprintf(out, "%s\n", text_of(zone, "state"));
    print_servers(out, zone);
    if (serial != UINT64_MAX) (void)fprintf(out, "  %-12s %" PRIu64 "\n", "serial", serial);
    (void)fprintf(out, "  %-12s %" PRIu64 " devices, %" PRIu64 " records left out\n", "taken",
                  uint_of(zone, "devices"), uint_of(zone, "left_out"));
    print_text(out, zone, "contact", "contact");
    print_text(out, zone, "changed", "taken");
    if (strcmp(text_of(zone, "state"), "held") == 0)
        (void)fprintf(out,
                      "  %-12s serial %" PRIu64 " would take away %" PRIu64 " of %" PRIu64
                      " devices: fedroam zone accept --member %s\n",
                      "held", uint_of(zone, "held_serial"), uint_of(zone, "held_gone"),
                      uint_of(zone, "held_of"), member);
    print_text(out, zone, "failing", "failed");
    print_text(out, zone, "because", "fault");
    print_left_out(out, zone);
}

static enum fr_err print_zones(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    const size_t n = fr_admin_reply_count(reply, "zones");
    struct fr_buf text = FR_BUF_INIT(64u << 20);
    enum fr_err err = FR_OK;

    if (fr_cli_output(cli) == FR_OUTPUT_JSON) {
        err = fr_admin_reply_part(reply, "zones", &text);
        if (err == FR_OK) (void)fprintf(fr_cli_out(cli), "%s\n", fr_buf_str(&text));
    }
    for (size_t i = 0; fr_cli_output(cli) != FR_OUTPUT_JSON && i < n; i++) {
        struct zone zone = {.reply = reply, .i = i};
        print_one(fr_cli_out(cli), &zone);
    }
    fr_buf_deinit(&text);
    return err;
}

enum fr_exit fr_cmd_zone_primary_show(struct fr_cli *cli)
{
    const bool is_remote = fr_remote_is_meant(cli);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};

    if (is_remote != (fr_cli_n_args(cli) == 0))
        return fr_cli_usage(cli, is_remote ? "with --broker the zones are your own: no MEMBER"
                                           : "whose zones? MEMBER");
    enum fr_err err = is_remote ? read_there(cli, &diag, &reply)
                                : read_here(cli, fr_cli_arg(cli, 0), &diag, &reply);
    if (err == FR_OK) err = print_zones(cli, reply);
    fr_admin_reply_free(reply);
    return fr_cli_fail(cli, err, &diag);
}
