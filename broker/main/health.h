#pragma once
/*
 * The admin listener: /healthz (every worker's loop turns), /readyz (serving), /metrics
 * (OpenMetrics). Plain HTTP, GET.
 *
 * Model: an answer that needs the workers waits for them, HEALTH_WAIT_MS at most; then it is 503.
 * Owns: its server. Threads: main's. Trust: requests are a peer's bytes; nothing in them is used
 *   but method and path.
 */

#include "main/broker.h"

struct fr_health;

enum fr_err fr_health_open(struct fr_loop *loop, struct fr_broker *broker, const struct fr_addr *at,
                           struct fr_diag *diag, struct fr_health **out);

/* NULL is legal. */
void fr_health_close(struct fr_health *health);
