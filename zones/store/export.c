#include "store/export.h"

#include "base/buf.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/check.h"
#include "store/device.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 65536

struct out {
    const struct fr_export_options *o;
    struct fr_export_report report;
    struct fr_snap *snap;
    const char *fed;
    struct fr_buf text;
    uint32_t *live; /* NetIDs that answer, ascending */
    size_t n_live, room;
    uint32_t ttl_s; /* of devices */
};

static enum fr_err flush_at(struct out *out, size_t size)
{
    enum fr_err err = fr_buf_err(&out->text);

    if (err || out->text.n < size) return err;
    err = out->o->piece(out->o->data, fr_buf_span(&out->text));
    fr_buf_reset(&out->text);
    return err;
}

/* What is left out because it cannot be read. */
static enum fr_err leave_out(struct out *out, const char *kind, int digits, uint64_t number)
{
    char row[48];

    (void)snprintf(row, sizeof row, "%s %0*" PRIx64, kind, digits, number);
    out->report.damaged++;
    if (out->o->bad != NULL) out->o->bad(out->o->data, row);
    return FR_OK;
}

/* Relative to the apex, which is "@". */
static enum fr_err add_name(struct out *out, const struct fr_owner *owner)
{
    char text[FR_OWNER_TEXT];
    size_t apex = strlen(out->fed);

    enum fr_err err = fr_owner_print(owner, out->fed, text);
    if (err) return err;
    size_t n = strlen(text);
    if (n <= apex + 1)
        fr_buf_add_char(&out->text, '@');
    else
        fr_buf_add(&out->text, text, n - apex - 1);
    return FR_OK;
}

static const char *type_text(enum fr_record_type type)
{
    switch (type) {
    case FR_RECORD_A: return "A";
    case FR_RECORD_NS: return "NS";
    case FR_RECORD_CNAME: return "CNAME";
    case FR_RECORD_SOA: return "SOA";
    case FR_RECORD_TXT: return "TXT";
    case FR_RECORD_AAAA: return "AAAA";
    case FR_RECORD_SRV: return "SRV";
    case FR_RECORD_NAPTR: return "NAPTR";
    case FR_RECORD_TLSA: return "TLSA";
    }
    return "";
}

static void add_address(struct out *out, const struct fr_record *record, uint8_t family)
{
    struct fr_ip ip = {.family = family};
    char text[FR_IP_TEXT];

    memcpy(ip.b, record->data.addr, family == 4 ? 4 : 16);
    fr_ip_print(&ip, text);
    fr_buf_add_str(&out->text, text);
}

static enum fr_err add_rdata(struct out *out, const struct fr_record *record)
{
    struct fr_buf *text = &out->text;
    char hex[2 * FR_DIGEST_SIZE + 1];

    switch (record->type) {
    case FR_RECORD_A: add_address(out, record, 4); return FR_OK;
    case FR_RECORD_AAAA: add_address(out, record, 6); return FR_OK;
    case FR_RECORD_NS: fr_buf_add_str(text, FR_RECORD_NS_TARGET "."); return FR_OK;
    case FR_RECORD_CNAME: return add_name(out, &record->data.target);
    case FR_RECORD_SOA:
        fr_buf_printf(text,
                      "broker " FR_RECORD_RNAME " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32
                      " %" PRIu32,
                      record->data.soa.serial, record->data.soa.refresh_s, record->data.soa.retry_s,
                      record->data.soa.expire_s, record->data.soa.minimum_s);
        return FR_OK;
    case FR_RECORD_TXT: /* fixed words and a member id: nothing to escape */
        fr_buf_printf(text, "\"%s\"", record->data.txt);
        return FR_OK;
    case FR_RECORD_SRV:
        fr_buf_printf(text, "%u %u %u ", record->data.srv.priority, record->data.srv.weight,
                      record->data.srv.port);
        if (record->data.srv.host[0] != '\0') {
            fr_buf_printf(text, "%s.", record->data.srv.host);
            return FR_OK;
        }
        return add_name(out, &record->data.srv.target);
    case FR_RECORD_NAPTR:
        fr_buf_printf(text, "%u %u \"%s\" \"%s\" \"\" ", record->data.naptr.order,
                      record->data.naptr.preference, record->data.naptr.flags,
                      record->data.naptr.service);
        return add_name(out, &record->data.naptr.target);
    case FR_RECORD_TLSA:
        fr_hex_print(record->data.tlsa.hash, FR_DIGEST_SIZE, hex);
        fr_buf_printf(text, "%u %u %u %s", record->data.tlsa.usage, record->data.tlsa.selector,
                      record->data.tlsa.matching, hex);
        return FR_OK;
    }
    return FR_E_INTERNAL;
}

