#pragma once
/* An HTTP server on a loop: HTTP/2 and HTTP/1.x, over TLS, plain TCP and Unix sockets.
 *
 * Model:   server → listeners → connections → exchanges. on_request gets one complete request; it
 * answers with fr_http_reply() now or any time later, exactly once. Answers given in the same turn
 * leave in one write. Over TLS the protocol is ALPN's choice; without TLS, or without ALPN, it is
 * HTTP/1.x. Owns:    the server owns listeners, connections and exchanges. An exchange that is not
 * answered yet stays valid even when its peer is gone or the server freed: the answer is then
 * dropped. Threads: a server, its connections and exchanges belong to the loop's thread. Errors:
 * bad requests are answered here (400, 408, 411, 413, 414, 417, 431, 501, 505) and never reach the
 * handler. Limits:  each a field of struct fr_http_server_conf with a counter in struct
 * fr_http_server_counters. Trust:   everything in an exchange but `peer` is a peer's bytes. See:
 * RFC 9110, 9112, 9113.
 */
#include <sys/types.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/prefix.h"
#include "transport/http.h"
#include "transport/loop.h"
#include "transport/socket.h"
#include "transport/tls.h"

struct fr_http_server;
struct fr_http_listener;
struct fr_http_conn;

struct fr_http_server_conf {
    unsigned connections;       /* open at once; the next ones are closed at accept */
    unsigned per_address;       /* of them, from one IPv4 address or IPv6 /64; 0: no limit */
    unsigned streams;           /* requests in progress on one connection, reset ones included */
    unsigned requests_per_turn; /* handled on one connection before the others get their turn */
    uint32_t handshake_ms;      /* accept → TLS established */
    uint32_t first_request_ms;  /* established → first request complete */
    uint32_t request_ms;        /* first byte of a later request → complete */
    uint32_t idle_ms;           /* nothing in progress */
    uint32_t kept_ms;           /* the same where the peer has a certificate and sends PINGs */
    uint32_t write_ms;          /* output pending without progress */
    size_t head_bytes;          /* request line and fields; HTTP/2: decoded header list */
    size_t target_bytes;        /* request target */
    size_t body_bytes;
    size_t
        backlog_bytes; /* HTTP/1 answers pending above which reading stops; HTTP/2 has its windows */
    unsigned resets;   /* HTTP/2 streams reset at once; a tenth of it more each second */
    unsigned control_frames; /* HTTP/2 frames without a request in them, in the same way */
    unsigned continuations;  /* CONTINUATION frames of one header list */
    bool is_h2_off;          /* serve HTTP/1.x only */
};

/* The defaults of the house: 10,000 connections, 100 streams, 64 requests a turn, 5 s handshake and
 * first request, 10 s request, 120 s idle, an hour with PINGs, 10 s write, 8 KiB head and target, 64 KiB body, 256 KiB
 * backlog, 200 resets, 1,000 control frames, 4 continuations; any number from one address. */
struct fr_http_server_conf fr_http_server_conf_default(void);

struct fr_http_server_counters {
    uint64_t accepted, closed, handshakes, handshakes_resumed, handshakes_refused;
    uint64_t requests[3];         /* by enum fr_http_proto */
    uint64_t bad_requests;        /* answered by the server itself, or a protocol error */
    uint64_t bytes_in, bytes_out; /* on the wire */
    uint64_t limit_connections, limit_streams, limit_head, limit_body, limit_backlog;
    uint64_t limit_address, limit_resets, limit_control, limit_continuations, limit_chain;
    uint64_t bad_proxy; /* connections of a proxy that did not begin with its header */
    uint64_t late_handshake, late_first_request, late_request, late_idle, late_write;
    unsigned open;        /* connections now */
    unsigned in_progress; /* exchanges at the handlers now */
};

