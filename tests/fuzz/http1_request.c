/* Bytes into an HTTP/1 server connection without a socket. The first byte says in how large pieces they come. */
#include "transport/http_conn.h"
#include "transport/loop_poll.h"

static void on_request(void *data, struct fr_http_exchange *x)
{
    (void)data;
    if (x->path.n == 0 || x->method.n == 0) __builtin_trap();
    if (fr_span_is(x->path, "/drop"))
        fr_http_drop(x);
    else
        fr_http_reply(x, 200, x->fields, x->n_fields < 8 ? x->n_fields : 8, x->body);
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
        const struct fr_http_handler handler = {.on_request = on_request};

        conf.head_bytes = conf.target_bytes = 512;
        conf.body_bytes = 1024;
        if (fr_loop_poll_new(NULL, &loop) != FR_OK) __builtin_trap();
        if (fr_http_server_new(loop, &conf, &handler, &server) != FR_OK) __builtin_trap();
    }
    if (size == 0) return 0;
    step = data[0] ? data[0] : size;
    if (fr_conn_open_detached(server, &fr_h1_proto, &c) != FR_OK) return 0;
    for (size_t at = 1; at < size && fr_h1_proto.can_read(c); at += step) {
        size_t n = size - at < step ? size - at : step;

        c->handled = 0;
        if (!fr_h1_proto.feed(c, fr_span(data + at, n))) break;
        while (fr_h1_proto.fill(c, out, sizeof out) > 0)
            (void)fr_h1_proto.feed(c, (struct fr_span){0});
    }
    if (c->backlog > 1 << 20) __builtin_trap();
    fr_conn_destroy(c);
    return 0;
}
