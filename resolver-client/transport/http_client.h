#pragma once
/* An HTTP client for one origin: kept connections over TLS, plain TCP or a Unix socket; HTTP/2 or
 * HTTP/1.1.
 *
 * Model:   client = origin (host name, port, addresses to try in order) + up to max_connections
 * connections. HTTP/2 sends many requests on one connection; HTTP/1.1 one at a time on each, others
 * wait in a queue. A connection is opened when a request needs it and kept until idle_ms. A kept
 * connection found dead is replaced once, silently, for requests that are `is_retryable` or were
 * certainly not processed. Owns:    copies what it is given; holds a reference to the TLS context
 * and the last TLS session. Threads: the loop's thread. Callbacks run from the loop, never from
 * inside fr_http_send(). Errors:  enum fr_http_fault and a sentence for people; status codes are
 * answers, not faults. Limits:  queue, header and body size, deadline for each request. Trust:
 * responses are a peer's bytes. The server's certificate is verified against the context's CA and
 * `host`. See:     RFC 9110, 9112, 9113.
 */
#include "base/addr.h"
#include "base/err.h"
#include "transport/http.h"
#include "transport/loop.h"
#include "transport/socket.h"
#include "transport/tls.h"

struct fr_http_client;
struct fr_http_call;

enum fr_http_fault {
    FR_HTTP_OK = 0,
    FR_HTTP_REFUSED,       /* nobody listens there (connection refused, no such socket) */
    FR_HTTP_UNREACHABLE,   /* no route, or connecting took too long */
    FR_HTTP_TIMEOUT,       /* connected, but no answer before the deadline */
    FR_HTTP_TLS_ALERT,     /* the server refused us or our certificate; alert_word says why */
    FR_HTTP_TLS_UNTRUSTED, /* the server's certificate is not of our CA, or expired */
    FR_HTTP_TLS_NAME,      /* the server's certificate is for another name */
    FR_HTTP_TLS,           /* any other TLS failure */
    FR_HTTP_CLOSED,        /* the connection ended before the answer did */
    FR_HTTP_PROTOCOL,      /* the answer is not HTTP as we speak it */
    FR_HTTP_TOO_LARGE,     /* the answer is above the limits */
    FR_HTTP_BUSY,          /* no connection was free before the deadline: not sent */
    FR_HTTP_CANCELLED,     /* by fr_http_cancel() or fr_http_client_free() */
    FR_HTTP_NO_MEMORY,
};

struct fr_http_client_conf {
    const char *host; /* verified (dNSName), sent as SNI and authority; for Unix sockets any word */
    uint16_t port;    /* printed into the authority unless it is the scheme's default */
    const struct fr_addr *addrs; /* complete with ports; tried in order */
    size_t n_addrs;
    const char *unix_path;    /* instead of addrs */
    struct fr_tls_ctx *tls;   /* NULL: plain HTTP/1.1 */
    bool has_h2, has_h1;      /* what ALPN offers (h2 is TLS only) */
    unsigned max_connections; /* HTTP/1.1; HTTP/2 uses one */
    unsigned queue;           /* requests waiting or in flight */
    uint32_t connect_ms;      /* for one address: TCP and TLS */
    uint32_t idle_ms;         /* kept connection without a request; 0: closed after each */
    uint32_t
        ping_ms; /* HTTP/2: a connection idle for so long is asked for a sign of life (PING), and
                         lost when none comes within connect_ms. It is then kept past idle_ms. 0: no */
    size_t head_bytes, body_bytes; /* limits of a response */
    /* The last kept connection ended while nothing was sent or waiting; from the loop. May send, must
     * not free the client. NULL: nobody wants to know. */
    void (*on_lost)(void *data);
    void *lost_data;
};

/* One connection, 64 queued, 3 s to connect, 300 s idle, 8 KiB head, 1 MiB body, h2 and http/1.1.
 */
struct fr_http_client_conf fr_http_client_conf_default(void);

