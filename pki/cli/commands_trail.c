/* The commands approval, audit, grace and ca clock: what takes two, what is recorded, and what is said after an outage. */
#include "pki_cli/commands.h"

#include "pki_cli/cmds.h"

static const struct fr_cli_option TAIL_OPTIONS[] = {
    {.name = "lines", .letter = 'n', .value = "N", .help = "that many of the last ones (10)"},
    {.name = "follow", .letter = 'f', .help = "go on with those that come"},
    {0},
};

static const struct fr_cli_option EXPORT_OPTIONS[] = {
    {.name = "since", .value = "TIME", .help = "from then on (2026-11-20, 2026-11-20T06:52:19Z)"},
    {.name = "until", .value = "TIME", .help = "up to then"},
    {0},
};

static const struct fr_cli_option OPEN_OPTIONS[] = {
    {.name = "member", .value = "ID", .help = "of this member"},
    {.name = "all", .help = "of every member"},
    {.name = "until", .value = "TIME", .is_required = true, .help = "30 days from now at most"},
    {0},
};

static const struct fr_cli_option CLOSE_OPTIONS[] = {
    {.name = "member", .value = "ID", .help = "of this member"},
    {.name = "all", .help = "that of every member"},
    {0},
};

static const struct fr_cli_option APPROVAL_LIST_OPTIONS[] = {
    {.name = "all", .help = "also those that are done, refused, failed or over"},
    {0},
};

const struct fr_cli_command fr_pki_trail_commands[] = {
    {.path = "approval list",
     .options = APPROVAL_LIST_OPTIONS,
     .summary = "changes that wait for another person",
     .details = "What waits, and how many persons it takes, is policy: fedroam policy show "
                "approval.member and its kin.",
     .example = "fedroam approval list",
     .has_csv = true,
     .only_reads = true,
     .run = fr_cmd_approval_list},
    {.path = "approval show",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "one of them: who asked for what, and who agreed",
     .example = "fedroam approval show 5e3f9c3f",
     .only_reads = true,
     .run = fr_cmd_approval_show},
    {.path = "approval approve",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "agree to what somebody else asked for",
     .details = "It is shown first. With the last person it takes, it is done, exactly as it was "
                "asked; a token or a\ncertificate is then got by who asked, with the same command "
                "again. Who one is, is the user that logged in\n(/proc/self/loginuid), whatever "
                "sudo made of him. Exit code 5: it was his own request.",
     .example = "fedroam approval approve 5e3f9c3f --reason 'checked with acme by telephone'",
     .run = fr_cmd_approval_approve},
    {.path = "approval refuse",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "end a request: somebody else's, or one's own",
     .example = "fedroam approval refuse 5e3f9c3f --reason 'not our member'",
     .run = fr_cmd_approval_refuse},
    {.path = "audit verify",
     .args = "[FILE]",
     .max_args = 1,
     .summary = "check the chain of the audit trail",
     .details = "Tells every line that was changed, dropped, put in or moved. Exit 1 when there is "
                "one. FILE: a trail\nthat was moved away, or the second copy.",
     .example = "fedroam audit verify",
     .only_reads = true,
     .run = fr_cmd_audit_verify},
    {.path = "audit tail",
     .args = "[FILE]",
     .max_args = 1,
     .options = TAIL_OPTIONS,
     .summary = "the last lines of the audit trail",
     .details = "With -o json they are printed as they are in the file.",
     .example = "fedroam audit tail -f",
     .only_reads = true,
     .run = fr_cmd_audit_tail},
    {.path = "audit export",
     .args = "[FILE]",
     .max_args = 1,
     .options = EXPORT_OPTIONS,
     .summary = "the lines of a time",
     .details = "With -o json they are printed as they are in the file: one JSON object a line.",
     .example = "fedroam audit export --since 2026-11-01 --until 2026-12-01 -o json",
     .only_reads = true,
     .run = fr_cmd_audit_export},
    {.path = "audit rotate",
     .summary = "move the audit trail away and go on in a new file",
     .details =
         "The old file is audit-<first>-<last>.jsonl in the state directory. The chain goes on "
         "in the new one.",
     .example = "fedroam audit rotate --reason 'yearly archive'",
     .run = fr_cmd_audit_rotate},
    {.path = "grace open",
     .options = OPEN_OPTIONS,
     .summary = "let expired certificates be renewed for a while",
     .details =
         "For after an outage. A certificate that is over, but not revoked, can then be renewed "
         "with its own key and\nnames over EST; it is good for nothing else.",
     .example = "fedroam grace open --all --until 2026-11-27 --reason 'broker was away for a week'",
     .run = fr_cmd_grace_open},
    {.path = "grace list",
     .summary = "graces, open and over",
     .example = "fedroam grace list",
     .only_reads = true,
     .run = fr_cmd_grace_list},
    {.path = "grace close",
     .options = CLOSE_OPTIONS,
     .summary = "end a grace now",
     .example = "fedroam grace close --all",
     .run = fr_cmd_grace_close},
    {.path = "ca clock show",
     .summary = "the clock, and the latest time at which anything was done",
     .details = "Nothing is issued while the clock is more than five minutes behind that.",
     .example = "fedroam ca clock show",
     .only_reads = true,
     .run = fr_cmd_ca_clock_show},
    {.path = "ca clock accept",
     .summary = "say that the clock is right although it went back",
     .details =
         "For after a time when it was ahead. Certificates issued then may say that they are not "
         "valid yet.",
     .example = "fedroam ca clock accept --reason 'NTP was an hour ahead until noon'",
     .run = fr_cmd_ca_clock_accept},
    {0},
};
