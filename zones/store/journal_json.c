#include "store/journal_json.h"

#include "base/clock.h"
#include "base/hex.h"
#include "store/rows.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a kind of fact is called, and how many bytes its key begins with that are no text. */
static const struct {
    const char *name;
    size_t hex;
} kinds[FR_FACT_LAST + 1] = {
    [FR_FACT_MEMBER] = {"member", 0},
    [FR_FACT_NETWORK] = {"network", 3},
    [FR_FACT_JOINEUI] = {"joineui", 8},
    [FR_FACT_DEVICE] = {"device", 8},
    [FR_FACT_CERT] = {"certificate", FR_SERIAL_SIZE},
    [FR_FACT_KEY] = {"key", FR_DIGEST_SIZE},
    [FR_FACT_AUTHORITY] = {"authority", 0},
    [FR_FACT_POLICY] = {"policy", 0},
    [FR_FACT_META] = {"meta", 0},
    [FR_FACT_VISIBILITY] = {"visibility", 0},
    [FR_FACT_TOKEN] = {"token", FR_SERIAL_SIZE},
    [FR_FACT_RELEASE] = {"release", 8},
    [FR_FACT_CONFLICT] = {"conflict", 8},
    [FR_FACT_BLOCK] = {"block", 8},
    [FR_FACT_IMAGE] = {"image", 3},
    [FR_FACT_DOWNSTREAM] = {"secondary", 0},
    [FR_FACT_UNKNOWN] = {"unknown", FR_SERIAL_SIZE},
    [FR_FACT_NOTICE] = {"notice", 0},
    [FR_FACT_APPROVAL] = {"approval", FR_APPROVAL_ID_SIZE},
};

#define KEY_TEXT 130
#define VALUE_TEXT 64

/* Kinds that are not in the table here are told by their key alone. */
static const char *kind_of(const struct fr_fact *fact)
{
    return kinds[fact->kind].name != NULL ? kinds[fact->kind].name : "other";
}

/* Behind the EUI the count of a block's bits, at most 64; no member's id begins so low. */
static bool has_bits(const struct fr_fact *fact)
{
    if (fact->kind != FR_FACT_BLOCK && fact->kind != FR_FACT_JOINEUI &&
        fact->kind != FR_FACT_CONFLICT)
        return false;
    return fact->key.n > 8 && fact->key.p[8] <= 64;
}

