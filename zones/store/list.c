#include "store/list.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/list_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "fr.list1"
#define PREFIX "import-"
#define SUFFIX ".list"
#define WINDOW 8192

/* --- files --- */

static enum fr_err fail_io(struct fr_diag *diag, int errnum)
{
    return fr_diag_fail(diag, fr_err_from_errno(errnum), "the list's file: %s", strerror(errnum));
}

enum fr_err fr_list_pwrite(int fd, const uint8_t *bytes, size_t n, uint64_t at,
                           struct fr_diag *diag)
{
    while (n > 0) {
        ssize_t written = pwrite(fd, bytes, n, (off_t)at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_io(diag, errno);
        bytes += written;
        n -= (size_t)written;
        at += (uint64_t)written;
    }
    return FR_OK;
}

enum fr_err fr_list_pread(int fd, uint8_t *bytes, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t got = pread(fd, bytes, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fr_err_from_errno(errno);
        if (got == 0) return FR_E_MALFORMED; /* shorter than it said */
        bytes += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return FR_OK;
}

void fr_list_rows_write(const struct fr_list_row *rows, size_t n, uint8_t *out)
{
    struct fr_wr w = fr_wr(out, n * FR_LIST_ROW_SIZE);

    for (size_t i = 0; i < n; i++) {
        fr_wr_u64(&w, rows[i].eui);
        fr_wr_u32(&w, rows[i].row);
    }
}

void fr_list_rows_read(const uint8_t *bytes, size_t n, struct fr_list_row *out)
{
    struct fr_rd r = fr_rd((struct fr_span){bytes, n * FR_LIST_ROW_SIZE});

    for (size_t i = 0; i < n; i++) {
        out[i].eui = fr_rd_u64(&r);
        out[i].row = fr_rd_u32(&r);
    }
}

static bool is_name(const char *name)
{
    const size_t prefix = sizeof PREFIX - 1;
    uint64_t number;

    return strlen(name) == prefix + 16 + sizeof SUFFIX - 1 && memcmp(name, PREFIX, prefix) == 0 &&
           strcmp(name + prefix + 16, SUFFIX) == 0 &&
           fr_hex_parse_u64((struct fr_span){(const uint8_t *)name + prefix, 16}, 16, &number) ==
               FR_OK;
}

enum fr_err fr_list_make_file(const char *dir, char name[FR_LIST_NAME], bool keep_name,
                              struct fr_diag *diag, int *fd)
{
    uint64_t number = 0;
    char digits[17];

    if (dir == NULL) return FR_E_LIMIT;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return FR_E_IO;
    fr_hex_print_u64(number, 16, digits);
    snprintf(name, FR_LIST_NAME, PREFIX "%s" SUFFIX, digits);
    char *path = fr_path_join(dir, name);
    if (path == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum fr_err err = made < 0 ? fail_io(diag, errno) : FR_OK;
    if (made >= 0) (void)flock(made, LOCK_EX | LOCK_NB); /* alive: not to be swept */
    if (made >= 0 && !keep_name) (void)unlink(path);
    fr_free(path);
    if (err == FR_OK) *fd = made;
    return err;
}

void fr_list_sweep(const char *dir)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;

    if (folder == NULL) return;
    while ((entry = readdir(folder)) != NULL) {
        if (!is_name(entry->d_name)) continue;
        int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) (void)unlinkat(dirfd(folder), entry->d_name, 0);
        (void)close(fd);
    }
    (void)closedir(folder);
}

/* --- life --- */

enum fr_err fr_list_new(const char *dir, struct fr_diag *diag, struct fr_list **out)
{
    struct fr_list *list = fr_calloc(1, sizeof *list);

    if (list != NULL) *list = (struct fr_list){.runs_fd = -1, .fd = -1};
    if (list != NULL && dir != NULL) list->dir = fr_strdup(dir);
    if (list == NULL || (dir != NULL && list->dir == NULL)) {
        fr_free(list);
        return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    }
    *out = list;
    return FR_OK;
}

void fr_list_free(struct fr_list *list)
{
    if (list == NULL) return;
    if (list->name[0] != '\0') {
        char *path = fr_path_join(list->dir, list->name);
        if (path != NULL) (void)unlink(path); /* whoever opened it has taken the name away */
        fr_free(path);
    }
    fr_list_runs_free(list);
    if (list->runs_fd >= 0) (void)close(list->runs_fd);
    if (list->fd >= 0) (void)close(list->fd);
    fr_free(list->rows);
    fr_free(list->out);
    fr_free(list->bytes);
    fr_free(list->window);
    fr_free(list->dir);
    fr_free(list);
}

/* --- from process to process --- */

static enum fr_err write_head(const struct fr_list *list, int fd, struct fr_diag *diag)
{
    uint8_t head[FR_LIST_HEAD_SIZE];
    struct fr_wr w = fr_wr(head, sizeof head);

