#include "est/est.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/rate.h"
#include "base/siphash.h"
#include "est/est_reply.h"
#include "store/authority.h"
#include "x509/claims.h"
#include "x509/csr.h"
#include "x509/secret.h"

#include <stdio.h>
#include <string.h>

#define SOURCES 256 /* buckets of networks; two that share one share its budget */
#define BODY_MAX (FR_CSR_MAX / 3 * 4 + 4096) /* base64, its line ends, an armour */

struct fr_est {
    struct fr_est_options options;
    struct fr_siphash_key key; /* of the buckets */
    struct fr_rate sources[SOURCES];
    unsigned under_way;
    struct fr_est_counters counters;
};

/* One request at the writer. */
struct errand {
    struct fr_est *est;
    struct fr_http_exchange *x;
    struct fr_rate *source; /* what it has taken of; given back when it was no failure */
    enum fr_est_op op;
};

/* A request as it was understood. */
struct wish {
    struct fr_est_path path;
    struct fr_rate *source;
    bool has_token;
    uint8_t token[FR_TOKEN_ID_SIZE];
    uint8_t holder[FR_SERIAL_SIZE]; /* without a token: the peer's certificate */
    struct fr_buf body; /* of the task: the secret's digest where there is one, the CSR */
    size_t csr_at;
};

/* Why a request is refused before it gets to the writer. */
struct fault {
    unsigned status; /* 0: it is not */
    const char *text;
};

static const struct fault fine = {0, NULL};

/* --- handle --- */

enum fr_err fr_est_new(const struct fr_est_options *options, struct fr_est **out)
{
    struct fr_est *est = fr_calloc(1, sizeof *est);
    if (!est) return FR_E_NOMEM;
    est->options = *options;
    enum fr_err err = fr_secret_make(est->key.b, sizeof est->key.b);
    if (err) {
        fr_free(est);
        return err;
    }
    *out = est;
    return FR_OK;
}

void fr_est_free(struct fr_est *est)
{
    fr_free(est);
}

bool fr_est_is_meant(struct fr_span path)
{
    return fr_span_is(path, FR_EST_ROOT) || fr_span_starts(path, FR_EST_ROOT "/");
}

unsigned fr_est_under_way(const struct fr_est *est)
{
    return est->under_way;
}

const struct fr_est_counters *fr_est_counters(const struct fr_est *est)
{
    return &est->counters;
}

static const unsigned refusals[FR_EST_REFUSALS] = {400, 401, 403, 404, 405,
                                                   409, 415, 421, 429, 503};

unsigned fr_est_refusal_status(size_t i)
{
    return refusals[i];
}

/* --- answering --- */

static void refuse(struct fr_est *est, struct fr_http_exchange *x, unsigned status,
                   const char *text)
{
    char addr[FR_ADDR_TEXT] = "";
    for (size_t i = 0; i < FR_EST_REFUSALS; i++)
        if (refusals[i] == status) est->counters.refused[i]++;
    if (x->conn) fr_addr_print(&fr_http_conn_peer(x->conn)->addr, addr);
    FR_LOG(fr_gate_log(est->options.gate), FR_LOG_WARN, "est.refused",
           FR_STR("federation", fr_gate_federation(est->options.gate)), FR_STR("peer", addr),
           FR_UINT("status", status), FR_STR("why", text));
    fr_est_reply_status(x, status, text);
}

/* --- cacerts --- */

#define CERTS_MAX 16

struct certs {
    size_t n;
    struct fr_span ders[CERTS_MAX];
    struct fr_buf bytes;
    size_t at[CERTS_MAX];
};

static enum fr_err add_authority(void *data, const struct fr_authority_row *row)
{
    struct certs *certs = data;
    if (!fr_authority_is_trusted(row) || certs->n == CERTS_MAX) return FR_OK;
    certs->at[certs->n++] = certs->bytes.n;
    fr_buf_add(&certs->bytes, row->der, row->der_size);
    return fr_buf_err(&certs->bytes);
}

/* The issuing CAs, and the root after them, which is how their names sort. */
static void answer_cacerts(struct fr_est *est, struct fr_http_exchange *x)
{
    struct certs certs = {.bytes = FR_BUF_INIT(CERTS_MAX * FR_AUTHORITY_DER_MAX)};
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(est->options.store, &snap);
    if (!err) err = fr_authority_each(snap, add_authority, &certs);
    fr_snap_end(snap);
    for (size_t i = 0; i < certs.n; i++) {
        size_t end = i + 1 < certs.n ? certs.at[i + 1] : certs.bytes.n;
        certs.ders[i] = fr_span(certs.bytes.p + certs.at[i], end - certs.at[i]);
    }
    if (err)
        refuse(est, x, 503, "The authorities cannot be read now.");
    else
        fr_est_reply_bag(x, certs.ders, certs.n);
    fr_buf_deinit(&certs.bytes);
}

