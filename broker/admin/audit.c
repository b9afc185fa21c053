#include "admin/audit.h"

#include "admin/audit_trail.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "x509/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct fr_audit {
    char *state;
    const struct fr_log *log;
    struct fr_trail main, copy;
    char *head;
    bool is_known;             /* the end of main was read */
    bool is_failed;            /* the last attempt failed */
    bool is_lagging;           /* the copy lacks lines */
    _Atomic(char *) next_also; /* where the copy is to go; "" stands for nowhere; NULL: as it is */
    uint64_t lost;
    struct fr_diag why;
    atomic_uint_fast64_t lines, failures, copy_failures;
    atomic_bool is_ready;
};

/* --- the lines we add about the trail itself --- */

static enum fr_err add_line(struct fr_audit *audit, const struct fr_audit_entry *entry,
                            struct fr_diag *diag);

static enum fr_err add_note(struct fr_audit *audit, int64_t now_s, const char *op, const char *what,
                            const char *result, struct fr_diag *diag)
{
    const struct fr_audit_entry entry = {
        .when_s = now_s, .actor = "audit", .op = op, .what = what, .result = result};
    return add_line(audit, &entry, diag);
}

/* The piece of a line that a crash left: kept in a file beside the trail, cut off, noted. */
static enum fr_err set_torn_aside(struct fr_audit *audit, uint64_t whole, uint64_t size,
                                  int64_t now_s, struct fr_diag *diag)
{
    struct fr_trail *t = &audit->main;
    struct fr_buf piece = FR_BUF_INIT(FR_AUDIT_LINE_MAX), result = FR_BUF_INIT(1024);
    char name[FR_AUDIT_NAME_MAX], digits[2 * FR_SHA256_SIZE + 1];
    uint8_t digest[FR_SHA256_SIZE];
    const size_t n = size - whole < FR_AUDIT_LINE_MAX ? (size_t)(size - whole) : FR_AUDIT_LINE_MAX;
    char *path = NULL;
    uint8_t *room = fr_buf_reserve(&piece, n);
    ssize_t got = room ? pread(t->fd, room, n, (off_t)whole) : -1;
    enum fr_err err = room ? FR_OK : FR_E_NOMEM;
    if (room && got < 0) err = fr_trail_fail(diag, "cannot read", t->path, errno);
    if (err) goto out;
    fr_buf_commit(&piece, (size_t)got);
    (void)snprintf(name, sizeof name, "audit.torn-%" PRIu64, t->last.seq + 1);
    path = fr_path_join(audit->state, name);
    err = path ? fr_sha256(fr_buf_span(&piece), digest) : FR_E_NOMEM;
    if (!err) err = fr_file_write(path, 0600, fr_buf_span(&piece), diag);
    if (err) goto out;
    if (ftruncate(t->fd, (off_t)whole)) {
        err = fr_trail_fail(diag, "cannot write", t->path, errno);
        goto out;
    }
    t->size = whole;
    struct fr_json j = fr_json(&result);
    fr_hex_print(digest, sizeof digest, digits);
    fr_json_object(&j);
    fr_json_put_str(&j, "file", name);
    fr_json_put_uint(&j, "bytes", size - whole);
    fr_json_put_str(&j, "sha256", digits);
    fr_json_end(&j);
    err = fr_buf_err(&result);
    if (!err)
        err = add_note(audit, now_s, "audit.torn", "the last line was cut short by a crash",
                       fr_buf_str(&result), diag);
out:
    fr_free(path);
    fr_buf_deinit(&result);
    fr_buf_deinit(&piece);
    return err;
}

/* Takes over what others, or a crash, did to the end of the file. */
static enum fr_err read_end(struct fr_audit *audit, uint64_t size, int64_t now_s,
                            struct fr_diag *diag)
{
    struct fr_trail *t = &audit->main;
    struct fr_audit_link head;
    struct fr_trail_end end;
    const bool is_first = !audit->is_known;
    enum fr_err err = fr_trail_find_end(t->fd, size, &end);
    if (err) return fr_diag_fail(diag, err, "cannot read %s", t->path);
    /* An empty file goes on with the chain that the head remembers: after a rotation, or because
     * somebody took the file away. */
    if (end.last.seq == 0 && is_first && fr_audit_head_read(audit->head, &head) == FR_OK)
        end.last = head;
    if (end.last.seq) t->last = end.last;
    t->size = end.whole;
    audit->is_known = true;
    if (end.whole < size) err = set_torn_aside(audit, end.whole, size, now_s, diag);
    if (!err && end.foreign && is_first)
        err = add_note(audit, now_s, "audit.foreign",
                       "the lines before this one are not of the audit trail", NULL, diag);
    return err;
}

