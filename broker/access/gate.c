#include "access/gate.h"

#include "base/mem.h"
#include "store/grace.h"
#include "store/unknown.h"

#include <stdio.h>
#include <string.h>

#define AUTHORITY_KEPT 128
#define FAULT_RETRY_S 5 /* FR_RETRY_AFTER_S, as a number */

/* What a connection remembers: the certificate's standing, and where its last request went. */
struct seat {
    struct fr_access_seat access;
    enum fr_service service; /* that the authority was found to belong to */
    size_t authority_n;
    uint8_t authority[AUTHORITY_KEPT];
    struct fr_till *till; /* once a connection counts as its member's */
};

struct fr_gate {
    struct fr_store *store;
    struct fr_snap *snap; /* reset between requests */
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_desk *desk; /* NULL: nobody is charged */
    fr_gate_unknown_fn on_unknown;
    void *on_unknown_data;
    struct fr_usage *usage;
    struct fr_gate_counters counters;
};

enum fr_err fr_gate_new(const struct fr_gate_options *options, struct fr_gate **out)
{
    struct fr_gate *gate = fr_calloc(1, sizeof *gate);

    if (gate == NULL) return FR_E_NOMEM;
    gate->store = options->store;
    gate->log = options->log;
    gate->on_unknown = options->on_unknown;
    gate->on_unknown_data = options->on_unknown_data;
    gate->clock = options->clock != NULL ? options->clock : fr_clock_system();
    enum fr_err err = fr_snap_begin(gate->store, &gate->snap);
    if (err == FR_OK) fr_snap_reset(gate->snap);
    gate->usage = options->usage;
    if (err == FR_OK && options->usage != NULL) err = fr_desk_new(options->usage, &gate->desk);
    if (err != FR_OK) {
        fr_gate_free(gate);
        return err;
    }
    *out = gate;
    return FR_OK;
}

void fr_gate_free(struct fr_gate *gate)
{
    if (gate == NULL) return;
    fr_desk_free(gate->desk);
    fr_snap_end(gate->snap);
    fr_free(gate);
}

static struct seat *seat_of(struct fr_http_conn *conn)
{
    struct seat *seat = fr_http_conn_user(conn);

    if (seat != NULL) return seat;
    seat = fr_calloc(1, sizeof *seat);
    if (seat != NULL) fr_http_conn_set_user(conn, seat);
    return seat;
}

void fr_gate_on_close(struct fr_http_conn *conn)
{
    struct seat *seat = fr_http_conn_user(conn);

    if (seat != NULL && seat->till != NULL) fr_till_leave(seat->till);
    fr_free(seat);
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

static void refuse_in_text(struct fr_http_exchange *x, const struct fr_gate_refusal *why)
{
    char seconds[16];

    (void)snprintf(seconds, sizeof seconds, "%u", why->retry_after_s);
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "text/plain; charset=utf-8"),
        FR_HTTP_FIELD("cache-control", "no-store"),
        FR_HTTP_FIELD("retry-after", seconds),
    };
    const size_t n = why->retry_after_s > 0 ? 3 : 2;
    if (why->is_last)
        fr_http_reply_close(x, why->status, fields, n, fr_span_str(why->sentence));
    else
        fr_http_reply(x, why->status, fields, n, fr_span_str(why->sentence));
}

/* Of a certificate that was found to be the member's. */
static void note_refusal(const struct fr_gate *gate, struct fr_http_conn *conn,
                         enum fr_access verdict)
{
    const struct seat *seat = fr_http_conn_user(conn);
    const bool is_members = verdict == FR_ACCESS_REVOKED || verdict == FR_ACCESS_NOT_YET ||
                            verdict == FR_ACCESS_EXPIRED || verdict == FR_ACCESS_MEMBER_SUSPENDED ||
                            verdict == FR_ACCESS_MEMBER_REMOVED ||
                            verdict == FR_ACCESS_NETWORK_SUSPENDED ||
                            verdict == FR_ACCESS_AUTHORITY || verdict == FR_ACCESS_NO_RIGHT;

    if (is_members && gate->usage != NULL && seat != NULL && seat->access.row.member[0])
        fr_usage_note_turned_away(gate->usage, seat->access.row.member);
}

