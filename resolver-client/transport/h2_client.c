#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "transport/client_conn.h"
#include "transport/h2_options.h"

/* HTTP/2 on one client connection: a call on each stream. nghttp2 is fed and drained only from h2_feed and h2_fill; in its
 * callbacks we only submit. */

struct fr_h2_client {
    nghttp2_session *session;
    const uint8_t *frame; /* given out by nghttp2, not yet filled; valid until the next call */
    size_t frame_n;
    bool is_broken; /* nghttp2 met a fatal error: it must not be called again, only deleted */
};

static void broken(struct fr_client_conn *c)
{
    c->h2->is_broken = true;
    c->is_retired = true;
}

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

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *p, size_t n,
                         uint32_t *flags, nghttp2_data_source *source, void *data)
{
    struct fr_http_call *call = nghttp2_session_get_stream_user_data(session, stream_id);

    (void)source;
    (void)data;
    if (!call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* cancelled: its reset is queued */
    size_t left = call->body.n - call->body_at;
    if (n > left) n = left;
    memcpy(p, call->body.p + call->body_at, n);
    call->body_at += n;
    if (n == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static enum fr_err h2_send(struct fr_client_conn *c, struct fr_http_call *call)
{
    struct fr_http_client *client = c->client;
    struct fr_span method = fr_head_span(&call->ask, call->method);
    bool has_length = call->body.n > 0 || fr_span_is(method, "POST") || fr_span_is(method, "PUT");
    nghttp2_data_provider provider = {.read_callback = read_body};
    nghttp2_nv nvs[FR_HEAD_FIELDS + 5];
    char length[24];
    size_t n = 0;

    nvs[n++] = nv(FR_SPAN_LIT(":method"), method);
    nvs[n++] = nv(FR_SPAN_LIT(":scheme"), FR_SPAN_LIT("https"));
    nvs[n++] = nv(FR_SPAN_LIT(":authority"), fr_span_str(client->authority));
    nvs[n++] = nv(FR_SPAN_LIT(":path"), fr_head_span(&call->ask, call->target));
    (void)snprintf(length, sizeof length, "%zu", call->body.n);
    if (has_length) nvs[n++] = nv(FR_SPAN_LIT("content-length"), fr_span_str(length));
    for (size_t i = 0; i < call->ask.n; i++)
        nvs[n++] = nv(call->ask.fields[i].name, call->ask.fields[i].value);

    int32_t id = nghttp2_submit_request(c->h2->session, NULL, nvs, n,
                                        call->body.n > 0 ? &provider : NULL, call);
    if (id < 0) {
        broken(c);
        return FR_E_NOMEM;
    }
    call->stream_id = id;
    return FR_OK;
}

static struct fr_http_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

/* The stream lives on in nghttp2 without its call. */
static void part(struct fr_client_conn *c, struct fr_http_call *call, uint32_t code)
{
    nghttp2_session *session = c->h2->session;

    if (call->stream_id <= 0 || c->h2->is_broken) return;
    (void)nghttp2_session_set_stream_user_data(session, call->stream_id,
                                               NULL); /* fails when it never began: fine */
    if (code != NGHTTP2_NO_ERROR &&
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id, code) != 0)
        broken(c);
    call->stream_id = 0;
}

static void h2_cancel(struct fr_client_conn *c, struct fr_http_call *call)
{
    part(c, call, NGHTTP2_CANCEL);
}

static void too_large(struct fr_client_conn *c, struct fr_http_call *call, const char *what)
{
    char buf[400];
    const struct fr_client_fault why =
        fr_client_fault(FR_HTTP_TOO_LARGE, "the answer of %s has too large a %s",
                        fr_client_conn_where(c, buf, sizeof buf), what);

    part(c, call, NGHTTP2_CANCEL);
    fr_call_finish(call, &why);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct fr_client_conn *c = data;
    struct fr_http_call *call = call_of(session, frame->hd.stream_id);

    if (call && call->status < 200)
        fr_head_reset(&call->head, c->client->conf.head_bytes); /* after a 1xx, or the first */
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *data)
{
    struct fr_http_call *call = call_of(session, frame->hd.stream_id);

    (void)flags;
    if (!call) return 0;
    call->has_answer = true;
    if (name_n == 7 && memcmp(name, ":status", 7) == 0) { /* three digits: nghttp2 checked */
        call->status = 0;
        for (size_t i = 0; i < value_n && i < 3; i++)
            call->status = call->status * 10 + (unsigned)(value[i] - '0');
        return 0;
    }
    if (call->answer.n > 0) return 0; /* a trailer */
    enum fr_err err = fr_head_add(&call->head, fr_span(name, name_n), fr_span(value, value_n));
    if (err == FR_E_LIMIT) too_large(data, call, "head");
    return err == FR_E_NOMEM ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *p,
                   size_t n, void *data)
{
    struct fr_http_call *call = call_of(session, stream_id);

    (void)flags;
    if (!call) return 0;
    fr_buf_add(&call->answer, p, n);
    if (fr_buf_err(&call->answer) == FR_E_LIMIT) {
        too_large(data, call, "body");
        return 0;
    }
    return fr_buf_err(&call->answer) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct fr_client_conn *c = data;
    struct fr_http_call *call;

    if (frame->hd.type == NGHTTP2_GOAWAY) {
        c->is_retired = true; /* nghttp2 closes the streams that it names as not processed */
        return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    call = call_of(session, frame->hd.stream_id);
    if (!call || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    part(c, call, NGHTTP2_NO_ERROR);
    fr_call_answered(call);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *data)
{
    struct fr_client_conn *c = data;
    struct fr_http_call *call = call_of(session, stream_id);
    char buf[400];

    if (!call) return 0;
    const struct fr_client_fault why =
        fr_client_fault(FR_HTTP_CLOSED, "%s ended the request: %s",
                        fr_client_conn_where(c, buf, sizeof buf), nghttp2_http2_strerror(code));
    call->stream_id = 0;
    call->is_unprocessed = code == NGHTTP2_REFUSED_STREAM;
    fr_call_lost(call, &why);
    return 0;
}

/* A request that nghttp2 could not even send. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int code, void *data)
{
    struct fr_client_conn *c = data;
    struct fr_http_call *call = call_of(session, frame->hd.stream_id);

    if (!call || frame->hd.type != NGHTTP2_HEADERS) return 0;
    const struct fr_client_fault why =
        fr_client_fault(FR_HTTP_CLOSED, "not sent: %s", nghttp2_strerror(code));
    c->is_retired = true;
    (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id,
                                               NULL); /* before on_stream_close sees it */
    call->stream_id = 0;
    call->is_unprocessed = true;
    fr_call_lost(call, &why);
    return 0;
}

static enum fr_err session_new(struct fr_client_conn *c, nghttp2_session **out)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_mem mem = fr_h2_mem();
    int rc;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) return FR_E_NOMEM;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
    rc = nghttp2_session_client_new3(out, callbacks, c, c->client->h2_options, &mem);
    nghttp2_session_callbacks_del(callbacks);
    return rc == 0 ? FR_OK : FR_E_NOMEM;
}

static enum fr_err h2_start(struct fr_client_conn *c)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)c->client->conf.head_bytes},
    };
    struct fr_h2_client *h = fr_calloc(1, sizeof *h);

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

