#include "transport/client_conn.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define READS_PER_TURN 16

/* One client connection: address after address until one connects, TLS, then the protocol that ALPN chose. Whatever may
 * destroy the connection is the last thing its caller does with it. */

void fr_client_conn_count(struct fr_client_conn *c)
{
    struct fr_http_client_counters *n = &c->client->counters;
    const struct fr_stream *s = &c->stream;
    struct fr_socket_counts now = {0};

    n->bytes_in += s->bytes_in - c->seen_in;
    n->bytes_out += s->bytes_out - c->seen_out;
    n->app_bytes_in += s->app_in - c->seen_app_in;
    n->app_bytes_out += s->app_out - c->seen_app_out;
    c->seen_in = s->bytes_in;
    c->seen_out = s->bytes_out;
    c->seen_app_in = s->app_in;
    c->seen_app_out = s->app_out;
    if (s->watch.fd < 0 || c->client->unix_path) return;
    fr_socket_counts(s->watch.fd, &now);
    n->segments_in += now.segments_in - c->seen_counts.segments_in;
    n->segments_out += now.segments_out - c->seen_counts.segments_out;
    c->seen_counts = now;
}

static void drop_socket(struct fr_client_conn *c)
{
    fr_client_conn_count(c);
    fr_stream_close(&c->stream);
}

static void destroy(struct fr_client_conn *c)
{
    struct fr_http_client *client = c->client;
    struct fr_http_call *call;

    TAILQ_FOREACH(call, &client->finished, link)
    if (call->conn == c) call->conn = NULL;
    if (c->proto) c->proto->stop(c);
    fr_timer_stop(&c->timer);
    fr_defer_cancel(&c->turn);
    drop_socket(c);
    TAILQ_REMOVE(&client->conns, c, link);
    if (!client->is_freed && !TAILQ_EMPTY(&client->waiting))
        fr_loop_defer(client->loop, &client->turn);
    fr_free(c);
}

/* Nothing is left of an idle client: for those who want to be connected when the next call comes. */
static void tell_lost(struct fr_http_client *client)
{
    if (client->conf.on_lost && !client->is_freed && TAILQ_EMPTY(&client->conns) &&
        TAILQ_EMPTY(&client->waiting))
        client->conf.on_lost(client->conf.lost_data);
}

void fr_client_conn_lose(struct fr_client_conn *c, const struct fr_client_fault *why)
{
    struct fr_http_client *client = c->client;
    struct fr_http_call *call;
    bool was_idle = c->phase == FR_CLIENT_OPEN && c->n_calls == 0;

    c->is_in_event = true; /* it goes now: nothing is to be scheduled on it */
    while ((call = TAILQ_LAST(&c->calls, fr_call_list)) != NULL) {
        call->addr = c->addr;
        fr_call_lost(call, why);
    }
    destroy(c);
    if (was_idle) tell_lost(client);
}

void fr_client_conn_schedule(struct fr_client_conn *c)
{
    if (!c->is_in_event) fr_loop_defer(c->client->loop, &c->turn);
}

void fr_client_conn_close(struct fr_client_conn *c)
{
    struct fr_http_client *client = c->client;

    if (c->phase == FR_CLIENT_OPEN) {
        c->proto->goodbye(c);
        size_t n = c->proto->fill(c, client->out, sizeof client->out);
        (void)fr_stream_write(&c->stream, client->out, n); /* it ends either way */
        fr_stream_shutdown(&c->stream);
    }
    destroy(c);
}

void fr_client_conn_take(struct fr_client_conn *c, struct fr_http_call *call)
{
    TAILQ_REMOVE(&call->client->waiting, call, link);
    TAILQ_INSERT_TAIL(&c->calls, call, link);
    c->n_calls++;
    call->state = FR_CALL_SENT;
    call->conn = c;
    call->addr = c->addr;
    call->proto = c->proto == &fr_h2_client_proto ? FR_HTTP_2 : FR_HTTP_1_1;
    call->is_new_connection = !c->is_kept;
    call->sent_ms = fr_loop_now_ms(c->client->loop);
    call->is_sent = true;
    c->is_waiting = true;
    fr_timer_stop(&c->timer);
    c->is_pinged = false;
    if (c->proto->send(c, call) != FR_OK) {
        const struct fr_client_fault why = fr_client_fault(FR_HTTP_NO_MEMORY, "out of memory");

        c->proto->cancel(c, call);
        fr_call_finish(call, &why);
    }
    fr_client_conn_schedule(c);
}

