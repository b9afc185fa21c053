/* Whether a broker's own certificate is to be renewed now: at two thirds of its life, and as soon as the CA it hangs below
 * signs no more.
 *
 * Model    Looked at every second, reading the chain only when the file moved or the set of CAs did. Who was told that it is due
 *          and asked somebody for the next one says so; a renewal that came to nothing is due again after ten minutes, one that
 *          brought no later end (the CA ends first) after an hour, either at once when the CAs changed.
 * Owns     Plain value; zero is fresh. Threads: one. Errors: none; what cannot be read is not due.
 * Trust    Our own files. */
#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "store/store.h"

struct fr_server_watch {
    bool is_known;
    struct fr_file_stamp chain; /* what was read last */
    uint64_t authorities;
    int64_t due_s;       /* of that chain; 0: at once; INT64_MAX: it cannot be renewed now */
    int64_t not_after_s; /* of that chain */
    bool was_asked;
    int64_t asked_ms;          /* monotonic */
    int64_t asked_not_after_s; /* of the chain it was asked for */
    uint64_t asked_authorities;
};

bool fr_server_watch_is_due(struct fr_server_watch *watch, const char *chain,
                            struct fr_store *store, const struct fr_clock *clock);
void fr_server_watch_asked(struct fr_server_watch *watch, const struct fr_clock *clock);
