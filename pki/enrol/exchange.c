#include "enrol/exchange.h"

#include "transport/http_client.h"
#include "transport/loop_poll.h"

#include <stdio.h>

struct wait {
    struct fr_exchange_answer *answer;
    struct fr_diag *diag;
    const char *host;
    enum fr_err err;
    bool is_over;
};

static void on_done(void *data, const struct fr_http_result *r)
{
    struct wait *w = data;

    w->is_over = true;
    w->err = fr_http_fault_err(r->fault);
    if (w->err) {
        (void)fr_diag_fail(w->diag, w->err, "%s", r->text);
        if (fr_http_fault_hint(r->fault)) fr_diag_hint(w->diag, "%s", fr_http_fault_hint(r->fault));
        return;
    }
    w->answer->status = r->status;
    const struct fr_span retry = fr_http_find(r->fields, r->n_fields, "retry-after");
    if (!fr_span_copy(retry, w->answer->retry_after, sizeof w->answer->retry_after))
        w->answer->retry_after[0] = '\0';
    fr_buf_add_span(&w->answer->body, r->body);
    w->err = fr_buf_err(&w->answer->body);
}

enum fr_err fr_exchange(const struct fr_exchange_request *request, struct fr_diag *diag,
                        struct fr_exchange_answer *answer)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct wait w = {.answer = answer, .diag = diag, .host = request->place->url.host};
    struct fr_http_client *client = NULL;
    struct fr_loop *loop = NULL;
    const struct fr_http_request http = {.method = request->method,
                                         .target = request->target,
                                         .fields = request->fields,
                                         .n_fields = request->n_fields,
                                         .body = request->body};

    conf.host = request->place->url.host;
    conf.port = request->place->url.port;
    conf.addrs = request->place->addrs;
    conf.n_addrs = request->place->n_addrs;
    conf.tls = request->tls;
    conf.has_h2 = false; /* one request each: nothing to gain */
    conf.has_h1 = true;
    conf.connect_ms = FR_EXCHANGE_MS / 3;
    enum fr_err err = fr_loop_poll_new(NULL, &loop);
    if (!err) err = fr_http_client_new(loop, &conf, &client);
    if (!err) err = fr_http_send(client, &http, FR_EXCHANGE_MS, on_done, &w, NULL);
    while (!err && !w.is_over) (void)fr_loop_poll_turn(loop, 1000);
    fr_http_client_free(client);
    fr_loop_poll_free(loop);
    return err ? err : w.err;
}
