#include "transport/h1_parse.h"

#include <stdio.h>
#include <string.h>

#include "support/unit.h"

static const struct fr_h1_limits LIMITS = {.head_bytes = 1024, .target_bytes = 128};

struct request_row {
    const char *label, *in;
    const char *method, *path, *query, *authority; /* NULL: not compared */
    enum fr_h1_framing framing;
    uint64_t length;
    bool is_kept;
};

static const struct request_row REQUESTS[] = {
    {"plain GET", "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/x", "", "h", FR_H1_NO_BODY, 0,
     true},
    {"query", "GET /x?a=b?c HTTP/1.1\r\nHost: h:80\r\n\r\n", "GET", "/x", "a=b?c", "h:80",
     FR_H1_NO_BODY, 0, true},
    {"1.0 without host", "GET / HTTP/1.0\r\n\r\n", "GET", "/", "", "", FR_H1_NO_BODY, 0, false},
    {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", NULL, NULL, NULL, NULL,
     FR_H1_NO_BODY, 0, true},
    {"close in a list", "GET / HTTP/1.1\r\nHost: h\r\nConnection: te, Close\r\n\r\n", NULL, NULL,
     NULL, NULL, FR_H1_NO_BODY, 0, false},
    {"later 1.x", "GET / HTTP/1.7\r\nHost: h\r\n\r\n", NULL, NULL, NULL, NULL, FR_H1_NO_BODY, 0,
     true},
    {"length", "POST / HTTP/1.1\r\nHost: h\r\ncontent-LENGTH:\t12 \r\n\r\n", NULL, NULL, NULL, NULL,
     FR_H1_LENGTH, 12, true},
    {"length 0", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", NULL, NULL, NULL, NULL,
     FR_H1_NO_BODY, 0, true},
    {"chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n", NULL, NULL,
     NULL, NULL, FR_H1_CHUNKED, 0, true},
    {"absolute target", "GET http://a.b:1/c?d HTTP/1.1\r\nHost: other\r\n\r\n", "GET", "/c", "d",
     "a.b:1", FR_H1_NO_BODY, 0, true},
    {"absolute without path", "GET http://a?d HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "d", "a",
     FR_H1_NO_BODY, 0, true},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS", "*", "", "h", FR_H1_NO_BODY,
     0, true},
    {"obs-text in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: \xc3\xa9\r\n\r\n", NULL, NULL, NULL,
     NULL, FR_H1_NO_BODY, 0, true},
    {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", NULL, NULL, NULL, "", FR_H1_NO_BODY, 0, true},
};

