#include "base/log_conf.h"
#include "support/unit.h"

struct program {
    int before; /* the group's place is not the struct's beginning */
    struct fr_log_options log;
};

static const struct fr_conf_row rows[] = {
    {.key = "log",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct program, log),
     .rows = fr_log_rows,
     .help = "Records."},
    {.key = NULL},
};
static const struct fr_conf_schema schema = {
    .title = "p.yaml", .size = sizeof(struct program), .rows = rows};

static void words(void **state)
{
    static const struct {
        const char *text;
        enum fr_err err;
        enum fr_log_level level;
        enum fr_log_format format;
        enum fr_log_ids identifiers;
    } table[] = {
        {"", FR_OK, FR_LOG_INFO, FR_LOG_TEXT, FR_IDS_SHORT},
        {"log: {level: debug}\n", FR_OK, FR_LOG_DEBUG, FR_LOG_TEXT, FR_IDS_SHORT},
        {"log: {level: error, format: json, identifiers: full}\n", FR_OK, FR_LOG_ERROR, FR_LOG_JSON,
         FR_IDS_FULL},
        {"log: {level: warn, identifiers: hash}\n", FR_OK, FR_LOG_WARN, FR_LOG_TEXT, FR_IDS_HASH},
        {"log: {level: loud}\n", FR_E_CONFIG, 0, 0, 0},
        {"log: {colour: red}\n", FR_E_CONFIG, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct program p = {0};
        struct fr_diag diag = {0};
        enum fr_err err = fr_conf_parse(&schema, "p.yaml", fr_span_str(table[i].text), &diag, &p);
        CHECK_ROW(table[i].text, err == table[i].err);
        if (err) continue;
        CHECK_ROW(table[i].text, p.log.level == table[i].level);
        CHECK_ROW(table[i].text, p.log.format == table[i].format);
        CHECK_ROW(table[i].text, p.log.identifiers == table[i].identifiers);
        CHECK_ROW(table[i].text, p.log.sink == NULL && p.log.clock == NULL);
        fr_conf_free(&schema, &p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
