#pragma once
/*
 * Policy: the federation's settings, kept in the store because they hold for all its machines.
 *
 * Model: a fixed table of known keys, each a number of seconds with default and range. A key that was never set has its
 *   default.
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
    FR_POLICY_COUNT,
};

struct fr_policy_about {
    const char *name;       /* "ttl.deveui" */
    uint32_t def, min, max; /* seconds */
    const char *help;
};
const struct fr_policy_about *fr_policy_about(enum fr_policy_key key);
enum fr_err fr_policy_find(const char *name, struct fr_diag *diag, enum fr_policy_key *out);

/* Present value in seconds; the default when never set. */
enum fr_err fr_policy_get(struct fr_snap *snap, enum fr_policy_key key, uint32_t *out);

/* All of them at once, as answers want them. */
struct fr_policy {
    uint32_t seconds[FR_POLICY_COUNT];
};
enum fr_err fr_policy_read(struct fr_snap *snap, struct fr_policy *out);

/* Text as "3600", "1h", "30d". */
enum fr_err fr_policy_set(struct fr_change *change, enum fr_policy_key key, const char *value,
                          struct fr_diag *diag);
