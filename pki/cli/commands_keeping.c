/* The commands backup, restore, doctor, notify and cert adopt: what is left when something went wrong. */
#include "pki_cli/commands.h"

#include "pki_cli/cmds.h"
#include "session/owner.h"

#define SECRET                                                                                     \
    {                                                                                              \
        .name = "backup-passphrase-fd", .value = "N",                                              \
        .help = "read the backup's passphrase from this descriptor"                                \
    }

static const struct fr_cli_option CREATE_OPTIONS[] = {
    {.name = "out", .value = "FILE", .is_required = true, .help = "a new file; - for stdout"},
    SECRET,
    {0},
};

static const struct fr_cli_option VERIFY_OPTIONS[] = {
    {.name = "dir", .value = "DIR", .help = "unpack there (beside the file)"},
    SECRET,
    {0},
};

static const struct fr_cli_option RESTORE_OPTIONS[] = {
    {.name = "audit", .value = "FILE", .help = "a newer audit trail: audit.jsonl, or its copy"},
    {.name = "crl",
     .value = "FILE",
     .is_repeatable = true,
     .help = "a revocation list that was published last, DER; repeatable"},
    {.name = "forget-revocations",
     .help = "when neither is left: what was revoked since is good again"},
    FR_OPTION_USER,
    SECRET,
    {0},
};

static const struct fr_cli_option ADOPT_OPTIONS[] = {
    {.name = "serial", .value = "SERIAL", .help = "one that cert list --unknown shows"},
    {.name = "right",
     .value = "WORD",
     .is_repeatable = true,
     .help = "what it allows (as the one before it, else its profile's)"},
    {0},
};

static const struct fr_cli_option DOCTOR_OPTIONS[] = {
    {.name = "deep", .help = "also read every row of the store and the whole audit trail"},
    {0},
};

static const struct fr_cli_option NOTIFY_LIST_OPTIONS[] = {
    {.name = "open", .help = "only those that nobody has acknowledged"},
    {0},
};

static const struct fr_cli_option NOTIFY_ACK_OPTIONS[] = {
    {.name = "all", .help = "every notice there is"},
    {0},
};

const struct fr_cli_command fr_pki_keeping_commands[] = {
    {.path = "backup create",
     .options = CREATE_OPTIONS,
     .summary = "the whole federation in one encrypted file",
     .details =
         "While the broker works. It holds store, certificates, issuing keys, lists and audit "
         "trail; not the root's key. It is\nencrypted with a passphrase: from "
         "--backup-passphrase-fd, the credential backup-passphrase of the service manager,\nor "
         "asked for. Without the passphrase nothing can be got out of it. The state directory "
         "needs as much room again\nas data.mdb takes, for a moment.",
     .example = "fedroam backup create --out /srv/backups/fed-2026-11-20.frb",
     .only_reads = true,
     .run = fr_cmd_backup_create},
    {.path = "backup verify",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .options = VERIFY_OPTIONS,
     .summary = "unpack a backup elsewhere and see whether a federation could live from it",
     .details = "Checks the store, the audit trail's chain, root, issuing keys and the broker's "
                "key. Exit 1 when something is wrong.\nWhat was unpacked is removed.",
     .example = "fedroam backup verify /srv/backups/fed-2026-11-20.frb",
     .only_reads = true,
     .run = fr_cmd_backup_verify},
    {.path = "restore",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .options = RESTORE_OPTIONS,
     .summary = "make a federation from a backup",
     .details =
         "Into the new directory --state. Time is not turned back: tokens of the backup are "
         "worthless, what the audit trail or the\nlists say was revoked is revoked, and what the "
         "trail says of members and certificates is done again. Without a newer\ntrail, "
         "certificates that are younger than the backup are refused with 403 until they are "
         "adopted: cert list --unknown,\ncert adopt. Devices published since are published again "
         "by their members.",
     .example = "fedroam restore fed-2026-11-20.frb --state /var/lib/fedroam/fed.example --audit "
                "/mnt/copy/audit.jsonl",
     .run = fr_cmd_restore},
    {.path = "doctor",
     .options = DOCTOR_OPTIONS,
     .summary = "what is wrong here, and what to type",
     .details =
         "Looks at the clock, the root's key, every end of life, revocation lists, owners and "
         "modes of files, unknown certificates,\nopen tokens, replicas, room on the disk, the "
         "audit trail, backups, and whether the broker answers. Exit 0: all is\nwell, 2: "
         "warnings, 3: critical; what is to be planned, and what somebody took note of (notify "
         "ack), is shown and does not\ncount. With -o nagios one line with figures, and exit 0, 1, "
         "2, or 3 when it could not look.",
     .example = "fedroam doctor --deep",
     .own_form = "nagios",
     .only_reads = true,
     .run = fr_cmd_doctor},
    {.path = "notify list",
     .options = NOTIFY_LIST_OPTIONS,
     .summary = "what wants a person: noted, told by which way, acknowledged or not",
     .details =
         "The broker notes ends of life, stage by stage, and what does not mend itself, and tells "
         "each stage once by the ways that\nnotify: of broker.yaml names. A notice goes by itself "
         "when it is mended. With -o json also what to type, and who\nacknowledged it and why.",
     .example = "fedroam notify list --open",
     .has_csv = true,
     .only_reads = true,
     .run = fr_cmd_notify_list},
    {.path = "notify ack",
     .args = "[ID]…",
     .max_args = 200,
     .options = NOTIFY_ACK_OPTIONS,
     .summary = "take note of what is wrong: it is quiet until its next stage",
     .details = "Not told any more if it has not been, and not counted by doctor; both show who "
                "acknowledged it and why. --reason is\nneeded. The next stage begins anew.",
     .example = "fedroam notify ack list/root --reason 'ceremony on Friday'",
     .run = fr_cmd_notify_ack},
    {.path = "notify test",
     .summary = "send a test by every way that notices go, and say what came of it",
     .details =
         "By the running broker, with its configuration, at once. Exit 2 when a way failed; 7 "
         "when broker.yaml has no notify: for\nthis federation.",
     .example = "fedroam notify test",
     .only_reads = true,
     .run = fr_cmd_notify_test},
    {.path = "cert adopt",
     .args = "[FILE]",
     .max_args = 1,
     .options = ADOPT_OPTIONS,
     .summary = "take a certificate of ours back that was issued after the restored backup",
     .details = "It must be signed by an issuing CA of this federation, and not be listed as "
                "revoked. Adopt what you know to be right:\nwho stole the issuing key has such "
                "certificates, too.",
     .example = "fedroam cert adopt --serial 41c0ffee000000000000000000000001 --reason 'after the "
                "restore'",
     .run = fr_cmd_cert_adopt},
    {0},
};
