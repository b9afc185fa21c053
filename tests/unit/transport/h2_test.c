#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/loopback.h"
#include "support/unit.h"
#include "transport/http_conn.h"

/* The server's HTTP/2 without a socket: an nghttp2 client session on the other side of two buffers, so that a test can say what
 * our own client never would. Then both of ours over TLS on loopback. */

struct pair {
    struct lb lb;
    struct fr_http_conn *conn;
    nghttp2_session *peer;
    bool is_fed_well;   /* the server still wants the connection */
    unsigned n_answers; /* streams that ended with an answer */
    unsigned n_resets, last_reset, goaway;
    bool has_goaway;
    char status[4];
    size_t body_n;
    char body[64]; /* its start */
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *data)
{
    struct pair *p = data;

    (void)session;
    (void)frame;
    (void)flags;
    if (name_n == 7 && memcmp(name, ":status", 7) == 0 && value_n == 3) memcpy(p->status, value, 3);
    return 0;
}

static int on_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                    size_t n, void *user)
{
    struct pair *p = user;

    (void)session;
    (void)flags;
    (void)stream_id;
    if (p->body_n + n < sizeof p->body) memcpy(p->body + p->body_n, data, n);
    p->body_n += n;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct pair *p = data;

    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        p->n_resets++;
        p->last_reset = frame->rst_stream.error_code;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        p->has_goaway = true;
        p->goaway = frame->goaway.error_code;
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        p->n_answers++;
    return 0;
}

static void pair_start(struct pair *p, const struct fr_http_server_conf *conf)
{
    nghttp2_session_callbacks *callbacks;

    *p = (struct pair){.is_fed_well = true};
    lb_start(&p->lb, conf);
    assert_int_equal(fr_conn_open_detached(p->lb.server, &fr_h2_proto, &p->conn), FR_OK);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    assert_int_equal(nghttp2_session_client_new(&p->peer, callbacks, p), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(p->peer, 0, NULL, 0);
}

static void pair_stop(struct pair *p)
{
    nghttp2_session_del(p->peer);
    lb_stop(&p->lb);
}

/* Carries bytes both ways until nothing moves. */
static void exchange(struct pair *p)
{
    uint8_t out[FR_STREAM_CHUNK];
    const uint8_t *bytes;
    bool has_moved = true;

    while (has_moved) {
        has_moved = false;
        ssize_t n = nghttp2_session_mem_send(p->peer, &bytes);
        if (n > 0 && p->is_fed_well) {
            p->is_fed_well = fr_h2_proto.feed(p->conn, fr_span(bytes, (size_t)n));
            has_moved = true;
        }
        size_t got = fr_h2_proto.fill(p->conn, out, sizeof out);
        if (got > 0) {
            (void)nghttp2_session_mem_recv(p->peer, out, got);
            has_moved = true;
        }
    }
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), 0};
}

