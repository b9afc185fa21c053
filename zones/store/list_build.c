#include "base/clock.h"
#include "base/mem.h"
#include "store/list_state.h"

#include <string.h>
#include <unistd.h>

/* An external sort: runs in memory by radix, then one merge of all of them through a heap. */

#define ROOM_FIRST 1024
#define RUN_WINDOW 1365 /* rows of a run read at once: 16 KiB */
#define OUT_ROWS 5461   /* merged rows written at once: 64 KiB */
#define CLOCK_EVERY 4096

struct fr_list_run {
    uint64_t from, to; /* spilled rows not yet read */
    struct fr_list_row *rows;
    size_t at, n;
    uint32_t order; /* earlier runs hold earlier rows */
};

/* By EUI, stable, one byte at a time from the last; a byte that all share costs only its count. */
void fr_list_sort(struct fr_list_row *rows, struct fr_list_row *scratch, size_t n)
{
    uint32_t counts[8][256] = {{0}};
    struct fr_list_row *from = rows, *to = scratch;

    for (size_t i = 0; i < n; i++)
        for (unsigned d = 0; d < 8; d++) counts[d][(rows[i].eui >> (8 * d)) & 0xff]++;
    for (unsigned d = 0; d < 8; d++) {
        uint32_t at = 0;
        if (n == 0 || counts[d][(rows[0].eui >> (8 * d)) & 0xff] == n) continue;
        for (unsigned v = 0; v < 256; v++) {
            uint32_t size = counts[d][v];
            counts[d][v] = at;
            at += size;
        }
        for (size_t i = 0; i < n; i++) to[counts[d][(from[i].eui >> (8 * d)) & 0xff]++] = from[i];
        struct fr_list_row *swap = from;
        from = to;
        to = swap;
    }
    if (from != rows) memcpy(rows, from, n * sizeof *rows);
}

/* Most lists come sorted: then it costs one look. */
static enum fr_err sort_run(struct fr_list *list)
{
    bool is_sorted = true;

    for (size_t i = 1; is_sorted && i < list->n; i++)
        is_sorted = list->rows[i - 1].eui <= list->rows[i].eui;
    if (is_sorted) return FR_OK;
    struct fr_list_row *scratch = fr_reallocarray(NULL, list->n, sizeof *scratch);
    if (scratch == NULL) return FR_E_NOMEM;
    fr_list_sort(list->rows, scratch, list->n);
    fr_free(scratch);
    return FR_OK;
}

static enum fr_err spill(struct fr_list *list, struct fr_diag *diag)
{
    uint8_t bytes[1024 * FR_LIST_ROW_SIZE];

    if (list->dir == NULL)
        return fr_diag_fail(diag, FR_E_LIMIT, "more than %u devices in one list", FR_LIST_RUN);
    enum fr_err err = sort_run(list);
    if (err == FR_OK && list->runs_fd < 0) {
        char name[FR_LIST_NAME];
        err = fr_list_make_file(list->dir, name, false, diag, &list->runs_fd);
    }
    for (size_t i = 0; err == FR_OK && i < list->n; i += 1024) {
        size_t n = list->n - i < 1024 ? list->n - i : 1024;
        fr_list_rows_write(list->rows + i, n, bytes);
        err = fr_list_pwrite(list->runs_fd, bytes, n * FR_LIST_ROW_SIZE,
                             (list->n_spilled + i) * FR_LIST_ROW_SIZE, diag);
    }
    if (err == FR_OK) {
        list->n_spilled += list->n;
        list->n = 0;
    }
    return err;
}

enum fr_err fr_list_add(struct fr_list *list, uint64_t eui, uint32_t row, struct fr_diag *diag)
{
    if (list->n == FR_LIST_RUN) {
        enum fr_err err = spill(list, diag);
        if (err) return err;
    }
    if (list->count >= FR_LIST_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "more than %u devices in one list", FR_LIST_MAX);
    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : ROOM_FIRST;
        if (room > FR_LIST_RUN) room = FR_LIST_RUN;
        struct fr_list_row *rows = fr_reallocarray(list->rows, room, sizeof *rows);
        if (rows == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
        list->rows = rows;
        list->room = room;
    }
    list->rows[list->n++] = (struct fr_list_row){.eui = eui, .row = row};
    list->count++;
    return FR_OK;
}

/* --- one run only --- */

static enum fr_err finish_short(struct fr_list *list, struct fr_diag *diag)
{
    size_t kept = 0;

    if (sort_run(list) != FR_OK) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    for (size_t i = 0; i < list->n; i++)
        if (kept == 0 || list->rows[kept - 1].eui != list->rows[i].eui)
            list->rows[kept++] = list->rows[i];
    list->repeated = list->n - kept;
    list->n = kept;
    list->count = kept;
    list->is_finished = true;
    return FR_OK;
}

/* --- several runs --- */

static enum fr_err run_fill(const struct fr_list *list, struct fr_list_run *run)
{
    uint8_t bytes[RUN_WINDOW * FR_LIST_ROW_SIZE];
    size_t n = run->to - run->from < RUN_WINDOW ? (size_t)(run->to - run->from) : RUN_WINDOW;

