#pragma once
/* The admin listener of a daemon with one loop: /healthz, /readyz, /metrics (OpenMetrics). Plain HTTP, GET and HEAD.
 *
 * Owns: its HTTP server. Threads: the loop's. Errors: those of listening. Limits: 64 connections, 256 KiB of metrics.
 * Trust: requests are a peer's bytes; nothing in them is used but method and path.
 */
#include "base/addr.h"
#include "base/diag.h"
#include "base/metrics.h"
#include "transport/loop.h"

struct fr_health;

/* Writes the daemon's families; the end is written here. */
typedef void (*fr_health_metrics_fn)(void *data, struct fr_metrics *m);

enum fr_err fr_health_open(struct fr_loop *loop, const struct fr_addr *at,
                           fr_health_metrics_fn write, void *data, struct fr_diag *diag,
                           struct fr_health **out);
/* /readyz says 503 from now on. */
void fr_health_set_stopping(struct fr_health *health);
/* NULL is legal. */
void fr_health_close(struct fr_health *health);
