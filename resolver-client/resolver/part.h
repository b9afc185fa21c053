#pragma once
/* Parts: one federation's share of a look-up, from the cache or a flight to its end. See handle.h. */

#include "resolver/handle.h"

/* From the cache when it can, else onto a flight. May end the part before it returns. */
void fr_part_start(struct fr_part *p);

/* How long ago this federation said that the device is in it, as far as the cache remembers; -1: it
 * did not. */
int64_t fr_part_home_age_ms(struct fr_part *p);

/* What flights tell the parts that wait on them. found, unknown and fault end the part; each
 * leaves its flight first. */
void fr_part_found(struct fr_part *p, const struct fr_place *place);
void fr_part_unknown(struct fr_part *p, uint32_t ttl_s, const char *reason);
void fr_part_fault(struct fr_part *p, const struct fr_judgement *j);

/* The device's NetID, for ttl_s from now; the part waits on. */
void fr_part_set_netid(struct fr_part *p, uint32_t netid, uint32_t ttl_s);

/* Leaves its flight for that of its network, of which `known` tells a part. */
void fr_part_go_on(struct fr_part *p, const struct fr_place_draft *known);
