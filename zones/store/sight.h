#pragma once
/*
 * Sight: which network a member's look-up of a device finds. What store/visibility.h says, kept in
 * memory so that each look-up costs one read of the store, the same one whatever comes of it.
 *
 * Model: the registry (members, networks, grants, policy) is small and moves seldom: it is held as
 *   tables, made anew when the store's standing moves (fr_snap_standing). The devices are many and
 *   stay in the store. A look-up reads the device's row and combines it with the tables. A device
 *   that nobody has stands for one of a network that nobody sees, so that "no such device", "hidden",
 *   "not granted" and "suspended" take the same steps: who measures learns nothing (the store's own
 *   search of a key apart, which does not know either).
 *   A row of a member or network that does not decode is passed over: its devices are seen by nobody, the others' go on. zone check
 *   names it.
 * Owns: its tables. Threads: one; have one for each worker and federation.
 * Errors: FR_E_NOT_FOUND: the member does not see such a device, whatever the reason; the store's;
 *   FR_E_NOMEM.
 * Units and limits: as many entries as the registry has rows.
 */
#include "store/store.h"

struct fr_sight;

enum fr_err fr_sight_new(struct fr_sight **out);
void fr_sight_free(struct fr_sight *sight); /* NULL is fine */

/* Brings it to the snap's moment: next to nothing when the store has not moved. On failure nothing
 * can be seen with it until a later call succeeds. */
enum fr_err fr_sight_refresh(struct fr_sight *sight, struct fr_snap *snap);

/* As of the last refresh, which must be of this snap's moment. `member`: who asks. */
enum fr_err fr_sight_device(struct fr_sight *sight, struct fr_snap *snap, const char *member,
                            uint64_t deveui, uint32_t *netid);

/* Does the member who asks see what is this home's? FR_E_NOT_FOUND: not, or the home is not active. As of the last refresh. */
enum fr_err fr_sight_member(struct fr_sight *sight, const char *home, const char *asker);

uint32_t fr_sight_device_ttl(const struct fr_sight *sight); /* of a device's record, seconds */

/* How many rows of members and networks do not decode, as of the last refresh. */
unsigned fr_sight_damaged(const struct fr_sight *sight);
