#include "base/metrics.h"

#include <inttypes.h>

struct fr_metrics fr_metrics(struct fr_buf *out)
{
    return (struct fr_metrics){.out = out, .name = ""};
}

/* Backslash, quote and line end are escaped (text format, "escaped-string"). */
static void add_escaped(struct fr_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            fr_buf_add_str(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"') fr_buf_add_char(out, '\\');
        fr_buf_add_char(out, *text);
    }
}

void fr_metrics_family(struct fr_metrics *m, enum fr_metric_type type, const char *name,
                       const char *help)
{
    static const char *const words[] = {
        [FR_METRIC_COUNTER] = "counter", [FR_METRIC_GAUGE] = "gauge", [FR_METRIC_INFO] = "info"};
    m->name = name;
    m->type = type;
    fr_buf_printf(m->out, "# TYPE %s %s\n# HELP %s ", name, words[type], name);
    add_escaped(m->out, help);
    fr_buf_add_char(m->out, '\n');
}

static void add_sample_name(struct fr_metrics *m, const struct fr_label *labels, size_t n)
{
    static const char *const suffixes[] = {
        [FR_METRIC_COUNTER] = "_total", [FR_METRIC_GAUGE] = "", [FR_METRIC_INFO] = "_info"};
    fr_buf_add_str(m->out, m->name);
    fr_buf_add_str(m->out, suffixes[m->type]);
    for (size_t i = 0; i < n; i++) {
        fr_buf_printf(m->out, "%s%s=\"", i ? "," : "{", labels[i].key);
        add_escaped(m->out, labels[i].value);
        fr_buf_add_char(m->out, '"');
    }
    if (n) fr_buf_add_char(m->out, '}');
}

void fr_metrics_sample(struct fr_metrics *m, uint64_t value, const struct fr_label *labels,
                       size_t n)
{
    add_sample_name(m, labels, n);
    fr_buf_printf(m->out, " %" PRIu64 "\n", value);
}

void fr_metrics_sample_int(struct fr_metrics *m, int64_t value, const struct fr_label *labels,
                           size_t n)
{
    add_sample_name(m, labels, n);
    fr_buf_printf(m->out, " %" PRId64 "\n", value);
}

void fr_metrics_end(struct fr_metrics *m)
{
    fr_buf_add_str(m->out, "# EOF\n");
}

void fr_metrics_counters(struct fr_metrics *m, const struct fr_metric_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fr_metrics_family(m, FR_METRIC_COUNTER, rows[i].name, rows[i].help);
        fr_metrics_sample(m, rows[i].value, NULL, 0);
    }
}
