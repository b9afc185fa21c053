/* device.batch: devices that come and go, line by line. One part of a batch is one transaction. */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/batch.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/device.h"

#include <string.h>

const struct fr_batch_result fr_batch_results[] = {
    {'a', "added", 201},  {'m', "moved", 200},    {'s', "same", 200},        {'r', "removed", 204},
    {'n', "absent", 404}, {'z', "reserved", 400}, {'x', "malformed", 400},   {'o', "outside", 403},
    {'d', "denied", 403}, {'t', "taken", 409},    {'q', "over budget", 429}, {'\0', NULL, 0},
};

const struct fr_batch_result *fr_batch_result_find(char letter)
{
    for (const struct fr_batch_result *r = fr_batch_results; r->word; r++)
        if (r->letter == letter) return r;
    return NULL;
}

static char letter_of(enum fr_device_outcome outcome)
{
    static const char letters[FR_DEVICE_OUTCOMES] = {
        [FR_DEVICE_ADDED] = 'a',    [FR_DEVICE_MOVED] = 'm',      [FR_DEVICE_SAME] = 's',
        [FR_DEVICE_REPEATED] = 's', [FR_DEVICE_REMOVED] = 'r',    [FR_DEVICE_ABSENT] = 'n',
        [FR_DEVICE_RESERVED] = 'z', [FR_DEVICE_OUTSIDE] = 'o',    [FR_DEVICE_TAKEN] = 't',
        [FR_DEVICE_FOREIGN] = 'n',  [FR_DEVICE_UNRELEASED] = 't', [FR_DEVICE_UNKNOWN] = 'n',
    };
    return letters[outcome];
}

struct args {
    const char *key; /* hex of the id; NULL: nothing is remembered */
    const char *digest;
    struct fr_arg_number first;
    bool is_last;
};

static const struct fr_arg rows[] = {
    {.key = "key", FR_ARG_TEXT, offsetof(struct args, key)},
    {.key = "digest", FR_ARG_TEXT, offsetof(struct args, digest)},
    {.key = "first", FR_ARG_UINT, offsetof(struct args, first), .max = UINT32_MAX},
    {.key = "last", FR_ARG_BOOL, offsetof(struct args, is_last)},
    {.key = NULL},
};

struct batch {
    struct fr_op_ctx *ctx;
    struct fr_change *change;
    bool has_key;
    uint8_t id[FR_IDEM_ID_SIZE];
    struct fr_idem_part part;
    uint64_t euis[FR_BATCH_ROWS]; /* of one run */
    uint8_t outcomes[FR_BATCH_ROWS];
    uint64_t count[256]; /* by letter */
};

static enum fr_err take_args(struct batch *b)
{
    struct fr_op_ctx *ctx = b->ctx;
    struct args args = {0};
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    b->part.first = (uint32_t)args.first.value;
    b->part.is_last = args.is_last;
    b->part.n = (uint32_t)(ctx->body.n / FR_BATCH_ROW);
    if (ctx->body.n % FR_BATCH_ROW || ctx->body.n / FR_BATCH_ROW > FR_BATCH_ROWS)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the body is not a list of at most %d rows",
                            FR_BATCH_ROWS);
    if (!args.key) return FR_OK;
    b->has_key = true;
    if (!args.digest || fr_hex_parse(fr_span_str(args.key), b->id, sizeof b->id) ||
        fr_hex_parse(fr_span_str(args.digest), b->part.digest, sizeof b->part.digest))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "key and digest must be hashes in hex");
    return FR_OK;
}

enum fr_err fr_op_batch_begin(struct fr_op_ctx *ctx, void **state)
{
    struct batch *b = fr_calloc(1, sizeof *b);
    if (!b) return FR_E_NOMEM;
    b->ctx = ctx;
    enum fr_err err = take_args(b);
    if (err) {
        fr_free(b);
        return err;
    }
    *state = b;
    return FR_OK;
}

void fr_op_batch_end(void *state)
{
    fr_free(state);
}

