#pragma once
/* The member's commands of the program fedroam: join, renew, wallet, leave, export. A table for the
 * program's list (base/cli.h). */

#include "base/cli.h"

extern const struct fr_cli_command fr_member_commands[]; /* ends with {NULL} */
