#include "agent/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

#define FEDERATION                                                                                 \
    "federations:\n  - {name: fed.test, broker: 'https://b.fed.test/dns-query', ca: c, "           \
    "certificate: d, key: k}\n"

static char folder[] = "/tmp/agent-config-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/agent.yaml", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static enum fr_err load(const char *text, struct fr_diag *diag, struct fr_agent_conf **out)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return fr_agent_conf_load(path, diag, out);
}

static void test_defaults(void **state)
{
    (void)state;
    struct fr_agent_conf *c = NULL;
    struct fr_diag diag = {0};
    char text[FR_ADDR_TEXT];
    if (load(FEDERATION, &diag, &c) != FR_OK) fail_msg("%s", diag.what);
    assert_int_equal(c->agent.n_listen, 1);
    fr_addr_print(&c->agent.listen[0], text);
    assert_string_equal(text, "127.0.0.1:5300");
    assert_null(c->agent.socket);
    assert_int_equal(c->agent.n_allow, 0);
    assert_int_equal(c->agent.pending, 1000);
    assert_int_equal(c->agent.tcp.conns, 100);
    assert_int_equal(c->agent.tcp.idle_ms, 10000);
    assert_int_equal(c->admin.port, 9155);
    assert_int_equal(c->agent.lookup.timeout_ms, 2000);
    fr_agent_conf_free(c);
}

static void test_listen_and_allow(void **state)
{
    (void)state;
    struct fr_agent_conf *c = NULL;
    struct fr_diag diag = {0};
    if (load(FEDERATION "listen: [{address: 127.0.0.9, port: 53}, {address: '::1'}, 172.17.0.1]\n"
                        "allow: [172.17.0.0/16, 'fd00::/8']\nsocket: a.sock\n",
             &diag, &c) != FR_OK)
        fail_msg("%s", diag.what);
    assert_int_equal(c->agent.n_listen, 3);
    assert_int_equal(c->agent.listen[0].port, 53);
    assert_int_equal(c->agent.listen[1].ip.family, 6);
    assert_int_equal(c->agent.listen[2].port, 5300);
    assert_int_equal(c->agent.n_allow, 2);
    assert_int_equal(c->agent.allow[0].bits, 16);
    assert_non_null(strstr(c->agent.socket, "/a.sock")); /* beside the file */
    assert_int_equal(c->agent.socket[0], '/');
    fr_agent_conf_free(c);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"log: {level: info}\n", "federations"},
        {FEDERATION "listen: [172.17.0.1]\n", "172.17.0.1 is not a loopback address"},
        {FEDERATION "listen: ['::']\n", ":: is not a loopback address"},
        {FEDERATION "listen: [{address: 127.0.0.1, port: 0}]\n", "port"},
        {FEDERATION "allow: [172.17.0.1/16]\n", "bits set behind its length"},
        {FEDERATION "allow: [lan]\n", "\"lan\" is no prefix"},
        {FEDERATION "limits: {pending: 0}\n", "pending"},
        {FEDERATION "sockets: x\n", "socket"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_agent_conf *c = NULL;
        struct fr_diag diag = {0};
        char text[1024];
        assert_int_equal(load(rows[i].text, &diag, &c), FR_E_CONFIG);
        fr_diag_print(&diag, FR_E_CONFIG, text, sizeof text);
        if (!strstr(text, rows[i].said) || !strstr(text, "agent.yaml"))
            fail_msg("%zu: %s", i, text);
        assert_null(c);
    }
}

/* Each row that is the agent's own stands in docs/agent.md as fr_conf_reference() writes it. */
static void test_the_documentation(void **state)
{
    (void)state;
    struct fr_buf reference = FR_BUF_INIT(1 << 20), page = FR_BUF_INIT(1 << 20);
    struct fr_diag diag = {0};
    unsigned rows = 0, missing = 0;
    assert_int_equal(fr_conf_reference(&fr_agent_schema, &reference), FR_OK);
    if (fr_file_read(FR_SOURCE_DIR "/docs/agent.md", &diag, &page) != FR_OK)
        fail_msg("%s", diag.what);
    struct fr_span rest = fr_buf_span(&reference), line;
    char text[1024];
    while (fr_span_cut(rest, '\n', &line, &rest)) {
        if (!fr_span_starts(line, "| `") || fr_span_starts(line, "| `federations[].") ||
            fr_span_starts(line, "| `lookup."))
            continue;
        rows++;
        assert_true(fr_span_copy(line, text, sizeof text));
        if (strstr(fr_buf_str(&page), text)) continue;
        missing++;
        print_error("docs/agent.md has not: %s\n", text);
    }
    fr_buf_deinit(&reference);
    fr_buf_deinit(&page);
    assert_true(rows > 10);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_listen_and_allow),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_the_documentation),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
