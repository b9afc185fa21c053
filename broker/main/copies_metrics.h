#pragma once
/* The metrics of copies: how far each replica and each secondary is. Threads: main's. Errors: none; without memory they are missing. */
#include "base/metrics.h"
#include "main/broker.h"

void fr_copies_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts);
