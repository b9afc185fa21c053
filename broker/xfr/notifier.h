#pragma once
/*
 * Telling secondaries that the zone changed: NOTIFY over UDP, again until it is answered (RFC 1996).
 *
 * Model: when the store's sequence has moved, every address of every downstream is due; what is not answered is sent again after
 *   1, 2, 4, … seconds, FR_NOTIFIER_TRIES times in all. A later change begins anew. Signed with the downstream's TSIG key when it
 *   has one.
 * Owns: its sockets and the list. Borrows the options. Threads: the loop's. Errors: of starting FR_E_NOMEM; what cannot be sent is
 *   as if it was not answered.
 * Trust: an answer is believed by its address and ID. A forged one only keeps us from sending NOTIFY again: the secondary asks by
 *   itself after the zone's refresh time.
 */
#include "base/clock.h"
#include "base/log.h"
#include "names/dname.h"
#include "store/store.h"
#include "transport/loop.h"

#define FR_NOTIFIER_TRIES 5

struct fr_notifier;

struct fr_notifier_options {
    struct fr_loop *loop;
    struct fr_store *store;
    const char *state; /* directory, for the keys */
    const struct fr_dname *zone;
    const struct fr_log *log;
    const struct fr_clock *clock;
};

struct fr_notifier_counts {
    uint64_t sent, answered, given_up;
};

enum fr_err fr_notifier_new(const struct fr_notifier_options *options, struct fr_notifier **out);
void fr_notifier_tend(struct fr_notifier *notifier); /* every second */
const struct fr_notifier_counts *fr_notifier_counts(const struct fr_notifier *notifier);
void fr_notifier_free(struct fr_notifier *notifier); /* NULL is legal */
