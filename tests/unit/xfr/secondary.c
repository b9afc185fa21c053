#include "unit/xfr/secondary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/device.h"
#include "store/joineui.h"
#include "store/network.h"
#include "store/policy.h"
#include "store/records.h"
#include "unit/store/fixture.h"

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void set_add(struct set *set, const struct fr_rr *rr)
{
    struct fr_buf text = FR_BUF_INIT(4096);

    if (set->n == set->room) {
        set->room = set->room ? set->room * 2 : 64;
        set->lines = realloc(set->lines, set->room * sizeof *set->lines);
        assert_non_null(set->lines);
    }
    assert_int_equal(fr_rr_print(rr, &text), FR_OK);
    set->lines[set->n++] = strdup(fr_buf_str(&text));
    fr_buf_deinit(&text);
}

static void set_sort(struct set *set)
{
    if (set->n) qsort(set->lines, set->n, sizeof *set->lines, by_line);
}

/* An IXFR that takes away what is not there is refused by BIND ("not exact"). */
static void set_remove(struct set *set, const struct fr_rr *rr)
{
    struct fr_buf text = FR_BUF_INIT(4096);

    assert_int_equal(fr_rr_print(rr, &text), FR_OK);
    for (size_t i = 0; i < set->n; i++) {
        if (strcmp(set->lines[i], fr_buf_str(&text)) != 0) continue;
        free(set->lines[i]);
        set->lines[i] = set->lines[--set->n];
        fr_buf_deinit(&text);
        return;
    }
    fail_msg("not there: %s", fr_buf_str(&text));
}

void set_clear(struct set *set)
{
    for (size_t i = 0; i < set->n; i++) free(set->lines[i]);
    free(set->lines);
    *set = (struct set){0};
}

void assert_same_set(struct set *got, struct set *want, const char *when)
{
    set_sort(got);
    set_sort(want);
    for (size_t i = 0; i < got->n && i < want->n; i++)
        if (strcmp(got->lines[i], want->lines[i]) != 0)
            fail_msg("%s: got %swant %s", when, got->lines[i], want->lines[i]);
    assert_int_equal(got->n, want->n);
}

/* --- the oracle --- */

struct reading {
    const struct fr_zone *zone;
    struct fr_snap *snap;
    uint32_t ttl_s;
    int64_t now_s;
    struct set *set;
};

static enum fr_err read_record(void *data, const struct fr_record *record)
{
    const struct reading *r = data;
    struct fr_rr rr;

    assert_int_equal(fr_zone_rr(r->zone, record, &rr), FR_OK);
    set_add(r->set, &rr);
    return FR_OK;
}

