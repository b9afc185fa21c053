#include "transport/http_client.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "transport/client_conn.h"
#include "transport/h2_options.h"

#define H2_RESETS 1000 /* of a server, at once: it may refuse all streams of a bad moment */
#define H2_CONTINUATIONS 4

/* The client's queue: calls wait, travel, finish. Connections are in client_conn.c. */

struct fr_http_client_conf fr_http_client_conf_default(void)
{
    return (struct fr_http_client_conf){
        .has_h2 = true,
        .has_h1 = true,
        .max_connections = 1,
        .queue = 64,
        .connect_ms = 3000,
        .idle_ms = 300000,
        .head_bytes = 8192,
        .body_bytes = 1024 * 1024,
    };
}

static void call_free(struct fr_http_call *call)
{
    fr_timer_stop(&call->deadline);
    fr_head_deinit(&call->ask);
    fr_head_deinit(&call->head);
    fr_buf_deinit(&call->body);
    fr_buf_deinit(&call->answer);
    fr_tls_peer_unref(call->cert);
    call->client->n_calls--;
    fr_free(call);
}

/* Takes the call out of the list that holds it. */
static void unlink_call(struct fr_http_call *call)
{
    struct fr_http_client *client = call->client;

    if (call->state == FR_CALL_WAITING) TAILQ_REMOVE(&client->waiting, call, link);
    if (call->state == FR_CALL_FINISHED) TAILQ_REMOVE(&client->finished, call, link);
    if (call->state == FR_CALL_SENT) {
        TAILQ_REMOVE(&call->conn->calls, call, link);
        call->conn->n_calls--;
        call->conn->is_kept = true;
        fr_client_conn_schedule(call->conn); /* it may be idle now */
    }
}

/* The call is in no list any more. */
static void deliver(struct fr_http_call *call)
{
    struct fr_http_client *client = call->client;
    const struct fr_http_result result = {
        .fault = call->fault,
        .text = call->text,
        .alert_word = call->alert_word,
        .status = call->status,
        .proto = call->proto,
        .fields = call->head.fields,
        .n_fields = call->fault == FR_HTTP_OK ? call->head.n : 0,
        .body = call->fault == FR_HTTP_OK ? fr_buf_span(&call->answer) : (struct fr_span){0},
        .cert = call->cert,
        .addr = call->addr,
        .is_new_connection = call->is_new_connection,
        .is_sent = call->is_sent,
    };

    if (call->fault == FR_HTTP_OK)
        client->counters.responses++;
    else
        client->counters.faults++;
    fr_timer_stop(&call->deadline);
    call->done(call->data, &result);
    call_free(call);
}

void fr_call_finish(struct fr_http_call *call, const struct fr_client_fault *why)
{
    struct fr_http_client *client = call->client;

    if (call->state == FR_CALL_FINISHED) return;
    unlink_call(call);
    fr_timer_stop(&call->deadline);
    call->state = FR_CALL_FINISHED;
    call->fault = why->fault;
    call->alert_word = why->alert_word;
    memcpy(call->text, why->text, sizeof call->text);
    TAILQ_INSERT_TAIL(&client->finished, call, link);
    fr_loop_defer(client->loop, &client->turn);
}

void fr_call_answered(struct fr_http_call *call)
{
    const struct fr_client_fault none = {.fault = FR_HTTP_OK, .alert_word = ""};
    struct fr_client_conn *c = call->conn;

    if (c->is_waiting) call->client->counters.round_trips++;
    c->is_waiting = false;
    if (c->stream.tls.peer) call->cert = fr_tls_peer_ref(c->stream.tls.peer);
    fr_head_seal(&call->head);
    fr_call_finish(call, &none);
}

void fr_call_lost(struct fr_http_call *call, const struct fr_client_fault *why)
{
    struct fr_http_client *client = call->client;
    bool was_stale = why->fault == FR_HTTP_CLOSED && !call->is_new_connection && call->is_retryable;

    if (call->is_retried || call->has_answer || !(was_stale || call->is_unprocessed)) {
        fr_call_finish(call, why);
        return;
    }
    unlink_call(call);
    call->is_retried = true;
    call->is_unprocessed = false;
    call->state = FR_CALL_WAITING;
    call->conn = NULL;
    call->body_at = 0;
    TAILQ_INSERT_HEAD(&client->waiting, call, link);
    client->counters.retries++;
    fr_loop_defer(client->loop, &client->turn);
}

