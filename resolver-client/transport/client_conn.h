#pragma once
/* The inside of the HTTP client: calls, connections, and what HTTP/1 and HTTP/2 provide. Inside transport only.
 *
 * Model:   a call waits in the client, travels on one connection, and ends in the client's list of finished calls, from which
 *          the client's turn calls back: so no callback runs deep inside a parser. A protocol is bytes in, bytes out.
 * Owns:    the client owns calls and connections. Threads: the loop's.
 */

#include <sys/queue.h>

#include "transport/h1_parse.h"
#include "transport/http_client.h"
#include "transport/stream.h"

struct nghttp2_option;
struct fr_client_conn;
struct fr_h1_client;
struct fr_h2_client;

enum fr_call_state { FR_CALL_WAITING, FR_CALL_SENT, FR_CALL_FINISHED };

struct fr_http_call {
    struct fr_http_client *client;
    struct fr_client_conn *conn; /* when sent */
    TAILQ_ENTRY(fr_http_call) link;
    enum fr_call_state state;
    fr_http_done_fn done;
    void *data;
    struct fr_timer deadline;
    uint32_t deadline_ms;
    int64_t sent_ms;
    bool is_retryable, is_retried;
    bool is_sent;        /* may have reached the server */
    bool has_answer;     /* a first byte of the answer came */
    bool is_unprocessed; /* the server said that it did nothing with it */
    bool is_new_connection;
    /* the request */
    struct fr_head ask;
    struct fr_head_mark method, target;
    struct fr_buf body;
    size_t body_at;
    int32_t stream_id;
    /* the answer */
    struct fr_head head;
    struct fr_buf answer;
    unsigned status;
    enum fr_http_proto proto;
    struct fr_addr addr;
    struct fr_tls_peer *cert; /* own reference */
    /* the end */
    enum fr_http_fault fault;
    const char *alert_word;
    char text[320];
};

TAILQ_HEAD(fr_call_list, fr_http_call);
TAILQ_HEAD(fr_client_conn_list, fr_client_conn);

/* Why a connection or a call failed. */
struct fr_client_fault {
    enum fr_http_fault fault;
    const char *alert_word;
    char text[320];
};

struct fr_client_proto {
    enum fr_err (*start)(struct fr_client_conn *c);
    void (*stop)(struct fr_client_conn *c);
    /* Room for one more call now? */
    bool (*can_take)(const struct fr_client_conn *c);
    enum fr_err (*send)(struct fr_client_conn *c, struct fr_http_call *call);
    /* False: the peer broke the protocol; the connection is lost. */
    bool (*feed)(struct fr_client_conn *c, struct fr_span in);
    size_t (*fill)(struct fr_client_conn *c, uint8_t *p, size_t n);
    /* The peer sends no more. */
    void (*end)(struct fr_client_conn *c);
    /* Forgets a call that is not wanted any more. */
    void (*cancel)(struct fr_client_conn *c, struct fr_http_call *call);
    /* Queues a question that any living peer answers; NULL: the protocol has none. */
    enum fr_err (*ping)(struct fr_client_conn *c);
    /* Queues the goodbye of the protocol, if it has one. */
    void (*goodbye)(struct fr_client_conn *c);
};

extern const struct fr_client_proto fr_h1_client_proto, fr_h2_client_proto;

enum fr_client_phase { FR_CLIENT_CONNECTING, FR_CLIENT_HANDSHAKE, FR_CLIENT_OPEN };

struct fr_client_conn {
    struct fr_http_client *client;
    TAILQ_ENTRY(fr_client_conn) link;
    struct fr_stream stream;
    struct fr_timer timer; /* connecting: patience with this address; open: idle */
    struct fr_defer turn;
    enum fr_client_phase phase;
    const struct fr_client_proto *proto; /* NULL until open */
    union {
        struct fr_h1_client *h1;
        struct fr_h2_client *h2;
    };
    struct fr_call_list calls;
    unsigned n_calls;
    size_t addr_at, addrs_tried;
    struct fr_addr addr;
    int64_t heard_ms; /* the peer last sent something */
    uint64_t seen_in, seen_out, seen_app_in, seen_app_out;
    struct fr_socket_counts seen_counts;
    bool is_kept;    /* a call has ended on it: the next one finds it open */
    bool is_retired; /* takes no new calls; closes when its calls are done */
    bool is_waiting; /* for a first answer since it last had one: a round trip is under way */
    bool is_in_event;
    bool is_pinged; /* a ping went out at pinged_ms */
    int64_t pinged_ms;
};

struct fr_http_client {
    struct fr_loop *loop;
    struct fr_http_client_conf conf; /* with our own copies of host and path */
    char *host, *unix_path;
    char authority[300];
    struct fr_addr *addrs;
    size_t n_addrs;
    size_t addr_good; /* where the next connection starts */
    SSL_SESSION *session;
    struct fr_call_list waiting, finished;
    unsigned n_calls;
    struct fr_client_conn_list conns;
    struct fr_stream_pool streams;
    struct nghttp2_option *h2_options;
    struct fr_defer turn;
    struct fr_http_client_counters counters;
    bool is_h1;         /* the origin chose HTTP/1.1: more connections make sense */
    bool has_no_growth; /* an extra connection failed: do with what there is */
    bool is_delivering, is_freed;
    uint8_t in[FR_STREAM_CHUNK], out[FR_STREAM_CHUNK];
};

/* Calls (http_client.c). */

/* Ends a call, wherever it is; its callback runs in the client's turn. */
void fr_call_finish(struct fr_http_call *call, const struct fr_client_fault *why);

/* The answer is whole. */
void fr_call_answered(struct fr_http_call *call);

/* Its connection cannot carry it to the end: waits again if that is safe, else ends. */
void fr_call_lost(struct fr_http_call *call, const struct fr_client_fault *why);

/* Gives waiting calls to connections, opens connections. */
void fr_client_pump(struct fr_http_client *client);

/* No connection could be made: the waiting calls end, unless another connection lives. */
void fr_client_no_connection(struct fr_http_client *client, const struct fr_client_fault *why);

/* Connections (client_conn.c). */
void fr_client_conn_open(struct fr_http_client *client);
void fr_client_conn_take(struct fr_client_conn *c, struct fr_http_call *call);

/* With a proper goodbye. */
void fr_client_conn_close(struct fr_client_conn *c);

/* Its calls are lost for this reason. */
void fr_client_conn_lose(struct fr_client_conn *c, const struct fr_client_fault *why);
void fr_client_conn_schedule(struct fr_client_conn *c);
void fr_client_conn_count(struct fr_client_conn *c);

/* Faults in words (client_fault.c). */
struct fr_client_fault fr_client_fault(enum fr_http_fault fault, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct fr_client_fault fr_client_fault_errno(const struct fr_client_conn *c, int errnum);

/* Of a stream that failed or ended, during the handshake or later. */
struct fr_client_fault fr_client_fault_stream(const struct fr_client_conn *c);

/* "127.0.0.1:8443" or the Unix path. */
const char *fr_client_conn_where(const struct fr_client_conn *c, char *out, size_t n);