    fr_wr_bytes(&w, MAGIC, 8);
    fr_wr_u64(&w, list->count);
    fr_wr_u64(&w, list->repeated);
    return fr_list_pwrite(fd, head, sizeof head, 0, diag);
}

/* A short list gets its file only now. */
static enum fr_err write_short(struct fr_list *list, struct fr_diag *diag)
{
    uint8_t bytes[1024 * FR_LIST_ROW_SIZE];

    enum fr_err err = fr_list_make_file(list->dir, list->name, true, diag, &list->fd);
    if (err) return err;
    list->start = FR_LIST_HEAD_SIZE;
    for (size_t at = 0; err == FR_OK && at < list->n; at += 1024) {
        size_t n = list->n - at < 1024 ? list->n - at : 1024;
        fr_list_rows_write(list->rows + at, n, bytes);
        err = fr_list_pwrite(list->fd, bytes, n * FR_LIST_ROW_SIZE,
                             list->start + at * FR_LIST_ROW_SIZE, diag);
    }
    return err;
}

enum fr_err fr_list_publish(struct fr_list *list, struct fr_diag *diag, const char **name)
{
    enum fr_err err = list->fd < 0 ? write_short(list, diag) : FR_OK;

    if (err == FR_OK) err = write_head(list, list->fd, diag);
    if (err == FR_OK) *name = list->name;
    return err;
}

static enum fr_err read_head(struct fr_list *list, struct fr_diag *diag)
{
    uint8_t head[FR_LIST_HEAD_SIZE], magic[8];
    struct fr_rd r = fr_rd((struct fr_span){head, sizeof head});
    struct stat st;

    if (fstat(list->fd, &st) != 0) return fail_io(diag, errno);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 022) != 0 || st.st_uid != geteuid())
        return fr_diag_fail(diag, FR_E_PERM, "the list's file is not this user's own");
    enum fr_err err = fr_list_pread(list->fd, head, sizeof head, 0);
    fr_rd_bytes(&r, magic, sizeof magic);
    list->count = fr_rd_u64(&r);
    list->repeated = fr_rd_u64(&r);
    list->start = FR_LIST_HEAD_SIZE;
    if (err == FR_OK &&
        (memcmp(magic, MAGIC, sizeof magic) != 0 || list->count > FR_LIST_MAX ||
         (uint64_t)st.st_size != FR_LIST_HEAD_SIZE + list->count * FR_LIST_ROW_SIZE))
        err = FR_E_MALFORMED;
    return err ? fr_diag_fail(diag, err, "the list's file is damaged") : FR_OK;
}

static enum fr_err open_file(const char *dir, const char *name, bool is_kept, struct fr_diag *diag,
                             struct fr_list **out)
{
    struct fr_list *list = NULL;
    char *path = NULL;

    enum fr_err err = fr_list_new(dir, diag, &list);
    if (err) return err;
    path = fr_path_join(dir, name);
    if (path == NULL) {
        err = fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
        goto out;
    }
    list->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (list->fd < 0) {
        err = fail_io(diag, errno);
        goto out;
    }
    err = read_head(list, diag);
    if (err) goto out;
    if (!is_kept) (void)unlink(path); /* it goes away with the last of us */
    list->is_finished = true;
    *out = list;
    list = NULL;
out:
    fr_free(path);
    fr_list_free(list);
    return err;
}

enum fr_err fr_list_open(const char *dir, const char *name, struct fr_diag *diag,
                         struct fr_list **out)
{
    if (!is_name(name)) return fr_diag_fail(diag, FR_E_INVALID, "\"%.64s\" is no list", name);
    return open_file(dir, name, false, diag, out);
}

enum fr_err fr_list_open_kept(const char *dir, const char *name, struct fr_diag *diag,
                              struct fr_list **out)
{
    return open_file(dir, name, true, diag, out);
}

/* --- for after this process --- */

static enum fr_err write_rows(struct fr_list *list, int fd, struct fr_diag *diag)
{
    uint8_t bytes[1024 * FR_LIST_ROW_SIZE];
    const struct fr_list_row *rows;
    size_t n = 0;

