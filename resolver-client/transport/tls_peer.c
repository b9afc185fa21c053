#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "transport/tls_ctx.h"

#define NAME_MAX_BYTES 253
#define SUBJECT_MAX 255
#define PEER_DER_MAX 65536

/* A peer and its texts are one block: struct, array of names, then the texts one after another. */
struct peer_block {
    struct fr_tls_peer peer; /* first: handed out */
    unsigned refs;
    const char *names[FR_TLS_NAMES];
    char text[];
};

static int64_t asn1_seconds(const ASN1_TIME *t)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* A dNSName as we compare it: lower case, only the letters of host names. False: not one of those. */
static bool copy_name(const ASN1_IA5STRING *from, char *to)
{
    const unsigned char *p = ASN1_STRING_get0_data(from);
    int n = ASN1_STRING_length(from);

    if (n <= 0 || n > NAME_MAX_BYTES) return false;
    for (int i = 0; i < n; i++) {
        char c = (char)p[i];

        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if (c == 0 || !strchr("abcdefghijklmnopqrstuvwxyz0123456789-._*", c)) return false;
        to[i] = c;
    }
    to[n] = '\0';
    return true;
}

static size_t read_names(X509 *cert, struct peer_block *b, char *text)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    char *at = text;

    for (int i = 0; i < sk_GENERAL_NAME_num(all) && b->peer.n_names < FR_TLS_NAMES; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

        if (name->type != GEN_DNS || !copy_name(name->d.dNSName, at)) continue;
        b->names[b->peer.n_names++] = at;
        at += strlen(at) + 1;
    }
    GENERAL_NAMES_free(all);
    b->peer.names = b->names;
    return (size_t)(at - text);
}

static void read_subject(X509 *cert, struct peer_block *b, char *text)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0)
        n = BIO_read(bio, text, SUBJECT_MAX);
    text[n > 0 ? n : 0] = '\0';
    b->peer.subject = text;
    BIO_free(bio);
}

static void read_serial(X509 *cert, struct fr_tls_peer *peer)
{
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);

    peer->has_serial =
        bn && !BN_is_negative(bn) && BN_bn2binpad(bn, peer->serial, FR_TLS_SERIAL) == FR_TLS_SERIAL;
    BN_free(bn);
}

static bool spki_sha256(X509 *cert, uint8_t out[32])
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool is_ok = n > 0 && EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return is_ok;
}

static enum fr_err read_cert(X509 *cert, bool is_resumed, struct fr_tls_peer **out)
{
    size_t room = FR_TLS_NAMES * (NAME_MAX_BYTES + 1) + SUBJECT_MAX + 1;
    struct peer_block *b = fr_calloc(1, sizeof *b + room);
    if (!b) return FR_E_NOMEM;

    size_t used = read_names(cert, b, b->text);
    read_subject(cert, b, b->text + used);
    read_serial(cert, &b->peer);
    b->peer.not_before_s = asn1_seconds(X509_get0_notBefore(cert));
    b->peer.not_after_s = asn1_seconds(X509_get0_notAfter(cert));
    b->peer.is_resumed = is_resumed;
    bool is_ok = X509_digest(cert, EVP_sha256(), b->peer.cert_sha256, NULL) == 1 &&
                 spki_sha256(cert, b->peer.spki_sha256);
    ERR_clear_error();
    if (!is_ok) {
        fr_free(b);
        return FR_E_MALFORMED;
    }
    /* Most certificates have one short name: give back the rest. The texts move with the block, so they are found anew. */
    size_t exact = used + strlen(b->peer.subject) + 1;
    struct peer_block *small = fr_malloc(sizeof *small + exact);
    if (!small) {
        fr_free(b);
        return FR_E_NOMEM;
    }
    memcpy(small, b, sizeof *small + exact);
    for (size_t i = 0; i < small->peer.n_names; i++)
        small->names[i] = small->text + (b->names[i] - b->text);
    small->refs = 1;
    small->peer.names = small->names;
    small->peer.subject = small->text + used;
    fr_free(b);
    *out = &small->peer;
    return FR_OK;
}

