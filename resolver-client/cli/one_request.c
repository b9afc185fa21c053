#include "resolver_cli/one_request.h"

#include "transport/loop_poll.h"

struct wait {
    fr_http_done_fn done;
    void *data;
    bool is_over;
};

static void on_done(void *data, const struct fr_http_result *r)
{
    struct wait *w = data;
    w->is_over = true;
    w->done(w->data, r);
}

enum fr_err fr_one_request(const struct fr_one_request *r, fr_http_done_fn done, void *data)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct wait w = {.done = done, .data = data};
    struct fr_http_client *client = NULL;
    struct fr_loop *loop = NULL;

    conf.host = r->host;
    conf.port = r->addr.port;
    conf.addrs = &r->addr;
    conf.n_addrs = 1;
    conf.tls = r->tls;
    conf.has_h2 = true;
    conf.has_h1 = true;
    conf.connect_ms = r->within_ms;
    enum fr_err err = fr_loop_poll_new(NULL, &loop);
    if (err) return err;
    err = fr_http_client_new(loop, &conf, &client);
    if (err == FR_OK) err = fr_http_send(client, &r->request, r->within_ms, on_done, &w, NULL);
    while (err == FR_OK && !w.is_over) (void)fr_loop_poll_turn(loop, 1000);
    fr_http_client_free(client);
    fr_loop_poll_free(loop);
    return err;
}
