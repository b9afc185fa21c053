#pragma once
/*
 * A list of devices of any length in bounded memory: put together in any order, then read sorted, each EUI once.
 *
 * Model: while it is *built* rows are added and sorted in runs of FR_LIST_RUN; runs beyond the first wait in a file of the
 *   directory. Finishing merges them; of rows with the same EUI the first added stays and the others are counted. A finished
 *   list is read by position, ascending. It can be *published*: it is then a file that another process with the same
 *   owner opens by name and thereby takes over.
 *   Files have no name, or one that goes away with whoever made it: those of a process that died are swept by
 *   fr_list_sweep (they are not locked any more).
 * Owns: its memory and files until freed. The directory's path is copied.
 * Threads: one owner. Blocks on the file.
 * Errors: FR_E_LIMIT (more than FR_LIST_MAX rows), FR_E_IO, FR_E_NOMEM; opening: FR_E_NOT_FOUND, FR_E_INVALID (not such a
 *   name), FR_E_PERM (another owner), FR_E_MALFORMED (not such a file; found while reading, when it is not sorted).
 * Units and limits: about 32 bytes of memory for each of FR_LIST_RUN rows, and 16 KiB for each run while they are merged; 12
 *   bytes of disk a row, twice while merging.
 * Trust: an opened file was written by the same user's program; it is checked all the same.
 */
#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_LIST_RUN 1000000u
#define FR_LIST_MAX 1000000000u
#define FR_LIST_NAME 32 /* bytes of a file's name, with the final zero */

struct fr_list;

struct fr_list_row {
    uint64_t eui;
    uint32_t row; /* whatever tells the user which row it was */
};

/* dir: where runs and a published file go; NULL: nowhere, more than FR_LIST_RUN rows are FR_E_LIMIT. */
enum fr_err fr_list_new(const char *dir, struct fr_diag *diag, struct fr_list **out);
void fr_list_free(struct fr_list *list); /* NULL is fine */

enum fr_err fr_list_add(struct fr_list *list, uint64_t eui, uint32_t row, struct fr_diag *diag);
/* After the last row: about budget_ms of work, *done when it was the last. */
enum fr_err fr_list_finish(struct fr_list *list, unsigned budget_ms, struct fr_diag *diag,
                           bool *done);

/* Writes a finished list where fr_list_open finds it; *name is borrowed from the list. */
enum fr_err fr_list_publish(struct fr_list *list, struct fr_diag *diag, const char **name);
enum fr_err fr_list_open(const char *dir, const char *name, struct fr_diag *diag,
                         struct fr_list **out);

/* Writes a finished list to a file of this name in the list's directory, synced, so that it outlives the process; replaces an
 * older one. fr_list_open_kept finds it and leaves it there. */
enum fr_err fr_list_keep(struct fr_list *list, const char *name, struct fr_diag *diag);
enum fr_err fr_list_open_kept(const char *dir, const char *name, struct fr_diag *diag,
                              struct fr_list **out);

/* Of a finished list. */
uint64_t fr_list_count(const struct fr_list *list);
uint64_t fr_list_repeated(const struct fr_list *list);

/* The rows from position `at` on, borrowed until the next call; *n is 0 at the end only. */
enum fr_err fr_list_read(struct fr_list *list, uint64_t at, const struct fr_list_row **rows,
                         size_t *n);
enum fr_err fr_list_find(struct fr_list *list, uint64_t eui, bool *is_there);

/* Removes the files that dead processes left. */
void fr_list_sweep(const char *dir);
