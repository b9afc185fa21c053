#include "main/health.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "main/metrics.h"
#include "transport/http_server.h"

#include <string.h>

#define HEALTH_WAIT_MS 3000
#define METRICS_MAX (4 * 1024 * 1024)
#define CONNECTIONS 64

struct fr_health {
    struct fr_loop *loop;
    struct fr_broker *broker;
    struct fr_http_server *server;
    struct visit *visits;
};

/* One request that waits for the workers. It is freed when they have answered, however late. */
struct visit {
    struct fr_health *health;   /* NULL once closed */
    struct fr_http_exchange *x; /* NULL once answered */
    bool wants_metrics;
    struct fr_timer timer;
    struct visit *prev, *next;
};

static void visit_unlink(struct visit *visit)
{
    fr_timer_stop(&visit->timer);
    if (!visit->health) return;
    if (visit->prev)
        visit->prev->next = visit->next;
    else
        visit->health->visits = visit->next;
    if (visit->next) visit->next->prev = visit->prev;
    visit->health = NULL;
}

static void visit_late(struct fr_timer *timer)
{
    struct visit *visit = timer->data;
    fr_http_reply_text(visit->x, 503, "a worker does not answer");
    visit->x = NULL;
}

static void reply_metrics(struct fr_http_exchange *x, const struct fr_broker_counts *counts,
                          int64_t now_s)
{
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", FR_METRICS_TYPE);
    struct fr_buf text = FR_BUF_INIT(METRICS_MAX);
    if (fr_broker_metrics_write(counts, now_s, &text))
        fr_http_reply_text(x, 500, "no memory");
    else
        fr_http_reply(x, 200, &type, 1, fr_buf_span(&text));
    fr_buf_deinit(&text);
}

static void visit_counted(void *data, const struct fr_broker_counts *counts)
{
    struct visit *visit = data;
    int64_t now_s = visit->health ? fr_loop_real_s(visit->health->loop) : 0;
    visit_unlink(visit);
    if (visit->x && visit->wants_metrics)
        reply_metrics(visit->x, counts, now_s);
    else if (visit->x)
        fr_http_reply_text(visit->x, 200, "ok");
    fr_free(visit);
}

static void visit_start(struct fr_health *health, struct fr_http_exchange *x, bool wants_metrics)
{
    struct visit *visit = fr_calloc(1, sizeof *visit);
    if (!visit) {
        fr_http_reply_text(x, 500, "no memory");
        return;
    }
    visit->x = x;
    visit->wants_metrics = wants_metrics;
    fr_timer_init(&visit->timer, visit_late, visit);
    if (fr_broker_count(health->broker, visit_counted, visit)) {
        fr_free(visit);
        fr_http_reply_text(x, 503, "stopping");
        return;
    }
    visit->health = health;
    visit->next = health->visits;
    if (visit->next) visit->next->prev = visit;
    health->visits = visit;
    fr_timer_start(health->loop, &visit->timer, HEALTH_WAIT_MS);
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    struct fr_health *health = data;
    if (!fr_span_is(x->method, "GET") && !fr_span_is(x->method, "HEAD")) {
        fr_http_reply_text(x, 405, "GET only");
    } else if (fr_span_is(x->path, "/readyz")) {
        const char *why = fr_broker_why_unready(health->broker);
        fr_http_reply_text(x, why ? 503 : 200, why ? why : "ready");
    } else if (fr_span_is(x->path, "/healthz")) {
        visit_start(health, x, false);
    } else if (fr_span_is(x->path, "/metrics")) {
        visit_start(health, x, true);
    } else {
        fr_http_reply_text(x, 404, "/healthz, /readyz, /metrics");
    }
}

enum fr_err fr_health_open(struct fr_loop *loop, struct fr_broker *broker, const struct fr_addr *at,
                           struct fr_diag *diag, struct fr_health **out)
{
    struct fr_health *health = fr_calloc(1, sizeof *health);
    if (!health) return FR_E_NOMEM;
    health->loop = loop;
    health->broker = broker;
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    conf.connections = CONNECTIONS;
    conf.body_bytes = 0;
    const struct fr_http_handler handler = {.data = health, .on_request = on_request};
    enum fr_err err = fr_http_server_new(loop, &conf, &handler, &health->server);
    if (err) goto out;
    const struct fr_http_listen listen = {.at = *at};
    err = fr_http_server_listen(health->server, &listen, diag, NULL);
    if (err) goto out;
    *out = health;
    health = NULL;
out:
    fr_health_close(health);
    return err;
}

void fr_health_close(struct fr_health *health)
{
    if (!health) return;
    while (health->visits) {
        struct visit *visit = health->visits;
        if (visit->x) fr_http_drop(visit->x);
        visit->x = NULL;
        visit_unlink(visit);
    }
    fr_http_server_free(health->server);
    fr_free(health);
}
