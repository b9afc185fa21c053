#pragma once
/*
 * The listening sockets of a configuration, one for each listener and worker. They outlive the
 * crews that accept from them: a socket closed with connections in its queue would lose those, so a
 * reload hands it on.
 *
 * Owns: the descriptors; workers take duplicates. Threads: main's.
 * Errors: those of transport/socket.h.
 */

#include "main/conf.h"

struct fr_doors;

/* Opens what `old` (may be NULL) does not have yet, and takes duplicates of the rest. */
enum fr_err fr_doors_open(const struct fr_broker_conf *conf, const struct fr_doors *old,
                          struct fr_diag *diag, struct fr_doors **out);

/* The socket of listener `listen` for worker `worker`; borrowed. */
int fr_doors_fd(const struct fr_doors *doors, size_t listen, unsigned worker);

void fr_doors_close(struct fr_doors *doors); /* NULL is legal */
