#pragma once
/*
 * One DNS question at a time, from the bytes that came to the bytes that go back, whatever carried
 * them.
 *
 * Model: a job is a member of the carrier's own struct; fr_desk_take() ends with exactly one call
 *   of job->reply, now or later, unless the carrier drops the job first. An empty message means
 *   that nothing is to be said.
 * Owns: nothing of the carrier's; borrows the log. Threads: the loop's.
 * Errors: they are answers: no broker is SERVFAIL with EDE 22, a broker that fails or answers
 *   nonsense is SERVFAIL with EDE 23, one that refuses this member is SERVFAIL with EDE 18.
 * Trust: messages are a stranger's bytes.
 * See: RFC 1035 4.1, RFC 8914.
 */
#include "agent/source.h"
#include "base/log.h"

struct fr_desk;

struct fr_desk_counters {
    uint64_t queries, answers;
    uint64_t dropped;  /* no query at all */
    uint64_t refused;  /* names and types that are not ours to answer */
    uint64_t failed;   /* SERVFAIL */
    uint64_t unknown;  /* NXDOMAIN */
    uint64_t stale;    /* answered past the TTL */
    uint64_t cut;      /* TC */
    uint64_t too_many; /* of the failed: `pending` was reached */
};

struct fr_job {
    void (*reply)(struct fr_job *job, struct fr_span message); /* the job is over */
    /* The desk's. */
    struct fr_desk *desk;
    struct fr_source *source;
    struct fr_records_query *query;
    struct fr_stub_question question;
};

/* The source and the log outlive it, or are replaced before they go. FR_E_NOMEM. */
enum fr_err fr_desk_new(struct fr_source *source, const struct fr_log *log, struct fr_desk **out);
void fr_desk_free(struct fr_desk *desk); /* after its jobs; NULL is legal */

/* New questions go there; takes its own reference. */
void fr_desk_set_source(struct fr_desk *desk, struct fr_source *source);
struct fr_source *fr_desk_source(const struct fr_desk *desk);

/* job->reply may be called from inside. The message is read before it returns. */
void fr_desk_take(struct fr_desk *desk, struct fr_job *job, struct fr_span message, bool is_stream);

/* Ends a job without its reply. */
void fr_desk_drop(struct fr_job *job);

const struct fr_desk_counters *fr_desk_counters(const struct fr_desk *desk);
