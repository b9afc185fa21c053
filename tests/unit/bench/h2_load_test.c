#include "bench/h2_load.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "support/unit.h"

/* The load connection against an nghttp2 server session, with two buffers between them. */

#define MESSAGE                                                                                    \
    "\0\0\0\0\0\1\0\0\0\0\0\0\20"                                                                  \
    "70b3d57ed0000001"                                                                             \
    "\6deveui\3fed\4test\0\0\1\0\1"
#define ANSWER "\0\0\x84\3\0\1\0\0\0\0\0\0"

struct pair {
    struct fr_h2_load *load;
    nghttp2_session *server;
    const char *status;
    unsigned requests, answers, resets, last_status;
    int last_rcode;
    int64_t last_took_us;
    char method[8], path[256];
    size_t body_n;
    bool is_resetting;
};

static ssize_t read_answer(nghttp2_session *s, int32_t id, uint8_t *p, size_t n, uint32_t *flags,
                           nghttp2_data_source *source, void *data)
{
    (void)s;
    (void)id;
    (void)source;
    (void)data;
    assert_true(n >= sizeof ANSWER - 1);
    memcpy(p, ANSWER, sizeof ANSWER - 1);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return sizeof ANSWER - 1;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *data)
{
    struct pair *p = data;
    const nghttp2_nv fields[] = {nv(":status", p->status), nv("content-length", "12")};
    const nghttp2_data_provider body = {.read_callback = read_answer};

    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    p->requests++;
    if (p->is_resetting)
        return nghttp2_submit_rst_stream(s, 0, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    return nghttp2_submit_response(s, frame->hd.stream_id, fields, 2, &body);
}

static void copy(char *to, size_t room, const uint8_t *from, size_t n)
{
    assert_true(n < room);
    memcpy(to, from, n);
    to[n] = '\0';
}

static int on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *data)
{
    struct pair *p = data;

    (void)s;
    (void)frame;
    (void)flags;
    if (name_n == 7 && memcmp(name, ":method", 7) == 0)
        copy(p->method, sizeof p->method, value, value_n);
    if (name_n == 5 && memcmp(name, ":path", 5) == 0) copy(p->path, sizeof p->path, value, value_n);
    return 0;
}

static int on_chunk(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *body, size_t n,
                    void *data)
{
    (void)s;
    (void)flags;
    (void)id;
    ((struct pair *)data)->body_n += n;
    assert_memory_equal(body, MESSAGE, n);
    return 0;
}

static void on_answer(void *data, const struct fr_h2_answer *answer)
{
    struct pair *p = data;

    p->answers++;
    if (answer->status == 0) p->resets++;
    p->last_status = answer->status;
    p->last_rcode = answer->rcode;
    p->last_took_us = answer->took_us;
}

static void open_pair(struct pair *p, const struct fr_h2_load_conf *conf, unsigned streams)
{
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams},
                                               {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 128}};
    nghttp2_session_callbacks *callbacks;

    *p = (struct pair){.status = "200"};
    assert_int_equal(fr_h2_load_new(conf, on_answer, p, &p->load), FR_OK);
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_chunk);
    assert_int_equal(nghttp2_session_server_new(&p->server, callbacks, p), 0);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(nghttp2_submit_settings(p->server, 0, settings, 2), 0);
}

static void close_pair(struct pair *p)
{
    nghttp2_session_del(p->server);
    fr_h2_load_free(p->load);
}

/* Moves all bytes both ways, the server's in pieces of `step`. */
static void exchange(struct pair *p, size_t step, int64_t now_us)
{
    struct fr_buf *out = fr_h2_load_out(p->load);
    const uint8_t *from;
    ssize_t n;

    assert_int_equal(nghttp2_session_mem_recv(p->server, out->p, out->n), out->n);
    fr_buf_reset(out);
    while ((n = nghttp2_session_mem_send(p->server, &from)) > 0)
        for (size_t at = 0; at < (size_t)n; at += step) {
            size_t some = (size_t)n - at < step ? (size_t)n - at : step;
            assert_int_equal(fr_h2_load_feed(p->load, fr_span(from + at, some), now_us), FR_OK);
        }
}

static const struct fr_span message = {(const uint8_t *)MESSAGE, sizeof MESSAGE - 1};
static const struct fr_h2_load_conf post = {
    .authority = "broker.fed.test:8443", .path = "/dns-query", .is_post = true, .streams = 4};

static void test_post(void **state)
{
    static const size_t steps[] = {1, 2, 7, 9, 100000};
    struct pair p;

    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        open_pair(&p, &post, 100);
        for (int round = 0; round < 50; round++) {
            while (fr_h2_load_can_ask(p.load))
                assert_int_equal(fr_h2_load_ask(p.load, message, 1000), FR_OK);
            assert_int_equal(fr_h2_load_open(p.load), 4);
            exchange(&p, steps[i], 1234);
            assert_int_equal(fr_h2_load_open(p.load), 0);
        }
        assert_int_equal(p.requests, 200);
        assert_int_equal(p.answers, 200);
        assert_int_equal(p.body_n, 200 * message.n);
        assert_string_equal(p.method, "POST");
        assert_string_equal(p.path, "/dns-query");
        assert_int_equal(p.last_status, 200);
        assert_int_equal(p.last_rcode, 3);
        assert_int_equal(p.last_took_us, 234);
        close_pair(&p);
    }
}

