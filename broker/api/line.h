#pragma once
/*
 * One line of a batch: {"op":"put","eui":"70b3d57ed0000001","netid":"000013"}. Pure.
 *
 * Model: one flat JSON object of texts, each member once, in any order, nothing else in it. The operations are put, delete, claim and
 *   release. A deletion may leave the NetID out: then it is for whichever of the sender's the device has. A release is to the
 *   holder of its NetID.
 * Errors: FR_E_MALFORMED for anything else. Escapes in texts are none of hex digits' business and malformed too.
 * Trust: a member's bytes.
 */
#include "base/err.h"
#include "base/span.h"

struct fr_api_line {
    char op; /* 'p', 'd', 'c', 'r' */
    uint64_t eui;
    uint32_t netid; /* 0: not said */
};

enum fr_err fr_api_line_read(struct fr_span text, struct fr_api_line *out);
