#include "pki_cli/commands.h"

#include "pki_cli/cmds.h"
#include "session/remote.h"

#define PROFILE                                                                                    \
    {                                                                                              \
        .name = "profile", .value = "broker|doh|ns|js", .is_required = true,                       \
        .help = "kind of certificate"                                                              \
    }
#define SUBJECT                                                                                    \
    PROFILE, {.name = "member", .value = "ID", .help = "the member (doh, ns, js)"},                \
        {.name = "netid", .value = "N", .help = "the network (ns)"},                               \
        {.name = "joineui", .value = "E", .help = "the join server (js)"},                         \
    {                                                                                              \
        .name = "host", .value = "H", .help = "label of the host (broker)"                         \
    }

static const struct fr_cli_option MEMBER_ADD_OPTIONS[] = {
    {.name = "netid", .value = "N|auto", .is_repeatable = true, .help = "a network of the member"},
    {.name = "endpoint",
     .value = "ADDRESS:PORT",
     .is_repeatable = true,
     .help = "where it roams, the preferred one first"},
    {.name = "org", .value = "TEXT", .help = "organisation"},
    {.name = "noc", .value = "CONTACT", .help = "operations contact"},
    {.name = "security", .value = "CONTACT", .help = "security contact"},
    {0},
};

static const struct fr_cli_option MEMBER_SET_OPTIONS[] = {
    {.name = "netid", .value = "N", .is_repeatable = true, .help = "one network more"},
    {.name = "remove-netid",
     .value = "N",
     .is_repeatable = true,
     .help = "one network less (without devices and certificates)"},
    {.name = "endpoint",
     .value = "ADDRESS:PORT",
     .is_repeatable = true,
     .help = "where the named networks, or all of the member, roam"},
    {.name = "org", .value = "TEXT", .help = "organisation"},
    {.name = "noc", .value = "CONTACT", .help = "operations contact"},
    {.name = "security", .value = "CONTACT", .help = "security contact"},
    {0},
};

static const struct fr_cli_option REQUEST_OPTIONS[] = {
    SUBJECT,
    {.name = "out", .value = "DIR", .is_required = true, .help = "folder for key and request"},
    {0},
};

static const struct fr_cli_option ISSUE_OPTIONS[] = {
    SUBJECT,
    {.name = "csr", .value = "FILE", .help = "the member's request; only its public key is used"},
    {.name = "generate", .help = "make the key here"},
    {.name = "out", .value = "DIR", .is_required = true, .help = "folder for chain, root and key"},
    {.name = "right",
     .value = "WORD",
     .is_repeatable = true,
     .help = "instead of the profile's rights"},
    {.name = "lifetime", .value = "TIME", .help = "shorter than the policy's, as in 12h"},
    {0},
};

static const struct fr_cli_option LIST_OPTIONS[] = {
    {.name = "member", .value = "ID", .help = "only this member's"},
    {.name = "netid", .value = "N", .help = "only this network's"},
    {.name = "status", .value = "intent|issued|revoked|expired", .help = "only these"},
    {.name = "expiring",
     .value = "TIME",
     .help = "only those that end within this time, as in 14d"},
    {.name = "unknown", .help = "instead: those that were shown and that nobody has issued here"},
    {0},
};

static const struct fr_cli_option SHOW_OPTIONS[] = {
    {.name = "pem", .help = "print the certificate itself"},
    {0},
};

static const struct fr_cli_option REVOKE_OPTIONS[] = {
    {.name = "key",
     .value = "SPKI|FILE",
     .help = "every certificate of this key: 64 hex digits, or a certificate, request or key file"},
    {.name = "member", .value = "ID", .help = "the whole member: suspended, every certificate"},
    {.name = "netid", .value = "N", .help = "the whole network: suspended, every certificate"},
    {.name = "before",
     .value = "TIME",
     .help = "every certificate issued before that, of all members or of --member"},
    {.name = "cause",
     .value = "WORD",
     .help = "key-compromise (also blocks the key), superseded, …"},
    {0},
};

static const struct fr_cli_option SET_OPTIONS[] = {
    {.name = "right",
     .value = "WORD",
     .is_repeatable = true,
     .help = "lookup, publish, roam, enrol, replica or secondary"},
    {.name = "no-rights", .help = "take every right away"},
    {0},
};

static const struct fr_cli_option PROBE_OPTIONS[] = {
    {.name = "all", .help = "every active member that has endpoints"},
    {0},
};

static const struct fr_cli_option TOKEN_OPTIONS[] = {
    {.name = "member", .value = "ID", .is_required = true, .help = "the member"},
    {.name = "profile",
     .value = "ns,doh",
     .is_required = true,
     .help = "one certificate of each: doh, ns, js; the first one is given to clients that name "
             "none"},
    {.name = "netid", .value = "N", .help = "the network (ns); else the member's only one"},
    {.name = "joineui", .value = "E", .help = "the join server (js)"},
    {.name = "rights", .value = "WORD,…", .help = "instead of each profile's rights"},
    {.name = "host", .value = "NAME", .help = "the machine it is for; shown in cert list"},
    {.name = "ttl",
     .value = "TIME",
     .help = "until when it is good, as in 72h (the default) or 30d"},
    {.name = "approval", .help = "hold each request until token approve"},
    {0},
};

static const struct fr_cli_option TOKEN_LIST_OPTIONS[] = {
    {.name = "member", .value = "ID", .help = "only this member's"},
    {.name = "all", .help = "also those that are used up, over or revoked"},
    {0},
};

