/* The commands of `fedroam` that measure a broker: bench doh. A table for the program's list
 * (base/cli.h). */
#pragma once

#include "base/cli.h"

extern const struct fr_cli_command fr_bench_commands[]; /* ends with {NULL} */