/* --- the second copy --- */

struct catching_up {
    struct fr_trail *copy;
    struct fr_diag *diag;
};

static enum fr_err copy_seen(void *data, const struct fr_audit_seen *seen)
{
    struct catching_up *c = data;
    struct fr_buf line = FR_BUF_INIT(FR_AUDIT_LINE_MAX);
    if (!seen->is_line || seen->line.link.seq <= c->copy->last.seq) return FR_OK;
    fr_buf_add_span(&line, seen->text);
    fr_buf_add_char(&line, '\n');
    enum fr_err err = fr_buf_err(&line);
    if (!err) err = fr_trail_append(c->copy, fr_buf_span(&line), c->diag);
    if (!err) c->copy->last = seen->line.link;
    fr_buf_deinit(&line);
    return err;
}

/* Adds what the copy lacks. */
static enum fr_err copy_catch_up(struct fr_audit *audit, struct fr_diag *diag)
{
    struct fr_trail *copy = &audit->copy;
    struct catching_up c = {copy, diag};
    struct stat st;
    struct fr_trail_end end;
    fr_trail_close(copy);
    enum fr_err err = fr_trail_open(copy, diag);
    if (err) return err;
    if (fstat(copy->fd, &st)) return fr_trail_fail(diag, "cannot read", copy->path, errno);
    /* A device or a pipe has no end to look at: it gets what comes. */
    if (!S_ISREG(st.st_mode)) {
        copy->last = audit->main.last;
        return FR_OK;
    }
    err = fr_trail_find_end(copy->fd, (uint64_t)st.st_size, &end);
    if (err) return fr_diag_fail(diag, err, "cannot read %s", copy->path);
    if (ftruncate(copy->fd, (off_t)end.whole))
        return fr_trail_fail(diag, "cannot write", copy->path, errno);
    copy->size = end.whole;
    copy->last = end.last;
    return fr_audit_walk(audit->main.fd, 0, copy_seen, &c);
}

static void copy_failed(struct fr_audit *audit, const struct fr_diag *diag)
{
    atomic_fetch_add(&audit->copy_failures, 1);
    if (!audit->is_lagging)
        FR_LOG(audit->log, FR_LOG_ERROR, "audit.copy_failed", FR_STR("why", diag->what));
    audit->is_lagging = true;
}

/* Was it moved or deleted? Then another one is begun, with all there is. */
static bool copy_is_gone(const struct fr_trail *copy)
{
    struct stat open_one, named;
    if (copy->fd < 0 || fstat(copy->fd, &open_one)) return false;
    return stat(copy->path, &named) || named.st_ino != open_one.st_ino ||
           named.st_dev != open_one.st_dev;
}

/* Takes over what fr_audit_set_also asked for. */
static void copy_move(struct fr_audit *audit)
{
    char *path = atomic_exchange(&audit->next_also, NULL);
    if (!path) return;
    const bool is_same = audit->copy.path && strcmp(audit->copy.path, path) == 0;
    if (!path[0] || is_same) {
        fr_free(path);
        path = NULL;
    }
    if (is_same) return;
    fr_trail_close(&audit->copy);
    fr_free(audit->copy.path);
    audit->copy.path = path;
    audit->is_lagging = true; /* its end has to be looked at */
}

static void copy_add(struct fr_audit *audit, struct fr_span line)
{
    struct fr_diag diag = {0};
    copy_move(audit);
    if (!audit->copy.path) return;
    if (copy_is_gone(&audit->copy)) audit->is_lagging = true;
    enum fr_err err = FR_OK;
    if (audit->is_lagging || audit->copy.fd < 0)
        err = copy_catch_up(audit, &diag);
    else
        err = fr_trail_append(&audit->copy, line, &diag);
    if (err) {
        copy_failed(audit, &diag);
        return;
    }
    audit->is_lagging = false;
    audit->copy.last = audit->main.last;
}

/* --- adding --- */

static enum fr_err add_line(struct fr_audit *audit, const struct fr_audit_entry *entry,
                            struct fr_diag *diag)
{
    struct fr_trail *t = &audit->main;
    struct fr_audit_link next;
    struct fr_buf line = FR_BUF_INIT(FR_AUDIT_LINE_MAX);
    enum fr_err err = fr_audit_line_write(entry, &t->last, &line, &next);
    if (err)
        err = fr_diag_fail(diag, err, "no audit line for %s: %s", entry->op, fr_err_text(err));
    else
        err = fr_trail_append(t, fr_buf_span(&line), diag);
    if (!err) {
        t->last = next;
        atomic_fetch_add(&audit->lines, 1);
        copy_add(audit, fr_buf_span(&line));
    }
    fr_buf_deinit(&line);
    return err;
}

