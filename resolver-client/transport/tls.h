#pragma once
/* TLS credentials and policy: immutable, ref-counted contexts for servers and clients, and who the
 * peer is.
 *
 * Model:   a *context* (fr_tls_ctx) = certificate chain + key + the one trust store of a
 * federation; it never changes, a reload makes a new one. An *acceptor* = what all listeners of a
 * process share: protocol policy and the session cache. In the ClientHello callback the caller's
 * select() names the context, whether a client certificate is required, and the session-id context;
 * nothing of one selection can resume under another. TLS 1.2 and 1.3, ECDHE + AEAD only, no
 * renegotiation, no compression, no early data, stateful sessions. Owns:    contexts and acceptors
 * are ref-counted; a connection holds a reference to the ones it uses. Threads: contexts and
 * acceptors may be shared by threads; _ref/_unref are atomic. Errors:  FR_E_MALFORMED (PEM that
 * does not parse, key that does not match), FR_E_NOMEM, what base/file.h gives. The diag names the
 * file and says what to do. Limits:  peer chain 16 KiB and depth 2; 16 dNSNames of a peer kept;
 * session timeout 1 h at most. Trust:   certificates and ClientHello are a peer's bytes; X509
 * parsing is OpenSSL's. See:     RFC 8446, 5246, 5280, 7301 (ALPN), 6066 (SNI).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"

struct fr_tls_ctx;
struct fr_tls_acceptor;

#define FR_TLS_NAMES 16 /* dNSNames kept of one certificate */
#define FR_TLS_SERIAL 16

/* PEM text of one identity. Any part may be empty where the call says so. Borrowed for the call. */
struct fr_tls_pem {
    struct fr_span chain; /* leaf first, then issuing CAs; never the root */
    struct fr_span key;   /* PKCS#8 or SEC1, not encrypted */
    struct fr_span ca;    /* the trust anchors: only this federation's */
    const char *name;     /* what error messages call it, e.g. the file name; may be NULL */
};

/* The same, by file. A key file that others may read or write is refused. */
struct fr_tls_files {
    const char *chain, *key, *ca;
};

/* A server's or client's context. Server: chain and key needed, ca may be empty (then no client
 * certificate can be asked). Client: ca needed, chain and key both or neither. */
enum fr_err fr_tls_server_new(const struct fr_tls_pem *pem, struct fr_diag *diag,
                              struct fr_tls_ctx **out);
enum fr_err fr_tls_server_load(const struct fr_tls_files *files, struct fr_diag *diag,
                               struct fr_tls_ctx **out);
enum fr_err fr_tls_client_new(const struct fr_tls_pem *pem, struct fr_diag *diag,
                              struct fr_tls_ctx **out);
enum fr_err fr_tls_client_load(const struct fr_tls_files *files, struct fr_diag *diag,
                               struct fr_tls_ctx **out);

/* A client's context that believes any server: for asking a federation whose root is not here yet
 * for its certificates, which are then compared with a digest known beforehand. Nothing secret may be
 * sent, and nothing of an answer believed, on its word. FR_E_NOMEM. */
enum fr_err fr_tls_client_new_unverified(struct fr_tls_ctx **out);

struct fr_tls_ctx *fr_tls_ctx_ref(struct fr_tls_ctx *ctx);
void fr_tls_ctx_unref(struct fr_tls_ctx *ctx);

/* End of validity of its own leaf, seconds since 1970; 0 without a certificate. */
int64_t fr_tls_ctx_not_after_s(const struct fr_tls_ctx *ctx);

enum fr_tls_client_cert {
    FR_TLS_CERT_REQUIRE, /* handshake fails without a certificate that verifies */
    FR_TLS_CERT_REQUEST, /* asked for; without one the peer has no identity; one that does not
                            verify still fails */
    FR_TLS_CERT_NONE,    /* not asked for */
};

#define FR_TLS_SID_CTX_MAX 32

/* What select() decides for one ClientHello. */
struct fr_tls_choice {
    struct fr_tls_ctx
        *ctx; /* borrowed from the caller for the call; the connection takes its own reference */
    enum fr_tls_client_cert client_cert;
    bool
        takes_expired; /* a certificate that is over, and nothing else is wrong with, is let in: the
                           caller judges dates */
    uint8_t sid_ctx[FR_TLS_SID_CTX_MAX]; /* hash(federation, server name, CA generation); must not
                                            be empty */
    size_t sid_ctx_n;
    void *tag; /* the caller's; handed back in struct fr_http_peer */
};

/* sni is NULL when the client sent none; otherwise lower case, checked to be a host name. False:
 * refused with unrecognized_name. Called on the connection's thread. */
typedef bool (*fr_tls_select_fn)(void *data, const char *sni, struct fr_tls_choice *out);

/* One for all listeners and workers of a process that should share sessions. session_timeout_s is
 * capped at 3600; sessions = entries in the cache. */
enum fr_err fr_tls_acceptor_new(unsigned session_timeout_s, unsigned sessions,
                                struct fr_tls_acceptor **out);
/* How many bytes of certificates a client may send; 16 KiB at first. Before the first connection. */
void fr_tls_acceptor_set_chain_max(struct fr_tls_acceptor *a, size_t bytes);

struct fr_tls_acceptor *fr_tls_acceptor_ref(struct fr_tls_acceptor *a);
void fr_tls_acceptor_unref(struct fr_tls_acceptor *a);

/* Sessions kept now. */
unsigned fr_tls_acceptor_sessions(const struct fr_tls_acceptor *a);

/* Forgets every session: the next connection of each client does a full handshake (after a
 * revocation). */
void fr_tls_acceptor_flush(struct fr_tls_acceptor *a);

/* The certificate the peer proved to own. On a resumed connection it is the one of the first
 * handshake and *nothing* was verified again: expiry, revocation and rights are the caller's to
 * check on each request. */
struct fr_tls_peer {
    uint8_t cert_sha256[32];       /* of the DER */
    uint8_t spki_sha256[32];       /* of the SubjectPublicKeyInfo: TLSA 3 1 1 */
    uint8_t serial[FR_TLS_SERIAL]; /* big-endian, zero-padded on the left */
    bool has_serial;               /* false: longer than 16 bytes */
    bool is_resumed;
    int64_t not_before_s, not_after_s;
    size_t n_names;
    const char *const
        *names;          /* dNSNames, lower case; longer than 253 or with odd bytes: left out */
    const char *subject; /* one line, escaped, for logs */
};

/* The same of a certificate that came otherwise (DER); nothing of it is verified. FR_E_MALFORMED,
 * FR_E_NOMEM. */
enum fr_err fr_tls_peer_of(struct fr_span der, struct fr_tls_peer **out);
void fr_tls_peer_unref(struct fr_tls_peer *peer);

/* Why a handshake that this side served came to nothing. Strings live for the call. */
struct fr_tls_refusal {
    const char
        *reason; /* "no client certificate", "certificate has expired", "unknown server name", … */
    const char *sni;     /* NULL: none or not yet known */
    const char *subject; /* of the certificate shown; NULL: none */
    const char *alert;   /* the alert the peer sent us, as a word; NULL: none */
};

/* "certificate_required" → "certificate required"…; "unknown alert" for others. (RFC 8446 §6) */
const char *fr_tls_alert_word(int alert);
