#include "api/batch.h"

#include "admin/batch.h"
#include "admin/message.h"
#include "api/api_priv.h"
#include "api/call.h"
#include "api/line.h"
#include "api/problem.h"
#include "api/results.h"
#include "api/rows.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/cert.h"
#include "x509/secret.h"

#include <stdio.h>
#include <string.h>

#define IN_MAX                                                                                     \
    (256 * 1024) /* read and not yet understood: what one turn of the connection brings */
#define SWALLOWED_MAX (FR_API_BATCH_LINES * (size_t)64)
#define MEDIA_TYPE "application/x-ndjson"
#define OTHER_CONTENT "this key was used for other content"

/* Lines on their way to the writer. */
struct part {
    uint32_t n;
    uint32_t from; /* so many were done */
    bool is_last;
    uint8_t rows[FR_BATCH_PART * FR_BATCH_ROW];
};

struct batch {
    struct fr_api *api;
    struct fr_http_exchange *x; /* NULL once answered, or gone */
    struct fr_admin_actor actor;
    struct fr_till *till;
    bool has_key;
    uint8_t id[FR_IDEM_ID_SIZE];
    struct fr_buf in;
    struct fr_buf results; /* a letter for each line that is done */
    struct part *reading, *writing;
    bool is_writing;     /* the writer has `writing` */
    bool is_looked_up;   /* it is known whether an earlier request had a part here */
    bool is_replayed;    /* it had: `earlier`, and these are its lines */
    bool is_ended;       /* and it was its last one */
    bool is_over_budget; /* nothing more is done */
    bool has_end;        /* of the body */
    bool is_last_done;   /* the last part was handed on */
    struct fr_idem_slice earlier;
    struct {
        unsigned status; /* 0: none */
        enum fr_err code;
        struct fr_diag diag;
        size_t swallowed; /* of the body, since then */
    } fault;
};

/* --- life --- */

static void batch_free(struct batch *b)
{
    if (!b) return;
    fr_buf_deinit(&b->in);
    fr_buf_deinit(&b->results);
    fr_free(b->reading);
    fr_free(b->writing);
    fr_free(b);
}

static enum fr_err take_place(struct fr_api *api, const char *member)
{
    enum fr_err err = fr_tally_take(api->batches, fr_span_str(member), FR_API_BATCHES);
    if (err) return err;
    err = fr_api_take_place(api, member);
    if (err) fr_tally_give(api->batches, fr_span_str(member));
    return err;
}

static void give_place(struct fr_api *api, const char *member)
{
    fr_tally_give(api->batches, fr_span_str(member));
    fr_api_give_place(api, member);
}

/* Done with: unless the writer still has a part. */
static void leave(struct batch *b)
{
    struct fr_api *api = b->api;
    char member[FR_MEMBER_ID_MAX + 1];
    b->x = NULL;
    if (b->is_writing) return;
    memcpy(member, b->actor.member, sizeof member);
    batch_free(b);
    give_place(api, member);
}

/* Says why it ends here, and leaves. */
static void tell_fault(struct batch *b)
{
    const struct fr_problem problem = {
        .status = b->fault.status, .code = b->fault.code, .diag = &b->fault.diag};
    fr_api_count_refusal(b->api, b->fault.status);
    fr_problem_reply(b->x, &problem);
    leave(b);
}

/* Nothing more is done. It is told when the whole body has come: many clients look for an answer only then, and lose one that is
 * followed by the end of the connection. */
static void refuse(struct batch *b, unsigned status, enum fr_err code, const char *what)
{
    b->fault.status = status;
    b->fault.code = fr_diag_fail(&b->fault.diag, code, "%s", what);
    if (b->results.n)
        fr_diag_hint(&b->fault.diag, "the first %zu lines are done%s", b->results.n,
                     b->has_key ? ": send the batch again with the same key to go on" : "");
    fr_buf_deinit(&b->in);
    if (b->has_end)
        tell_fault(b);
    else
        fr_http_let_go(b->x);
}