enum fr_err fr_tls_peer_read(SSL *ssl, struct fr_tls_peer **out)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);

    if (*out) return FR_OK; /* its session needed it before */
    if (cert) return read_cert(cert, SSL_session_reused(ssl) == 1, out);
    return SSL_session_reused(ssl) ? fr_tls_peer_of_session(ssl, out) : FR_OK;
}

enum fr_err fr_tls_peer_of(struct fr_span der, struct fr_tls_peer **out)
{
    const unsigned char *p = der.p;
    X509 *cert = der.n <= PEER_DER_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    enum fr_err err = cert && p == der.p + der.n ? read_cert(cert, false, out) : FR_E_MALFORMED;

    X509_free(cert);
    ERR_clear_error();
    return err;
}

static void write_text(struct fr_wr *w, const char *text)
{
    fr_wr_u8(w, (uint8_t)strlen(text)); /* NAME_MAX_BYTES and SUBJECT_MAX fit */
    fr_wr_bytes(w, text, strlen(text));
}

void fr_tls_peer_write(const struct fr_tls_peer *peer, struct fr_wr *w)
{
    fr_wr_bytes(w, peer->cert_sha256, sizeof peer->cert_sha256);
    fr_wr_bytes(w, peer->spki_sha256, sizeof peer->spki_sha256);
    fr_wr_u8(w, peer->has_serial);
    fr_wr_bytes(w, peer->serial, sizeof peer->serial);
    fr_wr_u64(w, (uint64_t)peer->not_before_s);
    fr_wr_u64(w, (uint64_t)peer->not_after_s);
    fr_wr_u8(w, (uint8_t)peer->n_names);
    for (size_t i = 0; i < peer->n_names; i++) write_text(w, peer->names[i]);
    write_text(w, peer->subject);
}

/* The next text, into the block's at *at. */
static const char *read_text(struct fr_rd *r, struct peer_block *b, size_t *at)
{
    const struct fr_span text = fr_rd_span(r, fr_rd_u8(r));
    char *to = b->text + *at;

    if (text.n > 0) memcpy(to, text.p, text.n);
    to[text.n] = '\0';
    *at += text.n + 1;
    return to;
}

enum fr_err fr_tls_peer_restore(struct fr_span kept, struct fr_tls_peer **out)
{
    struct fr_rd r = fr_rd(kept);
    struct peer_block *b =
        fr_calloc(1, sizeof *b + kept.n); /* a text's length byte pays for its end */
    size_t at = 0;

    if (!b) return FR_E_NOMEM;
    fr_rd_bytes(&r, b->peer.cert_sha256, sizeof b->peer.cert_sha256);
    fr_rd_bytes(&r, b->peer.spki_sha256, sizeof b->peer.spki_sha256);
    b->peer.has_serial = fr_rd_u8(&r) == 1;
    fr_rd_bytes(&r, b->peer.serial, sizeof b->peer.serial);
    b->peer.not_before_s = (int64_t)fr_rd_u64(&r);
    b->peer.not_after_s = (int64_t)fr_rd_u64(&r);
    b->peer.n_names = fr_rd_u8(&r);
    if (b->peer.n_names > FR_TLS_NAMES) fr_rd_fail(&r, FR_E_MALFORMED);
    for (size_t i = 0; i < b->peer.n_names && !fr_rd_err(&r); i++)
        b->names[i] = read_text(&r, b, &at);
    b->peer.subject = fr_rd_err(&r) ? "" : read_text(&r, b, &at);
    if (fr_rd_end(&r) != FR_OK) {
        fr_free(b);
        return FR_E_MALFORMED;
    }
    b->refs = 1;
    b->peer.names = b->names;
    b->peer.is_resumed = true;
    *out = &b->peer;
    return FR_OK;
}

struct fr_tls_peer *fr_tls_peer_ref(struct fr_tls_peer *peer)
{
    ((struct peer_block *)peer)->refs++;
    return peer;
}

void fr_tls_peer_unref(struct fr_tls_peer *peer)
{
    struct peer_block *b = (struct peer_block *)peer;

    if (b && --b->refs == 0) fr_free(b);
}
