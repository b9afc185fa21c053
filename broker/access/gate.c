#include "access/gate.h"

#include "base/mem.h"

struct fr_gate {
    struct fr_store *store;
    struct fr_snap *snap; /* reset between requests */
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_gate_counters counters;
};

enum fr_err fr_gate_new(const struct fr_gate_options *options, struct fr_gate **out)
{
    struct fr_gate *gate = fr_calloc(1, sizeof *gate);

    if (gate == NULL) return FR_E_NOMEM;
    gate->store = options->store;
    gate->log = options->log;
    gate->clock = options->clock != NULL ? options->clock : fr_clock_system();
    enum fr_err err = fr_snap_begin(gate->store, &gate->snap);
    if (err != FR_OK) {
        fr_gate_free(gate);
        return err;
    }
    fr_snap_reset(gate->snap);
    *out = gate;
    return FR_OK;
}

void fr_gate_free(struct fr_gate *gate)
{
    if (gate == NULL) return;
    fr_snap_end(gate->snap);
    fr_free(gate);
}

static struct fr_access_seat *seat_of(struct fr_http_conn *conn)
{
    struct fr_access_seat *seat = fr_http_conn_user(conn);

    if (seat != NULL) return seat;
    seat = fr_calloc(1, sizeof *seat);
    if (seat != NULL) fr_http_conn_set_user(conn, seat);
    return seat;
}

void fr_gate_on_close(struct fr_http_conn *conn)
{
    fr_free(fr_http_conn_user(conn));
    fr_http_conn_set_user(conn, NULL);
}

static void log_refusal(const struct fr_gate *gate, const struct fr_http_peer *peer,
                        unsigned status, const char *why, struct fr_span authority)
{
    char addr[FR_ADDR_TEXT];
    const struct fr_tls_peer *cert = peer->cert;
    struct fr_span serial = {NULL, 0};

    fr_addr_print(&peer->addr, addr);
    if (cert != NULL && cert->has_serial) serial = fr_span(cert->serial, sizeof cert->serial);
    FR_LOG(gate->log, FR_LOG_WARN, "query.refused", FR_STR("federation", fr_gate_federation(gate)),
           FR_STR("peer", addr), FR_UINT("status", status), FR_STR("why", why),
           FR_STR("subject", cert != NULL ? cert->subject : NULL), FR_HEX("serial", serial),
           FR_STR("sni", peer->has_sni ? peer->sni : NULL), FR_SPAN("authority", authority));
}

static void refuse(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_access verdict)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "text/plain; charset=utf-8"),
        FR_HTTP_FIELD("cache-control", "no-store"),
    };
    unsigned status = fr_access_status(verdict);
    struct fr_http_conn *conn = x->conn;

    gate->counters.refused[verdict]++;
    log_refusal(gate, fr_http_conn_peer(conn), status, fr_access_word(verdict), x->authority);
    if (status == 0) {
        fr_http_drop(x);
        fr_http_conn_close(conn);
        return;
    }
    fr_http_reply_close(x, status, fields, 2, fr_span_str(fr_access_sentence(verdict)));
}

static void misdirect(struct fr_gate *gate, struct fr_http_exchange *x)
{
    gate->counters.misdirected++;
    log_refusal(gate, fr_http_conn_peer(x->conn), 421, "authority", x->authority);
    fr_http_reply_text(x, 421, "This name is not served on this connection.");
}

bool fr_gate_admit(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_service service,
                   uint32_t rights, struct fr_gate_pass *pass)
{
    enum fr_access verdict = FR_ACCESS_FAULT;
    const char *federation = fr_gate_federation(gate);

    if (x->conn == NULL) { /* the peer is gone */
        fr_http_drop(x);
        return false;
    }
    const struct fr_http_peer *peer = fr_http_conn_peer(x->conn);
    struct fr_access_seat *seat = seat_of(x->conn);
    int64_t now_s = fr_clock_real_s(gate->clock);

    if (seat != NULL && fr_snap_renew(gate->snap) == FR_OK) {
        verdict = fr_access_check(seat, peer->cert, gate->snap, now_s, rights);
        if (verdict == FR_ACCESS_OK && fr_service_of(federation, peer->sni) == service &&
            fr_service_answers(service, federation, x->authority)) {
            gate->counters.admitted++;
            *pass = (struct fr_gate_pass){gate->snap, &seat->row, now_s};
            return true;
        }
        fr_snap_reset(gate->snap);
    }
    if (verdict == FR_ACCESS_OK)
        misdirect(gate, x);
    else
        refuse(gate, x, verdict);
    return false;
}

void fr_gate_leave(struct fr_gate *gate)
{
    fr_snap_reset(gate->snap);
}

const char *fr_gate_federation(const struct fr_gate *gate)
{
    return fr_store_federation(gate->store);
}

const struct fr_log *fr_gate_log(const struct fr_gate *gate)
{
    return gate->log;
}

const struct fr_gate_counters *fr_gate_counters(const struct fr_gate *gate)
{
    return &gate->counters;
}
