#include "zones_cli/commands.h"

#include "session/remote.h"
#include "zones_cli/cmds.h"

static const struct fr_cli_option import_options[] = {
    {.name = "netid",
     .value = "N",
     .is_required = true,
     .help = "the network the devices belong to"},
    {.name = "replace", .help = "make the network's devices exactly those of the file"},
    {.name = "keep-going", .help = "leave bad lines and refused devices out, and list them"},
    {.name = "records", .help = "take the addresses of a master file as the network's endpoints"},
    {0},
};

static const struct fr_cli_option device_add_options[] = {
    {.name = "netid",
     .value = "N",
     .is_required = true,
     .help = "the network the devices belong to"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option device_batch_options[] = {
    {.name = "key-of-batch",
     .value = "KEY",
     .help = "the Idempotency-Key to send; that of a batch which did not end goes on with it"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option device_remove_options[] = {
    {.name = "netid", .value = "N", .help = "only devices of this network"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option device_list_options[] = {
    {.name = "netid", .value = "N", .help = "only devices of this network"},
    {.name = "from", .value = "EUI", .help = "start at this DevEUI"},
    {.name = "limit", .value = "COUNT", .help = "at most so many (all)"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option device_show_options[] = {
    {.name = "for", .value = "MEMBER", .help = "say too whether this member's look-up finds it"},
    {0},
};

static const struct fr_cli_option device_set_options[] = {
    {.name = "hidden",
     .value = "yes|no",
     .is_required = true,
     .help = "may look-ups not find them"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option visibility_options[] = {
    {.name = "home",
     .value = "ID",
     .is_required = true,
     .help = "the member whose devices they are"},
    {.name = "visited", .value = "ID", .is_required = true, .help = "the member who looks them up"},
    {.name = "both", .help = "the other direction too"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option visibility_list_options[] = {
    {.name = "home", .value = "ID", .help = "only where this member is the home"},
    {.name = "visited", .value = "ID", .help = "only where this member looks up"},
    {0},
};

static const struct fr_cli_option stats_options[] = {
    {.name = "month", .value = "YYYY-MM", .is_required = true, .help = "the month to print"},
    {0},
};

static const struct fr_cli_option network_set_options[] = {
    {.name = "endpoint",
     .value = "ADDRESS:PORT",
     .is_repeatable = true,
     .is_required = true,
     .help = "where it listens for other networks; repeat in order of preference"},
    FR_REMOTE_OPTIONS,
    {0},
};

static const struct fr_cli_option export_options[] = {
    {.name = "hidden", .help = "hidden devices too, each marked by a comment"},
    {0},
};

const struct fr_cli_command fr_zones_commands[] = {
    {.path = "zone import",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .options = import_options,
     .summary = "add a network's devices from a list",
     .details = "FILE is one DevEUI a line, CSV (deveui[,comment]) or a DNS master file with CNAME "
                "records\n"
                "<deveui>.deveui… -> <netid>.netid…; - reads stdin. Devices are added; a device of "
                "another network of\n"
                "the same member is moved, a device of another member is never taken. A bad line "
                "stops the import with\n"
                "nothing imported, unless --keep-going.",
     .example = "fedroam zone import --netid 000013 devices.csv",
     .run = fr_cmd_zone_import},
    {.path = "zone export",
     .options = export_options,
     .summary = "print the zone as a DNS master file",
     .details =
         "What look-ups find: suspended networks are not in it, nor are hidden devices unless "
         "they are asked for. A row\n"
         "that cannot be read is named and left out; exit code 3 then.",
     .example = "fedroam zone export > fed.test.zone",
     .only_reads = true,
     .run = fr_cmd_zone_export},
    {.path = "zone check",
     .summary = "look for contradictions in the federation's state",
     .details = "Exit code 0: none; 2: warnings; 3: damage.",
     .example = "fedroam zone check",
     .only_reads = true,
     .run = fr_cmd_zone_check},
    {.path = "zone stats",
     .summary = "count what the zone holds",
     .example = "fedroam zone stats",
     .only_reads = true,
     .run = fr_cmd_zone_stats},
    {.path = "device add",
     .args = "EUI…",
     .min_args = 1,
     .max_args = 1000,
     .options = device_add_options,
     .summary = "add devices to a network",
     .example = "fedroam device add --netid 000013 70b3d57ed0000001",
     .run = fr_cmd_device_add},
    {.path = "device batch",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .options = device_batch_options,
     .summary = "send lines of devices that come and go to a broker",
     .details =
         "FILE (- reads stdin) has one JSON object a line, as many as there are:\n"
         "{\"op\":\"put\",\"eui\":\"70b3d57ed0000001\",\"netid\":\"000013\"} or "
         "{\"op\":\"delete\",\"eui\":…}. Refused lines are printed,\n"
         "with -o json all. What is cut is sent again and not done twice. Exit code 1: some lines "
         "were refused.",
     .example = "fedroam device batch today.ndjson --broker https://broker.fed.test",
     .has_no_trial = true,
     .run = fr_cmd_device_batch},
    {.path = "device remove",
     .args = "EUI…",
     .min_args = 1,
     .max_args = 1000,
     .options = device_remove_options,
     .summary = "take devices out of the zone",
     .example = "fedroam device remove 70b3d57ed0000001",
     .run = fr_cmd_device_remove},
    {.path = "device list",
     .options = device_list_options,
     .summary = "list devices",
     .example = "fedroam device list --netid 000013",
     .only_reads = true,
     .run = fr_cmd_device_list},
    {.path = "device show",
     .args = "EUI",
     .min_args = 1,
     .max_args = 1,
     .options = device_show_options,
     .summary = "show where a device belongs, and who sees it",
     .example = "fedroam device show 70b3d57ed0000001",
     .only_reads = true,
     .run = fr_cmd_device_show},
    {.path = "device set",
     .args = "EUI…",
     .min_args = 1,
     .max_args = 1000,
     .options = device_set_options,
     .summary = "hide devices from look-ups, or show them again",
     .details = "A hidden device stays in the registry; look-ups by anyone, its "
                "own member too,\n"
                "get the answer for a device that does not exist.",
     .example = "fedroam device set --hidden yes 70b3d57ed0000001",
     .run = fr_cmd_device_set},
    {.path = "visibility allow",
     .options = visibility_options,
     .summary = "let one member's look-ups find another's devices",
     .details =
         "Counts while the policy visibility is granted (fedroam policy set visibility granted).",
     .example = "fedroam visibility allow --home acme --visited umbra",
     .run = fr_cmd_visibility_allow},
    {.path = "visibility deny",
     .options = visibility_options,
     .summary = "take that permission back",
     .example = "fedroam visibility deny --home acme --visited umbra --both",
     .run = fr_cmd_visibility_deny},
    {.path = "visibility list",
     .options = visibility_list_options,
     .summary = "list who lets whom see its devices",
     .example = "fedroam visibility list --home acme",
     .only_reads = true,
     .run = fr_cmd_visibility_list},
    {.path = "network set",
     .args = "NETID",
     .min_args = 1,
     .max_args = 1,
     .options = network_set_options,
     .summary = "set the endpoints of a network",
     .example = "fedroam network set 000013 --endpoint 192.0.2.10:8005",
     .run = fr_cmd_network_set},
    {.path = "network show",
     .args = "NETID",
     .min_args = 1,
     .max_args = 1,
     .summary = "show a network",
     .example = "fedroam network show 000013",
     .only_reads = true,
     .run = fr_cmd_network_show},
    {.path = "network list",
     .summary = "list networks",
     .example = "fedroam network list",
     .only_reads = true,
     .run = fr_cmd_network_list},
    {.path = "network suspend",
     .args = "NETID",
     .min_args = 1,
     .max_args = 1,
     .summary = "hide a network: its names and devices are not found, its certificates are refused",
     .example = "fedroam network suspend 00002a --reason 'gateway flood'",
     .run = fr_cmd_network_suspend},
    {.path = "network resume",
     .args = "NETID",
     .min_args = 1,
     .max_args = 1,
     .summary = "end a suspension; certificates that were revoked stay so",
     .example = "fedroam network resume 00002a",
     .run = fr_cmd_network_resume},
    {.path = "policy show",
     .args = "[KEY]",
     .max_args = 1,
     .summary = "show the federation's policy",
     .example = "fedroam policy show",
     .only_reads = true,
     .run = fr_cmd_policy_show},
    {.path = "policy set",
     .args = "KEY VALUE",
     .min_args = 2,
     .max_args = 2,
     .summary = "change one key of the policy",
     .example = "fedroam policy set ttl.deveui 30m",
     .run = fr_cmd_policy_set},
    {.path = "stats roaming",
     .options = stats_options,
     .summary = "count look-ups by day, visited member and home network",
     .details = "Look-ups that found a device, as the broker counted them; no device is named. The "
                "last minute of a\n"
                "running broker is not there yet. Days end at midnight UTC; the policy stats.keep "
                "says how many are kept.",
     .example = "fedroam stats roaming --month 2026-11 -o csv",
     .has_csv = true,
     .only_reads = true,
     .run = fr_cmd_stats_roaming},
    {.path = "store info",
     .summary = "show the size and state of the store",
     .example = "fedroam store info",
     .only_reads = true,
     .run = fr_cmd_store_info},
    {.path = "store upgrade",
     .summary = "bring the store of an older release up to date",
     .details = "A copy is kept in the state directory. Stop the broker first.",
     .example = "fedroam store upgrade",
     .has_no_trial = true,
     .run = fr_cmd_store_upgrade},
    {0},
};
