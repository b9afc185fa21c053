#include "resolver_cli/commands.h"

#include "resolver_cli/cmds.h"

static const struct fr_cli_option resolve_options[] = {
    {.name = "netid", .value = "N", .help = "look up a network instead of a device"},
    {.name = "joineui", .value = "E", .help = "look up a Join Server instead of a device"},
    {.name = "config",
     .value = "FILE",
     .help = "federations and certificates (" FR_RESOLVER_CONFIG ")"},
    {.name = "timeout", .value = "TIME", .help = "time allowed (that of the configuration)"},
    {0},
};

static const struct fr_cli_option why_options[] = {
    {.name = "config",
     .value = "FILE",
     .help = "federations and certificates (" FR_RESOLVER_CONFIG ")"},
    {.name = "for",
     .value = "MEMBER",
     .help = "on the operator's host: why this member does, or does not, find it"},
    {0},
};

static const struct fr_cli_option test_options[] = {
    {.name = "config",
     .value = "FILE",
     .help = "federations and certificates (" FR_RESOLVER_CONFIG ")"},
    {0},
};

static const struct fr_cli_option test_dns_options[] = {
    {.name = "config",
     .value = "FILE",
     .help = "federations and certificates (" FR_RESOLVER_CONFIG ")"},
    {.name = "server", .value = "ADDRESS:PORT", .help = "fedroam-agent's DNS (127.0.0.1:5300)"},
    {.name = "netid", .value = "N", .help = "also: does this machine find this network's server"},
    {0},
};

const struct fr_cli_command fr_resolver_commands[] = {
    {.path = "resolve",
     .args = "[DEVEUI]",
     .max_args = 1,
     .options = resolve_options,
     .summary = "find the home network of a device, as a member of the federation",
     .details =
         "Asks the brokers of the configured federations over DNS-over-HTTPS with this member's "
         "certificate, and prints what is needed to connect. Exit code 0: found, 7: unknown, "
         "4 and 5: refused, 10: no broker answered.",
     .example = "fedroam resolve --config resolver.yaml 70b3d57ed0000001",
     .only_reads = true,
     .run = fr_cmd_resolve},
    {.path = "why",
     .args = "DEVEUI",
     .min_args = 1,
     .max_args = 1,
     .options = why_options,
     .summary = "walk a device's way and say what is wrong on it, and what to do",
     .details =
         "As a member: our certificate, every broker, the clock, the answer, and a connection to "
         "the home network with our certificate. With --for, on the operator's host: the member, "
         "its certificates, its budgets and last look-ups of the device as the running broker has "
         "them, who publishes it, who may see it, endpoints and keys of its network. Stops at the "
         "first thing that is wrong. Exit code 0: all is well, 2: the way is "
         "open and something on it is not as it should be, else that of the fault.",
     .example = "fedroam why --config resolver.yaml 70b3d57ed0000001",
     .only_reads = true,
     .run = fr_cmd_why},
    {.path = "test dns",
     .options = test_dns_options,
     .summary = "does fedroam-agent answer the federation's names, and does this machine ask it",
     .details = "Asks the agent for a device that nobody has; with --netid also the machine's own "
                "resolver "
                "for that network's server, as other programs would. Stops at the first thing that "
                "is wrong "
                "and says what to do. Exit codes: those of fedroam why.",
     .example = "fedroam test dns --netid 000014",
     .only_reads = true,
     .run = fr_cmd_test_dns},
    {.path = "test doh",
     .options = test_options,
     .summary = "is our certificate good, does every broker answer us, is the clock right",
     .details = "Stops at the first thing that is wrong and says what to do. Exit codes: those of "
                "fedroam why.",
     .example = "fedroam test doh --config resolver.yaml",
     .only_reads = true,
     .run = fr_cmd_test_doh},
    {.path = "test peer",
     .args = "NETID",
     .min_args = 1,
     .max_args = 1,
     .options = test_options,
     .summary = "can this network be found and connected to with our certificate",
     .details = "Stops at the first thing that is wrong and says what to do. Exit codes: those of "
                "fedroam why.",
     .example = "fedroam test peer 000014 --fed fed.example",
     .only_reads = true,
     .run = fr_cmd_test_peer},
    {0},
};
