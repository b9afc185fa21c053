#include <string.h>

#include "base/mem.h"
#include "transport/http_conn.h"

#define POOL_MAX 256           /* free exchanges kept */
#define KEEP_BYTES (16 * 1024) /* bodies above this are given back */

static void link_first(struct fr_exchange **list, struct fr_exchange *x)
{
    x->prev = NULL;
    x->next = *list;
    if (*list) (*list)->prev = x;
    *list = x;
}

static void unlink_from(struct fr_exchange **list, struct fr_exchange *x)
{
    if (x->prev)
        x->prev->next = x->next;
    else
        *list = x->next;
    if (x->next) x->next->prev = x->prev;
    x->prev = x->next = NULL;
}

static void empty(struct fr_buf *b, size_t max)
{
    if (b->cap > KEEP_BYTES)
        fr_buf_deinit(b);
    else
        fr_buf_reset(b);
    b->max = max;
}

/* What an exchange carries from one request to the next is only its memory. */
static void clear(struct fr_exchange *x, const struct fr_http_server_conf *conf)
{
    struct fr_buf body = x->body, reply = x->reply;
    struct fr_http_server *server = x->server;

    empty(&body, conf->body_bytes);
    empty(&reply, SIZE_MAX - 1);
    fr_head_reset(&x->head, conf->head_bytes + conf->target_bytes);
    x->pub = (struct fr_http_exchange){0};
    memset(&x->prev, 0, offsetof(struct fr_exchange, head) - offsetof(struct fr_exchange, prev));
    memset(&x->body, 0, sizeof *x - offsetof(struct fr_exchange, body));
    x->server = server;
    x->body = body;
    x->reply = reply;
}

static void destroy(struct fr_exchange *x)
{
    fr_head_deinit(&x->head);
    fr_buf_deinit(&x->body);
    fr_buf_deinit(&x->reply);
    fr_free(x);
}

struct fr_exchange *fr_exchange_new(struct fr_http_conn *c)
{
    struct fr_http_server *s = c->server;
    struct fr_exchange *x = s->pool;

    if (x) {
        unlink_from(&s->pool, x);
        s->n_pool--;
    } else {
        x = fr_calloc(1, sizeof *x);
        if (!x) return NULL;
        x->server = s;
        fr_head_init(&x->head, 0); /* clear() says how much */
    }
    clear(x, &c->conf);
    x->pub.conn = c;
    link_first(&c->exchanges, x);
    return x;
}

/* What others hold of an exchange that goes. */
static void let_others_go(struct fr_exchange *x)
{
    struct fr_http_sink sink = x->sink;
    struct fr_http_source source = x->source;

    x->sink = (struct fr_http_sink){0};
    x->source = (struct fr_http_source){0};
    fr_http_let_go(&x->pub);
    if (sink.on_gone && x->state == FR_X_READING) sink.on_gone(sink.data);
    if (source.end) source.end(source.data);
}

void fr_exchange_release(struct fr_exchange *x)
{
    struct fr_http_server *s = x->server;
    struct fr_http_conn *c = x->pub.conn;

    let_others_go(x);
    if (c) {
        unlink_from(&c->exchanges, x);
        c->backlog -= (size_t)fr_exchange_left(x);
    } else if (s) {
        unlink_from(&s->orphans, x);
    }
    if (!s || s->n_pool >= POOL_MAX) {
        destroy(x);
        return;
    }
    /* It may have brought a password, or a token: that does not lie about until the next one. */
    fr_head_reset(&x->head, 0);
    fr_buf_reset(&x->body);
    fr_buf_reset(&x->reply);
    link_first(&s->pool, x);
    s->n_pool++;
}

void fr_exchange_detach_all(struct fr_http_conn *c)
{
    while (c->exchanges) {
        struct fr_exchange *x = c->exchanges;

        if (x->state != FR_X_AT_WORK) {
            fr_exchange_release(x);
            continue;
        }
        unlink_from(&c->exchanges, x);
        x->pub.conn = NULL;
        link_first(&c->server->orphans, x);
    }
}

/* The server goes: what is at a handler lives on alone, the rest is freed. */
void fr_exchange_forget_server(struct fr_http_server *s)
{
    while (s->orphans) {
        struct fr_exchange *x = s->orphans;

        unlink_from(&s->orphans, x);
        x->server = NULL;
    }
    while (s->pool) {
        struct fr_exchange *x = s->pool;

        unlink_from(&s->pool, x);
        destroy(x);
    }
    s->n_pool = 0;
}

void fr_exchange_head(struct fr_http_conn *c, struct fr_exchange *x)
{
    struct fr_http_server *s = c->server;

    if (!s->handler.on_head) return;
    x->pub.fields = x->head.fields;
    x->pub.n_fields = x->head.n;
    x->is_head = fr_span_is(x->pub.method, "HEAD");
    s->handler.on_head(s->handler.data, &x->pub);
}

void fr_http_take_body(struct fr_http_exchange *pub, const struct fr_http_sink *sink)
{
    struct fr_exchange *x = (struct fr_exchange *)pub;

    x->sink = *sink;
    x->body.max = SIZE_MAX - 1;
    x->pub.conn->has_request = true;
}

