#include "transport/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define STREAM_OUT_MAX (1024 * 1024)
#define KEEP_BYTES (64 * 1024) /* a spare buffer that has grown above this is given back */

/* The BIO under OpenSSL: reads from the socket, writes into the stream's buffer. It never asks OpenSSL to retry a write, so a
 * half-written record cannot happen, and it never raises SIGPIPE. */

/* The output buffer exists only while something is in it. */
static void borrow_out(struct fr_stream *s)
{
    if (s->out.p || !s->pool->spare.p) return;
    s->out = s->pool->spare;
    fr_buf_init(&s->pool->spare, STREAM_OUT_MAX);
}

static int bio_write(BIO *bio, const char *p, int n)
{
    struct fr_stream *s = BIO_get_data(bio);

    borrow_out(s);
    fr_buf_add(&s->out, p, (size_t)n);
    return fr_buf_err(&s->out) ? -1 : n;
}

static int bio_read(BIO *bio, char *p, int n)
{
    struct fr_stream *s = BIO_get_data(bio);
    ssize_t got;

    BIO_clear_retry_flags(bio);
    do got = recv(s->watch.fd, p, (size_t)n, 0);
    while (got < 0 && errno == EINTR);
    s->is_drained = got < n;
    if (got > 0) {
        s->bytes_in += (uint64_t)got;
    } else if (got == 0) {
        s->is_end = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        BIO_set_retry_read(bio);
    } else {
        s->errnum = errno;
    }
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *p)
{
    const struct fr_stream *s = BIO_get_data(bio);

    (void)number;
    (void)p;
    if (command == BIO_CTRL_EOF) return s->is_end;
    return command ==
           BIO_CTRL_FLUSH; /* OpenSSL flushes after each flight; we flush at the end of the turn */
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

enum fr_err fr_stream_pool_init(struct fr_stream_pool *pool)
{
    fr_buf_init(&pool->spare, STREAM_OUT_MAX);
    pool->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "fedroam stream");
    if (!pool->bio) return FR_E_NOMEM;
    BIO_meth_set_create(pool->bio, bio_create);
    BIO_meth_set_read(pool->bio, bio_read);
    BIO_meth_set_write(pool->bio, bio_write);
    BIO_meth_set_ctrl(pool->bio, bio_ctrl);
    return FR_OK;
}

void fr_stream_pool_deinit(struct fr_stream_pool *pool)
{
    fr_buf_deinit(&pool->spare);
    BIO_meth_free(pool->bio);
    pool->bio = NULL;
}

void fr_stream_init(struct fr_stream *s, struct fr_loop *loop, struct fr_stream_pool *pool, int fd,
                    fr_watch_fn fn, void *data)
{
    *s = (struct fr_stream){.loop = loop, .pool = pool};
    fr_watch_init(&s->watch, fd, fn, data);
    fr_buf_init(&s->out, STREAM_OUT_MAX);
    fr_tls_conn_init(&s->tls);
}

enum fr_err fr_stream_start_tls(struct fr_stream *s, SSL *ssl)
{
    BIO *bio = BIO_new(s->pool->bio);

    s->ssl = ssl;
    if (!bio) {
        ERR_clear_error();
        return FR_E_NOMEM;
    }
    BIO_set_data(bio, s);
    SSL_set_bio(ssl, bio, bio);
    return FR_OK;
}

static void return_out(struct fr_stream *s)
{
    if (!s->out.p) return;
    if (s->pool->spare.p || s->out.cap > KEEP_BYTES) {
        fr_buf_deinit(&s->out);
        return;
    }
    fr_buf_reset(&s->out);
    s->pool->spare = s->out;
    fr_buf_init(&s->out, STREAM_OUT_MAX);
}

static enum fr_stream_status fail(struct fr_stream *s, int errnum)
{
    if (!s->is_failed) {
        s->is_failed = true;
        if (errnum) s->errnum = errnum;
    }
    return FR_STREAM_FAILED;
}

/* What an OpenSSL call that did not succeed means. The error queue is empty afterwards. */
static enum fr_stream_status tls_status(struct fr_stream *s, int result)
{
    int error = SSL_get_error(s->ssl, result);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        s->is_exhausted = true;
        return FR_STREAM_AGAIN;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
        s->is_truncated = s->is_end;
        s->is_end = true;
        return FR_STREAM_END;
    }
    if (s->tls_error == 0) s->tls_error = ERR_peek_error();
    ERR_clear_error();
    if (error == SSL_ERROR_SYSCALL && s->is_end) {
        s->is_truncated = true;
        return FR_STREAM_END;
    }
    return fail(s, 0);
}

