#include "admin/audit_trail.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum fr_err fr_trail_fail(struct fr_diag *diag, const char *what, const char *path, int errnum)
{
    return fr_diag_fail(diag, fr_err_from_errno(errnum), "%s %s: %s", what, path, strerror(errnum));
}

void fr_trail_close(struct fr_trail *t)
{
    if (t->fd >= 0) (void)close(t->fd);
    t->fd = -1;
    t->size = 0;
    t->is_unsynced = false;
}

enum fr_err fr_trail_open(struct fr_trail *t, struct fr_diag *diag)
{
    t->fd = open(t->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return t->fd < 0 ? fr_trail_fail(diag, "cannot open", t->path, errno) : FR_OK;
}

enum fr_err fr_trail_append(struct fr_trail *t, struct fr_span bytes, struct fr_diag *diag)
{
    size_t done = 0;
    while (done < bytes.n) {
        ssize_t n = write(t->fd, bytes.p + done, bytes.n - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            const int errnum = n < 0 ? errno : ENOSPC;
            (void)!ftruncate(t->fd,
                             (off_t)t->size); /* the next one sees a torn line if this fails */
            return fr_trail_fail(diag, "cannot write", t->path, errnum);
        }
        done += (size_t)n;
    }
    t->size += bytes.n;
    t->is_unsynced = true;
    return FR_OK;
}

enum fr_err fr_trail_sync(struct fr_trail *t, struct fr_diag *diag)
{
    if (!t->is_unsynced) return FR_OK;
    if (fdatasync(t->fd)) return fr_trail_fail(diag, "cannot write", t->path, errno);
    t->is_unsynced = false;
    return FR_OK;
}

static enum fr_err note_end(void *data, const struct fr_audit_seen *seen)
{
    struct fr_trail_end *end = data;
    if (seen->is_torn) return FR_OK;
    end->whole = seen->at + seen->text.n + 1;
    if (seen->is_line) {
        end->last = seen->line.link;
        end->foreign = 0;
    } else {
        end->foreign++;
    }
    return FR_OK;
}

/* The start of the last lines: two lines fit into what is read from there. */
static enum fr_err find_start(int fd, uint64_t size, uint64_t *out)
{
    uint64_t at = size > 2 * FR_AUDIT_LINE_MAX ? size - 2 * FR_AUDIT_LINE_MAX : 0;
    char c = '\n';
    while (at > 0) {
        ssize_t n = pread(fd, &c, 1, (off_t)(at - 1));
        if (n != 1) return n < 0 ? fr_err_from_errno(errno) : FR_E_IO;
        if (c == '\n') break;
        at--;
    }
    *out = at;
    return FR_OK;
}

enum fr_err fr_trail_find_end(int fd, uint64_t size, struct fr_trail_end *out)
{
    struct fr_trail_end end = {0};
    uint64_t from = 0;
    enum fr_err err = find_start(fd, size, &from);
    if (err) return err;
    end.whole = from;
    err = fr_audit_walk(fd, from, note_end, &end);
    if (!err && end.last.seq == 0 && from > 0) { /* nothing but foreign lines there: look at all */
        end = (struct fr_trail_end){0};
        err = fr_audit_walk(fd, 0, note_end, &end);
    }
    if (!err) *out = end;
    return err;
}
