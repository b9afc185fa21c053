#include "store/rollback.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/device_write.h"
#include "store/member.h"
#include "store/network.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_EVERY 64                /* records between two looks at the clock */
#define ROLLBACK_MODE FR_DEVICE_MODES /* of the image fact: no mode of a list's */

/* What a device was; EUI 0 is an empty slot. */
struct was {
    uint64_t eui;
    uint32_t netid;
    uint8_t flags;
};

struct fr_rollback {
    uint64_t to, at; /* at: next record to look at */
    struct was *slots;
    size_t n, room; /* a power of two, at most half used */
    uint32_t *gone; /* NetIDs given up since */
    size_t n_gone, gone_room;
};

enum fr_err fr_rollback_new(uint64_t to, struct fr_rollback **out)
{
    struct fr_rollback *rollback = fr_calloc(1, sizeof *rollback);

    if (rollback == NULL) return FR_E_NOMEM;
    rollback->to = to;
    *out = rollback;
    return FR_OK;
}

void fr_rollback_free(struct fr_rollback *rollback)
{
    if (rollback == NULL) return;
    fr_free(rollback->slots);
    fr_free(rollback->gone);
    fr_free(rollback);
}

/* --- collecting --- */

static struct was *slot_of(struct was *slots, size_t room, uint64_t eui)
{
    size_t i = (size_t)(eui * 0x9e3779b97f4a7c15u >> 32) & (room - 1);

    while (slots[i].eui != 0 && slots[i].eui != eui) i = (i + 1) & (room - 1);
    return &slots[i];
}

static enum fr_err grow(struct fr_rollback *rollback)
{
    size_t room = rollback->room ? rollback->room * 2 : 1024;
    struct was *slots = fr_calloc(room, sizeof *slots);

    if (slots == NULL) return FR_E_NOMEM;
    for (size_t i = 0; i < rollback->room; i++)
        if (rollback->slots[i].eui != 0)
            *slot_of(slots, room, rollback->slots[i].eui) = rollback->slots[i];
    fr_free(rollback->slots);
    rollback->slots = slots;
    rollback->room = room;
    return FR_OK;
}

/* Of each device the first change since counts: it says what the device was before all of them. */
static enum fr_err add_device(struct fr_rollback *rollback, uint64_t eui,
                              const struct fr_fact_device *fact)
{
    if (rollback->n == FR_ROLLBACK_MAX) return FR_E_LIMIT;
    if (rollback->n * 2 >= rollback->room) {
        enum fr_err err = grow(rollback);
        if (err) return err;
    }
    struct was *was = slot_of(rollback->slots, rollback->room, eui);
    if (was->eui != 0) return FR_OK;
    *was = (struct was){.eui = eui, .netid = fact->was_netid, .flags = fact->was_flags};
    rollback->n++;
    return FR_OK;
}

static enum fr_err add_gone(struct fr_rollback *rollback, uint32_t netid)
{
    if (rollback->n_gone == rollback->gone_room) {
        size_t room = rollback->gone_room ? rollback->gone_room * 2 : 16;
        uint32_t *gone = fr_reallocarray(rollback->gone, room, sizeof *gone);
        if (gone == NULL) return FR_E_NOMEM;
        rollback->gone = gone;
        rollback->gone_room = room;
    }
    rollback->gone[rollback->n_gone++] = netid;
    return FR_OK;
}

static enum fr_err refuse(uint64_t sequence, const char *why, struct fr_diag *diag)
{
    (void)fr_diag_fail(diag, FR_E_CONFLICT, "record %" PRIu64 " is %s", sequence, why);
    fr_diag_hint(diag, "devices can be brought back to %" PRIu64 " or later", sequence);
    return FR_E_CONFLICT;
}

