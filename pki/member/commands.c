#include "member_cli/commands.h"

#include "enrol/wallet.h"
#include "member_cli/cmds.h"

#define DIR_OPTION                                                                                 \
    {                                                                                              \
        .name = "dir", .value = "DIR", .help = "the wallet (" FR_WALLET_DIR ")"                    \
    }
#define CERTIFICATE_OPTION                                                                         \
    {                                                                                              \
        .name = "certificate", .value = "NAME",                                                    \
        .help = "which, as ns-000013, where there are several"                                     \
    }
#define OUT_OPTION                                                                                 \
    {                                                                                              \
        .name = "out", .value = "FILE", .is_required = true,                                       \
        .help = "a new file (mode 0600), or -"                                                     \
    }

static const struct fr_cli_option JOIN_OPTIONS[] = {
    {.name = "lns",
     .value = "chirpstack-v4|chirpstack-v3|fedroam|none",
     .help = "the network server to configure (none)"},
    {.name = "lns-dir",
     .value = "DIR",
     .help = "where its configuration is (/etc/chirpstack; v3: /etc/chirpstack-network-server)"},
    {.name = "peer",
     .value = "NETID[:PORT]|all",
     .is_repeatable = true,
     .help = "ChirpStack lists this network, and those named before, only (all: everyone)"},
    DIR_OPTION,
    {.name = "broker-address",
     .value = "HOST[:PORT]",
     .help = "where the broker is, instead of what public DNS says"},
    {.name = "owner",
     .value = "USER",
     .help = "who reads the network server's key: a name or number (65534: ChirpStack's image)"},
    {.name = "listen", .value = "ADDRESS", .help = "where the server takes peers (0.0.0.0:8005)"},
    {.name = "exec", .value = "CMD", .help = "run after each renewal, as 'systemctl restart …'"},
    {.name = "restart-window", .value = "HH:MM-HH:MM", .help = "when that may be (at any time)"},
    {.name = "wait", .value = "TIME", .help = "for the operator's approval (10m)"},
    {0},
};

static const struct fr_cli_option RENEW_OPTIONS[] = {
    {.name = "all", .help = "what is due in every federation; --fed NAME: in that one"},
    {.name = "daemon", .help = "keep doing so"},
    {.name = "every", .value = "TIME", .help = "with --daemon: when the federation is asked (5m)"},
    {.name = "now", .help = "also what is not due"},
    {.name = "rekey", .help = "with new keys, now"},
    {.name = "key-after",
     .value = "TIME",
     .help = "when a network's new key is used (twice the TTL of its names)"},
    DIR_OPTION,
    {0},
};

static const struct fr_cli_option WALLET_OPTIONS[] = {
    DIR_OPTION,
    {0},
};

static const struct fr_cli_option WATCH_OPTIONS[] = {
    {.name = "every", .value = "TIME", .help = "when the federation is asked (1m)"},
    DIR_OPTION,
    {0},
};

static const struct fr_cli_option LEAVE_OPTIONS[] = {
    {.name = "local", .help = "take it out here alone; the federation is not told"},
    DIR_OPTION,
    {0},
};

static const struct fr_cli_option PEM_OPTIONS[] = {
    CERTIFICATE_OPTION,
    OUT_OPTION,
    DIR_OPTION,
    {0},
};

static const struct fr_cli_option P12_OPTIONS[] = {
    CERTIFICATE_OPTION,
    OUT_OPTION,
    {.name = "passphrase-file",
     .value = "FILE",
     .is_required = true,
     .help = "its first line protects the key; - reads standard input"},
    DIR_OPTION,
    {0},
};

