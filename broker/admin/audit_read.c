#include "admin/audit_read.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (4 * FR_AUDIT_LINE_MAX)

/* --- walking --- */

static enum fr_err give(fr_audit_seen_fn fn, void *data, struct fr_audit_seen *seen,
                        struct fr_span text, bool is_torn)
{
    seen->number++;
    seen->text = text;
    seen->is_torn = is_torn;
    seen->is_line = !is_torn && fr_audit_line_parse(text, &seen->line) == FR_OK;
    enum fr_err err = fn(data, seen);
    seen->at += text.n + (is_torn ? 0 : 1);
    return err;
}

/* Gives what is whole in the buffer and keeps the rest at its start. */
static enum fr_err give_lines(fr_audit_seen_fn fn, void *data, struct fr_audit_seen *seen,
                              uint8_t *buffer, size_t *n)
{
    size_t at = 0;
    enum fr_err err = FR_OK;
    while (!err) {
        const uint8_t *end = memchr(buffer + at, '\n', *n - at);
        if (!end) break;
        const size_t length = (size_t)(end - (buffer + at));
        err = give(fn, data, seen, fr_span(buffer + at, length), false);
        at += length + 1;
    }
    memmove(buffer, buffer + at, *n - at);
    *n -= at;
    return err;
}

enum fr_err fr_audit_walk(int fd, uint64_t from, fr_audit_seen_fn fn, void *data)
{
    struct fr_audit_seen seen = {.at = from};
    uint64_t place = from;
    size_t n = 0;
    enum fr_err err = FR_OK;
    uint8_t *buffer = fr_malloc(CHUNK);
    if (!buffer) return FR_E_NOMEM;
    while (!err) {
        ssize_t got = pread(fd, buffer + n, CHUNK - n, (off_t)place);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) err = fr_err_from_errno(errno);
        if (got <= 0) break;
        place += (uint64_t)got;
        n += (size_t)got;
        err = give_lines(fn, data, &seen, buffer, &n);
        if (!err && n == CHUNK) { /* longer than any line: no line */
            err = give(fn, data, &seen, fr_span(buffer, n), true);
            n = 0;
        }
    }
    if (!err && n) err = give(fn, data, &seen, fr_span(buffer, n), true);
    fr_free(buffer);
    return err;
}

enum fr_err fr_audit_walk_file(const char *path, fr_audit_seen_fn fn, struct fr_diag *diag,
                               void *data)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot open %s: %s", path,
                            strerror(errno));
    enum fr_err err = fr_audit_walk(fd, 0, fn, data);
    (void)close(fd);
    if (err == FR_E_IO) (void)fr_diag_fail(diag, err, "cannot read %s", path);
    return err;
}

/* --- the head --- */

void fr_audit_head_print(const struct fr_audit_link *link, char out[FR_AUDIT_HEAD_SIZE + 1])
{
    char hash[2 * FR_SHA256_SIZE + 1];
    fr_hex_print(link->hash, sizeof link->hash, hash);
    (void)snprintf(out, FR_AUDIT_HEAD_SIZE + 1, "%020" PRIu64 " %s\n", link->seq, hash);
}

enum fr_err fr_audit_head_read(const char *path, struct fr_audit_link *out)
{
    struct fr_buf text = FR_BUF_INIT(FR_AUDIT_HEAD_SIZE);
    struct fr_span seq, hash;
    struct fr_audit_link link;
    enum fr_err err = fr_file_read(path, NULL, &text);
    if (err) goto out;
    err = FR_E_MALFORMED;
    if (text.n != FR_AUDIT_HEAD_SIZE || text.p[text.n - 1] != '\n') goto out;
    if (!fr_span_cut(fr_span(text.p, text.n - 1), ' ', &seq, &hash)) goto out;
    while (seq.n > 1 && seq.p[0] == '0') seq = fr_span(seq.p + 1, seq.n - 1);
    if (fr_parse_u64(seq, 0, UINT64_MAX, &link.seq)) goto out;
    if (fr_hex_parse(hash, link.hash, sizeof link.hash)) goto out;
    *out = link;
    err = FR_OK;
out:
    fr_buf_deinit(&text);
    return err;
}

/* --- checking --- */

struct check {
    fr_audit_fault_fn fn;
    void *data;
    struct fr_audit_verdict verdict;
    struct fr_audit_link last; /* of the last line that is one */
    struct fr_audit_link head;
    bool has_head, is_head_seen;
};

static void fault(struct check *check, uint64_t number, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct check *check, uint64_t number, const char *fmt, ...)
{
    char what[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    check->verdict.faults++;
    check->fn(check->data, number, what);
}

static void check_link(struct check *check, const struct fr_audit_seen *seen)
{
    const struct fr_audit_line *line = &seen->line;
    const struct fr_audit_link *last = &check->last;
    if (!line->is_intact)
        fault(check, seen->number, "record %" PRIu64 " was changed: it does not fit its hash",
              line->link.seq);
    if (last->seq == 0) return; /* a file may begin anywhere: those before it were moved away */
    if (line->link.seq != last->seq + 1)
        fault(check, seen->number,
              "record %" PRIu64 " follows record %" PRIu64 ": lines were dropped, put in or moved",
              line->link.seq, last->seq);
    else if (memcmp(line->prev, last->hash, sizeof last->hash) != 0)
        fault(check, seen->number,
              "record %" PRIu64 " does not fit the one before it: that one was changed or replaced",
              line->link.seq);
}

static enum fr_err check_seen(void *data, const struct fr_audit_seen *seen)
{
    struct check *check = data;
    const struct fr_audit_link *link = &seen->line.link;
    check->verdict.lines++;
    if (!seen->is_line) {
        fault(check, seen->number,
              seen->is_torn ? "the file ends in the middle of this line"
                            : "this is not a line of the audit trail");
        return FR_OK;
    }
    check_link(check, seen);
    if (check->last.seq == 0 && link->seq == 1) {
        static const uint8_t none[FR_SHA256_SIZE];
        if (memcmp(seen->line.prev, none, sizeof none) != 0)
            fault(check, seen->number, "record 1 claims to follow another one");
    }
    if (check->verdict.first_seq == 0) check->verdict.first_seq = link->seq;
    check->last = *link;
    if (check->has_head && link->seq == check->head.seq) {
        check->is_head_seen = true;
        if (memcmp(link->hash, check->head.hash, sizeof link->hash) != 0)
            fault(check, seen->number,
                  "record %" PRIu64 " is not the one that was brought to disk under that number",
                  link->seq);
    }
    return FR_OK;
}

enum fr_err fr_audit_check(const char *path, const char *head, fr_audit_fault_fn fn, void *data,
                           struct fr_diag *diag, struct fr_audit_verdict *out)
{
    struct check check = {.fn = fn, .data = data};
    if (head) check.has_head = fr_audit_head_read(head, &check.head) == FR_OK;
    enum fr_err err = fr_audit_walk_file(path, check_seen, diag, &check);
    if (err) return err;
    if (check.has_head && !check.is_head_seen && check.head.seq > check.last.seq)
        fault(&check, check.verdict.lines + 1,
              "the end is missing: records up to %" PRIu64 " were brought to disk", check.head.seq);
    check.verdict.last_seq = check.last.seq;
    *out = check.verdict;
    return FR_OK;
}
