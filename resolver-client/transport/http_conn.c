#include "transport/http_conn.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define LINGER_BYTES (1u << 20) /* read on after our last answer */
#define READS_PER_TURN 8        /* chunks of one connection before the others get their turn */

/* One server connection: handshake, read → protocol → write, deadlines, end. Whatever may destroy the connection is the last
 * thing its caller does with it. */

static int64_t now_ms(const struct fr_http_conn *c)
{
    return fr_loop_now_ms(c->server->loop);
}

static void count_bytes(struct fr_http_conn *c)
{
    c->server->counters.bytes_in += c->stream.bytes_in - c->seen_in;
    c->server->counters.bytes_out += c->stream.bytes_out - c->seen_out;
    c->seen_in = c->stream.bytes_in;
    c->seen_out = c->stream.bytes_out;
}

void fr_conn_destroy(struct fr_http_conn *c)
{
    struct fr_http_server *s = c->server;

    if (c->proto && s->handler.on_close) s->handler.on_close(s->handler.data, c);
    fr_exchange_detach_all(c);
    if (c->proto) c->proto->stop(c);
    count_bytes(c);
    fr_timer_stop(&c->timer);
    fr_defer_cancel(&c->turn);
    fr_stream_close(&c->stream);
    fr_conn_proxy_stop(c);
    fr_conn_give_place(c);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next) c->next->prev = c->prev;
    s->counters.open--;
    s->counters.closed++;
    fr_free(c);
    fr_server_conn_gone(s);
}

void fr_conn_schedule(struct fr_http_conn *c)
{
    if (!c->is_in_event) fr_loop_defer(c->server->loop, &c->turn);
}

void fr_conn_set_closing(struct fr_http_conn *c, bool is_lingering)
{
    c->is_lingering |= is_lingering;
    if (c->is_closing) return;
    c->is_closing = true;
    c->close_by_ms = now_ms(c) + c->conf.write_ms;
    fr_conn_schedule(c);
}

void fr_http_conn_close(struct fr_http_conn *c)
{
    if (c->is_closing) return;
    c->is_draining = true;
    c->proto->drain(c);
    c->proto->drain(c);
    fr_conn_set_closing(c, false);
}

static bool can_read(const struct fr_http_conn *c)
{
    if (c->has_end) return false;
    if (c->phase != FR_CONN_OPEN) return true;
    if (c->has_paused || c->held > 0 || c->stream.is_full) return false;
    return c->proto->can_read(c);
}

static void watch(struct fr_http_conn *c)
{
    unsigned want = 0;

    if (can_read(c)) want |= FR_LOOP_READ;
    if (fr_stream_pending(&c->stream) > 0) want |= FR_LOOP_WRITE;
    if (fr_watch_start(c->server->loop, &c->stream.watch, want) != FR_OK) {
        fr_conn_destroy(c);
        return;
    }
    fr_conn_arm(c);
}

static void start_linger(struct fr_http_conn *c)
{
    fr_stream_shutdown(&c->stream);
    c->phase = FR_CONN_LINGER;
    c->since_ms = now_ms(c);
    watch(c);
}

static void finish(struct fr_http_conn *c)
{
    if (c->is_lingering && !c->has_end) {
        start_linger(c);
        return;
    }
    fr_stream_shutdown(&c->stream);
    fr_conn_destroy(c);
}

/* A connection that came while the server was about to stop had its one request answered. */
static void end_if_stopping(struct fr_http_conn *c)
{
    const struct fr_http_server *s = c->server;

    if (s->is_stopping && s->drain_left_ms == 0 && c->proto && c->has_request &&
        c->in_progress == 0)
        fr_http_conn_close(c);
}

