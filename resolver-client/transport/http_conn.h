#pragma once
/* The inside of the HTTP server: connections, exchanges, and what HTTP/1 and HTTP/2 provide. Inside transport only.
 *
 * Model:   a connection drives one stream and one protocol (struct fr_server_proto). A protocol is bytes in (feed), bytes out
 *          (fill) and exchanges between; it touches no descriptor, so tests and fuzzers drive it without a socket.
 * Owns:    the server owns connections, a pool of free exchanges, and those that outlived their connection (orphans).
 * Threads: the loop's.
 */

#include "base/tally.h"
#include "transport/accept.h"
#include "transport/h1_parse.h"
#include "transport/http_head.h"
#include "transport/http_server.h"
#include "transport/stream.h"

struct fr_h2_shared;
struct fr_conn_proxy;
struct fr_h1_server;
struct fr_h2_server;

enum fr_exchange_state {
    FR_X_READING,  /* the request is not whole */
    FR_X_AT_WORK,  /* the handler has it */
    FR_X_ANSWERED, /* the answer is on its way */
};

struct fr_exchange {
    struct fr_http_exchange pub;   /* first: handlers hold a pointer to it */
    struct fr_http_server *server; /* NULL once the server is freed */
    struct fr_exchange *prev, *next;
    enum fr_exchange_state state;
    struct fr_head head;
    struct fr_buf body;
    struct fr_buf reply; /* body of the answer */
    size_t reply_at;
    bool is_head;                 /* no body in the answer */
    struct fr_http_sink sink;     /* on_bytes NULL: the body is gathered */
    struct fr_http_source source; /* of the answer's body behind `reply`; fill NULL: none */
    uint64_t source_left;
    bool is_holding; /* the connection reads nothing */
    /* HTTP/2 */
    int32_t stream_id;
    bool is_gone;     /* the stream was reset */
    bool is_rejected; /* answered before it was whole: what still comes is ignored */
    size_t ignored;   /* bytes of its body that came after that */
    bool has_end;     /* END_STREAM came */
    struct fr_head_mark method, path, authority;
    struct {
        struct fr_exchange *next;   /* live, in the same bucket */
        struct fr_exchange *behind; /* in the queue of answers that wait */
        int64_t send_window;        /* below 0: the peer made it smaller */
        int32_t receive_window;
        bool is_waiting; /* in that queue */
        bool has_ended;  /* our END_STREAM is out */
        bool is_open;    /* the head was checked, and may be looked at */
        bool has_length; /* content-length was said: */
        uint64_t length;
        uint64_t body_n; /* octets that came */
    } h2;
};

struct fr_server_proto {
    enum fr_err (*start)(struct fr_http_conn *c);
    void (*stop)(struct fr_http_conn *c);
    /* Takes all of the bytes, calling handlers. Called without bytes, it goes on with what it has. False: close at once. */
    bool (*feed)(struct fr_http_conn *c, struct fr_span in);
    /* Puts up to n bytes of output into p; fewer than n: there is no more. */
    size_t (*fill)(struct fr_http_conn *c, uint8_t *p, size_t n);
    void (*reply)(struct fr_http_conn *c, struct fr_exchange *x, unsigned status,
                  const struct fr_http_field *fields, size_t n_fields, struct fr_span body);
    void (*drop)(struct fr_http_conn *c, struct fr_exchange *x);
    /* May more bytes be read now? */
    bool (*can_read)(const struct fr_http_conn *c);
    /* A request has begun that is not whole. */
    bool (*is_partial)(const struct fr_http_conn *c);
    /* Nothing in progress, nothing to send: the connection may end. */
    bool (*is_quiet)(const struct fr_http_conn *c);
    /* Takes no new requests; tells the peer. Second call: now really. */
    void (*drain)(struct fr_http_conn *c);
    /* A request took too long. True: an answer was queued. */
    bool (*give_up)(struct fr_http_conn *c);
};

extern const struct fr_server_proto fr_h1_proto, fr_h2_proto;

enum fr_conn_phase {
    FR_CONN_PROXY, /* the proxy's header is to come */
    FR_CONN_HANDSHAKE,
    FR_CONN_OPEN,
    FR_CONN_LINGER, /* all said; reading on so that the peer can read our last answer */
};

struct fr_http_conn {
    struct fr_http_server *server;
    struct fr_http_conn *prev, *next;
    struct fr_http_server_conf conf;
    uint64_t id;
    void *user;
    struct fr_http_peer peer;
    struct fr_stream stream;
    struct fr_timer timer;
    struct fr_defer turn;
    const struct fr_server_proto *proto; /* NULL during the handshake */
    union {
        struct fr_h1_server *h1;
        struct fr_h2_server *h2;
    };
    struct fr_exchange *exchanges;
    struct fr_conn_proxy *proxy; /* in phase PROXY */
    enum fr_conn_phase phase;
    unsigned in_progress; /* exchanges at work, those of reset streams too */
    unsigned handled;     /* requests of this turn */
    size_t backlog;       /* bytes of answers not yet filled */
    int64_t since_ms;     /* phase began */
    int64_t request_ms;   /* the request being read began; or the last one ended */
    int64_t ping_ms;      /* HTTP/2: the peer last asked for a sign of life */
    int64_t progress_ms;  /* the peer last took output */
    int64_t close_by_ms;  /* when is_closing: patience ends */
    uint64_t seen_in, seen_out;
    bool has_request;  /* at least one came */
    bool has_paused;   /* reading stopped for fairness: go on next turn */
    unsigned held;     /* exchanges that want nothing read */
    bool is_in_event;  /* a flush follows anyway */
    bool is_draining;  /* no new requests */
    bool is_closing;   /* ends when quiet */
    bool is_lingering; /* by phase LINGER rather than at once */
    bool has_end;      /* the peer sends no more */
    bool has_place;    /* counted among those of its address */
};