struct fr_http_request {
    const char *method;
    const char *target;                 /* path and query, from '/' */
    const struct fr_http_field *fields; /* lower-case names; host, content-length are added */
    size_t n_fields;
    struct fr_span body;
    bool is_retryable; /* may be sent again when a kept connection died before any answer byte */
};

/* What came of a request; valid during the callback only. */
struct fr_http_result {
    enum fr_http_fault fault;
    const char *text;       /* one sentence for people; "" when FR_HTTP_OK */
    const char *alert_word; /* FR_HTTP_TLS_ALERT; else "" */
    unsigned status;        /* FR_HTTP_OK */
    enum fr_http_proto proto;
    const struct fr_http_field *fields;
    size_t n_fields;
    struct fr_span body;
    const struct fr_tls_peer *cert; /* the server's; NULL: plain */
    struct fr_addr addr;            /* that answered or was tried last; zero for a Unix socket */
    bool is_new_connection;         /* the request had to connect first */
    bool is_sent; /* the request may have reached the server, whatever the fault */
};

typedef void (*fr_http_done_fn)(void *data, const struct fr_http_result *r);

struct fr_http_client_counters { /* sums over the client's connections, closed ones included */
    uint64_t requests, responses, faults, retries;
    uint64_t connects, connects_failed, handshakes, handshakes_resumed;
    uint64_t bytes_in, bytes_out;         /* on the socket: TLS records */
    uint64_t app_bytes_in, app_bytes_out; /* inside TLS: HTTP */
    uint64_t segments_in, segments_out;   /* TCP_INFO */
    uint64_t
        round_trips; /* times the client had to wait for the peer: connect, handshake, requests */
};

/* conf is copied. FR_E_NOMEM, FR_E_INVALID (no address, no host, h2 alone without TLS). */
enum fr_err fr_http_client_new(struct fr_loop *loop, const struct fr_http_client_conf *conf,
                               struct fr_http_client **out);

/* Every open call ends with FR_HTTP_CANCELLED before this returns. TLS is shut down properly. NULL
 * is legal. */
void fr_http_client_free(struct fr_http_client *c);

/* Sends (or queues) a request, copying it. deadline_ms: from now to the whole answer. done is
 * called exactly once, from the loop. out_call may be NULL; the handle dies with the callback.
 * FR_E_NOMEM, FR_E_LIMIT (queue full), FR_E_INVALID (target), FR_E_CLOSED (being freed): done is not
 * called. */
enum fr_err fr_http_send(struct fr_http_client *c, const struct fr_http_request *req,
                         uint32_t deadline_ms, fr_http_done_fn done, void *data,
                         struct fr_http_call **out_call);

/* Gives up: done is called with FR_HTTP_CANCELLED before this returns. */
void fr_http_cancel(struct fr_http_call *call);

/* Another certificate or CA from now on: new connections use it, open ones end after their
 * requests, the session is forgotten. */
void fr_http_client_set_tls(struct fr_http_client *c, struct fr_tls_ctx *tls);

/* Other addresses for new connections. FR_E_NOMEM, FR_E_INVALID (none). */
enum fr_err fr_http_client_set_addrs(struct fr_http_client *c, const struct fr_addr *addrs,
                                     size_t n);

/* Closes kept connections that are not in use. */
void fr_http_client_close_idle(struct fr_http_client *c);

/* Takes the kernel's figures of the open connections first. */
const struct fr_http_client_counters *fr_http_client_counters(struct fr_http_client *c);

/* A short name for logs: "timeout", "tls-alert", … */
const char *fr_http_fault_word(enum fr_http_fault fault);

/* The same for who passes errors on: FR_E_AUTH when we do not believe the server or it refuses us, FR_E_CLOSED when it was cut
 * while under way, FR_E_NET when there was nobody, FR_E_BUSY when our own queue is full. */
enum fr_err fr_http_fault_err(enum fr_http_fault fault);

/* What a member who wanted a federation's host may look at; NULL: nothing. */
const char *fr_http_fault_hint(enum fr_http_fault fault);