/* Is it still the file of that name? It may have been moved by a rotation of another process. */
static bool is_moved(const struct fr_trail *t, const struct stat *open_one)
{
    struct stat named;
    return stat(t->path, &named) == 0 &&
           (named.st_ino != open_one->st_ino || named.st_dev != open_one->st_dev);
}

/* Opens and locks it, and takes over what others added. */
static enum fr_err enter(struct fr_audit *audit, int64_t now_s, struct fr_diag *diag)
{
    struct fr_trail *t = &audit->main;
    struct stat st;
    for (int tries = 0; tries < 3; tries++) {
        enum fr_err err = t->fd < 0 ? fr_trail_open(t, diag) : FR_OK;
        if (err) return err;
        if (flock(t->fd, LOCK_EX) || fstat(t->fd, &st))
            return fr_trail_fail(diag, "cannot lock", t->path, errno);
        if (!S_ISREG(st.st_mode))
            return fr_diag_fail(diag, FR_E_CREATE, "%s is not a file", t->path);
        if (is_moved(t, &st)) {
            fr_trail_close(t);
            audit->is_known = false;
            continue;
        }
        if (audit->is_known && (uint64_t)st.st_size == t->size) return FR_OK;
        return read_end(audit, (uint64_t)st.st_size, now_s, diag);
    }
    return fr_diag_fail(diag, FR_E_BUSY, "%s is moved again and again", t->path);
}

static void leave(struct fr_audit *audit)
{
    if (audit->main.fd >= 0) (void)flock(audit->main.fd, LOCK_UN);
}

static enum fr_err add_lost(struct fr_audit *audit, int64_t now_s, struct fr_diag *diag)
{
    char result[64];
    if (!audit->lost) return FR_OK;
    (void)snprintf(result, sizeof result, "{\"lost\":%" PRIu64 "}", audit->lost);
    enum fr_err err =
        add_note(audit, now_s, "audit.gap",
                 "lines are missing here: the trail could not be written", result, diag);
    if (!err) audit->lost = 0;
    return err;
}

/* What came of an attempt; the diag gets words that say what follows from it. */
static enum fr_err settle(struct fr_audit *audit, enum fr_err err, struct fr_diag *diag)
{
    if (!err) {
        if (audit->is_failed) FR_LOG(audit->log, FR_LOG_WARN, "audit.resumed");
        audit->is_failed = false;
        atomic_store(&audit->is_ready, true);
        return FR_OK;
    }
    atomic_fetch_add(&audit->failures, 1);
    if (!audit->is_failed)
        FR_LOG(audit->log, FR_LOG_ERROR, "audit.failed", FR_STR("why", audit->why.what));
    audit->is_failed = true;
    atomic_store(&audit->is_ready, false);
    (void)fr_diag_fail(diag, FR_E_UNAVAILABLE, "the audit trail cannot be written: %s",
                       audit->why.what);
    fr_diag_hint(diag, "nothing is signed or changed until it can; look-ups go on");
    return FR_E_UNAVAILABLE;
}

enum fr_err fr_audit_ready(struct fr_audit *audit, int64_t now_s, struct fr_diag *diag)
{
    enum fr_err err = enter(audit, now_s, &audit->why);
    if (!err) err = add_lost(audit, now_s, &audit->why);
    if (!err && audit->is_failed)
        err = add_note(audit, now_s, "audit.resumed", NULL, NULL, &audit->why);
    leave(audit);
    return settle(audit, err, diag);
}

enum fr_err fr_audit_add(struct fr_audit *audit, const struct fr_audit_entry *entry,
                         struct fr_diag *diag)
{
    enum fr_err err = enter(audit, entry->when_s, &audit->why);
    if (!err) err = add_lost(audit, entry->when_s, &audit->why);
    if (!err) err = add_line(audit, entry, &audit->why);
    leave(audit);
    if (err) audit->lost++;
    return settle(audit, err, diag);
}