static enum fr_err read_network(void *data, const struct fr_network_row *row)
{
    struct reading *r = data;
    enum fr_err err = fr_records_network(r->snap, row->netid, r->now_s, read_record, r);

    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err read_joineui(void *data, const struct fr_joineui_row *row)
{
    struct reading *r = data;
    enum fr_err err = fr_records_joineui(r->snap, row, read_record, r);

    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err read_device(void *data, const struct fr_device_row *row)
{
    struct reading *r = data;
    struct fr_network_row network;
    struct fr_record record = {.owner = {.kind = FR_OWNER_DEVEUI, .eui = row->deveui},
                               .type = FR_RECORD_CNAME,
                               .ttl_s = r->ttl_s};

    record.data.target = (struct fr_owner){.kind = FR_OWNER_NETID, .netid = row->netid};
    if ((row->flags & FR_DEVICE_HIDDEN) != 0 ||
        fr_network_get_live(r->snap, row->netid, &network) != FR_OK)
        return FR_OK;
    return read_record(r, &record);
}

void oracle(const struct giver *giver, int64_t now_s, struct set *set)
{
    struct reading r = {.zone = &giver->zone, .set = set, .now_s = now_s};

    assert_int_equal(fr_snap_begin(giver->store, &r.snap), FR_OK);
    set_clear(set);
    assert_int_equal(fr_policy_get(r.snap, FR_POLICY_TTL_DEVEUI, &r.ttl_s), FR_OK);
    assert_int_equal(fr_records_apex(r.snap, read_record, &r), FR_OK);
    assert_int_equal(fr_network_each(r.snap, read_network, &r), FR_OK);
    assert_int_equal(fr_joineui_each(r.snap, NULL, read_joineui, &r), FR_OK);
    assert_int_equal(fr_device_each(r.snap, 0, 0, read_device, &r), FR_OK);
    fr_snap_end(r.snap);
}

/* --- a secondary --- */

void giver_init(struct giver *giver, struct fr_store *store)
{
    *giver = (struct giver){.store = store};
    assert_int_equal(fr_zone_init(&giver->zone, FED), FR_OK);
}

void giver_restart(struct giver *giver)
{
    fr_zone_history_deinit(&giver->history);
    giver->history = (struct fr_zone_history){0};
}

enum fr_err give_begin(struct giver *giver, int64_t now_s, uint16_t type, uint32_t have,
                       struct fr_outgoing **out)
{
    const struct fr_xfr_ask ask = {.id = 7, .zone = giver->zone.apex, .type = type, .have = have};
    const struct fr_outgoing_options options = {.store = giver->store,
                                                .zone = &giver->zone,
                                                .history = &giver->history,
                                                .ask = &ask,
                                                .now_s = now_s};

    return fr_outgoing_begin(&options, out);
}

/* The records of a transfer as RFC 5936 and RFC 1995 mean them. */
struct taking {
    struct secondary *to;
    enum fr_outgoing_kind kind;
    unsigned soas;
    uint32_t last;
    struct fr_rr soa;
};

static void take_record(struct taking *t, const struct fr_rr *rr)
{
    struct set *set = &t->to->set;

    if (rr->type == FR_DNS_SOA) {
        t->soas++;
        if (t->soas == 1) {
            t->last = rr->data.soa.serial;
            t->soa = *rr;
        } else if (t->kind == FR_OUTGOING_CHANGES && t->soas == 2) {
            assert_int_equal(rr->data.soa.serial, t->to->serial);
            set_remove(set, rr);
        } else {
            assert_int_equal(rr->data.soa.serial, t->last);
        }
        return;
    }
    if (t->kind == FR_OUTGOING_CHANGES && t->soas == 2)
        set_remove(set, rr);
    else
        set_add(set, rr);
}

static void take_message(struct taking *t, struct fr_span message, bool is_first)
{
    struct fr_rd r = fr_rd(message);
    struct fr_rr rr;

    assert_int_equal(fr_rd_u16(&r), 7);
    assert_int_equal(fr_rd_u16(&r), FR_DNS_QR | FR_DNS_AA);
    assert_int_equal(fr_rd_u16(&r), is_first ? 1 : 0);
    unsigned n = fr_rd_u16(&r);
    fr_rd_skip(&r, 4);
    if (is_first) {
        struct fr_dname name;
        fr_dns_name_read(&r, &name);
        fr_rd_skip(&r, 4);
    }
    while (n-- > 0) {
        fr_rr_read(&r, &rr);
        assert_int_equal(fr_rd_err(&r), FR_OK);
        take_record(t, &rr);
    }
    assert_int_equal(fr_rd_end(&r), FR_OK);
}

enum fr_outgoing_kind take(struct giver *giver, int64_t now_s, struct secondary *to, size_t size,
                           void (*between)(void *data, unsigned message), void *data)
{
    struct fr_outgoing *outgoing = NULL;
    uint8_t *memory = malloc(size);
    bool done = false;

    assert_non_null(memory);
    assert_int_equal(
        give_begin(giver, now_s, to->has_serial ? FR_DNS_IXFR : FR_DNS_AXFR, to->serial, &outgoing),
        FR_OK);
    struct taking t = {.to = to, .kind = fr_outgoing_kind(outgoing)};
    if (t.kind == FR_OUTGOING_FULL) set_clear(&to->set);
    for (unsigned i = 0; !done; i++) {
        size_t n = 0;
        assert_int_equal(fr_outgoing_next(outgoing, memory, size, &n, &done), FR_OK);
        take_message(&t, fr_span(memory, n), i == 0);
        if (between) between(data, i);
    }
    if (t.kind != FR_OUTGOING_CURRENT) {
        assert_int_equal(t.soas, t.kind == FR_OUTGOING_FULL ? 2 : 4);
        set_add(&to->set, &t.soa);
    }
    assert_int_equal(fr_outgoing_serial(outgoing), t.last);
    to->serial = t.last;
    to->has_serial = true;
    fr_outgoing_free(outgoing);
    free(memory);
    return t.kind;
}