/* The other end of a connection. */
struct fr_http_peer {
    struct fr_addr addr; /* the client's, also behind a proxy; zero on a Unix socket */
    bool is_unix, is_tls;
    bool has_sni, has_cred;
    const struct fr_tls_peer *cert; /* NULL: none shown */
    const char *sni;                /* "" when has_sni is false */
    void *tag;                      /* what select() set; NULL without TLS */
    struct fr_socket_cred cred;     /* Unix sockets, when has_cred */
};

/* One request, whole, waiting for its answer. */
struct fr_http_exchange {
    struct fr_http_conn *conn; /* NULL once the peer is gone */
    enum fr_http_proto proto;
    bool has_query;           /* "/x?" has an empty query, "/x" none */
    struct fr_span method;    /* "GET"; case matters */
    struct fr_span path;      /* starts with '/'; percent-encoding untouched. "*" for OPTIONS * */
    struct fr_span query;     /* behind the '?' */
    struct fr_span authority; /* Host or :authority; empty when an HTTP/1.0 client sent none */
    const struct fr_http_field *fields;
    size_t n_fields;
    struct fr_span body;
};

/* Takes a body as it comes, in place of on_request. All get `data`. */
struct fr_http_sink {
    void *data;
    /* The next bytes, good for the call. */
    void (*on_bytes)(void *data, struct fr_http_exchange *x, struct fr_span bytes);
    /* That was all: x is to be answered, now or later, as after on_request. Its body is empty. */
    void (*on_end)(void *data, struct fr_http_exchange *x);
    /* There will be no end, and no more x: the peer has gone. Not called once x is answered. */
    void (*on_gone)(void *data);
};

/* Makes the body of an answer as it is sent. All get `data`. */
struct fr_http_source {
    void *data;
    /* Puts the next n bytes into p. */
    void (*fill)(void *data, uint8_t *p, size_t n);
    /* It is sent, or nobody wants it any more. Called exactly once. */
    void (*end)(void *data);
};

/* Handlers. All get `data`. Only on_request is compulsory. */
struct fr_http_handler {
    void *data;
    void (*on_request)(void *data, struct fr_http_exchange *x);
    /* The head of a request whose body is still to come. fr_http_take_body() if the body is to be
     * had as it comes, or an answer if it is not wanted; else it goes to on_request once it is whole. */
    void (*on_head)(void *data, struct fr_http_exchange *x);
    /* A TLS handshake failed or was refused. */
    void (*on_refused)(void *data, const struct fr_addr *peer, const struct fr_tls_refusal *why);
    /* The connection goes away; its user pointer is still there. Exchanges of it may still be open.
     */
    void (*on_close)(void *data, struct fr_http_conn *conn);
};

/* Where and how one listener serves. Strings and pointers are borrowed for the call, acceptor is
 * ref'ed; select_data must outlive the server. */
struct fr_http_listen {
    struct fr_addr at; /* unless unix_path is set */
    bool reuse_port;
    int shared_fd; /* a listening socket of the caller's, to be duplicated; 0: opens its own */
    const char *unix_path;
    mode_t unix_mode;            /* of the socket file; 0: 0600 */
    struct fr_tls_acceptor *tls; /* NULL: no TLS */
    fr_tls_select_fn select;
    void *select_data;
    /* Whose connections begin with a PROXY header (version 2), as they must; nobody else's may.
     * Must outlive the listener. */
    const struct fr_prefix *proxies;
    size_t n_proxies;
};

/* conf is copied, handler too. FR_E_NOMEM. */
enum fr_err fr_http_server_new(struct fr_loop *loop, const struct fr_http_server_conf *conf,
                               const struct fr_http_handler *handler, struct fr_http_server **out);

/* Opens one listener; out_listener may be NULL. Errors: those of transport/socket.h, FR_E_NOMEM. */
enum fr_err fr_http_server_listen(struct fr_http_server *s, const struct fr_http_listen *how,
                                  struct fr_diag *diag, struct fr_http_listener **out_listener);

/* The address it is bound to (with the port, when 0 was asked); zero for a Unix socket. */
const struct fr_addr *fr_http_listener_addr(const struct fr_http_listener *l);

