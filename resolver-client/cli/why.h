#pragma once
/* The parts of `fedroam why`: each looks at one thing and adds its steps to the walk.
 *
 * Model: the member's walk goes over its own certificate, the brokers and the clock, the answer,
 *   and the endpoints it names; the operator's over the federation's state. Every part does
 *   nothing when the walk is over already.
 * Owns: nothing. Threads: one; each part blocks for the time of its questions.
 * Errors: they are steps. Trust: what brokers and endpoints say is a peer's. */

#include "resolver_cli/walk.h"
#include <fedroam/answer.h>

struct fedroam_options;
struct fr_cli;
struct fr_federation_opt;
struct fr_session;

/* The federations of --config, or of the default file. The caller frees. */
enum fr_err fr_why_load(const struct fr_cli *cli, struct fr_diag *diag,
                        struct fedroam_options **out);

/* Do file, key, dates and chain of our certificate fit each other and the federation's CA? */
void fr_why_certificate(struct fr_walk *walk, const struct fr_federation_opt *federation,
                        int64_t now_s);

/* Where is every broker, does it answer the question for this device, at each of its addresses, and what
 * time is it there? One that answers is enough to go on. */
void fr_why_brokers(struct fr_walk *walk, const struct fedroam_options *options,
                    const struct fr_federation_opt *federation, uint64_t deveui);

/* What the look-up found. */
void fr_why_answer(struct fr_walk *walk, const struct fedroam_answer *answer);

/* Can each endpoint of the answer be connected to as the network it says it is? One is enough. */
void fr_why_endpoints(struct fr_walk *walk, const struct fedroam_answer *answer,
                      uint32_t within_ms);

/* What the running broker says of this member and device; NULL: none runs. */
struct fr_admin_reply;
enum fr_err fr_why_ask_broker(const struct fr_cli *cli, uint64_t deveui, const char *member,
                              struct fr_diag *diag, struct fr_admin_reply **out);
/* Its budgets and its last look-ups of the device. */
void fr_why_usage(struct fr_walk *walk, const struct fr_admin_reply *reply, const char *member);

/* The operator's walk: would the member's look-up find the device, and could it connect? */
void fr_why_for(struct fr_walk *walk, const struct fr_session *session,
                const struct fr_admin_reply *broker, uint64_t deveui, const char *member,
                int64_t now_s);
