#pragma once
/*
 * What an EST request asks for, read from its path, its Authorization field and its body. Pure.
 *
 * Errors: FR_E_NOT_FOUND (path), FR_E_AUTH (not Basic, no token in it), FR_E_MALFORMED, FR_E_LIMIT.
 * Units and limits: a request of at most FR_CSR_MAX bytes once decoded.
 * Trust: every byte is a stranger's.
 * See: RFC 7030 §3.2.2 (paths), §3.2.3 (Basic), RFC 8951 §3 (base64), RFC 7617.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "store/token.h"

#define FR_EST_ROOT "/.well-known/est"

enum fr_est_op { FR_EST_CACERTS, FR_EST_CSRATTRS, FR_EST_ENROLL, FR_EST_REENROLL, FR_EST_OPS };

const char *fr_est_op_text(enum fr_est_op op); /* "simpleenroll" */

struct fr_est_path {
    enum fr_est_op op;
    bool has_profile; /* the label */
    enum fr_profile profile;
};

/* "/.well-known/est[/<profile>]/<op>". */
enum fr_err fr_est_path_parse(struct fr_span path, struct fr_est_path *out);

/* "Basic <base64 of id:secret>": the token's id, and the SHA-256 of its secret. */
enum fr_err fr_est_basic_parse(struct fr_span authorization, uint8_t id[FR_TOKEN_ID_SIZE],
                               uint8_t secret[FR_DIGEST_SIZE]);

/* Base64 with any white space, with or without PEM's armour, to DER (appended). */
enum fr_err fr_est_body_read(struct fr_span body, struct fr_buf *der);