const struct fr_cli_command fr_pki_commands[] = {
    {.path = "member add",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .options = MEMBER_ADD_OPTIONS,
     .summary = "admit a member",
     .details = "A NetID belongs to one member. 000000 and 000001 are what network servers come "
                "with and never roam.",
     .example =
         "fedroam member add acme --netid 000013 --endpoint 192.0.2.10:8005 --org 'Acme Ltd'",
     .run = fr_cmd_member_add},
    {.path = "member set",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .options = MEMBER_SET_OPTIONS,
     .summary = "change networks, endpoints and contacts of a member",
     .details = "Certificates are never touched.",
     .example = "fedroam member set acme --endpoint 192.0.2.11:8005",
     .run = fr_cmd_member_set},
    {.path = "member list",
     .summary = "all members, and how they are",
     .details =
         "Look-ups, publishing, refusals in 24 hours and the last probe are what the running "
         "broker has seen since its start; its metrics have the same.",
     .example = "fedroam member list -o csv",
     .has_csv = true,
     .only_reads = true,
     .run = fr_cmd_member_list},
    {.path = "member probe",
     .args = "[ID]",
     .max_args = 1,
     .options = PROBE_OPTIONS,
     .summary = "let the broker connect to a member's registered endpoints",
     .details = "Connection, TLS, chain to the federation's root, name, an HTTP answer, published "
                "key: up to the first that is wrong, with what to do. By itself the broker does so "
                "each policy probe.every. Private addresses are for the policy probe.private to "
                "allow. Exit code 0: all is right, 2: something is not, 69: no broker runs.",
     .example = "fedroam member probe --all",
     .has_csv = true,
     .only_reads = true,
     .run = fr_cmd_member_probe},
    {.path = "member show",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "one member",
     .example = "fedroam member show acme",
     .only_reads = true,
     .run = fr_cmd_member_show},
    {.path = "member suspend",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "take a member's devices and rights away until it is resumed",
     .example = "fedroam member suspend acme --reason 'unpaid'",
     .run = fr_cmd_member_suspend},
    {.path = "member resume",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "end a suspension",
     .example = "fedroam member resume acme",
     .run = fr_cmd_member_resume},
    {.path = "member remove",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "remove a member for good",
     .details = "Its devices disappear at once and its certificates are revoked. Asks for the name "
                "to be typed; --yes does not ask.",
     .example = "fedroam member remove acme --yes",
     .run = fr_cmd_member_remove},
    {.path = "cert request",
     .options = REQUEST_OPTIONS,
     .summary = "on the member's host: make a key and a request for a certificate",
     .details = "Needs no federation. The key never leaves this host.",
     .example = "fedroam cert request --member acme --profile doh --out /etc/fedroam/fed.example",
     .run = fr_cmd_cert_request},
    {.path = "cert issue",
     .options = ISSUE_OPTIONS,
     .summary = "issue a certificate",
     .details = "Names come from the registry, never from the request. Writes "
                "<profile>-<id>.chain.pem and root.pem.",
     .example = "fedroam cert issue --member acme --profile ns --netid 000013 --csr ns-000013.csr "
                "--out out",
     .run = fr_cmd_cert_issue},
    {.path = "cert list",
     .options = LIST_OPTIONS,
     .summary = "certificates",
     .example = "fedroam cert list --expiring 14d",
     .only_reads = true,
     .run = fr_cmd_cert_list},
    {.path = "cert show",
     .args = "SERIAL",
     .min_args = 1,
     .max_args = 1,
     .options = SHOW_OPTIONS,
     .summary = "one certificate",
     .example = "fedroam cert show 41c0ffee000000000000000000000001 --pem",
     .only_reads = true,
     .run = fr_cmd_cert_show},
    {.path = "cert revoke",
     .args = "[SERIAL]",
     .max_args = 1,
     .options = REVOKE_OPTIONS,
     .summary = "take certificates back",
     .details =
         "Takes effect with the next request on every open connection. A member or a network as "
         "a whole is also suspended:\nits names and devices are not found from that moment, until "
         "member resume or network resume. What is cut short\nis completed by the same command "
         "again. --dry-run lists certificates, TLSA records and names that would go.",
     .example = "fedroam cert revoke 41c0ffee000000000000000000000001 --cause key-compromise",
     .run = fr_cmd_cert_revoke},
    {.path = "cert set",
     .args = "SERIAL",
     .min_args = 1,
     .max_args = 1,
     .options = SET_OPTIONS,
     .summary = "change what a certificate allows",
     .example = "fedroam cert set 41c0ffee000000000000000000000001 --right lookup --right publish",
     .run = fr_cmd_cert_set},
    {.path = "token create",
     .options = TOKEN_OPTIONS,
     .summary = "leave for a member to enrol by itself",
     .details = "Prints the token, this once: only a digest of its secret is kept. It is good for "
                "one certificate of each profile.",
     .example = "fedroam token create --member acme --profile ns,doh --netid 000013 --host lns1",
     .run = fr_cmd_token_create},
    {.path = "token list",
     .options = TOKEN_LIST_OPTIONS,
     .summary = "tokens that are still good",
     .example = "fedroam token list --all",
     .only_reads = true,
     .run = fr_cmd_token_list},
    {.path = "token revoke",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "make a token worthless",
     .details = "Certificates that were issued with it stay: see cert revoke.",
     .example = "fedroam token revoke 5e3f9c3f2a7d4b1c8f0e6d5c4b3a2918",
     .run = fr_cmd_token_revoke},
    {.path = "token approve",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .summary = "let the requests that wait on a token have their certificates",
     .example = "fedroam token approve 5e3f9c3f2a7d4b1c8f0e6d5c4b3a2918",
     .run = fr_cmd_token_approve},
    {0},
};
