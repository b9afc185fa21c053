#include "backend/server.h"

#include "base/mem.h"
#include "names/cert_name.h"

#include <string.h>

struct fr_bi_server {
    struct fr_loop *loop;
    struct fr_bi_server_options options;
    const struct fr_log *log;
    struct fr_bi_server_counters counters;
};

enum fr_err fr_bi_server_new(struct fr_loop *loop, const struct fr_bi_server_options *options,
                             const struct fr_log *log, struct fr_bi_server **out)
{
    struct fr_bi_server *s = fr_calloc(1, sizeof *s);

    if (s == NULL) return FR_E_NOMEM;
    s->loop = loop;
    s->options = *options;
    s->log = log;
    *out = s;
    return FR_OK;
}

void fr_bi_server_free(struct fr_bi_server *s)
{
    fr_free(s);
}

const struct fr_bi_server_counters *fr_bi_server_counters(const struct fr_bi_server *s)
{
    return &s->counters;
}

static const struct fr_http_field JSON_TYPE[] = {
    {{(const uint8_t *)"content-type", 12}, {(const uint8_t *)"application/json", 16}}};

static void reply_message(struct fr_http_exchange *http, unsigned status,
                          const struct fr_bi_message *answer)
{
    struct fr_buf body = FR_BUF_INIT(FR_BI_BODY_MAX);

    if (fr_bi_write(answer, &body) == FR_OK) {
        fr_http_reply(http, status, JSON_TYPE, 1, fr_buf_span(&body));
    } else {
        fr_http_reply(http, 503, NULL, 0, (struct fr_span){0});
    }
    fr_buf_deinit_secret(&body);
}

static void reply_empty(struct fr_http_exchange *http, unsigned status)
{
    const struct fr_http_field allow[] = {FR_HTTP_FIELD("allow", "POST")};

    fr_http_reply(http, status, allow, status == 405 ? 1 : 0, (struct fr_span){0});
}

static void refuse(struct fr_bi_server *s, struct fr_http_exchange *http,
                   const struct fr_bi_message *m, const struct fr_bi_verdict *verdict)
{
    const struct fr_http_peer *peer = fr_http_conn_peer(http->conn);
    char addr[FR_ADDR_TEXT], sender[FR_BI_ID_TEXT] = "";

    if (verdict->status == 403)
        s->counters.refused++;
    else
        s->counters.malformed++;
    fr_addr_print(&peer->addr, addr);
    if (m != NULL) fr_bi_id_print(m->sender, sender);
    FR_LOG(s->log, FR_LOG_WARN, "peer.refused", FR_STR("peer", addr), FR_STR("sender", sender),
           FR_STR("type", m != NULL ? m->type_text : NULL), FR_UINT("status", verdict->status),
           FR_STR("result", verdict->has_result ? fr_bi_result_print(verdict->result) : NULL),
           FR_STR("why", verdict->why));
    if (!verdict->has_result) {
        reply_empty(http, verdict->status);
        return;
    }
    struct fr_bi_message answer;
    fr_bi_answer_init(&answer, m, verdict->result);
    answer.description = fr_span_str(verdict->why);
    reply_message(http, verdict->status, &answer);
}

/* Whether one of the names in the certificate is this identity in this federation. */
static bool may_speak_as(const struct fr_tls_peer *cert, const char *federation, struct fr_bi_id id)
{
    for (unsigned i = 0; cert != NULL && i < cert->n_names; i++) {
        struct fr_cert_name name;
        if (fr_cert_name_parse(fr_span_str(cert->names[i]), federation, &name) != FR_OK) continue;
        if (name.kind == FR_CERT_NETID && id.kind == FR_BI_ID_NETID && name.netid == id.value) {
            return true;
        }
        if (name.kind == FR_CERT_JOINEUI && id.kind == FR_BI_ID_EUI && name.joineui == id.value) {
            return true;
        }
    }
    return false;
}

/* The dates count on every request: a kept or resumed connection outlives its certificate. */
static bool is_in_date(const struct fr_tls_peer *cert, int64_t now_s)
{
    return cert != NULL && now_s >= cert->not_before_s && now_s <= cert->not_after_s;
}

