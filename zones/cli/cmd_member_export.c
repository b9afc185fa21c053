/* fedroam member export: everything the registry holds about one member, as JSON */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "base/hex.h"
#include "store/block.h"
#include "store/cert.h"
#include "store/conflict.h"
#include "store/grace.h"
#include "store/joineui.h"
#include "store/journal_json.h"
#include "store/lookups.h"
#include "store/member.h"
#include "store/primary_json.h"
#include "store/release.h"
#include "store/token.h"
#include "store/visibility.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (1u << 30)
#define FLUSH_AT (1u << 20)

struct export
{
    FILE *out;
    struct fr_snap *snap;
    const char *member;
    struct fr_buf text;
    struct fr_json json;
};

/* The text so far, handed on; the document goes on after it. */
static enum fr_err flush(struct export *e)
{
    enum fr_err err = fr_buf_err(&e->text);

    if (err == FR_OK && e->text.n > 0 && fwrite(e->text.p, 1, e->text.n, e->out) != e->text.n)
        err = FR_E_IO;
    fr_buf_reset(&e->text);
    return err;
}

static void put_time(struct export *e, const char *key, int64_t real_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(real_s, text);
    fr_json_put_str(&e->json, key, text);
}

static void put_netid(struct export *e, uint32_t netid)
{
    char text[8];

    snprintf(text, sizeof text, "%06" PRIx32, netid & 0xffffff);
    fr_json_put_str(&e->json, "netid", text);
}

static void put_eui(struct export *e, uint64_t eui)
{
    char text[17];

    fr_hex_print_u64(eui, 16, text);
    fr_json_put_str(&e->json, "deveui", text);
}

static void put_hex(struct export *e, const char *key, const uint8_t *p, size_t n)
{
    char text[2 * FR_DIGEST_SIZE + 1];

    fr_hex_print(p, n, text);
    fr_json_put_str(&e->json, key, text);
}

static void begin_list(struct export *e, const char *key)
{
    fr_json_key(&e->json, key);
    fr_json_array(&e->json);
}

/* --- the parts --- */

static enum fr_err put_network(void *data, const struct fr_network_row *row)
{
    struct export *e = data;
    char text[FR_ADDR_TEXT];

    fr_json_object(&e->json);
    put_netid(e, row->netid);
    fr_json_put_str(&e->json, "state", fr_network_state_text(row->state));
    begin_list(e, "endpoints");
    for (size_t i = 0; i < row->n_endpoints; i++) {
        fr_addr_print(&row->endpoints[i], text);
        fr_json_str(&e->json, text);
    }
    fr_json_end(&e->json);
    fr_json_put_uint(&e->json, "devices", row->devices);
    put_time(e, "since", row->created_s);
    fr_json_end(&e->json);
    return FR_OK;
}

static enum fr_err put_device(void *data, const struct fr_device_row *row)
{
    struct export *e = data;

    fr_json_object(&e->json);
    put_eui(e, row->deveui);
    put_netid(e, row->netid);
    if ((row->flags & FR_DEVICE_HIDDEN) != 0) fr_json_put_bool(&e->json, "hidden", true);
    fr_json_end(&e->json);
    return e->text.n > FLUSH_AT ? flush(e) : FR_OK;
}

static enum fr_err put_devices_of(void *data, const struct fr_network_row *row)
{
    struct export *e = data;

    return row->devices == 0 ? FR_OK : fr_device_each(e->snap, 0, row->netid, put_device, e);
}

static enum fr_err put_block(void *data, const struct fr_block_row *row)
{
    struct export *e = data;
    char text[FR_BLOCK_TEXT];

    fr_block_print(row->base, row->bits, text);
    fr_json_str(&e->json, text);
    return FR_OK;
}

static void put_joineui(struct export *e, uint64_t base, uint8_t nibbles)
{
    char text[FR_JOINEUI_TEXT];

    fr_joineui_print(base, nibbles, text);
    fr_json_put_str(&e->json, "joineui", text);
}

static enum fr_err put_join_servers(void *data, const struct fr_joineui_row *row)
{
    struct export *e = data;
    char text[FR_JOIN_SERVER_TEXT];

    fr_json_object(&e->json);
    put_joineui(e, row->base, row->nibbles);
    begin_list(e, "servers");
    for (uint16_t i = 0; i < row->n_servers; i++) {
        fr_join_server_print(&row->servers[i], (uint16_t)(i + 1), text);
        fr_json_str(&e->json, text);
    }
    fr_json_end(&e->json);
    put_time(e, "since", row->changed_s);
    fr_json_end(&e->json);
    return FR_OK;
}

static enum fr_err put_cert(void *data, const struct fr_cert_row *row)
{
    struct export *e = data;

