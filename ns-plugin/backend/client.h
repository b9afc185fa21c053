#pragma once
/*
 * The client side of Backend Interfaces: requests to peers, and the answers that belong to them.
 *
 * Model: a *link* is kept per peer (federation, identity): HTTP/1.1 connections over TLS with our certificate. A *call* is one
 *   request waiting; it is known by (peer, TransactionID, type of the answer) before the first byte leaves, because an
 *   asynchronous answer may come in before the HTTP response does. The answer is the response body, or, where the peer is
 *   asynchronous, a request of its own that the server hands to fr_bi_client_take_answer().
 * Owns: links and calls. Target and message are copied as needed during the call.
 * Threads: the loop's. Call-backs come from the loop, never from inside fr_bi_client_send().
 * Errors: enum fr_err in the outcome with a sentence: those of fr_http_fault_err(), FR_E_AUTH also for a key that
 *   is not among the pins, FR_E_MALFORMED also for a wrong answer.
 * Units and limits: FR_BI_LINKS_MAX links (the one unused longest goes), FR_BI_CALLS_MAX calls.
 * Trust: answers are a peer's: TransactionID, sides and type must match the request.
 */
#include "backend/message.h"
#include "base/addr.h"
#include "transport/http_client.h"

#define FR_BI_LINKS_MAX 256
#define FR_BI_CALLS_MAX 4096
#define FR_BI_PINS_MAX 16
#define FR_BI_PIN 32

struct fr_bi_client;
struct fr_bi_call;

/* Where a peer is and how to know it. All borrowed for the call. */
struct fr_bi_target {
    const char *federation;
    struct fr_bi_id id; /* ReceiverID of what is sent to it */
    const char *tls_name;
    struct fr_tls_ctx *tls;
    const struct fr_addr *addrs; /* in order */
    size_t n_addrs;
    const char *path; /* NULL: "/" */
    bool is_async;    /* it answers by a request of its own */
    bool has_pins;    /* its key must be one of these (none: no key is right) */
    size_t n_pins;
    uint8_t pins[FR_BI_PINS_MAX][FR_BI_PIN];
};

/* Valid during the call-back. */
struct fr_bi_outcome {
    enum fr_err err;
    const char *text;                   /* one sentence when err; "" otherwise */
    const struct fr_bi_message *answer; /* FR_OK: whatever its Result */
    unsigned status;                    /* HTTP; 0: none came */
    bool is_new_connection;
};
typedef void (*fr_bi_done_fn)(void *data, const struct fr_bi_outcome *outcome);

enum fr_err fr_bi_client_new(struct fr_loop *loop, struct fr_bi_client **out);
/* Calls waiting are dropped without their call-back. NULL is legal. */
void fr_bi_client_free(struct fr_bi_client *c);

/* Gives the request its TransactionID (left in request->transaction_id) and sends it. FR_E_LIMIT, FR_E_NOMEM, FR_E_INVALID:
 * nothing was sent and done is not called. *out dies with the call-back. */
enum fr_err fr_bi_client_send(struct fr_bi_client *c, const struct fr_bi_target *target,
                              struct fr_bi_message *request, uint32_t deadline_ms,
                              fr_bi_done_fn done, void *data, struct fr_bi_call **out);

/* Drops a call without its call-back. */
void fr_bi_client_cancel(struct fr_bi_call *call);

/* Posts an answer to an asynchronous peer; what becomes of it is told to done (answer NULL). */
enum fr_err fr_bi_client_post(struct fr_bi_client *c, const struct fr_bi_target *target,
                              const struct fr_bi_message *answer, uint32_t deadline_ms,
                              fr_bi_done_fn done, void *data);

/* An answer that came in as a request, its members not read yet, from a peer whose identity was verified and whose key has this
 * digest. True: a call to an asynchronous peer with that key among its pins waited for it and is over now. */
bool fr_bi_client_take_answer(struct fr_bi_client *c, const char *federation,
                              const uint8_t spki_sha256[FR_BI_PIN], struct fr_bi_message *answer);

/* Forgets TLS contexts and connections not in use: after certificates changed. */
void fr_bi_client_close_idle(struct fr_bi_client *c);

/* Sums over all links, closed ones included. */
struct fr_bi_traffic {
    uint64_t requests, answers, failures;
    uint64_t connects, handshakes, handshakes_resumed;
    uint64_t bytes_in, bytes_out;         /* on the sockets: TLS records */
    uint64_t app_bytes_in, app_bytes_out; /* inside TLS: HTTP */
    uint64_t segments_in, segments_out;
    uint64_t round_trips;
};
void fr_bi_client_traffic(struct fr_bi_client *c, struct fr_bi_traffic *out);
