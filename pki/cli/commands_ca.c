#include "pki_cli/commands.h"

#include "pki_cli/cmds.h"
#include "session/owner.h"

#define ROOT                                                                                       \
    {.name = "root-key", .value = "URI", .help = "the root's key (the state directory's)"},        \
        {.name = "root-passphrase-fd",                                                             \
         .value = "N",                                                                             \
         .help = "read the passphrase of the root's key from this descriptor"},                    \
        {.name = "transcript", .value = "FILE", .help = "write down what was signed; a new file"}, \
    {                                                                                              \
        .name = "by", .value = "TEXT", .help = "who is present, for the transcript"                \
    }

#define SIGNING                                                                                    \
    {.name = "lifetime", .value = "TIME", .help = "of each certificate (548d)"},                   \
        {.name = "every",                                                                          \
         .value = "TIME",                                                                          \
         .help = "of several, each begins this much after the one before (0)"},                    \
    {                                                                                              \
        .name = "no-crl-point", .help = "do not say where the root's list is"                      \
    }

static const struct fr_cli_option INIT_OPTIONS[] = {
    {.name = "url", .value = "URL", .help = "where members will reach the broker"},
    {.name = "root-out",
     .value = "FILE",
     .help = "write the root key there instead of into the state directory"},
    {.name = "root-passphrase-fd",
     .value = "N",
     .help = "lock the root key with the passphrase from this descriptor"},
    {.name = "lock-keys", .help = "lock both keys with passphrases that are asked for"},
    {.name = "netid-pool",
     .value = "FIRST-LAST",
     .help = "NetIDs that member add --netid auto gives out"},
    {.name = "host", .value = "H", .help = "label of the broker's host (this machine's name)"},
    FR_OPTION_USER,
    {0},
};

static const struct fr_cli_option PREPARE_OPTIONS[] = {
    {.name = "count", .value = "N", .help = "how many, of one ceremony (1)"},
    {.name = "out", .value = "DIR", .help = "put the requests there too, to carry them away"},
    ROOT,
    SIGNING,
    {0},
};

static const struct fr_cli_option SIGN_OPTIONS[] = {
    {.name = "csr",
     .value = "FILE",
     .is_repeatable = true,
     .help = "a request, NAME.csr; without any, all that wait in the state directory"},
    {.name = "root", .value = "FILE", .help = "the root's certificate (the state directory's)"},
    {.name = "out", .value = "DIR", .help = "with --csr: folder for the certificates"},
    ROOT,
    SIGNING,
    {0},
};

static const struct fr_cli_option ROOT_CRL_OPTIONS[] = {
    {.name = "revoke",
     .value = "NAME|FILE|SERIAL",
     .is_repeatable = true,
     .help = "an issuing CA to be taken out"},
    {.name = "cause", .value = "WORD", .help = "ca-compromise (the default), superseded, …"},
    {.name = "previous",
     .value = "FILE",
     .help = "the list before, which is carried on (the state directory's)"},
    {.name = "root", .value = "FILE", .help = "the root's certificate (the state directory's)"},
    {.name = "out",
     .value = "FILE",
     .help = "write the list there; without, it is installed in the state directory"},
    {.name = "lifetime", .value = "TIME", .help = "of the list (548d)"},
    ROOT,
    {0},
};

static const struct fr_cli_option RETIRE_OPTIONS[] = {
    {.name = "force", .help = "also when certificates below it are alive: they are revoked"},
    {0},
};

static const struct fr_cli_option RENEW_OPTIONS[] = {
    {.name = "new-key", .help = "with a new key"},
    {.name = "host", .value = "H", .help = "label of the broker's host (as it is)"},
    {0},
};

static const struct fr_cli_option public_options[] = {
    {.name = "records", .help = "what to paste into a zone that is there"},
    {.name = "zone", .help = "a whole zone, for a name server of its own"},
    {.name = "address",
     .value = "IP",
     .is_required = true,
     .is_repeatable = true,
     .help = "public address of the broker, IPv4 or IPv6"},
    {.name = "ns",
     .value = "NAME",
     .is_repeatable = true,
     .help = "with --zone: a name server of it, the primary first"},
    {0},
};

