#include "transport/tls_ctx.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"

#define PEM_MAX (256 * 1024)
#define CHAIN_MAX 4 /* certificates sent with the leaf */
#define PEER_CHAIN_BYTES (16 * 1024)
#define PEER_CHAIN_DEPTH 2

bool fr_tls_apply_policy(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_clear_options(ssl, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_max_cert_list(ssl, PEER_CHAIN_BYTES);
    SSL_CTX_set_verify_depth(ssl, PEER_CHAIN_DEPTH);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(ssl, "X25519:P-256") == 1 &&
           SSL_CTX_set_max_early_data(ssl, 0) == 1 && SSL_CTX_set_num_tickets(ssl, 1) == 1;
}

static enum fr_err pem_fail(struct fr_diag *diag, const struct fr_tls_pem *pem, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    ERR_clear_error();
    enum fr_err err = fr_diag_fail(diag, FR_E_MALFORMED, "%s%s%s", what, reason ? ": " : "",
                                   reason ? reason : "");
    if (pem->name) fr_diag_where(diag, pem->name, 0, 0);
    return err;
}

static BIO *pem_bio(struct fr_span text)
{
    return text.n > 0 && text.n <= PEM_MAX ? BIO_new_mem_buf(text.p, (int)text.n) : NULL;
}

/* Private keys with a passphrase are refused instead of asking on a terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *data)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)data;
    return -1;
}

static int64_t asn1_seconds(const ASN1_TIME *t)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static enum fr_err use_chain(struct fr_tls_ctx *ctx, const struct fr_tls_pem *pem,
                             struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    BIO *bio = pem_bio(pem->chain);
    X509 *leaf = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

    if (!leaf || SSL_CTX_use_certificate(ctx->ssl, leaf) != 1) {
        err = pem_fail(diag, pem, "no usable certificate in the chain");
        goto out;
    }
    ctx->not_after_s = asn1_seconds(X509_get0_notAfter(leaf));
    for (int i = 0; i <= CHAIN_MAX; i++) {
        X509 *issuer = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

        if (!issuer) break; /* end of the text */
        if (i == CHAIN_MAX || SSL_CTX_add0_chain_cert(ctx->ssl, issuer) != 1) {
            X509_free(issuer);
            err = pem_fail(diag, pem, "too many certificates in the chain");
            goto out;
        }
    }
    ERR_clear_error(); /* the end of a PEM text counts as an error there */
out:
    X509_free(leaf);
    BIO_free(bio);
    return err;
}

static enum fr_err use_key(struct fr_tls_ctx *ctx, const struct fr_tls_pem *pem,
                           struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    BIO *bio = pem_bio(pem->key);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    if (!key)
        err = pem_fail(diag, pem, "no usable private key (keys must not have a passphrase)");
    else if (SSL_CTX_use_PrivateKey(ctx->ssl, key) != 1 || SSL_CTX_check_private_key(ctx->ssl) != 1)
        err = pem_fail(diag, pem, "the private key does not belong to the certificate");
    EVP_PKEY_free(key);
    BIO_free(bio);
    return err;
}

