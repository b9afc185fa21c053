#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

#define FORM_SINCE 2 /* of an authority: since when its state, and why */

void fr_row_read_form(struct fr_rd *r)
{
    uint8_t form = fr_rd_u8(r);

    if (form != FR_ROW_FORM) fr_rd_fail(r, FR_E_UNSUPPORTED);
}

void fr_row_read_text(struct fr_rd *r, char *out, size_t max)
{
    size_t n = fr_rd_u16(r);

    if (n > max) {
        fr_rd_fail(r, FR_E_MALFORMED);
        return;
    }
    struct fr_span text = fr_rd_span(r, n);
    if (fr_rd_err(r) == FR_OK && !fr_span_copy(text, out, max + 1)) fr_rd_fail(r, FR_E_MALFORMED);
}

void fr_row_write_text(struct fr_wr *w, const char *text)
{
    fr_wr_u16(w, (uint16_t)strlen(text));
    fr_wr_bytes(w, text, strlen(text));
}

int64_t fr_row_read_time(struct fr_rd *r)
{
    uint64_t t = fr_rd_u64(r);

    if (t > INT64_MAX) fr_rd_fail(r, FR_E_RANGE);
    return (int64_t)(t & INT64_MAX);
}

void fr_row_write_time(struct fr_wr *w, int64_t t)
{
    fr_wr_u64(w, t < 0 ? 0 : (uint64_t)t);
}

/* One of a small set of states, 1…last. */
static uint8_t read_state(struct fr_rd *r, uint8_t last)
{
    uint8_t state = fr_rd_u8(r);

    if (state < 1 || state > last) fr_rd_fail(r, FR_E_MALFORMED);
    return state;
}

static bool read_bool(struct fr_rd *r)
{
    uint8_t b = fr_rd_u8(r);

    if (b > 1) fr_rd_fail(r, FR_E_MALFORMED);
    return b == 1;
}

void fr_row_read_addrs(struct fr_rd *r, struct fr_addr *addrs, size_t max, uint8_t *n)
{
    uint8_t count = fr_rd_u8(r);

    if (count > max) fr_rd_fail(r, FR_E_MALFORMED);
    for (uint8_t i = 0; i < count && fr_rd_err(r) == FR_OK; i++) {
        addrs[i].ip.family = fr_rd_u8(r);
        if (addrs[i].ip.family != 4 && addrs[i].ip.family != 6) fr_rd_fail(r, FR_E_MALFORMED);
        fr_rd_bytes(r, addrs[i].ip.b, addrs[i].ip.family == 4 ? 4 : 16);
        addrs[i].port = fr_rd_u16(r);
        if (addrs[i].port == 0) fr_rd_fail(r, FR_E_MALFORMED);
    }
    *n = count;
}

static void write_addrs(struct fr_wr *w, const struct fr_addr *addrs, uint8_t n)
{
    fr_wr_u8(w, n);
    for (uint8_t i = 0; i < n; i++) {
        fr_wr_u8(w, addrs[i].ip.family);
        fr_wr_bytes(w, addrs[i].ip.b, addrs[i].ip.family == 4 ? 4 : 16);
        fr_wr_u16(w, addrs[i].port);
    }
}

enum fr_err fr_member_read(struct fr_span value, struct fr_member_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_member_row got = {0};

    memcpy(got.id, row->id, sizeof got.id);
    fr_row_read_form(&r);
    got.state = read_state(&r, FR_MEMBER_REMOVED);
    fr_row_read_text(&r, got.org, FR_ORG_MAX);
    fr_row_read_text(&r, got.noc, FR_CONTACT_MAX);
    fr_row_read_text(&r, got.security, FR_CONTACT_MAX);
    got.created_s = fr_row_read_time(&r);
    got.changed_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_member_write(struct fr_wr *w, const struct fr_member_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, (uint8_t)row->state);
    fr_row_write_text(w, row->org);
    fr_row_write_text(w, row->noc);
    fr_row_write_text(w, row->security);
    fr_row_write_time(w, row->created_s);
    fr_row_write_time(w, row->changed_s);
}

