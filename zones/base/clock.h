#pragma once
/* The time, as something a caller passes in; and dates as text.
 *
 * Model: code that needs to know the time takes `now` as an argument or a struct fr_clock; only
 * this module asks the system.
 * Units: mono_ms never jumps and has no meaning of its own; real_ms is since 1970 UTC. */

#include "base/err.h"
#include "base/span.h"

struct fr_clock {
    int64_t (*mono_ms)(void *data);
    int64_t (*real_ms)(void *data);
    void *data;
};

/* The system's clocks; static, any thread. */
const struct fr_clock *fr_clock_system(void);

int64_t fr_clock_mono_ms(const struct fr_clock *clock);
int64_t fr_clock_real_ms(const struct fr_clock *clock);
int64_t fr_clock_real_s(const struct fr_clock *clock);

/* "2026-11-20T06:52:19Z". Years 1970 to 9999; outside, the nearest of them is printed. */
#define FR_TIME_TEXT 21
void fr_time_print(int64_t real_s, char out[FR_TIME_TEXT]);

/* The same with milliseconds: "2026-11-20T06:52:19.042Z". */
#define FR_TIME_MS_TEXT 25
void fr_time_print_ms(int64_t real_ms, char out[FR_TIME_MS_TEXT]);

/* "2026-11-20T06:52:19Z" (fractions of 1 to 9 digits are accepted and dropped) or "2026-11-20"
 * (midnight). FR_E_MALFORMED. */
enum fr_err fr_time_parse(struct fr_span text, int64_t *out);
