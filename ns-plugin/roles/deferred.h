#pragma once
/*
 * Devices whose home network asked to be left alone for a while: the Lifetime of a Result Deferred.
 *
 * Model: a table of (federation, NetID, DevEUI) → until when. Full, the one that ends first gives way: its home is asked once
 *   more than it wished.
 * Owns: nothing but itself. Threads: one. Errors: none. Pure: time is an argument.
 * Units and limits: FR_DEFERRED_MAX devices; ms on the loop's clock; a day at most, whatever a home says; a restart forgets.
 * Trust: homes are peers; each can silence none but its own devices, and only here.
 * See: Backend Interfaces 1.0, 12.1 and table 22.
 */

#include <stddef.h>
#include <stdint.h>

#define FR_DEFERRED_MAX 1024
#define FR_DEFERRED_LONGEST_S 86400

struct fr_deferred_device {
    const char *federation; /* outlives the table: a name of the configuration's */
    uint32_t netid;
    uint64_t dev_eui;
};

struct fr_deferred {
    size_t n;
    struct fr_deferred_entry {
        struct fr_deferred_device device;
        int64_t until_ms;
    } entries[FR_DEFERRED_MAX];
};

/* lifetime_s 0: nothing is remembered. */
void fr_deferred_note(struct fr_deferred *d, const struct fr_deferred_device *device,
                      uint64_t lifetime_s, int64_t now_ms);

/* How long the device's home is not to be asked; 0: it may be. */
int64_t fr_deferred_left_ms(struct fr_deferred *d, const struct fr_deferred_device *device,
                            int64_t now_ms);
