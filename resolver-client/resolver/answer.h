#pragma once
/* Making the public answer (<fedroam/answer.h>): one flat block, so that a copy is one memcpy. */

#include "base/err.h"
#include "resolver/place.h"
#include <fedroam/answer.h>

struct fr_federation_opt;
struct fr_judgement;

struct fr_question {
    enum fedroam_kind kind;
    uint64_t id;
};

/* What a look-up found and for how long. */
struct fr_answer_place {
    uint32_t netid; /* FEDROAM_NO_NETID: a Join Server */
    const struct fr_place *place;
    uint32_t ttl_s;
    enum fedroam_freshness freshness;
    uint64_t *draws; /* for the order of equal endpoints (draw.h) */
};

/* `federation` is NULL for what public trees say, in all of these. FR_E_NOMEM. */
enum fr_err fr_answer_found(struct fr_question q, const struct fr_federation_opt *federation,
                            const struct fr_answer_place *found, struct fedroam_answer **out);

/* Unknown; `ttl_s` is how long that stands, `reason` may be "". */
enum fr_err fr_answer_unknown(struct fr_question q, const struct fr_federation_opt *federation,
                              uint32_t ttl_s, enum fedroam_freshness freshness, const char *reason,
                              struct fedroam_answer **out);

/* Every other result. */
enum fr_err fr_answer_fault(struct fr_question q, const struct fr_federation_opt *federation,
                            const struct fr_judgement *j, struct fedroam_answer **out);

/* The answer there is when there is no memory for one: static, FEDROAM_FAILED; freeing it does
 * nothing. */
const struct fedroam_answer *fr_answer_no_memory(void);
