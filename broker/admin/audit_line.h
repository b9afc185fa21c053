#pragma once
/*
 * One line of the audit trail: what it says, and how it is chained to the line before it.
 *
 * Model: a line is one JSON object whose last two members are `prev`, the hash of the line before
 *   it (zeros for the first), and `hash`, the SHA-256 of its own bytes up to `,"hash":`. So a line
 *   that was changed does not fit its hash, and one that was dropped, put in or moved does not fit
 *   its neighbours. The hash has no key: who can rewrite the whole file can rewrite its hashes,
 *   which is what the second copy (admin/audit.h) is for.
 * Owns: nothing. Threads: any.
 * Errors: FR_E_MALFORMED: not a line of the trail; FR_E_LIMIT.
 * Units and limits: a line at most FR_AUDIT_LINE_MAX bytes with its end; arguments and results that
 *   do not fit are left out and their digest told.
 * Trust: a file that anybody may have edited.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/key.h"

#include <stdbool.h>
#include <stdint.h>

#define FR_AUDIT_LINE_MAX (64 * 1024)
#define FR_AUDIT_OP_MAX 63

/* Where the chain stands: the last line's number and hash. Zero: before the first. */
struct fr_audit_link {
    uint64_t seq;
    uint8_t hash[FR_SHA256_SIZE];
};

struct fr_audit_entry {
    int64_t when_s;
    const char *actor; /* "local:operator", "cert:<serial>" */
    bool has_uid;      /* of a user of this machine */
    unsigned uid;
    const uint8_t *certificate; /* serial (FR_SERIAL_SIZE bytes) of the peer's; or NULL */
    const char *op;
    const char *args;    /* JSON text, or NULL */
    struct fr_span body; /* only its digest is told */
    const char *reason;  /* or NULL */
    bool dry_run;
    bool is_intent;     /* about to sign; nothing is decided yet */
    enum fr_err err;    /* FR_OK: done */
    const char *what;   /* the refusal's sentence, or NULL */
    uint64_t sequence;  /* of the journal; 0: nothing changed */
    const char *result; /* what everybody may know of the reply, compact JSON; or NULL */
};

/* Appends the line that follows `after`, with its line end; *out is where the chain stands then. */
enum fr_err fr_audit_line_write(const struct fr_audit_entry *entry,
                                const struct fr_audit_link *after, struct fr_buf *line,
                                struct fr_audit_link *out);

/* What the chain and a reader need of a line (without its end). */
struct fr_audit_line {
    struct fr_audit_link link; /* as the line says */
    uint8_t prev[FR_SHA256_SIZE];
    bool is_intact; /* its bytes fit its hash */
    int64_t when_s;
    char op[FR_AUDIT_OP_MAX + 1];
    uint64_t sequence; /* 0: none */
};
enum fr_err fr_audit_line_parse(struct fr_span text, struct fr_audit_line *out);

/* Appends it as people read it: number, time, who, what, what came of it. What is no line is said to
 * be none. Control characters are shown as '?'. */
enum fr_err fr_audit_line_print(struct fr_span text, struct fr_buf *out);