static void refuse(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_access verdict,
                   fr_gate_refuse_fn say)
{
    struct fr_http_conn *conn = x->conn;
    struct fr_gate_refusal why = {
        .status = fr_access_status(verdict),
        .sentence = fr_access_sentence(verdict),
    };

    gate->counters.refused[verdict]++;
    note_refusal(gate, conn, verdict);
    log_refusal(gate, fr_http_conn_peer(conn), why.status, fr_access_word(verdict), x->authority);
    if (why.status == 0) {
        fr_http_drop(x);
        fr_http_conn_close(conn);
        return;
    }
    /* A fault is ours, and a lack of rights is about this request alone: the connection stays. */
    why.is_last = why.status != 503 && verdict != FR_ACCESS_NO_RIGHT;
    why.retry_after_s = why.status == 503 ? FAULT_RETRY_S : 0;
    say(x, &why);
}

static void misdirect(struct fr_gate *gate, struct fr_http_exchange *x, fr_gate_refuse_fn say)
{
    const struct fr_gate_refusal why = {
        .status = 421, .sentence = "This name is not served on this connection.\n"};

    gate->counters.misdirected++;
    log_refusal(gate, fr_http_conn_peer(x->conn), 421, "authority", x->authority);
    say(x, &why);
}

/* Over a budget. What it was is in the log, once a minute for a member, and in the metrics. */
static void refuse_excess(struct fr_http_exchange *x, const struct fr_refusal *refusal,
                          fr_gate_refuse_fn say)
{
    char text[64];

    (void)snprintf(text, sizeof text, "Over the budget of this member: %s.\n",
                   fr_budget_text(refusal->budget));
    const struct fr_gate_refusal why = {
        .status = 429,
        .sentence = text,
        .retry_after_s = refusal->retry_after_s,
        .is_last = refusal->budget == FR_BUDGET_CONNECTIONS,
    };
    say(x, &why);
}

/* The connection's first request counts it as its member's; every one is a query. A desk that
 * cannot be had (memory, the store) charges nothing: refusing then would help nobody. */
static bool is_within_budget(struct fr_gate *gate, struct seat *seat, struct fr_http_exchange *x,
                             fr_gate_refuse_fn say)
{
    struct fr_refusal why;
    struct fr_till *till = seat->till;

    if (gate->desk == NULL || fr_desk_refresh(gate->desk, gate->snap) != FR_OK) return true;
    if (till == NULL) {
        if (fr_desk_till(gate->desk, seat->access.row.member, &till) != FR_OK) return true;
        if (!fr_till_enter(till, &why)) {
            refuse_excess(x, &why, say);
            return false;
        }
        seat->till = till;
    }
    if (fr_till_query(till, &why)) return true;
    refuse_excess(x, &why, say);
    return false;
}

/* Does the request ask the service that this endpoint belongs to? All of a connection's requests
 * carry the same authority, as a rule: what was decided for the last one is remembered. */
static bool is_meant(const struct fr_gate *gate, struct seat *seat, const struct fr_http_peer *peer,
                     enum fr_service service, struct fr_span authority)
{
    const char *federation = fr_gate_federation(gate);

    if (seat->service == service && service != FR_SERVICE_NONE &&
        fr_span_equal(authority, fr_span(seat->authority, seat->authority_n)))
        return true;
    if (fr_service_of(federation, peer->sni) != service ||
        !fr_service_answers(service, federation, authority))
        return false;
    if (authority.n <= sizeof seat->authority) {
        seat->service = service;
        seat->authority_n = authority.n;
        if (authority.n > 0) memcpy(seat->authority, authority.p, authority.n);
    }
    return true;
}

/* What becomes of a certificate that is over and wants to be renewed. */
static enum fr_access judge_over(struct fr_gate *gate, const struct seat *seat, int64_t now_s)
{
    bool is_open = false;
    enum fr_err err = fr_grace_is_open(gate->snap, seat->access.row.member, now_s, &is_open);

    if (err != FR_OK) return FR_ACCESS_FAULT;
    return is_open ? FR_ACCESS_OK : FR_ACCESS_EXPIRED;
}