static void answer(struct batch *b)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", MEDIA_TYPE),
        FR_HTTP_FIELD("cache-control", "no-store"),
    };
    struct fr_api_results *results = fr_api_results_new(&b->results);
    if (!results) {
        refuse(b, 503, FR_E_NOMEM, "out of memory");
        return;
    }
    const struct fr_http_source source = {
        .data = results, .fill = fr_api_results_fill, .end = fr_api_results_free};
    fr_http_reply_from(b->x, 200, fields, 2, fr_api_results_length(results), &source);
    leave(b);
}

/* --- parts of an earlier request --- */

static void digest(const struct part *part, uint8_t out[FR_DIGEST_SIZE])
{
    if (fr_sha256(fr_span(part->rows, (size_t)part->n * FR_BATCH_ROW), out))
        memset(out, 0, FR_DIGEST_SIZE); /* no memory: matches nothing */
}

/* Number of the first line of the part at hand. */
static size_t first_of_part(const struct batch *b)
{
    const bool is_new = b->is_writing && b->writing->from == 0;
    return b->results.n + (is_new ? b->writing->n : 0);
}

static enum fr_err get_earlier(const struct batch *b, size_t first, struct fr_idem_slice *out)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(b->api->options.store, &snap);
    if (err) return err;
    err = fr_idem_get(snap, b->id, fr_clock_real_s(fr_clock_system()), (uint32_t)first, 0, out);
    fr_snap_end(snap);
    return err;
}

