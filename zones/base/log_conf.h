#pragma once
/* The `log:` group of every program's configuration file: level, format, identifiers.
 *
 * Model: rows of base/conf.h whose places are in struct fr_log_options; sink and clock are the
 * program's. */

#include "base/conf.h"
#include "base/log.h"

extern const struct fr_conf_row fr_log_rows[];
