#include "est/est_request.h"

#include "x509/csr.h"
#include "x509/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void paths(void **state)
{
    static const struct {
        const char *path;
        bool is_there;
        enum fr_est_op op;
        bool has_profile;
        enum fr_profile profile;
    } rows[] = {
        {"/.well-known/est/cacerts", true, FR_EST_CACERTS, false, 0},
        {"/.well-known/est/csrattrs", true, FR_EST_CSRATTRS, false, 0},
        {"/.well-known/est/simpleenroll", true, FR_EST_ENROLL, false, 0},
        {"/.well-known/est/ns/simpleenroll", true, FR_EST_ENROLL, true, FR_PROFILE_NS},
        {"/.well-known/est/doh/simplereenroll", true, FR_EST_REENROLL, true, FR_PROFILE_DOH},
        {"/.well-known/est/broker/cacerts", true, FR_EST_CACERTS, true, FR_PROFILE_BROKER},
        {.path = ""},
        {.path = "/"},
        {.path = "/.well-known/est"},
        {.path = "/.well-known/est/"},
        {.path = "/.well-known/estcacerts"},
        {.path = "/.well-known/est/cacert"},
        {.path = "/.well-known/est/cacerts/"},
        {.path = "/.well-known/est//cacerts"},
        {.path = "/.well-known/est/NS/cacerts"},
        {.path = "/.well-known/est/ns/doh/cacerts"},
        {.path = "/.well-known/est/ns/fullcmc"},
        {.path = "/.well-known/est/serverkeygen"},
        {.path = "/.well-known/est/aaaaaaaaaaaaaaaaaaaaaaaaaaaa/cacerts"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_est_path path = {0};
        enum fr_err err = fr_est_path_parse(fr_span_str(rows[i].path), &path);
        if ((err == FR_OK) != rows[i].is_there) fail_msg("%s: %s", rows[i].path, fr_err_text(err));
        if (err) continue;
        assert_int_equal(path.op, rows[i].op);
        assert_int_equal(path.has_profile, rows[i].has_profile);
        if (path.has_profile) assert_int_equal(path.profile, rows[i].profile);
    }
    assert_string_equal(fr_est_op_text(FR_EST_REENROLL), "simplereenroll");
}

static void credentials(void **state)
{
    /* 5e…5e and the secret "\0\1\2" */
    static const char good[] = "NWU1ZTVlNWU1ZTVlNWU1ZTVlNWU1ZTVlNWU1ZTVlNWU6QUFFQw==";
    static const char *const bad[] = {
        "",
        "Basic",
        "Basic ",
        "Bearer NWU1",
        "Basic !!!!",
        "Basic Og==" /* ":" */,
        "Basic NWU1ZTVlNWU1ZTVlNWU1ZTVlNWU1ZTVlNWU1ZTVlNWU=" /* no colon */,
        "Basic NWU1ZTVlNWU1ZTVlNWU1ZTVlNWU1ZTVlNWU1ZTVlNWU6" /* no secret */,
        "Basic NWU6QUFFQw==" /* a short id */,
    };
    uint8_t id[FR_TOKEN_ID_SIZE], secret[FR_DIGEST_SIZE], want[FR_DIGEST_SIZE];
    char text[128];

    (void)state;
    assert_int_equal(fr_sha256(FR_SPAN_LIT("\0\1\2"), want), FR_OK);
    for (int i = 0; i < 3; i++) {
        static const char *const schemes[] = {"Basic", "basic", "BASIC "};
        (void)snprintf(text, sizeof text, "%s %s", schemes[i], good);
        assert_int_equal(fr_est_basic_parse(fr_span_str(text), id, secret), FR_OK);
        assert_memory_equal(secret, want, sizeof want);
        assert_int_equal(id[0], 0x5e);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (fr_est_basic_parse(fr_span_str(bad[i]), id, secret) != FR_E_AUTH)
            fail_msg("%s", bad[i]);
}

static void bodies(void **state)
{
    static const struct {
        const char *body;
        enum fr_err err;
    } rows[] = {
        {"AQID", FR_OK},
        {" A\r\nQ\tI D\n\n", FR_OK},
        {"-----BEGIN CERTIFICATE REQUEST-----\nAQ\nID\n-----END CERTIFICATE REQUEST-----\n", FR_OK},
        {"-----BEGIN NEW CERTIFICATE REQUEST-----\r\nAQID\r\n-----END NEW CERTIFICATE REQUEST-----",
         FR_OK},
        {"", FR_E_MALFORMED},
        {" \n", FR_E_MALFORMED},
        {"AQI", FR_E_MALFORMED},
        {"AQID=", FR_E_MALFORMED},
        {"-----BEGIN X-----", FR_E_MALFORMED},
        {"-----BEGIN X-----\nAQID\n", FR_E_MALFORMED},
        {"-----BEGIN X-----\nAQID\n-----BEGIN", FR_E_MALFORMED},
        {"-----END X-----\nAQID\n-----END X-----", FR_E_MALFORMED},
        {"AQ-D", FR_E_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_buf der = FR_BUF_INIT(FR_CSR_MAX);
        enum fr_err err = fr_est_body_read(fr_span_str(rows[i].body), &der);
        if (err != rows[i].err) fail_msg("\"%s\": %s", rows[i].body, fr_err_text(err));
        if (!err) assert_true(fr_span_equal(fr_buf_span(&der), FR_SPAN_LIT("\1\2\3")));
        fr_buf_deinit(&der);
    }
}

static void too_long_a_body(void **state)
{
    size_t n = FR_CSR_MAX / 3 * 4 + 64;
    char *text = malloc(n);
    struct fr_buf der = FR_BUF_INIT(FR_CSR_MAX);

    (void)state;
    memset(text, 'A', n);
    assert_int_equal(fr_est_body_read(fr_span(text, n), &der), FR_E_LIMIT);
    assert_int_equal(der.n, 0);
    free(text);
    fr_buf_deinit(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(credentials),
        cmocka_unit_test(bodies),
        cmocka_unit_test(too_long_a_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
