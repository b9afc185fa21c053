#include "xfr/outgoing.h"

#include "base/mem.h"
#include "store/device.h"

#include <stdlib.h>
#include <string.h>

/* What is sent, in this order; each kind of transfer leaves some out. */
enum step {
    STEP_NEW_SOA,
    STEP_OLD_SOA,
    STEP_GONE_ROWS,
    STEP_GONE_DEVICES,
    STEP_SOA_BETWEEN,
    STEP_ROWS,
    STEP_DEVICES,
    STEP_LAST_SOA,
    STEP_DONE,
};

struct device {
    uint64_t eui;
    uint32_t netid;
};

struct change {
    uint64_t eui;
    uint32_t order;
    struct fr_fact_device fact;
};

struct fr_outgoing {
    struct fr_outgoing_options options;
    struct fr_xfr_ask ask;
    enum fr_outgoing_kind kind;
    uint64_t sequence, have; /* of the zone sent, of the secondary's */
    struct fr_zone_image *image, *old;
    enum step step;
    size_t at;
    uint64_t records;
    bool has_begun; /* a message was made */
    /* full: the slice in hand, and where the next one begins */
    struct device *devices;
    size_t n_devices;
    uint64_t from, seen; /* EUI; sequence up to which undo goes */
    bool is_at_end;
    struct fr_undo undo;
    /* changes */
    struct device *gone;
    size_t n_gone;
    const struct fr_record **gone_rows, **new_rows;
    size_t n_gone_rows, n_new_rows;
};

/* --- devices at a serial --- */

static bool is_visible(const struct fr_zone_image *image, uint32_t netid, uint8_t flags)
{
    return netid != 0 && (flags & FR_DEVICE_HIDDEN) == 0 && fr_zone_image_is_live(image, netid);
}

/* A bulk in place shows its steps, which no record of the journal tells. */
static enum fr_err check_quiet(struct fr_snap *snap)
{
    struct fr_bulk_pending pending;
    enum fr_err err = fr_bulk_find_pending(snap, &pending);

    if (err == FR_E_NOT_FOUND) return FR_OK;
    return err ? err : FR_E_BUSY;
}

struct slice {
    struct fr_undo_row rows[FR_OUTGOING_SLICE];
    size_t n;
};

static enum fr_err add_to_slice(void *data, const struct fr_device_row *row)
{
    struct slice *slice = data;

    if (slice->n == FR_OUTGOING_SLICE) return FR_E_EXISTS; /* ends the walk */
    slice->rows[slice->n++] =
        (struct fr_undo_row){.eui = row->deveui, .netid = row->netid, .flags = row->flags};
    return FR_OK;
}

static enum fr_err read_journal(struct fr_outgoing *o, struct fr_snap *snap)
{
    const uint64_t last = fr_snap_sequence(snap);
    struct fr_journal_record record;

    if (last < o->seen) return FR_E_CONFLICT; /* the store was put back */
    while (o->seen < last) {
        enum fr_err err = fr_journal_next(snap, o->seen + 1, &record);
        if (err == FR_E_NOT_FOUND || (!err && record.sequence != o->seen + 1)) err = FR_E_CONFLICT;
        if (!err) err = fr_undo_take(&o->undo, record.facts, o->from);
        if (err) return err;
        o->seen = record.sequence;
    }
    return FR_OK;
}

static void give(struct fr_outgoing *o, const struct fr_undo_row *row)
{
    if (!is_visible(o->image, row->netid, row->flags)) return;
    o->devices[o->n_devices++] = (struct device){row->eui, row->netid};
}

/* The rows of the slice as they were at the serial: those that changed since are replaced, those that came left out, those that
 * went put back. */
static enum fr_err merge(struct fr_outgoing *o, const struct slice *slice)
{
    const uint64_t last = o->is_at_end ? UINT64_MAX : slice->rows[slice->n - 1].eui;
    const struct fr_undo *undo = &o->undo;
    size_t i = 0, u = fr_undo_find(undo, o->from);
    const size_t room = slice->n + (undo->n - u) + 1;
    struct device *devices = fr_reallocarray(o->devices, room, sizeof *devices);

    if (!devices) return FR_E_NOMEM;
    o->devices = devices;
    o->n_devices = 0;
    while (i < slice->n || (u < undo->n && undo->rows[u].eui <= last)) {
        const bool has_undo = u < undo->n && undo->rows[u].eui <= last;
        if (has_undo && (i == slice->n || undo->rows[u].eui <= slice->rows[i].eui)) {
            if (i < slice->n && slice->rows[i].eui == undo->rows[u].eui) i++;
            give(o, &undo->rows[u++]);
        } else {
            give(o, &slice->rows[i++]);
        }
    }
    if (!o->is_at_end) {
        o->from = last + 1; /* all ones is nobody's EUI */
        fr_undo_drop(&o->undo, o->from);
    }
    return FR_OK;
}