void fr_client_no_connection(struct fr_http_client *client, const struct fr_client_fault *why)
{
    struct fr_http_call *call;

    if (!TAILQ_EMPTY(&client->conns)) {
        client->has_no_growth = true;
        return;
    }
    while ((call = TAILQ_FIRST(&client->waiting)) != NULL) fr_call_finish(call, why);
}

static struct fr_client_conn *free_conn(struct fr_http_client *client)
{
    struct fr_client_conn *c;

    TAILQ_FOREACH(c, &client->conns, link)
    if (c->phase == FR_CLIENT_OPEN && !c->is_retired && c->proto->can_take(c)) return c;
    return NULL;
}

/* Would another connection help, and is one allowed? */
static bool wants_connection(struct fr_http_client *client)
{
    struct fr_http_call *call;
    struct fr_client_conn *c;
    unsigned n_live = 0, n_connecting = 0, n_waiting = 0;

    TAILQ_FOREACH(call, &client->waiting, link) n_waiting++;
    TAILQ_FOREACH(c, &client->conns, link)
    {
        if (!c->is_retired) n_live++;
        if (c->phase != FR_CLIENT_OPEN) n_connecting++;
    }
    if (n_live == 0) client->has_no_growth = false;
    return n_connecting < n_waiting &&
           n_live < (client->is_h1 ? client->conf.max_connections : 1) && !client->has_no_growth;
}

void fr_client_pump(struct fr_http_client *client)
{
    struct fr_http_call *call;
    struct fr_client_conn *c;

    while ((call = TAILQ_FIRST(&client->waiting)) != NULL && (c = free_conn(client)) != NULL)
        fr_client_conn_take(c, call);
    while (wants_connection(client))
        fr_client_conn_open(client); /* a failure ends the calls or the growth */
}

static void destroy(struct fr_http_client *client)
{
    fr_defer_cancel(&client->turn);
    fr_stream_pool_deinit(&client->streams);
    fr_h2_options_free(client->h2_options);
    SSL_SESSION_free(client->session);
    fr_tls_ctx_unref(client->conf.tls);
    fr_free(client->addrs);
    fr_free(client->host);
    fr_free(client->unix_path);
    fr_free(client);
}

/* The one place where callbacks run, but for cancelling. A callback may send, cancel and even free the client. */
static void on_turn(struct fr_defer *d)
{
    struct fr_http_client *client = d->data;
    struct fr_http_call *call;

    fr_client_pump(client);
    client->is_delivering = true;
    while ((call = TAILQ_FIRST(&client->finished)) != NULL) {
        TAILQ_REMOVE(&client->finished, call, link);
        deliver(call);
    }
    client->is_delivering = false;
    if (client->is_freed) destroy(client);
}

static enum fr_err copy_addrs(const struct fr_addr *addrs, size_t n, struct fr_addr **out)
{
    struct fr_addr *copy = fr_memdup(addrs, n * sizeof *addrs);

    if (!copy) return FR_E_NOMEM;
    *out = copy;
    return FR_OK;
}

static void print_authority(struct fr_http_client *client)
{
    const struct fr_http_client_conf *conf = &client->conf;
    bool is_v6 = strchr(client->host, ':') != NULL;
    bool is_default = conf->port == 0 || conf->port == (conf->tls ? 443 : 80);
    char port[8] = "";

    if (!is_default) (void)snprintf(port, sizeof port, ":%u", conf->port);
    (void)snprintf(client->authority, sizeof client->authority, "%s%s%s%s", is_v6 ? "[" : "",
                   client->host, is_v6 ? "]" : "", port);
}

enum fr_err fr_http_client_new(struct fr_loop *loop, const struct fr_http_client_conf *conf,
                               struct fr_http_client **out)
{
    if (!conf->host || !*conf->host || strlen(conf->host) > 253) return FR_E_INVALID;
    if (!conf->unix_path && conf->n_addrs == 0) return FR_E_INVALID;
    if (!conf->has_h1 && (!conf->has_h2 || !conf->tls)) return FR_E_INVALID;

