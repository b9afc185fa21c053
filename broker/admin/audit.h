#pragma once
/*
 * The audit trail: one JSON object a line in <state>/audit.jsonl, one line for each operation asked
 * for, done or refused.
 *
 * Model: append only; the journal in the store says what changed, this says who asked for what and
 *   what came of it.
 * Owns: the descriptor. Threads: one.
 * Errors: FR_E_CREATE, FR_E_IO (the caller logs it; a change already made stands).
 * Units and limits: a line at most FR_AUDIT_LINE_MAX bytes; arguments that do not fit are left out
 *   and their length told.
 */

#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define FR_AUDIT_LINE_MAX 8192

struct fr_audit;

struct fr_audit_entry {
    int64_t when_s;
    const char *actor;
    const char *op;
    const char *args;   /* JSON text, or NULL */
    const char *reason; /* or NULL */
    bool dry_run;
    enum fr_err err;
    const char *what;  /* why it was refused; NULL when it was not */
    uint64_t sequence; /* 0: none */
};

enum fr_err fr_audit_open(const char *state, struct fr_diag *diag, struct fr_audit **out);
enum fr_err fr_audit_add(struct fr_audit *audit, const struct fr_audit_entry *entry);
void fr_audit_close(struct fr_audit *audit);