/* --- runs: lines that ask the same for the same NetID --- */

struct run {
    uint8_t op;
    uint32_t netid;
    uint32_t first, n;
};

static struct run run_at(const struct batch *b, uint32_t first, uint64_t *euis)
{
    struct fr_rd rd = fr_rd(b->ctx->body);
    struct run run = {.first = first};
    fr_rd_seek(&rd, (size_t)first * FR_BATCH_ROW);
    for (uint32_t at = first; at < b->part.n; at++, run.n++) {
        const uint8_t op = fr_rd_u8(&rd);
        const uint32_t netid = fr_rd_u24(&rd);
        if (at > first && (op != run.op || netid != run.netid)) break;
        run.op = op;
        run.netid = netid;
        euis[run.n] = fr_rd_u64(&rd);
    }
    return run;
}

static void set_all(struct batch *b, const struct run *run, char letter)
{
    memset(b->part.results + run->first, letter, run->n);
}

static enum fr_err apply(struct batch *b, const struct run *run)
{
    struct fr_device_report report;
    const struct fr_device_job job = {
        .netid = run->netid,
        .member = fr_op_member(b->ctx),
        .mode = run->op == 'p' ? FR_DEVICE_ADD : FR_DEVICE_REMOVE,
        .euis = b->euis,
        .n = run->n,
        .keep_going = true,
        .outcomes = b->outcomes,
    };
    enum fr_err err = fr_device_apply(b->change, &job, b->ctx->diag, &report);
    /* A NetID that is another's, or nobody's. */
    if (err == FR_E_DENIED || err == FR_E_NOT_FOUND) {
        *b->ctx->diag = (struct fr_diag){0};
        set_all(b, run, 'd');
        return FR_OK;
    }
    for (uint32_t i = 0; !err && i < run->n; i++) {
        char letter = letter_of((enum fr_device_outcome)b->outcomes[i]);
        if (run->op == 'd' && b->outcomes[i] == FR_DEVICE_REPEATED) letter = 'n';
        b->part.results[run->first + i] = letter;
        if (letter == 't') fr_op_note_conflict(b->ctx, run->netid, b->euis[i]);
    }
    return err;
}

static enum fr_err do_runs(struct batch *b)
{
    enum fr_err err = FR_OK;
    for (uint32_t at = 0; !err && at < b->part.n;) {
        const struct run run = run_at(b, at, b->euis);
        if (run.op == 'p' || run.op == 'd')
            err = apply(b, &run);
        else
            set_all(b, &run, 'x');
        at += run.n;
    }
    return err;
}

/* --- the part --- */

static void put_results(struct batch *b)
{
    struct fr_op_ctx *ctx = b->ctx;
    fr_op_put(ctx, ctx->result, "results", json_stringn(b->part.results, b->part.n));
    for (uint32_t i = 0; i < b->part.n; i++) b->count[(uint8_t)b->part.results[i]]++;
    for (const struct fr_batch_result *r = fr_batch_results; r->word; r++)
        if (b->count[(uint8_t)r->letter])
            fr_op_put(ctx, ctx->result, r->word, fr_op_uint(b->count[(uint8_t)r->letter]));
}

static enum fr_err remember(struct batch *b)
{
    if (!b->has_key) return FR_OK;
    enum fr_err err = fr_idem_put(b->change, b->id, &b->part);
    if (err == FR_E_CONFLICT)
        return fr_diag_fail(b->ctx->diag, err, "a batch with this key is under way already");
    return err;
}

enum fr_err fr_op_batch_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct batch *b = state;
    (void)budget_ms; /* FR_BATCH_ROWS are few enough */
    *done = true;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &b->change);
    if (err) return err;
    err = fr_op_check_caller(ctx, fr_change_snap(b->change), 0);
    if (!err) err = do_runs(b);
    if (!err) err = remember(b);
    if (!err) put_results(b);
    if (!err && !ctx->dry_run) return fr_change_commit(b->change, ctx->diag, ctx->sequence);
    fr_change_cancel(b->change);
    return err;
}