static const struct {
    const char *label, *in;
    enum fr_err err;
    unsigned status;
} REFUSED[] = {
    {"no host", "GET / HTTP/1.1\r\n\r\n", FR_E_MALFORMED, 400},
    {"two hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"host with a slash", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", FR_E_MALFORMED, 400},
    {"host with a user", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", FR_E_MALFORMED, 400},
    {"length and chunked",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     FR_E_MALFORMED, 400},
    {"length twice, equal",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", FR_E_MALFORMED,
     400},
    {"length as a list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n",
     FR_E_MALFORMED, 400},
    {"length with a sign", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n",
     FR_E_MALFORMED, 400},
    {"length in hex", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\n", FR_E_MALFORMED,
     400},
    {"length empty", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", FR_E_MALFORMED, 400},
    {"length too long",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", FR_E_MALFORMED,
     400},
    {"chunked twice",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n",
     FR_E_MALFORMED, 400},
    {"another coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     FR_E_UNSUPPORTED, 501},
    {"identity coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n",
     FR_E_UNSUPPORTED, 501},
    {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", FR_E_MALFORMED,
     400},
    {"fold", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", FR_E_MALFORMED, 400},
    {"fold first", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"blank before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", FR_E_MALFORMED, 400},
    {"no colon", "GET / HTTP/1.1\r\nHost: h\r\nfoo\r\n\r\n", FR_E_MALFORMED, 400},
    {"empty name", "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", FR_E_MALFORMED, 400},
    {"bare CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", FR_E_MALFORMED, 400},
    {"bare CR at the end of a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\r\n\r\n", FR_E_MALFORMED,
     400},
    {"control in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\x01\r\n\r\n", FR_E_MALFORMED, 400},
    {"no version", "GET /\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"two blanks", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"blank in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"tab for a blank", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"relative target", "GET x HTTP/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"star for GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"method with a slash", "G/T / HTTP/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"lower-case http", "GET / http/1.1\r\nHost: h\r\n\r\n", FR_E_MALFORMED, 400},
    {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n", FR_E_UNSUPPORTED, 505},
    {"HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", FR_E_UNSUPPORTED, 505},
    {"CONNECT", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", FR_E_UNSUPPORTED, 501},
    {"another expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n", FR_E_UNSUPPORTED,
     417},
};

static void reads_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REQUESTS); i++) {
        const struct request_row *row = &REQUESTS[i];
        struct fr_span in = fr_span_str(row->in);
        struct fr_h1_message m = {0};
        struct fr_head head;
        unsigned status = 0;
        size_t at = 0, n = 0;

        CHECK_ROW(row->label, fr_h1_scan(in, &at, &n) == FR_OK && n == in.n);
        fr_head_init(&head, 1024);
        CHECK_ROW(row->label, fr_h1_request_read(in, &LIMITS, &head, &m, &status) == FR_OK);
        CHECK_ROW(row->label, m.framing == row->framing && m.is_kept == row->is_kept);
        CHECK_ROW(row->label, row->framing != FR_H1_LENGTH || m.length == row->length);
        CHECK_ROW(row->label,
                  !row->method || fr_span_is(fr_head_span(&head, m.method), row->method));
        CHECK_ROW(row->label, !row->path || fr_span_is(fr_head_span(&head, m.path), row->path));
        CHECK_ROW(row->label, !row->query || fr_span_is(fr_head_span(&head, m.query), row->query));
        CHECK_ROW(row->label,
                  !row->authority || fr_span_is(fr_head_span(&head, m.authority), row->authority));
        fr_head_deinit(&head);
    }
}

static void refuses_what_could_be_read_in_two_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REFUSED); i++) {
        struct fr_span in = fr_span_str(REFUSED[i].in);
        struct fr_h1_message m = {0};
        struct fr_head head;
        unsigned status = 0;

        fr_head_init(&head, 1024);
        CHECK_ROW(REFUSED[i].label,
                  fr_h1_request_read(in, &LIMITS, &head, &m, &status) == REFUSED[i].err);
        CHECK_ROW(REFUSED[i].label, status == REFUSED[i].status);
        fr_head_deinit(&head);
    }
}

static void limits_have_their_own_status(void **state)
{
    char text[4096];
    struct fr_h1_message m;
    struct fr_head head;
    unsigned status;

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    memcpy(text + 300, " HTTP/1.1\r\nHost: h\r\n\r\n", 22);
    fr_head_init(&head, 1024);
    assert_int_equal(fr_h1_request_read(fr_span(text, 322), &LIMITS, &head, &m, &status),
                     FR_E_LIMIT);
    assert_int_equal(status, 414);
    fr_head_reset(&head, 1024);

    memset(text, 'a', sizeof text);
    memcpy(text, "GET / HTTP/1.1\r\nHost: h\r\nX: ", 28);
    memcpy(text + 2000, "\r\n\r\n", 4);
    assert_int_equal(fr_h1_request_read(fr_span(text, 2004), &LIMITS, &head, &m, &status),
                     FR_E_LIMIT);
    assert_int_equal(status, 431);
    fr_head_reset(&head, 64 * 1024);

    size_t n = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < FR_HEAD_FIELDS; i++) n += (size_t)sprintf(text + n, "x: y\r\n");
    n += (size_t)sprintf(text + n, "\r\n");
    assert_int_equal(fr_h1_request_read(fr_span(text, n), &LIMITS, &head, &m, &status), FR_E_LIMIT);
    assert_int_equal(status, 431);
    fr_head_deinit(&head);
}

