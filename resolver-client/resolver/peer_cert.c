#include "resolver/peer.h"

#include "names/cert_name.h"
#include "resolver/text.h"
#include "resolver/turns.h"
#include "transport/tls.h"

/* The public checks: a certificate is read, and its key checked by peer.c. */

const char *fedroam_peer_text(enum fedroam_peer verdict)
{
    switch (verdict) {
    case FEDROAM_PEER_OK: return "ok";
    case FEDROAM_PEER_STALE: return "stale";
    case FEDROAM_PEER_UNKNOWN: return "unknown";
    case FEDROAM_PEER_REVOKED: return "revoked";
    case FEDROAM_PEER_WRONG_NETID: return "wrong NetID";
    case FEDROAM_PEER_UNDECIDED: return "undecided";
    }
    return "unknown verdict";
}

static bool names_network(const struct fr_tls_peer *cert, const char *federation, uint32_t netid)
{
    for (size_t i = 0; i < cert->n_names; i++) {
        struct fr_cert_name name;
        if (fr_cert_name_parse(fr_span_str(cert->names[i]), federation, &name) == FR_OK &&
            name.kind == FR_CERT_NETID && name.netid == netid)
            return true;
    }
    return false;
}

static enum fr_err start(struct fedroam *f, const char *federation, struct fr_span der,
                         uint32_t netid, uint32_t timeout_ms, struct fr_peer_call call,
                         struct fedroam_peer_check **out)
{
    struct fr_tls_peer *cert = NULL;
    enum fr_err err = fr_tls_peer_of(der, &cert);
    if (err) return err;
    int64_t now_s = fr_loop_real_s(f->loop);
    if (!names_network(cert, federation, netid))
        err = fr_peer_decided(f, federation, FEDROAM_PEER_WRONG_NETID,
                              "the certificate is not one of the SenderID's network in this "
                              "federation",
                              call, out);
    else if (now_s < cert->not_before_s || now_s > cert->not_after_s)
        err = fr_peer_decided(f, federation, FEDROAM_PEER_REVOKED,
                              "the certificate is not valid at this time", call, out);
    else
        err = fr_peer_start(f, federation, netid, cert->spki_sha256, timeout_ms, call, out);
    fr_tls_peer_unref(cert);
    return err;
}

static bool is_callable(const char *federation, const uint8_t *certificate, size_t n,
                        uint32_t netid)
{
    return federation && certificate && n > 0 && netid <= 0xffffff;
}

enum fedroam_err fedroam_check_peer(struct fedroam *f, const char *federation,
                                    const uint8_t *certificate, size_t n, uint32_t sender_id,
                                    uint32_t timeout_ms, fedroam_peer_cb done, void *data,
                                    struct fedroam_peer_check **out)
{
    if (!done || !is_callable(federation, certificate, n, sender_id)) return FEDROAM_E_ARGUMENT;
    struct fr_peer_call call = {.plain = done, .data = data};
    fr_enter(f);
    enum fr_err err =
        start(f, federation, fr_span(certificate, n), sender_id, timeout_ms, call, out);
    fr_leave(f);
    return fr_public_err(err);
}

void fedroam_check_peer_cancel(struct fedroam_peer_check *check)
{
    struct fedroam *f = fr_peer_handle(check);
    fr_enter(f);
    fr_peer_cancel(check);
    fr_leave(f);
}

struct waiting {
    bool is_done;
    enum fedroam_peer verdict;
};

static void to_waiting(void *data, enum fedroam_peer verdict, const char *why)
{
    (void)why;
    *(struct waiting *)data = (struct waiting){.is_done = true, .verdict = verdict};
}

enum fedroam_err fedroam_wait_peer(struct fedroam *f, const char *federation,
                                   const uint8_t *certificate, size_t n, uint32_t sender_id,
                                   uint32_t timeout_ms, enum fedroam_peer *out)
{
    struct waiting w = {0};
    if (!is_callable(federation, certificate, n, sender_id)) return FEDROAM_E_ARGUMENT;
    if (!f->own_loop) return FEDROAM_E_STATE;
    fr_enter(f);
    enum fr_err err = FR_E_CONFLICT;
    if (!fr_turns_is_calling_back(f))
        err = start(f, federation, fr_span(certificate, n), sender_id, timeout_ms,
                    (struct fr_peer_call){.plain = to_waiting, .data = &w}, NULL);
    while (!err && !w.is_done) fr_turns_wait(f, &w.is_done);
    fr_leave(f);
    if (!err) *out = w.verdict;
    return fr_public_err(err);
}
