#pragma once
/*
 * Where secondaries come in: one address, TCP and UDP in clear text (serve: xfr), or TLS (serve: xot).
 *
 * Model: reads a question, asks `find` whose zone it is, hands it to that outlet, sends what comes: a message, or a transfer in as
 *   many pieces as the connection takes. A connection has one transfer at a time; it may ask again and again.
 * Owns: its sockets, connections and their transfers. Threads: the loop's. Errors: those of binding, with a diag.
 * Units and limits: FR_TRANSFER_CONNECTIONS connections; FR_TRANSFER_IDLE_MS without a question or progress; FR_TRANSFER_BURST
 *   datagrams at once and FR_TRANSFER_PER_S a second from everybody together; questions of FR_TRANSFER_ASK_MAX octets; half a
 *   MiB waits for a slow peer.
 * Trust: whoever connects. In clear text nothing is told without a signature; an unsigned question gets a refusal of its own size.
 */
#include "base/addr.h"
#include "transport/frames.h"
#include "xfr/outlet.h"

#define FR_TRANSFER_CONNECTIONS 64
#define FR_TRANSFER_IDLE_MS 30000
#define FR_TRANSFER_HANDSHAKE_MS 10000
#define FR_TRANSFER_BURST 200
#define FR_TRANSFER_PER_S 100
#define FR_TRANSFER_ASK_MAX 4096

struct fr_transfer_door;

struct fr_transfer_door_options {
    struct fr_loop *loop;
    struct fr_addr at;
    struct fr_tls_acceptor *acceptor; /* NULL: clear text */
    fr_tls_select_fn select;          /* its choice's tag comes back in find */
    void *select_data;
    /* The outlet that has this zone; tag NULL: any federation's. NULL: none. */
    struct fr_outlet *(*find)(void *data, void *tag, const struct fr_dname *zone);
    void *data;
};

enum fr_err fr_transfer_door_open(const struct fr_transfer_door_options *options,
                                  struct fr_diag *diag, struct fr_transfer_door **out);
const struct fr_addr *fr_transfer_door_at(const struct fr_transfer_door *door);
bool fr_transfer_door_is_tls(const struct fr_transfer_door *door);
uint64_t fr_transfer_door_dropped(const struct fr_transfer_door *door);
/* Ends the connections that have to do with an outlet, before it goes. */
void fr_transfer_door_leave(struct fr_transfer_door *door, const struct fr_outlet *outlet);
void fr_transfer_door_close(struct fr_transfer_door *door); /* NULL is legal */
