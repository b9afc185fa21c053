#pragma once
/* The rows of `limits:` in broker.yaml: what one client, or all, may use. Of struct fr_broker_conf. */
#include "base/conf.h"

extern const struct fr_conf_row fr_broker_limit_rows[];
