#pragma once
/* The commands of `fedroam` about looking devices up: resolve, why, test. A table for the program's list
 * (base/cli.h). */

#include "base/cli.h"

extern const struct fr_cli_command fr_resolver_commands[]; /* ends with {NULL} */
