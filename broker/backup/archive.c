#include "backup/archive.h"

#include "base/mem.h"
#include "base/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (256 * 1024)

static bool is_good_part(const char *p, size_t n)
{
    if (n == 0 || p[0] == '.') return false;
    for (size_t i = 0; i < n; i++) {
        const char c = p[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && !strchr("._-", c)) return false;
    }
    return true;
}

bool fr_archive_name_is_good(const char *name)
{
    const size_t n = strlen(name);
    const char *slash = strchr(name, '/');
    if (n > FR_ARCHIVE_NAME) return false;
    if (!slash) return is_good_part(name, n);
    const size_t folder = (size_t)(slash - name);
    return is_good_part(name, folder) && is_good_part(slash + 1, n - folder - 1);
}

enum fr_err fr_archive_head_read(struct fr_span bytes, struct fr_archive_entry *out)
{
    struct fr_archive_entry entry = {0};
    struct fr_rd r = fr_rd(bytes);
    const uint8_t kind = fr_rd_u8(&r);
    entry.name_n = fr_rd_u8(&r);
    entry.size = fr_rd_u64(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err) return err;
    entry.is_end = kind == 'E';
    if (kind != 'E' && kind != 'F') return FR_E_MALFORMED;
    if (entry.is_end && (entry.name_n != 0 || entry.size != 0)) return FR_E_MALFORMED;
    if (!entry.is_end && (entry.name_n == 0 || entry.name_n > FR_ARCHIVE_NAME))
        return FR_E_MALFORMED;
    if (entry.size > INT64_MAX) return FR_E_MALFORMED;
    *out = entry;
    return FR_OK;
}

/* --- writing --- */

static enum fr_err put_head(struct fr_sealer *to, char kind, const char *name, uint64_t size,
                            struct fr_diag *diag)
{
    uint8_t bytes[FR_ARCHIVE_HEAD + FR_ARCHIVE_NAME];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    fr_wr_u8(&w, (uint8_t)kind);
    fr_wr_u8(&w, (uint8_t)strlen(name));
    fr_wr_u64(&w, size);
    fr_wr_bytes(&w, name, strlen(name));
    enum fr_err err = fr_wr_err(&w);
    return err ? err : fr_sealer_write(to, fr_wr_done(&w), diag);
}

static enum fr_err put_piece(struct fr_sealer *to, const char *name, int fd, uint64_t at,
                             uint64_t left, uint8_t *piece, size_t *got, struct fr_diag *diag)
{
    const size_t want = left < PIECE ? (size_t)left : PIECE;
    ssize_t n = pread(fd, piece, want, (off_t)at);
    if (n < 0 && errno == EINTR)
        n = 0;
    else if (n < 0)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", name, strerror(errno));
    else if (n == 0)
        return fr_diag_fail(diag, FR_E_BUSY, "%s became shorter while it was read", name);
    *got = (size_t)n;
    return fr_sealer_write(to, fr_span(piece, *got), diag);
}

enum fr_err fr_archive_put_file(struct fr_sealer *to, const char *name, int fd, uint64_t size,
                                struct fr_diag *diag)
{
    uint8_t *piece = fr_malloc(PIECE);
    if (!piece) return FR_E_NOMEM;
    enum fr_err err = put_head(to, 'F', name, size, diag);
    for (uint64_t at = 0; !err && at < size;) {
        size_t got = 0;
        err = put_piece(to, name, fd, at, size - at, piece, &got, diag);
        at += got;
    }
    fr_secret_zero(piece, PIECE);
    fr_free(piece);
    return err;
}

enum fr_err fr_archive_put_bytes(struct fr_sealer *to, const char *name, struct fr_span bytes,
                                 struct fr_diag *diag)
{
    enum fr_err err = put_head(to, 'F', name, bytes.n, diag);
    return err ? err : fr_sealer_write(to, bytes, diag);
}

enum fr_err fr_archive_end(struct fr_sealer *to, struct fr_diag *diag)
{
    return put_head(to, 'E', "", 0, diag);
}

