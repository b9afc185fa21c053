#pragma once
/* Metrics as OpenMetrics 1.0 text: families, samples, labels, the end.
 *
 * Model: open a family, add its samples, open the next; fr_metrics_end at last. A counter's
 * samples get "_total". Errors stick to the buffer (fr_buf_err). Names and label keys are
 * literals of the program.
 * Trust: label values may be a peer's: they are escaped. See: OpenMetrics 1.0, text format. */

#include "base/buf.h"
#include <stdint.h>

#define FR_METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum fr_metric_type { FR_METRIC_COUNTER, FR_METRIC_GAUGE, FR_METRIC_INFO };

struct fr_metrics {
    struct fr_buf *out;
    const char *name; /* of the open family */
    enum fr_metric_type type;
};

struct fr_label {
    const char *key, *value;
};

struct fr_metrics fr_metrics(struct fr_buf *out);
void fr_metrics_family(struct fr_metrics *m, enum fr_metric_type type, const char *name,
                       const char *help);
void fr_metrics_sample(struct fr_metrics *m, uint64_t value, const struct fr_label *labels,
                       size_t n);
void fr_metrics_sample_int(struct fr_metrics *m, int64_t value, const struct fr_label *labels,
                           size_t n);
void fr_metrics_end(struct fr_metrics *m);

/* Counters without labels, a family each. */
struct fr_metric_row {
    const char *name, *help;
    uint64_t value;
};
void fr_metrics_counters(struct fr_metrics *m, const struct fr_metric_row *rows, size_t n);

/* A sample with its labels in one line: FR_METRIC(&m, 7, {"rcode", "NOERROR"}). */
#define FR_METRIC(m, value, ...)                                                                   \
    fr_metrics_sample(                                                                             \
        (m), (value), (const struct fr_label[]){{0}, ##__VA_ARGS__} + 1,                           \
        sizeof((const struct fr_label[]){{0}, ##__VA_ARGS__}) / sizeof(struct fr_label) - 1)