static void a_cut_head_is_never_taken_for_a_whole_one(void **state)
{
    static const char text[] = "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
    size_t whole = sizeof text - 1;

    (void)state;
    for (size_t cut = 0; cut < whole; cut++) {
        size_t at = 0, n = 0;

        assert_int_equal(fr_h1_scan(fr_span(text, cut), &at, &n), FR_E_TRUNCATED);
    }
    /* byte by byte with the position kept, as a connection does it */
    size_t at = 0, n = 0;
    for (size_t cut = 0; cut < whole; cut++)
        assert_int_equal(fr_h1_scan(fr_span(text, cut), &at, &n), FR_E_TRUNCATED);
    assert_int_equal(fr_h1_scan(fr_span(text, whole), &at, &n), FR_OK);
    assert_int_equal(n, whole);
}

static void bare_lf_is_refused_at_once(void **state)
{
    static const char *const rows[] = {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: h\n",
                                       "GET / HTTP/1.1\r\nHost: h\r\n\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t at = 0, n = 0;

        CHECK_ROW(rows[i], fr_h1_scan(fr_span_str(rows[i]), &at, &n) == FR_E_MALFORMED);
    }
}

struct body_row {
    const char *label, *in;
    enum fr_err err;
    bool is_done;
    const char *out;
    size_t left; /* bytes of `in` that belong to the next message */
};

static const struct body_row CHUNKS[] = {
    {"one chunk", "3\r\nabc\r\n0\r\n\r\n", FR_OK, true, "abc", 0},
    {"two chunks, next request", "1\r\na\r\n02\r\nbc\r\n0\r\n\r\nGET", FR_OK, true, "abc", 3},
    {"upper and lower hex", "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", FR_OK, true,
     "01234567890123456789a", 0},
    {"extension", "1;x=\"y\"\r\na\r\n0;z\r\n\r\n", FR_OK, true, "a", 0},
    {"trailer", "1\r\na\r\n0\r\nX: y\r\nZ: w\r\n\r\n", FR_OK, true, "a", 0},
    {"empty", "0\r\n\r\n", FR_OK, true, "", 0},
    {"not the end", "3\r\nabc\r\n", FR_OK, false, "abc", 0},
    {"no digits", "\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"blank before the size", " 1\r\na\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"blank after the size", "1 \r\na\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"sign", "-1\r\na\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"0x", "0x1\r\na\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"bare LF after the size", "1\na\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"no CRLF after the data", "1\r\nab\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"bare LF after the data", "1\r\na\n0\r\n\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"bare LF in an extension", "1;x\na\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"fold in the trailers", "0\r\n x\r\n\r\n", FR_E_MALFORMED, false, NULL, 0},
    {"too many digits", "0000000000000001\r\na\r\n", FR_E_LIMIT, false, NULL, 0},
    {"above the limit",
     "40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n", FR_E_LIMIT,
     false, NULL, 0},
};

static enum fr_err read_all(const char *text, size_t step, struct fr_h1_body *b, struct fr_buf *out,
                            size_t *left)
{
    size_t n = strlen(text), at = 0;
    const struct fr_h1_message m = {.framing = FR_H1_CHUNKED};

    fr_h1_body_init(b, &m);
    while (at < n && !b->is_done) {
        size_t take = n - at < step ? n - at : step, used = 0;
        enum fr_err err = fr_h1_body_read(b, fr_span(text + at, take), out, &used);

        if (err) return err;
        at += used;
    }
    *left = n - at;
    return FR_OK;
}

static void reads_chunks_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CHUNKS); i++) {
        for (size_t step = 1; step <= 40; step += 3) {
            const struct body_row *row = &CHUNKS[i];
            struct fr_buf out = FR_BUF_INIT(60);
            struct fr_h1_body b;
            size_t left = 0;

            CHECK_ROW(row->label, read_all(row->in, step, &b, &out, &left) == row->err);
            if (!row->err) {
                CHECK_ROW(row->label, b.is_done == row->is_done && left == row->left);
                CHECK_ROW(row->label, fr_span_is(fr_buf_span(&out), row->out));
            }
            fr_buf_deinit(&out);
        }
    }
}

