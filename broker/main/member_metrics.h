#pragma once
/* What `member list` tells, as metrics of each member. */

#include "base/metrics.h"
#include "main/broker.h"

void fr_member_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts,
                             int64_t now_s);