/* --- enrolment: what the writer made of it --- */

static void log_issued(const struct fr_est *est, enum fr_est_op op,
                       const struct fr_admin_reply *reply)
{
    FR_LOG(fr_gate_log(est->options.gate), FR_LOG_INFO, "est.issued",
           FR_STR("federation", fr_gate_federation(est->options.gate)),
           FR_STR("op", fr_est_op_text(op)), FR_STR("member", fr_admin_reply_text(reply, "member")),
           FR_STR("profile", fr_admin_reply_text(reply, "profile")),
           FR_STR("serial", fr_admin_reply_text(reply, "serial")),
           FR_BOOL("again", !fr_admin_reply_bool(reply, "changed")));
}

static void answer_issued(struct errand *errand, const struct fr_admin_reply *reply)
{
    struct fr_est *est = errand->est;
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    const char *text = fr_admin_reply_text(reply, "certificate");
    if (!text || fr_base64_parse(fr_span_str(text), &der)) {
        refuse(est, errand->x, 503, "Out of memory; try again.");
    } else {
        struct fr_span one = fr_buf_span(&der);
        if (!fr_admin_reply_bool(reply, "changed"))
            est->counters.repeated++;
        else if (errand->op == FR_EST_REENROLL)
            est->counters.renewed++;
        else
            est->counters.issued++;
        log_issued(est, errand->op, reply);
        fr_est_reply_bag(errand->x, &one, 1);
    }
    fr_buf_deinit(&der);
}

/* Who did not prove to have a token is told nothing about it. */
static void answer_refused(struct errand *errand, enum fr_err err, const struct fr_diag *diag)
{
    struct fr_est *est = errand->est;
    if (err == FR_E_PENDING) {
        est->counters.pending++;
        fr_est_reply_status(errand->x, 202, NULL);
        return;
    }
    refuse(est, errand->x, fr_est_status_of(err), diag->what[0] ? diag->what : fr_err_text(err));
}

static void task_over(void *data, struct fr_task *task)
{
    struct errand *errand = data;
    struct fr_est *est = errand->est;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = fr_task_take_reply(task, &diag, &reply);
    const unsigned status = fr_est_status_of(err);
    if (status == 200 || status == 202 || status == 503) fr_rate_give(errand->source, 1);
    if (err)
        answer_refused(errand, err, &diag);
    else
        answer_issued(errand, reply);
    fr_admin_reply_free(reply);
    fr_task_free(task);
    fr_free(errand);
    if (--est->under_way == 0 && est->options.on_idle) est->options.on_idle(est->options.data);
}

/* --- enrolment: to the writer --- */

static enum fr_err make_task(const struct wish *wish, struct fr_diag *diag, struct fr_task **out)
{
    char id[2 * FR_SERIAL_SIZE + 1], args[128];
    struct fr_admin_actor actor = {.kind = wish->has_token ? FR_ACTOR_TOKEN : FR_ACTOR_CERT};
    const bool is_renewal = wish->path.op == FR_EST_REENROLL;
    const char *profile = wish->path.has_profile ? fr_profile_text(wish->path.profile) : NULL;
    fr_hex_print(wish->has_token ? wish->token : wish->holder, FR_SERIAL_SIZE, id);
    if (!wish->has_token) memcpy(actor.serial, wish->holder, sizeof actor.serial);
    (void)snprintf(actor.name, sizeof actor.name, "%s:%s", wish->has_token ? "token" : "cert", id);
    (void)snprintf(args, sizeof args, "{\"%s\":\"%s\"%s%s%s}", wish->has_token ? "token" : "serial",
                   id, profile ? ",\"profile\":\"" : "", profile ? profile : "",
                   profile ? "\"" : "");
    const struct fr_admin_request request = {
        .op = wish->has_token ? "enrol.token"
              : is_renewal    ? "enrol.renew"
                              : "enrol.extend",
        .args = args,
        .body = fr_buf_span(&wish->body),
    };
    return fr_task_new(&request, &actor, diag, out);
}

