/* A time of the day in which something may be restarted: "02:00-04:00", or over midnight,
 * "23:30-01:00".
 *
 * Errors   FR_E_INVALID, diag says the form. Units: minutes since midnight of the machine's own time.
 * Threads  Any. Trust: an administrator's text. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"

struct fr_window {
    unsigned from_min, to_min; /* from is in it, to is not */
};

enum fr_err fr_window_parse(struct fr_span text, struct fr_diag *diag, struct fr_window *out);
bool fr_window_has(const struct fr_window *window, unsigned minute_of_day);