/* The trust store, and for servers the names of it that clients are told. */
static enum fr_err use_ca(struct fr_tls_ctx *ctx, const struct fr_tls_pem *pem,
                          struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    BIO *bio = pem_bio(pem->ca);
    X509_STORE *store = SSL_CTX_get_cert_store(ctx->ssl);
    X509 *ca;
    unsigned n = 0;

    while (bio && !err && (ca = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        if (X509_STORE_add_cert(store, ca) != 1 || SSL_CTX_add_client_CA(ctx->ssl, ca) != 1)
            err = pem_fail(diag, pem, "cannot use a CA certificate");
        X509_free(ca);
        n++;
    }
    ERR_clear_error();
    BIO_free(bio);
    if (err) return err;
    if (n == 0) return pem_fail(diag, pem, "no CA certificate");
    /* Whatever the file names is an anchor, an issuing CA without its root too. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    ctx->has_ca = true;
    return FR_OK;
}

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct fr_tls_conn *c = SSL_get_app_data(ssl);

    if (!c || !c->on_session) return 0;
    c->on_session(c->session_data, session);
    return 1; /* the reference went with it */
}

/* RFC 7301: our order of preference decides; a list without a word of ours ends the handshake. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                   const unsigned char *in, unsigned in_n, void *data)
{
    static const unsigned char words[] = "\x02h2\x08http/1.1", dot[] = "\x03"
                                                                       "dot";
    const struct fr_tls_conn *c = SSL_get_app_data(ssl);
    unsigned skip = c && c->has_h2 ? 0 : 3;
    const unsigned char *ours = c && c->is_dot ? dot : words + skip;
    unsigned n = c && c->is_dot ? (unsigned)sizeof dot - 1 : (unsigned)sizeof words - 1 - skip;
    unsigned char *chosen = NULL;

    (void)data;
    if (SSL_select_next_proto(&chosen, out_n, ours, n, in, in_n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static struct fr_tls_ctx *ctx_new(const SSL_METHOD *method)
{
    struct fr_tls_ctx *ctx = fr_calloc(1, sizeof *ctx);

    if (!ctx) return NULL;
    atomic_init(&ctx->refs, 1);
    ctx->ssl = SSL_CTX_new(method);
    if (ctx->ssl && fr_tls_apply_policy(ctx->ssl)) return ctx;
    ERR_clear_error();
    fr_tls_ctx_unref(ctx);
    return NULL;
}

enum fr_err fr_tls_server_new(const struct fr_tls_pem *pem, struct fr_diag *diag,
                              struct fr_tls_ctx **out)
{
    struct fr_tls_ctx *ctx = ctx_new(TLS_server_method());
    enum fr_err err = FR_OK;

    if (!ctx) return FR_E_NOMEM;
    SSL_CTX_set_alpn_select_cb(ctx->ssl, on_alpn, NULL);
    err = use_chain(ctx, pem, diag);
    if (!err) err = use_key(ctx, pem, diag);
    if (!err && pem->ca.n > 0) err = use_ca(ctx, pem, diag);
    if (err)
        fr_tls_ctx_unref(ctx);
    else
        *out = ctx;
    return err;
}

enum fr_err fr_tls_client_new(const struct fr_tls_pem *pem, struct fr_diag *diag,
                              struct fr_tls_ctx **out)
{
    struct fr_tls_ctx *ctx = ctx_new(TLS_client_method());
    enum fr_err err = FR_OK;

    if (!ctx) return FR_E_NOMEM;
    SSL_CTX_set_verify(ctx->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(ctx->ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx->ssl, on_new_session);
    if (pem->chain.n > 0 || pem->key.n > 0) {
        err = use_chain(ctx, pem, diag);
        if (!err) err = use_key(ctx, pem, diag);
    }
    if (!err) err = use_ca(ctx, pem, diag);
    if (err)
        fr_tls_ctx_unref(ctx);
    else
        *out = ctx;
    return err;
}

enum fr_err fr_tls_client_new_unverified(struct fr_tls_ctx **out)
{
    struct fr_tls_ctx *ctx = ctx_new(TLS_client_method());

    if (!ctx) return FR_E_NOMEM;
    ctx->is_unverified = true;
    *out = ctx;
    return FR_OK;
}

typedef enum fr_err (*new_fn)(const struct fr_tls_pem *pem, struct fr_diag *diag,
                              struct fr_tls_ctx **out);

static enum fr_err load(const struct fr_tls_files *files, new_fn make, struct fr_diag *diag,
                        struct fr_tls_ctx **out)
{
    struct fr_buf chain = FR_BUF_INIT(PEM_MAX), key = FR_BUF_INIT(PEM_MAX),
                  ca = FR_BUF_INIT(PEM_MAX);
    enum fr_err err = FR_OK;

    if (files->chain) err = fr_file_read(files->chain, diag, &chain);
    if (!err && files->key) err = fr_file_read_private(files->key, diag, &key);
    if (!err && files->ca) err = fr_file_read(files->ca, diag, &ca);
    if (!err) {
        struct fr_tls_pem pem = {
            .chain = fr_buf_span(&chain),
            .key = fr_buf_span(&key),
            .ca = fr_buf_span(&ca),
            .name = files->chain ? files->chain : files->ca,
        };
        err = make(&pem, diag, out);
    }
    fr_buf_deinit(&chain);
    fr_buf_deinit_secret(&key);
    fr_buf_deinit(&ca);
    return err;
}

enum fr_err fr_tls_server_load(const struct fr_tls_files *files, struct fr_diag *diag,
                               struct fr_tls_ctx **out)
{
    return load(files, fr_tls_server_new, diag, out);
}

enum fr_err fr_tls_client_load(const struct fr_tls_files *files, struct fr_diag *diag,
                               struct fr_tls_ctx **out)
{
    return load(files, fr_tls_client_new, diag, out);
}

struct fr_tls_ctx *fr_tls_ctx_ref(struct fr_tls_ctx *ctx)
{
    atomic_fetch_add(&ctx->refs, 1);
    return ctx;
}

void fr_tls_ctx_unref(struct fr_tls_ctx *ctx)
{
    if (!ctx || atomic_fetch_sub(&ctx->refs, 1) != 1) return;
    SSL_CTX_free(ctx->ssl);
    fr_free(ctx);
}

int64_t fr_tls_ctx_not_after_s(const struct fr_tls_ctx *ctx)
{
    return ctx->not_after_s;
}