    struct fr_http_client *client = fr_calloc(1, sizeof *client);
    enum fr_err err = FR_OK;

    if (!client) return FR_E_NOMEM;
    client->loop = loop;
    client->conf = *conf;
    if (conf->tls) fr_tls_ctx_ref(conf->tls);
    client->is_h1 = !conf->tls || !conf->has_h2;
    if (client->conf.max_connections == 0) client->conf.max_connections = 1;
    TAILQ_INIT(&client->waiting);
    TAILQ_INIT(&client->finished);
    TAILQ_INIT(&client->conns);
    fr_defer_init(&client->turn, on_turn, client);
    client->host = fr_strdup(conf->host);
    if (conf->unix_path) client->unix_path = fr_strdup(conf->unix_path);
    if (!client->host || (conf->unix_path && !client->unix_path)) err = FR_E_NOMEM;
    if (!err && conf->n_addrs > 0) err = copy_addrs(conf->addrs, conf->n_addrs, &client->addrs);
    if (!err) err = fr_stream_pool_init(&client->streams);
    if (!err) err = fr_h2_options_new(H2_RESETS, H2_CONTINUATIONS, &client->h2_options);
    if (err) {
        destroy(client);
        return err;
    }
    client->n_addrs = conf->n_addrs;
    client->conf.host = client->host;
    client->conf.unix_path = client->unix_path;
    print_authority(client);
    *out = client;
    return FR_OK;
}

static void end_now(struct fr_http_call *call)
{
    const struct fr_client_fault why = fr_client_fault(FR_HTTP_CANCELLED, "cancelled");

    if (call->state == FR_CALL_SENT) call->conn->proto->cancel(call->conn, call);
    fr_call_finish(call, &why);
    call->fault = FR_HTTP_CANCELLED; /* also when it had finished and was not told yet */
    TAILQ_REMOVE(&call->client->finished, call, link);
    deliver(call);
}

void fr_http_client_free(struct fr_http_client *client)
{
    struct fr_http_call *call;
    struct fr_client_conn *c;

    if (!client || client->is_freed) return;
    client->is_freed = true;
    while ((call = TAILQ_FIRST(&client->finished)) != NULL) end_now(call);
    while ((call = TAILQ_FIRST(&client->waiting)) != NULL) end_now(call);
    TAILQ_FOREACH(c, &client->conns, link)
    while ((call = TAILQ_FIRST(&c->calls)) != NULL) end_now(call);
    while ((c = TAILQ_FIRST(&client->conns)) != NULL) fr_client_conn_close(c);
    if (!client->is_delivering) destroy(client); /* else the turn that called us does it */
}

static void on_deadline(struct fr_timer *t)
{
    struct fr_http_call *call = t->data;
    struct fr_client_conn *c = call->conn, *other = TAILQ_FIRST(&call->client->conns);
    struct fr_client_fault why;
    char buf[400];

    if (call->state == FR_CALL_SENT) {
        why = fr_client_fault(FR_HTTP_TIMEOUT, "%s did not answer within %u ms",
                              fr_client_conn_where(c, buf, sizeof buf), call->deadline_ms);
        if (c->heard_ms < call->sent_ms)
            c->is_retired = true; /* silent since: do not trust it with the next one */
        c->proto->cancel(c, call);
    } else if (other && other->phase == FR_CLIENT_CONNECTING) {
        why = fr_client_fault(FR_HTTP_UNREACHABLE, "no connection to %s within %u ms",
                              fr_client_conn_where(other, buf, sizeof buf), call->deadline_ms);
    } else if (other && other->phase == FR_CLIENT_HANDSHAKE) {
        why = fr_client_fault(FR_HTTP_TIMEOUT, "no TLS connection to %s within %u ms",
                              fr_client_conn_where(other, buf, sizeof buf), call->deadline_ms);
    } else {
        why = fr_client_fault(FR_HTTP_BUSY, "waited %u ms for a free connection to %s",
                              call->deadline_ms, call->client->host);
    }
    fr_call_finish(call, &why);
}