    if (strcmp(row->member, e->member) != 0) return FR_OK;
    fr_json_object(&e->json);
    put_hex(e, "serial", row->serial, FR_SERIAL_SIZE);
    fr_json_put_str(&e->json, "profile", fr_profile_text(row->profile));
    begin_list(e, "names");
    for (size_t i = 0; i < row->n_names; i++) fr_json_str(&e->json, row->names[i]);
    fr_json_end(&e->json);
    put_time(e, "not_before", row->not_before_s);
    put_time(e, "not_after", row->not_after_s);
    fr_json_put_bool(&e->json, "revoked", row->status == FR_CERT_REVOKED);
    fr_json_end(&e->json);
    return FR_OK;
}

/* What was allowed and what came of it; not the secret's hash. */
static enum fr_err put_token(void *data, const struct fr_token_row *row)
{
    struct export *e = data;

    if (strcmp(row->member, e->member) != 0) return FR_OK;
    fr_json_object(&e->json);
    put_hex(e, "id", row->id, sizeof row->id);
    if (row->netid != 0) put_netid(e, row->netid);
    if (row->host[0]) fr_json_put_str(&e->json, "host", row->host);
    put_time(e, "since", row->created_s);
    put_time(e, "expires", row->expires_s);
    fr_json_put_bool(&e->json, "revoked", row->is_revoked);
    begin_list(e, "profiles");
    for (uint8_t i = 0; i < row->n_slots; i++) {
        fr_json_object(&e->json);
        fr_json_put_str(&e->json, "profile", fr_profile_text(row->slots[i].profile));
        fr_json_put_str(&e->json, "state", fr_slot_state_text(row->slots[i].state));
        if (row->slots[i].state == FR_SLOT_USED)
            put_hex(e, "serial", row->slots[i].serial, FR_SERIAL_SIZE);
        fr_json_end(&e->json);
    }
    fr_json_end(&e->json);
    fr_json_end(&e->json);
    return FR_OK;
}

static enum fr_err put_grace(void *data, const struct fr_grace_row *row)
{
    struct export *e = data;

    if (strcmp(row->member, e->member) != 0) return FR_OK;
    fr_json_object(&e->json);
    put_time(e, "opened", row->opened_s);
    put_time(e, "until", row->until_s);
    fr_json_end(&e->json);
    return FR_OK;
}

static enum fr_err put_zone(void *data, const struct fr_primary_row *row)
{
    struct export *e = data;

    if (strcmp(row->member, e->member) != 0) return FR_OK;
    return fr_primary_put_json(&e->json, e->snap, row, fr_clock_real_s(fr_clock_system()));
}

/* Whom it asked about, and who asked about its networks; no device is named. */
static enum fr_err put_lookups(void *data, const struct fr_lookup_row *row)
{
    struct export *e = data;
    struct fr_network_row home = {0};
    char day[FR_TIME_TEXT];

    enum fr_err err = fr_network_get(e->snap, row->netid, &home);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (strcmp(row->visited, e->member) != 0 && strcmp(home.member, e->member) != 0) return FR_OK;
    fr_time_print((int64_t)row->day * 86400, day);
    day[10] = '\0';
    fr_json_object(&e->json);
    fr_json_put_str(&e->json, "day", day);
    fr_json_put_str(&e->json, "visited", row->visited);
    put_netid(e, row->netid);
    fr_json_put_uint(&e->json, "count", row->count);
    fr_json_end(&e->json);
    return e->text.n > FLUSH_AT ? flush(e) : FR_OK;
}

static enum fr_err put_release(void *data, const struct fr_release_row *row)
{
    struct export *e = data;

    fr_json_object(&e->json);
    put_eui(e, row->deveui);
    fr_json_put_str(&e->json, "from", row->from);
    fr_json_put_str(&e->json, "to", row->to);
    put_time(e, "until", row->until_s);
    fr_json_end(&e->json);
    return FR_OK;
}

static enum fr_err put_conflict(void *data, const struct fr_conflict_row *row)
{
    struct export *e = data;

    fr_json_object(&e->json);
    if (row->nibbles > 0)
        put_joineui(e, row->eui, row->nibbles);
    else
        put_eui(e, row->eui);
    fr_json_put_str(&e->json, "owner", row->owner);
    fr_json_put_str(&e->json, "claimant", row->claimant);
    fr_json_put_uint(&e->json, "count", row->count);
    put_time(e, "last", row->last_s);
    fr_json_end(&e->json);
    return FR_OK;
}

static enum fr_err put_grant(void *data, const struct fr_visibility_row *row)
{
    struct export *e = data;

