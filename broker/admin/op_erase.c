/* device.erase, member.erase: what a data-protection request asks for, and what it leaves and why. */
#include "admin/op.h"

#include "admin/args.h"
#include "base/mem.h"
#include "store/conflict.h"
#include "store/device.h"
#include "store/erase.h"
#include "store/member.h"
#include "store/release.h"

#include <string.h>

struct erase_args {
    struct fr_arg_numbers devices;
    const char *id;
};

static const struct fr_arg device_rows[] = {
    {.key = "devices",
     FR_ARG_EUIS,
     offsetof(struct erase_args, devices),
     .is_required = true,
     .max = FR_ERASE_DEVICES_MAX},
    {.key = NULL},
};

static const struct fr_arg member_rows[] = {
    {.key = "id", FR_ARG_TEXT, offsetof(struct erase_args, id), .is_required = true},
    {.key = NULL},
};

struct erase {
    struct erase_args args;
    const struct fr_arg *rows;
    struct fr_erasure erasure;
    bool is_changed; /* the rows are done */
    uint64_t removed, conflicts;
};

static enum fr_err begin(struct fr_op_ctx *ctx, const struct fr_arg *rows, void **state)
{
    struct erase *erase = fr_calloc(1, sizeof *erase);
    if (!erase) return FR_E_NOMEM;
    erase->rows = rows;
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &erase->args);
    if (err) {
        fr_op_erase_end(erase);
        return err;
    }
    erase->erasure.euis = erase->args.devices.items;
    erase->erasure.n = erase->args.devices.n;
    erase->erasure.member = erase->args.id;
    *state = erase;
    return FR_OK;
}

enum fr_err fr_op_device_erase_begin(struct fr_op_ctx *ctx, void **state)
{
    return begin(ctx, device_rows, state);
}

enum fr_err fr_op_member_erase_begin(struct fr_op_ctx *ctx, void **state)
{
    return begin(ctx, member_rows, state);
}

void fr_op_erase_end(void *state)
{
    struct erase *erase = state;
    if (!erase) return;
    fr_args_free(erase->rows, &erase->args);
    fr_free(erase);
}

/* --- rows --- */

static enum fr_err change_devices(struct fr_op_ctx *ctx, struct erase *erase,
                                  struct fr_change *change)
{
    struct fr_device_job job = {
        .mode = FR_DEVICE_REMOVE, .euis = erase->args.devices.items, .n = erase->args.devices.n};
    struct fr_device_report report = {0};
    uint64_t count = 0;
    bool is_left = false;
    enum fr_err err = fr_device_apply(change, &job, ctx->diag, &report);
    erase->removed = report.count[FR_DEVICE_REMOVED];
    for (size_t i = 0; !err && i < job.n; i++) {
        err = fr_conflict_forget(change, job.euis[i], &count);
        erase->conflicts += count;
    }
    /* of a device that is gone a release is over */
    return err ? err : fr_release_sweep(change, FR_RELEASE_AT_ONCE, &is_left);
}

static enum fr_err change_member(struct fr_op_ctx *ctx, struct erase *erase,
                                 struct fr_change *change)
{
    uint64_t count = 0;
    enum fr_err err = fr_member_blank(change, erase->args.id, ctx->diag);
    if (!err) err = fr_conflict_forget_member(change, erase->args.id, &count);
    erase->conflicts += count;
    return err;
}

static enum fr_err change_rows(struct fr_op_ctx *ctx, struct erase *erase)
{
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    const uint64_t next = fr_snap_sequence(fr_change_snap(change)) + 1;
    err = erase->args.id ? change_member(ctx, erase, change) : change_devices(ctx, erase, change);
    if (err || ctx->dry_run)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, &sequence);
    erase->erasure.since = next;
    if (!err && sequence == next) *ctx->sequence = sequence;
    return err;
}

/* --- the answer --- */

static void put_stays(struct fr_op_ctx *ctx, json_t *list, const char *what, const char *why)
{
    json_t *item = json_object();
    fr_op_put(ctx, item, "what", json_string(what));
    fr_op_put(ctx, item, "why", json_string(why));
    fr_op_push(ctx, list, item);
}

static void put_report(struct fr_op_ctx *ctx, const struct erase *erase)
{
    json_t *stays = json_array();
    if (!erase->args.id) fr_op_put(ctx, ctx->result, "removed", fr_op_uint(erase->removed));
    fr_op_put(ctx, ctx->result, "conflicts", fr_op_uint(erase->conflicts));
    fr_op_put(ctx, ctx->result, "journal_facts", fr_op_uint(erase->erasure.facts));
    fr_op_put(ctx, ctx->result, "journal_records", fr_op_uint(erase->erasure.records));
    if (erase->args.id) {
        put_stays(
            ctx, stays, "the member's id, NetIDs, certificates and tokens without contacts",
            "a revocation list and the journal's order need them; an id is never given again");
        put_stays(ctx, stays, "how many look-ups it made and met each day",
                  "counts without devices; they go with policy stats.keep");
    } else if (erase->removed) {
        put_stays(ctx, stays, "that the device is gone, in the journal's last record of it",
                  "replicas and secondaries learn it from there; it goes with policy journal.keep");
    }
    put_stays(ctx, stays, "audit.jsonl and the query log",
              "who did what is kept as long as the operator's own rules say; delete the files' old "
              "parts");
    put_stays(ctx, stays, "old bytes in free pages of data.mdb",
              "they stay until they are written again, or until fedroam store compact");
    put_stays(ctx, stays, "backups and exports", "they are copies outside of this store");
    fr_op_put(ctx, ctx->result, "stays", stays);
}

enum fr_err fr_op_erase_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct erase *erase = state;
    enum fr_err err = FR_OK;
    bool is_over = false;
    if (!erase->is_changed) {
        err = change_rows(ctx, erase);
        erase->is_changed = true;
        is_over = ctx->dry_run;
    } else {
        err = fr_erase_step(ctx->store, &erase->erasure, budget_ms, &is_over);
    }
    if (err || !is_over) return err;
    put_report(ctx, erase);
    *done = true;
    return FR_OK;
}