/* Sends what there is, at most one record a turn, and decides how the connection goes on. */
static void flush(struct fr_http_conn *c)
{
    struct fr_http_server *s = c->server;
    enum fr_stream_status status = FR_STREAM_OK;
    bool has_progress = false, was_idle = !fr_conn_has_output(c);
    bool has_more = c->stream.is_full; /* behind what the socket would not take */
    size_t n = 0;

    end_if_stopping(c);
    if (c->proto && !has_more) {
        n = c->proto->fill(c, s->out, sizeof s->out);
        status = fr_stream_write(&c->stream, s->out, n);
        fr_secret_zero(s->out, n);
        has_more = n == sizeof s->out;
    }
    if (status == FR_STREAM_OK) status = fr_stream_flush(&c->stream, &has_progress);
    count_bytes(c);
    if (has_progress || was_idle) c->progress_ms = now_ms(c);
    if (status == FR_STREAM_FAILED || c->stream.is_failed) {
        fr_conn_destroy(c);
        return;
    }
    bool may_end = status == FR_STREAM_OK && !has_more && (c->is_closing || c->has_end);
    if (may_end && c->proto && c->proto->is_quiet(c)) {
        finish(c);
        return;
    }
    /* What OpenSSL has read ahead while reading was not allowed: no event will tell of it. */
    if (fr_stream_has_unread(&c->stream) && can_read(c)) c->has_paused = true;
    if ((has_more && status == FR_STREAM_OK) || c->has_paused) fr_loop_defer(s->loop, &c->turn);
    watch(c);
}

static void read_requests(struct fr_http_conn *c)
{
    struct fr_http_server *s = c->server;

    for (unsigned reads = 0; can_read(c); reads++) {
        size_t n;

        if (c->handled >= c->conf.requests_per_turn || reads == READS_PER_TURN) {
            c->has_paused = true;
            return;
        }
        enum fr_stream_status status = fr_stream_read(&c->stream, s->in, sizeof s->in, &n);
        if (status == FR_STREAM_AGAIN) return;
        if (status != FR_STREAM_OK) {
            c->has_end = true; /* a failed stream is seen to by flush */
            return;
        }
        const bool is_good = c->proto->feed(c, fr_span(s->in, n));
        fr_secret_zero(s->in, n); /* it may have brought somebody's password */
        if (!is_good) {
            fr_conn_set_closing(c, true);
            return;
        }
        if (fr_stream_is_drained(&c->stream)) return;
    }
}

/* Established: from here on it speaks HTTP. */
static enum fr_err become_open(struct fr_http_conn *c)
{
    struct fr_tls_conn *tls = &c->stream.tls;
    bool is_h2 = c->stream.ssl && fr_tls_is_h2(c->stream.ssl);

    c->phase = FR_CONN_OPEN;
    c->since_ms = c->progress_ms = now_ms(c);
    if (c->stream.ssl) {
        c->peer.cert = tls->peer;
        c->peer.has_sni = tls->sni != NULL;
        c->peer.sni = tls->sni ? tls->sni : "";
        c->peer.tag = tls->tag;
        c->server->counters.handshakes++;
        if (SSL_session_reused(c->stream.ssl)) c->server->counters.handshakes_resumed++;
    }
    const struct fr_server_proto *proto = is_h2 ? &fr_h2_proto : &fr_h1_proto;
    enum fr_err err = proto->start(c);
    if (!err) c->proto = proto;
    return err;
}

static void handshake(struct fr_http_conn *c)
{
    bool has_progress;
    enum fr_stream_status status = fr_stream_handshake(&c->stream);

    if (status == FR_STREAM_AGAIN) {
        c->is_in_event = false;
        flush(c);
        return;
    }
    if (status != FR_STREAM_OK || become_open(c) != FR_OK) {
        (void)fr_stream_flush(&c->stream, &has_progress); /* the alert, as far as it goes */
        if (status != FR_STREAM_OK) fr_conn_report_refusal(c, NULL);
        /* With TLS 1.3 a client without a certificate has sent its request before it hears of our refusal: read that off, or
         * the reset for it would overtake the alert. */
        start_linger(c);
        return;
    }
    if (c->server->is_stopping) {
        c->is_draining = true;
        c->proto->drain(c);
    }
    read_requests(c);
    c->is_in_event = false;
    flush(c);
}

static void linger(struct fr_http_conn *c)
{
    while (c->stream.bytes_in - c->seen_in < LINGER_BYTES) {
        enum fr_stream_status status =
            fr_stream_discard(&c->stream, c->server->in, sizeof c->server->in);

        if (status == FR_STREAM_AGAIN) return;
        if (status != FR_STREAM_OK) break;
    }
    fr_conn_destroy(c);
}

/* Who the client is, is known: over to TLS, or to HTTP. */
static enum fr_err begin(struct fr_http_conn *c)
{
    enum fr_err err = fr_conn_take_place(c);

    if (err) return err;
    c->phase = FR_CONN_HANDSHAKE;
    if (c->stream.ssl) return FR_OK;
    c->stream.is_up = true;
    return become_open(c);
}

