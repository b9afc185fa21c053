/* The commands ca, member and cert of the program fedroam. */
#pragma once

#include "base/cli.h"

/* Ends with {NULL}. */
extern const struct fr_cli_command fr_pki_commands[];
extern const struct fr_cli_command fr_ca_commands[];
extern const struct fr_cli_command fr_pki_trail_commands[];   /* approval, audit, grace, ca clock */
extern const struct fr_cli_command fr_pki_keeping_commands[]; /* backup, restore, cert adopt */
