#pragma once
/* One connected socket as a stream of bytes, plain or TLS. Inside transport only.
 *
 * Model:   read until AGAIN; write collects, flush sends everything collected in one send. With TLS, fr_stream_write() makes
 *          one record and collects the ciphertext, and the last handshake flight is collected too: so a client's Finished
 *          and its first request leave in one segment.
 * Owns:    the descriptor, the SSL and its fr_tls_conn.
 * Threads: the loop's. Errors: enum fr_stream_status; after FAILED or END nothing more comes.
 * Limits:  the caller writes only when fr_stream_pending() is low: there is no cap inside but STREAM_OUT_MAX.
 * Trust:   what is read is a peer's.
 */

#include "base/buf.h"
#include "transport/loop.h"
#include "transport/socket.h"
#include "transport/tls_ctx.h"

#define FR_STREAM_CHUNK 16384 /* read and write at most this at once: one TLS record */

enum fr_stream_status {
    FR_STREAM_OK,
    FR_STREAM_AGAIN, /* nothing more now */
    FR_STREAM_END,   /* the peer closed; see is_truncated */
    FR_STREAM_FAILED,
};

/* What one server or client keeps for all its streams: a spare output buffer, so that idle streams hold none; the BIO that
 * connects OpenSSL to them. */
struct fr_stream_pool {
    struct fr_buf spare;
    BIO_METHOD *bio;
};

struct fr_stream {
    struct fr_loop *loop;
    struct fr_stream_pool *pool;
    struct fr_watch watch;
    SSL *ssl; /* NULL: plain */
    struct fr_tls_conn tls;
    struct fr_buf out; /* for the socket */
    bool is_up;        /* TLS established, or plain and connected */
    bool is_drained;   /* the last recv gave less than asked for */
    bool
        is_exhausted; /* the last TLS call said AGAIN: what OpenSSL still holds is not a whole record */
    bool is_full;     /* the socket did not take all of `out` */
    bool is_end;      /* the socket gave end-of-file */
    bool is_truncated; /* … without TLS' close_notify before it */
    bool is_failed;
    int errnum;              /* of the failed system call; 0: TLS failed */
    unsigned long tls_error; /* OpenSSL's first error of a TLS failure */
    uint64_t bytes_in, bytes_out, app_in, app_out;
};

enum fr_err fr_stream_pool_init(struct fr_stream_pool *pool);
void fr_stream_pool_deinit(struct fr_stream_pool *pool);

/* Takes the descriptor. Nothing is watched yet. */
void fr_stream_init(struct fr_stream *s, struct fr_loop *loop, struct fr_stream_pool *pool, int fd,
                    fr_watch_fn fn, void *data);

/* Puts TLS on it. The SSL is the stream's from here, also on failure. */
enum fr_err fr_stream_start_tls(struct fr_stream *s, SSL *ssl);

/* OK when the handshake is done (or there is none). What it wants to say is collected: flush afterwards. */
enum fr_stream_status fr_stream_handshake(struct fr_stream *s);

/* Up to n bytes into p. */
enum fr_stream_status fr_stream_read(struct fr_stream *s, uint8_t *p, size_t n, size_t *out_n);

/* True when the last read emptied the socket and nothing waits inside: the next one would say AGAIN. */
bool fr_stream_is_drained(const struct fr_stream *s);

/* True while OpenSSL holds bytes it has read ahead and not yet given: no event of the socket announces them. */
bool fr_stream_has_unread(const struct fr_stream *s);

/* Collects at most FR_STREAM_CHUNK bytes. */
enum fr_stream_status fr_stream_write(struct fr_stream *s, const uint8_t *p, size_t n);

/* Sends what was collected. AGAIN: the socket is full; *has_progress tells whether it took some. */
enum fr_stream_status fr_stream_flush(struct fr_stream *s, bool *has_progress);

size_t fr_stream_pending(const struct fr_stream *s);

/* Says goodbye (close_notify) as far as the socket takes it, then sends FIN. Sessions survive. Reading stays possible. */
void fr_stream_shutdown(struct fr_stream *s);

/* Takes off the socket what the peer still sends, up to n bytes into p, whatever became of TLS: closing with unread bytes would
 * reset the connection, and the peer would lose what we said last. */
enum fr_stream_status fr_stream_discard(struct fr_stream *s, uint8_t *p, size_t n);

/* Reads what comes in front of TLS, up to n bytes into p. */
enum fr_stream_status fr_stream_read_plain(struct fr_stream *s, uint8_t *p, size_t n,
                                           size_t *out_n);

/* Closes and frees what it owns. */
void fr_stream_close(struct fr_stream *s);