/* --- reading --- */

static enum fr_err read_exactly(struct fr_opener *from, void *out, size_t n, struct fr_diag *diag)
{
    uint8_t *p = out;
    while (n > 0) {
        size_t got = 0;
        enum fr_err err = fr_opener_read(from, p, n, &got, diag);
        if (err) return err;
        if (got == 0) return fr_diag_fail(diag, FR_E_TRUNCATED, "it ends too early");
        p += got;
        n -= got;
    }
    return FR_OK;
}

enum fr_err fr_archive_next(struct fr_opener *from, struct fr_diag *diag,
                            struct fr_archive_entry *out)
{
    uint8_t head[FR_ARCHIVE_HEAD];
    struct fr_archive_entry entry;
    enum fr_err err = read_exactly(from, head, sizeof head, diag);
    if (err) return err;
    err = fr_archive_head_read(fr_span(head, sizeof head), &entry);
    if (!err) err = read_exactly(from, entry.name, entry.name_n, diag);
    if (err) return err == FR_E_MALFORMED ? fr_diag_fail(diag, err, "it is no backup") : err;
    entry.name[entry.name_n] = '\0';
    if (!entry.is_end &&
        (strlen(entry.name) != entry.name_n || !fr_archive_name_is_good(entry.name)))
        return fr_diag_fail(diag, FR_E_MALFORMED, "a file in it has an odd name");
    *out = entry;
    return FR_OK;
}

enum fr_err fr_archive_get_bytes(struct fr_opener *from, const struct fr_archive_entry *entry,
                                 void *out, struct fr_diag *diag)
{
    return read_exactly(from, out, entry->size, diag);
}

enum fr_err fr_archive_expect_end(struct fr_opener *from, struct fr_diag *diag)
{
    uint8_t more;
    size_t got = 0;
    enum fr_err err = fr_opener_read(from, &more, 1, &got, diag);
    if (!err && got > 0)
        err = fr_diag_fail(diag, FR_E_MALFORMED, "there is something behind its last file");
    return err;
}

static enum fr_err make_folder(int dir_fd, const char *name, struct fr_diag *diag)
{
    char folder[FR_ARCHIVE_NAME + 1];
    const char *slash = strchr(name, '/');
    if (!slash) return FR_OK;
    memcpy(folder, name, (size_t)(slash - name));
    folder[slash - name] = '\0';
    if (mkdirat(dir_fd, folder, 0700) == 0 || errno == EEXIST) return FR_OK;
    return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", folder, strerror(errno));
}

static enum fr_err write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fr_err_from_errno(errno);
        p += put;
        n -= (size_t)put;
    }
    return FR_OK;
}

static enum fr_err fill(struct fr_opener *from, const struct fr_archive_entry *entry, int fd,
                        struct fr_diag *diag)
{
    uint8_t *piece = fr_malloc(PIECE);
    enum fr_err err = piece ? FR_OK : FR_E_NOMEM;
    for (uint64_t left = entry->size; !err && left > 0;) {
        const size_t n = left < PIECE ? (size_t)left : PIECE;
        err = read_exactly(from, piece, n, diag);
        if (err) break;
        err = write_all(fd, piece, n);
        if (err) (void)fr_diag_fail(diag, err, "%s: %s", entry->name, fr_err_text(err));
        left -= n;
    }
    if (piece) fr_secret_zero(piece, PIECE);
    fr_free(piece);
    if (!err && fsync(fd))
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", entry->name, strerror(errno));
    return err;
}

enum fr_err fr_archive_get_file(struct fr_opener *from, const struct fr_archive_entry *entry,
                                int dir_fd, struct fr_diag *diag)
{
    enum fr_err err = make_folder(dir_fd, entry->name, diag);
    if (err) return err;
    int fd =
        openat(dir_fd, entry->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", entry->name, strerror(errno));
    err = fill(from, entry, fd, diag);
    (void)close(fd);
    return err;
}
