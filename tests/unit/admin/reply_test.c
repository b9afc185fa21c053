#include "admin/reply.h"
#include "support/unit.h"

static const char text[] = "{\"id\":\"acme\",\"n\":7,\"yes\":true,\"list\":[{\"netid\":\"000013\"},"
                           "{\"netid\":\"000014\"}],"
                           "\"policy\":{\"ttl.deveui\":3600},\"big\":4294967296,\"neg\":-1}";

static void values_by_path(void **state)
{
    (void)state;
    struct fr_admin_reply *reply = NULL;
    assert_int_equal(fr_admin_reply_parse(fr_span_str(text), &reply), FR_OK);
    assert_string_equal(fr_admin_reply_json(reply), text);
    assert_string_equal(fr_admin_reply_text(reply, "id"), "acme");
    assert_string_equal(fr_admin_reply_text(reply, "list.1.netid"), "000014");
    assert_null(fr_admin_reply_text(reply, "list.2.netid"));
    assert_null(fr_admin_reply_text(reply, "list.x.netid"));
    assert_null(fr_admin_reply_text(reply, "id.more"));
    assert_null(fr_admin_reply_text(reply, "n"));
    assert_true(fr_admin_reply_uint(reply, "n", 0) == 7);
    assert_true(fr_admin_reply_uint(reply, "big", 0) == 4294967296u);
    assert_true(fr_admin_reply_uint(reply, "neg", 9) == 9);
    assert_true(fr_admin_reply_uint(reply, "none", 9) == 9);
    assert_true(fr_admin_reply_uint(reply, "policy.ttl.deveui", 0) == 3600);
    assert_true(fr_admin_reply_bool(reply, "yes"));
    assert_false(fr_admin_reply_bool(reply, "n"));
    assert_int_equal(fr_admin_reply_count(reply, "list"), 2);
    assert_int_equal(fr_admin_reply_count(reply, "id"), 0);
    fr_admin_reply_free(reply);
    fr_admin_reply_free(NULL);
}

static void only_objects_are_replies(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "[]", "1", "{", "{}x", "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fr_admin_reply *reply = NULL;
        assert_int_equal(fr_admin_reply_parse(fr_span_str(texts[i]), &reply), FR_E_MALFORMED);
        assert_null(reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_by_path),
        cmocka_unit_test(only_objects_are_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