static void h2_stop(struct fr_client_conn *c)
{
    nghttp2_session_del(c->h2->session);
    fr_free(c->h2);
    c->h2 = NULL;
}

static bool h2_can_take(const struct fr_client_conn *c)
{
    nghttp2_session *session = c->h2->session;

    return !c->h2->is_broken && nghttp2_session_check_request_allowed(session) &&
           c->n_calls < nghttp2_session_get_remote_settings(
                            session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

static bool h2_feed(struct fr_client_conn *c, struct fr_span in)
{
    nghttp2_session *session = c->h2->session;

    if (c->h2->is_broken || nghttp2_session_mem_recv(session, in.p, in.n) != (ssize_t)in.n)
        return false;
    if (!nghttp2_session_check_request_allowed(session)) c->is_retired = true;
    return nghttp2_session_want_read(session) || nghttp2_session_want_write(session) ||
           c->n_calls == 0;
}

static size_t h2_fill(struct fr_client_conn *c, uint8_t *p, size_t n)
{
    struct fr_h2_client *h = c->h2;
    size_t at = 0;

    while (at < n && !h->is_broken) {
        if (h->frame_n == 0) {
            ssize_t got = nghttp2_session_mem_send(h->session, &h->frame);

            if (got < 0) broken(c);
            if (got <= 0) break;
            h->frame_n = (size_t)got;
        }
        size_t take = h->frame_n < n - at ? h->frame_n : n - at;
        memcpy(p + at, h->frame, take);
        h->frame += take;
        h->frame_n -= take;
        at += take;
    }
    return at;
}

static void h2_end(struct fr_client_conn *c)
{
    (void)c; /* an answer without END_STREAM is not whole */
}

static enum fr_err h2_ping(struct fr_client_conn *c)
{
    return nghttp2_submit_ping(c->h2->session, NGHTTP2_FLAG_NONE, NULL) == 0 ? FR_OK : FR_E_NOMEM;
}

static void h2_goodbye(struct fr_client_conn *c)
{
    if (c->h2->is_broken) return;
    (void)nghttp2_session_terminate_session(c->h2->session,
                                            NGHTTP2_NO_ERROR); /* no memory: the FIN says it too */
}

const struct fr_client_proto fr_h2_client_proto = {
    .start = h2_start,
    .stop = h2_stop,
    .can_take = h2_can_take,
    .send = h2_send,
    .feed = h2_feed,
    .fill = h2_fill,
    .end = h2_end,
    .cancel = h2_cancel,
    .ping = h2_ping,
    .goodbye = h2_goodbye,
};