/* Only a help for those who look for a missing end: it may lag behind, never run ahead. */
static void write_head(const struct fr_audit *audit)
{
    char text[FR_AUDIT_HEAD_SIZE + 1];
    int fd = open(audit->head, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    fr_audit_head_print(&audit->main.last, text);
    (void)!pwrite(fd, text, FR_AUDIT_HEAD_SIZE, 0);
    (void)close(fd);
}

enum fr_err fr_audit_sync(struct fr_audit *audit, struct fr_diag *diag)
{
    struct fr_diag copy = {0};
    if (!audit->main.is_unsynced) return FR_OK;
    enum fr_err err = fr_trail_sync(&audit->main, &audit->why);
    if (!err) write_head(audit);
    if (audit->copy.fd >= 0 && fr_trail_sync(&audit->copy, &copy)) copy_failed(audit, &copy);
    return err ? settle(audit, err, diag) : FR_OK;
}

/* --- rotation --- */

static enum fr_err note_first(void *data, const struct fr_audit_seen *seen)
{
    uint64_t *first = data;
    if (!seen->is_line) return FR_OK;
    *first = seen->line.link.seq;
    return FR_E_CANCELLED; /* that is all */
}

/* Under the lock. */
static enum fr_err move_away(struct fr_audit *audit, struct fr_diag *diag,
                             char name[FR_AUDIT_NAME_MAX])
{
    struct fr_trail *t = &audit->main;
    uint64_t first = 0;
    enum fr_err err = fr_audit_walk(t->fd, 0, note_first, &first);
    if (err != FR_E_CANCELLED)
        return err ? err : fr_diag_fail(diag, FR_E_NOT_FOUND, "the audit trail is empty");
    (void)snprintf(name, FR_AUDIT_NAME_MAX, "audit-%" PRIu64 "-%" PRIu64 ".jsonl", first,
                   t->last.seq);
    err = fr_trail_sync(t, diag);
    if (err) return err;
    char *path = fr_path_join(audit->state, name);
    if (!path) return FR_E_NOMEM;
    if (link(t->path, path) || unlink(t->path))
        err = fr_trail_fail(diag, "cannot make", path, errno);
    fr_free(path);
    if (err) return err;
    write_head(audit); /* the new file's first line follows from it if we die here */
    fr_trail_close(t);
    return FR_OK;
}

enum fr_err fr_audit_rotate(struct fr_audit *audit, int64_t now_s, const char *actor,
                            struct fr_diag *diag, char name[FR_AUDIT_NAME_MAX])
{
    struct fr_buf result = FR_BUF_INIT(1024);
    enum fr_err err = enter(audit, now_s, diag);
    if (!err) err = move_away(audit, diag, name);
    leave(audit);
    if (err) goto out;
    struct fr_json j = fr_json(&result);
    fr_json_object(&j);
    fr_json_put_str(&j, "file", name);
    fr_json_end(&j);
    const struct fr_audit_entry entry = {
        .when_s = now_s, .actor = actor, .op = "audit.begin", .result = fr_buf_str(&result)};
    err = fr_audit_add(audit, &entry, diag);
out:
    fr_buf_deinit(&result);
    return err;
}

/* --- handle --- */

enum fr_err fr_audit_open(const struct fr_audit_options *options, struct fr_audit **out)
{
    struct fr_audit *audit = fr_calloc(1, sizeof *audit);
    if (!audit) return FR_E_NOMEM;
    audit->main.fd = audit->copy.fd = -1;
    audit->log = options->log;
    audit->state = fr_strdup(options->state);
    audit->main.path = fr_path_join(options->state, FR_AUDIT_FILE);
    audit->head = fr_path_join(options->state, FR_AUDIT_HEAD);
    atomic_init(&audit->lines, 0);
    atomic_init(&audit->failures, 0);
    atomic_init(&audit->copy_failures, 0);
    atomic_init(&audit->is_ready, true);
    atomic_init(&audit->next_also, NULL);
    if (!audit->state || !audit->main.path || !audit->head ||
        fr_audit_set_also(audit, options->also)) {
        fr_audit_close(audit);
        return FR_E_NOMEM;
    }
    *out = audit;
    return FR_OK;
}

enum fr_err fr_audit_set_also(struct fr_audit *audit, const char *also)
{
    char *path = fr_strdup(also ? also : "");
    if (!path) return FR_E_NOMEM;
    fr_free(atomic_exchange(&audit->next_also, path));
    return FR_OK;
}

void fr_audit_close(struct fr_audit *audit)
{
    if (!audit) return;
    (void)fr_audit_sync(audit, NULL); /* the log has said what there is to say */
    fr_trail_close(&audit->main);
    fr_trail_close(&audit->copy);
    fr_free(audit->main.path);
    fr_free(audit->copy.path);
    fr_free(atomic_load(&audit->next_also));
    fr_free(audit->head);
    fr_free(audit->state);
    fr_free(audit);
}

struct fr_audit_counters fr_audit_counters(const struct fr_audit *audit)
{
    return (struct fr_audit_counters){
        .lines = atomic_load(&audit->lines),
        .failures = atomic_load(&audit->failures),
        .copy_failures = atomic_load(&audit->copy_failures),
        .is_ready = atomic_load(&audit->is_ready),
    };
}
