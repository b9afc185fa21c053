#pragma once
/* What a broker's HTTP response means for a question: RFC 8484 status codes, RFC 9520 failures.
 * Pure.
 *
 * Owns: nothing; the reply borrows the body. Trust: a broker's bytes; what is quoted of them is
 *   plain ASCII, cut short. */

#include "resolver/link.h"
#include "resolver/reply.h"
#include <fedroam/answer.h>
#include <stdbool.h>

enum { FR_REASON_TEXT = 512 };

/* FOUND: the reply is usable, whatever it says about the name. Otherwise why there is none. */
struct fr_judgement {
    enum fedroam_result result;
    bool may_ask_another; /* this broker failed, another may do better */
    unsigned status;
    int ede;
    uint32_t retry_after_s;
    char alert[48];
    char reason[FR_REASON_TEXT]; /* names the broker */
    struct fr_reply reply;
};

void fr_doh_judge(const struct fr_link_result *r, const char *broker, const struct fr_dname *name,
                  uint16_t type, struct fr_judgement *out);

/* "Prohibited", … of RFC 8914; "" for codes without a name here. */
const char *fr_ede_text(int ede);
