#include "bench/load.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "transport/socket.h"

#define READ_BYTES 65536
#define EVENTS 256
#define WAIT_MS 100
#define FAILURES_MAX 20 /* in a row, before the run is given up */

struct load;

struct conn {
    struct load *load;
    int fd;
    uint32_t watched;
    SSL *ssl;
    SSL_SESSION *session; /* the newest, for the next connection */
    struct fr_h2_load *h2;
    int64_t start_us;
    unsigned answered;
};

struct load {
    const struct fr_load_plan *plan;
    struct fr_questions *questions;
    struct fr_load_result *result;
    SSL_CTX *tls;
    int epoll;
    struct conn *conns;
    int64_t start_us, now_us, end_us;
    unsigned failures; /* in a row */
    bool has_shut;     /* a connection failed and is to be opened again */
    char why[160];     /* of the first failure */
    uint8_t in[READ_BYTES];
};

static int64_t clock_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* that clock is always there */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- TLS --- */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct conn *c = SSL_get_app_data(ssl);

    SSL_SESSION_free(c->session);
    c->session = session;
    return 1; /* the reference is ours now */
}

static enum fr_err tls_open(struct load *l, struct fr_diag *diag)
{
    const struct fr_load_plan *plan = l->plan;
    SSL_CTX *tls = l->tls = SSL_CTX_new(TLS_client_method());

    if (tls == NULL) return FR_E_NOMEM;
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_default_read_buffer_len(tls, READ_BYTES);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls, on_session);
    if (SSL_CTX_set_alpn_protos(tls, (const unsigned char *)"\x02h2", 3) != 0) return FR_E_NOMEM;
    if (SSL_CTX_load_verify_locations(tls, plan->ca, NULL) != 1)
        return fr_diag_fail(diag, FR_E_CONFIG, "%s: no CA certificates", plan->ca);
    if (plan->certificate == NULL) return FR_OK;
    if (SSL_CTX_use_certificate_chain_file(tls, plan->certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, plan->key, SSL_FILETYPE_PEM) != 1)
        return fr_diag_fail(diag, FR_E_CONFIG, "%s and %s are no certificate and key",
                            plan->certificate, plan->key);
    return FR_OK;
}