    for (uint64_t at = 0; at < list->count; at += n) {
        enum fr_err err = fr_list_read(list, at, &rows, &n);
        if (err) return err;
        if (n > 1024) n = 1024;
        fr_list_rows_write(rows, n, bytes);
        err = fr_list_pwrite(fd, bytes, n * FR_LIST_ROW_SIZE,
                             FR_LIST_HEAD_SIZE + at * FR_LIST_ROW_SIZE, diag);
        if (err) return err;
    }
    return FR_OK;
}

static enum fr_err sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) return fr_err_from_errno(errno);
    enum fr_err err = fsync(fd) == 0 ? FR_OK : fr_err_from_errno(errno);
    (void)close(fd);
    return err;
}

enum fr_err fr_list_keep(struct fr_list *list, const char *name, struct fr_diag *diag)
{
    char made[FR_LIST_NAME];
    char *from = NULL, *to = NULL;
    int fd = -1;

    enum fr_err err = fr_list_make_file(list->dir, made, true, diag, &fd);
    if (err) return err;
    from = fr_path_join(list->dir, made);
    to = fr_path_join(list->dir, name);
    err = from != NULL && to != NULL ? write_rows(list, fd, diag) : FR_E_NOMEM;
    if (err == FR_OK) err = write_head(list, fd, diag);
    if (err == FR_OK && (fsync(fd) != 0 || rename(from, to) != 0)) err = fail_io(diag, errno);
    if (err == FR_OK) err = sync_dir(list->dir);
    if (err && from != NULL) (void)unlink(from);
    fr_free(from);
    fr_free(to);
    (void)close(fd);
    return err;
}

/* --- reading --- */

uint64_t fr_list_count(const struct fr_list *list)
{
    return list->count;
}

uint64_t fr_list_repeated(const struct fr_list *list)
{
    return list->repeated;
}

static enum fr_err fill_window(struct fr_list *list, uint64_t at)
{
    size_t n = list->count - at < WINDOW ? (size_t)(list->count - at) : WINDOW;

    if (list->window == NULL) list->window = fr_reallocarray(NULL, WINDOW, sizeof *list->window);
    if (list->bytes == NULL) list->bytes = fr_reallocarray(NULL, WINDOW, FR_LIST_ROW_SIZE);
    if (list->window == NULL || list->bytes == NULL) return FR_E_NOMEM;
    list->n_window = 0;
    enum fr_err err = fr_list_pread(list->fd, list->bytes, n * FR_LIST_ROW_SIZE,
                                    list->start + at * FR_LIST_ROW_SIZE);
    if (err) return err;
    fr_list_rows_read(list->bytes, n, list->window);
    for (size_t i = 1; i < n; i++)
        if (list->window[i - 1].eui >= list->window[i].eui) return FR_E_MALFORMED;
    list->window_at = at;
    list->n_window = n;
    return FR_OK;
}

enum fr_err fr_list_read(struct fr_list *list, uint64_t at, const struct fr_list_row **rows,
                         size_t *n)
{
    *n = 0;
    if (at >= list->count) return FR_OK;
    if (list->fd < 0) {
        *rows = list->rows + at;
        *n = (size_t)(list->count - at);
        return FR_OK;
    }
    if (at < list->window_at || at >= list->window_at + list->n_window) {
        enum fr_err err = fill_window(list, at);
        if (err) return err;
    }
    *rows = list->window + (at - list->window_at);
    *n = (size_t)(list->window_at + list->n_window - at);
    return FR_OK;
}

static enum fr_err eui_at(struct fr_list *list, uint64_t at, uint64_t *out)
{
    uint8_t bytes[FR_LIST_ROW_SIZE];
    struct fr_list_row row;

    if (list->fd < 0) {
        *out = list->rows[at].eui;
        return FR_OK;
    }
    enum fr_err err =
        fr_list_pread(list->fd, bytes, sizeof bytes, list->start + at * FR_LIST_ROW_SIZE);
    if (err) return err;
    fr_list_rows_read(bytes, 1, &row);
    *out = row.eui;
    return FR_OK;
}

enum fr_err fr_list_find(struct fr_list *list, uint64_t eui, bool *is_there)
{
    uint64_t low = 0, high = list->count, found = 0;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        enum fr_err err = eui_at(list, mid, &found);
        if (err) return err;
        if (found == eui) {
            *is_there = true;
            return FR_OK;
        }
        if (found < eui)
            low = mid + 1;
        else
            high = mid;
    }
    *is_there = false;
    return FR_OK;
}