enum fr_stream_status fr_stream_handshake(struct fr_stream *s)
{
    if (s->is_up) return FR_STREAM_OK;
    if (s->is_failed) return FR_STREAM_FAILED;
    if (s->ssl) {
        ERR_clear_error();

        s->is_exhausted = false;
        int result = SSL_do_handshake(s->ssl);
        if (result != 1) return tls_status(s, result);
        if (fr_tls_peer_read(s->ssl, &s->tls.peer) != FR_OK) return fail(s, 0);
    }
    s->is_up = true;
    return FR_STREAM_OK;
}

enum fr_stream_status fr_stream_read_plain(struct fr_stream *s, uint8_t *p, size_t n, size_t *out_n)
{
    ssize_t got;

    do got = recv(s->watch.fd, p, n, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? FR_STREAM_AGAIN : fail(s, errno);
    if (got == 0) {
        s->is_end = true;
        return FR_STREAM_END;
    }
    s->bytes_in += (uint64_t)got;
    s->is_drained = (size_t)got < n;
    *out_n = (size_t)got;
    return FR_STREAM_OK;
}

enum fr_stream_status fr_stream_discard(struct fr_stream *s, uint8_t *p, size_t n)
{
    size_t got;

    return fr_stream_read_plain(s, p, n, &got);
}

enum fr_stream_status fr_stream_read(struct fr_stream *s, uint8_t *p, size_t n, size_t *out_n)
{
    enum fr_stream_status status;

    *out_n = 0;
    if (s->is_failed) return FR_STREAM_FAILED;
    if (s->ssl) {
        ERR_clear_error();
        s->is_exhausted = false;
        int result = SSL_read_ex(s->ssl, p, n, out_n);
        status = result == 1 ? FR_STREAM_OK : tls_status(s, result);
    } else {
        status = fr_stream_read_plain(s, p, n, out_n);
    }
    s->app_in += *out_n;
    return status;
}

bool fr_stream_is_drained(const struct fr_stream *s)
{
    return s->is_drained && !(s->ssl && SSL_has_pending(s->ssl) == 1);
}

bool fr_stream_has_unread(const struct fr_stream *s)
{
    return s->ssl && s->is_up && !s->is_failed && !s->is_exhausted && SSL_has_pending(s->ssl) == 1;
}

enum fr_stream_status fr_stream_write(struct fr_stream *s, const uint8_t *p, size_t n)
{
    size_t written = 0;

    if (s->is_failed) return FR_STREAM_FAILED;
    if (n == 0) return FR_STREAM_OK;
    if (s->ssl) {
        ERR_clear_error();
        int result = SSL_write_ex(s->ssl, p, n, &written);
        if (result != 1 || written != n) {
            (void)tls_status(s, result);
            return fail(s, 0); /* the BIO takes everything: any refusal is final */
        }
    } else {
        borrow_out(s);
        fr_buf_add(&s->out, p, n);
        if (fr_buf_err(&s->out)) return fail(s, ENOMEM);
    }
    s->app_out += n;
    return FR_STREAM_OK;
}

enum fr_stream_status fr_stream_flush(struct fr_stream *s, bool *has_progress)
{
    size_t sent = 0;
    int errnum = 0;

    *has_progress = false;
    while (sent < s->out.n) {
        ssize_t n = send(s->watch.fd, s->out.p + sent, s->out.n - sent, MSG_NOSIGNAL);

        if (n >= 0) {
            sent += (size_t)n;
        } else if (errno != EINTR) {
            errnum = errno;
            break;
        }
    }
    s->bytes_out += sent;
    s->is_full = sent < s->out.n;
    *has_progress = sent > 0;
    if (sent == s->out.n) {
        return_out(s);
        return FR_STREAM_OK;
    }
    fr_buf_drop(&s->out, sent);
    if (errnum == EAGAIN || errnum == EWOULDBLOCK) return FR_STREAM_AGAIN;
    return fail(s, errnum);
}

size_t fr_stream_pending(const struct fr_stream *s)
{
    return s->out.n;
}

void fr_stream_shutdown(struct fr_stream *s)
{
    bool has_progress;

    if (s->watch.fd < 0) return;
    if (s->ssl && s->is_up && !s->is_failed) {
        ERR_clear_error();
        (void)SSL_shutdown(
            s->ssl); /* one way: close_notify is collected; the peer's is not waited for */
        ERR_clear_error();
    }
    if (s->out.n > 0 && !s->is_failed)
        (void)fr_stream_flush(s, &has_progress); /* as far as it goes */
    (void)shutdown(s->watch.fd, SHUT_WR);
}

void fr_stream_close(struct fr_stream *s)
{
    fr_watch_stop(&s->watch);
    if (s->ssl) {
        /* Without this OpenSSL takes a peer's bare FIN for an attack and forgets the session. */
        if (s->is_up && !s->is_failed)
            SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(s->ssl);
        s->ssl = NULL;
    }
    if (s->watch.fd >= 0) close(s->watch.fd);
    s->watch.fd = -1;
    return_out(s);
    fr_tls_conn_deinit(&s->tls);
}
