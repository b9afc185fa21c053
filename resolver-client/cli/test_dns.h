#pragma once
/* Does plain DNS on this machine lead into the federations?
 *
 * Model: like the parts of `fedroam why`: each looks at one thing and adds its step to the walk.
 * Owns: nothing. Threads: one; each blocks for the time of a question. Errors: they are steps.
 * Trust: what an agent answers is judged by its header alone. */

#include "base/addr.h"
#include "resolver_cli/walk.h"

struct fr_federation_opt;

/* Asks the agent for a device that nobody has. */
void fr_test_dns_agent(struct fr_walk *walk, const struct fr_federation_opt *federation,
                       const struct fr_addr *server);

/* Asks the machine's own resolver for a network's server. Not found is worth a look: only programs
 * that use names need it. */
void fr_test_dns_system(struct fr_walk *walk, const struct fr_federation_opt *federation,
                        uint32_t netid);
