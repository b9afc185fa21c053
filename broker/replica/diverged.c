#include "replica/diverged.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "store/feed_message.h"
#include "store/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES (4 * FR_CHANGE_FACTS_MAX)

static void write_hex(struct fr_json *j, const char *key, struct fr_span bytes, struct fr_buf *room)
{
    fr_buf_reset(room);
    char *text = (char *)fr_buf_reserve(room, 2 * bytes.n + 1);
    if (text == NULL) return;
    fr_hex_print(bytes.p, bytes.n, text);
    fr_json_put_str(j, key, text);
}

static enum fr_err write_record(const struct fr_journal_record *record, struct fr_buf *line)
{
    struct fr_json j = fr_json(line);
    struct fr_buf room = FR_BUF_INIT(LINE_MAX_BYTES);
    struct fr_span facts = record->facts;
    char when[FR_TIME_TEXT];
    struct fr_fact fact;
    enum fr_err err = FR_OK;

    fr_time_print(record->when_s, when);
    fr_json_object(&j);
    fr_json_put_uint(&j, "sequence", record->sequence);
    fr_json_put_str(&j, "when", when);
    fr_json_put_str(&j, "actor", record->actor);
    fr_json_put_str(&j, "reason", record->reason);
    fr_json_key(&j, "facts");
    fr_json_array(&j);
    while (err == FR_OK) {
        err = fr_fact_next(&facts, &fact);
        if (err) break;
        fr_json_object(&j);
        fr_json_put_uint(&j, "kind", (uint64_t)fact.kind);
        write_hex(&j, "key", fact.key, &room);
        write_hex(&j, "value", fact.value, &room);
        fr_json_end(&j);
        err = fr_buf_err(&room);
    }
    fr_json_end(&j);
    fr_json_end(&j);
    fr_buf_add_char(line, '\n');
    fr_buf_deinit(&room);
    return err == FR_E_NOT_FOUND ? fr_buf_err(line) : err;
}

static enum fr_err write_all(int fd, struct fr_span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fr_err_from_errno(errno);
        bytes = fr_span(bytes.p + n, bytes.n - (size_t)n);
    }
    return FR_OK;
}

static enum fr_err write_records(struct fr_store *store, uint64_t after, int fd, uint64_t *n)
{
    struct fr_buf line = FR_BUF_INIT(LINE_MAX_BYTES);
    struct fr_journal_record record;
    struct fr_snap *snap = NULL;

    enum fr_err err = fr_snap_begin(store, &snap);
    while (err == FR_OK) {
        err = fr_journal_next(snap, after + 1, &record);
        if (err) break;
        fr_buf_reset(&line);
        err = write_record(&record, &line);
        if (err == FR_OK) err = write_all(fd, fr_buf_span(&line));
        after = record.sequence;
        (*n)++;
    }
    fr_snap_end(snap);
    fr_buf_deinit(&line);
    if (err == FR_E_NOT_FOUND) err = FR_OK;
    if (err == FR_OK && fsync(fd) != 0) err = fr_err_from_errno(errno);
    return err;
}

/* Written under another name first: a file of that name is whole. */
static enum fr_err write_file(struct fr_store *store, const struct fr_feed_fork *fork,
                              struct fr_diag *diag, uint64_t *n)
{
    char name[64];
    (void)snprintf(name, sizeof name, "diverged-%" PRIu32 ".ndjson", fork->term);
    char *path = fr_path_join(fr_store_dir(store), name);
    char *temporary = fr_path_join(fr_store_dir(store), ".diverged.tmp");
    enum fr_err err = path && temporary ? FR_OK : FR_E_NOMEM;
    int fd = -1;

    if (err == FR_OK) {
        (void)unlink(temporary);
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) err = fr_err_from_errno(errno);
    }
    if (err == FR_OK) err = write_records(store, fork->sequence, fd, n);
    if (err == FR_OK && rename(temporary, path) != 0) err = fr_err_from_errno(errno);
    if (err && path != NULL) err = fr_diag_fail(diag, err, "%s: %s", path, fr_err_text(err));
    if (fd >= 0) (void)close(fd);
    fr_free(temporary);
    fr_free(path);
    return err;
}

enum fr_err fr_diverged_save(struct fr_store *store, struct fr_diag *diag, uint64_t *n)
{
    struct fr_feed_state state;
    struct fr_feed_fork fork;
    struct fr_snap *snap = NULL;

    *n = 0;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (err == FR_OK) err = fr_feed_get(snap, &state);
    fr_snap_end(snap);
    if (err) return fr_diag_fail(diag, err, "the store cannot be read: %s", fr_err_text(err));
    if (state.role != FR_ROLE_DEPOSED || state.is_saved) return FR_OK;
    if (!fr_feed_find_fork(state.forks, state.n_forks, state.term, &fork))
        fork = (struct fr_feed_fork){.term = state.term + 1}; /* unknown: keep all */
    if (state.sequence > fork.sequence) err = write_file(store, &fork, diag, n);
    return err ? err : fr_feed_note_saved(store);
}

unsigned fr_diverged_count(const char *state)
{
    DIR *dir = opendir(state);
    unsigned n = 0;

    if (dir == NULL) return 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const struct fr_span name = fr_span_str(entry->d_name);
        if (fr_span_starts(name, "diverged-") && fr_span_ends(name, ".ndjson")) n++;
    }
    (void)closedir(dir);
    return n;
}
