#include "support/loopback.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/parse.h"
#include "support/unit.h"

static int64_t clock_mono(void *data)
{
    return fr_clock_mono_ms(fr_clock_system()) + ((struct lb *)data)->skew_ms;
}

static int64_t clock_real(void *data)
{
    (void)data;
    return fr_clock_real_ms(fr_clock_system());
}

static void reply_peer(struct fr_http_exchange *x)
{
    const struct fr_http_peer *peer = fr_http_conn_peer(x->conn);
    char text[1024];
    int n;

    if (peer->is_unix)
        n = snprintf(text, sizeof text, "uid=%d", peer->has_cred ? (int)peer->cred.uid : -1);
    else if (peer->cert)
        n = snprintf(text, sizeof text, "%s %s %s", peer->cert->subject,
                     peer->cert->is_resumed ? "resumed" : "full",
                     peer->cert->n_names ? peer->cert->names[0] : "-");
    else
        n = snprintf(text, sizeof text, "none %s", peer->sni);
    fr_http_reply(x, 200, NULL, 0, fr_span(text, (size_t)n));
}

static void reply_echo(struct fr_http_exchange *x)
{
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", "text/x-echo");
    struct fr_buf out = FR_BUF_INIT(1 << 20);

    fr_buf_add_span(&out, x->method);
    fr_buf_add_char(&out, ' ');
    fr_buf_add_span(&out, x->path);
    if (x->has_query) fr_buf_add_char(&out, '?');
    fr_buf_add_span(&out, x->query);
    fr_buf_add_char(&out, ' ');
    fr_buf_add_span(&out, x->body);
    fr_http_reply(x, 200, &type, 1, fr_buf_span(&out));
    fr_buf_deinit(&out);
}

static void reply_fields(struct fr_http_exchange *x)
{
    struct fr_buf out = FR_BUF_INIT(1 << 20);

    for (size_t i = 0; i < x->n_fields; i++) {
        fr_buf_add_span(&out, x->fields[i].name);
        fr_buf_add_char(&out, '=');
        fr_buf_add_span(&out, x->fields[i].value);
        fr_buf_add_char(&out, '\n');
    }
    fr_http_reply(x, 200, NULL, 0, fr_buf_span(&out));
    fr_buf_deinit(&out);
}

static void reply_big(struct fr_http_exchange *x)
{
    uint64_t n = 0;

    assert_int_equal(fr_parse_u64(x->query, 0, 1 << 24, &n), FR_OK);
    uint8_t *body = malloc(n + 1);
    for (uint64_t i = 0; i < n; i++) body[i] = (uint8_t)('a' + i % 26);
    fr_http_reply(x, 200, NULL, 0, fr_span(body, n));
    free(body);
}

/* A body that is taken as it comes. */
struct taking {
    struct lb *lb;
    struct fr_http_exchange *x;
    uint64_t n, told;
    struct fr_timer pause;
};

static void pause_over(struct fr_timer *timer)
{
    fr_http_let_go(((struct taking *)timer->data)->x);
}

static void take_bytes(void *data, struct fr_http_exchange *x, struct fr_span bytes)
{
    struct taking *t = data;
    t->n += bytes.n;
    if (t->lb->taken++ % 2) return;
    fr_http_hold(x);
    fr_timer_start(t->lb->loop, &t->pause, 1);
}

static void fill(void *data, uint8_t *p, size_t n)
{
    struct taking *t = data;
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)('a' + t->told++ % 26);
}

static void fill_end(void *data)
{
    struct taking *t = data;
    t->lb->ended++;
    free(t);
}

static void take_end(void *data, struct fr_http_exchange *x)
{
    struct taking *t = data;
    const struct fr_http_source source = {.data = t, .fill = fill, .end = fill_end};
    assert_int_equal(x->body.n, 0);
    fr_timer_stop(&t->pause);
    fr_http_let_go(x);
    fr_http_reply_from(x, 200, NULL, 0, t->n, &source);
}

static void take_gone(void *data)
{
    struct taking *t = data;
    fr_timer_stop(&t->pause);
    t->lb->gone++;
    free(t);
}

