#pragma once
/*
 * What operations about transfers share: names and TSIG keys from their arguments.
 *
 * Owns: nothing. Threads: the writer's. Errors: FR_E_INVALID with the diag of the context; those of writing a file.
 * Trust: an administrator's.
 */
#include "admin/op.h"
#include "dns/tsig.h"
#include "store/primary.h"

/* A name as rows have it: lower case, without the final dot. `what` names it for people. */
enum fr_err fr_op_dns_name(struct fr_op_ctx *ctx, const char *text, const char *what, char *out,
                           size_t size);

/* "hmac-sha256" and its like; NULL: that one. */
enum fr_err fr_op_tsig_algorithm(struct fr_op_ctx *ctx, const char *text, char out[16]);

/* Writes the secret to a file of its own, before the row that names it is there: a row never lacks its file. What a change that
 * is not committed leaves behind is an unused file, which the broker sweeps. */
enum fr_err fr_op_tsig_secret(struct fr_op_ctx *ctx, struct fr_span secret,
                              uint8_t id[FR_PRIMARY_KEY_ID_SIZE]);
