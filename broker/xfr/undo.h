#pragma once
/*
 * What devices were at an earlier sequence, for those that changed since: a table that grows while a zone is being sent.
 *
 * Model: each journal record behind that sequence is given once, in order; the first fact about a device says what it was.
 * Owns: its rows. Threads: one.
 * Errors: FR_E_CONFLICT (the journal does not say it: a bulk, or an old record), FR_E_LIMIT (FR_UNDO_MAX devices), FR_E_NOMEM.
 */
#include "store/journal.h"

#define FR_UNDO_MAX 500000

struct fr_undo_row {
    uint64_t eui;
    uint32_t netid; /* 0: it was not there */
    uint8_t flags;
};

struct fr_undo {
    struct fr_undo_row *rows; /* by EUI */
    size_t n, room;
};

/* Takes the facts of one record; those about devices below `from` do not matter any more. */
enum fr_err fr_undo_take(struct fr_undo *undo, struct fr_span facts, uint64_t from);
/* Index of the first row at or behind eui. */
size_t fr_undo_find(const struct fr_undo *undo, uint64_t eui);
/* Forgets rows below eui. */
void fr_undo_drop(struct fr_undo *undo, uint64_t eui);
void fr_undo_deinit(struct fr_undo *undo); /* zeroed is legal */
