#pragma once
/* The commands zone, device, visibility, network, joineui, policy, stats and store of the program fedroam. */
#include "base/cli.h"

/* Ends with {NULL}. */
extern const struct fr_cli_command fr_zones_commands[];
extern const struct fr_cli_command fr_zones_replica_commands[];  /* several brokers */
extern const struct fr_cli_command fr_zones_transfer_commands[]; /* members' name servers */
extern const struct fr_cli_command fr_zones_sync_commands[];     /* network servers' databases */
extern const struct fr_cli_command fr_zones_joineui_commands[];
extern const struct fr_cli_command fr_zones_owner_commands[]; /* who owns what, and the journal */
