#pragma once
/*
 * A replica's own certificate, renewed before it ends by asking the primary (EST, simplereenroll).
 *
 * Model: one pair of files, key and chain, that is also what the request is made with; when it is due (ca/server_watch.h) the
 *   primary gets a request for the same key, and what it issues takes the place of the chain. Whoever uses the files notices.
 * Owns: its connection. Borrows store, log, clock, loop; copies paths.
 * Threads: the loop's. Errors: are logged once for each time that it is due; the watch asks again.
 * Trust: the answer is a peer's bytes until it verifies up to the root, for the key and for the names that it had before.
 * See: RFC 7030 §4.2.2.
 */
#include "base/log.h"
#include "store/store.h"
#include "transport/http_client.h"

struct fr_renewal;

struct fr_renewal_options {
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_loop *loop;
    const char *chain, *key, *ca; /* files */
};

enum fr_err fr_renewal_new(const struct fr_renewal_options *options, struct fr_renewal **out);
void fr_renewal_free(struct fr_renewal *renewal); /* NULL is fine */

/* Asks at the address of `to` when it is due; the answer comes from the loop. Costs nothing before the time. */
void fr_renewal_look(struct fr_renewal *renewal, const struct fr_http_client_conf *to);

/* Ends the connection: the primary is another one, or it is not reached. */
void fr_renewal_disconnect(struct fr_renewal *renewal);
