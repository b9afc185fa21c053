#pragma once
/* The broker's counters as OpenMetrics text. */

#include "base/buf.h"
#include "main/broker.h"

enum fr_err fr_broker_metrics_write(const struct fr_broker_counts *counts, int64_t now_s,
                                    struct fr_buf *out);
