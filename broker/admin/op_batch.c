/* device.batch: devices that come and go, line by line. A part of a batch is done in slices: see admin/batch.h. */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/batch.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/device.h"
#include "store/network.h"
#include "store/release.h"

#include <stdlib.h>
#include <string.h>

const struct fr_batch_result fr_batch_results[] = {
    {'a', "added", 201},      {'m', "moved", 200},       {'s', "same", 200},
    {'r', "removed", 204},    {'n', "absent", 404},      {'z', "reserved", 400},
    {'x', "malformed", 400},  {'o', "outside", 403},     {'d', "denied", 403},
    {'t', "taken", 409},      {'q', "over budget", 429}, {'l', "released", 200},
    {'u', "unreleased", 404}, {'\0', NULL, 0},
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
        [FR_DEVICE_FOREIGN] = 'n',  [FR_DEVICE_UNRELEASED] = 'u', [FR_DEVICE_UNKNOWN] = 'n',
    };
    return letters[outcome];
}

struct args {
    const char *key; /* hex of the id; NULL: nothing is remembered */
    const char *digest;
    struct fr_arg_number first, from;
    bool is_last;
};

static const struct fr_arg rows[] = {
    {.key = "key", FR_ARG_TEXT, offsetof(struct args, key)},
    {.key = "digest", FR_ARG_TEXT, offsetof(struct args, digest)},
    {.key = "first", FR_ARG_UINT, offsetof(struct args, first), .max = UINT32_MAX - FR_BATCH_PART},
    {.key = "from", FR_ARG_UINT, offsetof(struct args, from), .max = FR_BATCH_PART},
    {.key = "last", FR_ARG_BOOL, offsetof(struct args, is_last)},
    {.key = NULL},
};

/* A line that is to be done. */
struct line {
    uint64_t eui;
    uint32_t index; /* in the part; while a slice is done, in the slice */
    uint32_t netid;
    uint32_t turn; /* how many lines of the slice about the same device come before it */
    uint8_t op;
};

struct batch {
    struct fr_op_ctx *ctx;
    struct fr_change *change;
    bool has_key;
    uint8_t id[FR_IDEM_ID_SIZE];
    struct fr_idem_slice slice, earlier;
    struct line *lines; /* of the part, in order */
    char *letters;      /* as they came */
    struct line doing[FR_BATCH_ROWS];
    uint64_t euis[FR_BATCH_ROWS]; /* of one run */
    uint8_t outcomes[FR_BATCH_ROWS];
    uint64_t count[256]; /* by letter */
};

static int by_eui(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->eui != y->eui) return x->eui < y->eui ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Lines that ask the same stand together; of those about one device the first comes first. */
static int by_run(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->turn != y->turn) return x->turn < y->turn ? -1 : 1;
    if (x->op != y->op) return x->op < y->op ? -1 : 1;
    if (x->netid != y->netid) return x->netid < y->netid ? -1 : 1;
    return by_eui(a, b);
}

static enum fr_err take_args(struct batch *b)
{
    struct fr_op_ctx *ctx = b->ctx;
    struct args args = {0};
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    b->slice.first = (uint32_t)args.first.value;
    b->slice.is_last = args.is_last;
    b->slice.at = (uint32_t)args.from.value;
    b->slice.of = (uint32_t)(ctx->body.n / FR_BATCH_ROW);
    if (ctx->body.n % FR_BATCH_ROW || ctx->body.n / FR_BATCH_ROW > FR_BATCH_PART)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the body is not a list of at most %d rows",
                            FR_BATCH_PART);
    if (b->slice.at > b->slice.of)
        return fr_diag_fail(ctx->diag, FR_E_RANGE, "the body does not have so many rows");
    if (!args.key) return FR_OK;
    b->has_key = true;
    if (!args.digest || fr_hex_parse(fr_span_str(args.key), b->id, sizeof b->id) ||
        fr_hex_parse(fr_span_str(args.digest), b->slice.digest, sizeof b->slice.digest))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "key and digest must be hashes in hex");
    return FR_OK;
}

