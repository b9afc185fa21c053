#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "transport/http_conn.h"

/* Why a handshake that we served came to nothing, in words for the log. */

static const char *failure_text(const struct fr_stream *s, char *out, size_t n)
{
    const char *reason = s->tls_error ? ERR_reason_error_string(s->tls_error) : NULL;

    if (s->tls.refusal) return s->tls.refusal;
    if (s->tls.verify_error) return X509_verify_cert_error_string(s->tls.verify_error);
    if (s->tls.alert_in >= 0) {
        (void)snprintf(out, n, "the peer refused us: %s", fr_tls_alert_word(s->tls.alert_in));
        return out;
    }
    if (reason && strstr(reason, "did not return a certificate")) return "no client certificate";
    if (reason) return reason;
    return s->is_end ? "closed during the handshake" : "connection lost during the handshake";
}

void fr_conn_report_refusal(struct fr_http_conn *c, const char *reason)
{
    struct fr_http_server *s = c->server;
    struct fr_tls_conn *tls = &c->stream.tls;
    char text[128];
    struct fr_tls_refusal why = {
        .reason = reason ? reason : failure_text(&c->stream, text, sizeof text),
        .sni = tls->sni,
        .subject = tls->subject ? tls->subject
                   : tls->peer  ? tls->peer->subject
                                : NULL,
        .alert = tls->alert_in >= 0 ? fr_tls_alert_word(tls->alert_in) : NULL,
    };

    s->counters.handshakes_refused++;
    if (ERR_GET_REASON(c->stream.tls_error) == SSL_R_EXCESSIVE_MESSAGE_SIZE)
        s->counters.limit_chain++;
    if (s->handler.on_refused) s->handler.on_refused(s->handler.data, &c->peer.addr, &why);
}