/* Closes one listener; its connections live on. */
void fr_http_listener_close(struct fr_http_listener *l);

/* New limits for connections accepted from now on (a reload). */
void fr_http_server_set_conf(struct fr_http_server *s, const struct fr_http_server_conf *conf);

const struct fr_http_server_counters *fr_http_server_counters(const struct fr_http_server *s);

/* Stops accepting, tells every peer (GOAWAY, Connection: close), lets open exchanges end, and
 * closes what is left after drain_ms. on_stopped is called once, from the loop, when no connection
 * is left; it may free the server. */
void fr_http_server_stop(struct fr_http_server *s, uint32_t drain_ms,
                         void (*on_stopped)(void *data), void *data);

/* Closes all at once. NULL is legal. Not from inside a handler. */
void fr_http_server_free(struct fr_http_server *s);

/* The first field of that (lower-case) name; {NULL, 0}: none. */
struct fr_span fr_http_exchange_field(const struct fr_http_exchange *x, const char *name);

/* Answers x and ends it: x must not be touched afterwards. Fields and body are copied.
 * content-length and date are added; field names must be lower case. A HEAD request gets the same
 * fields and no body. Without memory the connection closes. */
void fr_http_reply(struct fr_http_exchange *x, unsigned status, const struct fr_http_field *fields,
                   size_t n_fields, struct fr_span body);

/* The same, and the connection closes once the answers in progress are out. */
void fr_http_reply_close(struct fr_http_exchange *x, unsigned status,
                         const struct fr_http_field *fields, size_t n_fields, struct fr_span body);

/* The same with a body of `length` bytes that is made as it is sent. The source is taken over, also
 * when there is nobody to answer. */
void fr_http_reply_from(struct fr_http_exchange *x, unsigned status,
                        const struct fr_http_field *fields, size_t n_fields, uint64_t length,
                        const struct fr_http_source *source);

/* From on_head alone: the body comes to `sink`, whatever its size (the server's limit does not hold:
 * counting is the sink's), each part within request_ms of the one before. An answer before on_end
 * ends it: on_bytes and on_end are not called any more. */
void fr_http_take_body(struct fr_http_exchange *x, const struct fr_http_sink *sink);

/* Nothing more is read from the connection of x until it is let go; what was read already may still
 * come. For sinks that are full. Each hold is let go once, unless on_gone was called. */
void fr_http_hold(struct fr_http_exchange *x);
void fr_http_let_go(struct fr_http_exchange *x);

/* Answers with one line of text/plain; for errors. */
void fr_http_reply_text(struct fr_http_exchange *x, unsigned status, const char *text);

/* A request that gets no answer: resets the stream, or closes the HTTP/1 connection. Ends x. */
void fr_http_drop(struct fr_http_exchange *x);

/* Who is at the other end. Valid while the connection is. */
const struct fr_http_peer *fr_http_conn_peer(const struct fr_http_conn *conn);

/* Copies the certificate that the peer showed in this connection's handshake (DER); its length, or 0:
 * none was (also when the session was resumed), or it does not fit. */
size_t fr_http_conn_certificate(const struct fr_http_conn *conn, uint8_t *out, size_t size);

/* What both ends of this TLS connection know and nobody else: tls-unique under TLS 1.2 (RFC 5929),
 * tls-exporter under 1.3 (RFC 9266). 0: there is none. */
#define FR_HTTP_BINDING_MAX 64
size_t fr_http_conn_binding(const struct fr_http_conn *conn, uint8_t out[FR_HTTP_BINDING_MAX]);

/* The handler's own pointer, one for each connection; NULL at first. on_close is the place to free
 * it. */
void fr_http_conn_set_user(struct fr_http_conn *conn, void *user);
void *fr_http_conn_user(const struct fr_http_conn *conn);

/* A number of its own for logs, unique in this server. */
uint64_t fr_http_conn_id(const struct fr_http_conn *conn);

/* No new requests on it; closes when those in progress are answered. */
void fr_http_conn_close(struct fr_http_conn *conn);
