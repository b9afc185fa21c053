#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/wire.h"
#include "transport/tls_ctx.h"

#define SESSION_TIMEOUT_MAX_S 3600
#define SUBJECT_MAX 512
#define SNI_MAX 253

/* One TLS connection as OpenSSL's callbacks see it, and the acceptor that starts a server's. */

void fr_tls_conn_init(struct fr_tls_conn *c)
{
    *c = (struct fr_tls_conn){.alert_in = -1};
}

void fr_tls_conn_deinit(struct fr_tls_conn *c)
{
    fr_tls_ctx_unref(c->ctx);
    fr_tls_peer_unref(c->peer);
    fr_free(c->sni);
    fr_free(c->subject);
    fr_tls_conn_init(c);
}

/* Remembers the first fatal alert of the peer: OpenSSL's error queue has it only until the next call. */
static void on_info(const SSL *ssl, int where, int ret)
{
    struct fr_tls_conn *c = SSL_get_app_data(ssl);

    if (c && where & SSL_CB_ALERT && where & SSL_CB_READ && ret >> 8 == SSL3_AL_FATAL &&
        c->alert_in < 0)
        c->alert_in = ret & 0xff;
}

static char *subject_line(X509 *cert)
{
    char text[SUBJECT_MAX] = "";
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0)
        n = BIO_read(bio, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
    return fr_strdup(text);
}

static int on_verify(int is_ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct fr_tls_conn *c = SSL_get_app_data(ssl);

    if (!is_ok && c && c->takes_expired && X509_STORE_CTX_get_error_depth(store) == 0 &&
        X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_HAS_EXPIRED) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    if (!is_ok && c && c->verify_error == 0) {
        X509 *leaf = X509_STORE_CTX_get0_cert(store);

        c->verify_error = X509_STORE_CTX_get_error(store);
        if (leaf) c->subject = subject_line(leaf);
    }
    return is_ok;
}

static SSL *ssl_new(SSL_CTX *ctx, struct fr_tls_conn *c)
{
    SSL *ssl = SSL_new(ctx);

    if (!ssl) {
        ERR_clear_error();
        return NULL;
    }
    SSL_set_app_data(ssl, c);
    SSL_set_info_callback(ssl, on_info);
    return ssl;
}

SSL *fr_tls_server_ssl(struct fr_tls_acceptor *a, struct fr_tls_conn *c)
{
    SSL *ssl = ssl_new(a->ssl, c);

    c->cache = a->ssl;
    if (ssl) SSL_set_accept_state(ssl);
    return ssl;
}

static bool set_names(SSL *ssl, const char *host)
{
    struct fr_ip ip;

    if (fr_ip_parse(fr_span_str(host), &ip) == FR_OK) /* no SNI for addresses, RFC 6066 §3 */
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

SSL *fr_tls_client_ssl(struct fr_tls_ctx *ctx, struct fr_tls_conn *c, const char *host, bool has_h2,
                       bool has_h1, SSL_SESSION *resume)
{
    static const unsigned char words[] = "\x02h2\x08http/1.1";
    unsigned skip = has_h2 ? 0 : 3;
    unsigned n = has_h1 ? (unsigned)sizeof words - 1 - skip : 3;
    SSL *ssl = ssl_new(ctx->ssl, c);

    if (!ssl) return NULL;
    SSL_set_connect_state(ssl);
    SSL_set_verify(ssl, ctx->is_unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, on_verify);
    if (!set_names(ssl, host) || SSL_set_alpn_protos(ssl, words + skip, n) != 0 ||
        (resume && SSL_set_session(ssl, resume) != 1)) {
        ERR_clear_error();
        SSL_free(ssl);
        return NULL;
    }
    c->ctx = fr_tls_ctx_ref(ctx);
    return ssl;
}

bool fr_tls_is_h2(const SSL *ssl)
{
    const unsigned char *word;
    unsigned n;

    SSL_get0_alpn_selected(ssl, &word, &n);
    return n == 2 && memcmp(word, "h2", 2) == 0;
}

/* The name of the server_name extension, lower case, or NULL when there is none. False: malformed. RFC 6066 §3 */
static bool read_sni(SSL *ssl, char **out)
{
    const unsigned char *ext;
    size_t ext_n;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &ext_n) != 1) return true;

    struct fr_rd r = fr_rd(fr_span(ext, ext_n));
    size_t list_n = fr_rd_u16(&r);
    if (list_n != fr_rd_left(&r) || fr_rd_u8(&r) != TLSEXT_NAMETYPE_host_name) return false;
    size_t name_n = fr_rd_u16(&r);
    struct fr_span name = fr_rd_span(&r, name_n);
    if (fr_rd_end(&r) != FR_OK || name.n == 0 || name.n > SNI_MAX) return false;

    char *text = fr_strndup((const char *)name.p, name.n);
    if (!text) return false;
    for (char *c = text; c < text + name.n; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + ('a' - 'A'));
        if (*c == 0 || !strchr("abcdefghijklmnopqrstuvwxyz0123456789-._", *c)) {
            fr_free(text);
            return false;
        }
    }
    *out = text;
    return true;
}

