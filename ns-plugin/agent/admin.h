#pragma once
/*
 * The admin listener of the agent: /healthz, /readyz, /metrics (OpenMetrics). Plain HTTP, GET.
 *
 * Owns: its HTTP server. Threads: the loop's. Errors: those of listening.
 * Trust: requests are a peer's bytes; nothing in them is used but method and path.
 */
#include "agent/agent.h"
#include "base/addr.h"
#include "base/diag.h"

struct fr_agent_admin;

enum fr_err fr_agent_admin_open(struct fr_loop *loop, struct fr_agent *agent,
                                const struct fr_addr *at, struct fr_diag *diag,
                                struct fr_agent_admin **out);
/* /readyz says 503 from now on. */
void fr_agent_admin_set_stopping(struct fr_agent_admin *admin);
/* NULL is legal. */
void fr_agent_admin_close(struct fr_agent_admin *admin);
