/* Header lists that come again (transport/h2_repeat.h): what a server makes of a list must not depend on the one before it, as
 * long as that one changed no table. The first byte says how long the first list is. */
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "transport/h2_repeat.h"
#include "transport/loop_poll.h"

static struct fr_buf seen = FR_BUF_INIT(1 << 20); /* the last request, as its handler saw it */

static void see(struct fr_span text)
{
    fr_buf_printf(&seen, "%zu:", text.n);
    fr_buf_add_span(&seen, text);
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    (void)data;
    fr_buf_reset(&seen);
    see(x->method);
    see(x->path);
    see(x->query);
    see(x->authority);
    fr_buf_printf(&seen, "%d %zu", x->has_query, x->n_fields);
    for (size_t i = 0; i < x->n_fields; i++) {
        see(x->fields[i].name);
        see(x->fields[i].value);
    }
    fr_http_reply(x, 200, NULL, 0, (struct fr_span){0});
}

static void send_list(struct fr_http_conn *c, uint8_t id, struct fr_span block)
{
    const uint8_t head[] = {0,
                            (uint8_t)(block.n >> 8),
                            (uint8_t)block.n,
                            NGHTTP2_HEADERS,
                            NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                            0,
                            0,
                            0,
                            id};

    (void)fr_h2_proto.feed(c, fr_span(head, sizeof head));
    (void)fr_h2_proto.feed(c, block);
}

/* The octets that answer `block`, sent behind `before` (empty: as the first); how many. */
static size_t answer(struct fr_http_server *server, struct fr_span before, struct fr_span block,
                     uint8_t *out, size_t size)
{
    static const uint8_t settings[] = {0, 0, 0, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0};
    struct fr_http_conn *c;
    size_t n = 0;

    if (fr_conn_open_detached(server, &fr_h2_proto, &c) != FR_OK) __builtin_trap();
    (void)fr_h2_proto.feed(c, FR_SPAN_LIT(NGHTTP2_CLIENT_MAGIC));
    (void)fr_h2_proto.feed(c, fr_span(settings, sizeof settings));
    for (int i = 0; before.n > 0 && i < 2; i++) send_list(c, (uint8_t)(2 * i + 1), before);
    while (fr_h2_proto.fill(c, out, size) > 0) continue;
    fr_buf_reset(&seen);
    if (!c->is_closing) {
        send_list(c, 5, block);
        n = fr_h2_proto.fill(c, out, size);
    }
    fr_conn_destroy(c);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fr_loop *loop;
    static struct fr_http_server *server;
    static uint8_t alone[65536], behind[65536];

    if (!server) {
        const struct fr_http_server_conf conf = fr_http_server_conf_default();
        const struct fr_http_handler handler = {.on_request = on_request};

        if (fr_loop_poll_new(NULL, &loop) != FR_OK) __builtin_trap();
        if (fr_http_server_new(loop, &conf, &handler, &server) != FR_OK) __builtin_trap();
    }
    if (size < 2 || size > 2000 || data[0] + 1u >= size) return 0;
    const struct fr_span first = fr_span(data + 1, data[0]);
    const struct fr_span second = fr_span(data + 1 + data[0], size - 1 - data[0]);
    if (!fr_h2_block_scan(first).is_lasting) return 0;

    size_t alone_n = answer(server, (struct fr_span){0}, second, alone, sizeof alone);
    struct fr_buf wanted = seen;
    seen = FR_BUF_INIT(1 << 20);
    size_t behind_n = answer(server, first, second, behind, sizeof behind);
    /* A first list that ends the connection leaves nothing to compare. */
    if (behind_n > 0 && !fr_span_equal(fr_buf_span(&seen), fr_buf_span(&wanted))) __builtin_trap();
    /* The first answer of a connection has one octet more, the size of the table; the date may pass. */
    if (behind_n > 0 && (alone_n > 40) != (behind_n > 40)) __builtin_trap();
    fr_buf_deinit(&wanted);
    fr_buf_deinit(&seen);
    return 0;
}
