#pragma once
/* Look-ups: from the host's call to its call-back. See handle.h. */

#include "resolver/handle.h"

/* What the usual look-up may take from the cache. */
struct fr_lookup_rule fr_lookup_rule(const struct fedroam *f);

/* FR_E_NOT_FOUND (federation), FR_E_LIMIT, FR_E_NOMEM. */
enum fr_err fr_lookup_start(struct fedroam *f, struct fr_question q, const char *federation,
                            const struct fr_lookup_rule *rule, uint32_t timeout_ms,
                            fedroam_answer_cb done, void *data, struct fedroam_lookup **out);

/* A part came to its end; the answer (NULL: no memory for one) becomes the look-up's. */
void fr_lookup_part_ended(struct fr_part *p, struct fedroam_answer *a);

/* Prepares the handle's timers and delivery. */
void fr_lookups_init(struct fedroam *f);

/* Frees every look-up without its call-back. */
void fr_lookups_free(struct fedroam *f);
