/* The short path of the two frequent questions: seen by hand in the query's bytes, answered from a
 * template.
 *
 * Model: for `<16 hex>.deveui.<fed>` and `<6 hex>.netid.<fed>` all bytes of an answer behind its
 * question depend on the network, the type and the EDNS of the query alone, since the question's
 * length is fixed. A *template* is those bytes, cut from an answer of the general path and kept for
 * the store's transaction and the second it was made in.
 * Owns: nothing. Threads: one. Trust: the query is a peer's bytes; whatever is not exactly the
 * expected form is left to the general path, so this one never has to say no. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "answer/answer.h"
#include "names/dname.h"

/* A query of one of the two forms. */
struct fr_fast_query {
    struct fr_owner owner; /* FR_OWNER_DEVEUI or FR_OWNER_NETID */
    uint16_t type;         /* A, AAAA, CNAME, SRV or TLSA */
    uint8_t edns;          /* 0 none, 1 OPT, 2 OPT with padding */
    bool recursion_desired;
    size_t question_n; /* octets behind the header */
};

/* One header, one question in class IN, and at most an OPT of version 0 with no option but
 * Padding. */
bool fr_fast_read(struct fr_span query, const struct fr_dname *apex, struct fr_fast_query *out);

enum { FR_TEMPLATES = 64, FR_TEMPLATE_MAX = 960 };

#define FR_NO_NETID UINT32_MAX /* the template of "no such device", "no such network" */

struct fr_template {
    uint64_t txn;
    int64_t made_s;
    uint32_t netid;
    uint16_t type;
    uint8_t edns;
    uint8_t kind; /* enum fr_owner_kind + 1; 0 = empty */
    uint16_t n;
    uint16_t flags; /* without RD */
    uint16_t count[3];
    uint32_t max_age_s;
    uint8_t bytes[FR_TEMPLATE_MAX];
};

/* The slot where a template for this query and network is, or would be. */
struct fr_template *fr_template_slot(struct fr_template slots[static FR_TEMPLATES],
                                     const struct fr_fast_query *query, uint32_t netid);
bool fr_template_fits(const struct fr_template *t, const struct fr_fast_query *query,
                      uint32_t netid, uint64_t txn, int64_t now_s);

/* Cuts a template from the general path's answer; one that is too long is not kept. */
void fr_template_make(struct fr_template *t, const struct fr_fast_query *query, uint32_t netid,
                      uint64_t txn, int64_t now_s, const struct fr_answer *answer);

/* Header and question from the query, the rest from the template; returns the message's length. */
size_t fr_template_apply(const struct fr_template *t, const struct fr_fast_query *query,
                         struct fr_span wire, uint8_t *message);
