/* fedroam: the administrator's and the member's program. Its commands live with their libraries. */
#include "base/cli.h"
#include "base/conf.h"
#include "base/seal.h"
#include "bench/commands.h"
#include "enrol/wallet.h"
#include "member_cli/commands.h"
#include "pki_cli/commands.h"
#include "resolver/config.h"
#include "resolver_cli/commands.h"
#include "session/passphrase.h"
#include "sync/conf.h"
#include "x509/locked.h"
#include "zones_cli/commands.h"

#include <signal.h>
#include <stdlib.h>

static const char *variable(const char *name)
{
    return getenv(name);
}

static enum fr_exit run_version(struct fr_cli *cli)
{
    FILE *out = fr_cli_out(cli);
    if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        (void)fprintf(out, "{\"version\":\"%s\"}\n", FR_VERSION);
    else
        (void)fprintf(out, "fedroam %s\n", FR_VERSION);
    return FR_EXIT_OK;
}

static const struct fr_cli_command own_commands[] = {
    {.path = "version",
     .summary = "print the version of this program",
     .example = "fedroam version -o json",
     .only_reads = true,
     .run = run_version},
    {.path = NULL},
};

/* The first page: who uses what. Every first word of a command stands here once. */
static const struct fr_cli_topic topics[] = {
    {"on the federation operator's host: who takes part", "ca",
     "the certificate authority: root, issuing CAs, lists"},
    {NULL, "member", "members: admit, suspend, remove; their blocks of EUIs"},
    {NULL, "token", "enrolment tokens: how a member gets its first certificates"},
    {NULL, "cert", "certificates: list, issue, revoke"},
    {NULL, "approval", "changes that take two persons"},
    {NULL, "grace", "let expired certificates renew after an outage"},
    {NULL, "audit", "the trail of all that was signed and changed"},
    {NULL, "doctor", NULL},
    {NULL, "notify", "what operators are told: list, acknowledge, test"},
    {NULL, "backup", "the whole federation in one encrypted file"},
    {NULL, "restore", NULL},
    {"on the federation operator's host: what is found, and its keeping", "network",
     "networks (NetIDs) and their endpoints"},
    {NULL, "device", "devices; with --broker a member's own, from anywhere"},
    {NULL, "joineui", "join servers by JoinEUI"},
    {NULL, "zone", "import, export and check the zone; transfers from members"},
    {NULL, "visibility", "who may see whose devices"},
    {NULL, "policy", "what holds for the whole federation"},
    {NULL, "stats", "look-ups by day and member"},
    {NULL, "journal", "every change of the state"},
    {NULL, "store", "the state's files"},
    {NULL, "replica", "further brokers of the same federation"},
    {NULL, "promote", NULL},
    {"on a member's machine", "join", NULL},
    {NULL, "renew", NULL},
    {NULL, "sync", "publish the devices of a network server's database"},
    {NULL, "wallet", "the federations joined, and their certificates"},
    {NULL, "peers", "who else is in a federation, and where"},
    {NULL, "export", "certificates and configuration for other programs"},
    {NULL, "leave", NULL},
    {NULL, "resolve", NULL},
    {NULL, "why", NULL},
    {NULL, "test", "do names, brokers and peers work from here"},
    {"anywhere", "bench", "load on a broker"},
    {NULL, "version", NULL},
    {0},
};

int main(int argc, char **argv)
{
    static const struct fr_cli_command *const tables[] = {fr_ca_commands,
                                                          fr_pki_commands,
                                                          fr_pki_trail_commands,
                                                          fr_pki_keeping_commands,
                                                          fr_zones_commands,
                                                          fr_zones_joineui_commands,
                                                          fr_zones_owner_commands,
                                                          fr_zones_transfer_commands,
                                                          fr_zones_sync_commands,
                                                          fr_zones_replica_commands,
                                                          fr_resolver_commands,
                                                          fr_bench_commands,
                                                          fr_member_commands,
                                                          own_commands,
                                                          NULL};
    static const struct fr_conf_schema *const files[] = {&fr_resolver_schema, &fr_sync_schema,
                                                         &fr_wallet_schema, NULL};
    struct fr_cli_keeper keeper = {getenv("CREDENTIALS_DIRECTORY"), FR_BUF_INIT(FR_PASSPHRASE_MAX),
                                   variable};
    const struct fr_cli_program program = {
        .name = "fedroam",
        .summary = "administer and ask LoRaWAN roaming federations",
        .tables = tables,
        .globals = fr_cli_globals,
        .topics = topics,
        .files = files,
        .data = &keeper,
    };
    (void)signal(SIGPIPE, SIG_IGN);
    fr_process_seal(true); /* memory may hold private keys */
    (void)fr_locked_open();
    int code = fr_cli_main(&program, argc, argv);
    fr_buf_deinit_secret(&keeper.secret);
    fr_locked_close();
    fr_process_seal(false); /* leak checkers may look now */
    return code;
}
