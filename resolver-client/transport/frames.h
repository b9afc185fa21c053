#pragma once
/* Messages behind their length, two octets, on one connection: DNS over TCP and over TLS (RFC 1035 4.2.2, RFC 7858 3.3).
 *
 * Model:   connect (or take an accepted socket) → `up` → messages both ways → `end`, once. After `end` nothing is called back;
 *          the handle stays the owner's until it is freed, which is legal from within its own callbacks.
 * Owns:    the descriptor and the buffers; a reference to the TLS context.
 * Threads: the loop's. Errors: `end` says why in words; NULL: the peer closed properly between two messages.
 * Limits:  message_max bytes for a message that comes in; FR_FRAMES_OUT_MAX bytes wait to be sent; connect_ms for connection
 *          and handshake together; idle_ms without a whole message coming in.
 * Trust:   what comes is a peer's. An accepted TLS connection proves no more than a certificate of the federation's CA: what it may
 *          do is the owner's to ask of fr_frames_peer. Over TLS: 1.3 only, ALPN "dot" (RFC 9103 7.1, 8.1); the peer is proved by its name and our
 *          CA, or, with a pin, by its key alone (RFC 7858 4.2).
 */
#include "base/addr.h"
#include "base/span.h"
#include "transport/loop.h"
#include "transport/tls.h"

#define FR_FRAMES_OUT_MAX (512 * 1024)

struct fr_frames;

struct fr_frames_options {
    struct fr_loop *loop;
    size_t message_max;
    uint32_t connect_ms, idle_ms;
    struct fr_tls_ctx *tls; /* NULL: plain */
    const char *tls_name;   /* that the certificate must have; also the SNI; NULL only with a pin */
    const uint8_t *pin;     /* 32 bytes, SHA-256 of the SubjectPublicKeyInfo; NULL: none. Copied */
    void (*up)(void *data); /* may be NULL */
    void (*room)(void *data); /* little waits to be sent, again; may be NULL */
    void (*message)(void *data, struct fr_span bytes); /* borrowed for the call */
    void (*end)(void *data, const char *why);
    void *data;
    struct fr_tls_acceptor *acceptor; /* accepted sockets; NULL: plain */
    fr_tls_select_fn select;          /* which certificate is shown, and asked for */
    void *select_data;
};

enum fr_err fr_frames_connect(const struct fr_frames_options *options, const struct fr_addr *to,
                              struct fr_frames **out);
/* Takes over an accepted socket, plain or (`acceptor`) with TLS. On failure it is closed. */
enum fr_err fr_frames_accept(const struct fr_frames_options *options, int fd,
                             struct fr_frames **out);

/* FR_E_LIMIT: too much waits; FR_E_CLOSED: it is over. */
enum fr_err fr_frames_send(struct fr_frames *frames, struct fr_span message);

/* Bytes that wait to be sent. */
size_t fr_frames_pending(const struct fr_frames *frames);

/* The peer's certificate, borrowed; NULL: none. And the tag that select() gave. */
const struct fr_tls_peer *fr_frames_peer(const struct fr_frames *frames);
void *fr_frames_tag(const struct fr_frames *frames);

/* The owner is at work for the peer: idle_ms counts anew. */
void fr_frames_keep(struct fr_frames *frames);

/* NULL is legal. */
void fr_frames_free(struct fr_frames *frames);