static enum fr_err look_up(struct batch *b)
{
    enum fr_err err = b->has_key ? get_earlier(b, first_of_part(b), &b->earlier) : FR_E_NOT_FOUND;
    b->is_looked_up = true;
    b->is_replayed = err == FR_OK;
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* --- to the writer --- */

static void go_on(struct batch *b);

/* What became of the part's lines, as far as they were done; the others are blank. */
static char *letters_of(struct batch *b)
{
    return (char *)b->results.p + b->results.n - b->writing->n;
}

/* Each claim that another member's device met is a miss, once. */
static void charge(struct batch *b, uint32_t i)
{
    struct fr_refusal why;
    struct fr_rd rd = fr_rd(fr_span(b->writing->rows + (size_t)i * FR_BATCH_ROW + 4, 8));
    if (!fr_till_device(b->till, fr_rd_u64(&rd), true, &why)) b->is_over_budget = true;
}

static void take_letters(struct batch *b, const char *results)
{
    char *letters = letters_of(b);
    for (uint32_t i = 0; i < b->writing->n; i++) {
        const char letter = results[i];
        if (letter == ' ') continue;
        letters[i] = letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
        if (letter == 't' && b->till && !b->is_over_budget) charge(b, i);
    }
}

/* Over the budget nothing more is done. */
static void pass_over_rest(struct batch *b)
{
    char *letters = letters_of(b);
    for (uint32_t i = 0; i < b->writing->n; i++)
        if (letters[i] == ' ') letters[i] = 'q';
}

static enum fr_err submit_part(struct batch *b, struct fr_diag *diag);

/* Takes what was done; the rest of the part follows, unless it is over. */
static enum fr_err take_results(struct batch *b, const struct fr_admin_reply *reply,
                                struct fr_diag *diag)
{
    const char *results = fr_admin_reply_text(reply, "results");
    const uint32_t n = b->writing->n;
    if (!results || strlen(results) != n) return fr_diag_fail(diag, FR_E_INTERNAL, "no results");
    if (b->writing->from == 0) {
        uint8_t *room = fr_buf_reserve(&b->results, n);
        if (!room) return FR_E_NOMEM;
        memset(room, ' ', n);
        fr_buf_commit(&b->results, n);
    }
    take_letters(b, results);
    b->writing->from = (uint32_t)fr_admin_reply_uint(reply, "next", n);
    if (b->is_over_budget)
        pass_over_rest(b);
    else if (b->writing->from < n && b->x && !b->fault.status)
        return submit_part(b, diag);
    b->api->counters.batch_lines += n;
    return FR_OK;
}

static void part_over(void *data, struct fr_task *task)
{
    struct batch *b = data;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = fr_task_take_reply(task, &diag, &reply);
    fr_task_free(task);
    b->is_writing = false;
    if (!err) err = take_results(b, reply, &diag);
    fr_admin_reply_free(reply);
    if (b->is_writing) return; /* the rest of it */
    if (err && b->writing->from > 0) fr_buf_cut(&b->results, b->results.n - b->writing->n);
    b->writing->n = 0;
    if (!b->x)
        leave(b);
    else if (b->fault.status)
        return; /* it ended meanwhile */
    else if (err == FR_E_CONFLICT)
        refuse(b, 422, err, OTHER_CONTENT);
    else if (err)
        refuse(b, fr_admin_status(err), err, diag.what[0] ? diag.what : fr_err_text(err));
    else if (fr_buf_err(&b->results))
        refuse(b, 503, FR_E_NOMEM, "out of memory");
    else
        go_on(b);
}

/* From where it was done to. */
static enum fr_err submit_part(struct batch *b, struct fr_diag *diag)
{
    char id[2 * FR_IDEM_ID_SIZE + 1], hash[2 * FR_DIGEST_SIZE + 1], args[288];
    uint8_t bytes[FR_DIGEST_SIZE];
    struct fr_task *task = NULL;
    const struct part *part = b->writing;
    const size_t first = b->results.n - (part->from ? part->n : 0);
    if (b->has_key) {
        digest(part, bytes);
        fr_hex_print(bytes, sizeof bytes, hash);
        fr_hex_print(b->id, sizeof b->id, id);
        (void)snprintf(args, sizeof args,
                       "{\"key\":\"%s\",\"digest\":\"%s\",\"first\":%zu,\"last\":%s,\"from\":%u}",
                       id, hash, first, part->is_last ? "true" : "false", (unsigned)part->from);
    } else {
        (void)snprintf(args, sizeof args, "{\"from\":%u}", (unsigned)part->from);
    }
    const struct fr_admin_request request = {
        .op = "device.batch",
        .args = args,
        .body = fr_span(part->rows, (size_t)part->n * FR_BATCH_ROW),
    };
    enum fr_err err = fr_task_new(&request, &b->actor, diag, &task);
    if (err) return err;
    err = fr_writer_submit(b->api->options.writer, task, b->api->options.loop, part_over, b);
    if (err)
        fr_task_free(task);
    else
        b->is_writing = true;
    return err;
}

/* The part at hand; the next one is read meanwhile. */
static enum fr_err submit(struct batch *b, struct fr_diag *diag)
{
    struct part *full = b->reading;
    b->reading = b->writing;
    b->writing = full;
    full->from = 0;
    full->is_last = b->is_last_done;
    b->is_ended = b->is_replayed && b->earlier.is_last;
    b->is_looked_up = b->is_replayed = false;
    return submit_part(b, diag);
}

/* --- lines --- */

/* How it goes on; after OVER the batch may be gone. */
enum step { GO_ON, WAIT, OVER };

static enum step over(struct batch *b, unsigned status, enum fr_err code, const char *what)
{
    refuse(b, status, code, what);
    return OVER;
}

static void add_row(struct part *part, struct fr_span text)
{
    struct fr_api_line line = {.op = 'x'};
    struct fr_wr w = fr_wr(part->rows + (size_t)part->n * FR_BATCH_ROW, FR_BATCH_ROW);
    if (text.n > FR_API_LINE_MAX || fr_api_line_read(text, &line))
        line = (struct fr_api_line){.op = 'x'};
    fr_wr_u8(&w, (uint8_t)line.op);
    fr_wr_u24(&w, line.netid);
    fr_wr_u64(&w, line.eui);
    part->n++;
}

/* The next line that is not empty; false: none is whole. */
static bool next_line(const struct batch *b, size_t *at, struct fr_span *out)
{
    while (*at < b->in.n) {
        const uint8_t *start = b->in.p + *at;
        const size_t left = b->in.n - *at;
        const uint8_t *end = memchr(start, '\n', left);
        if (!end && !b->has_end) return false;
        const size_t n = end ? (size_t)(end - start) : left;
        *at += n + (end ? 1 : 0);
        *out = fr_span_trim(fr_span(start, n));
        if (out->n > 0) return true;
    }
    return false;
}

/* How many lines the part at hand may have: those of an earlier one, where there is one. */
static uint32_t room(const struct batch *b)
{
    return b->is_replayed ? b->earlier.of : FR_BATCH_PART;
}

/* And must have before it is handed on: what has come, when the writer is free. The longer that takes, the more they are. */
static uint32_t enough(const struct batch *b)
{
    return b->is_replayed ? b->earlier.of : FR_BATCH_ROWS;
}

/* Over the budget lines are only counted. */
static void pass_over(struct batch *b)
{
    for (; b->reading->n > 0; b->reading->n--) fr_buf_add(&b->results, "q", 1);
}

/* Takes lines until the part is full or there are no more. */
static enum step read_lines(struct batch *b)
{
    size_t at = 0;
    struct fr_span line;
    while (b->reading->n < room(b) && next_line(b, &at, &line)) {
        if (b->is_ended) return over(b, 422, FR_E_CONFLICT, OTHER_CONTENT);
        if (first_of_part(b) + b->reading->n == FR_API_BATCH_LINES)
            return over(b, 413, FR_E_LIMIT, "a batch has at most 1000000 lines");
        add_row(b->reading, line);
        if (b->is_over_budget) pass_over(b);
    }
    fr_buf_drop(&b->in, at);
    if (b->reading->n < room(b) && b->in.n > FR_API_LINE_MAX)
        return over(b, 413, FR_E_LIMIT, "a line of a batch has at most 512 bytes");
    return GO_ON;
}

/* --- turning --- */

/* The last lines are in the part at hand, if there are any. */
static bool is_end(const struct batch *b)
{
    return b->has_end && b->in.n == 0;
}

/* With a key, the last part says that it is the last, also when there is no line in it. */
static bool is_all_done(const struct batch *b)
{
    const bool is_marked = !b->has_key || b->is_last_done || b->is_ended || b->is_over_budget;
    return is_end(b) && b->reading->n == 0 && !b->is_writing && is_marked;
}

/* Hands the part at hand on, when it is full or the last. */
static enum step pass_on(struct batch *b)
{
    struct fr_diag diag = {0};
    if (b->is_writing || (b->reading->n < enough(b) && !is_end(b))) return WAIT;
    b->is_last_done = b->is_replayed ? b->earlier.is_last : is_end(b);
    enum fr_err err = submit(b, &diag);
    if (err)
        return over(b, fr_admin_status(err), err,
                    diag.what[0] ? diag.what : "too many changes are waiting");
    return GO_ON;
}

static enum step turn(struct batch *b)
{
    if (b->is_over_budget) pass_over(b);
    if (is_all_done(b)) {
        answer(b);
        return OVER;
    }
    if (!b->is_looked_up && look_up(b))
        return over(b, 503, FR_E_UNAVAILABLE, "the registry cannot be read now");
    enum step step = read_lines(b);
    if (step != GO_ON || is_all_done(b)) return step;
    if (b->is_last_done && b->reading->n == 0) return WAIT; /* for the last part */
    return pass_on(b);
}

static void go_on(struct batch *b)
{
    enum step step = GO_ON;
    while (step == GO_ON) step = turn(b);
    if (step == OVER) return;
    if (b->reading->n >= room(b) && !b->has_end)
        fr_http_hold(b->x);
    else
        fr_http_let_go(b->x);
}

/* --- from the connection --- */

static void on_bytes(void *data, struct fr_http_exchange *x, struct fr_span bytes)
{
    struct batch *b = data;
    (void)x;
    if (b->fault.status) {
        b->fault.swallowed += bytes.n;
        if (b->fault.swallowed > SWALLOWED_MAX) tell_fault(b);
        return;
    }
    fr_buf_add_span(&b->in, bytes);
    if (fr_buf_err(&b->in))
        refuse(b, 503, FR_E_NOMEM, "out of memory");
    else
        go_on(b);
}

static void on_end(void *data, struct fr_http_exchange *x)
{
    struct batch *b = data;
    (void)x;
    b->has_end = true;
    if (b->fault.status)
        tell_fault(b);
    else
        go_on(b);
}

static void on_gone(void *data)
{
    leave(data);
}

/* --- the head --- */

/* The member and the key it chose: two members may choose the same. */
static enum fr_err make_id(struct batch *b, struct fr_span key)
{
    uint8_t hash[FR_DIGEST_SIZE];
    struct fr_buf text = FR_BUF_INIT(FR_MEMBER_ID_MAX + 1 + FR_API_KEY_MAX);
    b->has_key = true;
    fr_buf_add_str(&text, b->actor.member);
    fr_buf_add_char(&text, '\0');
    fr_buf_add_span(&text, key);
    enum fr_err err = fr_buf_err(&text);
    if (!err) err = fr_sha256(fr_buf_span(&text), hash);
    if (!err) memcpy(b->id, hash, sizeof b->id);
    fr_buf_deinit(&text);
    return err;
}

static enum fr_err batch_new(struct fr_api *api, struct fr_http_exchange *x,
                             const struct fr_gate_pass *pass, struct batch **out)
{
    const struct fr_span key = fr_http_exchange_field(x, "idempotency-key");
    struct batch *b = fr_calloc(1, sizeof *b);
    if (!b) return FR_E_NOMEM;
    *b = (struct batch){
        .api = api,
        .x = x,
        .actor = fr_admin_actor_member(pass->who),
        .till = pass->till,
        .in = FR_BUF_INIT(IN_MAX),
        .results = FR_BUF_INIT(FR_API_BATCH_LINES),
    };
    b->reading = fr_calloc(1, sizeof *b->reading);
    b->writing = fr_calloc(1, sizeof *b->writing);
    enum fr_err err = b->reading && b->writing ? FR_OK : FR_E_NOMEM;
    if (!err && key.p) err = make_id(b, key);
    if (err) {
        batch_free(b);
        return err;
    }
    *out = b;
    return FR_OK;
}

static void refuse_head(struct fr_api *api, struct fr_http_exchange *x, unsigned status,
                        enum fr_err code, const char *what)
{
    struct fr_diag diag = {0};
    const struct fr_problem problem = {
        .status = status, .code = code, .diag = &diag, .retry_after_s = status == 429 ? 1 : 0};
    (void)fr_diag_fail(&diag, code, "%s", what);
    fr_api_count_refusal(api, status);
    fr_problem_reply(x, &problem);
}

static void begin(struct fr_api *api, struct fr_http_exchange *x, const struct fr_gate_pass *pass)
{
    struct batch *b = NULL;
    enum fr_err err = take_place(api, pass->who->member);
    if (!err) {
        err = batch_new(api, x, pass, &b);
        if (err) give_place(api, pass->who->member);
    }
    if (err == FR_E_LIMIT) {
        refuse_head(api, x, 429, FR_E_BUSY, "this member has too many requests under way");
    } else if (err) {
        refuse_head(api, x, 503, err, "out of memory");
    } else {
        const struct fr_http_sink sink = {
            .data = b, .on_bytes = on_bytes, .on_end = on_end, .on_gone = on_gone};
        fr_http_take_body(x, &sink);
    }
}

void fr_api_batch_head(struct fr_api *api, struct fr_http_exchange *x)
{
    struct fr_gate_pass pass;
    api->counters.requests++;
    if (!fr_gate_admit_as(api->options.gate, x, FR_SERVICE_BROKER, FR_RIGHT_PUBLISH,
                          fr_api_refuse_at_gate, &pass))
        return;
    const struct fr_span key = fr_http_exchange_field(x, "idempotency-key");
    if (!fr_http_is_type(fr_http_exchange_field(x, "content-type"), MEDIA_TYPE))
        refuse_head(api, x, 415, FR_E_UNSUPPORTED, "the body must be " MEDIA_TYPE);
    else if (x->query.n > 0)
        refuse_head(api, x, 400, FR_E_INVALID, "a batch has no parameters");
    else if (key.p && (key.n == 0 || key.n > FR_API_KEY_MAX))
        refuse_head(api, x, 400, FR_E_INVALID, "an Idempotency-Key has 1 to 128 characters");
    else
        begin(api, x, &pass);
    fr_gate_leave(api->options.gate);
}

void fr_api_batch_post(struct fr_api_call *call)
{
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", MEDIA_TYPE);
    fr_http_reply(call->x, 200, &type, 1, (struct fr_span){0});
}
