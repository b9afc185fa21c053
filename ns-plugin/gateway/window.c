#include "gateway/window.h"

uint32_t fr_window_delay_us(const struct fr_windows *w, enum fr_window window)
{
    uint32_t seconds = w->rx1_delay_s + (window == FR_WINDOW_RX2 ? 1u : 0u);

    return seconds * 1000000;
}

/* The last moment at which the downlink may leave for it. */
static int64_t leave_by_ms(const struct fr_windows *w, enum fr_window window)
{
    return w->received_ms + fr_window_delay_us(w, window) / 1000 - (int64_t)w->lead_ms;
}

enum fr_window fr_window_choose(const struct fr_windows *w, enum fr_window after, int64_t now_ms)
{
    if (after < FR_WINDOW_RX1 && w->has_rx1 && now_ms <= leave_by_ms(w, FR_WINDOW_RX1)) {
        return FR_WINDOW_RX1;
    }
    if (after < FR_WINDOW_RX2 && w->has_rx2 && now_ms <= leave_by_ms(w, FR_WINDOW_RX2)) {
        return FR_WINDOW_RX2;
    }
    return FR_WINDOW_NONE;
}

uint32_t fr_window_left_ms(const struct fr_windows *w, int64_t now_ms)
{
    int64_t left = leave_by_ms(w, w->has_rx2 ? FR_WINDOW_RX2 : FR_WINDOW_RX1) - now_ms;

    return left > 0 ? (uint32_t)left : 0;
}

const char *fr_window_print(enum fr_window window)
{
    switch (window) {
    case FR_WINDOW_RX1: return "RX1";
    case FR_WINDOW_RX2: return "RX2";
    case FR_WINDOW_NONE: break;
    }
    return "none";
}
