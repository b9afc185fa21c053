#pragma once
/* Inside of zones/store: the state of a list, shared by list.c (finished lists) and list_build.c (building one). */
#include "store/list.h"

#define FR_LIST_ROW_SIZE 12  /* in files: EUI, row, big endian */
#define FR_LIST_HEAD_SIZE 24 /* before them: magic (8), count (8), repeated (8) */

struct fr_list_run; /* one of several being merged */

struct fr_list {
    char *dir; /* or NULL */
    bool is_finished;
    uint64_t count, repeated;

    /* In memory: the run being built; the whole of a short finished list. */
    struct fr_list_row *rows;
    size_t n, room;

    /* Building: full runs one after the other in runs_fd, merged into fd. */
    int runs_fd;
    uint64_t n_spilled;
    struct fr_list_run *runs; /* a heap by next row, when merging has begun */
    size_t n_runs;
    bool is_merging;
    uint64_t last; /* EUI merged last */
    uint8_t *out;  /* merged rows that wait to be written */
    size_t n_out;

    /* Finished, in a file: rows begin at `start`. */
    int fd;
    uint64_t start;
    char name[FR_LIST_NAME]; /* "" when it has none */
    uint8_t *bytes;
    struct fr_list_row *window; /* rows [window_at, window_at + n_window) */
    uint64_t window_at;
    size_t n_window;
};

/* A new file of the directory, open for both, mode 0600, locked; with a name, or gone from the directory at once. */
enum fr_err fr_list_make_file(const char *dir, char name[FR_LIST_NAME], bool keep_name,
                              struct fr_diag *diag, int *fd);
void fr_list_rows_write(const struct fr_list_row *rows, size_t n, uint8_t *out);
void fr_list_rows_read(const uint8_t *bytes, size_t n, struct fr_list_row *out);
/* All of it, or a failure with diag. */
enum fr_err fr_list_pwrite(int fd, const uint8_t *bytes, size_t n, uint64_t at,
                           struct fr_diag *diag);
enum fr_err fr_list_pread(int fd, uint8_t *bytes, size_t n, uint64_t at);

void fr_list_sort(struct fr_list_row *rows, struct fr_list_row *scratch, size_t n);
void fr_list_runs_free(struct fr_list *list);