static enum fr_err sort_lines(struct batch *b)
{
    const uint32_t n = b->slice.of;
    struct fr_rd rd = fr_rd(b->ctx->body);
    bool is_sorted = true;
    b->lines = fr_calloc(n ? n : 1, sizeof *b->lines);
    b->letters = fr_malloc(n ? n : 1);
    if (!b->lines || !b->letters) return FR_E_NOMEM;
    memset(b->letters, ' ', n);
    for (uint32_t i = 0; i < n; i++) {
        struct line *line = &b->lines[i];
        line->index = i;
        line->op = fr_rd_u8(&rd);
        line->netid = fr_rd_u24(&rd);
        line->eui = fr_rd_u64(&rd);
        is_sorted = is_sorted && (i == 0 || line->eui >= line[-1].eui);
    }
    if (!is_sorted) qsort(b->lines, n, sizeof *b->lines, by_eui);
    return FR_OK;
}

void fr_op_batch_end(void *state)
{
    struct batch *b = state;
    if (!b) return;
    fr_free(b->lines);
    fr_free(b->letters);
    fr_free(b);
}

enum fr_err fr_op_batch_begin(struct fr_op_ctx *ctx, void **state)
{
    struct batch *b = fr_calloc(1, sizeof *b);
    if (!b) return FR_E_NOMEM;
    b->ctx = ctx;
    enum fr_err err = take_args(b);
    if (!err) err = sort_lines(b);
    if (err) {
        fr_op_batch_end(b);
        return err;
    }
    *state = b;
    return FR_OK;
}

/* --- runs: lines that ask the same for the same NetID, of different devices --- */

struct run {
    uint32_t first, n;
};

/* The slice's lines, run by run. */
static void line_up(struct batch *b)
{
    bool is_one_run = true;
    memcpy(b->doing, b->lines + b->slice.at, b->slice.n * sizeof *b->doing);
    for (uint32_t i = 0; i < b->slice.n; i++) {
        struct line *line = &b->doing[i];
        line->index = i;
        line->turn = i > 0 && line->eui == line[-1].eui ? line[-1].turn + 1 : 0;
        is_one_run = is_one_run && line->turn == 0 && line->op == b->doing->op &&
                     line->netid == b->doing->netid;
    }
    if (!is_one_run) qsort(b->doing, b->slice.n, sizeof *b->doing, by_run);
}

static struct run run_at(struct batch *b, uint32_t first)
{
    struct run run = {.first = first};
    const struct line *head = &b->doing[first];
    for (uint32_t at = first; at < b->slice.n; at++, run.n++) {
        const struct line *line = &b->doing[at];
        if (line->turn != head->turn || line->op != head->op || line->netid != head->netid) break;
        b->euis[run.n] = line->eui;
    }
    return run;
}

static void set_one(struct batch *b, const struct run *run, uint32_t i, char letter)
{
    b->slice.results[b->doing[run->first + i].index] = letter;
}

static void set_all(struct batch *b, const struct run *run, char letter)
{
    for (uint32_t i = 0; i < run->n; i++) set_one(b, run, i, letter);
}

static enum fr_err apply(struct batch *b, const struct run *run)
{
    const struct line *head = &b->doing[run->first];
    struct fr_device_report report;
    const struct fr_device_job job = {
        .netid = head->netid,
        .member = fr_op_member(b->ctx),
        .mode = head->op == 'p'   ? FR_DEVICE_ADD
                : head->op == 'c' ? FR_DEVICE_CLAIM
                                  : FR_DEVICE_REMOVE,
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
        const char letter = letter_of((enum fr_device_outcome)b->outcomes[i]);
        set_one(b, run, i, letter);
        if (letter == 't') fr_op_note_conflict(b->ctx, head->netid, b->euis[i]);
    }
    return err;
}

/* Device by device: what cannot be released leaves the others alone. */
static enum fr_err release_one(struct batch *b, const char *to, uint64_t eui, char *letter)
{
    struct fr_release_job job = {
        .by = fr_op_member(b->ctx),
        .euis = &eui,
        .n = 1,
        .to = to,
        .until_s = fr_change_now(b->change) + FR_RELEASE_USUAL_S,
    };
    struct fr_diag why = {0};
    uint64_t count = 0;
    enum fr_err err = fr_release_put(b->change, &job, &why, &count);
    *letter = 'l';
    if (err == FR_E_NOT_FOUND) *letter = 'n';
    if (err == FR_E_INVALID || err == FR_E_CONFLICT) *letter = 'd';
    if (*letter != 'l') return FR_OK;
    if (err) *b->ctx->diag = why;
    return err;
}

