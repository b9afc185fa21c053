#pragma once
/* Notices, and how telling them goes, for /metrics. */
#include "base/metrics.h"
#include "main/broker.h"

void fr_notice_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts);
