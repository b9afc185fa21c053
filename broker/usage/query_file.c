#include "usage/query_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "names/eui.h"

#define DAY_S 86400
#define WAITING_MAX (1024 * 1024)
#define MOVED_MAX 1000 /* names tried for one second */

struct fr_query_file {
    char *path;
    int64_t keep_s;
    uint64_t size, size_max;
    int64_t day; /* of the file's first line */
    int fd;      /* -1: could not be opened; tried again at each flush */
    struct fr_buf waiting;
    uint64_t lines;
};

static enum fr_err open_file(struct fr_query_file *file, int64_t now_s, struct fr_diag *diag)
{
    struct stat st;

    file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0 || fstat(file->fd, &st) != 0)
        return fr_diag_fail(diag, FR_E_CREATE, "cannot open the query log %s: %s", file->path,
                            strerror(errno));
    file->size = (uint64_t)st.st_size;
    file->day = (st.st_size > 0 ? (int64_t)st.st_mtime : now_s) / DAY_S;
    return FR_OK;
}

/* The time in "<path>.<time>", as fr_time_print has it; FR_E_MALFORMED: not one of ours. */
static enum fr_err read_moved(const struct fr_query_file *file, const char *name, int64_t *out)
{
    const char *slash = strrchr(file->path, '/');
    const char *base = slash != NULL ? slash + 1 : file->path;
    size_t n = strlen(base);
    struct fr_span stamp;

    if (strncmp(name, base, n) != 0 || name[n] != '.') return FR_E_MALFORMED;
    stamp = fr_span_str(name + n + 1);
    if (stamp.n < FR_TIME_TEXT - 1) return FR_E_MALFORMED;
    return fr_time_parse(fr_span(stamp.p, FR_TIME_TEXT - 1), out);
}

/* What cannot be deleted now is met again the next time. */
static void delete_old(const struct fr_query_file *file, int64_t now_s)
{
    char folder[4096];
    const char *slash = strrchr(file->path, '/');
    int64_t moved_s = 0;

    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file->path) + 1 : 1,
                   slash ? file->path : ".");
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (read_moved(file, e->d_name, &moved_s) == FR_OK && moved_s < now_s - file->keep_s)
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    if (dir != NULL) closedir(dir);
}

enum fr_err fr_query_file_open(const struct fr_query_file_conf *conf, int64_t now_s,
                               struct fr_diag *diag, struct fr_query_file **out)
{
    struct fr_query_file *file = fr_calloc(1, sizeof *file);

    if (file == NULL) return FR_E_NOMEM;
    file->fd = -1;
    file->keep_s = conf->keep_s;
    file->size_max = conf->size;
    fr_buf_init(&file->waiting, WAITING_MAX);
    file->path = fr_strdup(conf->path);
    enum fr_err err = file->path != NULL ? open_file(file, now_s, diag) : FR_E_NOMEM;
    if (err != FR_OK) {
        fr_query_file_close(file);
        return err;
    }
    delete_old(file, now_s);
    *out = file;
    return FR_OK;
}

void fr_query_file_close(struct fr_query_file *file)
{
    if (file == NULL) return;
    if (file->fd >= 0 && file->waiting.n > 0)
        (void)!write(file->fd, file->waiting.p, file->waiting.n);
    if (file->fd >= 0) close(file->fd);
    fr_buf_deinit(&file->waiting);
    fr_free(file->path);
    fr_free(file);
}

void fr_query_file_add(struct fr_query_file *file, const struct fr_query_line *line)
{
    char when[FR_TIME_MS_TEXT], eui[FR_EUI_TEXT];
    struct fr_json j = fr_json(&file->waiting);

    fr_time_print_ms(line->when_ms, when);
    fr_eui_print(line->deveui, eui);
    fr_json_object(&j);
    fr_json_put_str(&j, "time", when);
    fr_json_put_str(&j, "member", line->member);
    fr_json_put_str(&j, "deveui", eui);
    fr_json_put_str(&j, "type", line->type);
    fr_json_put_str(&j, "answer", line->answer);
    fr_json_end(&j);
    fr_buf_add_char(&file->waiting, '\n');
    file->lines++;
}

/* Out of the way under the time of its end; a name that is taken gets a number behind it. */
static void move_aside(struct fr_query_file *file, int64_t now_s)
{
    char when[FR_TIME_TEXT], to[4096];

    fr_time_print(now_s, when);
    for (int i = 0; i < MOVED_MAX; i++) {
        int n = i == 0 ? snprintf(to, sizeof to, "%s.%s", file->path, when)
                       : snprintf(to, sizeof to, "%s.%s.%d", file->path, when, i);
        if (n < 0 || (size_t)n >= sizeof to) return;
        if (renameat2(AT_FDCWD, file->path, AT_FDCWD, to, RENAME_NOREPLACE) == 0) break;
        if (errno != EEXIST) return; /* it goes on in the same file */
    }
    close(file->fd);
    file->fd = -1;
    delete_old(file, now_s);
}

enum fr_err fr_query_file_flush(struct fr_query_file *file, int64_t now_s, uint64_t *written,
                                uint64_t *lost)
{
    enum fr_err err = fr_buf_err(&file->waiting);
    bool is_due = file->size > 0 && (file->day != now_s / DAY_S || file->size >= file->size_max);

    if (file->fd >= 0 && is_due) move_aside(file, now_s);
    if (err == FR_OK && file->fd < 0) err = open_file(file, now_s, NULL);
    if (err == FR_OK && file->waiting.n > 0) {
        if (file->size == 0) file->day = now_s / DAY_S;
        ssize_t n = write(file->fd, file->waiting.p, file->waiting.n);
        if (n > 0) file->size += (uint64_t)n;
        if (n != (ssize_t)file->waiting.n) err = FR_E_IO;
    }
    *(err == FR_OK ? written : lost) += file->lines;
    file->lines = 0;
    fr_buf_reset(&file->waiting);
    return err;
}
