#include "enrol/inbound.h"

#include "support/unit.h"

#include <string.h>

#define END(result, steps)                                                                         \
    "{\"netid\":\"000013\",\"name\":\"000013.netid.fed.test\",\"endpoint\":\"192.0.2.1:8005\","    \
    "\"result\":\"" result "\",\"ms\":12,\"steps\":[" steps "]}"

static const struct {
    const char *text;
    enum fr_err err;
    bool is_right;
    size_t n;
    const char *step, *todo; /* of the first endpoint */
} rows[] = {
    {"{\"result\":\"right\",\"endpoints\":[" END("right", "") "]}", FR_OK, true, 1, "", ""},
    {"{\"result\":\"wrong\",\"endpoints\":[" END("wrong",
                                                 "{\"step\":\"tcp\",\"state\":\"right\"},{\"step\":"
                                                 "\"tls\",\"state\":\"wrong\",\"seen\":\"s\","
                                                 "\"todo\":\"t\"}") "," END("right", "") "]}",
     FR_OK, false, 2, "tls", "t"},
    {"{\"result\":\"none\",\"endpoints\":[]}", FR_OK, false, 0, NULL, NULL},
    {"{\"result\":7,\"endpoints\":[{\"ms\":-1,\"steps\":[1,{}]},3]}", FR_OK, false, 2, "", ""},
    {"{\"result\":\"right\"}", FR_E_MALFORMED, false, 0, NULL, NULL},
    {"[]", FR_E_MALFORMED, false, 0, NULL, NULL},
    {"{\"endpoints\":[],\"endpoints\":[]}", FR_E_MALFORMED, false, 0, NULL, NULL},
    {"", FR_E_MALFORMED, false, 0, NULL, NULL},
};

static void answers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_inbound in = {0};
        struct fr_diag diag = {0};
        const enum fr_err err = fr_inbound_read(fr_span_str(rows[i].text), &diag, &in);
        CHECK_ROW(rows[i].text, err == rows[i].err);
        CHECK_ROW(rows[i].text, in.is_right == rows[i].is_right && in.n == rows[i].n);
        CHECK_ROW(rows[i].text, !rows[i].step || (strcmp(in.ends[0].step, rows[i].step) == 0 &&
                                                  strcmp(in.ends[0].todo, rows[i].todo) == 0));
        fr_inbound_free(&in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
