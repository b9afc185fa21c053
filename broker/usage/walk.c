#include "usage/walk.h"

static void begin(struct fr_walk_track *track, uint64_t block, uint16_t at)
{
    track->block = block;
    track->low = track->high = at;
    track->steps = 0;
}

static bool step(struct fr_walk_track *track, uint16_t at)
{
    bool is_beyond = at > track->high || at < track->low;
    bool is_near = at + FR_WALK_REACH >= track->low && at <= track->high + FR_WALK_REACH;
    bool is_deep = at >= track->low + FR_WALK_REACH && at + FR_WALK_REACH <= track->high;

    if (!is_near || is_deep) {
        begin(track, track->block, at);
    } else if (is_beyond) {
        track->steps++;
        if (at > track->high) track->high = at;
        if (at < track->low) track->low = at;
    }
    if (track->steps < FR_WALK_STEPS) return false;
    track->steps = 0;
    return true;
}

bool fr_walk_look(struct fr_walk *walk, uint64_t eui)
{
    uint64_t block = eui / FR_WALK_BLOCK + 1;
    uint16_t at = (uint16_t)(eui % FR_WALK_BLOCK);
    struct fr_walk_track *track =
        &walk->tracks[block * 0x9e3779b97f4a7c15u >> 32 & (FR_WALK_TRACKS - 1)];
    uint32_t now = ++walk->looks;

    if (track->block != block) {
        if (track->steps > 0 && now - track->used < FR_WALK_REST) return false;
        begin(track, block, at);
        track->used = now;
        return false;
    }
    track->used = now;
    return step(track, at);
}