static enum fr_err read_slice(struct fr_outgoing *o)
{
    struct fr_snap *snap = NULL;
    struct slice *slice = fr_malloc(sizeof *slice);

    if (!slice) return FR_E_NOMEM;
    slice->n = 0;
    enum fr_err err = fr_snap_begin(o->options.store, &snap);
    if (!err) err = check_quiet(snap);
    if (!err) err = read_journal(o, snap);
    if (!err) err = fr_device_each(snap, o->from, 0, add_to_slice, slice);
    fr_snap_end(snap);
    o->is_at_end = err == FR_OK;
    if (err == FR_E_EXISTS) err = FR_OK;
    if (!err) err = merge(o, slice);
    fr_free(slice);
    return err;
}

/* --- changes --- */

struct fold {
    struct change *items;
    size_t n, room;
};

static enum fr_err fold_record(struct fold *fold, struct fr_span facts)
{
    struct fr_fact fact;
    enum fr_err err;

    while ((err = fr_fact_next(&facts, &fact)) == FR_OK) {
        if (fact.kind == FR_FACT_IMAGE) return FR_E_CONFLICT;
        if (fact.kind != FR_FACT_DEVICE) continue;
        if (fold->n == FR_OUTGOING_CHANGES_MAX) return FR_E_LIMIT;
        if (fold->n == fold->room) {
            const size_t room = fold->room ? fold->room * 2 : 64;
            struct change *items = fr_reallocarray(fold->items, room, sizeof *items);
            if (!items) return FR_E_NOMEM;
            fold->items = items;
            fold->room = room;
        }
        struct change *item = &fold->items[fold->n];
        struct fr_rd r = fr_rd(fact.key);
        item->eui = fr_rd_u64(&r);
        item->order = (uint32_t)fold->n;
        err = fr_rd_end(&r);
        if (!err) err = fr_fact_device_read(fact.value, &item->fact);
        if (err) return err;
        if (!item->fact.has_was) return FR_E_CONFLICT;
        fold->n++;
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static int by_eui(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    if (x->eui != y->eui) return x->eui < y->eui ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* For each device its first "was" and its last "is". */
static enum fr_err fold_devices(struct fr_outgoing *o, struct fold *fold)
{
    o->gone = fr_calloc(fold->n + 1, sizeof *o->gone);
    o->devices = fr_calloc(fold->n + 1, sizeof *o->devices);
    if (!o->gone || !o->devices) return FR_E_NOMEM;
    if (fold->n) qsort(fold->items, fold->n, sizeof *fold->items, by_eui);
    for (size_t i = 0, k; i < fold->n; i = k) {
        const struct fr_fact_device *first = &fold->items[i].fact;
        for (k = i + 1; k < fold->n && fold->items[k].eui == fold->items[i].eui;) k++;
        const struct fr_fact_device *last = &fold->items[k - 1].fact;
        const bool was = is_visible(o->old, first->was_netid, first->was_flags),
                   is = is_visible(o->image, last->netid, last->flags);
        if (was && is && first->was_netid == last->netid) continue;
        if (was) o->gone[o->n_gone++] = (struct device){fold->items[i].eui, first->was_netid};
        if (is) o->devices[o->n_devices++] = (struct device){fold->items[i].eui, last->netid};
    }
    return FR_OK;
}

static enum fr_err fold_rows(struct fr_outgoing *o)
{
    const struct fr_zone_image *a = o->old, *b = o->image;
    size_t i = 0, k = 0;

    o->gone_rows = fr_calloc(a->n + 1, sizeof *o->gone_rows);
    o->new_rows = fr_calloc(b->n + 1, sizeof *o->new_rows);
    if (!o->gone_rows || !o->new_rows) return FR_E_NOMEM;
    while (a != b && (i < a->n || k < b->n)) {
        const int c = i == a->n ? 1 : k == b->n ? -1 : fr_record_compare(&a->rows[i], &b->rows[k]);
        if (c < 0)
            o->gone_rows[o->n_gone_rows++] = &a->rows[i++];
        else if (c > 0)
            o->new_rows[o->n_new_rows++] = &b->rows[k++];
        else
            i++, k++;
    }
    return FR_OK;
}

/* FR_E_CONFLICT, FR_E_LIMIT, FR_E_NOT_FOUND: only the whole zone will do. */
static enum fr_err fold_changes(struct fr_outgoing *o, struct fr_snap *snap)
{
    struct fr_journal_record record;
    struct fold fold = {0};

    enum fr_err err = fr_zone_history_find(o->options.history, snap, o->image, o->options.now_s,
                                           o->have, &o->old);
    if (!err && !fr_zone_image_agrees(o->old, o->image)) err = FR_E_CONFLICT;
    for (uint64_t at = o->have + 1; !err && at <= o->sequence; at++) {
        err = fr_journal_next(snap, at, &record);
        if (!err && record.sequence != at) err = FR_E_NOT_FOUND; /* trimmed */
        if (!err) err = fold_record(&fold, record.facts);
    }
    if (!err) err = fold_devices(o, &fold);
    if (!err) err = fold_rows(o);
    fr_free(fold.items);
    return err;
}

static void forget_changes(struct fr_outgoing *o)
{
    fr_zone_image_unref(o->old);
    fr_free(o->gone);
    fr_free(o->devices);
    fr_free(o->gone_rows);
    fr_free(o->new_rows);
    o->old = NULL;
    o->gone = o->devices = NULL;
    o->gone_rows = o->new_rows = NULL;
    o->n_gone = o->n_devices = o->n_gone_rows = o->n_new_rows = 0;
}

/* --- beginning --- */

/* What the secondary has, as a sequence: the last one with these low bits. */
static enum fr_err choose_kind(struct fr_outgoing *o, struct fr_snap *snap)
{
    const uint32_t behind = (uint32_t)o->sequence - o->ask.have;

    o->kind = FR_OUTGOING_FULL;
    if (o->ask.type != FR_DNS_IXFR) return FR_OK;
    if (behind == 0 || behind > INT32_MAX) { /* it has the same, or a later one */
        o->kind = FR_OUTGOING_CURRENT;
        return FR_OK;
    }
    if (behind > o->sequence) return FR_OK;
    o->have = o->sequence - behind;
    enum fr_err err = fold_changes(o, snap);
    if (err == FR_OK) {
        o->kind = FR_OUTGOING_CHANGES;
        return FR_OK;
    }
    forget_changes(o);
    return err == FR_E_CONFLICT || err == FR_E_LIMIT || err == FR_E_NOT_FOUND ? FR_OK : err;
}

enum fr_err fr_outgoing_begin(const struct fr_outgoing_options *options, struct fr_outgoing **out)
{
    struct fr_snap *snap = NULL;
    struct fr_outgoing *o = fr_calloc(1, sizeof *o);

    if (!o) return FR_E_NOMEM;
    o->options = *options;
    o->ask = *options->ask;
    o->options.ask = &o->ask;
    enum fr_err err = fr_snap_begin(options->store, &snap);
    if (!err) err = check_quiet(snap);
    if (!err) err = fr_zone_history_take(options->history, snap, options->now_s, &o->image);
    if (!err) {
        o->sequence = o->seen = fr_snap_sequence(snap);
        err = choose_kind(o, snap);
    }
    fr_snap_end(snap);
    if (err)
        fr_outgoing_free(o);
    else
        *out = o;
    return err;
}

enum fr_outgoing_kind fr_outgoing_kind(const struct fr_outgoing *o)
{
    return o->kind;
}

uint32_t fr_outgoing_serial(const struct fr_outgoing *o)
{
    return (uint32_t)o->sequence;
}

uint64_t fr_outgoing_records(const struct fr_outgoing *o)
{
    return o->records;
}

/* --- records --- */

static enum fr_err put_soa(const struct fr_outgoing *o, const struct fr_zone_image *image,
                           uint64_t sequence, struct fr_rr *rr)
{
    struct fr_record soa = image->soa;

    soa.data.soa.serial = (uint32_t)sequence;
    return fr_zone_rr(o->options.zone, &soa, rr);
}

static enum fr_err put_device(const struct fr_outgoing *o, const struct fr_zone_image *image,
                              const struct device *device, struct fr_rr *rr)
{
    struct fr_record record = {.owner = {.kind = FR_OWNER_DEVEUI, .eui = device->eui},
                               .type = FR_RECORD_CNAME,
                               .ttl_s = image->device_ttl_s};

    record.data.target = (struct fr_owner){.kind = FR_OWNER_NETID, .netid = device->netid};
    return fr_zone_rr(o->options.zone, &record, rr);
}

static bool is_left_out(const struct fr_outgoing *o, enum step step)
{
    switch (o->kind) {
    case FR_OUTGOING_FULL: return step >= STEP_OLD_SOA && step <= STEP_SOA_BETWEEN;
    case FR_OUTGOING_CURRENT: return step != STEP_NEW_SOA;
    case FR_OUTGOING_CHANGES: return false;
    }
    return false;
}

static void next_step(struct fr_outgoing *o)
{
    o->at = 0;
    do o->step++;
    while (o->step < STEP_DONE && is_left_out(o, o->step));
}

/* How many records this step has; of devices of a whole zone those in hand. */
static enum fr_err count(struct fr_outgoing *o, size_t *n)
{
    const bool is_full = o->kind == FR_OUTGOING_FULL;

    *n = 1;
    switch (o->step) {
    case STEP_GONE_ROWS: *n = o->n_gone_rows; break;
    case STEP_GONE_DEVICES: *n = o->n_gone; break;
    case STEP_ROWS: *n = is_full ? o->image->n : o->n_new_rows; break;
    case STEP_DEVICES:
        while (is_full && o->at == o->n_devices && !o->is_at_end) {
            enum fr_err err = read_slice(o);
            if (err) return err == FR_E_BUSY ? FR_E_CONFLICT : err;
            o->at = 0;
        }
        *n = o->n_devices;
        break;
    case STEP_DONE: *n = 0; break;
    case STEP_NEW_SOA:
    case STEP_OLD_SOA:
    case STEP_SOA_BETWEEN:
    case STEP_LAST_SOA: break;
    }
    return FR_OK;
}

static enum fr_err record_at(const struct fr_outgoing *o, struct fr_rr *rr)
{
    const struct fr_zone *zone = o->options.zone;
    const bool is_full = o->kind == FR_OUTGOING_FULL;

    switch (o->step) {
    case STEP_OLD_SOA: return put_soa(o, o->old, o->have, rr);
    case STEP_GONE_ROWS: return fr_zone_rr(zone, o->gone_rows[o->at], rr);
    case STEP_GONE_DEVICES: return put_device(o, o->old, &o->gone[o->at], rr);
    case STEP_ROWS:
        return fr_zone_rr(zone, is_full ? &o->image->rows[o->at] : o->new_rows[o->at], rr);
    case STEP_DEVICES: return put_device(o, o->image, &o->devices[o->at], rr);
    case STEP_NEW_SOA:
    case STEP_SOA_BETWEEN:
    case STEP_LAST_SOA:
    case STEP_DONE: break;
    }
    return put_soa(o, o->image, o->sequence, rr);
}

enum fr_err fr_outgoing_next(struct fr_outgoing *o, uint8_t *memory, size_t max, size_t *n,
                             bool *done)
{
    struct fr_dns_writer w;
    struct fr_rr rr;
    size_t records = 0, in_step = 0;
    enum fr_err err = FR_OK;

    fr_dns_writer_init(&w, memory, max, o->ask.id, FR_DNS_QR | FR_DNS_AA);
    if (!o->has_begun) err = fr_dns_write_question(&w, &o->ask.zone, o->ask.type, FR_DNS_IN);
    while (!err && o->step != STEP_DONE) {
        err = count(o, &in_step);
        if (err) return err;
        if (o->at == in_step) {
            next_step(o);
            continue;
        }
        err = record_at(o, &rr);
        if (!err) err = fr_dns_write_rr(&w, FR_DNS_ANSWER, &rr);
        if (!err) records++, o->at++;
    }
    if (err && !(err == FR_E_LIMIT && records > 0)) return err;
    o->records += records;
    o->has_begun = true;
    *n = fr_dns_writer_finish(&w).n;
    *done = o->step == STEP_DONE;
    return *n > 0 ? FR_OK : FR_E_LIMIT;
}

void fr_outgoing_free(struct fr_outgoing *o)
{
    if (!o) return;
    forget_changes(o);
    fr_zone_image_unref(o->image);
    fr_undo_deinit(&o->undo);
    fr_free(o);
}

static enum fr_err take_soa(void *data, const struct fr_record *record)
{
    struct fr_record *out = data;

    if (record->type == FR_RECORD_SOA) *out = *record;
    return FR_OK;
}

enum fr_err fr_outgoing_soa(const struct fr_zone *zone, struct fr_snap *snap, struct fr_rr *out)
{
    struct fr_record soa = {.type = FR_RECORD_SOA};
    enum fr_err err = fr_records_apex(snap, take_soa, &soa);

    return err ? err : fr_zone_rr(zone, &soa, out);
}
