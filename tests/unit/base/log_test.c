#include "base/log.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

struct sink {
    char line[FR_LOG_LINE + 1];
    enum fr_log_level level;
    int n;
};

static void take_line(void *data, enum fr_log_level level, const char *line, size_t n)
{
    struct sink *s = data;

    assert_true(n <= FR_LOG_LINE);
    (void)snprintf(s->line, sizeof s->line, "%.*s", (int)n, line);
    s->level = level;
    s->n++;
}

static int64_t fixed(void *data)
{
    (void)data;
    return 1795157539042;
}

static const struct fr_clock clock_fixed = {fixed, fixed, NULL};

static struct fr_log make(struct sink *s, enum fr_log_format format, enum fr_log_ids ids)
{
    struct fr_log log;
    struct fr_log_options options = {.level = FR_LOG_INFO,
                                     .format = format,
                                     .identifiers = ids,
                                     .sink = take_line,
                                     .sink_data = s,
                                     .clock = &clock_fixed};

    assert_int_equal(fr_log_init(&log, &options), FR_OK);
    return log;
}

static void text_line(void **state)
{
    struct sink s = {0};
    struct fr_log log = make(&s, FR_LOG_TEXT, FR_IDS_SHORT);

    (void)state;
    FR_LOG(&log, FR_LOG_WARN, "query.refused", FR_STR("peer", "127.0.0.1"), FR_UINT("status", 403),
           FR_INT("d", -1), FR_BOOL("kept", false), FR_EUI("deveui", 0x70b3d57ed0000001),
           FR_NETID("netid", 0x13), FR_DEVADDR("devaddr", 0x26000001), FR_ERR("why", FR_E_REVOKED),
           FR_HEX("mic", FR_SPAN_LIT("\1\xff")), FR_STR("absent", NULL), FR_STR("empty", ""));
    assert_string_equal(s.line, "2026-11-20T06:52:19.042Z level=warn event=query.refused "
                                "peer=127.0.0.1 status=403 d=-1 kept=false "
                                "deveui=70b3d5..0001 netid=000013 devaddr=26000001 why=\"revoked "
                                "or suspended\" mic=01ff empty=\"\"");
    assert_int_equal(s.level, FR_LOG_WARN);
    FR_LOG(&log, FR_LOG_INFO, "start");
    assert_string_equal(s.line, "2026-11-20T06:52:19.042Z level=info event=start");
}

static void json_line(void **state)
{
    struct sink s = {0};
    struct fr_log log = make(&s, FR_LOG_JSON, FR_IDS_FULL);

    (void)state;
    FR_LOG(&log, FR_LOG_ERROR, "x", FR_STR("a", "q\"\n"), FR_UINT("n", 5), FR_INT("i", -5),
           FR_BOOL("b", true), FR_EUI("deveui", 0x70b3d57ed0000001));
    assert_string_equal(s.line, "{\"time\":\"2026-11-20T06:52:19.042Z\",\"level\":\"error\","
                                "\"event\":\"x\",\"a\":\"q\\\"\\n\","
                                "\"n\":5,\"i\":-5,\"b\":true,\"deveui\":\"70b3d57ed0000001\"}");
}

static void levels_and_silence(void **state)
{
    struct sink s = {0};
    struct fr_log log = make(&s, FR_LOG_TEXT, FR_IDS_SHORT);

    (void)state;
    FR_LOG(&log, FR_LOG_DEBUG, "quiet");
    FR_LOG(NULL, FR_LOG_ERROR, "nobody", FR_UINT("n", 1));
    assert_int_equal(s.n, 0);
    assert_true(fr_log_is_on(&log, FR_LOG_INFO) && !fr_log_is_on(&log, FR_LOG_DEBUG));
}

static void peer_bytes_cannot_forge_a_line(void **state)
{
    struct sink s = {0};
    struct fr_log log = make(&s, FR_LOG_TEXT, FR_IDS_SHORT);

    (void)state;
    FR_LOG(&log, FR_LOG_INFO, "x",
           FR_SPAN("p", fr_span("a\nlevel=error event=\"\\\0\x1b\xc3", 25)));
    assert_string_equal(s.line, "2026-11-20T06:52:19.042Z level=info event=x "
                                "p=\"a\\x0alevel=error event=\\\"\\\\\\x00\\x1b\\xc3\"");
}

static void a_long_value_does_not_lose_the_event(void **state)
{
    struct sink s = {0};
    struct fr_log log = make(&s, FR_LOG_TEXT, FR_IDS_SHORT);
    char big[5000];

    (void)state;
    memset(big, 'x', sizeof big);
    FR_LOG(&log, FR_LOG_INFO, "x", FR_UINT("n", 1), FR_SPAN("big", fr_span(big, sizeof big)));
    assert_string_equal(s.line, "2026-11-20T06:52:19.042Z level=info event=x n=1");
}

static void pseudonyms_are_stable_and_keyed(void **state)
{
    struct sink s = {0};
    struct fr_log a = make(&s, FR_LOG_TEXT, FR_IDS_HASH), b = make(&s, FR_LOG_TEXT, FR_IDS_HASH);
    char x[FR_EUI_SHOWN], y[FR_EUI_SHOWN], z[FR_EUI_SHOWN], w[FR_EUI_SHOWN];

    (void)state;
    fr_log_eui(&a, 1, x);
    fr_log_eui(&a, 1, y);
    fr_log_eui(&a, 2, z);
    fr_log_eui(&b, 1, w);
    assert_string_equal(x, y);
    assert_string_not_equal(x, z);
    assert_string_not_equal(x, w);
    assert_int_equal(x[0], '#');
    fr_log_eui(NULL, 0x70b3d57ed0000001, x);
    assert_string_equal(x, "70b3d5..0001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_line),
        cmocka_unit_test(json_line),
        cmocka_unit_test(levels_and_silence),
        cmocka_unit_test(peer_bytes_cannot_forge_a_line),
        cmocka_unit_test(a_long_value_does_not_lose_the_event),
        cmocka_unit_test(pseudonyms_are_stable_and_keyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
