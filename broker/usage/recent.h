#pragma once
/*
 * The last look-ups of devices that one worker answered for one member: written without a lock, read by
 * another thread while it writes.
 *
 * Model: a ring; the newest takes the oldest one's place. An entry that is being written while it is read
 *   is passed over.
 * Owns: a plain value, zero is empty. Threads: put is for one thread at a time, read for any.
 * Errors: none. Units and limits: FR_RECENT_MAX look-ups, 32 octets each.
 */
#include <stdatomic.h>
#include <stdint.h>

#include "usage/notes.h"

#define FR_RECENT_MAX 256

struct fr_recent_lookup {
    int64_t when_ms; /* real time */
    uint64_t deveui;
    uint32_t netid; /* of FR_NOTE_FOUND */
    uint16_t type;  /* of the question */
    enum fr_note_answer answer;
};

struct fr_recent {
    atomic_uint_fast64_t n; /* ever put */
    struct fr_recent_slot {
        atomic_uint_fast64_t number; /* of the look-up in it, from 1; 0: being written, or empty */
        atomic_uint_fast64_t when_ms, deveui, told;
    } slots[FR_RECENT_MAX];
};

void fr_recent_put(struct fr_recent *recent, const struct fr_recent_lookup *lookup);

/* Newest first; false ends it. */
typedef bool (*fr_recent_fn)(void *data, const struct fr_recent_lookup *lookup);
void fr_recent_each(struct fr_recent *recent, fr_recent_fn fn, void *data);
