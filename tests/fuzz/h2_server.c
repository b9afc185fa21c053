/* Bytes into an HTTP/2 server connection without a socket; the client's preface is put before them. The first byte says in how
 * large pieces they come. */
#include "transport/http_conn.h"
#include "transport/loop_poll.h"

static struct fr_http_exchange *later;

static void on_request(void *data, struct fr_http_exchange *x)
{
    (void)data;
    if (x->path.n == 0 || x->method.n == 0) __builtin_trap();
    if (fr_span_is(x->path, "/later") && !later)
        later = x;
    else if (fr_span_is(x->path, "/drop"))
        fr_http_drop(x);
    else
        fr_http_reply(x, 200, x->fields, x->n_fields < 8 ? x->n_fields : 8, x->body);
}

static void on_bytes(void *data, struct fr_http_exchange *x, struct fr_span bytes)
{
    size_t *taken = data;

    *taken += bytes.n;
    if (*taken > 100) fr_http_drop(x);
}

static void on_end(void *data, struct fr_http_exchange *x)
{
    (void)data;
    fr_http_reply(x, 200, NULL, 0, FR_SPAN_LIT("all of it"));
}

static void on_gone(void *data)
{
    (void)data;
}

/* A body may be taken as it comes, refused with an answer, or refused without. */
static void on_head(void *data, struct fr_http_exchange *x)
{
    static size_t taken;
    const struct fr_http_sink sink = {&taken, on_bytes, on_end, on_gone};

    (void)data;
    taken = 0;
    if (fr_span_is(x->path, "/take")) fr_http_take_body(x, &sink);
    if (fr_span_is(x->path, "/no")) fr_http_reply_text(x, 403, "no");
    if (fr_span_is(x->path, "/drop")) fr_http_drop(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fr_loop *loop;
    static struct fr_http_server *server;
    struct fr_http_conn *c = NULL;
    uint8_t out[4096];
    size_t step;

    if (!server) {
        struct fr_http_server_conf conf = fr_http_server_conf_default();
        const struct fr_http_handler handler = {.on_request = on_request, .on_head = on_head};

        conf.head_bytes = conf.target_bytes = 512;
        conf.body_bytes = 1024;
        conf.streams = 8;
        if (fr_loop_poll_new(NULL, &loop) != FR_OK) __builtin_trap();
        if (fr_http_server_new(loop, &conf, &handler, &server) != FR_OK) __builtin_trap();
    }
    if (size == 0) return 0;
    step = data[0] ? data[0] : size;
    if (fr_conn_open_detached(server, &fr_h2_proto, &c) != FR_OK) return 0;
    bool is_well = fr_h2_proto.feed(c, FR_SPAN_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    for (size_t at = 1; at < size && is_well && !c->is_closing; at += step) {
        size_t n = size - at < step ? size - at : step;

        is_well = fr_h2_proto.feed(c, fr_span(data + at, n));
        while (fr_h2_proto.fill(c, out, sizeof out) > 0) continue;
        if (c->in_progress > 8) __builtin_trap();
    }
    fr_conn_destroy(c);
    if (later)
        fr_http_reply(later, 200, NULL, 0, (struct fr_span){0}); /* to a peer that has gone */
    later = NULL;
    return 0;
}
