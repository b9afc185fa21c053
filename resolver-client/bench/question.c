#include "bench/question.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "names/eui.h"
#include "names/owner.h"

#include <string.h>

#define FILE_MAX ((size_t)4 << 30)
#define HEADER 12
#define DIGITS 16

static const uint8_t HEADER_BYTES[HEADER] = {[5] = 1}; /* ID 0, one question */
static const uint8_t TYPE_CLASS[4] = {0, 1, 0, 1};     /* A, IN */

static enum fr_err set_template(struct fr_questions *q, const char *federation, uint32_t miss_ppm,
                                struct fr_diag *diag)
{
    const struct fr_owner owner = {.kind = FR_OWNER_DEVEUI};
    struct fr_dname zone, name;

    if (fr_dname_parse(fr_span_str(federation), &zone) != FR_OK ||
        fr_owner_write(&owner, &zone, &name) != FR_OK)
        return fr_diag_fail(diag, FR_E_INVALID, "\"%s\" is not a federation's name", federation);
    struct fr_span wire = fr_dname_span(&name);
    memcpy(q->wire, HEADER_BYTES, HEADER);
    memcpy(q->wire + HEADER, wire.p, wire.n);
    memcpy(q->wire + HEADER + wire.n, TYPE_CLASS, sizeof TYPE_CLASS);
    q->wire_n = HEADER + wire.n + sizeof TYPE_CLASS;
    q->miss_ppm = miss_ppm;
    q->random = 1;
    return FR_OK;
}

enum fr_err fr_questions_range(struct fr_questions *q, const char *federation, uint64_t first,
                               uint64_t n, uint32_t miss_ppm, struct fr_diag *diag)
{
    *q = (struct fr_questions){.first = first, .n = n};
    if (n == 0) return fr_diag_fail(diag, FR_E_INVALID, "a range of no DevEUIs");
    return set_template(q, federation, miss_ppm, diag);
}

/* The DevEUI at the start of a line. */
static enum fr_err read_line(struct fr_span line, uint64_t *out)
{
    size_t n = 0;

    while (n < line.n && line.p[n] > ' ' && line.p[n] != ',') n++;
    return fr_eui_parse(fr_span(line.p, n), out);
}

static enum fr_err read_lines(struct fr_questions *q, struct fr_span text, const char *path,
                              struct fr_diag *diag)
{
    unsigned number = 0;

    q->euis = fr_reallocarray(NULL, text.n / DIGITS + 1, sizeof *q->euis);
    if (q->euis == NULL) return FR_E_NOMEM;
    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end != NULL ? (size_t)(end - text.p) : text.n;
        struct fr_span line = fr_span(text.p, n);

        number++;
        text = fr_span(text.p + n, text.n - n);
        if (text.n > 0) text = fr_span(text.p + 1, text.n - 1);
        if (n == 0) continue;
        enum fr_err err = read_line(line, &q->euis[q->n]);
        if (err == FR_OK) {
            q->n++;
        } else if (number > 1) {
            err = fr_diag_fail(diag, FR_E_MALFORMED, "the line does not start with a DevEUI");
            fr_diag_where(diag, path, number, 1);
            return err;
        }
    }
    if (q->n > 0) return FR_OK;
    enum fr_err err = fr_diag_fail(diag, FR_E_MALFORMED, "no DevEUI in it");
    fr_diag_where(diag, path, 0, 0);
    return err;
}

enum fr_err fr_questions_file(struct fr_questions *q, const char *federation, const char *path,
                              uint32_t miss_ppm, struct fr_diag *diag)
{
    struct fr_buf text = FR_BUF_INIT(FILE_MAX);

    *q = (struct fr_questions){0};
    enum fr_err err = set_template(q, federation, miss_ppm, diag);
    if (err == FR_OK) err = fr_file_read(path, diag, &text);
    if (err == FR_OK) err = read_lines(q, fr_buf_span(&text), path, diag);
    fr_buf_deinit(&text);
    if (err != FR_OK) fr_questions_deinit(q);
    return err;
}

void fr_questions_deinit(struct fr_questions *q)
{
    fr_free(q->euis);
    q->euis = NULL;
}

/* splitmix64: good enough to spread over a table, and a run can be repeated. */
static uint64_t next_random(struct fr_questions *q)
{
    uint64_t z = q->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t next_eui(struct fr_questions *q)
{
    uint64_t random = next_random(q);

    if (q->miss_ppm > 0 && next_random(q) % 1000000 < q->miss_ppm) return random;
    uint64_t i = random % q->n;
    return q->euis != NULL ? q->euis[i] : q->first + i;
}

struct fr_span fr_questions_next(struct fr_questions *q)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t eui = next_eui(q);
    uint8_t *at = q->wire + HEADER + 1 + DIGITS;

    for (int i = 0; i < DIGITS; i++, eui >>= 4) *--at = (uint8_t)digits[eui & 15];
    return fr_span(q->wire, q->wire_n);
}