static enum fr_err copy_request(struct fr_http_call *call, const struct fr_http_request *req)
{
    enum fr_err err = fr_head_text(&call->ask, fr_span_str(req->method), &call->method);

    if (!err) err = fr_head_text(&call->ask, fr_span_str(req->target), &call->target);
    for (size_t i = 0; !err && i < req->n_fields; i++)
        err = fr_head_add(&call->ask, req->fields[i].name, req->fields[i].value);
    if (err) return err;
    fr_head_seal(&call->ask);
    fr_buf_add_span(&call->body, req->body);
    return fr_buf_err(&call->body);
}

enum fr_err fr_http_send(struct fr_http_client *client, const struct fr_http_request *req,
                         uint32_t deadline_ms, fr_http_done_fn done, void *data,
                         struct fr_http_call **out_call)
{
    if (client->is_freed) return FR_E_CLOSED;
    if (client->n_calls >= client->conf.queue) return FR_E_LIMIT;
    if (!fr_h1_is_target(fr_span_str(req->target)) || req->target[0] != '/') return FR_E_INVALID;

    struct fr_http_call *call = fr_calloc(1, sizeof *call);
    if (!call) return FR_E_NOMEM;
    call->client = client;
    call->done = done;
    call->data = data;
    call->deadline_ms = deadline_ms;
    call->is_retryable = req->is_retryable;
    call->alert_word = "";
    fr_timer_init(&call->deadline, on_deadline, call);
    fr_head_init(&call->ask, 64 * 1024);
    fr_head_init(&call->head, client->conf.head_bytes);
    fr_buf_init(&call->body, SIZE_MAX - 1);
    fr_buf_init(&call->answer, client->conf.body_bytes);
    client->n_calls++;

    enum fr_err err = copy_request(call, req);
    if (err) {
        call_free(call);
        return err;
    }
    client->counters.requests++;
    TAILQ_INSERT_TAIL(&client->waiting, call, link);
    fr_timer_start(client->loop, &call->deadline, deadline_ms);
    fr_loop_defer(client->loop, &client->turn);
    if (out_call) *out_call = call;
    return FR_OK;
}

void fr_http_cancel(struct fr_http_call *call)
{
    end_now(call);
}

/* Open connections end after their calls; those being made are given up. */
static void retire_all(struct fr_http_client *client)
{
    struct fr_client_conn *c, *next;

    for (c = TAILQ_FIRST(&client->conns); c; c = next) {
        next = TAILQ_NEXT(c, link);
        c->is_retired = true;
        if (c->n_calls == 0) fr_client_conn_close(c);
    }
    fr_loop_defer(client->loop, &client->turn); /* waiting calls need another one */
}

void fr_http_client_set_tls(struct fr_http_client *client, struct fr_tls_ctx *tls)
{
    fr_tls_ctx_ref(tls);
    fr_tls_ctx_unref(client->conf.tls);
    client->conf.tls = tls;
    SSL_SESSION_free(client->session);
    client->session = NULL;
    retire_all(client);
}

enum fr_err fr_http_client_set_addrs(struct fr_http_client *client, const struct fr_addr *addrs,
                                     size_t n)
{
    struct fr_addr *copy;

    if (n == 0) return FR_E_INVALID;
    enum fr_err err = copy_addrs(addrs, n, &copy);
    if (err) return err;
    fr_free(client->addrs);
    client->addrs = copy;
    client->n_addrs = n;
    client->addr_good = 0;
    return FR_OK;
}

void fr_http_client_close_idle(struct fr_http_client *client)
{
    struct fr_client_conn *c, *next;

    for (c = TAILQ_FIRST(&client->conns); c; c = next) {
        next = TAILQ_NEXT(c, link);
        if (c->phase == FR_CLIENT_OPEN && c->n_calls == 0) fr_client_conn_close(c);
    }
}

const struct fr_http_client_counters *fr_http_client_counters(struct fr_http_client *client)
{
    struct fr_client_conn *c;

    TAILQ_FOREACH(c, &client->conns, link) fr_client_conn_count(c);
    return &client->counters;
}