static void start_connect(struct fr_client_conn *c);

/* This address will not do: the next one, or the end. */
static void next_address(struct fr_client_conn *c, const struct fr_client_fault *why)
{
    struct fr_http_client *client = c->client;

    client->counters.connects_failed++;
    drop_socket(c);
    c->addrs_tried++;
    if (!client->unix_path && c->addrs_tried < client->n_addrs) {
        c->addr_at = (c->addr_at + 1) % client->n_addrs;
        start_connect(c);
        return;
    }
    struct fr_http_call *call;
    TAILQ_FOREACH(call, &client->waiting, link) call->addr = c->addr;
    destroy(c);
    fr_client_no_connection(client, why);
}

static void fail_handshake(struct fr_client_conn *c)
{
    struct fr_client_fault why = fr_client_fault_stream(c);
    bool has_progress;

    (void)fr_stream_flush(&c->stream, &has_progress); /* our alert, as far as it goes */
    SSL_SESSION_free(c->client->session);
    c->client->session = NULL;
    next_address(c, &why);
}

static void on_session(void *data, SSL_SESSION *session)
{
    struct fr_http_client *client = data;

    SSL_SESSION_free(client->session);
    client->session = session;
}

static bool can_ping(const struct fr_client_conn *c)
{
    return c->client->conf.ping_ms > 0 && c->proto->ping;
}

static void arm_idle(struct fr_client_conn *c)
{
    const struct fr_http_client_conf *conf = &c->client->conf;

    if (c->phase == FR_CLIENT_OPEN && c->n_calls == 0 && !c->timer.is_armed)
        fr_timer_start(c->client->loop, &c->timer, can_ping(c) ? conf->ping_ms : conf->idle_ms);
}

/* Sends what there is and decides how the connection goes on. */
static void flush(struct fr_client_conn *c)
{
    struct fr_http_client *client = c->client;
    enum fr_stream_status status = FR_STREAM_OK;
    bool has_progress, has_more = c->stream.is_full; /* behind what the socket would not take */

    if (c->proto && !has_more) {
        size_t n = c->proto->fill(c, client->out, sizeof client->out);

        status = fr_stream_write(&c->stream, client->out, n);
        has_more = n == sizeof client->out;
    }
    if (status == FR_STREAM_OK) status = fr_stream_flush(&c->stream, &has_progress);
    if (status == FR_STREAM_FAILED || c->stream.is_failed) {
        const struct fr_client_fault why = fr_client_fault_stream(c);

        fr_client_conn_lose(c, &why);
        return;
    }
    bool is_done =
        c->phase == FR_CLIENT_OPEN && c->n_calls == 0 && status == FR_STREAM_OK && !has_more;
    if (is_done && (c->is_retired || (client->conf.idle_ms == 0 && c->is_kept))) {
        fr_client_conn_close(c);
        tell_lost(client);
        return;
    }
    bool has_unread = c->phase == FR_CLIENT_OPEN &&
                      fr_stream_has_unread(&c->stream); /* no event will tell of it */
    if ((has_more && status == FR_STREAM_OK) || has_unread) fr_loop_defer(client->loop, &c->turn);
    arm_idle(c);

    unsigned want = FR_LOOP_READ | (fr_stream_pending(&c->stream) > 0 ? FR_LOOP_WRITE : 0);
    if (fr_watch_start(client->loop, &c->stream.watch, want) != FR_OK) {
        const struct fr_client_fault why = fr_client_fault(FR_HTTP_NO_MEMORY, "out of memory");

        fr_client_conn_lose(c, &why);
    }
}

