#include "zones_cli/commands.h"

#include "zones_cli/cmds.h"

/* Devices from a network server's database. */

static const struct fr_cli_option sync_options[] = {
    {.name = "config",
     .value = "FILE",
     .is_required = true,
     .help = "sync.yaml: the database, and what goes into which federation"},
    {.name = "watch", .help = "again and again, as the file's `every` says"},
    {.name = "max-withdraw",
     .value = "PERCENT",
     .help = "of what is published, that may go at once; for every federation (the file's, 5%)"},
    {0},
};

#define DETAILS                                                                                    \
    "The NetID in the federation then has exactly the devices that were chosen; only differences " \
    "are sent. A run that\n"                                                                       \
    "would withdraw more than 5 % sends nothing and says so (exit code 6); a database that is "    \
    "not "                                                                                         \
    "reached, empty or in the\n"                                                                   \
    "middle of a migration withdraws nothing. Exit code 1: the broker refused some devices. "      \
    "docs/publishing-devices.md\n"                                                                 \
    "has sync.yaml, the rights in the database, and a systemd unit."

const struct fr_cli_command fr_zones_sync_commands[] = {
    {.path = "sync chirpstack-v4",
     .max_args = 1000,
     .options = sync_options,
     .summary = "publish the devices of a ChirpStack v4 (PostgreSQL or SQLite)",
     .details = "Devices that join (OTAA), are not disabled and whose device-profile has "
                "allow_roaming.\n" DETAILS,
     .example = "fedroam sync chirpstack-v4 --config /etc/fedroam/sync.yaml --dry-run",
     .run = fr_cmd_sync_chirpstack_v4},
    {.path = "sync chirpstack-v3",
     .max_args = 1000,
     .options = sync_options,
     .summary = "publish the devices of a ChirpStack v3 (PostgreSQL)",
     .details = "Devices that join (OTAA) and are not disabled.\n" DETAILS,
     .example = "fedroam sync chirpstack-v3 --config /etc/fedroam/sync.yaml --watch",
     .run = fr_cmd_sync_chirpstack_v3},
    {.path = NULL},
};