enum fr_err fr_network_read(struct fr_span value, struct fr_network_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_network_row got = {.netid = row->netid};

    fr_row_read_form(&r);
    fr_row_read_text(&r, got.member, FR_MEMBER_ID_MAX);
    got.state = read_state(&r, FR_NETWORK_SUSPENDED);
    fr_row_read_addrs(&r, got.endpoints, FR_ENDPOINTS_MAX, &got.n_endpoints);
    got.devices = fr_rd_u64(&r);
    got.created_s = fr_row_read_time(&r);
    got.changed_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_network_write(struct fr_wr *w, const struct fr_network_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_text(w, row->member);
    fr_wr_u8(w, (uint8_t)row->state);
    write_addrs(w, row->endpoints, row->n_endpoints);
    fr_wr_u64(w, row->devices);
    fr_row_write_time(w, row->created_s);
    fr_row_write_time(w, row->changed_s);
}

enum fr_err fr_visibility_read(struct fr_span value, struct fr_visibility_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_visibility_row got = *row;

    fr_row_read_form(&r);
    got.since_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_visibility_write(struct fr_wr *w, const struct fr_visibility_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_time(w, row->since_s);
}

enum fr_err fr_device_read(struct fr_span value, struct fr_device_row *row)
{
    struct fr_rd r = fr_rd(value);

    uint32_t netid = fr_rd_u24(&r);
    uint8_t flags = fr_rd_u8(&r);
    uint32_t change = fr_rd_u32(&r);
    if ((flags & ~FR_DEVICE_FLAGS_ALL) != 0) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    enum fr_err err = fr_rd_end(&r);
    if (err) return err;
    row->netid = netid;
    row->flags = flags;
    row->change = change;
    return FR_OK;
}

void fr_device_write(struct fr_wr *w, const struct fr_device_row *row)
{
    fr_wr_u24(w, row->netid);
    fr_wr_u8(w, row->flags);
    fr_wr_u32(w, row->change);
}

bool fr_cert_row_is_issued(struct fr_span value)
{
    struct fr_rd r = fr_rd(value);

    fr_row_read_form(&r);
    const uint8_t status = fr_rd_u8(&r);
    return fr_rd_err(&r) == FR_OK && status == FR_CERT_ISSUED;
}

enum fr_err fr_cert_row_read(struct fr_span value, struct fr_cert_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_cert_row got = {0};

    memcpy(got.serial, row->serial, sizeof got.serial);
    fr_row_read_form(&r);
    got.status = read_state(&r, FR_CERT_REVOKED);
    got.profile = read_state(&r, FR_PROFILE_JS);
    fr_row_read_text(&r, got.member, FR_MEMBER_ID_MAX);
    got.netid = fr_rd_u24(&r);
    got.joineui = fr_rd_u64(&r);
    fr_row_read_text(&r, got.host, FR_HOST_MAX);
    got.rights = fr_rd_u32(&r);
    if ((got.rights & ~FR_RIGHTS_ALL) != 0) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    got.n_names = fr_rd_u8(&r);
    if (got.n_names > FR_ROW_NAMES_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
    for (uint8_t i = 0; i < got.n_names && fr_rd_err(&r) == FR_OK; i++)
        fr_row_read_text(&r, got.names[i], FR_DNS_NAME_MAX);
    got.not_before_s = fr_row_read_time(&r);
    got.not_after_s = fr_row_read_time(&r);
    fr_rd_bytes(&r, got.sha256, sizeof got.sha256);
    fr_rd_bytes(&r, got.spki, sizeof got.spki);
    fr_row_read_text(&r, got.authority, FR_HOST_MAX);
    got.created_s = fr_row_read_time(&r);
    got.revoked_s = fr_row_read_time(&r);
    got.revoked_cause = fr_rd_u8(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_cert_row_write(struct fr_wr *w, const struct fr_cert_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, (uint8_t)row->status);
    fr_wr_u8(w, (uint8_t)row->profile);
    fr_row_write_text(w, row->member);
    fr_wr_u24(w, row->netid);
    fr_wr_u64(w, row->joineui);
    fr_row_write_text(w, row->host);
    fr_wr_u32(w, row->rights);
    fr_wr_u8(w, row->n_names);
    for (uint8_t i = 0; i < row->n_names; i++) fr_row_write_text(w, row->names[i]);
    fr_row_write_time(w, row->not_before_s);
    fr_row_write_time(w, row->not_after_s);
    fr_wr_bytes(w, row->sha256, sizeof row->sha256);
    fr_wr_bytes(w, row->spki, sizeof row->spki);
    fr_row_write_text(w, row->authority);
    fr_row_write_time(w, row->created_s);
    fr_row_write_time(w, row->revoked_s);
    fr_wr_u8(w, row->revoked_cause);
}

static void read_slot(struct fr_rd *r, struct fr_token_slot *slot)
{
    slot->profile = read_state(r, FR_PROFILE_JS);
    slot->state = read_state(r, FR_SLOT_USED);
    fr_rd_bytes(r, slot->request, sizeof slot->request);
    fr_rd_bytes(r, slot->serial, sizeof slot->serial);
    slot->when_s = fr_row_read_time(r);
}

enum fr_err fr_token_row_read(struct fr_span value, struct fr_token_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_token_row got = {0};

    memcpy(got.id, row->id, sizeof got.id);
    fr_row_read_form(&r);
    fr_rd_bytes(&r, got.secret, sizeof got.secret);
    fr_row_read_text(&r, got.member, FR_MEMBER_ID_MAX);
    got.netid = fr_rd_u24(&r);
    got.joineui = fr_rd_u64(&r);
    got.rights = fr_rd_u32(&r);
    if ((got.rights & ~FR_RIGHTS_ALL) != 0) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    fr_row_read_text(&r, got.host, FR_HOST_MAX);
    got.is_revoked = read_bool(&r);
    got.needs_approval = read_bool(&r);
    got.created_s = fr_row_read_time(&r);
    got.expires_s = fr_row_read_time(&r);
    got.n_slots = fr_rd_u8(&r);
    if (got.n_slots < 1 || got.n_slots > FR_TOKEN_SLOTS_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
    for (uint8_t i = 0; i < got.n_slots && fr_rd_err(&r) == FR_OK; i++)
        read_slot(&r, &got.slots[i]);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_token_row_write(struct fr_wr *w, const struct fr_token_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_bytes(w, row->secret, sizeof row->secret);
    fr_row_write_text(w, row->member);
    fr_wr_u24(w, row->netid);
    fr_wr_u64(w, row->joineui);
    fr_wr_u32(w, row->rights);
    fr_row_write_text(w, row->host);
    fr_wr_u8(w, row->is_revoked);
    fr_wr_u8(w, row->needs_approval);
    fr_row_write_time(w, row->created_s);
    fr_row_write_time(w, row->expires_s);
    fr_wr_u8(w, row->n_slots);
    for (uint8_t i = 0; i < row->n_slots; i++) {
        fr_wr_u8(w, (uint8_t)row->slots[i].profile);
        fr_wr_u8(w, (uint8_t)row->slots[i].state);
        fr_wr_bytes(w, row->slots[i].request, sizeof row->slots[i].request);
        fr_wr_bytes(w, row->slots[i].serial, sizeof row->slots[i].serial);
        fr_row_write_time(w, row->slots[i].when_s);
    }
}

enum fr_err fr_grace_read(struct fr_span value, struct fr_grace_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_grace_row got = *row;

    fr_row_read_form(&r);
    got.opened_s = fr_row_read_time(&r);
    got.until_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_grace_write(struct fr_wr *w, const struct fr_grace_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_time(w, row->opened_s);
    fr_row_write_time(w, row->until_s);
}

enum fr_err fr_key_read(struct fr_span value, struct fr_key_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_key_row got = {0};

    fr_row_read_form(&r);
    got.is_blocked = read_bool(&r);
    fr_row_read_text(&r, got.member, FR_MEMBER_ID_MAX);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_key_write(struct fr_wr *w, const struct fr_key_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, row->is_blocked);
    fr_row_write_text(w, row->member);
}

enum fr_err fr_pin_read(struct fr_span value, struct fr_pin_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_pin_row got = {0};

    fr_rd_bytes(&r, got.spki, sizeof got.spki);
    got.not_after_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_pin_write(struct fr_wr *w, const struct fr_pin_row *row)
{
    fr_wr_bytes(w, row->spki, sizeof row->spki);
    fr_row_write_time(w, row->not_after_s);
}

enum fr_err fr_authority_read(struct fr_span value, struct fr_authority_row *row)
{
    struct fr_rd r = fr_rd(value);
    int64_t since_s = 0;
    uint8_t cause = 0;

    uint8_t form = fr_rd_u8(&r);
    if (form != FR_ROW_FORM && form != FORM_SINCE) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    uint8_t kind = read_state(&r, FR_AUTHORITY_ISSUING);
    uint8_t state = read_state(&r, FR_AUTHORITY_PREPARED);
    if (form == FORM_SINCE) {
        since_s = fr_row_read_time(&r);
        cause = fr_rd_u8(&r);
        if (since_s == 0 && cause == 0) fr_rd_fail(&r, FR_E_MALFORMED); /* that is the first form */
    }
    int64_t not_before_s = fr_row_read_time(&r);
    int64_t not_after_s = fr_row_read_time(&r);
    struct fr_span sha256 = fr_rd_span(&r, FR_DIGEST_SIZE);
    uint16_t der_size = fr_rd_u16(&r);
    if (der_size > FR_AUTHORITY_DER_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
    struct fr_span der = fr_rd_span(&r, der_size);
    enum fr_err err = fr_rd_end(&r);
    if (err) return err;
    row->kind = kind;
    row->state = state;
    row->since_s = since_s;
    row->cause = cause;
    row->not_before_s = not_before_s;
    row->not_after_s = not_after_s;
    memcpy(row->sha256, sha256.p, FR_DIGEST_SIZE);
    row->der_size = der_size;
    if (der_size > 0) memcpy(row->der, der.p, der_size);
    return FR_OK;
}

void fr_authority_write(struct fr_wr *w, const struct fr_authority_row *row)
{
    bool has_since = row->since_s > 0 || row->cause != 0;

    fr_wr_u8(w, has_since ? FORM_SINCE : FR_ROW_FORM);
    fr_wr_u8(w, (uint8_t)row->kind);
    fr_wr_u8(w, (uint8_t)row->state);
    if (has_since) {
        fr_row_write_time(w, row->since_s);
        fr_wr_u8(w, row->cause);
    }
    fr_row_write_time(w, row->not_before_s);
    fr_row_write_time(w, row->not_after_s);
    fr_wr_bytes(w, row->sha256, sizeof row->sha256);
    fr_wr_u16(w, row->der_size);
    fr_wr_bytes(w, row->der, row->der_size);
}

enum fr_err fr_journal_read(struct fr_span value, struct fr_journal_record *record)
{
    struct fr_rd r = fr_rd(value);
    struct fr_journal_record got = {.sequence = record->sequence};

    fr_row_read_form(&r);
    got.when_s = fr_row_read_time(&r);
    fr_row_read_text(&r, got.actor, FR_ACTOR_MAX);
    got.has_serial = read_bool(&r);
    if (got.has_serial) fr_rd_bytes(&r, got.serial, sizeof got.serial);
    fr_row_read_text(&r, got.reason, FR_REASON_MAX);
    got.n_facts = fr_rd_u32(&r);
    got.facts = fr_rd_rest(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *record = got;
    return err;
}

void fr_journal_write(struct fr_wr *w, const struct fr_journal_record *record)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_time(w, record->when_s);
    fr_row_write_text(w, record->actor);
    fr_wr_u8(w, record->has_serial);
    if (record->has_serial) fr_wr_bytes(w, record->serial, sizeof record->serial);
    fr_row_write_text(w, record->reason);
    fr_wr_u32(w, record->n_facts);
    fr_wr_span(w, record->facts);
}
