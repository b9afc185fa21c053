#include "probe/check.h"

#include "support/unit.h"

#include "base/mem.h"
#include "support/test_pki.h"
#include "transport/loop_poll.h"
#include "transport/socket.h"

#include <string.h>
#include <unistd.h>

static bool is_pinned(void *data, const uint8_t spki_sha256[32])
{
    (void)data;
    (void)spki_sha256;
    return true;
}

static void keep(void *data, const struct fr_check_finding *finding)
{
    *(struct fr_check_finding *)data = *finding;
}

static struct fr_tls_ctx *tls_of(const struct test_ca *ca)
{
    const struct fr_tls_pem pem = {.ca = fr_span_str(test_ca_pem(ca))};
    struct fr_tls_ctx *tls = NULL;

    assert_int_equal(fr_tls_client_new(&pem, NULL, &tls), FR_OK);
    return tls;
}

/* A port that nobody listens on is told as such; one is freed with a check under way. */
static void a_closed_port_is_found(void **state)
{
    struct fr_check_finding finding = {.todo = NULL};
    struct fr_addr at;
    struct fr_loop *loop = NULL;
    struct fr_check *check = NULL;
    struct test_ca *ca = test_ca_new("root");
    int fd = -1;

    (void)state;
    assert_int_equal(fr_addr_parse(fr_span_str("127.0.0.1:1"), 0, &at), FR_OK);
    at.port = 0;
    assert_int_equal(fr_socket_listen(&at, false, NULL, &fd), FR_OK);
    assert_int_equal(fr_socket_local(fd, &at), FR_OK);
    (void)close(fd);
    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    struct fr_tls_ctx *tls = tls_of(ca);
    const struct fr_check_ask ask = {.loop = loop,
                                     .tls = tls,
                                     .at = at,
                                     .host = "000013.netid.fed.test",
                                     .is_pinned = is_pinned,
                                     .done = keep,
                                     .data = &finding};
    assert_int_equal(fr_check_start(&ask, &check), FR_OK);
    fr_check_free(check); /* says nothing */
    for (int i = 0; i < 3; i++) (void)fr_loop_poll_turn(loop, 0);
    assert_null(finding.todo);

    assert_int_equal(fr_check_start(&ask, &check), FR_OK);
    while (!finding.todo) (void)fr_loop_poll_turn(loop, 1000);
    assert_int_equal(finding.wrong, FR_CHECK_TCP);
    assert_non_null(strstr(finding.seen, "refused"));
    fr_check_free(check);
    fr_tls_ctx_unref(tls);
    fr_loop_poll_free(loop);
    test_ca_free(ca);
}

static void without_memory_nothing_is_begun(void **state)
{
    struct fr_check_finding finding = {.todo = NULL};
    struct fr_loop *loop = NULL;
    struct fr_check *check = NULL;
    struct test_ca *ca = test_ca_new("root");
    enum fr_err err = FR_E_NOMEM;

    (void)state;
    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    struct fr_check_ask ask = {.loop = loop,
                               .tls = tls_of(ca),
                               .host = "a.fed.test",
                               .is_pinned = is_pinned,
                               .done = keep,
                               .data = &finding};
    assert_int_equal(fr_addr_parse(fr_span_str("127.0.0.1:1"), 0, &ask.at), FR_OK);
    for (unsigned long n = 1; err == FR_E_NOMEM && n < 100; n++) {
        fr_mem_fail_nth(n);
        err = fr_check_start(&ask, &check);
        assert_true(err == FR_OK || (err == FR_E_NOMEM && check == NULL));
    }
    fr_mem_fail_nth(0);
    assert_int_equal(err, FR_OK);
    fr_check_free(check);
    fr_tls_ctx_unref(ask.tls);
    fr_loop_poll_free(loop);
    test_ca_free(ca);
}

static void steps_have_words(void **state)
{
    (void)state;
    for (int i = 0; i < FR_CHECK_STEPS; i++)
        assert_true(strlen(fr_check_step_text((enum fr_check_step)i)) > 0);
    assert_string_equal(fr_check_step_text(FR_CHECK_STEPS), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_port_is_found),
        cmocka_unit_test(without_memory_nothing_is_begun),
        cmocka_unit_test(steps_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
