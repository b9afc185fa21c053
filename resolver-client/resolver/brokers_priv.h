#pragma once
/* The inside of the brokers of a federation: brokers.c keeps their health, ask.c carries one
 * question. See brokers.h. */

#include "resolver/breaker.h"
#include "resolver/brokers.h"
#include "transport/loop.h"

enum { FR_QUESTION_MAX = 512 }; /* bytes: a name is at most 255, and one OPT */

struct fr_broker {
    struct fr_brokers *set;
    struct fr_link *link;
    const char *host;
    struct fr_breaker breaker;
    char reason[FR_REASON_TEXT]; /* of the last failure */
    int64_t answered_ms;         /* when it answered last */
    struct fr_timer probe_timer;
    struct fr_link_call *probe;
};

struct fr_brokers {
    const struct fedroam_options *options;
    const struct fr_federation_opt *federation;
    struct fr_loop *loop;
    struct fr_ask *asks; /* open ones */
    struct fr_brokers_counts counts;
    int64_t held_until_ms; /* the end of a Retry-After; 0: none */
    char held_reason[FR_REASON_TEXT];
    size_t n;
    struct fr_broker brokers[FR_BROKERS_MAX];
};

/* Writes the question as it goes to a broker. FR_E_LIMIT. */
enum fr_err fr_question_write(const struct fr_dname *name, uint16_t type,
                              uint8_t out[FR_QUESTION_MAX], size_t *n);

/* What came from a broker, for its health and the federation's budget. */
void fr_broker_heard(struct fr_broker *k, const struct fr_link_result *r,
                     const struct fr_judgement *j);

/* Is the federation over its budget now? Then *j says so. */
bool fr_brokers_is_held(struct fr_brokers *b, struct fr_judgement *j);
