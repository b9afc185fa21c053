#pragma once
/*
 * One join server of a JoinEUI, as people write it and as rows hold it.
 *
 * Model: a URL and options, "https://192.0.2.11:8443,also=2001:db8::11,priority=1,weight=10". The scheme is the transport of Backend
 *   Interfaces (https: service LWNS, http: LWN). The host is a name outside of the federation's zone, or an address with perhaps the
 *   other family's address beside it. priority and weight are RFC 2782's: lower priority first, weights share the load within one;
 *   order and preference are RFC 3403's and choose between the transports.
 * Owns: nothing; a plain value. Threads: any.
 * Errors: FR_E_MALFORMED, FR_E_RANGE, FR_E_INVALID (an address nobody can connect to, a path), with the text in the diag.
 * Units and limits: a name of at most FR_JOIN_HOST_MAX characters; ports of the scheme where none is given; all numbers 16 bits.
 * Trust: text is a member's.
 */
#include "base/addr.h"
#include "base/diag.h"
#include "names/owner.h"

#define FR_JOIN_HOST_MAX 127
#define FR_JOIN_SERVER_TEXT 352 /* with the final zero */

/* What is taken where nothing is said; a server's priority is its place in the list, from 1. */
#define FR_JOIN_ORDER 100
#define FR_JOIN_PREFERENCE_HTTPS 50
#define FR_JOIN_PREFERENCE_HTTP 60

struct fr_join_server {
    enum fr_owner_service service;
    char host[FR_JOIN_HOST_MAX + 1]; /* empty: by its addresses */
    uint8_t n_ips;
    struct fr_ip ips[2]; /* at most one of a family */
    uint16_t port;
    uint16_t order, preference, priority, weight;
};

/* `place` in the list, from 1. */
enum fr_err fr_join_server_parse(struct fr_span text, uint16_t place, struct fr_diag *diag,
                                 struct fr_join_server *out);
/* What parse reads back; only what differs from what is taken anyway. */
void fr_join_server_print(const struct fr_join_server *server, uint16_t place,
                          char out[FR_JOIN_SERVER_TEXT]);

bool fr_join_server_equal(const struct fr_join_server *a, const struct fr_join_server *b);
