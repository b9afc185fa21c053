#include "publish/batch.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_MAX 512
#define WITHIN_MS 120000
#define PAUSE_MAX_S 60

struct fr_publish_batch {
    struct fr_publish_batch_options options;
    struct fr_buf lines;
    uint64_t first; /* lines that are done */
    uint32_t n;
    unsigned part;
    struct fr_publish_answer answer;
};

enum fr_err fr_publish_batch_new(const struct fr_publish_batch_options *options,
                                 struct fr_publish_batch **out)
{
    struct fr_publish_batch *batch = fr_calloc(1, sizeof *batch);
    if (!batch) return FR_E_NOMEM;
    *batch = (struct fr_publish_batch){
        .options = *options,
        .lines = FR_BUF_INIT(FR_PUBLISH_PART * (LINE_MAX + 1)),
        .answer = FR_PUBLISH_ANSWER_INIT,
    };
    *out = batch;
    return FR_OK;
}

void fr_publish_batch_free(struct fr_publish_batch *batch)
{
    if (!batch) return;
    fr_publish_answer_deinit(&batch->answer);
    fr_buf_deinit(&batch->lines);
    fr_free(batch);
}

/* --- what the broker says --- */

/* The text of one member of a flat JSON object of ours, as far as it has no escapes; false: not there. */
static bool member(struct fr_span json, const char *key, char *out, size_t size)
{
    char mark[32];
    const int n = snprintf(mark, sizeof mark, "\"%s\":\"", key);
    for (size_t at = 0; at + (size_t)n < json.n; at++) {
        if (memcmp(json.p + at, mark, (size_t)n) != 0) continue;
        const uint8_t *start = json.p + at + n;
        const uint8_t *end = memchr(start, '"', json.n - at - (size_t)n);
        if (!end) return false;
        const size_t length = (size_t)(end - start) < size - 1 ? (size_t)(end - start) : size - 1;
        memcpy(out, start, length);
        out[length] = '\0';
        return true;
    }
    return false;
}

/* Codes travel by their words: numbers may differ between two versions of the programs. */
static enum fr_err code_of(const char *word, unsigned status)
{
    for (int code = 1; code <= FR_E_INTERNAL; code++)
        if (strcmp(fr_err_text((enum fr_err)code), word) == 0) return (enum fr_err)code;
    switch (status) {
    case 400: return FR_E_INVALID;
    case 403: return FR_E_DENIED;
    case 404: return FR_E_NOT_FOUND;
    case 409:
    case 422: return FR_E_CONFLICT;
    case 413: return FR_E_LIMIT;
    case 429: return FR_E_BUSY;
    default: return FR_E_UNAVAILABLE;
    }
}

enum fr_err fr_publish_fault(const struct fr_publish_answer *answer, struct fr_diag *diag)
{
    char code[64] = "", what[400] = "", hint[200] = "";
    const struct fr_span body = fr_buf_span(&answer->body);
    if (answer->status >= 200 && answer->status < 300) return FR_OK;
    (void)member(body, "code", code, sizeof code);
    if (!member(body, "detail", what, sizeof what))
        (void)snprintf(what, sizeof what, "the broker answers %u", answer->status);
    enum fr_err err = fr_diag_fail(diag, code_of(code, answer->status), "%s", what);
    if (member(body, "hint", hint, sizeof hint)) fr_diag_hint(diag, "%s", hint);
    return err;
}

/* --- parts --- */

static bool is_worth_another(enum fr_err err, unsigned status)
{
    return err == FR_E_NET || err == FR_E_TIMEOUT || err == FR_E_CLOSED || status == 429 ||
           status == 503;
}

static enum fr_err try_part(struct fr_publish_batch *batch, struct fr_diag *diag)
{
    char key[160];
    (void)snprintf(key, sizeof key, "%s.%u", batch->options.key, batch->part);
    const struct fr_publish_request request = {
        .method = "POST",
        .target = FR_PUBLISH_API "/devices:batch",
        .type = "application/x-ndjson",
        .body = fr_buf_span(&batch->lines),
        .key = key,
        .within_ms = WITHIN_MS,
    };
    batch->answer.status = 0;
    enum fr_err err = fr_publisher_ask(batch->options.publisher, &request, diag, &batch->answer);
    return err ? err : fr_publish_fault(&batch->answer, diag);
}

static void pause_for(struct fr_publish_batch *batch, unsigned attempt, const struct fr_diag *why)
{
    uint32_t in_s = batch->answer.retry_after_s;
    if (!in_s) in_s = attempt < 6 ? 1u << attempt : PAUSE_MAX_S;
    if (in_s > PAUSE_MAX_S) in_s = PAUSE_MAX_S;
    if (batch->options.on_retry) batch->options.on_retry(batch->options.data, why, in_s);
    const struct timespec pause = {.tv_sec = in_s};
    (void)nanosleep(&pause, NULL);
}

static enum fr_err send_part(struct fr_publish_batch *batch, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    for (unsigned attempt = 0; attempt < batch->options.attempts; attempt++) {
        struct fr_diag why = {0};
        err = try_part(batch, &why);
        if (!err || attempt + 1 == batch->options.attempts ||
            !is_worth_another(err, batch->answer.status)) {
            if (diag) *diag = why;
            break;
        }
        pause_for(batch, attempt, &why);
    }
    if (!err)
        err = batch->options.on_results(batch->options.data, batch->first,
                                        fr_buf_span(&batch->answer.body));
    if (err) return err;
    batch->first += batch->n;
    batch->n = 0;
    batch->part++;
    fr_buf_reset(&batch->lines);
    return FR_OK;
}

enum fr_err fr_publish_batch_add(struct fr_publish_batch *batch, struct fr_span line,
                                 struct fr_diag *diag)
{
    line = fr_span_trim(line);
    if (line.n == 0) return FR_OK;
    if (line.n > LINE_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "line %" PRIu64 " is longer than %d bytes",
                            batch->first + batch->n + 1, LINE_MAX);
    fr_buf_add_span(&batch->lines, line);
    fr_buf_add_char(&batch->lines, '\n');
    enum fr_err err = fr_buf_err(&batch->lines);
    if (err) return err;
    return ++batch->n == FR_PUBLISH_PART ? send_part(batch, diag) : FR_OK;
}

enum fr_err fr_publish_batch_finish(struct fr_publish_batch *batch, struct fr_diag *diag)
{
    return batch->n ? send_part(batch, diag) : FR_OK;
}