enum fr_err fr_exchange_body(struct fr_http_conn *c, struct fr_exchange *x, struct fr_span bytes)
{
    if (!x->sink.on_bytes) {
        fr_buf_add_span(&x->body, bytes);
        return fr_buf_err(&x->body);
    }
    c->request_ms = fr_loop_now_ms(c->server->loop);
    if (bytes.n > 0) x->sink.on_bytes(x->sink.data, &x->pub, bytes);
    return FR_OK;
}

void fr_http_hold(struct fr_http_exchange *pub)
{
    struct fr_exchange *x = (struct fr_exchange *)pub;

    if (!x->pub.conn || x->is_holding) return;
    x->is_holding = true;
    x->pub.conn->held++;
}

void fr_http_let_go(struct fr_http_exchange *pub)
{
    struct fr_exchange *x = (struct fr_exchange *)pub;

    if (!x->is_holding) return;
    x->is_holding = false;
    if (!x->pub.conn) return;
    x->pub.conn->held--;
    x->pub.conn->has_paused = true; /* no event may tell of what is there already */
    x->pub.conn->request_ms = fr_loop_now_ms(x->server->loop);
    fr_conn_schedule(x->pub.conn);
}

uint64_t fr_exchange_left(const struct fr_exchange *x)
{
    return x->reply.n - x->reply_at + x->source_left;
}

void fr_exchange_pull(struct fr_exchange *x, uint8_t *p, size_t n)
{
    size_t kept = x->reply.n - x->reply_at;

    if (kept > n) kept = n;
    if (kept > 0) memcpy(p, x->reply.p + x->reply_at, kept);
    x->reply_at += kept;
    if (n == kept) return;
    x->source.fill(x->source.data, p + kept, n - kept);
    x->source_left -= n - kept;
}

void fr_exchange_dispatch(struct fr_http_conn *c, struct fr_exchange *x)
{
    struct fr_http_server *s = c->server;

    x->pub.fields = x->head.fields;
    x->pub.n_fields = x->head.n;
    x->pub.body = fr_buf_span(&x->body);
    x->is_head = fr_span_is(x->pub.method, "HEAD");
    x->state = FR_X_AT_WORK;
    c->in_progress++;
    c->handled++;
    c->has_request = true;
    c->request_ms = fr_loop_now_ms(s->loop);
    s->counters.in_progress++;
    s->counters.requests[x->pub.proto]++;
    if (x->sink.on_end)
        x->sink.on_end(x->sink.data, &x->pub);
    else
        s->handler.on_request(s->handler.data, &x->pub);
}

/* The handler is done with it; false: there is nobody to tell. */
static bool end_work(struct fr_exchange *x)
{
    if (x->state == FR_X_AT_WORK) {
        if (x->server) x->server->counters.in_progress--;
        if (x->pub.conn) {
            x->pub.conn->in_progress--;
            x->pub.conn->request_ms = fr_loop_now_ms(x->server->loop); /* idle from here */
        }
    }
    if (x->state == FR_X_READING) x->is_rejected = true; /* what still comes is ignored */
    x->state = FR_X_ANSWERED;
    x->sink = (struct fr_http_sink){0};
    fr_http_let_go(&x->pub);
    if (x->pub.conn && !x->is_gone) return true;
    if (x->pub.conn) fr_conn_schedule(x->pub.conn); /* it may have waited for this to close */
    fr_exchange_release(x);
    return false;
}

void fr_exchange_reply(struct fr_exchange *x, unsigned status, const struct fr_http_field *fields,
                       size_t n_fields, struct fr_span body)
{
    struct fr_http_conn *c = x->pub.conn;

    if (!end_work(x)) return;
    c->proto->reply(c, x, status, fields, n_fields, body);
    fr_conn_schedule(c);
}

void fr_http_reply(struct fr_http_exchange *x, unsigned status, const struct fr_http_field *fields,
                   size_t n_fields, struct fr_span body)
{
    fr_exchange_reply((struct fr_exchange *)x, status, fields, n_fields, body);
}

void fr_http_reply_from(struct fr_http_exchange *pub, unsigned status,
                        const struct fr_http_field *fields, size_t n_fields, uint64_t length,
                        const struct fr_http_source *source)
{
    struct fr_exchange *x = (struct fr_exchange *)pub;

    x->source = *source;
    x->source_left = length;
    fr_exchange_reply(x, status, fields, n_fields, (struct fr_span){0});
}

void fr_http_reply_close(struct fr_http_exchange *x, unsigned status,
                         const struct fr_http_field *fields, size_t n_fields, struct fr_span body)
{
    if (x->conn) fr_http_conn_close(x->conn); /* first, so that an HTTP/1 answer can say so */
    fr_http_reply(x, status, fields, n_fields, body);
}

void fr_http_reply_text(struct fr_http_exchange *x, unsigned status, const char *text)
{
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", "text/plain; charset=utf-8");
    struct fr_buf line = FR_BUF_INIT(4096);

    fr_buf_add_str(&line, text);
    fr_buf_add_char(&line, '\n');
    fr_http_reply(x, status, &type, 1, fr_buf_span(&line));
    fr_buf_deinit(&line);
}

void fr_http_drop(struct fr_http_exchange *pub)
{
    struct fr_exchange *x = (struct fr_exchange *)pub;
    struct fr_http_conn *c = x->pub.conn;

    if (!end_work(x)) return;
    c->proto->drop(c, x);
    fr_conn_schedule(c);
}

struct fr_span fr_http_exchange_field(const struct fr_http_exchange *x, const char *name)
{
    return fr_http_find(x->fields, x->n_fields, name);
}