const struct fr_cli_command fr_ca_commands[] = {
    {.path = "ca init",
     .options = INIT_OPTIONS,
     .summary = "make a federation: CA, store and the broker's certificate",
     .details = "Makes the state directory with root and issuing CA, the broker's certificate and "
                "an empty store. Asks nothing "
                "and overwrites nothing. --passphrase-fd locks the issuing CA's key.",
     .example = "fedroam ca init --fed fed.example --url https://broker.fed.example:8443/dns-query",
     .run = fr_cmd_ca_init},
    {.path = "ca list",
     .summary = "root and issuing CAs: state, dates, what hangs below each",
     .details = "prepared: waits for the root; ready: may be activated; active: signs; tainted: "
                "signs no more, what it signed is good; retired, revoked: what it signed is "
                "refused.",
     .example = "fedroam ca list -o json",
     .only_reads = true,
     .run = fr_cmd_ca_list},
    {.path = "ca show",
     .args = "[NAME]",
     .max_args = 1,
     .summary = "one CA: also its list, and whose certificates hang below",
     .example = "fedroam ca show 2026a",
     .only_reads = true,
     .run = fr_cmd_ca_show},
    {.path = "ca intermediate prepare",
     .options = PREPARE_OPTIONS,
     .summary = "make keys and requests of the next issuing CAs",
     .details = "The key stays in the state directory, locked where the active one is. With the "
                "root's key at hand the request is signed and installed in the same step.",
     .example = "fedroam ca intermediate prepare --count 2 --out /media/usb",
     .run = fr_cmd_ca_intermediate_prepare},
    {.path = "ca intermediate install",
     .args = "FILE…",
     .min_args = 1,
     .max_args = 8,
     .summary = "take certificates that the root signed",
     .example = "fedroam ca intermediate install /media/usb/2027a.pem",
     .run = fr_cmd_ca_intermediate_install},
    {.path = "ca intermediate activate",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .summary = "let it sign; the one before signs no more",
     .example = "fedroam ca intermediate activate 2027a",
     .run = fr_cmd_ca_intermediate_activate},
    {.path = "ca intermediate taint",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .summary = "stop signing with it; what it signed is good until it is renewed",
     .example = "fedroam ca intermediate taint 2026a",
     .run = fr_cmd_ca_intermediate_taint},
    {.path = "ca intermediate retire",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .options = RETIRE_OPTIONS,
     .summary = "trust it no more, once nothing below it is alive",
     .example = "fedroam ca intermediate retire 2026a",
     .run = fr_cmd_ca_intermediate_retire},
    {.path = "ca root sign",
     .options = SIGN_OPTIONS,
     .summary = "where the root's key is: sign requests of issuing CAs",
     .details = "With --csr, --root, --root-key and --out it needs no federation and no network.",
     .example = "fedroam ca root sign --fed fed.example --root root.pem --root-key root.key --csr "
                "2027a.csr --out . --transcript 2027.txt",
     .run = fr_cmd_ca_root_sign},
    {.path = "ca root crl",
     .options = ROOT_CRL_OPTIONS,
     .summary = "where the root's key is: sign the root's revocation list",
     .details = "With --out, --root and --root-key it needs no federation and no network; the list "
                "then goes to the broker's host: ca crl install.",
     .example = "fedroam ca root crl --root root.pem --root-key root.key --previous root.crl "
                "--revoke 2026a.pem --out new.crl --transcript 2026.txt",
     .run = fr_cmd_ca_root_crl},
    {.path = "zone public",
     .options = public_options,
     .summary = "print the records that the federation needs in public DNS",
     .details = "Addresses of broker, ca and crl, how the broker is asked (SVCB), the pins of its "
                "certificate (TLSA), CAA, and empty\n"
                "delegations of deveui, netid and joineui, so that a resolver that validates does "
                "not prove "
                "the private names\n"
                "away. docs/public-zone.md has it signed with BIND and Knot.",
     .example = "fedroam zone public --records --address 192.0.2.1 --address 2001:db8::1",
     .only_reads = true,
     .run = fr_cmd_zone_public},
    {.path = "ca crl show",
     .summary = "the revocation lists that are published",
     .details = "A running broker makes those of the issuing CAs after every revocation, and each "
                "hour.",
     .example = "fedroam ca crl show",
     .only_reads = true,
     .run = fr_cmd_ca_crl_show},
    {.path = "ca crl publish",
     .summary = "make new revocation lists of the issuing CAs now",
     .example = "fedroam ca crl publish",
     .run = fr_cmd_ca_crl_publish},
    {.path = "ca crl install",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .summary = "publish a list that the root signed; the issuing CAs on it end",
     .example = "fedroam ca crl install /media/usb/new.crl",
     .run = fr_cmd_ca_crl_install},
    {.path = "ca server renew",
     .options = RENEW_OPTIONS,
     .summary = "renew the broker's own certificate now",
     .details = "A running broker does so by itself at two thirds of its life, and shows the new "
                "one without a restart.",
     .example = "fedroam ca server renew",
     .run = fr_cmd_ca_server_renew},
    {0},
};
