#include "zones_cli/commands.h"

#include "session/remote.h"
#include "zones_cli/cmds.h"

/* Devices from members' own name servers; the zone for secondaries. */

static const struct fr_cli_option set_options[] = {
    {.name = "member", .value = "ID", .is_required = true, .help = "whose name server it is"},
    {.name = "address",
     .value = "ADDRESS[:PORT]",
     .is_required = true,
     .is_repeatable = true,
     .help = "where it answers; up to four, tried in this order (port 53, with --tls 853)"},
    {.name = "netid",
     .value = "N",
     .is_required = true,
     .is_repeatable = true,
     .help = "a NetID of the member that the zone fills, alone"},
    {.name = "tsig-key",
     .value = "FILE",
     .help = "the shared key, as tsig-keygen or keymgr -t wrote it (mode 0600)"},
    {.name = "tls", .help = "transfer over TLS; the broker shows its own certificate"},
    {.name = "ca", .value = "FILE", .help = "with --tls: the CA of the server's certificate (PEM)"},
    {.name = "tls-name", .value = "NAME", .help = "with --ca: the name in that certificate"},
    {.name = "pin",
     .value = "HEX",
     .help = "with --tls: SHA-256 of the server's public key, instead of a CA"},
    {.name = "max-gone",
     .value = "PERCENT",
     .help = "devices that may go without 'zone accept' (5)"},
    {.name = "refresh-min",
     .value = "SECONDS",
     .help = "look no more often, whatever the zone says (60)"},
    {.name = "refresh-max",
     .value = "SECONDS",
     .help = "look no less often, whatever the zone says (86400)"},
    {0},
};

static const struct fr_cli_option which_options[] = {
    {.name = "member", .value = "ID", .is_required = true, .help = "whose name server it is"},
    {.name = "zone", .value = "NAME", .help = "this zone only (all of the member)"},
    {0},
};

static const struct fr_cli_option refresh_options[] = {
    {.name = "member", .value = "ID", .help = "whose name server it is (with --broker: yours)"},
    {.name = "zone", .value = "NAME", .help = "this zone only (all of the member)"},
    {.name = "full", .help = "transfer the whole zone, also when its serial went back"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option accept_options[] = {
    {.name = "member", .value = "ID", .help = "whose name server it is (with --broker: yours)"},
    {.name = "zone", .value = "NAME", .help = "this zone only (all of the member)"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option show_options[] = {
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option list_options[] = {
    {.name = "member", .value = "ID", .help = "only of this member"},
    {0},
};

static const struct fr_cli_option secondary_options[] = {
    {.name = "tsig-key",
     .value = "FILE",
     .help = "the shared key, as tsig-keygen or keymgr -t wrote it (mode 0600)"},
    {.name = "xot", .help = "it asks over TLS, with a certificate that has the right secondary"},
    {.name = "address",
     .value = "ADDRESS[:PORT]",
     .is_repeatable = true,
     .help = "told by NOTIFY that the zone changed; up to four (port 53)"},
    {0},
};

const struct fr_cli_command fr_zones_transfer_commands[] = {
    {.path = "zone primary set",
     .args = "ZONE",
     .min_args = 1,
     .max_args = 1,
     .options = set_options,
     .summary = "take a member's devices from its own name server",
     .details =
         "The broker becomes a secondary of the zone: it hears NOTIFY, asks for the SOA, transfers "
         "changes. Devices are\n"
         "<DevEUI>[.deveui].ZONE, with a CNAME to <NetID>.netid.… or with an address (then one "
         "--netid). What is in the\n"
         "NetIDs and not in the zone goes. Setting it again changes it. docs/publishing-devices.md "
         "has both sides.",
     .example = "fedroam zone primary set deveui.acme.example --member acme --netid 000013 "
                "--address 192.0.2.53 --tsig-key acme.key",
     .run = fr_cmd_zone_primary_set},
    {.path = "zone primary list",
     .options = list_options,
     .summary = "list the zones that devices come from",
     .example = "fedroam zone primary list",
     .only_reads = true,
     .run = fr_cmd_zone_primary_list},
    {.path = "zone primary show",
     .args = "[MEMBER]",
     .max_args = 1,
     .options = show_options,
     .summary = "show a member's zones: what was taken, what was left out and why, what waits",
     .details = "With --broker they are your own, and there is no MEMBER.",
     .example = "fedroam zone primary show acme",
     .only_reads = true,
     .run = fr_cmd_zone_primary_show},
    {.path = "zone primary refresh",
     .options = refresh_options,
     .summary = "let the running broker look at a member's zones now",
     .example = "fedroam zone primary refresh --member acme",
     .run = fr_cmd_zone_primary_refresh},
    {.path = "zone primary remove",
     .options = which_options,
     .summary = "take no more devices from a member's name server; those taken stay",
     .example = "fedroam zone primary remove --member acme --zone deveui.acme.example",
     .run = fr_cmd_zone_primary_remove},
    {.path = "zone secondary add",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .options = secondary_options,
     .summary = "let a name server copy the whole zone",
     .details = "A secondary (BIND, Knot) fetches the zone by AXFR and IXFR where a listener "
                "serves xfr or "
                "xot. It answers whoever\n"
                "it likes: without visibility, without budgets, and with what was revoked until it "
                "has asked "
                "again. Setting it\n"
                "again changes it. docs/secondaries.md has both sides.",
     .example = "fedroam zone secondary add ns2 --tsig-key ns2.key --address 192.0.2.54",
     .run = fr_cmd_zone_secondary_add},
    {.path = "zone secondary list",
     .summary = "list the name servers that may copy the zone, and how far each has come",
     .details = "serial, behind (changes that it lacks) and silent_s (since it last asked) are "
                "what the running "
                "broker has heard since its start.\nA secondary that asks over TLS goes by the "
                "member or host "
                "of its certificate.",
     .example = "fedroam zone secondary list",
     .only_reads = true,
     .run = fr_cmd_zone_secondary_list},
    {.path = "zone secondary remove",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .summary = "give a name server the zone no more; what it has it keeps until it expires",
     .example = "fedroam zone secondary remove ns2",
     .run = fr_cmd_zone_secondary_remove},
    {.path = "zone accept",
     .options = accept_options,
     .summary = "let a zone take away the devices that are held back",
     .details = "A zone that lost more than 5 % of its devices is not taken before somebody says "
                "so; the old set stays served.",
     .example = "fedroam zone accept --member acme --reason 'gateway project ended'",
     .run = fr_cmd_zone_accept},
    {.path = NULL},
};