static enum fr_err submit(struct fr_est *est, struct fr_http_exchange *x, const struct wish *wish)
{
    struct fr_task *task = NULL;
    struct fr_diag diag = {0};
    struct errand *errand = fr_malloc(sizeof *errand);
    enum fr_err err = errand ? make_task(wish, &diag, &task) : FR_E_NOMEM;
    if (!err) {
        *errand = (struct errand){est, x, wish->source, wish->path.op};
        err = fr_writer_submit(est->options.writer, task, est->options.loop, task_over, errand);
    }
    if (err) {
        fr_task_free(task);
        fr_free(errand);
        return err;
    }
    est->under_way++;
    return FR_OK;
}

/* --- enrolment: reading a request --- */

/* Where a client comes from, as coarse as addresses are given out. */
static struct fr_rate *source_of(struct fr_est *est, const struct fr_addr *addr)
{
    const size_t n = addr->ip.family == 4 ? 3 : 7;
    return &est->sources[fr_siphash(&est->key, fr_span(addr->ip.b, n)) % SOURCES];
}

static struct fault read_body(const struct fr_http_exchange *x, struct wish *wish,
                              struct fr_diag *diag)
{
    struct fr_key *key = NULL;
    struct fr_buf der = FR_BUF_INIT(FR_CSR_MAX);
    enum fr_err err = fr_est_body_read(x->body, &der);
    if (err == FR_E_NOMEM) return (struct fault){503, "Out of memory; try again."};
    if (err) {
        fr_buf_deinit(&der);
        return (struct fault){400, "The body is not the base64 of a PKCS#10 request."};
    }
    err = fr_csr_parse(fr_buf_span(&der), diag, &key);
    fr_key_free(key);
    wish->csr_at = wish->body.n;
    fr_buf_add_span(&wish->body, fr_buf_span(&der));
    fr_buf_deinit(&der);
    if (err == FR_E_NOMEM || fr_buf_err(&wish->body))
        return (struct fault){503, "Out of memory; try again."};
    return err ? (struct fault){400, diag->what} : fine;
}

static struct fr_span csr_of(const struct wish *wish)
{
    return fr_span(wish->body.p + wish->csr_at, wish->body.n - wish->csr_at);
}

/* A request may carry the connection's binding, and then it has to be this connection's. */
static struct fault check_binding(const struct fr_http_exchange *x, const struct wish *wish)
{
    char challenge[FR_CHALLENGE_MAX + 1] = "";
    uint8_t binding[FR_HTTP_BINDING_MAX];
    struct fr_buf want = FR_BUF_INIT(2 * FR_HTTP_BINDING_MAX);
    struct fault fault = {400, "The challengePassword is not the binding of this connection."};
    bool has = false;
    enum fr_err err = fr_csr_read_challenge(csr_of(wish), challenge, &has);
    if (!err && !has) return fine;
    size_t n = err ? 0 : fr_http_conn_binding(x->conn, binding);
    if (n && fr_base64_print(fr_span(binding, n), &want) == FR_OK && want.n == strlen(challenge) &&
        fr_secret_equal(want.p, challenge, want.n))
        fault = fine;
    fr_buf_deinit(&want);
    return fault;
}

/* Only what the registry says gets into a certificate; but a client that asks for other names than
 * it has would be astonished by what it gets (RFC 7030 §4.2.2). */
static struct fault check_names(struct fr_snap *snap, const struct wish *wish)
{
    uint8_t der[FR_CERT_MAX];
    size_t size = sizeof der;
    struct fr_cert *cert = NULL;
    bool is_within = false;
    enum fr_err err = fr_cert_row_get_der(snap, wish->holder, der, &size);
    if (!err) err = fr_cert_parse(fr_span(der, size), &cert);
    if (!err) err = fr_csr_is_within(csr_of(wish), cert, &is_within);
    fr_cert_free(cert);
    if (err && err != FR_E_MALFORMED) return (struct fault){503, "Try again."};
    return is_within ? fine : (struct fault){400, "The names are not those of the certificate."};
}

static struct fault check_form(const struct fr_est *est, const struct fr_http_exchange *x)
{
    if (!fr_span_is(x->method, "POST")) return (struct fault){405, "Use POST."};
    if (!fr_http_is_type(fr_http_exchange_field(x, "content-type"), "application/pkcs10"))
        return (struct fault){415, "The body must be application/pkcs10."};
    if (x->body.n > BODY_MAX) return (struct fault){400, "The request is too long."};
    if (est->under_way >= est->options.limits.under_way) return (struct fault){503, "Busy."};
    return fine;
}

