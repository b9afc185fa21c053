#include <string.h>

#include "base/mem.h"
#include "transport/h2_pool.h"
#include "transport/h2_server.h"
#include "transport/http_conn.h"

#define REPLY_FIELDS 32 /* fields of one answer, ours included */

/* HTTP/2 on one connection: nghttp2 keeps the frames and streams, an exchange hangs on each stream. nghttp2 is fed and drained
 * only from h2_feed and h2_fill, never from inside its callbacks; there we only submit. */

static nghttp2_nv nv(struct fr_span name, struct fr_span value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.p, /* nghttp2 copies; its type lacks the const */
        .value = (uint8_t *)(uintptr_t)value.p,
        .namelen = name.n,
        .valuelen = value.n,
        .flags = NGHTTP2_NV_FLAG_NONE,
    };
}

/* A field whose texts stay where they are until the stream ends. */
static nghttp2_nv nv_lasting(struct fr_span name, struct fr_span value)
{
    nghttp2_nv lasting = nv(name, value);

    lasting.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    return lasting;
}

/* A number in decimal; the span is in `room`. */
static struct fr_span decimal(size_t v, uint8_t room[20])
{
    size_t at = 20;

    do room[--at] = (uint8_t)('0' + v % 10);
    while ((v /= 10) > 0);
    return fr_span(room + at, 20 - at);
}

static nghttp2_nv nv_text(const char *name, const char *value)
{
    return nv(fr_span_str(name), fr_span_str(value));
}

/* A fatal error of nghttp2. What is in progress is lost with the connection. Out of memory, nghttp2 1.52 may have freed an item
 * that it still holds (session_attach_stream_item), and deleting the session would free it again: better to lose its memory. */
void fr_h2_broken(struct fr_http_conn *c, ssize_t code)
{
    c->h2->is_broken = true;
    if (code == NGHTTP2_ERR_NOMEM) c->h2->is_abandoned = true;
    fr_conn_set_closing(c, false);
}

void fr_h2_reset(struct fr_http_conn *c, int32_t stream_id, uint32_t code)
{
    if (c->h2->is_broken) return;
    int rc = nghttp2_submit_rst_stream(c->h2->session, NGHTTP2_FLAG_NONE, stream_id, code);
    if (rc != 0) fr_h2_broken(c, rc);
}

void fr_h2_go_on(struct fr_http_conn *c, int32_t stream_id)
{
    const nghttp2_nv status = nv_text(":status", "100");
    int rc = nghttp2_submit_headers(c->h2->session, NGHTTP2_FLAG_NONE, stream_id, NULL, &status, 1,
                                    NULL);
    if (rc != 0) fr_h2_broken(c, rc);
}

/* The peer breaks the rules, or only makes work. nghttp2 ignores what still comes. */
static void end(struct fr_http_conn *c, uint32_t code)
{
    int rc = nghttp2_session_terminate_session(c->h2->session, code);
    if (rc != 0)
        fr_h2_broken(c, rc);
    else
        fr_conn_set_closing(c, true);
}

static void note_frame(struct fr_http_conn *c, const nghttp2_frame_hd *hd)
{
    if (c->is_closing) return;
    uint32_t breach = fr_h2_order_check(&c->h2->order, c->h2->session, hd);
    if (breach) {
        c->server->counters.bad_requests++;
        end(c, breach);
        return;
    }
    if (!fr_h2_flood_note(&c->h2->flood, hd, fr_loop_now_ms(c->server->loop), &c->conf,
                          &c->server->counters))
        end(c, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *data)
{
    (void)session;
    note_frame(data, hd);
    return 0;
}

/* Our resets count too: a peer can provoke them ("made you reset"). */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM) note_frame(data, &frame->hd);
    return 0;
}