static void on_head(void *data, struct fr_http_exchange *x)
{
    struct lb *lb = data;
    if (fr_span_is(x->path, "/no")) fr_http_reply_text(x, 403, "no");
    if (!fr_span_is(x->path, "/take")) return;
    struct taking *t = calloc(1, sizeof *t);
    assert_non_null(t);
    *t = (struct taking){.lb = lb, .x = x};
    fr_timer_init(&t->pause, pause_over, t);
    const struct fr_http_sink sink = {
        .data = t, .on_bytes = take_bytes, .on_end = take_end, .on_gone = take_gone};
    fr_http_take_body(x, &sink);
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    struct lb *lb = data;

    lb->requests++;
    if (fr_span_is(x->path, "/echo"))
        reply_echo(x);
    else if (fr_span_is(x->path, "/peer"))
        reply_peer(x);
    else if (fr_span_is(x->path, "/fields"))
        reply_fields(x);
    else if (fr_span_is(x->path, "/big"))
        reply_big(x);
    else if (fr_span_is(x->path, "/later"))
        lb->later = x;
    else if (fr_span_is(x->path, "/close"))
        fr_http_reply_close(x, 200, NULL, 0, fr_span_str("bye"));
    else if (fr_span_is(x->path, "/drop"))
        fr_http_drop(x);
    else
        fr_http_reply_text(x, 404, "no such path");
}

static void on_refused(void *data, const struct fr_addr *peer, const struct fr_tls_refusal *why)
{
    struct lb *lb = data;

    (void)peer;
    lb->refusals++;
    snprintf(lb->refusal, sizeof lb->refusal, "%s", why->reason);
}

static void on_close(void *data, struct fr_http_conn *conn)
{
    (void)conn;
    ((struct lb *)data)->closes++;
}

void lb_start(struct lb *lb, const struct fr_http_server_conf *conf)
{
    struct fr_http_server_conf def = fr_http_server_conf_default();
    struct fr_http_handler handler = {.data = lb,
                                      .on_request = on_request,
                                      .on_head = on_head,
                                      .on_refused = on_refused,
                                      .on_close = on_close};

    *lb = (struct lb){.clock = {.mono_ms = clock_mono, .real_ms = clock_real, .data = lb}};
    assert_int_equal(fr_loop_poll_new(&lb->clock, &lb->loop), FR_OK);
    assert_int_equal(fr_http_server_new(lb->loop, conf ? conf : &def, &handler, &lb->server),
                     FR_OK);
}

static void listen_on(struct lb *lb, struct fr_http_listen *how)
{
    struct fr_diag diag = {0};

    how->at.ip = (struct fr_ip){.family = 4, .b = {127, 0, 0, 1}};
    if (fr_http_server_listen(lb->server, how, &diag, &lb->listener) != FR_OK)
        fail_msg("listen: %s", diag.what);
}

void lb_listen(struct lb *lb)
{
    struct fr_http_listen how = {0};

    listen_on(lb, &how);
}

void lb_listen_unix(struct lb *lb)
{
    struct fr_http_listen how = {.unix_path = lb->unix_path};
    char folder[] = "/tmp/fr-test-XXXXXX";

    assert_non_null(mkdtemp(folder));
    snprintf(lb->unix_path, sizeof lb->unix_path, "%s/s", folder);
    listen_on(lb, &how);
}

static bool select_service(void *data, const char *sni, struct fr_tls_choice *out)
{
    struct lb *lb = data;

    for (int i = 0; i < LB_SERVICES; i++) {
        struct lb_service *s = &lb->services[i];

        if (!s->ctx || (sni == NULL) != (s->sni == NULL) || (sni && strcmp(sni, s->sni) != 0))
            continue;
        out->ctx = s->ctx;
        out->client_cert = s->policy;
        out->sid_ctx_n = strlen(s->sid);
        memcpy(out->sid_ctx, s->sid, out->sid_ctx_n);
        out->tag = s;
        return true;
    }
    return false;
}

void lb_listen_tls(struct lb *lb)
{
    assert_int_equal(fr_tls_acceptor_new(600, 100, &lb->acceptor), FR_OK);
    struct fr_http_listen how = {.tls = lb->acceptor, .select = select_service, .select_data = lb};
    listen_on(lb, &how);
}

void lb_stop(struct lb *lb)
{
    fr_http_server_free(lb->server);
    fr_tls_acceptor_unref(lb->acceptor);
    for (int i = 0; i < LB_SERVICES; i++) fr_tls_ctx_unref(lb->services[i].ctx);
    fr_loop_poll_free(lb->loop);
    if (lb->unix_path[0]) {
        unlink(lb->unix_path);
        *strrchr(lb->unix_path, '/') = '\0';
        rmdir(lb->unix_path);
    }
}

static struct fr_tls_pem pem_of(const struct test_id *id, const struct test_ca *ca)
{
    return (struct fr_tls_pem){
        .chain = fr_span_str(id ? id->chain : NULL),
        .key = fr_span_str(id ? id->key : NULL),
        .ca = fr_span_str(test_ca_pem(ca)),
    };
}

struct fr_tls_ctx *lb_server_ctx(const struct test_id *id, const struct test_ca *ca)
{
    struct fr_tls_pem pem = pem_of(id, ca);
    struct fr_tls_ctx *ctx = NULL;
    struct fr_diag diag = {0};

