#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "transport/tls_ctx.h"

/* What a server keeps of a client for resumption. OpenSSL would keep the client's certificates, decoded: 13 kB a session. What
 * is asked of them later is in fr_tls_peer, so that is kept instead, in the session's room for its application's data. */

#define PEER_TAG 0xa3 /* "[3] EXPLICIT" of OpenSSL's SSL_SESSION in ASN.1: the peer's certificate */
#define SEQUENCE_TAG 0x30
#define SESSION_MAX 65535
#define PEER_TEXT_MAX 8192 /* sixteen names, and the subject */

/* The header of one DER element at the front of *r: its tag; *n octets of content follow. */
static uint8_t read_header(struct fr_rd *r, size_t *n)
{
    uint8_t tag = fr_rd_u8(r), first = fr_rd_u8(r);

    switch (first) {
    case 0x81: *n = fr_rd_u8(r); break;
    case 0x82: *n = fr_rd_u16(r); break;
    default:
        *n = first;
        if (first >= 0x80) fr_rd_fail(r, FR_E_UNSUPPORTED);
    }
    return tag;
}

/* The DER of a session without the peer's certificate, into a buffer of the same size. */
static enum fr_err strip(struct fr_span der, struct fr_wr *out)
{
    struct fr_rd r = fr_rd(der);
    size_t n = 0;

    if (read_header(&r, &n) != SEQUENCE_TAG) fr_rd_fail(&r, FR_E_MALFORMED);
    fr_wr_u8(out, SEQUENCE_TAG);
    fr_wr_u8(out, 0x82);
    size_t length_at = out->at;
    fr_wr_u16(out, 0);
    while (fr_rd_left(&r) > 0) {
        size_t from = r.at;
        uint8_t tag = read_header(&r, &n);

        fr_rd_skip(&r, n);
        if (tag != PEER_TAG && !fr_rd_err(&r)) fr_wr_span(out, fr_span(der.p + from, r.at - from));
    }
    fr_wr_put_u16(out, length_at, (uint16_t)(out->at - length_at - 2));
    return fr_rd_err(&r) ? fr_rd_err(&r) : fr_wr_err(out);
}

/* NULL: it cannot be done, and the client will do a full handshake. */
static SSL_SESSION *without_certificates(SSL_SESSION *session)
{
    int n = i2d_SSL_SESSION(session, NULL);
    size_t room = n > 0 && n <= SESSION_MAX ? 2 * ((size_t)n + 4) : 0;
    uint8_t *der = room > 0 ? fr_malloc(room) : NULL;
    SSL_SESSION *lean = NULL;

    if (!der) return NULL;
    unsigned char *end = der;
    struct fr_wr w = fr_wr(der + room / 2, room / 2);
    if (i2d_SSL_SESSION(session, &end) == n && strip(fr_span(der, (size_t)n), &w) == FR_OK) {
        const unsigned char *p = w.p;
        lean = d2i_SSL_SESSION(NULL, &p, (long)w.at);
    }
    fr_secret_free(der, room);
    return lean;
}

static bool put_peer(SSL_SESSION *session, const struct fr_tls_peer *peer)
{
    uint8_t room[PEER_TEXT_MAX];
    struct fr_wr w = fr_wr(room, sizeof room);

    fr_tls_peer_write(peer, &w);
    return fr_wr_err(&w) == FR_OK && SSL_SESSION_set1_ticket_appdata(session, room, w.at) == 1;
}

/* Keeps what a full handshake made. */
static void keep(SSL *ssl, struct fr_tls_conn *c, SSL_SESSION *session)
{
    SSL_SESSION *lean;

    if (!c->peer && fr_tls_peer_read(ssl, &c->peer) != FR_OK) return;
    lean = without_certificates(session);
    if (lean && (!c->peer || put_peer(lean, c->peer))) (void)SSL_CTX_add_session(c->cache, lean);
    SSL_SESSION_free(lean);
    ERR_clear_error();
}

int fr_tls_on_server_session(SSL *ssl, SSL_SESSION *session)
{
    struct fr_tls_conn *c = SSL_get_app_data(ssl);

    if (!c || !c->cache) return 0;
    if (SSL_session_reused(ssl))
        (void)SSL_CTX_add_session(c->cache, session); /* it is lean already */
    else
        keep(ssl, c, session);
    return 0; /* no reference was taken */
}

enum fr_err fr_tls_peer_of_session(SSL *ssl, struct fr_tls_peer **out)
{
    SSL_SESSION *session = SSL_get0_session(ssl);
    void *data = NULL;
    size_t n = 0;

    if (!session || SSL_SESSION_get0_ticket_appdata(session, &data, &n) != 1 || n == 0)
        return FR_OK;
    return fr_tls_peer_restore(fr_span(data, n), out);
}
