/* The records that stand at one name of the zone, and around it: store/records.h gathered for one
 * question.
 *
 * Model: a *node* is what one row of the store brings into the zone: the apex, a network, a JoinEUI
 * or a block of them, one device. A name belongs to one node; fr_zone_node_load gathers all records
 * of it, because the extras of an answer come from the same node. A name below a block of JoinEUIs
 * that is not there itself has the records of the wildcard, whose owner they keep (RFC 4592).
 * Owns: nothing; a plain value. Threads: one. Errors: the store's; FR_E_LIMIT for more rows than
 * its limits allow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "names/owner.h"
#include "store/limits.h"
#include "store/records.h"
#include "store/sight.h"

/* A network with all its endpoints (three records each), its pins, two addresses and a TXT. A JoinEUI is less: two SRV and two
 * addresses of each server, two addresses and two NAPTR. */
enum { FR_ZONE_NODE_ROWS = 3 * FR_ENDPOINTS_MAX + FR_PINS_MAX + 3 };
_Static_assert(FR_ZONE_NODE_ROWS >= 4 * FR_JOIN_SERVERS_MAX + 4, "a JoinEUI's records");

struct fr_zone_node {
    struct fr_record rows[FR_ZONE_NODE_ROWS];
    size_t n;
    bool
        exists; /* the name asked for: it has records, or names below it have, or a wildcard stands for it */
    struct fr_owner owner; /* whose rows answer: the name asked for, or the wildcard */
};

/* Who asks, and what they may see. */
struct fr_asker {
    struct fr_sight *sight; /* refreshed to the snap's moment */
    const char *member;
};

enum fr_err fr_zone_node_load(struct fr_zone_node *node, struct fr_snap *snap,
                              const struct fr_asker *asker, const struct fr_owner *owner,
                              int64_t now_s);

/* The next row at or behind *at with that owner and (unless 0) type; *at is then behind it.
 * NULL: no more. */
const struct fr_record *fr_zone_node_next(const struct fr_zone_node *node,
                                          const struct fr_owner *owner, uint16_t type, size_t *at);

bool fr_owner_equal(const struct fr_owner *a, const struct fr_owner *b);