/* Connected and, with TLS, verified: speaks HTTP from here. */
static void become_open(struct fr_client_conn *c)
{
    struct fr_http_client *client = c->client;
    const struct fr_client_proto *proto = &fr_h1_client_proto;

    if (c->stream.ssl && fr_tls_is_h2(c->stream.ssl)) {
        proto = &fr_h2_client_proto;
    } else if (!client->conf.has_h1) {
        char buf[400];
        const struct fr_client_fault why = fr_client_fault(
            FR_HTTP_PROTOCOL, "%s does not speak HTTP/2", fr_client_conn_where(c, buf, sizeof buf));
        next_address(c, &why);
        return;
    } else {
        client->is_h1 = true;
    }
    if (proto->start(c) != FR_OK) {
        const struct fr_client_fault why = fr_client_fault(FR_HTTP_NO_MEMORY, "out of memory");

        next_address(c, &why);
        return;
    }
    c->proto = proto;
    c->phase = FR_CLIENT_OPEN;
    client->addr_good = c->addr_at;
    fr_timer_stop(&c->timer);
    c->is_in_event = true;
    fr_client_pump(client); /* so that the first requests leave with the end of the handshake */
    c->is_in_event = false;
    flush(c);
}

static void handshake(struct fr_client_conn *c)
{
    struct fr_http_client_counters *n = &c->client->counters;
    enum fr_stream_status status = fr_stream_handshake(&c->stream);

    if (status == FR_STREAM_AGAIN) {
        flush(c);
        return;
    }
    if (status != FR_STREAM_OK) {
        fail_handshake(c);
        return;
    }
    bool is_resumed = SSL_session_reused(c->stream.ssl) == 1;
    n->handshakes++;
    if (is_resumed) n->handshakes_resumed++;
    n->round_trips += SSL_version(c->stream.ssl) >= TLS1_3_VERSION || is_resumed ? 1 : 2;
    become_open(c);
}

static void connected(struct fr_client_conn *c)
{
    struct fr_http_client *client = c->client;
    int errnum = fr_socket_error(c->stream.watch.fd);

    if (errnum) {
        const struct fr_client_fault why = fr_client_fault_errno(c, errnum);

        next_address(c, &why);
        return;
    }
    client->counters.connects++;
    client->counters.round_trips++;
    if (!client->conf.tls) {
        c->stream.is_up = true;
        become_open(c);
        return;
    }
    SSL *ssl = fr_tls_client_ssl(client->conf.tls, &c->stream.tls, client->host,
                                 client->conf.has_h2, client->conf.has_h1, client->session);
    if (!ssl || fr_stream_start_tls(&c->stream, ssl) != FR_OK) {
        const struct fr_client_fault why = fr_client_fault(FR_HTTP_NO_MEMORY, "cannot start TLS");

        next_address(c, &why);
        return;
    }
    c->stream.tls.on_session = on_session;
    c->stream.tls.session_data = client;
    c->phase = FR_CLIENT_HANDSHAKE;
    handshake(c);
}

/* False: the connection is gone. */
static bool read_answers(struct fr_client_conn *c)
{
    struct fr_http_client *client = c->client;

    for (int reads = 0; reads < READS_PER_TURN; reads++) {
        size_t n;
        enum fr_stream_status status =
            fr_stream_read(&c->stream, client->in, sizeof client->in, &n);

        if (status == FR_STREAM_AGAIN) return true;
        if (status != FR_STREAM_OK) {
            if (status == FR_STREAM_END) c->proto->end(c);
            const struct fr_client_fault why = fr_client_fault_stream(c);
            fr_client_conn_lose(c, &why);
            return false;
        }
        c->heard_ms = fr_loop_now_ms(client->loop);
        if (!c->proto->feed(c, fr_span(client->in, n))) {
            char buf[400];
            const struct fr_client_fault why =
                fr_client_fault(FR_HTTP_PROTOCOL, "the answer of %s is not valid HTTP",
                                fr_client_conn_where(c, buf, sizeof buf));
            fr_client_conn_lose(c, &why);
            return false;
        }
        if (fr_stream_is_drained(&c->stream)) return true;
    }
    fr_loop_defer(client->loop,
                  &c->turn); /* there may be more inside that the socket does not tell of */
    return true;
}

static void on_ready(struct fr_watch *w, unsigned events)
{
    struct fr_client_conn *c = w->data;

    if (c->phase == FR_CLIENT_CONNECTING) {
        connected(c);
        return;
    }
    if (c->phase == FR_CLIENT_HANDSHAKE) {
        handshake(c);
        return;
    }
    c->is_in_event = true;
    if (events & FR_LOOP_READ && !read_answers(c)) return;
    c->is_in_event = false;
    if (!TAILQ_EMPTY(&c->client->waiting)) fr_loop_defer(c->client->loop, &c->client->turn);
    flush(c);
}

