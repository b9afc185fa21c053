#pragma once
/*
 * Which receive window of a class A device can still be reached.
 *
 * Model: the uplink ended at received_ms; window 1 opens rx1_delay_s later, window 2 one second after it. A downlink must be at
 *   the gateway `lead_ms` before its window opens (the gateway's queue and the way to it).
 * Owns, Errors: nothing, none. Threads: any. Pure: time is an argument.
 */
#include <stdbool.h>
#include <stdint.h>

enum fr_window { FR_WINDOW_NONE, FR_WINDOW_RX1, FR_WINDOW_RX2 };

struct fr_windows {
    int64_t received_ms;
    uint8_t rx1_delay_s;
    bool has_rx1, has_rx2; /* offered by whoever answers */
    uint32_t lead_ms;
};

/* The first window after window `after` (FR_WINDOW_NONE: any) that is offered and still in reach. */
enum fr_window fr_window_choose(const struct fr_windows *w, enum fr_window after, int64_t now_ms);

/* How long from now an answer is still of use: until the last window is out of reach; 0: too late. */
uint32_t fr_window_left_ms(const struct fr_windows *w, int64_t now_ms);

uint32_t fr_window_delay_us(const struct fr_windows *w, enum fr_window window);
const char *fr_window_print(enum fr_window window); /* "RX1", "RX2", "none" */
