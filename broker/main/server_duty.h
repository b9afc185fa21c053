#pragma once
/*
 * Sees to it that the broker's own certificate does not end: asks the writer for server.renew at two
 * thirds of its life, and as soon as the CA it hangs below signs no more.
 *
 * Model: looks once a second, reading the chain only when the file moved or the set of CAs did. A
 *   renewal that came to nothing is asked for again after ten minutes; one that brought no later
 *   end (the CA ends first) after an hour; either at once when the CAs changed.
 * Owns: plain value; zero is fresh. Threads: main's. Errors: none; the writer logs its refusals.
 */

#include "admin/writer.h"
#include "base/clock.h"
#include "base/file.h"

struct fr_server_duty {
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

void fr_server_duty_look(struct fr_server_duty *duty, const char *state, struct fr_store *store,
                         struct fr_writer *writer, const struct fr_clock *clock);
