#pragma once
/*
 * The audit trail of a federation: <state>/audit.jsonl, a chained line (admin/audit_line.h) for each
 * operation asked for, done or refused, and one before each signature.
 *
 * Model: append only; the journal in the store says what changed, this says who asked for what and
 *   what came of it. Lines are *added*, and *synced* before an answer leaves. When the file cannot be
 *   written, lines are counted as lost and the trail is *not ready*: its callers then refuse what
 *   must not happen unrecorded. Each later look at it tries again; the first line after a failure
 *   says how many were lost. What a crash left of a last line is moved to a file of its own, and a
 *   line says so. Several processes may append: each line is added under a lock, after whatever the
 *   others added.
 *   <state>/audit.head says how far the chain is on disk, so that a missing end is found. A second
 *   copy may be kept elsewhere; it is brought up to the trail when it can be written again, and its
 *   failure stops nothing.
 * Owns: descriptors. Threads: one; the counters may be read by any.
 * Errors: opening fails for want of memory only. FR_E_UNAVAILABLE with a diag: the trail cannot be
 *   written.
 */

#include "admin/audit_line.h"
#include "base/diag.h"
#include "base/log.h"

#define FR_AUDIT_FILE "audit.jsonl"
#define FR_AUDIT_HEAD "audit.head"

struct fr_audit;

struct fr_audit_options {
    const char *state;        /* directory */
    const char *also;         /* file of the second copy, or NULL */
    const struct fr_log *log; /* may be NULL */
};

enum fr_err fr_audit_open(const struct fr_audit_options *options, struct fr_audit **out);
void fr_audit_close(struct fr_audit *audit); /* syncs; NULL is fine */

/* Another file for the second copy, or none, from the next line on. Any thread. FR_E_NOMEM. */
enum fr_err fr_audit_set_also(struct fr_audit *audit, const char *also);

/* May something happen that must be recorded? now_s: for the line that ends a failure. */
enum fr_err fr_audit_ready(struct fr_audit *audit, int64_t now_s, struct fr_diag *diag);

/* FR_E_UNAVAILABLE: the line is lost, and counted. */
enum fr_err fr_audit_add(struct fr_audit *audit, const struct fr_audit_entry *entry,
                         struct fr_diag *diag);
/* Everything added is on disk. */
enum fr_err fr_audit_sync(struct fr_audit *audit, struct fr_diag *diag);

/* Moves the trail to audit-<first>-<last>.jsonl and goes on in a new file, whose first line follows
 * the last one. name: of the file in the directory. FR_E_NOT_FOUND: it is empty. */
#define FR_AUDIT_NAME_MAX 64
enum fr_err fr_audit_rotate(struct fr_audit *audit, int64_t now_s, const char *actor,
                            struct fr_diag *diag, char name[FR_AUDIT_NAME_MAX]);

struct fr_audit_counters {
    uint64_t lines, failures, copy_failures;
    bool is_ready;
};
struct fr_audit_counters fr_audit_counters(const struct fr_audit *audit);
