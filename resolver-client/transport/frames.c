#include "transport/frames.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/wire.h"
#include "transport/stream.h"

#define READS_PER_TURN 8
#define WHY_MAX 200
#define OUT_LOW (64 * 1024) /* `room` is called below this */

enum phase { CONNECTING, HANDSHAKE, OPEN, OVER };

struct fr_frames {
    struct fr_frames_options options;
    struct fr_stream_pool pool;
    struct fr_stream stream;
    struct fr_timer timer; /* connecting: patience; open: idle */
    struct fr_defer turn;  /* more is inside than the socket tells of */
    struct fr_tls_acceptor *acceptor;
    struct fr_defer gone; /* freed at the end of the turn */
    enum phase phase;
    struct fr_buf in; /* an unfinished message */
    char *tls_name;
    uint8_t pin[32];
    bool has_pin, is_busy, is_freed;
    uint8_t chunk[FR_STREAM_CHUNK];
};

static void on_gone(struct fr_defer *d)
{
    struct fr_frames *f = d->data;

    fr_stream_close(&f->stream);
    fr_stream_pool_deinit(&f->pool);
    fr_buf_deinit(&f->in);
    fr_tls_ctx_unref(f->options.tls);
    fr_tls_acceptor_unref(f->acceptor);
    fr_free(f->tls_name);
    fr_free(f);
}

/* Over: the owner is told once. */
static void end(struct fr_frames *f, const char *why)
{
    if (f->phase == OVER) return;
    f->phase = OVER;
    fr_timer_stop(&f->timer);
    fr_defer_cancel(&f->turn);
    fr_watch_stop(&f->stream.watch);
    f->options.end(f->options.data, why);
}

static void end_errno(struct fr_frames *f, const char *what, int errnum)
{
    char why[WHY_MAX];

    (void)snprintf(why, sizeof why, "%s: %s", what, strerror(errnum));
    end(f, why);
}

static void end_stream(struct fr_frames *f)
{
    const struct fr_stream *s = &f->stream;
    char why[WHY_MAX];
    const char *reason;

    if (s->errnum) {
        end_errno(f, "the connection failed", s->errnum);
        return;
    }
    reason = s->tls_error ? ERR_reason_error_string(s->tls_error) : NULL;
    if (s->tls.verify_error)
        (void)snprintf(why, sizeof why, "the %s's certificate is refused: %s",
                       f->acceptor ? "client" : "server",
                       X509_verify_cert_error_string(s->tls.verify_error));
    else if (s->tls.refusal)
        (void)snprintf(why, sizeof why, "TLS was refused: %s", s->tls.refusal);
    else if (s->tls.alert_in >= 0)
        (void)snprintf(why, sizeof why, "the server refused TLS: %s",
                       fr_tls_alert_word(s->tls.alert_in));
    else
        (void)snprintf(why, sizeof why, "TLS failed%s%s", reason ? ": " : "", reason ? reason : "");
    end(f, why);
}

/* Sends what there is; false: it is over. */
static bool flush(struct fr_frames *f)
{
    bool has_progress;
    enum fr_stream_status status = fr_stream_flush(&f->stream, &has_progress);
    unsigned want = FR_LOOP_READ;

    if (status == FR_STREAM_FAILED || f->stream.is_failed) {
        end_stream(f);
        return false;
    }
    if (fr_stream_pending(&f->stream) > 0) want |= FR_LOOP_WRITE;
    if (fr_watch_start(f->options.loop, &f->stream.watch, want) == FR_OK) return true;
    end(f, "out of memory");
    return false;
}

static void arm(struct fr_frames *f, uint32_t ms)
{
    fr_timer_start(f->options.loop, &f->timer, ms);
}

static void open_up(struct fr_frames *f)
{
    f->phase = OPEN;
    arm(f, f->options.idle_ms);
    if (f->options.up) f->options.up(f->options.data);
}

/* Who it is: TLS says yes to the chain, or the pin to the key. RFC 9103 wants TLS 1.3 and "dot". */
static bool is_proved(struct fr_frames *f)
{
    const struct fr_tls_peer *peer = f->stream.tls.peer;
    const unsigned char *word = NULL;
    unsigned n = 0;

    SSL_get0_alpn_selected(f->stream.ssl, &word, &n);
    if (n != 3 || memcmp(word, "dot", 3) != 0) {
        end(f, "the peer speaks another protocol than DNS over TLS");
        return false;
    }
    if (!f->has_pin) return true;
    if (peer && memcmp(peer->spki_sha256, f->pin, sizeof f->pin) == 0) return true;
    end(f, "the server's key is not the one that was pinned");
    return false;
}

static void handshake(struct fr_frames *f)
{
    enum fr_stream_status status = fr_stream_handshake(&f->stream);

    if (status == FR_STREAM_AGAIN) {
        (void)flush(f);
    } else if (status != FR_STREAM_OK) {
        bool has_progress; /* the alert that says why */
        (void)fr_stream_flush(&f->stream, &has_progress);
        if (f->stream.is_end && !f->stream.tls_error)
            end(f, "the server closed during the TLS handshake");
        else
            end_stream(f);
    } else if (is_proved(f) && flush(f)) {
        open_up(f);
        if (f->phase == OPEN && fr_stream_has_unread(&f->stream))
            fr_loop_defer(f->options.loop, &f->turn);
    }
}