static ssize_t body_of_n(nghttp2_session *session, int32_t stream_id, uint8_t *p, size_t n,
                         uint32_t *flags, nghttp2_data_source *source, void *data)
{
    size_t *left = source->ptr;

    (void)session;
    (void)stream_id;
    (void)data;
    if (n > *left) n = *left;
    memset(p, 'b', n);
    *left -= n;
    if (*left == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int32_t ask(struct pair *p, const char *method, const char *path, const char *name,
                   const char *value, size_t *body)
{
    nghttp2_nv nvs[5] = {nv(":method", method), nv(":scheme", "https"), nv(":path", path),
                         nv(":authority", "h.test")};
    nghttp2_data_provider provider = {.source.ptr = body, .read_callback = body_of_n};
    size_t n = 4;

    if (name) nvs[n++] = nv(name, value);
    return nghttp2_submit_request(p->peer, NULL, nvs, n, body ? &provider : NULL, NULL);
}

static void answers_or_says_why_not(void **state)
{
    static const struct {
        const char *label, *method, *path, *name, *value;
        size_t body;
        const char *status;
    } rows[] = {
        {"GET", "GET", "/echo", NULL, NULL, 0, "200"},
        {"POST without a length", "POST", "/echo", NULL, NULL, 900, "200"},
        {"POST at the limit", "POST", "/echo", "content-length", "1000", 1000, "200"},
        {"POST above, announced", "POST", "/echo", "content-length", "1001", 1001, "413"},
        {"POST above, not announced", "POST", "/echo", NULL, NULL, 1001, "413"},
        {"far above", "POST", "/echo", NULL, NULL, 60000, "413"},
        {"not found", "GET", "/nothing", NULL, NULL, 0, "404"},
        {"HEAD", "HEAD", "/big?5000", NULL, NULL, 0, "200"},
        {"same host", "GET", "/echo", "host", "h.test", 0, "200"},
        {"another host", "GET", "/echo", "host", "other.test", 0, "400"},
        {"fragment", "GET", "/echo#x", NULL, NULL, 0, "400"},
        {"OPTIONS *", "OPTIONS", "*", NULL, NULL, 0, "404"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_http_server_conf conf = fr_http_server_conf_default();
        size_t left = rows[i].body;
        struct pair p;

        conf.body_bytes = 1000;
        pair_start(&p, &conf);
        ask(&p, rows[i].method, rows[i].path, rows[i].name, rows[i].value,
            rows[i].body ? &left : NULL);
        exchange(&p);
        if (strcmp(p.status, rows[i].status) != 0 || p.n_answers != 1)
            fail_msg("%s: status \"%s\", %u answers", rows[i].label, p.status, p.n_answers);
        CHECK_ROW(rows[i].label, strcmp(rows[i].method, "HEAD") != 0 || p.body_n == 0);
        CHECK_ROW(rows[i].label, p.is_fed_well && !p.conn->exchanges);

        /* and the connection is as good as before */
        p.n_answers = 0;
        ask(&p, "GET", "/echo", NULL, NULL, NULL);
        exchange(&p);
        CHECK_ROW(rows[i].label, strcmp(p.status, "200") == 0 && p.n_answers == 1);
        pair_stop(&p);
    }
}

static void large_header_lists_get_431(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    static char value[6000];
    struct pair p;

    (void)state;
    conf.head_bytes = 4000;
    conf.target_bytes = 500;
    memset(value, 'v', sizeof value - 1);
    pair_start(&p, &conf);
    ask(&p, "GET", "/echo", "x-large", value, NULL);
    exchange(&p);
    assert_string_equal(p.status, "431");
    assert_int_equal(p.lb.requests, 0);
    pair_stop(&p);
}

static void large_bodies_obey_flow_control(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    ask(&p, "GET", "/big?1000000", NULL, NULL, NULL);
    exchange(&p);
    assert_int_equal(p.body_n, 1000000);
    assert_int_equal(p.conn->backlog, 0);
    assert_null(p.conn->exchanges);
    pair_stop(&p);
}

static void answers_may_come_in_any_order(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    ask(&p, "GET", "/later", NULL, NULL, NULL);
    exchange(&p);
    struct fr_http_exchange *first = p.lb.later;
    ask(&p, "GET", "/later", NULL, NULL, NULL);
    exchange(&p);
    assert_ptr_not_equal(first, p.lb.later);
    fr_http_reply(p.lb.later, 202, NULL, 0, (struct fr_span){0});
    exchange(&p);
    assert_string_equal(p.status, "202");
    fr_http_reply(first, 201, NULL, 0, (struct fr_span){0});
    exchange(&p);
    assert_string_equal(p.status, "201");
    assert_int_equal(p.n_answers, 2);
    pair_stop(&p);
}

/* Rapid reset: streams are opened and reset at once; the work they started still counts. */
static void reset_streams_still_count_while_they_are_worked_on(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct fr_http_exchange *kept[4];
    struct pair p;

    (void)state;
    conf.streams = 4;
    pair_start(&p, &conf);
    exchange(&p);
    for (int i = 0; i < 4; i++) {
        int32_t id = ask(&p, "GET", "/later", NULL, NULL, NULL);
        exchange(&p);
        kept[i] = p.lb.later;
        nghttp2_submit_rst_stream(p.peer, 0, id, NGHTTP2_CANCEL);
        exchange(&p);
    }
    assert_int_equal(p.lb.requests, 4);
    ask(&p, "GET", "/later", NULL, NULL, NULL);
    exchange(&p);
    assert_int_equal(p.lb.requests, 4);
    assert_int_equal(p.last_reset, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(fr_http_server_counters(p.lb.server)->limit_streams, 1);
    for (int i = 0; i < 4; i++) fr_http_reply(kept[i], 200, NULL, 0, (struct fr_span){0});
    assert_null(p.conn->exchanges);
    ask(&p, "GET", "/echo", NULL, NULL, NULL);
    exchange(&p);
    assert_int_equal(p.lb.requests, 5);
    pair_stop(&p);
}

static void feed_raw(struct pair *p, const char *hex)
{
    uint8_t bytes[512];
    size_t n = 0;

    for (const char *c = hex; *c; c++) {
        unsigned v;
        if (*c == ' ') continue;
        assert_int_equal(sscanf(c, "%2x", &v), 1);
        bytes[n++] = (uint8_t)v;
        c++;
    }
    p->is_fed_well = fr_h2_proto.feed(p->conn, fr_span(bytes, n));
}

static void a_flood_of_resets_ends_the_connection(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    exchange(&p);
    for (int i = 0; i < 1000 && !p.has_goaway; i++) {
        int32_t id = ask(&p, "GET", "/echo", NULL, NULL, NULL);
        const uint8_t *bytes;

        if (id < 0) break;
        ssize_t n = nghttp2_session_mem_send(
            p.peer, &bytes); /* the request alone, its answer not fetched */
        if (n > 0 && p.is_fed_well)
            p.is_fed_well = fr_h2_proto.feed(p.conn, fr_span(bytes, (size_t)n));
        nghttp2_submit_rst_stream(p.peer, 0, id, NGHTTP2_CANCEL);
        exchange(&p);
    }
    assert_true(p.has_goaway);
    assert_int_equal(p.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_int_equal(fr_http_server_counters(p.lb.server)->limit_resets, 1);
    pair_stop(&p);
}

/* "Made you reset": each request is answered by a reset of ours, because the peer breaks the rules of a stream. */
static void provoked_resets_are_counted_like_sent_ones(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct pair p;

    (void)state;
    conf.resets = 20;
    pair_start(&p, &conf);
    exchange(&p);
    unsigned asked = 0;
    for (; asked < 100 && !p.has_goaway; asked++) {
        char hex[32];
        int32_t id = ask(&p, "GET", "/later", NULL, NULL, NULL);

        exchange(&p);
        /* A window beyond 2^31 - 1: an error of the stream, RFC 9113 §6.9.1 */
        (void)snprintf(hex, sizeof hex, "0000040800%08x7fffffff", (unsigned)id);
        feed_raw(&p, hex);
        exchange(&p);
        if (p.lb.later) fr_http_reply(p.lb.later, 200, NULL, 0, (struct fr_span){0});
        p.lb.later = NULL;
    }
    assert_true(p.has_goaway);
    assert_int_equal(p.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_in_range(asked, 20, 22);
    assert_int_equal(fr_http_server_counters(p.lb.server)->limit_resets, 1);
    pair_stop(&p);
}

static void a_flood_of_control_frames_ends_the_connection(void **state)
{
    static const struct {
        const char *label, *hex; /* one frame */
    } rows[] = {
        {"PING", "0000080600000000000000000000000000"},
        {"SETTINGS", "000000040000000000"},
        {"WINDOW_UPDATE", "00000408000000000000000001"},
        {"PRIORITY", "0000050200000000010000000010"},
    };
    struct fr_http_server_conf conf = fr_http_server_conf_default();

    (void)state;
    conf.control_frames = 50;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair p;
        uint8_t said[256];
        unsigned sent = 0;

        pair_start(&p, &conf);
        exchange(&p);
        const struct fr_http_server_counters *counters = fr_http_server_counters(p.lb.server);
        for (; sent < 200 && counters->limit_control == 0; sent++) {
            feed_raw(&p, rows[i].hex);
            /* nobody looks at what we say: answers to SETTINGS would surprise the peer's session */
            while (fr_h2_proto.fill(p.conn, said, sizeof said) > 0) continue;
        }
        CHECK_ROW(rows[i].label, counters->limit_control == 1);
        CHECK_ROW(rows[i].label, sent >= 45 && sent <= 50);
        CHECK_ROW(rows[i].label, p.conn->is_closing && !fr_h2_proto.can_read(p.conn));
        pair_stop(&p);
    }
}

/* What a busy honest client sends along with its requests is no flood. */
static void control_frames_with_requests_are_forgiven(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct pair p;

    (void)state;
    conf.control_frames = 20;
    pair_start(&p, &conf);
    exchange(&p);
    for (unsigned i = 0; i < 200; i++) {
        ask(&p, "GET", "/echo", NULL, NULL, NULL);
        feed_raw(&p, "00000408000000000000000001");
        feed_raw(&p, "0000080600000000000000000000000000");
        exchange(&p);
    }
    assert_false(p.has_goaway);
    assert_int_equal(p.n_answers, 200);
    pair_stop(&p);
}

static void hostile_frames_end_the_connection(void **state)
{
    static const struct {
        const char *label, *frame;
    } rows[] = {
        {"not a preface", "474554202f20485454502f312e310d0a0d0a00000000000000"},
        {"DATA on stream 0", "000001 00 00 00000000 61"},
        {"HEADERS on stream 2", "000001 01 05 00000002 82"},
        {"SETTINGS with a stream", "000000 04 00 00000001"},
        {"SETTINGS of 5 bytes", "000005 04 00 00000000 0001000000"},
        {"PING of 7 bytes", "000007 06 00 00000000 00000000000000"},
        {"WINDOW_UPDATE by 0", "000004 08 00 00000000 00000000"},
        {"CONTINUATION without HEADERS", "000001 09 04 00000001 82"},
        {"a frame too long", "ffffff 00 00 00000001"},
        {"PUSH_PROMISE from a client", "000005 05 04 00000001 0000000282"},
        {"RST_STREAM of an idle stream", "000004 03 00 00000005 00000000"},
        {"bad HPACK", "000002 01 05 00000001 ffff"},
        {"a stream skipped, then used", "000001 01 04 00000005 82 000001 01 04 00000003 82"},
        {"no SETTINGS first", "skip"},
        {"an ACK of SETTINGS with a payload", "000006 04 01 00000000 000100000000"},
        {"ENABLE_PUSH of 2", "000006 04 00 00000000 000200000002"},
        {"an initial window of 2^31", "000006 04 00 00000000 000480000000"},
        {"a frame size below the least", "000006 04 00 00000000 000500003fff"},
        {"PING on a stream", "000008 06 00 00000001 0000000000000000"},
        {"GOAWAY on a stream", "000008 07 00 00000001 0000000000000000"},
        {"GOAWAY of 7 bytes", "000007 07 00 00000000 00000000000000"},
        {"WINDOW_UPDATE of 3 bytes", "000003 08 00 00000000 000001"},
        {"WINDOW_UPDATE of an idle stream", "000004 08 00 00000001 00000001"},
        {"PRIORITY of 4 bytes", "000004 02 00 00000001 00000000"},
        {"PRIORITY on stream 0", "000005 02 00 00000000 0000000010"},
        {"PRIORITY that depends on itself", "000005 02 00 00000001 0000000110"},
        {"RST_STREAM of 3 bytes", "000001 01 04 00000001 82 000003 03 00 00000001 000000"},
        {"DATA of an idle stream", "000001 00 00 00000001 61"},
        {"HEADERS with more padding than payload", "000002 01 0d 00000001 0282"},
        {"HEADERS too short for its priority", "000002 01 25 00000001 8282"},
        {"another frame between HEADERS and CONTINUATION",
         "000001 01 00 00000001 82 000008 06 00 00000000 0000000000000000"},
        {"an unknown frame there", "000001 01 00 00000001 82 000000 20 00 00000000"},
        {"HEADERS on a stream that is over",
         "000004 01 05 00000001 82878401 000004 03 00 00000001 00000008 000001 01 05 00000001 82"},
        {"SETTINGS of 33 entries",
         "0000c6 04 00 00000000 000300000001 000300000001 000300000001 000300000001 000300000001"
         "000300000001 000300000001 000300000001 000300000001 000300000001 000300000001 "
         "000300000001"
         "000300000001 000300000001 000300000001 000300000001 000300000001 000300000001 "
         "000300000001"
         "000300000001 000300000001 000300000001 000300000001 000300000001 000300000001 "
         "000300000001"
         "000300000001 000300000001 000300000001 000300000001 000300000001 000300000001 "
         "000300000001"},
    };
    static const char preface[] =
        "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a 000000 04 00 00000000";

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair p;

        pair_start(&p, NULL);
        if (strcmp(rows[i].frame, "skip") == 0)
            feed_raw(&p, "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a 000008 06 00 00000000"
                         "0000000000000000");
        else if (i > 0)
            feed_raw(&p, preface);
        if (strcmp(rows[i].frame, "skip") != 0) feed_raw(&p, rows[i].frame);
        uint8_t out[FR_STREAM_CHUNK];
        (void)fr_h2_proto.fill(p.conn, out, sizeof out);
        CHECK_ROW(rows[i].label, !p.is_fed_well || p.conn->is_closing);
        CHECK_ROW(rows[i].label, p.lb.requests == 0);
        pair_stop(&p);
    }
}

/* The peer's own session sends one request; the same bytes one by one must do the same. */
static void frames_may_come_in_any_pieces(void **state)
{
    for (size_t step = 1; step < 40; step += 3) {
        size_t left = 700;
        struct pair p;
        const uint8_t *bytes;
        ssize_t n;

        (void)state;
        pair_start(&p, NULL);
        ask(&p, "POST", "/echo", NULL, NULL, &left);
        while ((n = nghttp2_session_mem_send(p.peer, &bytes)) > 0)
            for (size_t at = 0; at < (size_t)n; at += step) {
                size_t piece = (size_t)n - at < step ? (size_t)n - at : step;

                assert_true(fr_h2_proto.feed(p.conn, fr_span(bytes + at, piece)));
            }
        assert_false(fr_h2_proto.is_partial(p.conn));
        exchange(&p);
        assert_string_equal(p.status, "200");
        assert_int_equal(p.body_n, 700 + strlen("POST /echo "));
        pair_stop(&p);
    }
}

/* A frame that began and does not go on is a request that takes too long, whatever it will be. */
static void half_a_frame_is_partial(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    exchange(&p);
    assert_false(fr_h2_proto.is_partial(p.conn));
    p.conn->request_ms = -5;
    feed_raw(&p, "000008 06 00 0000");
    assert_true(fr_h2_proto.is_partial(p.conn));
    assert_true(p.conn->request_ms >= 0);
    feed_raw(&p, "0000 0000000000000000");
    assert_false(fr_h2_proto.is_partial(p.conn));
    assert_int_equal(p.conn->request_ms,
                     -5); /* a PING was no request: the connection is as idle as before */
    pair_stop(&p);
}

/* Answers that the peer's windows stop go on when they open: by SETTINGS, then 100 octets at a time by WINDOW_UPDATE. */
static void answers_wait_for_windows(void **state)
{
    const nghttp2_settings_entry none = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    const nghttp2_settings_entry some = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 100};
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    nghttp2_submit_settings(p.peer, 0, &none, 1);
    exchange(&p);
    ask(&p, "GET", "/big?1000", NULL, NULL, NULL);
    ask(&p, "HEAD", "/big?1000", NULL, NULL, NULL);
    exchange(&p);
    assert_string_equal(p.status, "200");
    assert_int_equal(p.body_n, 0);
    assert_int_equal(p.n_answers, 1); /* HEAD's */
    assert_int_equal(p.conn->backlog, 1000);
    assert_true(fr_h2_proto.can_read(p.conn));
    assert_false(fr_h2_proto.is_quiet(p.conn));
    nghttp2_submit_settings(p.peer, 0, &some, 1);
    exchange(&p);
    assert_int_equal(p.body_n, 1000);
    assert_int_equal(p.n_answers, 2);
    assert_int_equal(p.conn->backlog, 0);
    assert_null(p.conn->exchanges);
    pair_stop(&p);
}

/* The peer's table may be of any size: our answers use none. */
static void the_peers_table_may_shrink(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    for (uint32_t size = 8192; size > 0; size /= 16) {
        const nghttp2_settings_entry table = {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, size % 8192};

        nghttp2_submit_settings(p.peer, 0, &table, 1);
        ask(&p, "GET", "/echo", NULL, NULL, NULL);
        exchange(&p);
        assert_string_equal(p.status, "200");
        p.status[0] = '\0';
    }
    assert_false(p.has_goaway);
    pair_stop(&p);
}

/* Only padding: octets without a request in them. */
static void padding_alone_is_a_flood(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct pair p;

    (void)state;
    conf.control_frames = 20;
    pair_start(&p, &conf);
    exchange(&p);
    feed_raw(&p, "00000b 01 04 00000001 838784 4106 682e74657374");
    for (unsigned i = 0; i < 30; i++) feed_raw(&p, "000004 00 08 00000001 03000000");
    assert_true(p.conn->is_closing);
    assert_int_equal(fr_http_server_counters(p.lb.server)->limit_control, 1);
    pair_stop(&p);
}

/* DATA that was on its way when we reset the stream is no fault; the same on a stream the peer reset is. */
static void late_frames_are_told_from_wrong_ones(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    exchange(&p);
    feed_raw(&p, "000001 01 04 00000001 83"); /* malformed: reset by us */
    feed_raw(&p, "000001 00 00 00000001 61");
    feed_raw(&p, "000001 01 05 00000001 84");
    assert_false(p.conn->is_closing);
    feed_raw(&p, "00000b 01 04 00000003 838784 4106 682e74657374 000004 03 00 00000003 00000008");
    assert_false(p.conn->is_closing);
    feed_raw(&p, "000001 00 00 00000003 61");
    assert_true(p.conn->is_closing);
    pair_stop(&p);
}

static void bodies_must_be_as_long_as_they_say(void **state)
{
    static const struct {
        const char *label, *said;
        size_t body;
    } rows[] = {{"shorter", "11", 10}, {"longer", "9", 10}, {"none", "1", 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t left = rows[i].body;
        struct pair p;

        pair_start(&p, NULL);
        ask(&p, "POST", "/echo", "content-length", rows[i].said, left ? &left : NULL);
        exchange(&p);
        CHECK_ROW(rows[i].label, p.n_resets == 1 && p.last_reset == NGHTTP2_PROTOCOL_ERROR);
        CHECK_ROW(rows[i].label, p.lb.requests == 0 && !p.has_goaway && !p.conn->exchanges);
        pair_stop(&p);
    }
}

/* What a handler saw of the last requests is what they said, although most of their lists are not decoded (h2_repeat.h). */
static void repeated_lists_are_read_as_if_new(void **state)
{
    static const struct {
        const char *method, *path, *value, *want;
        size_t body;
    } rows[] = {
        {"GET", "/echo?1", "a", "GET /echo?1 ", 0},
        {"GET", "/echo?2", "a", "GET /echo?2 ", 0},
        {"GET", "/echo?a-rather-longer-path-than-before", "a",
         "GET /echo?a-rather-longer-path-than-before ", 0},
        {"GET", "/echo?\"~\"~\"~\"~|||||", "a", "GET /echo?\"~\"~\"~\"~|||||", 0},
        {"GET", "/nothing", "a", "no such path", 0},
        {"GET", "/echo?3", "b", "GET /echo?3 ", 0}, /* b is new in the table */
        {"GET", "/echo?4", "b", "GET /echo?4 ", 0},
        {"GET", "/echo?5", "a", "GET /echo?5 ", 0},
        {"POST", "/echo", "a", "POST /echo bb", 2},
        {"POST", "/echo", "a", "POST /echo bbb", 3},
        {"POST", "/echo", "a", "POST /echo b", 1},
        {"GET", "/echo#", "a", "Bad Request", 0},
        {"GET", "/echo?6", "b", "GET /echo?6 ", 0},
        {"GET", "echo", "b", "Bad Request", 0},
        {"GET", "/echo?7", "b", "GET /echo?7 ", 0},
    };
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    for (size_t i = 0; i < 5 * COUNT(rows); i++) {
        size_t row = i * 7 % COUNT(rows), left = rows[row].body;

        memset(p.body, 0, sizeof p.body);
        p.body_n = 0;
        ask(&p, rows[row].method, rows[row].path, "x-value", rows[row].value, left ? &left : NULL);
        exchange(&p);
        if (strncmp(p.body, rows[row].want, strlen(rows[row].want)) != 0)
            fail_msg("%zu, %s %s: \"%s\"", i, rows[row].method, rows[row].path, p.body);
    }
    assert_false(p.has_goaway);
    assert_int_equal(p.n_resets, 0);
    pair_stop(&p);
}

static void draining_lets_answers_out(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    ask(&p, "GET", "/later", NULL, NULL, NULL);
    exchange(&p);
    fr_http_conn_close(p.conn);
    exchange(&p);
    assert_true(p.has_goaway);
    assert_false(fr_h2_proto.is_quiet(p.conn));
    fr_http_reply(p.lb.later, 200, NULL, 0, (struct fr_span){0});
    exchange(&p);
    assert_int_equal(p.n_answers, 1);
    assert_true(fr_h2_proto.is_quiet(p.conn));
    pair_stop(&p);
}

/* Streams that began after the real GOAWAY are not looked at, and no later one claims them. RFC 9113 §6.8 */
static void a_last_goaway_is_not_taken_back(void **state)
{
    static const uint8_t goaway[] = {0, 0, 8, NGHTTP2_GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    uint8_t out[FR_STREAM_CHUNK];
    struct pair p;

    (void)state;
    pair_start(&p, NULL);
    exchange(&p);
    feed_raw(&p, "00000b 01 05 00000001 828784 4106 682e74657374");
    fr_http_conn_close(p.conn);
    (void)fr_h2_proto.fill(p.conn, out, sizeof out);
    feed_raw(&p, "00000b 01 05 00000003 828784 4106 682e74657374");
    assert_int_equal(p.lb.requests, 1);
    assert_int_equal(fr_h2_proto.fill(p.conn, out, sizeof out), 0);
    feed_raw(&p, "000007 06 00 00000000 00000000000000");
    size_t n = fr_h2_proto.fill(p.conn, out, sizeof out);
    assert_int_equal(n, sizeof goaway + 4);
    assert_memory_equal(out, goaway, sizeof goaway);
    pair_stop(&p);
}

/* Both halves over TLS. */
struct secure {
    struct lb lb;
    struct test_ca *ca;
    struct test_id server, member;
    struct fr_tls_ctx *ctx;
    struct fr_http_client *client;
};

static void secure_start(struct secure *s, const struct fr_http_server_conf *conf)
{
    s->ca = test_ca_new("CA");
    test_issue(s->ca, &(struct test_leaf){.cn = "server", .names = {"h.test"}}, &s->server);
    test_issue(s->ca, &(struct test_leaf){.cn = "acme", .names = {"acme.member.test"}}, &s->member);
    lb_start(&s->lb, conf);
    s->lb.services[0] =
        (struct lb_service){"h.test", lb_server_ctx(&s->server, s->ca), FR_TLS_CERT_REQUIRE, "x"};
    lb_listen_tls(&s->lb);
    s->ctx = lb_client_ctx(&s->member, s->ca);
    s->client = lb_client(&s->lb, "h.test", s->ctx, NULL);
}

static void secure_stop(struct secure *s)
{
    fr_http_client_free(s->client);
    fr_tls_ctx_unref(s->ctx);
    lb_stop(&s->lb);
    test_id_free(&s->server);
    test_id_free(&s->member);
    test_ca_free(s->ca);
}

static void many_calls_share_one_connection(void **state)
{
    struct lb_answer answers[60];
    struct secure s;

    (void)state;
    secure_start(&s, NULL);
    for (size_t i = 0; i < COUNT(answers); i++) {
        char target[32];

        snprintf(target, sizeof target, "/echo?%zu", i);
        lb_send(s.client, "POST", target, "body", &answers[i]);
    }
    for (size_t i = 0; i < COUNT(answers); i++) {
        char want[64];

        lb_until(&s.lb, &answers[i].is_done);
        snprintf(want, sizeof want, "POST /echo?%zu body", i);
        assert_string_equal(answers[i].body, want);
    }
    assert_int_equal(fr_http_client_counters(s.client)->connects, 1);
    secure_stop(&s);
}

static void a_first_request_is_cheap(void **state)
{
    const struct fr_http_client_counters *n;
    struct lb_answer a;
    struct secure s;

    (void)state;
    secure_start(&s, NULL);
    lb_call(&s.lb, s.client, "POST", "/echo", "0123456789", &a);
    n = fr_http_client_counters(s.client);
    assert_int_equal(n->round_trips, 3); /* TCP, TLS, HTTP: nothing waits for anything else */
    if (n->segments_out + n->segments_in > 12)
        fail_msg("%d + %d segments", (int)n->segments_out, (int)n->segments_in);

    uint64_t before = n->segments_out + n->segments_in;
    lb_call(&s.lb, s.client, "POST", "/echo", "0123456789", &a);
    n = fr_http_client_counters(s.client);
    assert_true(n->segments_out + n->segments_in - before <= 5);
    assert_int_equal(n->round_trips, 4);
    secure_stop(&s);
}

static void the_server_may_refuse_and_reset(void **state)
{
    struct lb_answer a, b;
    struct secure s;

    (void)state;
    secure_start(&s, NULL);
    lb_call(&s.lb, s.client, "GET", "/drop", "", &a);
    assert_int_equal(a.fault, FR_HTTP_CLOSED);
    lb_call(&s.lb, s.client, "GET", "/close", "", &a);
    assert_string_equal(a.body, "bye");
    lb_turns(&s.lb, 10);
    assert_int_equal(fr_http_server_counters(s.lb.server)->open, 0);
    lb_call(&s.lb, s.client, "GET", "/echo", "", &b); /* on a new connection */
    assert_int_equal(b.fault, FR_HTTP_OK);
    assert_int_equal(fr_http_client_counters(s.client)->connects, 2);
    assert_int_equal(fr_http_client_counters(s.client)->handshakes_resumed, 1);
    secure_stop(&s);
}

static void set_flag(void *data)
{
    *(bool *)data = true;
}

static void a_stopping_server_finishes_its_work(void **state)
{
    struct lb_answer a;
    struct secure s;
    bool is_stopped = false;

    (void)state;
    secure_start(&s, NULL);
    lb_send(s.client, "GET", "/later", "", &a);
    for (int i = 0; i < 200 && !s.lb.later; i++) lb_turns(&s.lb, 1);
    fr_http_server_stop(s.lb.server, 2000, set_flag, &is_stopped);
    lb_turns(&s.lb, 5);
    fr_http_reply(s.lb.later, 200, NULL, 0, fr_span_str("in time"));
    lb_until(&s.lb, &a.is_done);
    assert_string_equal(a.body, "in time");
    lb_until(&s.lb, &is_stopped);
    secure_stop(&s);
}

static void large_bodies_go_both_ways(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    char *body = malloc(300001);
    struct lb_answer a;
    struct secure s;

    (void)state;
    memset(body, 'x', 300000);
    body[300000] = '\0';
    conf.body_bytes = 1 << 20;
    secure_start(&s, &conf);
    lb_call(&s.lb, s.client, "POST", "/echo", body, &a);
    assert_int_equal(a.fault, FR_HTTP_OK);
    assert_int_equal(a.body_n, 300000 + strlen("POST /echo "));
    lb_call(&s.lb, s.client, "GET", "/big?2000000", "", &a);
    assert_int_equal(a.fault, FR_HTTP_TOO_LARGE);
    lb_call(&s.lb, s.client, "GET", "/big?1000000", "", &a); /* the connection has survived that */
    assert_int_equal(a.body_n, 1000000);
    assert_int_equal(fr_http_client_counters(s.client)->connects, 1);
    free(body);
    secure_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_or_says_why_not),
        cmocka_unit_test(large_header_lists_get_431),
        cmocka_unit_test(large_bodies_obey_flow_control),
        cmocka_unit_test(answers_may_come_in_any_order),
        cmocka_unit_test(reset_streams_still_count_while_they_are_worked_on),
        cmocka_unit_test(a_flood_of_resets_ends_the_connection),
        cmocka_unit_test(provoked_resets_are_counted_like_sent_ones),
        cmocka_unit_test(a_flood_of_control_frames_ends_the_connection),
        cmocka_unit_test(control_frames_with_requests_are_forgiven),
        cmocka_unit_test(hostile_frames_end_the_connection),
        cmocka_unit_test(frames_may_come_in_any_pieces),
        cmocka_unit_test(half_a_frame_is_partial),
        cmocka_unit_test(answers_wait_for_windows),
        cmocka_unit_test(the_peers_table_may_shrink),
        cmocka_unit_test(padding_alone_is_a_flood),
        cmocka_unit_test(late_frames_are_told_from_wrong_ones),
        cmocka_unit_test(bodies_must_be_as_long_as_they_say),
        cmocka_unit_test(repeated_lists_are_read_as_if_new),
        cmocka_unit_test(draining_lets_answers_out),
        cmocka_unit_test(a_last_goaway_is_not_taken_back),
        cmocka_unit_test(many_calls_share_one_connection),
        cmocka_unit_test(a_first_request_is_cheap),
        cmocka_unit_test(the_server_may_refuse_and_reset),
        cmocka_unit_test(a_stopping_server_finishes_its_work),
        cmocka_unit_test(large_bodies_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