/* Puts the choice on the SSL. SSL_set_SSL_CTX changes the certificate and the trust store, but not the verify mode, and the
 * session-id context is the only wall between the sessions of two choices: both are set here, for every connection. */
static bool apply_choice(SSL *ssl, struct fr_tls_conn *c, const struct fr_tls_choice *choice)
{
    int mode = SSL_VERIFY_NONE;

    if (choice->client_cert == FR_TLS_CERT_REQUEST) mode = SSL_VERIFY_PEER;
    if (choice->client_cert == FR_TLS_CERT_REQUIRE)
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (mode != SSL_VERIFY_NONE && !choice->ctx->has_ca) return false;
    if (choice->sid_ctx_n == 0 || choice->sid_ctx_n > FR_TLS_SID_CTX_MAX) return false;
    if (!SSL_set_SSL_CTX(ssl, choice->ctx->ssl)) return false;
    /* Who comes without a certificate comes with a password. */
    if (!(mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT)) SSL_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT);
    SSL_set_verify(ssl, mode, on_verify);
    SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(choice->ctx->ssl));
    if (SSL_set_session_id_context(ssl, choice->sid_ctx, (unsigned)choice->sid_ctx_n) != 1)
        return false;
    c->ctx = fr_tls_ctx_ref(choice->ctx);
    c->takes_expired = choice->takes_expired;
    c->tag = choice->tag;
    return true;
}

/* Runs before OpenSSL looks for a session to resume; the servername callback would be too late. */
static int on_client_hello(SSL *ssl, int *alert, void *data)
{
    struct fr_tls_conn *c = SSL_get_app_data(ssl);
    struct fr_tls_choice choice = {0};

    (void)data;
    if (!read_sni(ssl, &c->sni)) {
        *alert = SSL_AD_ILLEGAL_PARAMETER;
        c->refusal = "malformed server name";
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (!c->select || !c->select(c->select_data, c->sni, &choice)) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        c->refusal = c->sni ? "unknown server name" : "no server name";
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (!choice.ctx || !apply_choice(ssl, c, &choice)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        c->refusal = "this server name cannot be served";
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

enum fr_err fr_tls_acceptor_new(unsigned session_timeout_s, unsigned sessions,
                                struct fr_tls_acceptor **out)
{
    struct fr_tls_acceptor *a = fr_calloc(1, sizeof *a);

    if (!a) return FR_E_NOMEM;
    atomic_init(&a->refs, 1);
    a->ssl = SSL_CTX_new(TLS_server_method());
    if (!a->ssl || !fr_tls_apply_policy(a->ssl)) {
        ERR_clear_error();
        fr_tls_acceptor_unref(a);
        return FR_E_NOMEM;
    }
    /* Whatever happens later, a connection on which select() did not run demands a certificate that nothing can satisfy. */
    SSL_CTX_set_verify(a->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_cache_mode(a->ssl, sessions > 0 ? SSL_SESS_CACHE_SERVER |
                                                              SSL_SESS_CACHE_NO_INTERNAL_STORE
                                                        : SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(a->ssl, fr_tls_on_server_session);
    SSL_CTX_sess_set_cache_size(a->ssl, (long)sessions);
    if (session_timeout_s > SESSION_TIMEOUT_MAX_S) session_timeout_s = SESSION_TIMEOUT_MAX_S;
    SSL_CTX_set_timeout(a->ssl, (long)session_timeout_s);
    if (sessions == 0) (void)SSL_CTX_set_num_tickets(a->ssl, 0); /* cannot fail */
    SSL_CTX_set_client_hello_cb(a->ssl, on_client_hello, NULL);
    *out = a;
    return FR_OK;
}

void fr_tls_acceptor_set_chain_max(struct fr_tls_acceptor *a, size_t bytes)
{
    SSL_CTX_set_max_cert_list(a->ssl, (long)bytes);
}

struct fr_tls_acceptor *fr_tls_acceptor_ref(struct fr_tls_acceptor *a)
{
    atomic_fetch_add(&a->refs, 1);
    return a;
}

void fr_tls_acceptor_unref(struct fr_tls_acceptor *a)
{
    if (!a || atomic_fetch_sub(&a->refs, 1) != 1) return;
    SSL_CTX_free(a->ssl);
    fr_free(a);
}

unsigned fr_tls_acceptor_sessions(const struct fr_tls_acceptor *a)
{
    long n = SSL_CTX_sess_number(a->ssl);

    return n > 0 ? (unsigned)n : 0;
}

void fr_tls_acceptor_flush(struct fr_tls_acceptor *a)
{
    SSL_CTX_flush_sessions(a->ssl, 0);
}
