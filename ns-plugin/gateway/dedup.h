#pragma once
/*
 * De-duplication of uplinks: one frame heard by n gateways becomes one group with n receptions.
 *
 * Model: the first copy of a frame *opens* a group, copies within the window join it, at the end of the window the group is
 *   *closed* and belongs to the caller's frame; later copies are *late* and only counted, until the memory of it ends, too.
 * Owns: its table; frames are copied out.
 * Threads: one. Pure: time is an argument.
 * Units and limits: ms on any monotonic clock; FR_DEDUP_GWS receptions a frame (weaker ones are left out beyond that).
 * Trust: frames are a stranger's; the table's cap bounds what they can take.
 */
#include "base/err.h"
#include "gateway/gwmp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_DEDUP_GWS 16

struct fr_reception {
    uint64_t gateway;
    uint32_t tmst_us;
    int16_t rssi_dbm;
    double snr_db;
};

struct fr_frame {
    uint8_t phy_n;
    uint8_t phy[FR_GWMP_FRAME_MAX];
    uint32_t freq_hz;
    uint8_t dr;
    int64_t received_ms; /* first copy */
    size_t n;            /* best first once closed */
    struct fr_reception receptions[FR_DEDUP_GWS];
};

enum fr_dedup_verdict {
    FR_DEDUP_NEW,  /* first copy: the caller arms a timer for the end of the window */
    FR_DEDUP_COPY, /* joined an open group */
    FR_DEDUP_LATE, /* the group was closed before */
    FR_DEDUP_FULL, /* the table is full: dropped */
};

struct fr_dedup;

/* window_ms: how long copies are collected; memory_ms: how long a closed frame is remembered; max: frames at a time. */
enum fr_err fr_dedup_new(uint32_t window_ms, uint32_t memory_ms, size_t max, struct fr_dedup **out);
void fr_dedup_free(struct fr_dedup *d);

enum fr_dedup_verdict fr_dedup_add(struct fr_dedup *d, int64_t now_ms, uint64_t gateway,
                                   const struct fr_rx *rx);

/* Closes one group whose window is over and copies it; false when there is none. */
bool fr_dedup_next(struct fr_dedup *d, int64_t now_ms, struct fr_frame *out);

/* When the next window ends; -1: none is open. */
int64_t fr_dedup_due_ms(const struct fr_dedup *d);
