#include "agent/local.h"

#include "agent/answer_json.h"
#include "base/mem.h"
#include "names/eui.h"
#include "names/netid.h"
#include "transport/http_server.h"

#include <stdio.h>
#include <unistd.h>

enum { JSON_MAX = 64 * 1024, FEDERATION_TEXT = 256 };

struct fr_local {
    struct fr_source *source;
    struct fr_http_server *server;
    char *path;
    struct fr_local_counters counters;
    struct ask *asks;
};

/* A request that waits for its look-up. */
struct ask {
    struct fr_local *local;
    struct ask *next, **at;
    struct fr_http_exchange *x;
    struct fr_source *source;
    struct fedroam_lookup *lookup;
};

struct question {
    enum fedroam_kind kind;
    uint64_t id;
    char federation[FEDERATION_TEXT]; /* "": all */
};

static void free_ask(struct ask *ask)
{
    *ask->at = ask->next;
    if (ask->next != NULL) ask->next->at = ask->at;
    fr_source_unref(ask->source);
    fr_free(ask);
}

/* extra: one more field, or none with an empty name. */
static void reply(struct fr_http_exchange *x, unsigned status, struct fr_http_field extra,
                  const struct fr_buf *json)
{
    const struct fr_http_field fields[] = {
        status == 200 ? FR_HTTP_FIELD("content-type", "application/json")
                      : FR_HTTP_FIELD("content-type", "application/problem+json"),
        FR_HTTP_FIELD("cache-control", "no-store"), extra};

    if (fr_buf_err(json))
        fr_http_reply_text(x, 500, "no memory");
    else
        fr_http_reply(x, status, fields, extra.name.n > 0 ? 3 : 2, fr_buf_span(json));
}

static void reply_problem(struct fr_local *local, struct fr_http_exchange *x, unsigned status,
                          const char *detail)
{
    const struct fr_http_field allow = FR_HTTP_FIELD("allow", "GET, HEAD");
    struct fr_buf json = FR_BUF_INIT(JSON_MAX);

    local->counters.failed++;
    fr_problem_json(status, detail, &json);
    reply(x, status, status == 405 ? allow : (struct fr_http_field){0}, &json);
    fr_buf_deinit(&json);
}

static void on_answer(void *data, const struct fedroam_answer *a)
{
    struct ask *ask = data;
    struct fr_local_counters *c = &ask->local->counters;
    struct fr_buf json = FR_BUF_INIT(JSON_MAX);
    unsigned status = fr_answer_status(a);
    struct fr_http_field retry = {0};
    char seconds[12];

    c->found += status == 200;
    c->unknown += status == 404;
    c->failed += status != 200 && status != 404;
    if (fedroam_answer_retry_after(a) > 0) {
        (void)snprintf(seconds, sizeof seconds, "%u", (unsigned)fedroam_answer_retry_after(a));
        retry = (struct fr_http_field){FR_SPAN_LIT("retry-after"), fr_span_str(seconds)};
    }
    fr_answer_json(a, &json);
    reply(ask->x, status, retry, &json);
    fr_buf_deinit(&json);
    free_ask(ask);
}

/* NULL, or what is wrong with the path. */
static const char *parse_path(struct fr_span path, struct question *q)
{
    static const struct {
        const char *prefix;
        enum fedroam_kind kind;
    } KINDS[] = {{"/v1/devices/", FEDROAM_DEVICE},
                 {"/v1/networks/", FEDROAM_NETWORK},
                 {"/v1/joineuis/", FEDROAM_JOIN_SERVER}};
    uint32_t netid = 0;

    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (!fr_span_starts(path, KINDS[i].prefix)) continue;
        struct fr_span prefix = fr_span_str(KINDS[i].prefix);
        struct fr_span id = fr_span(path.p + prefix.n, path.n - prefix.n);
        q->kind = KINDS[i].kind;
        if (q->kind != FEDROAM_NETWORK)
            return fr_eui_parse(id, &q->id) == FR_OK ? NULL : "an EUI of 16 hex digits is wanted";
        if (fr_netid_parse(id, &netid) != FR_OK) return "a NetID of 6 hex digits is wanted";
        q->id = netid;
        return NULL;
    }
    return "/v1/devices/<eui>, /v1/networks/<netid>, /v1/joineuis/<eui>";
}

static bool parse_query(struct fr_span query, struct question *q)
{
    struct fr_span key, value;

    if (query.n == 0) return true;
    return fr_span_cut(query, '=', &key, &value) && fr_span_is(key, "federation") && value.n > 0 &&
           fr_span_copy(value, q->federation, sizeof q->federation);
}

