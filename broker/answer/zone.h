/* A federation's zone as names on the wire: turns the store's records into records of a message.
 *
 * Owns: nothing; a plain value. Threads: any once made. Errors: FR_E_INVALID (the federation's
 * name is no zone), FR_E_LIMIT. */
#pragma once

#include "base/err.h"
#include "dns/rr.h"
#include "names/dname.h"
#include "store/records.h"

struct fr_zone {
    struct fr_dname apex, mname, rname, ns;
};

enum fr_err fr_zone_init(struct fr_zone *zone, const char *federation);

enum fr_err fr_zone_rr(const struct fr_zone *zone, const struct fr_record *record,
                       struct fr_rr *out);