    if (strcmp(row->home, e->member) != 0 && strcmp(row->visited, e->member) != 0) return FR_OK;
    fr_json_object(&e->json);
    fr_json_put_str(&e->json, "home", row->home);
    fr_json_put_str(&e->json, "visited", row->visited);
    fr_json_end(&e->json);
    return FR_OK;
}

/* Is a record about the member itself? What it did with devices is in the journal by their EUIs. */
static bool is_about(const struct export *e, const struct fr_journal_record *record)
{
    struct fr_span facts = record->facts;
    struct fr_fact fact;

    while (fr_fact_next(&facts, &fact) == FR_OK)
        if (fact.kind == FR_FACT_MEMBER && fr_span_is(fact.key, e->member)) return true;
    return false;
}

static enum fr_err put_journal(struct export *e)
{
    struct fr_journal_record record;
    enum fr_err err = FR_OK;

    for (uint64_t at = 0; err == FR_OK; at = record.sequence + 1) {
        err = fr_journal_next(e->snap, at, &record);
        if (err) break;
        if (is_about(e, &record)) err = fr_journal_put_json(&e->json, &record);
        if (err == FR_OK && e->text.n > FLUSH_AT) err = flush(e);
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err put_member(struct export *e, const struct fr_member_row *row)
{
    fr_json_put_str(&e->json, "id", row->id);
    fr_json_put_str(&e->json, "state", fr_member_state_text(row->state));
    fr_json_put_str(&e->json, "org", row->org);
    fr_json_put_str(&e->json, "noc", row->noc);
    fr_json_put_str(&e->json, "security", row->security);
    put_time(e, "since", row->created_s);
    begin_list(e, "networks");
    enum fr_err err = fr_network_each_of(e->snap, e->member, put_network, e);
    fr_json_end(&e->json);
    begin_list(e, "blocks");
    if (err == FR_OK) err = fr_block_each(e->snap, e->member, put_block, e);
    fr_json_end(&e->json);
    begin_list(e, "joineuis");
    if (err == FR_OK) err = fr_joineui_each(e->snap, e->member, put_join_servers, e);
    fr_json_end(&e->json);
    begin_list(e, "certificates");
    if (err == FR_OK) err = fr_cert_row_each(e->snap, put_cert, e);
    fr_json_end(&e->json);
    begin_list(e, "tokens");
    if (err == FR_OK) err = fr_token_each(e->snap, put_token, e);
    fr_json_end(&e->json);
    begin_list(e, "graces");
    if (err == FR_OK) err = fr_grace_each(e->snap, put_grace, e);
    fr_json_end(&e->json);
    begin_list(e, "zones");
    if (err == FR_OK) err = fr_primary_each(e->snap, put_zone, e);
    fr_json_end(&e->json);
    begin_list(e, "visibility");
    if (err == FR_OK) err = fr_visibility_each(e->snap, put_grant, e);
    fr_json_end(&e->json);
    begin_list(e, "releases");
    if (err == FR_OK)
        err =
            fr_release_each(e->snap, e->member, fr_clock_real_s(fr_clock_system()), put_release, e);
    fr_json_end(&e->json);
    begin_list(e, "conflicts");
    if (err == FR_OK) err = fr_conflict_each(e->snap, e->member, put_conflict, e);
    fr_json_end(&e->json);
    begin_list(e, "lookups");
    if (err == FR_OK) err = fr_lookups_each(e->snap, 0, UINT32_MAX, put_lookups, e);
    fr_json_end(&e->json);
    begin_list(e, "journal");
    if (err == FR_OK) err = put_journal(e);
    fr_json_end(&e->json);
    begin_list(e, "devices");
    if (err == FR_OK) err = fr_network_each_of(e->snap, e->member, put_devices_of, e);
    fr_json_end(&e->json);
    return err;
}

enum fr_exit fr_cmd_member_export(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_member_row row;
    struct export e = {
        .out = fr_cli_out(cli), .member = fr_cli_arg(cli, 0), .text = FR_BUF_INIT(TEXT_MAX)};

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    e.snap = session.snap;
    e.json = fr_json(&e.text);
    err = fr_member_get(e.snap, e.member, &row);
    if (err == FR_E_NOT_FOUND) err = fr_diag_fail(&diag, err, "there is no member %s", e.member);
    if (err) goto out;
    fr_json_object(&e.json);
    err = put_member(&e, &row);
    fr_json_end(&e.json);
    fr_buf_add_span(&e.text, FR_SPAN_LIT("\n"));
    if (err == FR_OK) err = flush(&e);
    if (err == FR_OK && fflush(e.out) != 0) err = FR_E_IO;
out:
    fr_buf_deinit(&e.text);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
