#pragma once
/*
 * The query log on disk: one JSON object a line, moved aside each day and when it grows too large,
 * old ones deleted.
 *
 * Model: lines are gathered and written together. The file is moved to <file>.<time>Z at the turn
 *   of the UTC day and at `size` bytes; files moved aside longer ago than `keep` are deleted, at
 *   each move and when it is opened.
 * Owns: descriptor and buffer. Threads: one.
 * Errors: FR_E_CREATE with a diag that names the file; FR_E_IO: lines were lost, and how many.
 * Units and limits: lines wait for fr_query_file_flush, at most some 200 KiB of them.
 * Trust: its content names who asked for which device and when: 0600, no link followed.
 */
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"

struct fr_query_file;

struct fr_query_file_conf {
    const char *path;
    int64_t keep_s;
    uint64_t size;
};

enum fr_err fr_query_file_open(const struct fr_query_file_conf *conf, int64_t now_s,
                               struct fr_diag *diag, struct fr_query_file **out);
void fr_query_file_close(struct fr_query_file *file); /* flushes; NULL is fine */

/* One question: answer is a NetID's text, "none" or "refused". */
struct fr_query_line {
    int64_t when_ms;
    const char *member;
    uint64_t deveui;
    const char *type, *answer;
};
void fr_query_file_add(struct fr_query_file *file, const struct fr_query_line *line);

/* Writes what waits. *lost: lines that could not be written. */
enum fr_err fr_query_file_flush(struct fr_query_file *file, int64_t now_s, uint64_t *written,
                                uint64_t *lost);
