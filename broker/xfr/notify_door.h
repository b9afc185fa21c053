#pragma once
/*
 * Where NOTIFY comes in: one address, UDP and TCP.
 *
 * Model: reads a message, asks `notified` what to answer, answers. Everything else than NOTIFY is refused; nothing that is itself
 *   an answer is answered. An answer is never longer than its question by more than a signature.
 * Owns: its sockets and connections. Threads: the loop's. Errors: those of binding, with a diag.
 * Units and limits: FR_NOTIFY_BURST messages at once and FR_NOTIFY_PER_S a second from everybody together (more are dropped and
 *   counted); FR_NOTIFY_CONNECTIONS connections, each at most FR_NOTIFY_IDLE_MS without a message; messages of FR_NOTIFY_MAX bytes.
 * Trust: a source address of UDP proves nothing: all that a forged NOTIFY does is that a listed server is asked for its SOA.
 */
#include "xfr/secondary.h"

#define FR_NOTIFY_BURST 200
#define FR_NOTIFY_PER_S 100
#define FR_NOTIFY_CONNECTIONS 32
#define FR_NOTIFY_IDLE_MS 10000
#define FR_NOTIFY_MAX 4096

struct fr_notify_door;

struct fr_notify_door_options {
    struct fr_loop *loop;
    const struct fr_clock *clock;
    struct fr_addr at;
    enum fr_dns_rcode (*notified)(void *data, const struct fr_ip *from,
                                  const struct fr_notify *notify, struct fr_span message,
                                  struct fr_notify_proof *proof);
    void *data;
};

enum fr_err fr_notify_door_open(const struct fr_notify_door_options *options, struct fr_diag *diag,
                                struct fr_notify_door **out);
const struct fr_addr *fr_notify_door_at(const struct fr_notify_door *door);
uint64_t fr_notify_door_dropped(const struct fr_notify_door *door);
void fr_notify_door_close(struct fr_notify_door *door); /* NULL is legal */
