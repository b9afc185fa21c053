#pragma once
/*
 * The same answers as JSON, for programs of this machine: HTTP/1.1 on a Unix socket.
 *
 * Model: GET /v1/devices/<eui>, /v1/joineuis/<eui> and /v1/networks/<netid>, each with
 *   ?federation=NAME to ask one federation alone; for a NetID that is needed where there are
 *   several, since it means something only inside one. 200 with the answer; else a problem document:
 *   400, 403 (the broker refuses this member), 404 (unknown), 405, 429 with Retry-After, 502, 503.
 * Owns: its HTTP server and the look-ups under way. Threads: the loop's.
 * Errors: those of listening, with a diag. Limits: conns connections; a look-up has the time of the
 *   configuration.
 * Trust: whoever may open the socket file (mode 0660) may ask.
 */
#include "agent/source.h"

struct fr_local;

struct fr_local_conf {
    const char *path;
    unsigned conns;
    uint32_t idle_ms;
};

struct fr_local_counters {
    uint64_t requests, found, unknown, failed;
};

/* Takes its own reference to the source. */
enum fr_err fr_local_open(struct fr_loop *loop, const struct fr_local_conf *conf,
                          struct fr_source *source, struct fr_diag *diag, struct fr_local **out);

/* Look-ups begun from now on go there. */
void fr_local_set_source(struct fr_local *local, struct fr_source *source);

/* Look-ups under way are answered with 503. NULL is legal. */
void fr_local_close(struct fr_local *local);

const struct fr_local_counters *fr_local_counters(const struct fr_local *local);
