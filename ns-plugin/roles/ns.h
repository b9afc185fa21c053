#pragma once
/*
 * A network server: gateways below, peers beside, its roles in between.
 *
 * Model: forwarding (carries devices of others), home (owns devices), join server (keeps their keys), each on or off. A join heard
 *   by a gateway is a *run*: ours goes to the home role, another's is looked up in the federations and asked of its home. A
 *   request of a peer is an *inbound*. Both are bounded in number and in time.
 * Owns: sockets, connections, state, keys, resolver. Options are borrowed until the next reload or free.
 * Threads: the loop's.
 * Errors: starting: FR_E_CONFIG and those of files and sockets, with a diag. Later everything is a Result, a log record or a
 *   counter; nothing a peer or a gateway sends stops it.
 * Trust: gateways and peers are not trusted; see gateway/gateways.h and backend/server.h.
 */
#include "base/diag.h"
#include "base/log.h"
#include "roles/options.h"
#include "transport/loop.h"

struct fr_ns;
struct fr_metrics;

/* What two keys of the options say against each other. FR_E_CONFIG. */
enum fr_err fr_ns_check(const struct fr_ns_options *options, struct fr_diag *diag);

/* The same, look-ups and federations, and every file the options name: devices, certificates, keys. Opens nothing that listens. */
enum fr_err fr_ns_check_files(const struct fr_ns_options *options, struct fr_diag *diag);

enum fr_err fr_ns_new(struct fr_loop *loop, const struct fr_ns_options *options,
                      const struct fr_log *log, struct fr_diag *diag, struct fr_ns **out);

/* Takes over roles, rules, timers, devices, Join Servers, brokers, look-ups and certificate files. On failure the running ones
 * stay. What needs a restart (which federations, addresses, NetID, state, the dedup window) is FR_E_CONFIG when it changed. */
enum fr_err fr_ns_reload(struct fr_ns *ns, const struct fr_ns_options *options,
                         struct fr_diag *diag);

/* Takes nothing new; runs and inbounds end or are dropped after drain_ms; then on_stopped is called once, from the loop. */
void fr_ns_stop(struct fr_ns *ns, uint32_t drain_ms, void (*on_stopped)(void *data), void *data);

/* All at once. NULL is legal. */
void fr_ns_free(struct fr_ns *ns);

/* Its families and samples; the caller ends the page. */
void fr_ns_write_metrics(struct fr_ns *ns, struct fr_metrics *m);

/* Where it listens; NULL: it does not. */
const struct fr_addr *fr_ns_gateways_addr(const struct fr_ns *ns);
const struct fr_addr *fr_ns_backend_addr(const struct fr_ns *ns);
