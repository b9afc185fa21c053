#include "zones_cli/commands.h"

#include "session/owner.h"
#include "zones_cli/cmds.h"

/* Several brokers of one federation. */

static const struct fr_cli_option init_options[] = {
    {.name = "url",
     .value = "URL",
     .is_required = true,
     .help = "the primary, as in replica_of: https://broker.<federation>:443"},
    {.name = "chain",
     .value = "FILE",
     .is_required = true,
     .help = "this broker's certificate, of profile broker"},
    {.name = "key", .value = "FILE", .is_required = true, .help = "its private key"},
    {.name = "ca", .value = "FILE", .is_required = true, .help = "the federation's root.pem"},
    FR_OPTION_USER,
    {0},
};

static const struct fr_cli_option promote_options[] = {
    {.name = "force", .help = "also when the first copy is not whole: what is missing is lost"},
    {0},
};

const struct fr_cli_command fr_zones_replica_commands[] = {
    {.path = "replica init",
     .options = init_options,
     .summary = "make the state directory of a replica",
     .details =
         "For a second broker: it copies certificate, key and root, and makes an empty store that "
         "only a primary fills.\n"
         "Name the directory with --state and the federation with --fed. docs/replicas.md has "
         "every step.",
     .example = "fedroam --fed fed.example --state /var/lib/fedroam/fed.example replica init "
                "--url https://broker.fed.example --chain broker-b2.chain.pem --key broker-b2.key "
                "--ca root.pem",
     .has_no_trial = true,
     .run = fr_cmd_replica_init},
    {.path = "replica status",
     .summary = "show what this broker is, and how far its copy is",
     .example = "fedroam replica status -o json",
     .only_reads = true,
     .run = fr_cmd_replica_status},
    {.path = "replica list",
     .summary = "show which replicas follow this primary, and how far each has come",
     .details =
         "The running broker is asked. A host with a live certificate that has the right replica "
         "is "
         "listed, too, when it was not\nheard since the broker's start; revoke the certificate of "
         "one that is gone for good.",
     .example = "fedroam replica list -o json",
     .only_reads = true,
     .run = fr_cmd_replica_list},
    {.path = "promote",
     .options = promote_options,
     .summary = "make a replica the primary",
     .details =
         "For when the primary is lost. A new term begins: the old primary steps down as soon as "
         "it hears of it, and keeps\n"
         "what it had changed alone in diverged-<term>.ndjson. Look-ups, publishing and revocation "
         "work at once; enrolment\n"
         "needs the issuing CA's key in this state directory.",
     .example = "fedroam promote --reason 'b1 burnt down'",
     .run = fr_cmd_promote},
    {.path = "replica diverged list",
     .summary = "list the files of changes that were lost at a promotion",
     .example = "fedroam replica diverged list",
     .only_reads = true,
     .run = fr_cmd_diverged_list},
    {.path = "replica diverged apply",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .summary = "make the changes of such a file again",
     .details =
         "On the primary, with a copy of the old one's file. Each change is made whole or refused: "
         "what was decided here\n"
         "meanwhile stands, and certificates issued there must be issued again.",
     .example = "fedroam replica diverged apply diverged-2.ndjson --dry-run",
     .run = fr_cmd_diverged_apply},
    {.path = "replica diverged drop",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .summary = "delete such a file from this state directory",
     .example = "fedroam replica diverged drop diverged-2.ndjson",
     .run = fr_cmd_diverged_drop},
    {.path = "store digest",
     .summary = "print a digest of each table, to compare two brokers",
     .details = "Of a primary and a replica that is in step they are the same.",
     .example = "fedroam store digest -o json",
     .only_reads = true,
     .run = fr_cmd_store_digest},
    {0},
};