static enum fr_err add_record(void *data, const struct fr_record *record)
{
    struct out *out = data;

    enum fr_err err = add_name(out, &record->owner);
    if (err) return err;
    fr_buf_printf(&out->text, " %" PRIu32 " IN %s ", record->ttl_s, type_text(record->type));
    err = add_rdata(out, record);
    if (err) return err;
    fr_buf_add_char(&out->text, '\n');
    return flush_at(out, PIECE);
}

static enum fr_err add_network(void *data, const struct fr_network_row *row)
{
    struct out *out = data;

    enum fr_err err = fr_records_network(out->snap, row->netid, out->o->now_s, add_record, out);
    if (err == FR_E_NOT_FOUND) return FR_OK; /* suspended */
    if (fr_store_is_damage(err)) return leave_out(out, "NetID", 6, row->netid);
    if (err) return err;
    if (out->n_live == out->room) {
        size_t room = out->room ? out->room * 2 : 64;
        uint32_t *live = fr_reallocarray(out->live, room, sizeof *live);
        if (live == NULL) return FR_E_NOMEM;
        out->live = live;
        out->room = room;
    }
    out->live[out->n_live++] = row->netid;
    return FR_OK;
}

static void bad_network(void *data, uint32_t netid, enum fr_err err)
{
    (void)err;
    (void)leave_out(data, "NetID", 6, netid);
}

static enum fr_err add_joineui(void *data, const struct fr_joineui_row *row)
{
    struct out *out = data;

    enum fr_err err = fr_records_joineui(out->snap, row, add_record, out);
    if (fr_store_is_damage(err)) return leave_out(out, "JoinEUI", 16, row->base);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static void bad_joineui(void *data, uint64_t joineui, enum fr_err err)
{
    (void)err;
    (void)leave_out(data, "JoinEUI", 16, joineui);
}

static int by_netid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static enum fr_err add_device(void *data, const struct fr_device_row *row)
{
    struct out *out = data;

    if (out->n_live == 0 ||
        bsearch(&row->netid, out->live, out->n_live, sizeof *out->live, by_netid) == NULL)
        return FR_OK;
    const bool is_hidden = (row->flags & FR_DEVICE_HIDDEN) != 0;
    out->report.hidden += is_hidden;
    if (is_hidden && !out->o->with_hidden) return FR_OK;
    fr_buf_printf(&out->text, "%016" PRIx64 ".deveui %" PRIu32 " IN CNAME %06" PRIx32 ".netid%s\n",
                  row->deveui, out->ttl_s, row->netid, is_hidden ? " ; hidden" : "");
    return flush_at(out, PIECE);
}

static void bad_device(void *data, uint64_t deveui, enum fr_err err)
{
    (void)err;
    (void)leave_out(data, "device", 16, deveui);
}

enum fr_err fr_export_zone(struct fr_snap *snap, const struct fr_export_options *options,
                           struct fr_export_report *report)
{
    struct out out = {.o = options,
                      .snap = snap,
                      .fed = fr_store_federation(fr_snap_store(snap)),
                      .text = FR_BUF_INIT(2 * PIECE)};

    enum fr_err err = fr_policy_get(snap, FR_POLICY_TTL_DEVEUI, &out.ttl_s);
    if (err) goto out;
    fr_buf_printf(&out.text, "$ORIGIN %s.\n", out.fed);
    err = fr_records_apex(snap, add_record, &out);
    if (err == FR_OK) err = fr_network_each_sound(snap, add_network, bad_network, &out);
    if (err == FR_OK) err = fr_joineui_each_sound(snap, add_joineui, bad_joineui, &out);
    if (err == FR_OK) err = fr_device_each_sound(snap, 0, add_device, bad_device, &out);
    if (err == FR_OK) err = flush_at(&out, 1);
    if (err == FR_OK) *report = out.report;
out:
    fr_buf_deinit(&out.text);
    fr_free(out.live);
    return err;
}
