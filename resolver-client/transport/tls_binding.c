#include "transport/http_conn.h"

/* tls-unique is the first Finished of the latest handshake: the client's in a full one, the
 * server's in a resumed one (RFC 5929 §3); without the extended master secret two connections can
 * share one (RFC 7627). Under TLS 1.3 it does not exist, although OpenSSL would give bytes. */
static size_t tls_unique(SSL *ssl, uint8_t out[FR_HTTP_BINDING_MAX])
{
    if (SSL_get_extms_support(ssl) != 1) return 0;
    return SSL_session_reused(ssl) ? SSL_get_finished(ssl, out, FR_HTTP_BINDING_MAX)
                                   : SSL_get_peer_finished(ssl, out, FR_HTTP_BINDING_MAX);
}

static size_t tls_exporter(SSL *ssl, uint8_t out[FR_HTTP_BINDING_MAX])
{
    static const char label[] = "EXPORTER-Channel-Binding";
    const size_t n = 32; /* RFC 9266 §4.1 */

    return SSL_export_keying_material(ssl, out, n, label, sizeof label - 1, NULL, 0, 0) == 1 ? n
                                                                                             : 0;
}

size_t fr_http_conn_binding(const struct fr_http_conn *conn, uint8_t out[FR_HTTP_BINDING_MAX])
{
    SSL *ssl = conn->stream.ssl;

    if (!ssl) return 0;
    switch (SSL_version(ssl)) {
    case TLS1_2_VERSION: return tls_unique(ssl, out);
    case TLS1_3_VERSION: return tls_exporter(ssl, out);
    default: return 0;
    }
}
