#include "store/primary_json.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "names/netid.h"

const char *fr_primary_state_text(const struct fr_primary_state *state, int64_t now_s)
{
    if (state->is_held) return "held";
    if (state->has_serial && state->expire_s > 0 && now_s - state->contact_s > state->expire_s)
        return "expired";
    if (state->failed_s != 0) return "failing";
    return state->has_serial ? "good" : "new";
}

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
    fr_json_put_str(json, "state", fr_primary_state_text(state, now_s));
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

enum fr_err fr_primary_put_json(struct fr_json *json, struct fr_snap *snap,
                                const struct fr_primary_row *row, int64_t now_s)
{
    struct fr_primary_left *left = fr_calloc(1, sizeof *left);
    struct fr_primary_state state;

    if (left == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_primary_state_get(snap, row->member, row->zone, &state);
    if (err == FR_OK) err = fr_primary_left_get(snap, row->member, row->zone, left);
    if (err == FR_OK) {
        fr_json_object(json);
        put_row(json, row);
        put_state(json, &state, now_s);
        put_left(json, left);
        fr_json_end(json);
    }
    fr_free(left);
    return err;
}
