#pragma once
/*
 * Notes certificates that verify and that the federation does not know: asks the writer for cert.note.
 *
 * Model: at most one a second for each worker, and none on a broker that may not write; what was noted already is not asked
 *   for again (access/gate.h).
 * Owns: plain value, filled by its worker. Threads: the worker's. Errors: none; the writer logs its refusals, the next request
 *   asks again.
 * Trust: the certificate is a stranger's but for its signature.
 */
#include "admin/writer.h"
#include "base/clock.h"
#include "main/standby.h"
#include "transport/tls.h"

struct fr_stranger_desk {
    struct fr_writer *writer;
    const struct fr_standby *standby;
    const struct fr_clock *clock;
    int64_t asked_ms; /* monotonic; 0: never */
};

/* der: may be empty (a resumed session does not keep it). data: the desk. */
void fr_stranger_seen(void *data, const struct fr_tls_peer *cert, struct fr_span der);
