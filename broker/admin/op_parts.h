#pragma once
/* Pieces that several operations share: endpoints in, endpoints and rights out. */

#include "admin/args.h"
#include "admin/op.h"
#include "base/addr.h"
#include "store/cert.h"
#include "store/device.h"

/* FR_E_INVALID with the text that is wrong. */
enum fr_err fr_op_parse_endpoints(struct fr_op_ctx *ctx, const struct fr_arg_texts *texts,
                                  struct fr_addr *out, size_t max, size_t *n);

/* FR_E_INVALID with the words there are. */
enum fr_err fr_op_parse_profile(struct fr_op_ctx *ctx, const char *text, enum fr_profile *out);

/* A list of "address:port". */
json_t *fr_op_endpoints(struct fr_op_ctx *ctx, const struct fr_addr *endpoints, size_t n);

/* Words to bits, bits to a list of words. */
enum fr_err fr_op_parse_rights(struct fr_op_ctx *ctx, const struct fr_arg_texts *texts,
                               uint32_t *out);
json_t *fr_op_rights(struct fr_op_ctx *ctx, uint32_t rights);

/* device.add and its kin, by mode: arguments, rule book, reply. */
enum fr_err fr_op_run_devices(struct fr_op_ctx *ctx, enum fr_device_mode mode);
