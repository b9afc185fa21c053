#pragma once
/* The handle's public DNS: questions to whatever <fedroam/public_dns.h> the host brought, for what
 * stands in ordinary DNS, which is where brokers and Join Servers are.
 *
 * Model: a *session* of the host's implementation, whose loop this is; each question ends once, with a
 *   checked response to it or with why there is none, from the loop and never from inside a call, or
 *   is cancelled. Nothing is remembered here.
 *   A name of a federation's own zone that tells a device, a network or a JoinEUI (below deveui, netid,
 *   joineui of any federation of the handle) is never asked for: those are the broker's to answer.
 * Owns: the session, its questions and copies of what came. Threads: the loop's. Errors: FR_E_UNSUPPORTED: there
 *   is none; FR_E_INVALID: not a name to ask for; FR_E_LIMIT; FR_E_NOMEM.
 * Units and limits: ms; FR_PUBLIC_MS for a question, FR_PUBLIC_OPEN_MAX under way. Trust: what comes is a stranger's bytes, checked to be one whole response to the question,
 *   untruncated, NOERROR or NXDOMAIN; whether it is true nobody knows. */

#include "dns/response.h"
#include "names/dname.h"
#include "resolver/options.h"

struct fr_loop;
struct fr_public_dns;
struct fr_public_question;

enum { FR_PUBLIC_MS = 5000, FR_PUBLIC_OPEN_MAX = 256 };

/* Without a session at first. */
enum fr_err fr_public_dns_new(struct fr_loop *loop, struct fr_public_dns **out);
void fr_public_dns_free(struct fr_public_dns *dns);

/* Opens the session that `from` says, if any, in place of the one there is; questions under way go
 * over to it. `zones` is borrowed for as long: options whose federations' names are kept private. The old session
 * stays on failure. */
enum fr_err fr_public_dns_set(struct fr_public_dns *dns, const struct fedroam_options *from,
                              const struct fedroam_options *zones);

bool fr_public_dns_is_there(const struct fr_public_dns *dns);

struct fr_public_counts {
    uint64_t asked, failed; /* without an answer; cancelled ones apart */
};
struct fr_public_counts fr_public_dns_counts(const struct fr_public_dns *dns);

/* Both are valid during the call: `response` is NULL when none came in time. */
typedef void (*fr_public_done)(void *data, const struct fr_dns_response *response, const char *why);

enum fr_err fr_public_ask(struct fr_public_dns *dns, const struct fr_dname *name, uint16_t type,
                          fr_public_done done, void *data, struct fr_public_question **out);

/* NULL is legal. */
void fr_public_cancel(struct fr_public_question *question);