static ssize_t read_reply(nghttp2_session *session, int32_t stream_id, uint8_t *p, size_t n,
                          uint32_t *flags, nghttp2_data_source *source, void *data)
{
    struct fr_http_conn *c = data;
    struct fr_exchange *x = source->ptr;
    const uint64_t left = fr_exchange_left(x);

    (void)session;
    (void)stream_id;
    if (n > left) n = (size_t)left;
    fr_exchange_pull(x, p, n);
    c->backlog -= n;
    if (n == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* The text's copy in a buffer that has room for it. */
static struct fr_span keep(struct fr_buf *b, struct fr_span text)
{
    size_t at = b->n;

    fr_buf_add_span(b, text);
    return fr_span(b->p + at, text.n);
}

void fr_h2_reply(struct fr_http_conn *c, struct fr_exchange *x, unsigned status,
                 const struct fr_http_field *fields, size_t n_fields, struct fr_span body)
{
    nghttp2_nv nvs[REPLY_FIELDS];
    nghttp2_data_provider provider = {.source = {.ptr = x}, .read_callback = read_reply};
    const size_t body_n = body.n + (size_t)x->source_left;
    bool has_body = !x->is_head && body_n > 0 && status != 204 && status != 304;
    const char code[3] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                          (char)('0' + status % 10)};
    uint8_t length[20];
    struct fr_buf *kept = &x->reply; /* the texts of the fields, then the body */
    size_t room = sizeof code + sizeof length + body.n, n = 0;

    if (c->h2->is_broken) {
        x->source_left = 0;
        return;
    }
    for (size_t i = 0; i < n_fields; i++) room += fields[i].name.n + fields[i].value.n;
    if (!fr_buf_reserve(kept, room)) {
        x->source_left = 0;
        fr_h2_broken(c, 0);
        return;
    }
    nvs[n++] = nv_lasting(FR_SPAN_LIT(":status"), keep(kept, fr_span(code, sizeof code)));
    /* its text may become the next second's meanwhile, in place */
    nvs[n++] =
        nv_lasting(FR_SPAN_LIT("date"), fr_span(fr_server_date(c->server), FR_HTTP_DATE - 1));
    if (status != 204)
        nvs[n++] = nv_lasting(FR_SPAN_LIT("content-length"), keep(kept, decimal(body_n, length)));
    for (size_t i = 0; i < n_fields && n < REPLY_FIELDS; i++)
        nvs[n++] = nv_lasting(keep(kept, fields[i].name), keep(kept, fields[i].value));
    x->reply_at = kept->n;
    if (has_body) {
        fr_buf_add_span(kept, body);
        c->backlog += body_n;
    } else {
        x->source_left = 0;
    }
    int rc =
        nghttp2_submit_response(c->h2->session, x->stream_id, nvs, n, has_body ? &provider : NULL);
    if (rc != 0) fr_h2_broken(c, rc);
}

static void h2_drop(struct fr_http_conn *c, struct fr_exchange *x)
{
    fr_h2_reset(c, x->stream_id, NGHTTP2_CANCEL);
}

static enum fr_err session_new(struct fr_http_conn *c, nghttp2_session **out)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_mem mem = fr_h2_pool_mem(c->server->h2_pool);
    int rc;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) return FR_E_NOMEM;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    fr_h2_request_callbacks(callbacks);
    rc = nghttp2_session_server_new3(out, callbacks, c, c->server->h2_options, &mem);
    nghttp2_session_callbacks_del(callbacks);
    return rc == 0 ? FR_OK : FR_E_NOMEM;
}

static enum fr_err h2_start(struct fr_http_conn *c)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, c->conf.streams},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)(c->conf.head_bytes + c->conf.target_bytes)},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    struct fr_h2_server *h = fr_calloc(1, sizeof *h);

    if (!h) return FR_E_NOMEM;
    if (session_new(c, &h->session) != FR_OK ||
        nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof *settings) != 0) {
        nghttp2_session_del(h->session);
        fr_free(h);
        return FR_E_NOMEM;
    }
    c->h2 = h;
    return FR_OK;
}

