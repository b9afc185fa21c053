#pragma once
/*
 * The journal: one record for each transaction, in order: who, when, why, and what changed, folded.
 *
 * Model: a record carries *facts*, one for each row touched (the last state wins when a change touches a row twice). A bulk
 *   import is one record with a single `image` fact. Records are only appended; numbers are left out at a restore alone.
 * Errors: FR_E_NOT_FOUND past the end.
 */
#include "base/span.h"
#include "store/change.h"

enum fr_fact_kind {
    FR_FACT_MEMBER = 1,      /* key: id; value: the row, or empty when it is gone; … */
    FR_FACT_NETWORK = 2,     /* key: NetID (3) */
    FR_FACT_JOINEUI = 3,     /* key: EUI (8), of a block its bits (1) */
    FR_FACT_DEVICE = 4,      /* key: EUI (8); value: fr_fact_device_read */
    FR_FACT_CERT = 5,        /* key: serial (16) */
    FR_FACT_KEY = 6,         /* key: SPKI hash (32) */
    FR_FACT_AUTHORITY = 7,   /* key: name */
    FR_FACT_POLICY = 8,      /* key: name; value: seconds (4) */
    FR_FACT_META = 9,        /* key: name; value: text */
    FR_FACT_VISIBILITY = 11, /* key: home id, zero byte, visited id */
    FR_FACT_TOKEN = 12,      /* key: id (16) */
    FR_FACT_RELEASE = 13,    /* key: EUI (8) */
    FR_FACT_CONFLICT = 14,   /* key: EUI (8), of a JoinEUI its bits (1), claimant's id */
    FR_FACT_BLOCK = 15,      /* key: first EUI (8), bits (1) */
    FR_FACT_GRACE = 19,      /* key: member's id, or "*" */
    FR_FACT_IMAGE =
        10, /* key: NetID (3; 0 of a rollback or restore); value: mode (1), added, moved, removed, after (8 each) */
    FR_FACT_IDEMPOTENCY = 17, /* key: day (4), id (16), first line (4) */
    FR_FACT_PRIMARY = 18,     /* key: kind (1), member, zero byte, zone */
    FR_FACT_DOWNSTREAM = 21,  /* key: name */
    FR_FACT_UNKNOWN = 22,     /* key: serial (16) */
    FR_FACT_NOTICE = 16,      /* key: id */
    FR_FACT_APPROVAL = 24,    /* key: id (4) */
    FR_FACT_LAST = 39,        /* none is above it */
};

#define FR_IMAGE_RESTORED                                                                          \
    255 /* mode: numbers in front of this record are left out (store/unknown.h) */

struct fr_journal_record {
    uint64_t sequence;
    int64_t when_s;
    char actor[FR_ACTOR_MAX + 1];
    bool has_serial;
    uint8_t serial[FR_SERIAL_SIZE];
    char reason[FR_REASON_MAX + 1];
    uint32_t n_facts;
    struct fr_span facts; /* borrowed from the snap: use fr_fact_next before it ends */
};

/* The first record with a number >= from. */
enum fr_err fr_journal_next(struct fr_snap *snap, uint64_t from, struct fr_journal_record *out);

/* The oldest record there is; FR_E_NOT_FOUND: none. */
enum fr_err fr_journal_first(struct fr_snap *snap, uint64_t *sequence);

/* Where the latest `n` records begin; where there are fewer, the oldest. FR_E_NOT_FOUND: none. */
enum fr_err fr_journal_latest(struct fr_snap *snap, uint64_t n, uint64_t *sequence);

/* Takes away records that the policy (journal.keep, journal.rows) does not keep, at most `limit` of the oldest, durable; *removed of
 * them, *left: there are more. The latest one stays. */
enum fr_err fr_journal_trim(struct fr_store *store, int64_t now_s, size_t limit, uint64_t *removed,
                            bool *left);

/* What trimming would take away, counted in steps of at most `limit` records; begin with a zeroed one. */
struct fr_journal_count {
    uint64_t n;
    uint64_t next; /* looked at from here on */
};
enum fr_err fr_journal_trim_count(struct fr_snap *snap, int64_t now_s, size_t limit,
                                  struct fr_journal_count *count, bool *left);

struct fr_fact {
    enum fr_fact_kind kind;
    struct fr_span key, value;
};

/* What a device was turned into, and out of what. NetID 0: not there, its flags are 0 then. */
struct fr_fact_device {
    uint32_t netid;
    uint8_t flags;
    bool has_was; /* records of schema 3 and before do not say what was */
    uint32_t was_netid;
    uint8_t was_flags;
};
enum fr_err fr_fact_device_read(struct fr_span value, struct fr_fact_device *out);

/* Takes one fact off the front of `facts`; FR_E_NOT_FOUND when none is left. */
enum fr_err fr_fact_next(struct fr_span *facts, struct fr_fact *out);
