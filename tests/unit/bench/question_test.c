#include "bench/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/unit.h"

static char path[64];

static void write_file(const char *text)
{
    (void)snprintf(path, sizeof path, "/tmp/fr-question-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_the_message(void **state)
{
    static const uint8_t expected[] = "\0\0\0\0\0\1\0\0\0\0\0\0\20"
                                      "70b3d57ed0000001"
                                      "\6deveui\3fed\4test\0\0\1\0\1";
    struct fr_questions q;
    struct fr_diag diag = {0};

    (void)state;
    assert_int_equal(fr_questions_range(&q, "fed.test", 0x70b3d57ed0000001, 1, 0, &diag), FR_OK);
    struct fr_span wire = fr_questions_next(&q);
    assert_int_equal(wire.n, sizeof expected - 1);
    assert_memory_equal(wire.p, expected, wire.n);
    fr_questions_deinit(&q);
}

static void test_a_range_stays_in_itself(void **state)
{
    struct fr_questions q;
    struct fr_diag diag = {0};
    unsigned seen = 0, missed = 0;

    (void)state;
    assert_int_equal(fr_questions_range(&q, "fed.test", 0x10, 8, 0, &diag), FR_OK);
    for (int i = 0; i < 1000; i++) {
        struct fr_span wire = fr_questions_next(&q);
        assert_memory_equal(wire.p + 13, "000000000000001", 15);
        assert_in_range(wire.p[28], '0', '7');
        seen |= 1u << (wire.p[28] - '0');
    }
    assert_int_equal(seen, 0xff);
    assert_int_equal(fr_questions_range(&q, "fed.test", 0x10, 8, 250000, &diag), FR_OK);
    for (int i = 0; i < 4000; i++)
        missed += memcmp(fr_questions_next(&q).p + 13, "000000000000001", 15) != 0;
    assert_in_range(missed, 800, 1200);
}

static void test_files(void **state)
{
    static const struct {
        const char *label, *text;
        enum fr_err err;
        size_t n;
        const char *where;
    } rows[] = {
        {"one", "70b3d57ed0000001\n", FR_OK, 1, ""},
        {"no end of line", "70b3d57ed0000001", FR_OK, 1, ""},
        {"heading and columns", "deveui,netid\n70b3d57ed0000001,000013\r\n\n70B3D57ED0000002 x\n",
         FR_OK, 2, ""},
        {"empty", "", FR_E_MALFORMED, 0, ""},
        {"heading alone", "deveui\n", FR_E_MALFORMED, 0, ""},
        {"too short", "70b3d57ed0000001\n70b3d57ed000000\n", FR_E_MALFORMED, 0, "2"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_questions q;
        struct fr_diag diag = {0};

        write_file(rows[i].text);
        CHECK_ROW(rows[i].label, fr_questions_file(&q, "fed.test", path, 0, &diag) == rows[i].err);
        if (rows[i].err == FR_OK) {
            CHECK_ROW(rows[i].label, q.n == rows[i].n);
            CHECK_ROW(rows[i].label, q.euis[0] == 0x70b3d57ed0000001);
            fr_questions_deinit(&q);
        }
        unlink(path);
    }
}

static void test_refused(void **state)
{
    struct fr_questions q;
    struct fr_diag diag = {0};

    (void)state;
    assert_int_equal(fr_questions_range(&q, "fed.test", 1, 0, 0, &diag), FR_E_INVALID);
    assert_int_equal(fr_questions_range(&q, "fed..test", 1, 1, 0, &diag), FR_E_INVALID);
    assert_int_equal(fr_questions_file(&q, "fed.test", "/nonexistent/names", 0, &diag),
                     FR_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_message),
        cmocka_unit_test(test_a_range_stays_in_itself),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