static enum fr_err take_fact(struct fr_rollback *rollback, uint64_t sequence,
                             const struct fr_fact *fact, struct fr_diag *diag)
{
    struct fr_rd r = fr_rd(fact->key);
    struct fr_fact_device device;
    enum fr_err err = FR_OK;

    if (fact->kind == FR_FACT_IMAGE)
        return refuse(sequence, "an import, of which the single devices are not recorded", diag);
    if (fact->kind == FR_FACT_NETWORK && fact->value.n == 0) {
        err = add_gone(rollback, fr_rd_u24(&r));
    } else if (fact->kind == FR_FACT_DEVICE) {
        err = fr_fact_device_read(fact->value, &device);
        if (err == FR_OK && !device.has_was)
            return refuse(sequence, "of an older release, which did not record what devices were",
                          diag);
        if (err == FR_OK) err = add_device(rollback, fr_rd_u64(&r), &device);
    }
    return err ? err : fr_rd_err(&r);
}

static enum fr_err take_record(struct fr_rollback *rollback, const struct fr_journal_record *record,
                               struct fr_diag *diag)
{
    struct fr_span facts = record->facts;
    struct fr_fact fact;
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        err = fr_fact_next(&facts, &fact);
        if (err == FR_OK)
            err = take_fact(rollback, record->sequence, &fact, diag);
        else if (err == FR_E_NOT_FOUND)
            return FR_OK;
    }
    if (err == FR_E_LIMIT)
        (void)fr_diag_fail(diag, err, "more than %d devices changed since", FR_ROLLBACK_MAX);
    return err;
}

/* Is there a way back? */
static enum fr_err begin(struct fr_rollback *rollback, struct fr_snap *snap, struct fr_diag *diag)
{
    uint64_t now = fr_snap_sequence(snap);
    struct fr_journal_record record;

    if (rollback->to > now)
        return fr_diag_fail(diag, FR_E_INVALID, "the last transaction is %" PRIu64, now);
    rollback->at = rollback->to + 1;
    if (rollback->to == now) return FR_OK;
    enum fr_err err = fr_journal_next(snap, rollback->at, &record);
    if (err == FR_OK && record.sequence != rollback->at) {
        (void)fr_diag_fail(diag, FR_E_NOT_FOUND, "the journal begins at %" PRIu64, record.sequence);
        fr_diag_hint(diag, "the policy journal.keep says how long it is kept");
        return FR_E_NOT_FOUND;
    }
    return err;
}

static enum fr_err collect(struct fr_rollback *rollback, struct fr_snap *snap, int64_t deadline_ms,
                           struct fr_diag *diag, bool *done)
{
    struct fr_journal_record record;
    enum fr_err err = rollback->at == 0 ? begin(rollback, snap, diag) : FR_OK;

    for (size_t n = 1; err == FR_OK; n++) {
        if (n % CLOCK_EVERY == 0 && fr_clock_mono_ms(fr_clock_system()) >= deadline_ms) break;
        err = fr_journal_next(snap, rollback->at, &record);
        if (err == FR_E_NOT_FOUND) {
            *done = true;
            return FR_OK;
        }
        if (err == FR_OK) err = take_record(rollback, &record, diag);
        rollback->at = record.sequence + 1;
    }
    *done = false;
    return err;
}

enum fr_err fr_rollback_collect(struct fr_rollback *rollback, struct fr_snap *snap,
                                unsigned budget_ms, struct fr_diag *diag, bool *done)
{
    return collect(rollback, snap, fr_clock_mono_ms(fr_clock_system()) + budget_ms, diag, done);
}

/* --- putting back --- */

static int by_eui(const void *a, const void *b)
{
    const struct was *x = a, *y = b;

    return x->eui < y->eui ? -1 : x->eui > y->eui;
}

/* The slots as a list, ascending. */
static void sort(struct fr_rollback *rollback)
{
    size_t n = 0;

    for (size_t i = 0; i < rollback->room; i++)
        if (rollback->slots[i].eui != 0) rollback->slots[n++] = rollback->slots[i];
    if (n > 0) qsort(rollback->slots, n, sizeof *rollback->slots, by_eui);
}

/* Can a device go back to this network? */
static enum fr_err can_go_back(const struct fr_rollback *rollback, struct fr_snap *snap,
                               uint32_t netid, bool *out)
{
    struct fr_network_row network;
    struct fr_member_row member;

    *out = false;
    for (size_t i = 0; i < rollback->n_gone; i++)
        if (rollback->gone[i] == netid) return FR_OK;
    enum fr_err err = fr_network_get(snap, netid, &network);
    if (err == FR_OK) err = fr_member_get(snap, network.member, &member);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    *out = member.state != FR_MEMBER_REMOVED;
    return FR_OK;
}

