#pragma once
/*
 * Is a federation's state consistent: what rows say of each other, counted and compared.
 *
 * Model: findings are told one by one, each with how bad it is. *Damage* should never be: it means a fault of the program or the
 *   disk. A *warning* is something an operator should look at.
 * Owns: nothing. Threads: the snap's. Errors: the store's, when it cannot be read at all.
 * Units and limits: walks every row once (10^8 devices in about a second).
 */
#include "store/store.h"

enum fr_finding_kind { FR_FINDING_WARNING, FR_FINDING_DAMAGE };

#define FR_FINDING_WHAT 600

struct fr_finding {
    enum fr_finding_kind kind;
    char what[FR_FINDING_WHAT];
};

/* A row that cannot be decoded, as opposed to a store that cannot be read. */
bool fr_store_is_damage(enum fr_err err);

typedef void (*fr_finding_fn)(void *data, const struct fr_finding *finding);

struct fr_check_report {
    uint64_t devices, networks, members, certs;
    uint64_t hidden, grants; /* of the devices; pairs of store/visibility.h */
    uint64_t warnings, damages;
};

enum fr_err fr_check_store(struct fr_snap *snap, fr_finding_fn fn, void *data,
                           struct fr_check_report *report);

/* Zones of members that are held back or cannot be transferred (store/primary.h): warnings, added to the report. */
enum fr_err fr_check_primaries(struct fr_snap *snap, fr_finding_fn fn, void *data,
                               struct fr_check_report *report);
