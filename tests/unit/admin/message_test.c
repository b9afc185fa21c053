#include "admin/message.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *label, *args, *reason, *body;
    bool dry_run, is_framed;
} requests[] = {
    {"bare", NULL, NULL, "", false, false},
    {"arguments", "{\"id\":\"acme\"}", NULL, "", false, false},
    {"dry run with a reason", "{}", "said \"so\" \\ there", "", true, false},
    {"a body", "{\"netid\":\"000013\"}", "why", "12345678", false, true},
};

static void written_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct fr_buf out = FR_BUF_INIT(4096);
        struct fr_admin_message message;
        const char *type = NULL;
        const struct fr_admin_request request = {
            .args = requests[i].args,
            .reason = requests[i].reason,
            .body = fr_span_str(requests[i].body),
            .dry_run = requests[i].dry_run,
        };
        assert_int_equal(fr_admin_message_write(&request, &out, &type), FR_OK);
        assert_int_equal(strcmp(type, FR_ADMIN_FRAME_TYPE) == 0, requests[i].is_framed);
        assert_int_equal(
            fr_admin_message_read(requests[i].is_framed, fr_buf_span(&out), NULL, &message), FR_OK);
        assert_string_equal(message.request.args, requests[i].args ? requests[i].args : "{}");
        assert_int_equal(message.request.dry_run, requests[i].dry_run);
        if (requests[i].reason)
            assert_string_equal(message.request.reason, requests[i].reason);
        else
            assert_null(message.request.reason);
        assert_true(fr_span_is(message.request.body, requests[i].body));
        fr_admin_message_free(&message);
        fr_buf_deinit(&out);
    }
}

static const struct {
    const char *label, *text;
    size_t n;
    bool is_framed;
    enum fr_err err;
} bad[] = {
    {"nothing", "", 0, false, FR_E_INVALID},
    {"not JSON", "{", 1, false, FR_E_INVALID},
    {"not an object", "[]", 2, false, FR_E_INVALID},
    {"unknown member", "{\"x\":1}", 7, false, FR_E_INVALID},
    {"arguments not an object", "{\"args\":[]}", 11, false, FR_E_INVALID},
    {"a member twice", "{\"args\":{},\"args\":{}}", 21, false, FR_E_INVALID},
    {"reason not text", "{\"reason\":1}", 12, false, FR_E_INVALID},
    {"dry_run not a bool", "{\"dry_run\":1}", 13, false, FR_E_INVALID},
    {"surplus", "{} x", 4, false, FR_E_INVALID},
    {"length cut short", "\0\0\0", 3, true, FR_E_INVALID},
    {"longer than it is", "\0\0\0\3{}", 6, true, FR_E_INVALID},
    {"length of all ones", "\377\377\377\377{}", 6, true, FR_E_INVALID},
    {"length inside", "\0\0\0\1{}", 6, true, FR_E_INVALID},
    {"exact", "\0\0\0\2{}", 6, true, FR_OK},
};

static void bad_requests_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fr_admin_message message = {0};
        struct fr_diag diag = {0};
        enum fr_err err = fr_admin_message_read(bad[i].is_framed, fr_span(bad[i].text, bad[i].n),
                                                &diag, &message);
        if (err != bad[i].err || (err && !diag.what[0]))
            fail_msg("%s: %s", bad[i].label, fr_err_text(err));
        fr_admin_message_free(&message);
    }
}

static void refusals_travel(void **state)
{
    (void)state;
    for (int code = 1; code <= FR_E_INTERNAL; code++) {
        struct fr_buf out = FR_BUF_INIT(4096);
        struct fr_diag diag = {.what = "member \"x\" exists", .where = "a:1", .hint = "look"},
                       back = {0};
        assert_int_equal(fr_admin_refusal_write((enum fr_err)code, &diag, &out), FR_OK);
        assert_int_equal(fr_admin_refusal_read(fr_buf_span(&out), &back), code);
        assert_string_equal(back.what, diag.what);
        assert_string_equal(back.where, diag.where);
        assert_string_equal(back.hint, diag.hint);
        assert_true(fr_admin_status((enum fr_err)code) >= 400);
        fr_buf_deinit(&out);
    }
}

static void what_is_no_refusal_is_internal(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "x", "{}", "{\"error\":1}", "{\"error\":{\"code\":\"done\"}}", "[]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fr_diag diag = {0};
        assert_int_equal(fr_admin_refusal_read(fr_span_str(texts[i]), &diag), FR_E_INTERNAL);
        assert_true(diag.what[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(refusals_travel),
        cmocka_unit_test(what_is_no_refusal_is_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
