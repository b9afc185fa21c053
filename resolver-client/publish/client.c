#include "publish/client.h"

#include "base/mem.h"
#include "base/parse.h"
#include "transport/http_client.h"
#include "transport/loop_poll.h"
#include "transport/tls.h"

#define CONNECT_MS 10000

struct fr_publisher {
    struct fr_loop *loop;
    struct fr_tls_ctx *tls;
    struct fr_http_client *client;
};

void fr_publisher_close(struct fr_publisher *p)
{
    if (!p) return;
    fr_http_client_free(p->client);
    fr_tls_ctx_unref(p->tls);
    fr_loop_poll_free(p->loop);
    fr_free(p);
}

enum fr_err fr_publisher_open(const struct fr_publish_place *place, struct fr_diag *diag,
                              struct fr_publisher **out)
{
    const struct fr_tls_files files = {
        .ca = place->ca, .chain = place->certificate, .key = place->key};
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct fr_publisher *p = fr_calloc(1, sizeof *p);
    if (!p) return FR_E_NOMEM;
    conf.host = place->url.host;
    conf.port = place->url.port;
    conf.addrs = place->addrs;
    conf.n_addrs = place->n_addrs;
    conf.has_h2 = conf.has_h1 = true;
    conf.connect_ms = CONNECT_MS;
    conf.body_bytes = FR_PUBLISH_BODY_MAX;
    enum fr_err err = fr_tls_client_load(&files, diag, &p->tls);
    conf.tls = p->tls;
    if (!err) err = fr_loop_poll_new(NULL, &p->loop);
    if (!err) err = fr_http_client_new(p->loop, &conf, &p->client);
    if (err) {
        fr_publisher_close(p);
        return err;
    }
    *out = p;
    return FR_OK;
}

void fr_publish_answer_deinit(struct fr_publish_answer *answer)
{
    fr_buf_deinit(&answer->body);
    answer->status = 0;
}

struct wait {
    struct fr_publish_answer *answer;
    struct fr_diag *diag;
    enum fr_err err;
    bool is_over;
};

static void on_done(void *data, const struct fr_http_result *r)
{
    struct wait *w = data;
    uint64_t seconds = 0;
    w->is_over = true;
    w->err = fr_http_fault_err(r->fault);
    if (w->err) {
        (void)fr_diag_fail(w->diag, w->err, "the broker: %s", r->text);
        if (fr_http_fault_hint(r->fault)) fr_diag_hint(w->diag, "%s", fr_http_fault_hint(r->fault));
        return;
    }
    w->answer->status = r->status;
    if (fr_parse_u64(fr_http_find(r->fields, r->n_fields, "retry-after"), 0, 86400, &seconds) ==
        FR_OK)
        w->answer->retry_after_s = (uint32_t)seconds;
    if (!fr_span_copy(fr_http_find(r->fields, r->n_fields, "etag"), w->answer->tag, FR_PUBLISH_TAG))
        w->answer->tag[0] = '\0';
    fr_buf_reset(&w->answer->body);
    fr_buf_add_span(&w->answer->body, r->body);
    w->err = fr_buf_err(&w->answer->body);
}

enum fr_err fr_publisher_ask(struct fr_publisher *p, const struct fr_publish_request *request,
                             struct fr_diag *diag, struct fr_publish_answer *answer)
{
    struct wait w = {.answer = answer, .diag = diag};
    struct fr_http_field fields[3];
    size_t n = 0;
    if (request->type) fields[n++] = FR_HTTP_FIELD("content-type", request->type);
    if (request->key) fields[n++] = FR_HTTP_FIELD("idempotency-key", request->key);
    if (request->tag) fields[n++] = FR_HTTP_FIELD("if-none-match", request->tag);
    const struct fr_http_request http = {
        .method = request->method,
        .target = request->target,
        .fields = fields,
        .n_fields = n,
        .body = request->body,
    };
    answer->retry_after_s = 0;
    enum fr_err err = fr_http_send(p->client, &http, request->within_ms, on_done, &w, NULL);
    while (!err && !w.is_over) (void)fr_loop_poll_turn(p->loop, 1000);
    return err ? err : w.err;
}