static void read_proxy(struct fr_http_conn *c)
{
    enum fr_err err = fr_conn_proxy_read(c);

    if (err == FR_E_BUSY) return;
    if (!err) err = begin(c);
    if (err)
        fr_conn_destroy(c);
    else
        watch(c);
}

static void on_ready(struct fr_watch *w, unsigned events)
{
    struct fr_http_conn *c = w->data;

    if (c->phase == FR_CONN_LINGER) {
        linger(c);
        return;
    }
    if (c->phase == FR_CONN_PROXY) {
        read_proxy(c);
        return;
    }
    c->is_in_event = true;
    c->handled = 0;
    if (c->phase == FR_CONN_HANDSHAKE) {
        handshake(c);
        return;
    }
    if (events & FR_LOOP_READ) read_requests(c);
    c->is_in_event = false;
    flush(c);
}

static void on_turn(struct fr_defer *d)
{
    struct fr_http_conn *c = d->data;

    if (c->phase != FR_CONN_OPEN) return;
    c->is_in_event = true;
    c->handled = 0;
    bool was_paused = c->has_paused;
    c->has_paused = false;
    if (!c->proto->feed(c, (struct fr_span){0}))
        fr_conn_set_closing(c, true);
    else if (was_paused)
        read_requests(c);
    c->is_in_event = false;
    flush(c);
}

static struct fr_http_conn *conn_new(struct fr_http_server *s, int fd)
{
    struct fr_http_conn *c = fr_calloc(1, sizeof *c);

    if (!c) return NULL;
    c->server = s;
    c->conf = s->conf;
    c->id = ++s->last_id;
    c->peer.sni = "";
    fr_stream_init(&c->stream, s->loop, &s->streams, fd, on_ready, c);
    fr_timer_init(&c->timer, fr_conn_on_deadline, c);
    fr_defer_init(&c->turn, on_turn, c);
    c->since_ms = c->progress_ms = now_ms(c);
    c->next = s->conns;
    if (s->conns) s->conns->prev = c;
    s->conns = c;
    s->counters.open++;
    s->counters.accepted++;
    return c;
}

enum fr_err fr_conn_open(struct fr_http_server *s, struct fr_http_listener *l, int fd,
                         const struct fr_addr *peer)
{
    struct fr_http_conn *c = conn_new(s, fd);
    enum fr_err err = FR_OK;

    if (!c) {
        close(fd);
        return FR_E_NOMEM;
    }
    c->peer.addr = *peer;
    c->peer.is_unix = l->is_unix;
    c->peer.is_tls = l->tls != NULL;
    if (l->is_unix) c->peer.has_cred = fr_socket_cred(fd, &c->peer.cred) == FR_OK;
    if (l->tls) {
        c->stream.tls.select = l->select;
        c->stream.tls.select_data = l->select_data;
        c->stream.tls.has_h2 = !c->conf.is_h2_off;

        SSL *ssl = fr_tls_server_ssl(l->tls, &c->stream.tls);
        err = ssl ? fr_stream_start_tls(&c->stream, ssl) : FR_E_NOMEM;
    }
    if (!err) err = fr_listener_expects_proxy(l, peer) ? fr_conn_proxy_start(c) : begin(c);
    if (err) {
        fr_conn_destroy(c);
        return err;
    }
    watch(c);
    return FR_OK;
}

enum fr_err fr_conn_open_detached(struct fr_http_server *s, const struct fr_server_proto *proto,
                                  struct fr_http_conn **out)
{
    struct fr_http_conn *c = conn_new(s, -1);

    if (!c) return FR_E_NOMEM;
    c->phase = FR_CONN_OPEN;
    c->is_in_event = true; /* nothing is ever scheduled: the test drives it */
    enum fr_err err = proto->start(c);
    if (err) {
        fr_conn_destroy(c);
        return err;
    }
    c->proto = proto;
    *out = c;
    return FR_OK;
}

const struct fr_http_peer *fr_http_conn_peer(const struct fr_http_conn *c)
{
    return &c->peer;
}

void fr_http_conn_set_user(struct fr_http_conn *c, void *user)
{
    c->user = user;
}

void *fr_http_conn_user(const struct fr_http_conn *c)
{
    return c->user;
}

uint64_t fr_http_conn_id(const struct fr_http_conn *c)
{
    return c->id;
}
