#pragma once
/*
 * Which records of a member's zone stand for devices, and for which NetID: both forms that members' zones have.
 *
 * Model: <16 hex>[.deveui].<zone>  CNAME  <6 hex>.netid.<anything>   the NetID is the target's
 *        <16 hex>[.deveui].<zone>  A or AAAA                         the NetID is the zone's only one
 *   What else a zone holds (SOA, NS, hosts, signatures) is none of our business and is not told. A device's record that cannot
 *   be taken is *left out*, with the reason.
 * Owns: nothing. Threads: any. Errors: none. Trust: names are a peer's, whole and checked by dns/xfr.h.
 */
#include "dns/xfr.h"
#include "store/primary.h"

enum fr_form { FR_FORM_DEVICE, FR_FORM_LEFT_OUT, FR_FORM_OTHER };

struct fr_form_device {
    uint64_t eui;
    uint32_t netid;
    const char *why; /* left out; constant text */
};

enum fr_form fr_form_read(const struct fr_primary_row *row, const struct fr_dname *zone,
                          const struct fr_xfr_record *record, struct fr_form_device *out);

/* "owner TYPE [target]" as the left-out list has it, cut to its length. */
void fr_form_print(const struct fr_xfr_record *record, char out[FR_PRIMARY_LEFT_TEXT + 1]);
