#include "zones_cli/commands.h"

#include "zones_cli/cmds.h"

/* Who owns what: blocks, releases, conflicts. */

static const struct fr_cli_option release_options[] = {
    {.name = "to", .value = "MEMBER", .help = "who may claim them"},
    {.name = "ttl", .value = "TIME", .help = "for how long (7d)"},
    {.name = "until", .value = "TIME", .help = "or until when (2026-11-20T06:52:19Z)"},
    {.name = "withdraw", .help = "take their releases back"},
    {0},
};

static const struct fr_cli_option claim_options[] = {
    {.name = "netid",
     .value = "N",
     .is_required = true,
     .help = "the network they are to belong to, of the member they are released to"},
    {0},
};

static const struct fr_cli_option move_options[] = {
    {.name = "to",
     .value = "NETID",
     .is_required = true,
     .help = "the network they are to belong to"},
    {0},
};

static const struct fr_cli_option member_options[] = {
    {.name = "member", .value = "ID", .help = "only where this member is on either side"},
    {0},
};

const struct fr_cli_command fr_zones_owner_commands[] = {
    {.path = "device release",
     .args = "EUI…",
     .min_args = 1,
     .max_args = 2000,
     .options = release_options,
     .summary = "let another member claim devices",
     .details =
         "The move is complete when that member claims or publishes them. A release ends with its "
         "time, when it is\n"
         "withdrawn, and when anything happens to the device before.",
     .example = "fedroam device release 70b3d57ed0000001 --to umbra --ttl 3d",
     .run = fr_cmd_device_release},
    {.path = "device claim",
     .args = "EUI…",
     .min_args = 1,
     .max_args = 2000,
     .options = claim_options,
     .summary = "take devices that were released to a member",
     .example = "fedroam device claim 70b3d57ed0000001 --netid 00002b",
     .run = fr_cmd_device_claim},
    {.path = "device move",
     .args = "EUI…",
     .min_args = 1,
     .max_args = 2000,
     .options = move_options,
     .summary = "move devices over their member's head",
     .details =
         "For the operator to settle a dispute: it needs --reason, and looks at no release and no "
         "block. Among the\n"
         "NetIDs of one member, device add moves.",
     .example = "fedroam device move 70b3d57ed0000001 --to 00002b --reason 'sold, ticket 17'",
     .run = fr_cmd_device_move},
    {.path = "device releases",
     .options = member_options,
     .summary = "list devices that may be claimed",
     .example = "fedroam device releases --member umbra",
     .run = fr_cmd_device_releases},
    {.path = "device conflicts",
     .options = member_options,
     .summary = "list devices that a second member claimed",
     .details = "The first claim stands. 10000 claims are remembered; the oldest go first.",
     .example = "fedroam device conflicts --member acme",
     .run = fr_cmd_device_conflicts},
    {.path = "member block add",
     .args = "ID BLOCK…",
     .min_args = 2,
     .max_args = 1000,
     .summary = "give a member blocks of EUIs to publish",
     .details =
         "BLOCK is the first EUI and how many bits all of them share. Blocks never overlap. A "
         "member "
         "that has blocks\n"
         "publishes inside them only; with the policy blocks set to required, one that has none "
         "publishes nothing.\n"
         "Devices that were published before stay.",
     .example = "fedroam member block add acme 70b3d57ed0000000/36",
     .run = fr_cmd_block_add},
    {.path = "member block remove",
     .args = "ID BLOCK…",
     .min_args = 2,
     .max_args = 1000,
     .summary = "take blocks of EUIs back",
     .example = "fedroam member block remove acme 70b3d57ed0000000/36",
     .run = fr_cmd_block_remove},
    {.path = "member block list",
     .args = "[ID]",
     .max_args = 1,
     .summary = "list blocks of EUIs",
     .example = "fedroam member block list acme",
     .run = fr_cmd_block_list},
    {0},
};