static void count(struct fr_rollback_report *report, const struct fr_device_row *now,
                  const struct was *was)
{
    bool is_hidden = (now->flags & FR_DEVICE_HIDDEN) != 0;
    bool was_hidden = (was->flags & FR_DEVICE_HIDDEN) != 0;

    if (now->netid == 0)
        report->added++;
    else if (was->netid == 0)
        report->removed++;
    else if (was->netid != now->netid)
        report->moved++;
    else if (was_hidden && !is_hidden)
        report->hidden++;
    else
        report->shown++;
}

/* *is_change: it is to be put back, and differs. */
static enum fr_err judge(const struct fr_rollback *rollback, struct fr_snap *snap,
                         const struct was *was, struct fr_rollback_report *report, bool *is_change)
{
    struct fr_device_row now = {.deveui = was->eui};
    bool can = true;

    *is_change = false;
    enum fr_err err = fr_device_get(snap, was->eui, &now);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (now.netid == was->netid && now.flags == was->flags) return FR_OK;
    err = was->netid != 0 ? can_go_back(rollback, snap, was->netid, &can) : FR_OK;
    if (err) return err;
    if (!can) {
        report->left++;
        return FR_OK;
    }
    count(report, &now, was);
    *is_change = true;
    return FR_OK;
}

/* Throws out of the list what stays as it is. */
static enum fr_err judge_all(struct fr_rollback *rollback, struct fr_snap *snap,
                             struct fr_rollback_report *report)
{
    size_t n = 0;
    bool is_change = false;

    for (size_t i = 0; i < rollback->n; i++) {
        enum fr_err err = judge(rollback, snap, &rollback->slots[i], report, &is_change);
        if (err) return err;
        if (is_change) rollback->slots[n++] = rollback->slots[i];
    }
    rollback->n = n;
    return FR_OK;
}

static enum fr_err note_image(struct fr_change *change, const struct fr_rollback_report *report)
{
    uint8_t key[3], value[33];
    struct fr_wr k = fr_wr(key, sizeof key), v = fr_wr(value, sizeof value);
    uint64_t devices = 0;

    enum fr_err err = fr_device_count(fr_change_snap(change), &devices);
    if (err) return err;
    fr_wr_u24(&k, 0);
    fr_wr_u8(&v, ROLLBACK_MODE);
    fr_wr_u64(&v, report->added);
    fr_wr_u64(&v, report->moved);
    fr_wr_u64(&v, report->removed);
    fr_wr_u64(&v, devices);
    return fr_change_note(change, FR_FACT_IMAGE, fr_wr_done(&k), fr_wr_done(&v));
}

enum fr_err fr_rollback_apply(struct fr_rollback *rollback, struct fr_change *change,
                              struct fr_diag *diag, struct fr_rollback_report *report)
{
    struct fr_snap *snap = fr_change_snap(change);
    struct fr_rollback_report told = {.to = rollback->to};
    struct fr_tally tally = {0};
    uint32_t table = 0;
    bool done = false;

    enum fr_err err = collect(rollback, snap, INT64_MAX, diag, &done);
    if (err) return err;
    sort(rollback);
    err = judge_all(rollback, snap, &told);
    if (err == FR_OK) err = fr_snap_devices(snap, &table);
    bool is_noted = rollback->n <= FR_DEVICE_APPLY_MAX;
    for (size_t i = 0; err == FR_OK && i < rollback->n; i++) {
        const struct was *was = &rollback->slots[i];
        struct fr_device_row row = {.deveui = was->eui, .netid = was->netid, .flags = was->flags};
        err = fr_device_restore(change, table, &row, is_noted, &tally);
    }
    if (err == FR_OK) err = fr_tally_flush(&tally, fr_change_txn(change));
    if (err == FR_OK && !is_noted) err = note_image(change, &told);
    if (err == FR_OK) *report = told;
    return err;
}