/* With a token. */
static struct fault read_token(struct fr_span authorization, struct wish *wish)
{
    uint8_t secret[FR_DIGEST_SIZE];
    if (fr_est_basic_parse(authorization, wish->token, secret))
        return (struct fault){401, "no token in the Authorization field"};
    wish->has_token = true;
    fr_buf_add(&wish->body, secret, sizeof secret);
    return fine;
}

/* With the peer's certificate, which has passed the gate. */
static struct fault read_holder(const struct fr_gate_pass *pass, const struct fr_http_exchange *x,
                                struct wish *wish, struct fr_diag *diag)
{
    memcpy(wish->holder, pass->who->serial, sizeof wish->holder);
    struct fault fault = read_body(x, wish, diag);
    if (!fault.status && wish->path.op == FR_EST_REENROLL) fault = check_names(pass->snap, wish);
    return fault;
}

/* Reads all of a request; false: x is gone (the gate answered it). */
static bool read_wish(struct fr_est *est, struct fr_http_exchange *x, struct wish *wish,
                      struct fr_diag *diag, struct fault *fault)
{
    const struct fr_http_peer *peer = fr_http_conn_peer(x->conn);
    struct fr_span authorization = fr_http_exchange_field(x, "authorization");
    const bool is_renewal = wish->path.op == FR_EST_REENROLL;
    *fault = check_form(est, x);
    if (fault->status) return true;
    if (!is_renewal && authorization.n) {
        *fault = read_token(authorization, wish);
        if (!fault->status) *fault = read_body(x, wish, diag);
    } else if (!peer->cert) {
        *fault = is_renewal ? (struct fault){403, "A renewal needs the certificate to be renewed."}
                            : (struct fault){401, "no token and no certificate"};
    } else {
        struct fr_gate_pass pass;
        if (is_renewal ? !fr_gate_admit_renewal(est->options.gate, x, FR_SERVICE_CA, &pass)
                       : !fr_gate_admit(est->options.gate, x, FR_SERVICE_CA, FR_RIGHT_ENROL, &pass))
            return false;
        *fault = read_holder(&pass, x, wish, diag);
        fr_gate_leave(est->options.gate);
    }
    if (!fault->status) *fault = check_binding(x, wish);
    return true;
}

static void enrol(struct fr_est *est, struct fr_http_exchange *x, const struct fr_est_path *path)
{
    struct wish wish = {.path = *path,
                        .source = source_of(est, &fr_http_conn_peer(x->conn)->addr),
                        .body = FR_BUF_INIT(FR_CSR_MAX + FR_DIGEST_SIZE)};
    struct fr_diag diag = {0};
    struct fault fault;
    if (!fr_rate_take(wish.source, fr_loop_now_ms(est->options.loop), est->options.limits.failures,
                      1)) {
        refuse(est, x, 429, "too many failures from this network");
        return;
    }
    if (read_wish(est, x, &wish, &diag, &fault)) {
        if (!fault.status && submit(est, x, &wish)) fault = (struct fault){503, "Busy."};
        if (fault.status == 503) fr_rate_give(wish.source, 1);
        if (fault.status) refuse(est, x, fault.status, fault.text);
    }
    fr_buf_deinit_secret(&wish.body);
}

/* --- requests --- */

static void serve(struct fr_est *est, struct fr_http_exchange *x, const struct fr_est_path *path)
{
    const bool is_read = fr_span_is(x->method, "GET") || fr_span_is(x->method, "HEAD");
    est->counters.requests[path->op]++;
    if (path->op == FR_EST_ENROLL || path->op == FR_EST_REENROLL)
        enrol(est, x, path);
    else if (!is_read)
        refuse(est, x, 405, "Use GET.");
    else if (path->op == FR_EST_CACERTS)
        answer_cacerts(est, x);
    else /* csrattrs: nothing is wanted */
        fr_http_reply(x, 204, NULL, 0, (struct fr_span){0});
}

void fr_est_request(struct fr_est *est, struct fr_http_exchange *x)
{
    struct fr_est_path path;
    if (!fr_service_answers(FR_SERVICE_CA, fr_gate_federation(est->options.gate), x->authority))
        refuse(est, x, 421, "This name is not served on this connection.");
    else if (fr_est_path_parse(x->path, &path))
        refuse(est, x, 404, "cacerts, csrattrs, simpleenroll and simplereenroll are here.");
    else
        serve(est, x, &path);
}
