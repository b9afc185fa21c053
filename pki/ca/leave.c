/* A member leaves: its standing and visibility end at once, certificates and rows in slices. */
#include "ca/member.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ca/revoke.h"
#include "store/block.h"
#include "store/device.h"
#include "store/joineui.h"
#include "store/primary.h"
#include "store/visibility.h"

#include <stdio.h>
#include <string.h>

enum { CESSATION_OF_OPERATION = 5, SLICE_DEVICES = 5000 };

/* Most members have no more certificates than one slice. *revoked: there may be more to do. */
static enum fr_err revoke_slice(struct fr_change *change, const char *id, struct fr_diag *diag,
                                bool *revoked)
{
    const struct fr_revoke_selection all = {.member = id};
    struct fr_revoke_slice *slice = fr_calloc(1, sizeof *slice);
    enum fr_err err = slice == NULL ? FR_E_NOMEM : FR_OK;

    while (!err && slice->n == 0 && !slice->is_last)
        err = fr_ca_revoke_find(fr_change_snap(change), &all, fr_change_now(change), slice);
    if (!err) err = fr_ca_revoke_slice(change, slice, CESSATION_OF_OPERATION, diag);
    if (!err && revoked != NULL) *revoked = slice->n > 0;
    fr_free(slice);
    return err;
}

enum fr_err fr_member_remove(struct fr_change *change, const char *id, struct fr_diag *diag)
{
    struct fr_member_row row;
    enum fr_err err = fr_member_get(fr_change_snap(change), id, &row);

    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", id);
    if (err || row.state == FR_MEMBER_REMOVED) return err;
    err = revoke_slice(change, id, diag, NULL);
    if (!err) err = fr_visibility_forget(change, id);
    if (err == FR_OK) err = fr_block_forget(change, id);
    if (err == FR_OK) err = fr_joineui_forget(change, id);
    if (err == FR_OK) err = fr_primary_forget(change, id);
    if (err) return err;
    row.state = FR_MEMBER_REMOVED;
    return fr_member_set(change, &row, diag);
}

struct slice {
    size_t count;
    uint64_t euis[SLICE_DEVICES];
};

/* FR_E_LIMIT is how the walk is told that the slice is full. */
static enum fr_err add_to_slice(void *data, const struct fr_device_row *row)
{
    struct slice *slice = data;

    if (slice->count == SLICE_DEVICES) return FR_E_LIMIT;
    slice->euis[slice->count++] = row->deveui;
    return FR_OK;
}

struct first_network {
    bool is_found;
    struct fr_network_row row;
};

static enum fr_err note_first(void *data, const struct fr_network_row *row)
{
    struct first_network *first = data;

    if (!first->is_found) first->row = *row;
    first->is_found = true;
    return FR_OK;
}

/* Removes up to a slice of one network's devices, and the network once it has none. */
static enum fr_err clean_network(struct fr_change *change, const struct fr_network_row *network,
                                 struct slice *slice, struct fr_diag *diag)
{
    struct fr_device_report report;
    struct fr_device_job job = {
        .netid = network->netid, .mode = FR_DEVICE_REMOVE, .euis = slice->euis};
    enum fr_err err = FR_OK;

    slice->count = 0;
    err = fr_device_each(fr_change_snap(change), 0, network->netid, add_to_slice, slice);
    if (err == FR_E_LIMIT) err = FR_OK;
    if (err) return err;
    job.n = slice->count;
    if (job.n == 0) return fr_network_remove(change, network->netid, diag);
    return fr_device_apply(change, &job, diag, &report);
}

static enum fr_err clean_slice(struct fr_store *store, const char *id,
                               const struct fr_change_by *by, struct slice *slice,
                               struct fr_diag *diag, bool *done)
{
    struct first_network first = {0};
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    bool revoked = false;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = revoke_slice(change, id, diag, &revoked);
    if (!err && !revoked) err = fr_network_each_of(fr_change_snap(change), id, note_first, &first);
    if (!err && first.is_found) err = clean_network(change, &first.row, slice, diag);
    if (err) {
        fr_change_cancel(change);
        return err;
    }
    err = fr_change_commit(change, diag, &sequence);
    if (!err) *done = !revoked && !first.is_found;
    return err;
}

static enum fr_err expect_removed(struct fr_store *store, const char *id, struct fr_diag *diag)
{
    struct fr_member_row row;
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err) return err;
    err = fr_member_get(snap, id, &row);
    fr_snap_end(snap);
    if (!err && row.state != FR_MEMBER_REMOVED)
        err = fr_diag_fail(diag, FR_E_CONFLICT, "member %s is not removed", id);
    return err;
}

enum fr_err fr_member_clean(struct fr_store *store, const char *id, const struct fr_change_by *by,
                            unsigned budget_ms, struct fr_diag *diag, bool *done)
{
    const struct fr_clock *clock = fr_clock_system();
    int64_t until_ms = fr_clock_mono_ms(clock) + budget_ms;
    struct slice *slice = fr_malloc(sizeof *slice);
    bool is_over = false;
    enum fr_err err = slice == NULL ? FR_E_NOMEM : expect_removed(store, id, diag);

    while (!err && !is_over) {
        err = clean_slice(store, id, by, slice, diag, &is_over);
        if (fr_clock_mono_ms(clock) >= until_ms) break;
    }
    fr_free(slice);
    if (!err) *done = is_over;
    return err;
}
