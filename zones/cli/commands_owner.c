#include "zones_cli/commands.h"

#include "session/remote.h"
#include "zones_cli/cmds.h"

/* Who owns what: blocks, releases, conflicts. */

static const struct fr_cli_option release_options[] = {
    {.name = "to", .value = "MEMBER", .help = "who may claim them"},
    {.name = "ttl", .value = "TIME", .help = "for how long (7d)"},
    {.name = "until", .value = "TIME", .help = "or until when (2026-11-20T06:52:19Z)"},
    {.name = "withdraw", .help = "take their releases back"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option claim_options[] = {
    {.name = "netid",
     .value = "N",
     .is_required = true,
     .help = "the network they are to belong to, of the member they are released to"},
    FR_REMOTE_OPTIONS,
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
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option tail_options[] = {
    {.name = "lines", .letter = 'n', .value = "COUNT", .help = "how many records (10)"},
    {.name = "follow", .letter = 'f', .help = "go on with what is to come"},
    {0},
};

static const struct fr_cli_option export_options[] = {
    {.name = "since", .value = "WHEN", .help = "from this record, or time, on"},
    {.name = "until", .value = "TIME", .help = "before this time"},
    {0},
};

static const struct fr_cli_option rollback_options[] = {
    {.name = "to",
     .value = "SEQUENCE",
     .is_required = true,
     .help = "the transaction after which devices were as they are to be"},
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
     .details = "With --broker those that are yours, or are offered to you.",
     .example = "fedroam device releases --member umbra",
     .only_reads = true,
     .run = fr_cmd_device_releases},
    {.path = "device conflicts",
     .options = member_options,
     .summary = "list devices that a second member claimed",
     .details =
         "The first claim stands. 10000 claims are remembered; the oldest go first. With --broker "
         "those of you and on\n"
         "your devices; whose a device is that you claimed in vain is not told.",
     .example = "fedroam device conflicts --member acme",
     .only_reads = true,
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
     .only_reads = true,
     .run = fr_cmd_block_list},
    {.path = "journal tail",
     .options = tail_options,
     .summary = "print the latest records of the journal",
     .details =
         "One record for each transaction: who, when, why, and what was changed. With -o json one "
         "record a line.",
     .example = "fedroam journal tail -f",
     .only_reads = true,
     .run = fr_cmd_journal_tail},
    {.path = "journal show",
     .args = "SEQUENCE",
     .min_args = 1,
     .max_args = 1,
     .summary = "print one record of the journal",
     .example = "fedroam journal show 17 -o json",
     .only_reads = true,
     .run = fr_cmd_journal_show},
    {.path = "journal export",
     .options = export_options,
     .summary = "print the journal, or a part of it",
     .example = "fedroam journal export --since 2026-11-01 -o json",
     .only_reads = true,
     .run = fr_cmd_journal_export},
    {.path = "journal trim",
     .summary = "remove records that need not be kept any more",
     .details =
         "The policy journal.keep (90 days) and journal.rows (10 million) say how long; a broker "
         "does this by itself\n"
         "every day. zone rollback reaches no further back than the journal.",
     .example = "fedroam journal trim --dry-run",
     .run = fr_cmd_journal_trim},
    {.path = "zone rollback",
     .options = rollback_options,
     .summary = "bring the devices back to an earlier transaction",
     .details =
         "Devices only: members, networks, certificates, tokens and policy stay as they are, and "
         "so "
         "do devices whose\n"
         "network or member is gone since. Reaches back to the last import of a large list, or as "
         "far as the journal is\n"
         "kept. It is a transaction of its own, which another rollback undoes. --dry-run counts.",
     .example = "fedroam zone rollback --to 1734 --dry-run",
     .run = fr_cmd_zone_rollback},
    {.path = "device erase",
     .args = "EUI…",
     .min_args = 1,
     .max_args = 100,
     .summary = "take devices and their traces out of the registry and the journal",
     .details = "For a data-protection request: removes the devices, their conflicts, and what the "
                "journal says of "
                "them. The answer\n"
                "says what stays, where and why. zone rollback cannot bring them back.",
     .example = "fedroam device erase 70b3d57ed0000001 --reason 'request of 20 November'",
     .run = fr_cmd_device_erase},
    {.path = "member erase",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary =
         "take a removed member's organisation and contacts out of the registry and the journal",
     .details = "For a data-protection request, after member remove. The answer says what stays, "
                "where and why.",
     .example = "fedroam member erase acme --yes",
     .run = fr_cmd_member_erase},
    {.path = "member export",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "print everything the registry holds about a member, as JSON",
     .details =
         "Contacts, networks, blocks, certificates, tokens, JoinEUIs, zones, visibility, "
         "releases, conflicts, counts of\n"
         "look-ups by day, the journal's records about it, and its devices: the answer to a "
         "data-protection request.\n"
         "Secrets are not in it. What is outside of the registry: audit.jsonl, the query log, "
         "backups.",
     .example = "fedroam member export acme > acme.json",
     .only_reads = true,
     .run = fr_cmd_member_export},
    {.path = "store compact",
     .summary = "give the space of removed rows back to the disk",
     .details = "Writes the store's file anew without its free pages; old bytes in them are gone "
                "too. Stop the broker "
                "first. Needs\n"
                "as much free space as the store uses; cut short, it leaves the old file.",
     .example = "fedroam store compact",
     .has_no_trial = true,
     .run = fr_cmd_store_compact},
    {0},
};