static enum fedroam_err start(struct ask *ask, const struct question *q)
{
    struct fedroam *f = fr_source_handle(ask->source);
    const char *federation = q->federation[0] != 0 ? q->federation : NULL;

    switch (q->kind) {
    case FEDROAM_DEVICE:
        return fedroam_lookup_device(f, federation, q->id, 0, on_answer, ask, &ask->lookup);
    case FEDROAM_NETWORK:
        return fedroam_lookup_network(f, federation, (uint32_t)q->id, 0, on_answer, ask,
                                      &ask->lookup);
    case FEDROAM_JOIN_SERVER: break;
    }
    return fedroam_lookup_join_server(f, federation, q->id, 0, on_answer, ask, &ask->lookup);
}

static void look_up(struct fr_local *local, struct fr_http_exchange *x, const struct question *q)
{
    struct ask *ask = fr_calloc(1, sizeof *ask);

    if (ask == NULL) {
        reply_problem(local, x, 500, "no memory");
        return;
    }
    *ask = (struct ask){.local = local, .x = x, .source = fr_source_ref(local->source)};
    ask->next = local->asks;
    ask->at = &local->asks;
    if (ask->next != NULL) ask->next->at = &ask->next;
    local->asks = ask;
    enum fedroam_err err = start(ask, q);
    if (err == FEDROAM_OK) return;
    free_ask(ask);
    if (err == FEDROAM_E_FEDERATION)
        reply_problem(local, x, 400, "no such federation is configured");
    else if (err == FEDROAM_E_LIMIT)
        reply_problem(local, x, 503, "too many look-ups are under way");
    else
        reply_problem(local, x, 500, fedroam_err_text(err));
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    struct fr_local *local = data;
    struct question q = {0};
    size_t n_federations = 0;

    local->counters.requests++;
    const char *wrong = parse_path(x->path, &q);
    (void)fr_source_zones(local->source, &n_federations);
    if (wrong != NULL && !fr_span_starts(x->path, "/v1/"))
        reply_problem(local, x, 404, wrong);
    else if (!fr_span_is(x->method, "GET") && !fr_span_is(x->method, "HEAD"))
        reply_problem(local, x, 405, "only GET");
    else if (wrong != NULL)
        reply_problem(local, x, 400, wrong);
    else if (!parse_query(x->query, &q))
        reply_problem(local, x, 400, "the only query there is: ?federation=NAME");
    else if (q.kind == FEDROAM_NETWORK && n_federations > 1 && q.federation[0] == 0)
        reply_problem(local, x, 400,
                      "a NetID means something only inside a federation: add ?federation=NAME");
    else
        look_up(local, x, &q);
}

enum fr_err fr_local_open(struct fr_loop *loop, const struct fr_local_conf *conf,
                          struct fr_source *source, struct fr_diag *diag, struct fr_local **out)
{
    struct fr_http_server_conf limits = fr_http_server_conf_default();
    struct fr_local *local = fr_calloc(1, sizeof *local);

    if (local == NULL) return FR_E_NOMEM;
    limits.connections = conf->conns;
    limits.idle_ms = conf->idle_ms;
    limits.body_bytes = 0;
    local->source = fr_source_ref(source);
    const struct fr_http_handler handler = {.data = local, .on_request = on_request};
    const struct fr_http_listen listen = {.unix_path = conf->path, .unix_mode = 0660};
    enum fr_err err = fr_http_server_new(loop, &limits, &handler, &local->server);
    if (err) goto out;
    err = fr_http_server_listen(local->server, &listen, diag, NULL);
    if (err) goto out;
    local->path = fr_strdup(conf->path);
    if (local->path == NULL) {
        err = FR_E_NOMEM;
        goto out;
    }
    *out = local;
    local = NULL;
out:
    fr_local_close(local);
    return err;
}

void fr_local_set_source(struct fr_local *local, struct fr_source *source)
{
    fr_source_unref(local->source);
    local->source = fr_source_ref(source);
}

void fr_local_close(struct fr_local *local)
{
    if (local == NULL) return;
    while (local->asks != NULL) {
        struct ask *ask = local->asks;
        fedroam_lookup_cancel(ask->lookup);
        reply_problem(local, ask->x, 503, "the agent is stopping");
        free_ask(ask);
    }
    fr_http_server_free(local->server);
    if (local->path != NULL) (void)unlink(local->path); /* so that nobody waits at a dead one */
    fr_source_unref(local->source);
    fr_free(local->path);
    fr_free(local);
}

const struct fr_local_counters *fr_local_counters(const struct fr_local *local)
{
    return &local->counters;
}
