#include "zones_cli/commands.h"

#include "session/remote.h"
#include "zones_cli/cmds.h"

/* Join servers: JoinEUIs, blocks of them, and where they lead. */

static const struct fr_cli_option add_options[] = {
    {.name = "member",
     .value = "ID",
     .is_required = true,
     .help = "the member that runs the join servers"},
    {.name = "server",
     .value = "URL[,OPTION=…]",
     .is_repeatable = true,
     .help = "a join server; repeat in order of preference"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option remote_options[] = {FR_REMOTE_OPTIONS, {0}};

static const struct fr_cli_option list_options[] = {
    {.name = "member", .value = "ID", .help = "only this member's"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option conflict_options[] = {
    {.name = "member", .value = "ID", .help = "only where this member is on either side"},
    {0},
};

const struct fr_cli_command fr_zones_joineui_commands[] = {
    {.path = "joineui add",
     .args = "JOINEUI",
     .min_args = 1,
     .max_args = 1,
     .options = add_options,
     .summary = "say who holds a JoinEUI, or a block of them, and where its join servers are",
     .details =
         "JOINEUI is 16 hex digits, or the first one of a block and how many bits all of them "
         "share, in steps of 4:\n"
         "70b3d57ed0000000/40. A server is https://HOST:PORT or http://HOST:PORT; HOST is an "
         "address, or a name outside\n"
         "of the federation's zone. Options: also=ADDRESS (of the other family), priority= (its "
         "place in the list; equal\n"
         "ones share the load), weight= (0), order= (100) and preference= (https 50, http 60). "
         "What "
         "was said of it\n"
         "before is replaced. Without a server the JoinEUI is held and nothing is answered.",
     .example = "fedroam joineui add 70b3d57ed0000000/40 --member acme --server "
                "https://js.acme.example:8443 --server https://192.0.2.11:8443",
     .run = fr_cmd_joineui_add},
    {.path = "joineui remove",
     .args = "JOINEUI",
     .min_args = 1,
     .max_args = 1,
     .options = remote_options,
     .summary = "give a JoinEUI, or a block of them, up",
     .example = "fedroam joineui remove 70b3d57ed0000000/40",
     .run = fr_cmd_joineui_remove},
    {.path = "joineui list",
     .options = list_options,
     .summary = "list JoinEUIs and their join servers",
     .example = "fedroam joineui list",
     .only_reads = true,
     .run = fr_cmd_joineui_list},
    {.path = "joineui show",
     .args = "JOINEUI",
     .min_args = 1,
     .max_args = 1,
     .options = remote_options,
     .summary = "show who holds a JoinEUI and which join servers are answered for it",
     .details = "A JoinEUI inside a block is answered by the longest one that has servers. With "
                "--broker: of what the\n"
                "member holds itself.",
     .example = "fedroam joineui show 70b3d57ed0000001",
     .only_reads = true,
     .run = fr_cmd_joineui_show},
    {.path = "joineui conflicts",
     .options = conflict_options,
     .summary = "list JoinEUIs that a second member claimed",
     .details = "The first claim stands. They are kept with those of devices.",
     .example = "fedroam joineui conflicts --member acme",
     .only_reads = true,
     .run = fr_cmd_joineui_conflicts},
    {0},
};