/* While the snapshot is there: who asks again and again is told of once. */
static void tell_unknown(struct fr_gate *gate, const struct fr_http_conn *conn,
                         const struct fr_tls_peer *cert)
{
    struct fr_unknown_row row;
    uint8_t der[FR_UNKNOWN_DER_MAX];

    if (gate->on_unknown == NULL || !cert->has_serial) return;
    enum fr_err err = fr_unknown_get(gate->snap, cert->serial, &row);
    if (err == FR_OK && row.der_size > 0) return;
    const size_t n = fr_http_conn_certificate(conn, der, sizeof der);
    if (err == FR_E_NOT_FOUND || (err == FR_OK && n > 0))
        gate->on_unknown(gate->on_unknown_data, cert, fr_span(der, n));
}

static bool admit(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_service service,
                  uint32_t rights, bool is_renewal, fr_gate_refuse_fn say,
                  struct fr_gate_pass *pass)
{
    enum fr_access verdict = FR_ACCESS_FAULT;

    if (x->conn == NULL) { /* the peer is gone */
        fr_http_drop(x);
        return false;
    }
    const struct fr_http_peer *peer = fr_http_conn_peer(x->conn);
    struct seat *seat = seat_of(x->conn);
    int64_t now_s = fr_clock_real_s(gate->clock);

    if (seat != NULL && fr_snap_renew(gate->snap) == FR_OK) {
        verdict = fr_access_check(&seat->access, peer->cert, gate->snap, now_s, rights);
        if (verdict == FR_ACCESS_EXPIRED && is_renewal) verdict = judge_over(gate, seat, now_s);
        if (verdict == FR_ACCESS_OK && is_meant(gate, seat, peer, service, x->authority)) {
            if (is_within_budget(gate, seat, x, say)) {
                gate->counters.admitted++;
                *pass =
                    (struct fr_gate_pass){gate->snap, &seat->access.row, now_s, seat->till, say};
                return true;
            }
            fr_snap_reset(gate->snap);
            return false;
        }
        if (verdict == FR_ACCESS_UNKNOWN || verdict == FR_ACCESS_AFTER_BACKUP)
            tell_unknown(gate, x->conn, peer->cert);
        fr_snap_reset(gate->snap);
    }
    if (verdict == FR_ACCESS_OK)
        misdirect(gate, x, say);
    else
        refuse(gate, x, verdict, say);
    return false;
}

bool fr_gate_admit_as(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_service service,
                      uint32_t rights, fr_gate_refuse_fn say, struct fr_gate_pass *pass)
{
    return admit(gate, x, service, rights, false, say, pass);
}

bool fr_gate_admit_renewal(struct fr_gate *gate, struct fr_http_exchange *x,
                           enum fr_service service, struct fr_gate_pass *pass)
{
    return admit(gate, x, service, 0, true, refuse_in_text, pass);
}

bool fr_gate_admit(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_service service,
                   uint32_t rights, struct fr_gate_pass *pass)
{
    return fr_gate_admit_as(gate, x, service, rights, refuse_in_text, pass);
}

void fr_gate_leave(struct fr_gate *gate)
{
    fr_snap_reset(gate->snap);
}

bool fr_gate_charge_device(const struct fr_gate_pass *pass, struct fr_http_exchange *x,
                           const struct fr_gate_device *device)
{
    struct fr_told told = {.deveui = device->deveui, .type = device->type, .netid = device->netid};
    struct fr_refusal why;

    if (pass->till == NULL) return true;
    bool is_paid = fr_till_device(pass->till, device->deveui, device->is_unknown, &why);
    if (!is_paid)
        told.answer = FR_NOTE_REFUSED;
    else
        told.answer = device->has_home ? FR_NOTE_FOUND : FR_NOTE_NONE;
    fr_till_tell(pass->till, &told);
    if (!is_paid) refuse_excess(x, &why, pass->refuse);
    return is_paid;
}

bool fr_gate_charge_miss(struct fr_till *till, struct fr_http_exchange *x, uint64_t deveui,
                         fr_gate_refuse_fn say)
{
    struct fr_refusal why;

    if (till == NULL || fr_till_device(till, deveui, true, &why)) return true;
    refuse_excess(x, &why, say);
    return false;
}

struct fr_desk_counters fr_gate_desk_counters(const struct fr_gate *gate)
{
    return gate->desk != NULL ? *fr_desk_counters(gate->desk) : (struct fr_desk_counters){0};
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