static enum fr_err release(struct batch *b, const struct run *run)
{
    struct fr_network_row to;
    enum fr_err err = fr_network_get(fr_change_snap(b->change), b->doing[run->first].netid, &to);
    if (err == FR_E_NOT_FOUND) {
        set_all(b, run, 'd');
        return FR_OK;
    }
    for (uint32_t i = 0; !err && i < run->n; i++) {
        char letter = 0;
        err = release_one(b, to.member, b->euis[i], &letter);
        set_one(b, run, i, letter);
    }
    return err;
}

static enum fr_err do_runs(struct batch *b)
{
    enum fr_err err = FR_OK;
    line_up(b);
    for (uint32_t at = 0; !err && at < b->slice.n;) {
        const struct run run = run_at(b, at);
        const uint8_t op = b->doing[at].op;
        if (op == 'p' || op == 'd' || op == 'c')
            err = apply(b, &run);
        else if (op == 'r')
            err = release(b, &run);
        else
            set_all(b, &run, 'x');
        at += run.n;
    }
    return err;
}

/* --- slices --- */

/* What became of a slice: now, or (is_told_again) when it was sent before. */
static void keep_letters(struct batch *b, const char *results, bool is_told_again)
{
    for (uint32_t i = 0; i < b->slice.n; i++) {
        char *letter = &b->letters[b->lines[b->slice.at + i].index];
        *letter = is_told_again ? (char)(results[i] - 'a' + 'A') : results[i];
        if (!is_told_again) b->count[(uint8_t)results[i]]++;
    }
}

static void put_results(struct batch *b)
{
    struct fr_op_ctx *ctx = b->ctx;
    fr_op_put(ctx, ctx->result, "results", json_stringn(b->letters, b->slice.of));
    if (b->slice.at < b->slice.of) fr_op_put(ctx, ctx->result, "next", fr_op_uint(b->slice.at));
    for (const struct fr_batch_result *r = fr_batch_results; r->word; r++)
        if (b->count[(uint8_t)r->letter])
            fr_op_put(ctx, ctx->result, r->word, fr_op_uint(b->count[(uint8_t)r->letter]));
}

/* The slice was done under this key before, of the same lines: *is_told. */
static enum fr_err tell_again(struct batch *b, struct fr_snap *snap, bool *is_told)
{
    const struct fr_idem_slice *earlier = &b->earlier;
    *is_told = false;
    if (!b->has_key) return FR_OK;
    enum fr_err err =
        fr_idem_get(snap, b->id, b->ctx->by.now_s, b->slice.first, b->slice.at, &b->earlier);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (!err && (earlier->of != b->slice.of || earlier->n != b->slice.n ||
                 earlier->is_last != b->slice.is_last ||
                 memcmp(earlier->digest, b->slice.digest, sizeof earlier->digest) != 0))
        err = FR_E_CONFLICT;
    if (err == FR_E_CONFLICT)
        return fr_diag_fail(b->ctx->diag, err, "this key was used for other content");
    if (err) return err;
    keep_letters(b, earlier->results, true);
    *is_told = true;
    return FR_OK;
}

static enum fr_err do_slice(struct batch *b, bool *has_changed)
{
    struct fr_snap *snap = fr_change_snap(b->change);
    bool is_told = false;
    enum fr_err err = fr_op_check_caller(b->ctx, snap, 0);
    if (!err) err = tell_again(b, snap, &is_told);
    if (err || is_told) return err;
    err = do_runs(b);
    if (!err && b->has_key) err = fr_idem_put(b->change, b->id, &b->slice);
    if (!err) keep_letters(b, b->slice.results, false);
    *has_changed = !err;
    return err;
}

/* One slice: they are small enough for any budget. */
enum fr_err fr_op_batch_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct batch *b = state;
    const uint32_t left = b->slice.of - b->slice.at;
    bool has_changed = false;
    (void)budget_ms;
    b->slice.n = left < FR_BATCH_ROWS ? left : FR_BATCH_ROWS;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &b->change);
    if (err) return err;
    err = do_slice(b, &has_changed);
    if (!err && has_changed && !ctx->dry_run)
        err = fr_change_commit(b->change, ctx->diag, ctx->sequence);
    else
        fr_change_cancel(b->change);
    if (err) return err;
    b->slice.at += b->slice.n;
    *done = b->slice.at == b->slice.of ||
            (fr_op_member(ctx) != NULL && b->count['t'] >= FR_BATCH_TAKEN);
    if (*done) put_results(b);
    return FR_OK;
}