    if (fr_tls_server_new(&pem, &diag, &ctx) != FR_OK) fail_msg("%s", diag.what);
    return ctx;
}

struct fr_tls_ctx *lb_client_ctx(const struct test_id *id, const struct test_ca *ca)
{
    struct fr_tls_pem pem = pem_of(id, ca);
    struct fr_tls_ctx *ctx = NULL;
    struct fr_diag diag = {0};

    if (fr_tls_client_new(&pem, &diag, &ctx) != FR_OK) fail_msg("%s", diag.what);
    return ctx;
}

struct fr_http_client *lb_client(struct lb *lb, const char *host, struct fr_tls_ctx *tls,
                                 const struct fr_http_client_conf *base)
{
    struct fr_http_client_conf conf = base ? *base : fr_http_client_conf_default();
    const struct fr_addr *at = fr_http_listener_addr(lb->listener);
    struct fr_http_client *client = NULL;

    conf.host = host;
    conf.tls = tls;
    if (lb->unix_path[0]) {
        conf.unix_path = lb->unix_path;
    } else if (conf.n_addrs == 0) {
        conf.addrs = at;
        conf.n_addrs = 1;
        conf.port = at->port;
    }
    assert_int_equal(fr_http_client_new(lb->loop, &conf, &client), FR_OK);
    return client;
}

void lb_until(struct lb *lb, const bool *flag)
{
    for (int i = 0; i < 1000 && !*flag; i++) (void)fr_loop_poll_turn(lb->loop, 10);
    assert_true(*flag);
}

void lb_turns(struct lb *lb, int n)
{
    for (int i = 0; i < n; i++) (void)fr_loop_poll_turn(lb->loop, 1);
}

static void on_done(void *data, const struct fr_http_result *r)
{
    struct lb_answer *a = data;
    struct fr_span type = fr_http_find(r->fields, r->n_fields, "content-type");

    assert_false(a->is_done);
    a->is_done = true;
    a->fault = r->fault;
    a->status = r->status;
    a->proto = r->proto;
    a->is_new_connection = r->is_new_connection;
    a->has_cert = r->cert != NULL;
    snprintf(a->text, sizeof a->text, "%s", r->text);
    snprintf(a->alert, sizeof a->alert, "%s", r->alert_word);
    a->body_n = r->body.n;
    size_t n = r->body.n < sizeof a->body - 1 ? r->body.n : sizeof a->body - 1;
    if (n) memcpy(a->body, r->body.p, n);
    a->body[n] = '\0';
    (void)fr_span_copy(type, a->type, sizeof a->type);
}

void lb_send(struct fr_http_client *client, const char *method, const char *target,
             const char *body, struct lb_answer *out)
{
    const struct fr_http_request req = {
        .method = method, .target = target, .body = fr_span_str(body), .is_retryable = true};

    lb_send_once(client, &req, out);
}

void lb_send_once(struct fr_http_client *client, const struct fr_http_request *req,
                  struct lb_answer *out)
{
    *out = (struct lb_answer){0};
    assert_int_equal(fr_http_send(client, req, 5000, on_done, out, &out->call), FR_OK);
}

void lb_call(struct lb *lb, struct fr_http_client *client, const char *method, const char *target,
             const char *body, struct lb_answer *out)
{
    lb_send(client, method, target, body, out);
    lb_until(lb, &out->is_done);
}

const char *lb_raw(struct lb *lb, const char *bytes, size_t n, size_t step, bool *out_closed)
{
    static char text[1 << 20];
    size_t sent = 0, got = 0;
    int fd = -1, errnum, quiet = 0;

    *out_closed = false;
    assert_int_equal(fr_socket_connect(fr_http_listener_addr(lb->listener), &fd, &errnum), FR_OK);
    while (quiet < 8 && !*out_closed) {
        if (sent < n) {
            size_t want = step && step < n - sent ? step : n - sent;
            ssize_t w = send(fd, bytes + sent, want, MSG_NOSIGNAL);
            if (w > 0) {
                sent += (size_t)w;
                quiet = 0;
            } else if (errno == EPIPE || errno == ECONNRESET) {
                sent = n; /* the server has said enough */
            }
        }
        if (fr_loop_poll_turn(lb->loop, 2)) quiet = 0;
        ssize_t r = recv(fd, text + got, sizeof text - 1 - got, MSG_DONTWAIT);
        if (r > 0) {
            got += (size_t)r;
            quiet = 0;
        } else if (r == 0 || errno == ECONNRESET) {
            *out_closed = true;
        } else {
            quiet++;
        }
    }
    close(fd);
    lb_turns(lb, 3);
    text[got] = '\0';
    return text;
}
