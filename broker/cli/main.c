/* fedroam: the administrator's and the member's program. Its commands live with their libraries. */
#include "base/cli.h"
#include "bench/commands.h"
#include "member_cli/commands.h"
#include "pki_cli/commands.h"
#include "pki_cli/passphrase.h"
#include "resolver_cli/commands.h"
#include "zones_cli/commands.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

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
     .run = run_version},
    {.path = NULL},
};

int main(int argc, char **argv)
{
    static const struct fr_cli_command *const tables[] = {fr_ca_commands,
                                                          fr_pki_commands,
                                                          fr_pki_trail_commands,
                                                          fr_zones_commands,
                                                          fr_zones_owner_commands,
                                                          fr_zones_transfer_commands,
                                                          fr_zones_replica_commands,
                                                          fr_resolver_commands,
                                                          fr_bench_commands,
                                                          fr_member_commands,
                                                          own_commands,
                                                          NULL};
    struct fr_cli_keeper keeper = {getenv("CREDENTIALS_DIRECTORY"), FR_BUF_INIT(FR_PASSPHRASE_MAX)};
    const struct fr_cli_program program = {
        .name = "fedroam",
        .summary = "administer and ask LoRaWAN roaming federations",
        .tables = tables,
        .globals = fr_cli_globals,
        .data = &keeper,
    };
    const struct rlimit no_core = {0, 0};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setrlimit(RLIMIT_CORE, &no_core); /* memory may hold private keys */
    int code = fr_cli_main(&program, argc, argv);
    fr_buf_deinit_secret(&keeper.secret);
    return code;
}