static bool tls_start(struct conn *c)
{
    const char *host = c->load->plan->host;
    SSL *ssl = c->ssl = SSL_new(c->load->tls);
    struct fr_ip ip;

    if (ssl == NULL) return false;
    SSL_set_app_data(ssl, c);
    SSL_set_connect_state(ssl);
    if (SSL_set_fd(ssl, c->fd) != 1) return false;
    if (c->session != NULL && SSL_set_session(ssl, c->session) != 1) return false;
    if (fr_ip_parse(fr_span_str(host), &ip) == FR_OK)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* --- connections --- */

static void on_answered(void *data, const struct fr_h2_answer *answer)
{
    struct conn *c = data;
    struct fr_load_result *r = c->load->result;

    c->answered++;
    if (answer->status == 0) {
        r->resets++;
        return;
    }
    r->answered++;
    r->status[answer->status % 1000]++;
    fr_histogram_add(&r->latency, (uint64_t)answer->took_us);
    if (answer->status != 200) return;
    r->ok++;
    if (answer->rcode < 0)
        r->no_message++;
    else
        r->rcode[answer->rcode & 15]++;
}

static void conn_close(struct conn *c)
{
    if (c->ssl != NULL) {
        if (SSL_is_init_finished(c->ssl)) (void)SSL_shutdown(c->ssl); /* so the session survives */
        SSL_free(c->ssl);
    }
    if (c->fd >= 0) close(c->fd); /* epoll forgets it */
    fr_h2_load_free(c->h2);
    c->ssl = NULL;
    c->h2 = NULL;
    c->fd = -1;
    c->watched = 0;
    c->answered = 0;
    ERR_clear_error();
}

static bool watch(struct conn *c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    int how = c->watched != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (events == c->watched) return true;
    c->watched = events;
    return epoll_ctl(c->load->epoll, how, c->fd, &event) == 0;
}

/* A connection ended that should not have. */
static void conn_fail(struct conn *c, const char *why)
{
    struct load *l = c->load;
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    l->result->broken++;
    l->failures++;
    l->has_shut = true;
    if (l->why[0] == '\0') {
        struct fr_span text = fr_span_str(reason != NULL ? reason : why);
        if (text.n >= sizeof l->why) text.n = sizeof l->why - 1;
        (void)fr_span_copy(text, l->why, sizeof l->why); /* it fits */
    }
    conn_close(c);
}

static void conn_open(struct conn *c)
{
    struct load *l = c->load;
    int errnum = 0;

    c->start_us = l->now_us;
    if (fr_socket_connect(&l->plan->address, &c->fd, &errnum) != FR_OK) {
        conn_fail(c, strerror(errnum));
        return;
    }
    if (!l->plan->is_resuming) {
        SSL_SESSION_free(c->session);
        c->session = NULL;
    }
    if (fr_h2_load_new(&l->plan->http, on_answered, c, &c->h2) != FR_OK || !tls_start(c) ||
        !watch(c, EPOLLIN | EPOLLOUT))
        conn_fail(c, "out of memory");
}

static bool is_up(const struct conn *c)
{
    return SSL_is_init_finished(c->ssl);
}

static bool may_ask(const struct conn *c)
{
    const struct load *l = c->load;
    const struct fr_load_plan *plan = l->plan;
    uint64_t open = fr_h2_load_open(c->h2);

    if (plan->count > 0 && l->result->asked >= plan->count) return false;
    if (plan->per_connection > 0 && c->answered + open >= plan->per_connection) return false;
    return fr_h2_load_can_ask(c->h2);
}

static bool ask_all(struct conn *c)
{
    struct load *l = c->load;

    while (may_ask(c)) {
        struct fr_span message = fr_questions_next(l->questions);

        if (fr_h2_load_ask(c->h2, message, l->now_us) != FR_OK) return false;
        l->result->asked++;
    }
    return true;
}

/* Writes what there is, one record if it fits. False: the connection is over. */
static bool write_out(struct conn *c)
{
    struct fr_buf *out = fr_h2_load_out(c->h2);
    size_t n = 0;

    while (out->n > 0) {
        int result = SSL_write_ex(c->ssl, out->p, out->n, &n);

        if (result != 1) {
            if (SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_WRITE)
                return watch(c, EPOLLIN | EPOLLOUT);
            return false;
        }
        c->load->result->bytes_out += n;
        fr_buf_drop(out, n);
    }
    return watch(c, EPOLLIN);
}

static bool handshake(struct conn *c)
{
    struct load *l = c->load;
    const unsigned char *word;
    unsigned word_n;
    int result = SSL_do_handshake(c->ssl);

    if (result != 1) {
        int error = SSL_get_error(c->ssl, result);
        return error == SSL_ERROR_WANT_READ    ? watch(c, EPOLLIN)
               : error == SSL_ERROR_WANT_WRITE ? watch(c, EPOLLIN | EPOLLOUT)
                                               : false;
    }
    SSL_get0_alpn_selected(c->ssl, &word, &word_n);
    if (word_n != 2) return false;
    l->failures = 0;
    l->result->handshakes++;
    if (SSL_session_reused(c->ssl)) l->result->resumed++;
    fr_histogram_add(&l->result->handshake, (uint64_t)(clock_us() - c->start_us));
    return true;
}

/* Reads all there is. False: the connection is over. */
static bool read_in(struct conn *c)
{
    struct load *l = c->load;
    size_t n = 0;

    for (;;) {
        int result = SSL_read_ex(c->ssl, l->in, sizeof l->in, &n);

        if (result != 1) return SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_READ;
        l->result->bytes_in += n;
        if (fr_h2_load_feed(c->h2, fr_span(l->in, n), l->now_us) != FR_OK) return false;
    }
}

static bool is_done(const struct conn *c)
{
    unsigned limit = c->load->plan->per_connection;

    return (limit > 0 && c->answered >= limit) ||
           (fr_h2_load_is_over(c->h2) && fr_h2_load_open(c->h2) == 0);
}

static void drive(struct conn *c)
{
    bool is_alive = is_up(c) || handshake(c);

    if (is_alive && !is_up(c)) return; /* the handshake goes on */
    if (is_alive) is_alive = read_in(c);
    if (is_alive && is_done(c)) {
        conn_close(c);
        conn_open(c);
        return;
    }
    if (is_alive) is_alive = ask_all(c) && write_out(c);
    if (is_alive) return;
    conn_fail(c, "the server closed the connection");
}

/* --- the run --- */

static bool is_over(const struct load *l)
{
    const struct fr_load_plan *plan = l->plan;

    if (l->failures >= FAILURES_MAX) return true;
    if (l->end_us > 0 && l->now_us >= l->end_us) return true;
    return plan->count > 0 && l->result->answered + l->result->resets >= plan->count;
}

static void reopen(struct load *l)
{
    l->has_shut = false;
    for (unsigned i = 0; i < l->plan->connections && !is_over(l); i++)
        if (l->conns[i].fd < 0) conn_open(&l->conns[i]);
}

static void run(struct load *l)
{
    struct epoll_event events[EVENTS];

    l->start_us = l->now_us = clock_us();
    if (l->plan->duration_ms > 0) l->end_us = l->start_us + l->plan->duration_ms * 1000;
    for (unsigned i = 0; i < l->plan->connections; i++) conn_open(&l->conns[i]);
    while (!is_over(l)) {
        int n = epoll_wait(l->epoll, events, EVENTS, l->plan->is_busy ? 0 : WAIT_MS);

        l->now_us = clock_us();
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if (c->fd >= 0) drive(c);
        }
        if (l->has_shut) reopen(l);
    }
    l->result->took_us = clock_us() - l->start_us;
}

static enum fr_err prepare(struct load *l, struct fr_diag *diag)
{
    enum fr_err err = tls_open(l, diag);

    if (err != FR_OK) return err;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0) return fr_err_from_errno(errno);
    l->conns = fr_calloc(l->plan->connections, sizeof *l->conns);
    if (l->conns == NULL) return FR_E_NOMEM;
    for (unsigned i = 0; i < l->plan->connections; i++)
        l->conns[i] = (struct conn){.load = l, .fd = -1};
    return FR_OK;
}

enum fr_err fr_load_run(const struct fr_load_plan *plan, struct fr_questions *questions,
                        struct fr_diag *diag, struct fr_load_result *out)
{
    struct load *l = fr_calloc(1, sizeof *l);

    if (l == NULL) return FR_E_NOMEM;
    *l = (struct load){.plan = plan, .questions = questions, .result = out, .epoll = -1};
    *out = (struct fr_load_result){0};
    enum fr_err err = prepare(l, diag);
    if (err == FR_OK) run(l);
    if (err == FR_OK && l->failures >= FAILURES_MAX)
        err =
            fr_diag_fail(diag, FR_E_NET, "%u connections in a row failed: %s", l->failures, l->why);
    for (unsigned i = 0; l->conns != NULL && i < plan->connections; i++) {
        conn_close(&l->conns[i]);
        SSL_SESSION_free(l->conns[i].session);
    }
    fr_free(l->conns);
    if (l->epoll >= 0) close(l->epoll);
    SSL_CTX_free(l->tls);
    ERR_clear_error();
    fr_free(l);
    return err;
}
