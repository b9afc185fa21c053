#pragma once
/*
 * The admin listener of a network server: /healthz, /readyz, /metrics (OpenMetrics). Plain HTTP, GET.
 *
 * Owns: its HTTP server. Threads: the loop's. Errors: those of listening.
 * Trust: requests are a peer's bytes; nothing in them is used but method and path.
 */
#include "base/addr.h"
#include "base/diag.h"
#include "roles/ns.h"

struct fr_ns_admin;

enum fr_err fr_ns_admin_open(struct fr_loop *loop, struct fr_ns *ns, const struct fr_addr *at,
                             struct fr_diag *diag, struct fr_ns_admin **out);
/* /readyz says 503 from now on. */
void fr_ns_admin_set_stopping(struct fr_ns_admin *admin);
/* NULL is legal. */
void fr_ns_admin_close(struct fr_ns_admin *admin);
