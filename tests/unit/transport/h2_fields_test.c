#include "transport/h2_fields.h"

#include "support/unit.h"

/* Whole header lists, "name: value" by line. */

static struct fr_span name_of(struct fr_span line, struct fr_span *value)
{
    struct fr_span name = {NULL, 0};
    size_t colon = line.n > 0 && line.p[0] == ':' ? 1 : 0;

    while (colon < line.n && line.p[colon] != ':') colon++;
    name = fr_span(line.p, colon);
    *value = fr_span(NULL, 0);
    if (colon + 2 <= line.n) *value = fr_span(line.p + colon + 2, line.n - colon - 2);
    return name;
}

static bool is_request(const char *list, struct fr_h2_fields *f)
{
    *f = (struct fr_h2_fields){0};
    for (struct fr_span line, rest = fr_span_str(list); rest.n > 0;) {
        struct fr_span value;

        (void)fr_span_cut(rest, '\n', &line, &rest);
        struct fr_span name = name_of(line, &value);
        if (fr_h2_fields_note(f, name, value) == FR_H2_MALFORMED) return false;
    }
    return fr_h2_fields_is_request(f);
}

#define HEAD ":method: GET\n:scheme: https\n:path: /\n:authority: h.test\n"

static void lists_are_requests_or_malformed(void **state)
{
    static const struct {
        const char *label, *list;
        bool is_request;
    } rows[] = {
        {"the least", HEAD, true},
        {"fields", HEAD "accept: */*\nx-y_z: a\tb\n", true},
        {"an empty value", HEAD "x: \n", true},
        {"host for authority", ":method: GET\n:scheme: https\n:path: /\nhost: h.test\n", true},
        {"host and authority", HEAD "host: h.test\n", true},
        {"CONNECT", ":method: CONNECT\n:authority: h.test:443\n", true},
        {"te: trailers", HEAD "te: trailers\n", true},
        {"any method", ":method: FOO-bar\n:scheme: x\n:path: /\n:authority: h\n", true},
        {"nothing", "", false},
        {"no method", ":scheme: https\n:path: /\n:authority: h.test\n", false},
        {"no scheme", ":method: GET\n:path: /\n:authority: h.test\n", false},
        {"no path", ":method: GET\n:scheme: https\n:authority: h.test\n", false},
        {"neither authority nor host", ":method: GET\n:scheme: https\n:path: /\n", false},
        {"an empty path", ":method: GET\n:scheme: https\n:path: \n:authority: h.test\n", false},
        {"an empty method", ":method: \n:scheme: https\n:path: /\n:authority: h.test\n", false},
        {"a method of two words", ":method: GE T\n:scheme: https\n:path: /\n:authority: h\n",
         false},
        {"CONNECT with a path", ":method: CONNECT\n:path: /\n:authority: h.test\n", false},
        {"CONNECT without authority", ":method: CONNECT\n", false},
        {"a pseudo field twice", HEAD ":path: /\n", false},
        {"a pseudo field behind a field", ":method: GET\nx: y\n:scheme: https\n:path: /\n", false},
        {"an unknown pseudo field", HEAD ":protocol: websocket\n", false},
        {"an answer's pseudo field", HEAD ":status: 200\n", false},
        {"no name at all", HEAD ":\n", false},
        {"upper case", HEAD "X-y: z\n", false},
        {"a blank in the name", HEAD "x y: z\n", false},
        {"a blank before the value", HEAD "x:  y\n", false},
        {"a blank behind the value", HEAD "x: y \n", false},
        {"CR in the value", HEAD "x: a\rb\n", false},
        {"a control character", HEAD "x: a\001b\n", false},
        {"host twice", HEAD "host: h.test\nhost: h.test\n", false},
        {"content-length twice", HEAD "content-length: 1\ncontent-length: 1\n", false},
        {"content-length with a sign", HEAD "content-length: +1\n", false},
        {"content-length without digits", HEAD "content-length: \n", false},
        {"content-length of 2^63", HEAD "content-length: 9223372036854775808\n", false},
        {"connection", HEAD "connection: close\n", false},
        {"keep-alive", HEAD "keep-alive: 1\n", false},
        {"proxy-connection", HEAD "proxy-connection: x\n", false},
        {"transfer-encoding", HEAD "transfer-encoding: chunked\n", false},
        {"upgrade", HEAD "upgrade: h2c\n", false},
        {"te: gzip", HEAD "te: gzip\n", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_h2_fields f;

        CHECK_ROW(rows[i].label, is_request(rows[i].list, &f) == rows[i].is_request);
    }
}

static void what_a_list_says_is_remembered(void **state)
{
    struct fr_h2_fields f;

    (void)state;
    assert_true(is_request(HEAD "content-length: 9223372036854775807\nexpect: 100-Continue\n", &f));
    assert_true(f.has_length && f.expects && !f.is_connect);
    assert_true(f.length == INT64_MAX);
    assert_true(is_request(HEAD, &f));
    assert_false(f.has_length || f.expects);
}

static void trailers_have_no_pseudo_fields(void **state)
{
    (void)state;
    assert_int_equal(fr_h2_trailer_check(FR_SPAN_LIT("x"), FR_SPAN_LIT("y")), FR_H2_REGULAR);
    assert_int_equal(fr_h2_trailer_check(FR_SPAN_LIT(":path"), FR_SPAN_LIT("/")), FR_H2_MALFORMED);
    assert_int_equal(fr_h2_trailer_check(FR_SPAN_LIT(""), FR_SPAN_LIT("y")), FR_H2_MALFORMED);
    assert_int_equal(fr_h2_trailer_check(FR_SPAN_LIT("X"), FR_SPAN_LIT("y")), FR_H2_MALFORMED);
    assert_int_equal(fr_h2_trailer_check(FR_SPAN_LIT("x"), FR_SPAN_LIT("\n")), FR_H2_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_requests_or_malformed),
        cmocka_unit_test(what_a_list_says_is_remembered),
        cmocka_unit_test(trailers_have_no_pseudo_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
