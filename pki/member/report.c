#include "member_cli/report.h"

#include "base/json_out.h"
#include "base/mem.h"

#include <stdarg.h>
#include <string.h>

enum { LINE_MAX_BYTES = 65536, PRINTED_MAX = 16 * 1024 * 1024 };

void fr_report_add(struct fr_report *report, const char *key, const char *fmt, ...)
{
    struct fr_buf text = FR_BUF_INIT(LINE_MAX_BYTES);
    va_list args;
    size_t n = 0;

    if (report->n == FR_REPORT_LINES) return;
    va_start(args, fmt);
    fr_buf_vprintf(&text, fmt, args);
    va_end(args);
    char *line = fr_buf_err(&text) ? NULL : (char *)fr_buf_take(&text, &n);
    fr_buf_deinit(&text);
    if (line == NULL)
        report->is_out_of_memory = true;
    else
        report->lines[report->n++] = (struct fr_report_line){key, line};
}

size_t fr_report_count(const struct fr_report *report, const char *key)
{
    size_t n = 0;

    for (size_t i = 0; i < report->n; i++)
        if (strcmp(report->lines[i].key, key) == 0) n++;
    return n;
}

static void print_text(const struct fr_report *report, const char *const *keys, struct fr_buf *out)
{
    for (; *keys; keys++)
        for (size_t i = 0; i < report->n; i++)
            if (strcmp(report->lines[i].key, *keys) == 0)
                fr_buf_printf(out, "%-12s  %s\n", *keys, report->lines[i].text);
}

static void print_json(const struct fr_report *report, const char *const *keys, bool changed,
                       struct fr_buf *out)
{
    struct fr_json json = fr_json(out);

    fr_json_object(&json);
    fr_json_put_bool(&json, "changed", changed);
    for (; *keys; keys++) {
        fr_json_key(&json, *keys);
        fr_json_array(&json);
        for (size_t i = 0; i < report->n; i++)
            if (strcmp(report->lines[i].key, *keys) == 0) fr_json_str(&json, report->lines[i].text);
        fr_json_end(&json);
    }
    fr_json_end(&json);
    fr_buf_add_char(out, '\n');
}

enum fr_err fr_report_print(const struct fr_report *report, const char *const *keys, bool changed,
                            const struct fr_cli *cli)
{
    struct fr_buf text = FR_BUF_INIT(PRINTED_MAX);

    if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        print_json(report, keys, changed, &text);
    else
        print_text(report, keys, &text);
    enum fr_err err = report->is_out_of_memory ? FR_E_NOMEM : fr_buf_err(&text);
    if (!err && fwrite(fr_buf_str(&text), 1, text.n, fr_cli_out(cli)) != text.n) err = FR_E_IO;
    fr_buf_deinit(&text);
    return err;
}

void fr_report_free(struct fr_report *report)
{
    for (size_t i = 0; i < report->n; i++) fr_free(report->lines[i].text);
    report->n = 0;
}