static void on_turn(struct fr_defer *d)
{
    struct fr_client_conn *c = d->data;

    if (c->phase != FR_CLIENT_OPEN) return;
    c->is_in_event = true;
    bool has_input = !fr_stream_is_drained(&c->stream) || fr_stream_has_unread(&c->stream);
    if (has_input && !read_answers(c)) return;
    c->is_in_event = false;
    flush(c);
}

/* Idle for long: is the other end still there? Firewalls on the way forget connections in silence. */
static void check_alive(struct fr_client_conn *c)
{
    const struct fr_http_client_conf *conf = &c->client->conf;
    char buf[400];

    if (c->is_pinged && c->heard_ms < c->pinged_ms) {
        const struct fr_client_fault why = fr_client_fault(
            FR_HTTP_TIMEOUT, "%s gave no sign of life", fr_client_conn_where(c, buf, sizeof buf));

        fr_client_conn_lose(c, &why);
        return;
    }
    c->is_pinged = !c->is_pinged && c->proto->ping(c) == FR_OK;
    c->pinged_ms = fr_loop_now_ms(c->client->loop);
    fr_timer_start(c->client->loop, &c->timer, c->is_pinged ? conf->connect_ms : conf->ping_ms);
    if (c->is_pinged) fr_client_conn_schedule(c);
}

static void on_timer(struct fr_timer *t)
{
    struct fr_client_conn *c = t->data;
    char buf[400];

    if (c->phase == FR_CLIENT_OPEN) {
        if (c->n_calls == 0 && can_ping(c))
            check_alive(c);
        else if (c->n_calls == 0)
            fr_client_conn_close(c);
        return;
    }
    const struct fr_client_fault why =
        fr_client_fault(c->phase == FR_CLIENT_CONNECTING ? FR_HTTP_UNREACHABLE : FR_HTTP_TIMEOUT,
                        "no %s to %s within %u ms",
                        c->phase == FR_CLIENT_CONNECTING ? "connection" : "TLS connection",
                        fr_client_conn_where(c, buf, sizeof buf), c->client->conf.connect_ms);
    next_address(c, &why);
}

static void start_connect(struct fr_client_conn *c)
{
    struct fr_http_client *client = c->client;
    int fd = -1, errnum = 0;
    enum fr_err err;

    c->phase = FR_CLIENT_CONNECTING;
    c->seen_in = c->seen_out = c->seen_app_in = c->seen_app_out = 0; /* the stream starts anew */
    c->seen_counts = (struct fr_socket_counts){0};
    if (client->unix_path) {
        err = fr_socket_connect_unix(client->unix_path, &fd, &errnum);
    } else {
        c->addr = client->addrs[c->addr_at];
        err = fr_socket_connect(&c->addr, &fd, &errnum);
    }
    fr_stream_init(&c->stream, client->loop, &client->streams, err ? -1 : fd, on_ready, c);
    if (!err) err = fr_watch_start(client->loop, &c->stream.watch, FR_LOOP_WRITE);
    if (err) {
        const struct fr_client_fault why = fr_client_fault_errno(c, errnum);

        next_address(c, &why);
        return;
    }
    fr_timer_start(client->loop, &c->timer, client->conf.connect_ms);
}

void fr_client_conn_open(struct fr_http_client *client)
{
    struct fr_client_conn *c = fr_calloc(1, sizeof *c);

    if (!c) {
        const struct fr_client_fault why = fr_client_fault(FR_HTTP_NO_MEMORY, "out of memory");

        fr_client_no_connection(client, &why);
        return;
    }
    c->client = client;
    c->addr_at = client->addr_good < client->n_addrs ? client->addr_good : 0;
    TAILQ_INIT(&c->calls);
    fr_timer_init(&c->timer, on_timer, c);
    fr_defer_init(&c->turn, on_turn, c);
    TAILQ_INSERT_TAIL(&client->conns, c, link);
    start_connect(c); /* may have failed at all addresses at once: then c is gone */
}
