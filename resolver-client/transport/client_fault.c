#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transport/client_conn.h"

const char *fr_http_fault_word(enum fr_http_fault fault)
{
    switch (fault) {
    case FR_HTTP_OK: return "ok";
    case FR_HTTP_REFUSED: return "refused";
    case FR_HTTP_UNREACHABLE: return "unreachable";
    case FR_HTTP_TIMEOUT: return "timeout";
    case FR_HTTP_TLS_ALERT: return "tls-alert";
    case FR_HTTP_TLS_UNTRUSTED: return "tls-untrusted";
    case FR_HTTP_TLS_NAME: return "tls-name";
    case FR_HTTP_TLS: return "tls";
    case FR_HTTP_CLOSED: return "closed";
    case FR_HTTP_PROTOCOL: return "protocol";
    case FR_HTTP_TOO_LARGE: return "too-large";
    case FR_HTTP_BUSY: return "busy";
    case FR_HTTP_CANCELLED: return "cancelled";
    case FR_HTTP_NO_MEMORY: return "no-memory";
    }
    return "unknown";
}

enum fr_err fr_http_fault_err(enum fr_http_fault fault)
{
    switch (fault) {
    case FR_HTTP_OK: return FR_OK;
    case FR_HTTP_TIMEOUT: return FR_E_TIMEOUT;
    case FR_HTTP_TLS_ALERT:
    case FR_HTTP_TLS_UNTRUSTED:
    case FR_HTTP_TLS_NAME: return FR_E_AUTH;
    case FR_HTTP_PROTOCOL:
    case FR_HTTP_TOO_LARGE: return FR_E_MALFORMED;
    case FR_HTTP_NO_MEMORY: return FR_E_NOMEM;
    case FR_HTTP_CANCELLED: return FR_E_CANCELLED;
    case FR_HTTP_CLOSED: return FR_E_CLOSED;
    case FR_HTTP_REFUSED:
    case FR_HTTP_UNREACHABLE:
    case FR_HTTP_TLS: return FR_E_NET;
    case FR_HTTP_BUSY: return FR_E_BUSY;
    }
    return FR_E_INTERNAL;
}

const char *fr_http_fault_hint(enum fr_http_fault fault)
{
    switch (fault) {
    case FR_HTTP_REFUSED: return "does the broker run, and is the port the one it listens on?";
    case FR_HTTP_UNREACHABLE:
    case FR_HTTP_TIMEOUT: return "is the address right, and does a firewall let TCP out to it?";
    case FR_HTTP_TLS_ALERT: return "the certificate may be over, revoked or of another federation";
    case FR_HTTP_TLS_UNTRUSTED:
        return "is this machine's clock right? If so, do not go on: tell the operator";
    case FR_HTTP_TLS_NAME: return "the address leads to another server";
    case FR_HTTP_TLS: return "is the port the broker's?";
    case FR_HTTP_OK:
    case FR_HTTP_CLOSED:
    case FR_HTTP_PROTOCOL:
    case FR_HTTP_TOO_LARGE:
    case FR_HTTP_BUSY:
    case FR_HTTP_CANCELLED:
    case FR_HTTP_NO_MEMORY: break;
    }
    return NULL;
}

struct fr_client_fault fr_client_fault(enum fr_http_fault fault, const char *fmt, ...)
{
    struct fr_client_fault f = {.fault = fault, .alert_word = ""};
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(f.text, sizeof f.text, fmt, args); /* a long text is cut */
    va_end(args);
    return f;
}

const char *fr_client_conn_where(const struct fr_client_conn *c, char *out, size_t n)
{
    char addr[FR_ADDR_TEXT];

    if (c->client->unix_path) return c->client->unix_path;
    fr_addr_print(&c->addr, addr);
    (void)snprintf(out, n, "%s (%s)", c->client->host, addr);
    return out;
}

struct fr_client_fault fr_client_fault_errno(const struct fr_client_conn *c, int errnum)
{
    char buf[400];
    const char *where = fr_client_conn_where(c, buf, sizeof buf);

    if (c->phase != FR_CLIENT_CONNECTING)
        return fr_client_fault(FR_HTTP_CLOSED, "the connection to %s was lost: %s", where,
                               strerror(errnum));
    if (errnum == ECONNREFUSED || errnum == ENOENT || errnum == EACCES)
        return fr_client_fault(FR_HTTP_REFUSED, "cannot connect to %s: %s", where,
                               strerror(errnum));
    return fr_client_fault(FR_HTTP_UNREACHABLE, "cannot reach %s: %s", where, strerror(errnum));
}

/* Alerts that speak of the certificate we showed, or did not show. RFC 8446 §6.2 */
static bool is_about_certificate(int alert)
{
    return (alert >= 42 && alert <= 46) || alert == 48 || alert == 49 || alert == 116;
}

static struct fr_client_fault alert_fault(const char *where, int alert)
{
    const char *word = fr_tls_alert_word(alert);
    struct fr_client_fault f =
        is_about_certificate(alert)
            ? fr_client_fault(FR_HTTP_TLS_ALERT, "your certificate was refused by %s: %s", where,
                              word)
            : fr_client_fault(FR_HTTP_TLS_ALERT, "%s refused the connection: %s", where, word);

    f.alert_word = word;
    return f;
}

static struct fr_client_fault verify_fault(const struct fr_client_conn *c, const char *where,
                                           long error)
{
    const char *subject = c->stream.tls.subject ? c->stream.tls.subject : "";

    if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
        return fr_client_fault(FR_HTTP_TLS_NAME,
                               "the certificate of %s (%s) is not for the name %s", where, subject,
                               c->client->host);
    return fr_client_fault(FR_HTTP_TLS_UNTRUSTED, "the certificate of %s (%s) is not trusted: %s",
                           where, subject, X509_verify_cert_error_string(error));
}

struct fr_client_fault fr_client_fault_stream(const struct fr_client_conn *c)
{
    const struct fr_stream *s = &c->stream;
    const char *reason = s->tls_error ? ERR_reason_error_string(s->tls_error) : NULL;
    char buf[400];
    const char *where = fr_client_conn_where(c, buf, sizeof buf);

    if (s->tls.alert_in >= 0) return alert_fault(where, s->tls.alert_in);
    if (s->tls.verify_error) return verify_fault(c, where, s->tls.verify_error);
    if (s->errnum) return fr_client_fault_errno(c, s->errnum);
    if (s->is_end && c->phase == FR_CLIENT_HANDSHAKE)
        return fr_client_fault(FR_HTTP_TLS, "%s closed the connection during the TLS handshake",
                               where);
    if (s->is_end) return fr_client_fault(FR_HTTP_CLOSED, "%s closed the connection", where);
    return fr_client_fault(FR_HTTP_TLS, "TLS with %s failed: %s", where,
                           reason ? reason : "unknown reason");
}
