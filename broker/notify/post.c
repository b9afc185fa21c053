#include "notify/post.h"

#include "base/buf.h"
#include "base/mem.h"
#include "notify/child.h"
#include "notify/lookup.h"
#include "transport/http_client.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 65536
#define JSON_MAX 32768
#define GETENT "/usr/bin/getent"

struct fr_post_job {
    struct fr_loop *loop;
    struct fr_url url;
    char *ca;
    int64_t end_ms;
    struct fr_buf json;
    struct fr_child *lookup;
    struct fr_http_client *client;
    struct fr_defer
        begin; /* where there is nothing to look up: nothing calls back from inside the start */
    struct fr_addr addrs[FR_NOTIFY_ADDRS_MAX];
    size_t n_addrs;
    fr_post_done_fn done;
    void *data;
};

static void on_answer(void *data, const struct fr_http_result *r)
{
    struct fr_post_job *job = data;
    char why[400] = "";

    if (r->fault == FR_HTTP_CANCELLED) return; /* freed */
    if (r->fault != FR_HTTP_OK)
        (void)snprintf(why, sizeof why, "%s", r->text);
    else if (r->status < 200 || r->status > 299)
        (void)snprintf(why, sizeof why, "%s answers with status %u", job->url.host, r->status);
    job->done(job->data, why);
}

static enum fr_err load_tls(const struct fr_post_job *job, struct fr_diag *diag,
                            struct fr_tls_ctx **out)
{
    const struct fr_tls_files files = {.ca = job->ca};

    return job->url.is_tls ? fr_tls_client_load(&files, diag, out) : FR_OK;
}

static enum fr_err send_it(struct fr_post_job *job, struct fr_diag *diag)
{
    const struct fr_http_field fields[] = {FR_HTTP_FIELD("content-type", "application/json"),
                                           FR_HTTP_FIELD("user-agent", "fedroam-broker")};
    const struct fr_http_request request = {.method = "POST",
                                            .target = job->url.path,
                                            .fields = fields,
                                            .n_fields = sizeof fields / sizeof fields[0],
                                            .body = fr_buf_span(&job->json)};
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct fr_tls_ctx *tls = NULL;
    const int64_t left_ms = job->end_ms - fr_loop_now_ms(job->loop);

    if (left_ms <= 0) return fr_diag_fail(diag, FR_E_TIMEOUT, "looking the name up took too long");
    enum fr_err err = load_tls(job, diag, &tls);
    if (err) return err;
    conf.host = job->url.host;
    conf.port = job->url.port;
    conf.addrs = job->addrs;
    conf.n_addrs = job->n_addrs;
    conf.tls = tls;
    conf.has_h1 = true;
    conf.has_h2 = false;
    conf.idle_ms = 0;
    conf.body_bytes = ANSWER_MAX;
    err = fr_http_client_new(job->loop, &conf, &job->client);
    if (!err) err = fr_http_send(job->client, &request, (uint32_t)left_ms, on_answer, job, NULL);
    fr_tls_ctx_unref(tls);
    return err;
}

static void go_on(struct fr_post_job *job)
{
    struct fr_diag diag = {0};
    enum fr_err err = send_it(job, &diag);

    if (err) job->done(job->data, diag.what[0] ? diag.what : fr_err_text(err));
}

static void on_begin(struct fr_defer *defer)
{
    go_on(defer->data);
}

static void on_looked_up(void *data, const char *why, struct fr_span output)
{
    struct fr_post_job *job = data;
    char text[300];

    job->n_addrs = fr_lookup_read(output, job->url.port, job->addrs, FR_NOTIFY_ADDRS_MAX);
    if (job->n_addrs > 0) {
        go_on(job);
        return;
    }
    (void)snprintf(text, sizeof text, "%s has no address%s%s", job->url.host,
                   why[0] ? ": getent: " : "", why);
    job->done(job->data, text);
}

static enum fr_err look_up(struct fr_post_job *job, uint32_t limit_ms, struct fr_diag *diag)
{
    char getent[] = GETENT, ahosts[] = "ahosts";
    char *const argv[] = {getent, ahosts, job->url.host, NULL};

    return fr_child_start(job->loop, argv, (struct fr_span){0}, limit_ms, on_looked_up, job, diag,
                          &job->lookup);
}

/* Those of the configuration, or the URL's own. */
static void take_addresses(struct fr_post_job *job, const struct fr_notify_conf *conf)
{
    for (size_t i = 0; i < conf->n_addresses && i < FR_NOTIFY_ADDRS_MAX; i++)
        if (fr_addr_parse(fr_span_str(conf->addresses[i]), job->url.port,
                          &job->addrs[job->n_addrs]) == FR_OK)
            job->n_addrs++;
    if (job->n_addrs == 0 && job->url.is_ip &&
        fr_ip_parse(fr_span_str(job->url.host), &job->addrs[0].ip) == FR_OK) {
        job->addrs[0].port = job->url.port;
        job->n_addrs = 1;
    }
}

enum fr_err fr_post_start(struct fr_loop *loop, const struct fr_notify_conf *conf,
                          struct fr_span json, fr_post_done_fn done, void *data,
                          struct fr_diag *diag, struct fr_post_job **out)
{
    struct fr_post_job *job = fr_calloc(1, sizeof *job);
    enum fr_err err = FR_OK;

    if (!job) return FR_E_NOMEM;
    job->loop = loop;
    job->done = done;
    job->data = data;
    job->json = FR_BUF_INIT(JSON_MAX);
    fr_defer_init(&job->begin, on_begin, job);
    job->end_ms = fr_loop_now_ms(loop) + conf->post_ms;
    fr_buf_add_span(&job->json, json);
    job->ca = conf->ca ? fr_strdup(conf->ca) : NULL;
    err = fr_buf_err(&job->json);
    if (conf->ca && !job->ca) err = FR_E_NOMEM;
    if (!err && fr_url_parse(fr_span_str(conf->post), &job->url)) err = FR_E_CONFIG;
    if (!err) take_addresses(job, conf);
    if (!err && job->n_addrs == 0)
        err = look_up(job, conf->post_ms, diag);
    else if (!err)
        fr_loop_defer(loop, &job->begin);
    if (err)
        fr_post_free(job);
    else
        *out = job;
    return err;
}

void fr_post_free(struct fr_post_job *job)
{
    if (!job) return;
    fr_defer_cancel(&job->begin);
    fr_child_free(job->lookup);
    fr_http_client_free(job->client);
    fr_buf_deinit(&job->json);
    fr_free(job->ca);
    fr_free(job);
}