/* Bytes of a key that begins with an EUI, a NetID or a serial: hex, then what follows as text. */
static void print_key(const struct fr_fact *fact, char out[KEY_TEXT])
{
    bool is_known = kinds[fact->kind].name != NULL;
    size_t hex = is_known ? kinds[fact->kind].hex : FR_DIGEST_SIZE, at = 0;

    if (hex > fact->key.n) hex = fact->key.n;
    fr_hex_print(fact->key.p, hex, out);
    at = 2 * hex;
    if (has_bits(fact)) {
        at += (size_t)snprintf(out + at, KEY_TEXT - at, "/%u", (unsigned)fact->key.p[hex]);
        hex++;
    }
    if (hex > 0 && fact->key.n > hex && at < KEY_TEXT - 1) out[at++] = ' ';
    for (size_t i = hex; i < fact->key.n && at < KEY_TEXT - 1; i++) {
        uint8_t c = fact->key.p[i];
        out[at++] = c == 0 ? ' ' : c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    out[at] = '\0';
}

/* --- what a row is now --- */

static enum fr_err put_device(struct fr_json *json, struct fr_span value)
{
    struct fr_fact_device device;
    char netid[8];

    enum fr_err err = fr_fact_device_read(value, &device);
    if (err) return err;
    if (device.netid == 0) fr_json_put_bool(json, "gone", true);
    snprintf(netid, sizeof netid, "%06" PRIx32, device.netid & 0xffffff);
    if (device.netid != 0) fr_json_put_str(json, "netid", netid);
    if ((device.flags & FR_DEVICE_HIDDEN) != 0) fr_json_put_bool(json, "hidden", true);
    snprintf(netid, sizeof netid, "%06" PRIx32, device.was_netid & 0xffffff);
    if (device.has_was && device.was_netid != 0) fr_json_put_str(json, "was_netid", netid);
    if ((device.was_flags & FR_DEVICE_HIDDEN) != 0) fr_json_put_bool(json, "was_hidden", true);
    return FR_OK;
}

static enum fr_err put_image(struct fr_json *json, struct fr_span value)
{
    struct fr_rd r = fr_rd(value);
    uint8_t mode = fr_rd_u8(&r);

    fr_json_put_str(json, "mode",
                    mode == FR_DEVICE_ADD       ? "add"
                    : mode == FR_DEVICE_REPLACE ? "replace"
                    : mode == FR_DEVICE_REMOVE  ? "remove"
                    : mode == FR_IMAGE_RESTORED ? "restore"
                                                : "rollback");
    fr_json_put_uint(json, "added", fr_rd_u64(&r));
    fr_json_put_uint(json, "moved", fr_rd_u64(&r));
    fr_json_put_uint(json, "removed", fr_rd_u64(&r));
    fr_json_put_uint(json, "after", fr_rd_u64(&r));
    return fr_rd_end(&r);
}

static void put_time(struct fr_json *json, const char *key, int64_t real_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(real_s, text);
    fr_json_put_str(json, key, text);
}

static enum fr_err put_release(struct fr_json *json, struct fr_span value)
{
    struct fr_release_row row = {0};

    enum fr_err err = fr_release_read(value, &row);
    if (err) return err;
    fr_json_put_str(json, "from", row.from);
    fr_json_put_str(json, "to", row.to);
    put_time(json, "until", row.until_s);
    return FR_OK;
}

static enum fr_err put_conflict(struct fr_json *json, struct fr_span value)
{
    struct fr_conflict_row row = {0};

    enum fr_err err = fr_conflict_read(value, &row);
    if (err) return err;
    fr_json_put_str(json, "owner", row.owner);
    fr_json_put_uint(json, "count", row.count);
    return FR_OK;
}

static enum fr_err put_notice(struct fr_json *json, struct fr_span value)
{
    struct fr_notice_row row = {0};

    enum fr_err err = fr_notice_read(value, &row);
    if (err) return err;
    fr_json_put_str(json, "stage", fr_notice_stage_text(row.stage));
    fr_json_put_bool(json, "told", row.told != 0);
    fr_json_put_bool(json, "acknowledged", row.acked_s > 0);
    return FR_OK;
}

static enum fr_err put_owner(struct fr_json *json, const struct fr_fact *fact)
{
    struct fr_network_row network = {0};
    struct fr_block_row block = {0};
    struct fr_joineui_row joineui = {0};
    struct fr_member_row member = {0};
    enum fr_err err = FR_OK;

    if (fact->kind == FR_FACT_MEMBER) {
        err = fr_member_read(fact->value, &member);
        if (err == FR_OK) fr_json_put_str(json, "state", fr_member_state_text(member.state));
    } else if (fact->kind == FR_FACT_NETWORK) {
        err = fr_network_read(fact->value, &network);
        if (err == FR_OK) fr_json_put_str(json, "member", network.member);
    } else if (fact->kind == FR_FACT_JOINEUI) {
        err = fr_joineui_read(fact->value, &joineui);
        if (err == FR_OK) fr_json_put_str(json, "member", joineui.member);
        if (err == FR_OK) fr_json_put_uint(json, "servers", joineui.n_servers);
    } else {
        err = fr_block_read(fact->value, &block);
        if (err == FR_OK) fr_json_put_str(json, "member", block.member);
    }
    return err;
}

static enum fr_err put_policy(struct fr_json *json, struct fr_span value)
{
    struct fr_rd r = fr_rd(value);

    fr_json_put_uint(json, "value", fr_rd_u32(&r));
    return fr_rd_end(&r);
}

static enum fr_err put_value(struct fr_json *json, const struct fr_fact *fact)
{
    if (fact->kind == FR_FACT_DEVICE) return put_device(json, fact->value);
    if (fact->value.n == 0) {
        fr_json_put_bool(json, "gone", true);
        return FR_OK;
    }
    switch ((int)fact->kind) { /* of the others the key says enough */
    case FR_FACT_IMAGE: return put_image(json, fact->value);
    case FR_FACT_RELEASE: return put_release(json, fact->value);
    case FR_FACT_CONFLICT: return put_conflict(json, fact->value);
    case FR_FACT_POLICY: return put_policy(json, fact->value);
    case FR_FACT_NOTICE: return put_notice(json, fact->value);
    case FR_FACT_MEMBER:
    case FR_FACT_NETWORK:
    case FR_FACT_JOINEUI:
    case FR_FACT_BLOCK: return put_owner(json, fact);
    default: return FR_OK;
    }
}

enum fr_err fr_journal_put_json(struct fr_json *json, const struct fr_journal_record *record)
{
    struct fr_span facts = record->facts;
    char serial[2 * FR_SERIAL_SIZE + 1], key[KEY_TEXT];
    struct fr_fact fact;
    enum fr_err err = FR_OK;

    fr_json_object(json);
    fr_json_put_uint(json, "sequence", record->sequence);
    put_time(json, "time", record->when_s);
    fr_json_put_str(json, "actor", record->actor);
    fr_hex_print(record->serial, FR_SERIAL_SIZE, serial);
    if (record->has_serial) fr_json_put_str(json, "certificate", serial);
    if (record->reason[0] != '\0') fr_json_put_str(json, "reason", record->reason);
    fr_json_key(json, "changes");
    fr_json_array(json);
    while (err == FR_OK) {
        err = fr_fact_next(&facts, &fact);
        if (err) break;
        print_key(&fact, key);
        fr_json_object(json);
        fr_json_put_str(json, "kind", kind_of(&fact));
        fr_json_put_str(json, "key", key);
        err = put_value(json, &fact);
        fr_json_end(json);
    }
    fr_json_end(json);
    fr_json_end(json);
    return err == FR_E_NOT_FOUND ? fr_buf_err(json->out) : err;
}

enum fr_err fr_fact_print(const struct fr_fact *fact, char out[FR_FACT_TEXT])
{
    struct fr_fact_device device;
    char key[KEY_TEXT], now[VALUE_TEXT] = "";

    print_key(fact, key);
    if (fact->kind == FR_FACT_DEVICE) {
        enum fr_err err = fr_fact_device_read(fact->value, &device);
        if (err) return err;
        bool is_hidden = (device.flags & FR_DEVICE_HIDDEN) != 0;
        if (device.netid != 0)
            snprintf(now, sizeof now, " %06" PRIx32 "%s", device.netid & 0xffffff,
                     is_hidden ? " hidden" : "");
        size_t n = strlen(now);
        if (device.has_was && device.was_netid != 0)
            snprintf(now + n, sizeof now - n, " (was %06" PRIx32 ")", device.was_netid & 0xffffff);
    }
    bool is_gone = fact->kind == FR_FACT_DEVICE ? device.netid == 0 : fact->value.n == 0;
    snprintf(out, FR_FACT_TEXT, "%s %s%s%s", kind_of(fact), key, is_gone ? " gone" : "", now);
    return FR_OK;
}
