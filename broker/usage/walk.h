#pragma once
/*
 * Does somebody walk through neighbouring EUIs, one after the other?
 *
 * Model: a few *tracks*, each the stretch of EUIs last asked for near each other. The next EUI just
 *   beyond either end of a stretch is a step; one within reach of an end changes nothing, so that
 *   several connections may share a walk; one deep inside starts the track anew, because those who
 *   own neighbouring devices ask for them in any order, again and again. FR_WALK_STEPS steps on one
 *   track are a walk. A EUI near no track takes the place of the one that has rested longest.
 * Owns: nothing; a plain value, zero at first. Threads: one. Errors: none.
 * Units and limits: FR_WALK_TRACKS tracks, a step of at most FR_WALK_REACH.
 */
#include <stdbool.h>
#include <stdint.h>

enum { FR_WALK_TRACKS = 8, FR_WALK_REACH = 16, FR_WALK_STEPS = 64 };

struct fr_walk {
    struct fr_walk_track {
        uint64_t low, high;
        uint32_t steps;
        uint32_t used; /* when, in looks */
    } tracks[FR_WALK_TRACKS];
    uint32_t looks;
};

/* True at each FR_WALK_STEPS-th step of a walk. */
bool fr_walk_look(struct fr_walk *walk, uint64_t eui);