/* A client's SSL as RFC 9103 wants it. */
static SSL *dot_ssl(struct fr_frames *f)
{
    static const unsigned char words[] = "\x03"
                                         "dot";
    SSL *ssl = fr_tls_client_ssl(f->options.tls, &f->stream.tls,
                                 f->tls_name ? f->tls_name : "0.0.0.0", false, true, NULL);

    if (!ssl) return NULL;
    if (f->has_pin) SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL); /* the pin is compared instead */
    if (SSL_set_alpn_protos(ssl, words, sizeof words - 1) == 0 &&
        SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1)
        return ssl;
    ERR_clear_error();
    SSL_free(ssl);
    return NULL;
}

static void connected(struct fr_frames *f)
{
    int errnum = fr_socket_error(f->stream.watch.fd);
    SSL *ssl;

    if (errnum) {
        end_errno(f, "cannot connect", errnum);
    } else if (!f->options.tls) {
        f->stream.is_up = true;
        if (flush(f)) open_up(f);
    } else {
        ssl = dot_ssl(f);
        if (!ssl || fr_stream_start_tls(&f->stream, ssl) != FR_OK) {
            end(f, "cannot start TLS");
            return;
        }
        f->phase = HANDSHAKE;
        handshake(f);
    }
}

/* Gives whole messages; false: it is over. */
static bool give(struct fr_frames *f)
{
    size_t at = 0;

    while (f->phase == OPEN && !f->is_freed) {
        struct fr_rd r = fr_rd(fr_span(f->in.p + at, f->in.n - at));
        size_t n = fr_rd_u16(&r);
        if (fr_rd_err(&r) == FR_OK && n > f->options.message_max) {
            end(f, "a message is too long");
            break;
        }
        struct fr_span message = fr_rd_span(&r, n);
        if (fr_rd_err(&r)) break; /* not all of it yet */
        at += 2 + n;
        arm(f, f->options.idle_ms);
        f->options.message(f->options.data, message);
    }
    fr_buf_drop(&f->in, at);
    return f->phase == OPEN && !f->is_freed;
}

static void read_some(struct fr_frames *f)
{
    for (int reads = 0; reads < READS_PER_TURN; reads++) {
        size_t n = 0;
        enum fr_stream_status status = fr_stream_read(&f->stream, f->chunk, sizeof f->chunk, &n);

        if (status == FR_STREAM_AGAIN) return;
        if (status == FR_STREAM_END) {
            end(f, f->in.n > 0 ? "the connection was closed within a message" : NULL);
            return;
        }
        if (status != FR_STREAM_OK) {
            end_stream(f);
            return;
        }
        fr_buf_add(&f->in, f->chunk, n);
        if (fr_buf_err(&f->in)) {
            end(f, "out of memory");
            return;
        }
        if (!give(f)) return;
        if (fr_stream_is_drained(&f->stream)) return;
    }
    fr_loop_defer(f->options.loop, &f->turn); /* others have their turn in between */
}

static void work(struct fr_frames *f, unsigned events)
{
    if (f->phase == OVER) return;
    if (f->phase == CONNECTING)
        connected(f);
    else if (f->phase == HANDSHAKE)
        handshake(f);
    else if ((events & FR_LOOP_READ) != 0)
        read_some(f);
    if (f->phase == OPEN && !f->is_freed && flush(f) && f->options.room &&
        fr_stream_pending(&f->stream) < OUT_LOW)
        f->options.room(f->options.data);
    if (f->phase == OPEN && !f->is_freed && fr_stream_has_unread(&f->stream))
        fr_loop_defer(f->options.loop, &f->turn);
}

static void on_event(struct fr_watch *w, unsigned events)
{
    work(w->data, events);
}

static void on_turn(struct fr_defer *d)
{
    work(d->data, FR_LOOP_READ);
}

static void on_timer(struct fr_timer *t)
{
    struct fr_frames *f = t->data;

    end(f, f->phase == OPEN ? "the server is silent" : "the server does not answer");
}

static enum fr_err frames_new(const struct fr_frames_options *options, int fd,
                              struct fr_frames **out)
{
    struct fr_frames *f = fr_calloc(1, sizeof *f);

    if (!f) return FR_E_NOMEM;
    f->options = *options;
    fr_buf_init(&f->in, 2 + options->message_max + FR_STREAM_CHUNK);
    fr_timer_init(&f->timer, on_timer, f);
    fr_defer_init(&f->turn, on_turn, f);
    fr_defer_init(&f->gone, on_gone, f);
    if (options->pin) {
        memcpy(f->pin, options->pin, sizeof f->pin);
        f->has_pin = true;
    }
    f->tls_name = options->tls_name ? fr_strdup(options->tls_name) : NULL;
    if ((options->tls_name && !f->tls_name) || fr_stream_pool_init(&f->pool) != FR_OK) {
        fr_free(f->tls_name);
        fr_free(f);
        return FR_E_NOMEM;
    }
    if (options->tls) f->options.tls = fr_tls_ctx_ref(options->tls);
    fr_stream_init(&f->stream, options->loop, &f->pool, fd, on_event, f);
    *out = f;
    return FR_OK;
}

