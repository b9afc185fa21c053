#pragma once
/* The inside of TLS contexts and acceptors, and the state of one TLS connection. Inside transport only.
 *
 * Model:   fr_tls_conn is hung on an SSL as its app data, so that OpenSSL's callbacks find it: the select callback and what
 *          it chose (server), what went wrong, the session to keep (client).
 * Owns:    fr_tls_conn owns its strings and references; the SSL belongs to the stream.
 * Threads: the connection's.
 */

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "base/wire.h"
#include "transport/tls.h"

struct fr_tls_ctx {
    atomic_uint refs;
    SSL_CTX *ssl;
    int64_t not_after_s; /* of its own leaf; 0: none */
    bool has_ca;
    bool is_unverified; /* a client's that believes any server, on purpose */
};

struct fr_tls_acceptor {
    atomic_uint refs;
    SSL_CTX *ssl; /* what every connection starts with; select() replaces its identity */
};

struct fr_tls_conn {
    /* server */
    fr_tls_select_fn select;
    void *select_data;
    bool has_h2; /* may ALPN choose h2? */
    bool is_dot; /* ALPN is "dot" and nothing else */
    bool takes_expired;
    void *tag;
    SSL_CTX *cache;      /* of sessions: its acceptor's; NULL: none is kept */
    char *sni;           /* NULL: none */
    const char *refusal; /* why we refused in a callback; NULL: OpenSSL's own reasons */
    /* client */
    void (*on_session)(void *data, SSL_SESSION *session); /* gets its own reference */
    void *session_data;
    /* both */
    struct fr_tls_ctx *ctx;   /* own reference */
    struct fr_tls_peer *peer; /* after the handshake; NULL: no certificate */
    int alert_in;             /* the peer's fatal alert; -1: none */
    long verify_error;        /* X509_V_… of the peer's chain; 0: none */
    char *subject;            /* of the certificate that did not verify */
};

void fr_tls_conn_init(struct fr_tls_conn *c);
void fr_tls_conn_deinit(struct fr_tls_conn *c);

/* The policy that contexts and acceptors share. */
bool fr_tls_apply_policy(SSL_CTX *ssl);

/* A server's SSL on an acceptor, a client's on a context; both with c as app data. NULL: no memory. */
SSL *fr_tls_server_ssl(struct fr_tls_acceptor *a, struct fr_tls_conn *c);
SSL *fr_tls_client_ssl(struct fr_tls_ctx *ctx, struct fr_tls_conn *c, const char *host, bool has_h2,
                       bool has_h1, SSL_SESSION *resume);

/* Reads the peer's certificate after a handshake; *out stays NULL when there is none. FR_E_NOMEM, FR_E_MALFORMED. */
enum fr_err fr_tls_peer_read(SSL *ssl, struct fr_tls_peer **out);

/* What a session keeps of a peer, written and read again; after a resumption, from the session itself: *out stays NULL when it
 * had none. FR_E_NOMEM, FR_E_MALFORMED. */
void fr_tls_peer_write(const struct fr_tls_peer *peer, struct fr_wr *w);
enum fr_err fr_tls_peer_restore(struct fr_span kept, struct fr_tls_peer **out);
enum fr_err fr_tls_peer_of_session(SSL *ssl, struct fr_tls_peer **out);

/* OpenSSL's callback for a new session of a server. */
int fr_tls_on_server_session(SSL *ssl, SSL_SESSION *session);
struct fr_tls_peer *fr_tls_peer_ref(struct fr_tls_peer *peer);

/* "h2" was chosen by ALPN. */
bool fr_tls_is_h2(const SSL *ssl);
