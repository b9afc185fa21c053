#pragma once
/*
 * Policy: the federation's settings, kept in the store because they hold for all its machines.
 *
 * Model: a fixed table of known keys. A key is a time in seconds, a plain number, or one of a few
 *   words; each has a default and a range. A key that was never set has its default.
 * Errors: FR_E_NOT_FOUND (unknown key; the diag has the nearest), FR_E_RANGE, FR_E_MALFORMED.
 */
#include "store/change.h"

enum fr_policy_key {
    FR_POLICY_TTL_DEVEUI,
    FR_POLICY_TTL_NETID,
    FR_POLICY_TTL_NEGATIVE,
    FR_POLICY_LIFETIME_BROKER,
    FR_POLICY_LIFETIME_DOH,
    FR_POLICY_LIFETIME_NS,
    FR_POLICY_LIFETIME_JS,
    FR_POLICY_VISIBILITY,
    FR_POLICY_BUDGET_UNKNOWN,
    FR_POLICY_BUDGET_MISSES,
    FR_POLICY_BUDGET_QUERIES,
    FR_POLICY_BUDGET_CONNECTIONS,
    FR_POLICY_STATS_KEEP,
    FR_POLICY_CRL_POINT,
    FR_POLICY_BLOCKS,
    FR_POLICY_JOURNAL_KEEP,
    FR_POLICY_JOURNAL_ROWS,
    FR_POLICY_PROBE_EVERY,
    FR_POLICY_PROBE_PRIVATE,
    FR_POLICY_APPROVAL_MEMBER,
    FR_POLICY_APPROVAL_AUTHORITY,
    FR_POLICY_APPROVAL_REVOCATION,
    FR_POLICY_APPROVAL_RIGHTS,
    FR_POLICY_APPROVAL_WAIT,
    FR_POLICY_COUNT,
};

enum fr_policy_unit { FR_POLICY_SECONDS, FR_POLICY_NUMBER, FR_POLICY_WORD };

/* Values of FR_POLICY_VISIBILITY: who sees a device. */
enum fr_visibility {
    FR_VISIBILITY_FEDERATION, /* every active member */
    FR_VISIBILITY_GRANTED,    /* its own member, and those it allows (store/visibility.h) */
};

/* Values of FR_POLICY_CRL_POINT: whether certificates say where the revocation list is. */
enum fr_crl_point {
    FR_CRL_POINT_HTTP, /* http://crl.<fed>/<ca>.crl */
    FR_CRL_POINT_NONE,
};

/* Values of FR_POLICY_BLOCKS: whom store/block.h binds. */
enum fr_blocks_bind {
    FR_BLOCKS_GIVEN,    /* members that have blocks */
    FR_BLOCKS_REQUIRED, /* everybody */
};

/* Values of FR_POLICY_PROBE_PRIVATE: whether the broker connects to members' endpoints that have private addresses. */
enum fr_probe_private { FR_PROBE_PRIVATE_REFUSED, FR_PROBE_PRIVATE_ALLOWED };

struct fr_policy_about {
    const char *name;       /* "ttl.deveui" */
    uint32_t def, min, max; /* in its unit; of words, their index */
    const char *help;
    enum fr_policy_unit unit;
    const char *const *words; /* max + 1 of them; NULL unless it is a word */
};
const struct fr_policy_about *fr_policy_about(enum fr_policy_key key);
enum fr_err fr_policy_find(const char *name, struct fr_diag *diag, enum fr_policy_key *out);

/* Present value; the default when never set. */
enum fr_err fr_policy_get(struct fr_snap *snap, enum fr_policy_key key, uint32_t *out);

/* All of them at once, as answers want them. */
struct fr_policy {
    uint32_t value[FR_POLICY_COUNT];
};
enum fr_err fr_policy_read(struct fr_snap *snap, struct fr_policy *out);

/* Text as "3600", "1h", "30d"; "1000"; "granted". */
enum fr_err fr_policy_set(struct fr_change *change, enum fr_policy_key key, const char *value,
                          struct fr_diag *diag);
