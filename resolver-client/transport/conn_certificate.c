#include "transport/http_conn.h"

#include <openssl/err.h>
#include <openssl/x509.h>

size_t fr_http_conn_certificate(const struct fr_http_conn *conn, uint8_t *out, size_t size)
{
    SSL *ssl = conn->stream.ssl;
    X509 *cert = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
    int n = cert ? i2d_X509(cert, NULL) : 0;

    if (n > 0 && (size_t)n <= size)
        n = i2d_X509(cert, &out);
    else
        n = 0;
    ERR_clear_error();
    return n > 0 ? (size_t)n : 0;
}