static void extensions_and_trailers_are_bounded(void **state)
{
    struct fr_buf out = FR_BUF_INIT(60);
    struct fr_h1_body b;
    char text[8192];
    size_t left;

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    memcpy(text, "1;", 2);
    assert_int_equal(read_all(text, 100, &b, &out, &left), FR_E_LIMIT);
    memcpy(text, "0\r\n", 3);
    assert_int_equal(read_all(text, 100, &b, &out, &left), FR_E_LIMIT);
    fr_buf_deinit(&out);
}

struct response_row {
    const char *label, *method, *in;
    enum fr_err err;
    unsigned status;
    enum fr_h1_framing framing;
    bool is_kept;
};

static const struct response_row RESPONSES[] = {
    {"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", FR_OK, 200, FR_H1_LENGTH,
     true},
    {"no reason", "GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n", FR_OK, 200, FR_H1_LENGTH,
     true},
    {"empty reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n", FR_OK, 200, FR_H1_LENGTH,
     true},
    {"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", FR_OK, 200,
     FR_H1_CHUNKED, true},
    {"until close", "GET", "HTTP/1.1 200 OK\r\n\r\n", FR_OK, 200, FR_H1_UNTIL_CLOSE, false},
    {"1.0 until close", "GET", "HTTP/1.0 200 OK\r\n\r\n", FR_OK, 200, FR_H1_UNTIL_CLOSE, false},
    {"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", FR_OK, 200, FR_H1_NO_BODY,
     true},
    {"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", FR_OK, 204, FR_H1_NO_BODY, true},
    {"304 with a length", "GET", "HTTP/1.1 304 x\r\nContent-Length: 2\r\n\r\n", FR_OK, 304,
     FR_H1_NO_BODY, true},
    {"100", "POST", "HTTP/1.1 100 Continue\r\n\r\n", FR_OK, 100, FR_H1_NO_BODY, true},
    {"length 0", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", FR_OK, 200, FR_H1_NO_BODY,
     true},
    {"close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n", FR_OK,
     200, FR_H1_LENGTH, false},
    {"status 99", "GET", "HTTP/1.1 099 x\r\n\r\n", FR_E_MALFORMED, 0, FR_H1_NO_BODY, false},
    {"status 1000", "GET", "HTTP/1.1 1000 x\r\n\r\n", FR_E_MALFORMED, 0, FR_H1_NO_BODY, false},
    {"status text", "GET", "HTTP/1.1 abc x\r\n\r\n", FR_E_MALFORMED, 0, FR_H1_NO_BODY, false},
    {"HTTP/2", "GET", "HTTP/2.0 200 OK\r\n\r\n", FR_E_UNSUPPORTED, 0, FR_H1_NO_BODY, false},
    {"length and chunked", "GET",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", FR_E_MALFORMED,
     0, FR_H1_NO_BODY, false},
    {"two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
     FR_E_MALFORMED, 0, FR_H1_NO_BODY, false},
};

static void reads_responses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(RESPONSES); i++) {
        const struct response_row *row = &RESPONSES[i];
        struct fr_h1_message m = {0};
        struct fr_head head;

        fr_head_init(&head, 1024);
        CHECK_ROW(row->label, fr_h1_response_read(fr_span_str(row->in), &LIMITS, row->method, &head,
                                                  &m) == row->err);
        if (!row->err)
            CHECK_ROW(row->label, m.status == row->status && m.framing == row->framing &&
                                      m.is_kept == row->is_kept);
        fr_head_deinit(&head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_requests),
        cmocka_unit_test(refuses_what_could_be_read_in_two_ways),
        cmocka_unit_test(limits_have_their_own_status),
        cmocka_unit_test(a_cut_head_is_never_taken_for_a_whole_one),
        cmocka_unit_test(bare_lf_is_refused_at_once),
        cmocka_unit_test(reads_chunks_however_they_are_cut),
        cmocka_unit_test(extensions_and_trailers_are_bounded),
        cmocka_unit_test(reads_responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
