#pragma once
/*
 * The gateways of this network: a UDP server for packet forwarders.
 *
 * Model: each datagram is acknowledged at once, to where it came from, before anything is done with it. A gateway is known by
 *   its EUI from its first datagram; downlinks go to the source of its latest PULL_DATA and nowhere else. A downlink is
 *   followed by a *ticket* until its TX_ACK comes or the owner gives it up.
 * Owns: the socket and the table of gateways. A ticket is a member of its owner's struct, linked here while it waits.
 * Threads: the loop's.
 * Errors: opening: those of bind, with a diag. Sending: FR_E_NOT_FOUND (no such gateway, or it has not asked for downlinks for
 *   FR_GATEWAY_SILENT_MS), FR_E_BUSY (socket full), FR_E_NET.
 * Units and limits: FR_GATEWAYS_MAX gateways (the one unheard longest goes).
 * Trust: UDP proves nothing: only EUIs in the allow-list (when there is one) and source addresses in it are listened to.
 */
#include "base/addr.h"
#include "base/diag.h"
#include "base/log.h"
#include "gateway/gwmp.h"
#include "transport/loop.h"

#define FR_GATEWAYS_MAX 10000
#define FR_GATEWAY_SILENT_MS 60000

struct fr_gateways;

struct fr_gateways_options {
    struct fr_addr at;
    const uint64_t *allow; /* borrowed while it is open; none: every EUI */
    size_t n_allow;
};

struct fr_ticket {
    void (*fn)(void *data,
               enum fr_tx_error error); /* once; the ticket is unlinked before it runs */
    void *data;
    uint64_t gateway;
    uint16_t token;
    bool is_waiting;
    struct fr_ticket *prev, *next;
};

struct fr_gateways_counters {
    uint64_t datagrams, malformed, refused, frames, bad_frames, downlinks, tx_ok, tx_failed;
};

/* on_frame: one received frame, `now_ms` is the loop's time at its arrival. */
enum fr_err fr_gateways_open(struct fr_loop *loop, const struct fr_gateways_options *options,
                             const struct fr_log *log,
                             void (*on_frame)(void *data, uint64_t gateway, const struct fr_rx *rx,
                                              int64_t now_ms),
                             void *data, struct fr_diag *diag, struct fr_gateways **out);

/* Tickets still waiting are unlinked without a call. NULL is legal. */
void fr_gateways_close(struct fr_gateways *g);

/* Another allow-list from now on. */
void fr_gateways_set_allow(struct fr_gateways *g, const uint64_t *allow, size_t n);

/* Where it listens (with the port, when 0 was asked). */
const struct fr_addr *fr_gateways_addr(const struct fr_gateways *g);

/* Whether a downlink could be sent through it now. */
bool fr_gateways_is_reachable(const struct fr_gateways *g, uint64_t gateway);

/* Sends a downlink; the ticket (fn and data set by the owner) waits for its TX_ACK. */
enum fr_err fr_gateways_send(struct fr_gateways *g, uint64_t gateway, const struct fr_tx *tx,
                             struct fr_ticket *ticket);
void fr_ticket_give_up(struct fr_ticket *ticket);

size_t fr_gateways_count(const struct fr_gateways *g);
const struct fr_gateways_counters *fr_gateways_counters(const struct fr_gateways *g);
