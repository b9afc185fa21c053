#pragma once
/*
 * Sees to it that a federation's revocation list is there: made at the start, after every
 * revocation, and every hour.
 *
 * Model: looks once a second whether the number of revocations moved or the list's time came, and
 *   asks the writer for crl.publish. Whether that worked is seen in the file: a list that did not
 *   move is asked for again after a while.
 * Owns: plain value; zero is fresh. Threads: main's. Errors: none; the writer logs its refusals.
 */

#include "admin/writer.h"
#include "base/file.h"

struct fr_crl_duty {
    bool was_asked;
    uint64_t revocations; /* when it was asked */
    int64_t asked_ms;     /* monotonic */
    struct fr_file_stamp before;
};

void fr_crl_duty_look(struct fr_crl_duty *duty, const char *state, struct fr_store *store,
                      struct fr_writer *writer, int64_t mono_ms);

/* When the list of the CA that signs now was published, Unix seconds; 0: there is none. */
int64_t fr_crl_published_s(const char *state, struct fr_store *store);
