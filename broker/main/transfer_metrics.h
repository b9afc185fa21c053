#pragma once
/* Counters of zone transfers from members' name servers, for the page of metrics.h. */

#include "base/metrics.h"
#include "main/broker.h"

void fr_transfer_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts);