const struct fr_cli_command fr_member_commands[] = {
    {.path = "join",
     .args = "TOKEN|-",
     .min_args = 1,
     .max_args = 1,
     .options = JOIN_OPTIONS,
     .summary = "join a federation with the token its operator gave",
     .details =
         "Makes keys, gets certificates, writes the configuration of resolver, agent and network "
         "server, looks something up, and sees to renewal. The server is known by the digest in "
         "the "
         "token. Run twice it changes nothing; interrupted, it goes on where it was. - reads the "
         "token from standard input. Exit code 4: the token or the server is not accepted, 6: "
         "waits "
         "for approval, 9: the network server's configuration has to be changed first, 10: try "
         "again.",
     .example = "fedroam join - --lns chirpstack-v4 --owner chirpstack --peer 000014 < token",
     .run = fr_cmd_join},
    {.path = "renew",
     .options = RENEW_OPTIONS,
     .summary = "renew the certificates that are due; keep ChirpStack's list of networks",
     .details =
         "Due is what has lived two thirds of its life, and what a CA signed that signs no more. "
         "The "
         "key stays, unless --rekey; a network's new key is used when peers know it: by a later "
         "run. "
         "ChirpStack's fedroam.toml is written anew when networks come, go or move; then, and "
         "after "
         "renewals, the command of join --exec is run once. Exit code 0: nothing is wrong, 8: a "
         "certificate is over and the federation does not renew it, 4 and 5: refused, 9: a "
         "configuration file has to be changed first, 10: try again.",
     .example = "fedroam renew --all",
     .run = fr_cmd_renew},
    {.path = "wallet list",
     .options = WALLET_OPTIONS,
     .summary = "the federations joined from this machine",
     .example = "fedroam wallet list -o json",
     .only_reads = true,
     .run = fr_cmd_wallet_list},
    {.path = "wallet show",
     .args = "[FED]",
     .max_args = 1,
     .options = WALLET_OPTIONS,
     .summary = "the certificates in one federation, and where they are",
     .example = "fedroam wallet show fed.example",
     .only_reads = true,
     .run = fr_cmd_wallet_show},
    {.path = "peers list",
     .options = WALLET_OPTIONS,
     .summary = "the networks of a federation: whom there is, whom to call, where they are",
     .details = "What the federation tells its members: networks and members that are suspended "
                "are not in it.",
     .example = "fedroam peers list --fed fed.example -o json",
     .only_reads = true,
     .has_csv = true,
     .run = fr_cmd_peers_list},
    {.path = "peers watch",
     .options = WATCH_OPTIONS,
     .summary = "tell which networks join, leave or move, as it happens",
     .details =
         "First those that are there, then a line (-o json: an object) for each change, until it "
         "is ended. fedroam renew --daemon follows by itself; this is for people and programs. "
         "A federation that does not answer is asked again; exit code 4 or 5 when it refuses.",
     .example = "fedroam peers watch --fed fed.example",
     .only_reads = true,
     .run = fr_cmd_peers_watch},
    {.path = "leave",
     .args = "FED",
     .min_args = 1,
     .max_args = 1,
     .options = LEAVE_OPTIONS,
     .summary = "take this machine out of a federation",
     .details =
         "Its certificates are revoked, its network's devices withdrawn when no other machine "
         "speaks for that network, and keys and configuration removed. Asks first; --yes does "
         "not ask.",
     .example = "fedroam leave fed.example --dry-run",
     .run = fr_cmd_leave},
    {.path = "test inbound",
     .options = WALLET_OPTIONS,
     .summary =
         "do peers reach our network server: the broker connects to its registered endpoints",
     .details =
         "The broker looks at connection, TLS, chain, name, an HTTP answer and the published key, "
         "at the endpoints that the federation has of this member and at no others, up to the "
         "first that is wrong, and says what to do. Six times a minute are enough. Exit code 0: "
         "all are right, 10: one is not, or the broker was not reached, 5: refused.",
     .example = "fedroam test inbound --fed fed.example",
     .only_reads = true,
     .run = fr_cmd_test_inbound},
    {.path = "export pem",
     .options = PEM_OPTIONS,
     .summary = "key and certificate chain in one PEM file",
     .example = "fedroam export pem --certificate ns-000013 --out ns.pem",
     .only_reads = true,
     .run = fr_cmd_export_pem},
    {.path = "export p12",
     .options = P12_OPTIONS,
     .summary = "key and certificate chain as PKCS#12",
     .example = "fedroam export p12 --certificate ns-000013 --passphrase-file pass --out ns.p12",
     .only_reads = true,
     .run = fr_cmd_export_p12},
    {.path = "export chirpstack-v4",
     .options = WALLET_OPTIONS,
     .summary = "what fedroam.toml says, or would",
     .example = "fedroam export chirpstack-v4",
     .only_reads = true,
     .run = fr_cmd_export_chirpstack_v4},
    {.path = "export chirpstack-v3",
     .options = WALLET_OPTIONS,
     .summary = "the tables for chirpstack-network-server.toml",
     .example = "fedroam export chirpstack-v3",
     .only_reads = true,
     .run = fr_cmd_export_chirpstack_v3},
    {.path = "export curl",
     .options = WALLET_OPTIONS,
     .summary = "a command line that asks the broker with curl",
     .example = "fedroam export curl --fed fed.example",
     .only_reads = true,
     .run = fr_cmd_export_curl},
    {0},
};
