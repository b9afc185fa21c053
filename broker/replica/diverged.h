#pragma once
/*
 * The changes that a deposed primary had made and the new one lacks, kept as text.
 *
 * Model: diverged-<term>.ndjson in the state directory, mode 0600; <term> is the new primary's. One line for each journal
 *   record after the fork: {"sequence":…,"when":…,"actor":…,"reason":…,"facts":[{"kind":"device","key":hex,"value":hex}]}.
 *   Nobody deletes it but who says so (`fedroam replica diverged`).
 * Threads: any. Errors: base/file.h's, with a diag.
 * Units and limits: files of any length are written record by record.
 */
#include "base/diag.h"
#include "store/feed.h"

/* Writes the file of a deposed store and notes that in it; *n: records. No record: no file. Does nothing when it has been. */
enum fr_err fr_diverged_save(struct fr_store *store, struct fr_diag *diag, uint64_t *n);

/* How many such files there are. */
unsigned fr_diverged_count(const char *state);
