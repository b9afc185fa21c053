#pragma once
/*
 * The latest time at which anything was done here: what tells that the clock went back.
 *
 * Model: moves forward with the journal, and when it is noted; never back but by `set`, which is an
 *   operator's word that an earlier time is right.
 * Errors: the store's. Units: Unix seconds.
 */
#include "store/change.h"

/* A clock may be behind it by so much before nothing is issued any more, */
#define FR_CLOCK_BACK_S 300
/* and be so far ahead of it before the log says so. */
#define FR_CLOCK_AHEAD_S (30LL * 86400)

enum fr_err fr_acted_get(struct fr_snap *snap, int64_t *out); /* 0: never */

/* Without a change: something was done that is no row of the store. */
enum fr_err fr_acted_note(struct fr_store *store, int64_t now_s);

/* To this very time, forward or back. */
enum fr_err fr_acted_set(struct fr_change *change, int64_t now_s);
