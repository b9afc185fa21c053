#pragma once
/* The part of /metrics about replicas: who this broker is, how far it is, who follows it. Inside of broker/main. */
#include "base/metrics.h"
#include "main/broker.h"

void fr_replica_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts);