static void h2_stop(struct fr_http_conn *c)
{
    if (!c->h2->is_abandoned) nghttp2_session_del(c->h2->session);
    fr_free(c->h2);
    c->h2 = NULL;
}

static bool h2_feed(struct fr_http_conn *c, struct fr_span in)
{
    if (in.n == 0 || c->h2->is_broken) return true;
    ssize_t rc = nghttp2_session_mem_recv(c->h2->session, in.p, in.n);
    if (rc == (ssize_t)in.n) return true;
    c->server->counters.bad_requests++;
    if (rc == NGHTTP2_ERR_FLOODED) c->server->counters.limit_control++;
#ifdef FR_HAVE_MAX_CONTINUATIONS
    if (rc == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) c->server->counters.limit_continuations++;
#endif
    fr_h2_broken(c, rc);
    return false;
}

static size_t h2_fill(struct fr_http_conn *c, uint8_t *p, size_t n)
{
    struct fr_h2_server *h = c->h2;
    size_t at = 0;

    if (h->is_broken) return 0;
    while (at < n) {
        if (h->frame_n == 0) {
            ssize_t got = nghttp2_session_mem_send(h->session, &h->frame);

            if (got < 0) fr_h2_broken(c, got);
            if (got <= 0) break;
            h->frame_n = (size_t)got;
        }
        size_t take = h->frame_n < n - at ? h->frame_n : n - at;
        memcpy(p + at, h->frame, take);
        h->frame += take;
        h->frame_n -= take;
        at += take;
    }
    /* After a protocol error nghttp2 has said GOAWAY and wants nothing more. */
    if (h->is_broken) return at;
    if (h->frame_n == 0 && !nghttp2_session_want_read(h->session) &&
        !nghttp2_session_want_write(h->session))
        fr_conn_set_closing(c, false);
    return at;
}

/* Not stopped by answers that wait for the peer's WINDOW_UPDATE: it must be read. What the socket does not take stops reading. */
static bool h2_can_read(const struct fr_http_conn *c)
{
    return !c->h2->is_broken && nghttp2_session_want_read(c->h2->session);
}

static bool h2_is_partial(const struct fr_http_conn *c)
{
    return c->h2->n_reading > 0;
}

static bool h2_is_quiet(const struct fr_http_conn *c)
{
    nghttp2_session *session = c->h2->session;

    if (c->has_end || c->h2->is_broken) return true; /* nobody will hear an answer */
    if (c->h2->frame_n > 0 || nghttp2_session_want_write(session)) return false;
    return c->h2->n_streams == 0 || !nghttp2_session_want_read(session);
}

/* RFC 9113 §6.8: first the notice with the highest id, so that requests under way still count; then the real last id. */
static void h2_drain(struct fr_http_conn *c)
{
    struct fr_h2_server *h = c->h2;
    int rc;

    if (h->is_broken) return;
    if (!h->has_noticed)
        rc = nghttp2_submit_shutdown_notice(h->session);
    else
        rc = nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
                                   nghttp2_session_get_last_proc_stream_id(h->session),
                                   NGHTTP2_NO_ERROR, NULL, 0);
    h->has_noticed = true;
    if (rc != 0) fr_h2_broken(c, rc);
}

static bool h2_give_up(struct fr_http_conn *c)
{
    return !c->h2->is_broken &&
           nghttp2_session_terminate_session(c->h2->session, NGHTTP2_NO_ERROR) == 0;
}

const struct fr_server_proto fr_h2_proto = {
    .start = h2_start,
    .stop = h2_stop,
    .feed = h2_feed,
    .fill = h2_fill,
    .reply = fr_h2_reply,
    .drop = h2_drop,
    .can_read = h2_can_read,
    .is_partial = h2_is_partial,
    .is_quiet = h2_is_quiet,
    .drain = h2_drain,
    .give_up = h2_give_up,
};