struct fr_http_listener {
    struct fr_http_server *server;
    struct fr_http_listener *prev, *next;
    struct fr_accept accept;
    struct fr_addr addr;
    bool is_unix;
    struct fr_tls_acceptor *tls;
    fr_tls_select_fn select;
    void *select_data;
    const struct fr_prefix *proxies;
    size_t n_proxies;
};

struct fr_http_server {
    struct fr_loop *loop;
    struct fr_http_server_conf conf;
    struct fr_http_handler handler;
    struct fr_http_server_counters counters;
    struct fr_http_listener *listeners;
    struct fr_http_conn *conns;
    struct fr_exchange *pool, *orphans;
    unsigned n_pool;
    uint64_t last_id;
    struct fr_stream_pool streams;
    struct fr_tally *addresses; /* connections of each */
    struct fr_h2_shared *h2;
    int64_t date_s; /* of `date` */
    char date[FR_HTTP_DATE];
    bool is_stopping;
    struct fr_timer drain_timer;
    uint32_t drain_left_ms;
    struct fr_defer stopped;
    void (*on_stopped)(void *data);
    void *stopped_data;
    uint8_t in[FR_STREAM_CHUNK], out[FR_STREAM_CHUNK]; /* scratch of the connection at work */
};

/* Connections. Takes the descriptor, also on failure. */
enum fr_err fr_conn_open(struct fr_http_server *s, struct fr_http_listener *l, int fd,
                         const struct fr_addr *peer);

/* A connection of one protocol without a socket, for tests: feed and fill are called by hand. */
enum fr_err fr_conn_open_detached(struct fr_http_server *s, const struct fr_server_proto *proto,
                                  struct fr_http_conn **out);
void fr_conn_destroy(struct fr_http_conn *c);

/* Sees to output, deadlines and the end of the connection at the end of this turn. */
void fr_conn_schedule(struct fr_http_conn *c);

/* Ends when quiet. */
void fr_conn_set_closing(struct fr_http_conn *c, bool is_lingering);

/* Exchanges. NULL: no memory. */
struct fr_exchange *fr_exchange_new(struct fr_http_conn *c);

/* The head is there and a body to come: the handler may take the body, or answer; then x may be gone. */
void fr_exchange_head(struct fr_http_conn *c, struct fr_exchange *x);

/* Bytes of the body: to the sink, else gathered; then the error is that of the buffer. */
enum fr_err fr_exchange_body(struct fr_http_conn *c, struct fr_exchange *x, struct fr_span bytes);

/* What is left of an answer's body, and the next bytes of it; at most that many. */
uint64_t fr_exchange_left(const struct fr_exchange *x);
void fr_exchange_pull(struct fr_exchange *x, uint8_t *p, size_t n);

/* Gives a whole request to the handler. The exchange may be gone afterwards. */
void fr_exchange_dispatch(struct fr_http_conn *c, struct fr_exchange *x);

/* Back to the pool. */
void fr_exchange_release(struct fr_exchange *x);

/* The server goes: exchanges at work live on alone, the pool is freed. */
void fr_exchange_forget_server(struct fr_http_server *s);

/* The connection goes: those at work become orphans, the others are released. */
void fr_exchange_detach_all(struct fr_http_conn *c);

/* Answers, with content-length and date added; NULL-safe against a connection that has gone. */
void fr_exchange_reply(struct fr_exchange *x, unsigned status, const struct fr_http_field *fields,
                       size_t n_fields, struct fr_span body);

/* The date of now, cached for the second. */
const char *fr_server_date(struct fr_http_server *s);

/* For the end of a drain. */
void fr_server_conn_gone(struct fr_http_server *s);

/* What a proxy says before anything else (conn_proxy.c). */
bool fr_listener_expects_proxy(const struct fr_http_listener *l, const struct fr_addr *peer);
enum fr_err fr_conn_proxy_start(struct fr_http_conn *c);
/* FR_OK: peer.addr is the client's; FR_E_BUSY: more is to come; else: not a proxy's header. */
enum fr_err fr_conn_proxy_read(struct fr_http_conn *c);
void fr_conn_proxy_stop(struct fr_http_conn *c);

/* Connections of one address (conn_place.c). FR_E_LIMIT: it has as many as it may. */
enum fr_err fr_conn_take_place(struct fr_http_conn *c);
void fr_conn_give_place(struct fr_http_conn *c);

/* Deadlines (conn_deadline.c). */

/* Is output stuck in the socket or behind the peer's flow control? */
bool fr_conn_has_output(const struct fr_http_conn *c);

/* Sees to it that the connection's present deadline is noticed. */
void fr_conn_arm(struct fr_http_conn *c);
void fr_conn_on_deadline(struct fr_timer *t);

/* Counts a handshake that failed and tells the handler why; reason NULL: what the stream knows. */
void fr_conn_report_refusal(struct fr_http_conn *c, const char *reason);
