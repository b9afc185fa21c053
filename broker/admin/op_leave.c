/* member.leave: a member takes one of its machines out, by that machine's own certificate. */
#include "admin/op.h"

#include "admin/args.h"
#include "base/mem.h"
#include "ca/revoke.h"
#include "store/cert.h"
#include "store/device.h"
#include "store/network.h"

#include <string.h>

enum { CESSATION_OF_OPERATION = 5, SLICE_DEVICES = 5000, CERTS_MAX = 256 };

struct leaving {
    struct fr_cert_row own; /* the certificate that asks */
    bool has_others;        /* another machine still speaks for the network */
    size_t n;               /* certificates that go */
    uint8_t serials[CERTS_MAX][FR_SERIAL_SIZE];
    uint64_t withdrawn;
    int64_t now_s;
    size_t n_devices; /* of a slice */
    uint64_t euis[SLICE_DEVICES];
};

/* Certificates of one machine: predecessors by renewal are still good and go too. Where tokens named no
 * host, machines are told apart by their keys, which renewal keeps. */
static bool is_of_machine(const struct fr_cert_row *a, const struct fr_cert_row *b)
{
    if (a->profile != b->profile || a->netid != b->netid || a->joineui != b->joineui ||
        strcmp(a->host, b->host) != 0)
        return false;
    return a->host[0] != '\0' || memcmp(a->spki, b->spki, sizeof a->spki) == 0;
}

static enum fr_err note_cert(void *data, const struct fr_cert_row *row)
{
    struct leaving *l = data;

    if (row->status != FR_CERT_ISSUED || row->not_after_s < l->now_s) return FR_OK;
    if (!is_of_machine(row, &l->own)) {
        if (row->profile == FR_PROFILE_NS && row->netid == l->own.netid) l->has_others = true;
        return FR_OK;
    }
    if (l->n == CERTS_MAX) return FR_E_LIMIT;
    memcpy(l->serials[l->n++], row->serial, FR_SERIAL_SIZE);
    return FR_OK;
}

static bool withdraws(const struct leaving *l)
{
    return l->own.profile == FR_PROFILE_NS && !l->has_others;
}

static enum fr_err find(struct fr_op_ctx *ctx, struct fr_snap *snap, struct leaving *l)
{
    struct fr_network_row network;
    enum fr_err err = fr_cert_row_get(snap, ctx->caller->serial, &l->own);

    if (!err) err = fr_cert_row_each_of(snap, l->own.member, note_cert, l);
    if (!err && ctx->dry_run && withdraws(l)) {
        err = fr_network_get(snap, l->own.netid, &network);
        if (!err) l->withdrawn = network.devices;
        if (err == FR_E_NOT_FOUND) err = FR_OK;
    }
    return err;
}

enum fr_err fr_op_member_leave_begin(struct fr_op_ctx *ctx, void **state)
{
    static const struct fr_arg none[] = {{.key = NULL}};
    struct leaving *l = NULL;
    struct fr_snap *snap = NULL;
    uint8_t nothing = 0;
    enum fr_err err = fr_args_decode(none, ctx->args, ctx->diag, &nothing);

    if (!err) {
        l = fr_calloc(1, sizeof *l);
        err = l ? fr_snap_begin(ctx->store, &snap) : FR_E_NOMEM;
    }
    if (!err) {
        l->now_s = ctx->by.now_s;
        err = find(ctx, snap, l);
    }
    fr_snap_end(snap);
    if (err)
        fr_free(l);
    else
        *state = l;
    return err;
}

/* FR_E_LIMIT is how the walk is told that the slice is full. */
static enum fr_err add_to_slice(void *data, const struct fr_device_row *row)
{
    struct leaving *l = data;

    if (l->n_devices == SLICE_DEVICES) return FR_E_LIMIT;
    l->euis[l->n_devices++] = row->deveui;
    return FR_OK;
}

static enum fr_err withdraw_slice(struct fr_op_ctx *ctx, struct fr_change *change,
                                  struct leaving *l)
{
    struct fr_device_report report;
    enum fr_err err;

    l->n_devices = 0;
    err = fr_device_each(fr_change_snap(change), 0, l->own.netid, add_to_slice, l);
    if (err && err != FR_E_LIMIT) return err;
    if (l->n_devices == 0) return FR_OK;
    const struct fr_device_job job = {
        .netid = l->own.netid, .mode = FR_DEVICE_REMOVE, .euis = l->euis, .n = l->n_devices};
    err = fr_device_apply(change, &job, ctx->diag, &report);
    if (!err) l->withdrawn += l->n_devices;
    return err;
}

/* The last change: until here the machine can ask again. */
static enum fr_err revoke(struct fr_op_ctx *ctx, struct fr_change *change, const struct leaving *l)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < l->n; i++)
        err = fr_ca_revoke(change, l->serials[i], CESSATION_OF_OPERATION, ctx->diag);
    return err;
}

static void tell(struct fr_op_ctx *ctx, const struct leaving *l)
{
    json_t *serials = json_array();

    for (size_t i = 0; i < l->n; i++)
        fr_op_push(ctx, serials, fr_op_hex(l->serials[i], FR_SERIAL_SIZE));
    fr_op_put(ctx, ctx->result, "id", json_string(l->own.member));
    fr_op_put(ctx, ctx->result, "withdrawn", fr_op_uint(l->withdrawn));
    fr_op_put(ctx, ctx->result, "revoked", serials);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(true));
}

enum fr_err fr_op_member_leave_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done)
{
    struct leaving *l = state;
    struct fr_change *change = NULL;
    bool is_last = true;
    enum fr_err err;

    (void)budget_ms; /* a slice is a few ms */
    if (ctx->dry_run) {
        tell(ctx, l);
        *done = true;
        return FR_OK;
    }
    err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    l->n_devices = 0;
    if (withdraws(l)) {
        err = withdraw_slice(ctx, change, l);
        is_last = l->n_devices < SLICE_DEVICES;
    }
    if (!err && is_last) err = revoke(ctx, change, l);
    if (err) {
        fr_change_cancel(change);
        return err;
    }
    err = fr_change_commit(change, ctx->diag, ctx->sequence);
    if (!err && is_last) tell(ctx, l);
    *done = !err && is_last;
    return err;
}

void fr_op_member_leave_end(void *state)
{
    fr_free(state);
}
