/* The reader of SVCB RDATA: where a service is and how it is spoken to (RFC 9460), of DNS servers above all
 * (RFC 9461).
 *
 * Model: a record in AliasMode (priority 0) has a target and nothing else that counts; one in ServiceMode has
 * parameters. A record that asks for a parameter we do not know (`mandatory`) is well-formed and not for us.
 * Owns: nothing; `dohpath` borrows the RDATA. Threads: any. Errors: FR_E_MALFORMED, FR_E_TRUNCATED; by RFC 9460 2.2
 * one such record spoils its whole set.
 * Units and limits: the first FR_SVCB_HINTS_MAX hints count. Trust: a peer's bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/span.h"
#include "names/dname.h"

enum { FR_SVCB_HINTS_MAX = 8 };

struct fr_svcb {
    uint16_t priority; /* 0: AliasMode */
    struct fr_dname
        target; /* the root: in ServiceMode the record's owner, in AliasMode no service at all */
    bool
        has_strange_mandatory; /* it must not be used by who can do no more than this reader reads */
    bool has_h2;               /* ALPN: HTTP/2 over TLS */
    uint16_t port;             /* 0: not said */
    struct fr_span dohpath;    /* a URI template, as it came; empty: not said */
    size_t n_hints;
    struct fr_ip hints[FR_SVCB_HINTS_MAX]; /* IPv4 first, as the keys are ordered */
};

/* `rdata` is the whole RDATA. */
enum fr_err fr_svcb_read(struct fr_span rdata, struct fr_svcb *out);