enum fr_err fr_frames_connect(const struct fr_frames_options *options, const struct fr_addr *to,
                              struct fr_frames **out)
{
    struct fr_frames *f = NULL;
    int fd = -1, errnum = 0;

    enum fr_err err = fr_socket_connect(to, &fd, &errnum);
    if (err) return err;
    err = frames_new(options, fd, &f);
    if (err) {
        (void)close(fd);
        return err;
    }
    f->phase = CONNECTING;
    err = fr_watch_start(options->loop, &f->stream.watch, FR_LOOP_WRITE);
    if (err) {
        on_gone(&f->gone);
        return err;
    }
    arm(f, options->connect_ms);
    *out = f;
    return FR_OK;
}

/* A server's SSL as RFC 9103 wants it. */
static enum fr_err accept_tls(struct fr_frames *f)
{
    f->acceptor = fr_tls_acceptor_ref(f->options.acceptor);
    f->stream.tls.select = f->options.select;
    f->stream.tls.select_data = f->options.select_data;
    f->stream.tls.is_dot = true;
    SSL *ssl = fr_tls_server_ssl(f->acceptor, &f->stream.tls);
    if (!ssl) return FR_E_NOMEM;
    enum fr_err err = fr_stream_start_tls(&f->stream, ssl);
    if (err) return err;
    if (SSL_set_min_proto_version(ssl, TLS1_3_VERSION) != 1) {
        ERR_clear_error();
        return FR_E_NOMEM;
    }
    f->phase = HANDSHAKE;
    return FR_OK;
}

enum fr_err fr_frames_accept(const struct fr_frames_options *options, int fd,
                             struct fr_frames **out)
{
    struct fr_frames *f = NULL;

    enum fr_err err = frames_new(options, fd, &f);
    if (err) {
        (void)close(fd);
        return err;
    }
    if (options->acceptor) {
        err = accept_tls(f);
    } else {
        f->stream.is_up = true;
        f->phase = OPEN;
    }
    if (!err) err = fr_watch_start(options->loop, &f->stream.watch, FR_LOOP_READ);
    if (err) {
        on_gone(&f->gone);
        return err;
    }
    arm(f, f->phase == OPEN ? options->idle_ms : options->connect_ms);
    *out = f;
    return FR_OK;
}

enum fr_err fr_frames_send(struct fr_frames *f, struct fr_span message)
{
    uint8_t length[2] = {(uint8_t)(message.n >> 8), (uint8_t)message.n};
    size_t at = 0;

    if (f->phase != OPEN || f->is_freed) return FR_E_CLOSED;
    if (message.n > UINT16_MAX || fr_stream_pending(&f->stream) + 2 + message.n > FR_FRAMES_OUT_MAX)
        return FR_E_LIMIT;
    /* length and message in one piece where they fit: some servers read them with one call */
    uint8_t *whole = fr_malloc(2 + message.n);
    if (!whole) return FR_E_NOMEM;
    memcpy(whole, length, 2);
    memcpy(whole + 2, message.p, message.n);
    enum fr_stream_status status = FR_STREAM_OK;
    while (status == FR_STREAM_OK && at < message.n + 2) {
        size_t n = message.n + 2 - at < FR_STREAM_CHUNK ? message.n + 2 - at : FR_STREAM_CHUNK;
        status = fr_stream_write(&f->stream, whole + at, n);
        at += n;
    }
    fr_free(whole);
    /* what does not leave now is sent, or fails, with the next event */
    if (status != FR_STREAM_OK) return FR_E_CLOSED;
    bool has_progress;
    (void)fr_stream_flush(&f->stream, &has_progress);
    return fr_watch_start(f->options.loop, &f->stream.watch, FR_LOOP_READ | FR_LOOP_WRITE);
}

size_t fr_frames_pending(const struct fr_frames *f)
{
    return fr_stream_pending(&f->stream);
}

const struct fr_tls_peer *fr_frames_peer(const struct fr_frames *f)
{
    return f->stream.tls.peer;
}

void *fr_frames_tag(const struct fr_frames *f)
{
    return f->stream.tls.tag;
}

void fr_frames_keep(struct fr_frames *f)
{
    if (f->phase == OPEN && !f->is_freed) arm(f, f->options.idle_ms);
}

void fr_frames_free(struct fr_frames *f)
{
    if (!f || f->is_freed) return;
    f->is_freed = true;
    if (f->phase == OPEN) fr_stream_shutdown(&f->stream);
    f->phase = OVER;
    fr_timer_stop(&f->timer);
    fr_defer_cancel(&f->turn);
    fr_watch_stop(&f->stream.watch);
    fr_loop_defer(f->options.loop, &f->gone);
}
