#pragma once
/* Look-ups and their parts: from the host's call to its call-back. See handle.h. */

#include "resolver/handle.h"

/* FR_E_NOT_FOUND (federation), FR_E_LIMIT, FR_E_NOMEM. */
enum fr_err fr_lookup_start(struct fedroam *f, struct fr_question q, const char *federation,
                            uint32_t timeout_ms, fedroam_answer_cb done, void *data,
                            struct fedroam_lookup **out);

/* What flights tell the parts that wait on them. found, unknown and fault end the part; each
 * leaves its flight first. */
void fr_part_found(struct fr_part *p, const struct fr_place *place);
void fr_part_unknown(struct fr_part *p, uint32_t ttl_s, const char *reason);
void fr_part_fault(struct fr_part *p, const struct fr_judgement *j);

/* The device's NetID, for ttl_s from now; the part waits on. */
void fr_part_set_netid(struct fr_part *p, uint32_t netid, uint32_t ttl_s);

/* Leaves its flight for that of its network, of which `known` tells a part. */
void fr_part_go_on(struct fr_part *p, const struct fr_place_draft *known);

/* Prepares the handle's timer and delivery. */
void fr_lookups_init(struct fedroam *f);

/* Frees every look-up without its call-back. */
void fr_lookups_free(struct fedroam *f);
