#include "agent/admin.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "transport/http_server.h"

enum { METRICS_MAX = 256 * 1024, CONNECTIONS = 64 };

struct fr_agent_admin {
    struct fr_agent *agent;
    struct fr_http_server *server;
    bool is_stopping;
};

static void reply_metrics(const struct fr_agent_admin *admin, struct fr_http_exchange *x)
{
    const struct fr_http_field type[] = {FR_HTTP_FIELD("content-type", FR_METRICS_TYPE)};
    struct fr_buf text = FR_BUF_INIT(METRICS_MAX);
    struct fr_metrics m = fr_metrics(&text);

    fr_agent_write_metrics(admin->agent, &m);
    fr_metrics_end(&m);
    if (fr_buf_err(&text))
        fr_http_reply_text(x, 500, "no memory");
    else
        fr_http_reply(x, 200, type, 1, fr_buf_span(&text));
    fr_buf_deinit(&text);
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    const struct fr_agent_admin *admin = data;

    if (!fr_span_is(x->method, "GET") && !fr_span_is(x->method, "HEAD")) {
        fr_http_reply_text(x, 405, "GET only");
    } else if (fr_span_is(x->path, "/healthz")) {
        fr_http_reply_text(x, 200, "ok");
    } else if (fr_span_is(x->path, "/readyz")) {
        fr_http_reply_text(x, admin->is_stopping ? 503 : 200,
                           admin->is_stopping ? "stopping" : "ready");
    } else if (fr_span_is(x->path, "/metrics")) {
        reply_metrics(admin, x);
    } else {
        fr_http_reply_text(x, 404, "/healthz, /readyz, /metrics");
    }
}

enum fr_err fr_agent_admin_open(struct fr_loop *loop, struct fr_agent *agent,
                                const struct fr_addr *at, struct fr_diag *diag,
                                struct fr_agent_admin **out)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct fr_agent_admin *admin = fr_calloc(1, sizeof *admin);

    if (admin == NULL) return FR_E_NOMEM;
    admin->agent = agent;
    conf.connections = CONNECTIONS;
    conf.body_bytes = 0;
    const struct fr_http_handler handler = {.data = admin, .on_request = on_request};
    enum fr_err err = fr_http_server_new(loop, &conf, &handler, &admin->server);
    if (err) goto out;
    err = fr_http_server_listen(admin->server, &(struct fr_http_listen){.at = *at}, diag, NULL);
    if (err) goto out;
    *out = admin;
    admin = NULL;
out:
    fr_agent_admin_close(admin);
    return err;
}

void fr_agent_admin_set_stopping(struct fr_agent_admin *admin)
{
    admin->is_stopping = true;
}

void fr_agent_admin_close(struct fr_agent_admin *admin)
{
    if (admin == NULL) return;
    fr_http_server_free(admin->server);
    fr_free(admin);
}
