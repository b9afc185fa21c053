#pragma once
/*
 * A replica's copies of the revocation lists that its primary publishes, so that it can give them too, and has the last ones
 * when the primary is lost.
 *
 * Model: every FR_LISTS_EVERY_MS the list of each CA in the store is asked for at ca.<fed>, by the tag of the copy that is there;
 *   one that the CA has signed and that is newer than the file takes its place (ca/crl.h).
 * Owns: its connection. Borrows store, log, clock, loop.
 * Threads: the loop's. Errors: what does not arrive is asked for at the next time; what is refused is logged once.
 * Units and limits: FR_LISTS of them, each of FR_CRL_MAX bytes; one request at a time.
 * Trust: a list is a peer's bytes until its signature is checked; the CA's certificate is the store's.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "transport/http_client.h"

#define FR_LISTS 8
#define FR_LISTS_EVERY_MS 5000

struct fr_lists;

struct fr_lists_options {
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_loop *loop;
};

enum fr_err fr_lists_new(const struct fr_lists_options *options, struct fr_lists **out);
void fr_lists_free(struct fr_lists *lists); /* NULL is fine */

/* Asks for what is due, at the address and with the certificate of `to`; answers come from the loop. Costs nothing before the
 * time. */
void fr_lists_look(struct fr_lists *lists, const struct fr_http_client_conf *to);

/* Ends the connection: the primary is another one, or it is not reached. */
void fr_lists_disconnect(struct fr_lists *lists);
