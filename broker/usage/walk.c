#include "usage/walk.h"

/* Is a EUI within the stretch and its reach? Overflow at either end of the number range wraps away. */
static bool is_near(const struct fr_walk_track *track, uint64_t eui)
{
    return eui - track->low + FR_WALK_REACH <= track->high - track->low + 2 * FR_WALK_REACH;
}

static bool step(struct fr_walk_track *track, uint64_t eui)
{
    if (eui > track->high || eui < track->low) {
        track->steps++;
        if (eui > track->high) track->high = eui;
        if (eui < track->low) track->low = eui;
    } else if (eui - track->low >= FR_WALK_REACH && track->high - eui >= FR_WALK_REACH) {
        *track = (struct fr_walk_track){.low = eui, .high = eui, .used = track->used};
    }
    if (track->steps < FR_WALK_STEPS) return false;
    track->steps = 0;
    return true;
}

bool fr_walk_look(struct fr_walk *walk, uint64_t eui)
{
    struct fr_walk_track *oldest = &walk->tracks[0];
    uint32_t now = ++walk->looks;

    for (unsigned i = 0; i < FR_WALK_TRACKS; i++) {
        struct fr_walk_track *track = &walk->tracks[i];
        if (track->used != 0 && is_near(track, eui)) {
            track->used = now;
            return step(track, eui);
        }
        /* one that was never used has rested longest of all */
        if (now - track->used > now - oldest->used) oldest = track;
    }
    *oldest = (struct fr_walk_track){.low = eui, .high = eui, .used = now};
    return false;
}
