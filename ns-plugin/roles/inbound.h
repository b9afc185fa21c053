#pragma once
/*
 * One request of a peer, from its arrival to its answer.
 *
 * Model: the peer's key is checked first (resolver/peer.h: cheap while the records are in the cache), then the role
 *   that the message is for acts. inbound.c begins and ends it, home.c does the PRStartReq.
 * Owns: an inbound is freed by fr_inbound_answer() and fr_inbound_result() and nothing else.
 * Threads: the loop's. Units and limits: options->joins inbounds at a time; more get `Other`.
 */
#include "resolver/peer.h"
#include "roles/ns_priv.h"

struct fr_inbound {
    struct fr_inbound *prev, *next;
    struct fr_ns *ns;
    char id[FR_JOIN_ID_TEXT];
    struct fr_bi_exchange *x;
    struct fedroam_lookup *lookup;
    struct fedroam_peer_check *check;
    struct fedroam_answer *answer; /* where the peer is; NULL: not looked up */
    bool is_async;
    struct fr_join_request join;
    struct fr_activation activation;
};

int64_t fr_inbound_ms(const struct fr_inbound *in);

/* Answers (in the response, or by a post of its own) and ends it. */
void fr_inbound_answer(struct fr_inbound *in, const struct fr_bi_message *answer);
void fr_inbound_result(struct fr_inbound *in, enum fr_bi_result result, const char *why);

/* home.c: PRStartReq. */
void fr_home_start(struct fr_inbound *in);