static void test_get(void **state)
{
    const struct fr_h2_load_conf get = {.authority = "h", .path = "/dns-query", .streams = 2};
    const struct fr_h2_load_conf plain = {
        .authority = "h", .path = "/x", .is_plain_get = true, .streams = 2};
    struct pair p;

    (void)state;
    open_pair(&p, &get, 100);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fr_h2_load_ask(p.load, message, 0), FR_OK);
        exchange(&p, 100, 0);
    }
    assert_int_equal(p.answers, 3);
    assert_string_equal(p.method, "GET");
    assert_string_equal(p.path, "/dns-query?dns=AAAAAAABAAAAAAAAEDcwYjNkNTdlZDAwMDAwMDEGZGV2ZXVpA2"
                                "ZlZAR0ZXN0AAABAAE");
    close_pair(&p);
    open_pair(&p, &plain, 100);
    assert_int_equal(fr_h2_load_ask(p.load, message, 0), FR_OK);
    exchange(&p, 100, 0);
    assert_string_equal(p.path, "/x");
    close_pair(&p);
}

static void test_the_status_is_always_that_of_its_answer(void **state)
{
    static const char *const statuses[] = {"200", "200", "429", "200", "429", "404", "429", "200"};
    struct pair p;

    (void)state;
    open_pair(&p, &post, 100);
    for (size_t i = 0; i < 100; i++) {
        p.status = statuses[i % COUNT(statuses)];
        assert_int_equal(fr_h2_load_ask(p.load, message, 0), FR_OK);
        exchange(&p, 5, 0);
        assert_int_equal(p.last_status, (p.status[0] - '0') * 100 + (p.status[1] - '0') * 10 +
                                            (p.status[2] - '0'));
    }
    close_pair(&p);
}

static void test_the_server_limits(void **state)
{
    struct pair p;

    (void)state;
    open_pair(&p, &post, 2);
    exchange(&p, 100, 0); /* its SETTINGS */
    unsigned asked = 0;
    for (; fr_h2_load_can_ask(p.load); asked++)
        assert_int_equal(fr_h2_load_ask(p.load, message, 0), FR_OK);
    assert_int_equal(asked, 2);
    p.is_resetting = true;
    exchange(&p, 100, 0);
    assert_int_equal(p.resets, 2);
    assert_int_equal(fr_h2_load_open(p.load), 0);
    assert_int_equal(nghttp2_session_terminate_session(p.server, NGHTTP2_NO_ERROR), 0);
    exchange(&p, 100, 0);
    assert_true(fr_h2_load_is_over(p.load));
    assert_false(fr_h2_load_can_ask(p.load));
    close_pair(&p);
}

static void test_a_server_that_breaks_the_protocol(void **state)
{
    static const struct {
        const char *label;
        const char *bytes;
        size_t n;
        enum fr_err err;
    } rows[] = {
        {"frame too large", "\0\x40\1\0\0\0\0\0\1", 9, FR_E_MALFORMED},
        {"SETTINGS cut", "\0\0\5\4\0\0\0\0\0abcde", 14, FR_E_MALFORMED},
        {"WINDOW_UPDATE cut", "\0\0\2\10\0\0\0\0\0ab", 11, FR_E_MALFORMED},
        {"header block cut", "\0\0\1\1\5\0\0\0\1\x40", 10, FR_E_MALFORMED},
        {"index of nothing", "\0\0\1\1\5\0\0\0\1\xfe", 10, FR_E_MALFORMED},
        {"CONTINUATION", "\0\0\0\11\4\0\0\0\1", 9, FR_E_UNSUPPORTED},
        {"head without its end", "\0\0\1\1\1\0\0\0\1\x88", 10, FR_E_UNSUPPORTED},
        {"unknown frame", "\0\0\1\x99\1\0\0\0\1x", 10, FR_OK},
        {"data of no stream", "\0\0\1\0\1\0\0\0\7x", 10, FR_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair p;
        open_pair(&p, &post, 100);
        assert_int_equal(fr_h2_load_ask(p.load, message, 0), FR_OK);
        struct fr_span in = fr_span((const uint8_t *)rows[i].bytes, rows[i].n);
        CHECK_ROW(rows[i].label, fr_h2_load_feed(p.load, in, 0) == rows[i].err);
        close_pair(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_the_status_is_always_that_of_its_answer),
        cmocka_unit_test(test_the_server_limits),
        cmocka_unit_test(test_a_server_that_breaks_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
