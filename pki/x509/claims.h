/* What a certificate request says beyond its key. Nothing of it ever gets into a certificate; EST
 * wants to know whether it contradicts what is known.
 *
 * Threads  Any. Errors: FR_E_MALFORMED, FR_E_NOMEM, FR_E_INTERNAL, FR_E_LIMIT.
 * Trust    The request is a stranger's.
 * See      RFC 7030 §3.5 and §4.2.2, RFC 2985 §5.4.1. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/cert.h"

#define FR_CHALLENGE_MAX 255

/* The challengePassword, as it stands; *has is false without one. More than one, or one that is no
 * text: FR_E_MALFORMED. */
enum fr_err fr_csr_read_challenge(struct fr_span csr, char out[FR_CHALLENGE_MAX + 1], bool *has);

/* Whether every part of its subject, and every alternative name it asks for, is one of cert's. A
 * request without names claims nothing. */
enum fr_err fr_csr_is_within(struct fr_span csr, const struct fr_cert *cert, bool *out);
