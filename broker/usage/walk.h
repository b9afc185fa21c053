#pragma once
/*
 * Does somebody walk through neighbouring EUIs, one after the other?
 *
 * Model: EUIs lie in blocks of FR_WALK_BLOCK. For some blocks there is a *track*: the stretch of it
 *   that was asked for lately. The next EUI just beyond either end of the stretch is a step; one
 *   within reach of an end changes nothing, so that several connections may share a walk; any other
 *   starts the track anew, because those who own neighbouring devices ask for them in any order,
 *   again and again. FR_WALK_STEPS steps on one track are a walk. A track on which steps were made
 *   lately is not given to another block.
 * Owns: nothing; a plain value, zero at first. Threads: one. Errors: none.
 * Units and limits: 2 KiB; one look costs a few nanoseconds.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
    FR_WALK_TRACKS = 64,
    FR_WALK_BLOCK = 4096,
    FR_WALK_REACH = 16, /* a step at most */
    FR_WALK_STEPS = 64,
    FR_WALK_REST = 1024, /* looks after which a track with steps is given away */
};

struct fr_walk {
    struct fr_walk_track {
        uint64_t block; /* its number + 1; 0: free */
        uint16_t low, high;
        uint32_t steps;
        uint32_t used; /* when, in looks */
    } tracks[FR_WALK_TRACKS];
    uint32_t looks;
};

/* True at each FR_WALK_STEPS-th step of a walk. */
bool fr_walk_look(struct fr_walk *walk, uint64_t eui);
