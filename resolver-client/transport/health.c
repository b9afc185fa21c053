#include "transport/health.h"

#include "base/mem.h"
#include "transport/http_server.h"

enum { METRICS_MAX = 256 * 1024, CONNECTIONS = 64 };

struct fr_health {
    fr_health_metrics_fn write;
    void *data;
    struct fr_http_server *server;
    bool is_stopping;
};

static void reply_metrics(const struct fr_health *health, struct fr_http_exchange *x)
{
    const struct fr_http_field type[] = {FR_HTTP_FIELD("content-type", FR_METRICS_TYPE)};
    struct fr_buf text = FR_BUF_INIT(METRICS_MAX);
    struct fr_metrics m = fr_metrics(&text);

    health->write(health->data, &m);
    fr_metrics_end(&m);
    if (fr_buf_err(&text))
        fr_http_reply_text(x, 500, "no memory");
    else
        fr_http_reply(x, 200, type, 1, fr_buf_span(&text));
    fr_buf_deinit(&text);
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    const struct fr_health *health = data;

    if (!fr_span_is(x->method, "GET") && !fr_span_is(x->method, "HEAD")) {
        fr_http_reply_text(x, 405, "GET only");
    } else if (fr_span_is(x->path, "/healthz")) {
        fr_http_reply_text(x, 200, "ok");
    } else if (fr_span_is(x->path, "/readyz")) {
        fr_http_reply_text(x, health->is_stopping ? 503 : 200,
                           health->is_stopping ? "stopping" : "ready");
    } else if (fr_span_is(x->path, "/metrics")) {
        reply_metrics(health, x);
    } else {
        fr_http_reply_text(x, 404, "/healthz, /readyz, /metrics");
    }
}

enum fr_err fr_health_open(struct fr_loop *loop, const struct fr_addr *at,
                           fr_health_metrics_fn write, void *data, struct fr_diag *diag,
                           struct fr_health **out)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct fr_health *health = fr_calloc(1, sizeof *health);

    if (health == NULL) return FR_E_NOMEM;
    health->write = write;
    health->data = data;
    conf.connections = CONNECTIONS;
    conf.body_bytes = 0;
    const struct fr_http_handler handler = {.data = health, .on_request = on_request};
    enum fr_err err = fr_http_server_new(loop, &conf, &handler, &health->server);
    if (err) goto out;
    err = fr_http_server_listen(health->server, &(struct fr_http_listen){.at = *at}, diag, NULL);
    if (err) goto out;
    *out = health;
    health = NULL;
out:
    fr_health_close(health);
    return err;
}

void fr_health_set_stopping(struct fr_health *health)
{
    health->is_stopping = true;
}

void fr_health_close(struct fr_health *health)
{
    if (health == NULL) return;
    fr_http_server_free(health->server);
    fr_free(health);
}
