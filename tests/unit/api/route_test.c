#include "api/route.h"

#include "support/unit.h"

#include <string.h>

/* Handlers are told apart by their rights here; none is called. */
static const struct fr_api_route rows[] = {
    {"GET", "/api/v1/devices", 1, NULL},
    {"POST", "/api/v1/devices:batch", 2, NULL},
    {"GET", "/api/v1/devices/{eui}", 3, NULL},
    {"PUT", "/api/v1/devices/{eui}", 4, NULL},
    {"DELETE", "/api/v1/devices/{eui}", 5, NULL},
    {"GET", "/api/v1/a/{x}/b/{y}", 6, NULL},
    {NULL, NULL, 0, NULL},
};

static const struct {
    const char *method, *path;
    enum fr_err err;
    uint32_t row;
    const char *first, *second, *allow;
} table[] = {
    {"GET", "/api/v1/devices", FR_OK, 1, NULL, NULL, NULL},
    {"HEAD", "/api/v1/devices", FR_OK, 1, NULL, NULL, NULL},
    {"POST", "/api/v1/devices:batch", FR_OK, 2, NULL, NULL, NULL},
    {"PUT", "/api/v1/devices/70b3", FR_OK, 4, "70b3", NULL, NULL},
    {"DELETE", "/api/v1/devices/70b3", FR_OK, 5, "70b3", NULL, NULL},
    {"GET", "/api/v1/a/1/b/2", FR_OK, 6, "1", "2", NULL},
    {"PATCH", "/api/v1/devices/1", FR_E_UNSUPPORTED, 0, NULL, NULL, "GET, HEAD, PUT, DELETE"},
    {"get", "/api/v1/devices", FR_E_UNSUPPORTED, 0, NULL, NULL, "GET, HEAD"},
    {"HEAD", "/api/v1/devices:batch", FR_E_UNSUPPORTED, 0, NULL, NULL, "POST"},
    {"GET", "/api/v1/device", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1/devices/", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1//devices", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1/devices/1/", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1/devices/1/2", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1/devices/%31", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1/a/1/b", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1/{eui}", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "/api/v1/devices{eui}", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "*", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"GET", "", FR_E_NOT_FOUND, 0, NULL, NULL, NULL},
    {"", "/api/v1/devices", FR_E_UNSUPPORTED, 0, NULL, NULL, "GET, HEAD"},
};

static bool is_text(struct fr_span span, const char *text)
{
    return text ? fr_span_is(span, text) : true;
}

static void paths_find_their_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fr_api_match match = {0};
        enum fr_err err =
            fr_api_match(rows, fr_span_str(table[i].method), fr_span_str(table[i].path), &match);
        if (err != table[i].err)
            fail_msg("%s %s: %s", table[i].method, table[i].path, fr_err_text(err));
        if (!err) assert_int_equal(match.route->rights, table[i].row);
        if (err) assert_null(match.route);
        assert_true(is_text(match.params[0], table[i].first));
        assert_true(is_text(match.params[1], table[i].second));
        assert_string_equal(match.allow, table[i].allow ? table[i].allow : "");
    }
}

/* What the table itself must keep to. */
static void the_table_is_sound(void **state)
{
    (void)state;
    for (const struct fr_api_route *a = fr_api_routes; a->method; a++) {
        assert_int_equal(strncmp(a->path, FR_API_ROOT "/", strlen(FR_API_ROOT) + 1), 0);
        assert_non_null(a->run);
        for (const struct fr_api_route *b = a + 1; b->method; b++)
            if (strcmp(a->path, b->path) == 0 && strcmp(a->method, b->method) == 0)
                fail_msg("%s %s is there twice", a->method, a->path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_rows),
        cmocka_unit_test(the_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
