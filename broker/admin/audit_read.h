#pragma once
/*
 * Reading an audit trail: line by line, and judging whether the chain holds.
 *
 * Model: a walk gives every line of a file in order, whole or torn. A check is a walk that compares
 *   each line with its hash and with the line before it, and the end with the *head*, the small file
 *   beside the trail that says how far the chain went when it was last brought to disk.
 * Owns: the file for the length of the call. Threads: any.
 * Errors: FR_E_NOT_FOUND, FR_E_PERM, FR_E_IO with a diag; what the callback returned.
 * Trust: a file that anybody may have edited. A line longer than FR_AUDIT_LINE_MAX is given in
 *   pieces that are no lines.
 */

#include "admin/audit_line.h"
#include "base/diag.h"

struct fr_audit_seen {
    uint64_t number; /* of the line in the file, from 1 */
    uint64_t at;     /* where it starts */
    struct fr_span text;
    bool is_torn; /* the file ends before the line does */
    bool is_line; /* `line` is filled */
    struct fr_audit_line line;
};

typedef enum fr_err (*fr_audit_seen_fn)(void *data, const struct fr_audit_seen *seen);
/* From byte `from` on, which must be a line's start (its number is then 1). */
enum fr_err fr_audit_walk(int fd, uint64_t from, fr_audit_seen_fn fn, void *data);
enum fr_err fr_audit_walk_file(const char *path, fr_audit_seen_fn fn, struct fr_diag *diag,
                               void *data);

/* A fault of the chain: at which line of the file, and in words. */
typedef void (*fr_audit_fault_fn)(void *data, uint64_t number, const char *what);

struct fr_audit_verdict {
    uint64_t lines, faults;
    uint64_t first_seq, last_seq; /* 0: no line */
};

/* head: path of the head file, or NULL (the end is then not judged). */
enum fr_err fr_audit_check(const char *path, const char *head, fr_audit_fault_fn fn, void *data,
                           struct fr_diag *diag, struct fr_audit_verdict *out);

/* The head file: written by audit.c after the trail is on disk. FR_E_NOT_FOUND, FR_E_MALFORMED. */
#define FR_AUDIT_HEAD_SIZE (20 + 1 + 2 * FR_SHA256_SIZE + 1)
void fr_audit_head_print(const struct fr_audit_link *link, char out[FR_AUDIT_HEAD_SIZE + 1]);
enum fr_err fr_audit_head_read(const char *path, struct fr_audit_link *out);
