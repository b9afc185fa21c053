#pragma once
/*
 * A member's primary as JSON: where it is, how far the set in the store has come, what waits, what failed, what was left out.
 * For its operator and for the member itself: there is no secret in it.
 *
 * Errors: the store's. Trust: records and faults are a peer's texts; they are escaped.
 */
#include "base/json_out.h"
#include "store/primary.h"

/* "good", "new", "held", "expired", "failing". */
const char *fr_primary_state_text(const struct fr_primary_state *state, int64_t now_s);

/* One object. */
enum fr_err fr_primary_put_json(struct fr_json *json, struct fr_snap *snap,
                                const struct fr_primary_row *row, int64_t now_s);