static void take_answer(struct fr_bi_server *s, struct fr_bi_exchange *x)
{
    bool was_wanted = x->request.type != FR_BI_OTHER_ANS &&
                      s->options.on_answer(s->options.data, &x->peer, &x->request);

    if (was_wanted)
        s->counters.answers++;
    else {
        FR_LOG(s->log, FR_LOG_INFO, "peer.stray_answer", FR_STR("federation", x->peer.federation),
               FR_UINT("tid", x->request.transaction_id));
    }
    /* Exactly 200: a deployed peer takes 204 for an error. */
    fr_http_reply(x->http, 200, NULL, 0, (struct fr_span){0});
    fr_bi_message_deinit(&x->request);
    fr_free(x);
}

static struct fr_bi_verdict examine(struct fr_bi_server *s, struct fr_bi_exchange *x,
                                    const struct fr_http_peer *peer)
{
    struct fr_bi_message *m = &x->request;
    struct fr_bi_facts facts = {0};

    facts.open_err = fr_bi_open(x->http->body, m, &facts.is_answerable);
    x->peer.id = m->sender;
    facts.is_receiver_us = s->options.is_us(s->options.data, m->receiver);
    facts.is_sender_peer = is_in_date(peer->cert, fr_loop_real_s(s->loop)) &&
                           may_speak_as(peer->cert, x->peer.federation, m->sender);
    struct fr_bi_verdict verdict = fr_bi_check_envelope(m, &facts);
    if (verdict.status != 0 || !fr_bi_is_request(m->type)) return verdict;
    return fr_bi_check_members(m, fr_bi_read_members(m));
}

static void on_request(void *data, struct fr_http_exchange *http)
{
    struct fr_bi_server *s = data;
    const struct fr_http_peer *peer = fr_http_conn_peer(http->conn);

    s->counters.requests++;
    unsigned status = fr_bi_check_http(http->method, fr_http_exchange_field(http, "content-type"));
    if (status == 0 && peer->cert == NULL) status = 403;
    if (status != 0) {
        refuse(s, http, NULL,
               &(struct fr_bi_verdict){.status = status, .why = "not a POST of JSON by a peer"});
        return;
    }
    struct fr_bi_exchange *x = fr_calloc(1, sizeof *x);
    if (x == NULL) {
        reply_empty(http, 503);
        return;
    }
    x->server = s;
    x->http = http;
    x->received_ms = fr_loop_now_ms(s->loop);
    x->peer.tag = peer->tag;
    x->peer.federation = s->options.federation_of(s->options.data, peer->tag);
    x->peer.addr = peer->addr;
    memcpy(x->peer.spki_sha256, peer->cert->spki_sha256, sizeof x->peer.spki_sha256);
    struct fr_bi_verdict verdict = examine(s, x, peer);
    if (verdict.status != 0) {
        refuse(s, http, &x->request, &verdict);
        fr_bi_message_deinit(&x->request);
        fr_free(x);
    } else if (fr_bi_is_request(x->request.type)) {
        s->options.on_request(s->options.data, x);
    } else {
        take_answer(s, x);
    }
}

static void on_refused(void *data, const struct fr_addr *peer, const struct fr_tls_refusal *why)
{
    struct fr_bi_server *s = data;
    char addr[FR_ADDR_TEXT];

    s->counters.refused++;
    fr_addr_print(peer, addr);
    FR_LOG(s->log, FR_LOG_WARN, "peer.handshake_refused", FR_STR("peer", addr),
           FR_STR("why", why->reason), FR_STR("sni", why->sni), FR_STR("subject", why->subject),
           FR_STR("alert", why->alert));
}

struct fr_http_handler fr_bi_server_handler(struct fr_bi_server *s)
{
    return (struct fr_http_handler){.data = s, .on_request = on_request, .on_refused = on_refused};
}

void fr_bi_exchange_ack(struct fr_bi_exchange *x)
{
    struct fr_http_exchange *http = x->http;

    x->http = NULL;
    if (http != NULL) fr_http_reply(http, 200, NULL, 0, (struct fr_span){0});
}

void fr_bi_exchange_answer(struct fr_bi_exchange *x, unsigned status,
                           const struct fr_bi_message *answer)
{
    if (x->http != NULL) reply_message(x->http, status, answer);
    fr_bi_message_deinit(&x->request);
    fr_free(x);
}

void fr_bi_exchange_result(struct fr_bi_exchange *x, unsigned status, enum fr_bi_result result,
                           const char *description)
{
    struct fr_bi_message answer;

    fr_bi_answer_init(&answer, &x->request, result);
    answer.description = fr_span_str(description);
    fr_bi_exchange_answer(x, status, &answer);
}
