#pragma once
/*
 * The server side of Backend Interfaces: HTTP requests in, checked messages out, and their answers back.
 *
 * Model: it is the request handler of an HTTP server that asks every peer for a certificate of its federation. Each request is
 *   checked (backend/check.h); what passes becomes an *exchange*, which the owner answers once, now or later: in the HTTP
 *   response, or, after fr_bi_exchange_ack(), by a post of its own.
 * Owns: exchanges, from on_request until they are answered. The message in one lives as long.
 * Threads: the loop's.
 * Units and limits: bodies up to FR_BI_BODY_MAX (413 beyond).
 * Trust: the message is a peer's; `peer` is what its certificate proves.
 */
#include "backend/check.h"
#include "base/log.h"
#include "transport/http_server.h"

struct fr_bi_server;

/* Who speaks: the federation whose CA verified the certificate, and its key. */
struct fr_bi_peer {
    const char *federation;
    void *tag;          /* of the federation, as select() gave it */
    struct fr_bi_id id; /* = SenderID, which the certificate names */
    uint8_t spki_sha256[32];
    struct fr_addr addr;
};

struct fr_bi_exchange {
    struct fr_bi_peer peer;
    struct fr_bi_message request;
    int64_t received_ms;           /* the loop's time */
    struct fr_http_exchange *http; /* NULL once acknowledged */
    struct fr_bi_server *server;
};

struct fr_bi_server_options {
    void *data;
    /* The name of the federation behind a connection's tag. */
    const char *(*federation_of)(void *data, void *tag);
    /* Whether a ReceiverID is this server. */
    bool (*is_us)(void *data, struct fr_bi_id receiver);
    /* A request of a known type, whole and from who it says: to be answered once. */
    void (*on_request)(void *data, struct fr_bi_exchange *x);
    /* An answer to one of our requests, members not read yet. */
    bool (*on_answer)(void *data, const struct fr_bi_peer *peer, struct fr_bi_message *answer);
};

struct fr_bi_server_counters {
    uint64_t requests, answers, refused, malformed;
};

enum fr_err fr_bi_server_new(struct fr_loop *loop, const struct fr_bi_server_options *options,
                             const struct fr_log *log, struct fr_bi_server **out);
/* Every exchange must be answered. NULL is legal. */
void fr_bi_server_free(struct fr_bi_server *s);

/* The handler for fr_http_server_new(). */
struct fr_http_handler fr_bi_server_handler(struct fr_bi_server *s);

const struct fr_bi_server_counters *fr_bi_server_counters(const struct fr_bi_server *s);

/* 200 with nothing: the answer will be posted. The exchange goes on. */
void fr_bi_exchange_ack(struct fr_bi_exchange *x);

/* Answers in the HTTP response (`status` 200, or 403 with UnknownSender) unless it was acknowledged, and ends the exchange. */
void fr_bi_exchange_answer(struct fr_bi_exchange *x, unsigned status,
                           const struct fr_bi_message *answer);

/* The same with a Result alone. */
void fr_bi_exchange_result(struct fr_bi_exchange *x, unsigned status, enum fr_bi_result result,
                           const char *description);