    enum fr_err err =
        fr_list_pread(list->runs_fd, bytes, n * FR_LIST_ROW_SIZE, run->from * FR_LIST_ROW_SIZE);
    if (err) return err;
    fr_list_rows_read(bytes, n, run->rows);
    run->from += n;
    run->at = 0;
    run->n = n;
    return FR_OK;
}

static bool is_before(const struct fr_list_run *a, const struct fr_list_run *b)
{
    uint64_t x = a->rows[a->at].eui, y = b->rows[b->at].eui;

    return x != y ? x < y : a->order < b->order;
}

static void sift_down(struct fr_list *list, size_t i)
{
    struct fr_list_run *runs = list->runs, moved = runs[i];

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= list->n_runs) break;
        if (child + 1 < list->n_runs && is_before(&runs[child + 1], &runs[child])) child++;
        if (!is_before(&runs[child], &moved)) break;
        runs[i] = runs[child];
        i = child;
    }
    runs[i] = moved;
}

void fr_list_runs_free(struct fr_list *list)
{
    for (size_t i = 0; i < list->n_runs; i++) fr_free(list->runs[i].rows);
    fr_free(list->runs);
    list->runs = NULL;
    list->n_runs = 0;
}

static enum fr_err begin_merge(struct fr_list *list, struct fr_diag *diag)
{
    enum fr_err err = list->n > 0 ? spill(list, diag) : FR_OK;
    uint64_t n = (list->n_spilled + FR_LIST_RUN - 1) / FR_LIST_RUN;

    if (err) return err;
    fr_free(list->rows); /* the runs' windows take its place */
    list->rows = NULL;
    list->room = 0;
    list->runs = fr_calloc((size_t)n, sizeof *list->runs);
    list->out = fr_malloc(OUT_ROWS * FR_LIST_ROW_SIZE);
    if (list->runs == NULL || list->out == NULL) return FR_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        uint64_t from = (uint64_t)i * FR_LIST_RUN, to = from + FR_LIST_RUN;
        struct fr_list_run run = {.from = from, .order = (uint32_t)i};
        run.to = to < list->n_spilled ? to : list->n_spilled;
        run.rows = fr_reallocarray(NULL, RUN_WINDOW, sizeof *run.rows);
        if (run.rows == NULL) return FR_E_NOMEM;
        list->runs[list->n_runs++] = run;
        err = run_fill(list, &list->runs[i]);
        if (err) return err;
    }
    for (size_t i = list->n_runs / 2; i-- > 0;) sift_down(list, i);
    err = fr_list_make_file(list->dir, list->name, true, diag, &list->fd);
    list->start = FR_LIST_HEAD_SIZE;
    list->count = 0;
    list->is_merging = true;
    return err;
}

static enum fr_err flush_out(struct fr_list *list, struct fr_diag *diag)
{
    uint64_t at = list->start + (list->count - list->n_out) * FR_LIST_ROW_SIZE;

    enum fr_err err = fr_list_pwrite(list->fd, list->out, list->n_out * FR_LIST_ROW_SIZE, at, diag);
    list->n_out = 0;
    return err;
}

/* Takes the smallest row of all runs. */
static enum fr_err merge_one(struct fr_list *list, struct fr_diag *diag)
{
    struct fr_list_run *first = &list->runs[0];
    struct fr_list_row row = first->rows[first->at++];
    enum fr_err err = FR_OK;

    if (first->at == first->n && first->from < first->to) err = run_fill(list, first);
    if (err) return err;
    if (first->at == first->n) {
        fr_free(first->rows);
        list->runs[0] = list->runs[--list->n_runs];
    }
    if (list->n_runs > 0) sift_down(list, 0);
    if (list->count > 0 && row.eui == list->last) {
        list->repeated++;
        return FR_OK;
    }
    fr_list_rows_write(&row, 1, list->out + list->n_out * FR_LIST_ROW_SIZE);
    list->last = row.eui;
    list->count++;
    return ++list->n_out == OUT_ROWS ? flush_out(list, diag) : FR_OK;
}

static enum fr_err end_merge(struct fr_list *list, struct fr_diag *diag)
{
    enum fr_err err = flush_out(list, diag);

    fr_list_runs_free(list);
    fr_free(list->out);
    list->out = NULL;
    (void)close(list->runs_fd);
    list->runs_fd = -1;
    list->is_finished = true;
    return err;
}

static enum fr_err finish_long(struct fr_list *list, int64_t deadline_ms, struct fr_diag *diag)
{
    enum fr_err err = list->is_merging ? FR_OK : begin_merge(list, diag);

    for (size_t n = 1; err == FR_OK && list->n_runs > 0; n++) {
        err = merge_one(list, diag);
        if (n % CLOCK_EVERY == 0 && fr_clock_mono_ms(fr_clock_system()) >= deadline_ms) break;
    }
    if (err == FR_OK && list->n_runs == 0) err = end_merge(list, diag);
    return err;
}

enum fr_err fr_list_finish(struct fr_list *list, unsigned budget_ms, struct fr_diag *diag,
                           bool *done)
{
    int64_t deadline_ms = fr_clock_mono_ms(fr_clock_system()) + budget_ms;
    enum fr_err err = FR_OK;

    if (!list->is_finished)
        err =
            list->n_spilled == 0 ? finish_short(list, diag) : finish_long(list, deadline_ms, diag);
    if (err == FR_OK) *done = list->is_finished;
    return err;
}
