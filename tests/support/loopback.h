#pragma once
/* One HTTP server on loopback and a poll loop whose clock a test can move, for tests of both halves of the transport.
 *
 * The server answers: /echo → "METHOD path?query body"; /peer → the subject of the client's certificate and "resumed" or
 * "full"; /big?N → N bytes; /later → kept in lb.later until the test answers; /close → answers and closes; /drop → nothing;
 * /fields → the request's fields one a line; /take → its body is taken as it comes, with pauses, and as many bytes go back, made as
 * they are sent; /no → 403 before the body has come; everything else → 404. */

#include "base/clock.h"
#include "support/test_pki.h"
#include "transport/http_client.h"
#include "transport/http_server.h"
#include "transport/loop_poll.h"

#define LB_SERVICES 3

struct lb_service {  /* what select() serves */
    const char *sni; /* NULL: for clients without SNI */
    struct fr_tls_ctx *ctx;
    enum fr_tls_client_cert policy;
    const char *sid;
};

struct lb {
    int64_t skew_ms; /* added to the monotonic clock */
    struct fr_clock clock;
    struct fr_loop *loop;
    struct fr_http_server *server;
    struct fr_http_listener *listener;
    struct fr_tls_acceptor *acceptor;
    struct lb_service services[LB_SERVICES];
    struct fr_http_exchange *later;
    unsigned requests, refusals, closes;
    unsigned taken, gone,
        ended; /* parts of bodies, bodies that never ended, sources that are done */
    char refusal[256];
    char unix_path[108];
};

/* What a client call came to. */
struct lb_answer {
    bool is_done;
    enum fr_http_fault fault;
    unsigned status;
    enum fr_http_proto proto;
    char text[400], alert[64], body[4096], type[64];
    size_t body_n;
    bool is_new_connection, has_cert;
    struct fr_http_call *call;
};

void lb_start(struct lb *lb, const struct fr_http_server_conf *conf); /* NULL: defaults */
void lb_listen(struct lb *lb);                                        /* plain TCP, 127.0.0.1 */
void lb_listen_tls(struct lb *lb);                                    /* with lb->services */
void lb_listen_unix(struct lb *lb);
void lb_stop(struct lb *lb);

struct fr_tls_ctx *lb_server_ctx(const struct test_id *id, const struct test_ca *ca);
struct fr_tls_ctx *lb_client_ctx(const struct test_id *id,
                                 const struct test_ca *ca); /* id may be NULL */

/* A client of the server's listener. conf may be NULL. */
struct fr_http_client *lb_client(struct lb *lb, const char *host, struct fr_tls_ctx *tls,
                                 const struct fr_http_client_conf *conf);

/* Turns the loop until *flag, at most 10 s. Fails the test otherwise. */
void lb_until(struct lb *lb, const bool *flag);

/* A few turns with nothing to wait for. */
void lb_turns(struct lb *lb, int n);

/* A request that may be sent again. */
void lb_send(struct fr_http_client *client, const char *method, const char *target,
             const char *body, struct lb_answer *out);

/* A request as it stands. */
void lb_send_once(struct fr_http_client *client, const struct fr_http_request *req,
                  struct lb_answer *out);

/* Sends and waits. */
void lb_call(struct lb *lb, struct fr_http_client *client, const char *method, const char *target,
             const char *body, struct lb_answer *out);

/* Raw bytes to the plain listener: connects, sends in pieces of `step` bytes (0: all at once), and reads what comes until the
 * server closes or `quiet` turns bring nothing. Returns the text. */
const char *lb_raw(struct lb *lb, const char *bytes, size_t n, size_t step, bool *out_closed);
