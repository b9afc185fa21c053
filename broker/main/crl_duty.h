#pragma once
/*
 * Sees to it that a federation's revocation lists are there: made at the start, after every
 * revocation, when a CA comes or goes, and every hour.
 *
 * Model: looks once a second whether what they depend on moved or the lists' time came, and
 *   asks the writer for crl.publish. Whether that worked is seen in the files: a list that did not
 *   move is asked for again after half a minute, and after twice as long each time, up to an hour.
 *   Lists of CAs whose key is not on this machine, as after a promotion, are not asked for; that
 *   is logged when it begins, and every hour. A key that is brought is used at once.
 * Owns: plain value; zero is fresh. Threads: main's. Errors: none; the writer logs its refusals.
 */

#include "admin/writer.h"
#include "base/file.h"
#include "base/log.h"

/* What the lists depend on, and how old they are. */
struct fr_crl_sight {
    uint64_t revocations, authorities;
    uint64_t keys; /* moves with the keys' files */
    bool has_lists;
    struct fr_file_stamp oldest;   /* of those that are due; all zero: one is not there */
    char keyless[FR_HOST_MAX + 1]; /* a CA whose list is due and whose key is not here; "": none */
};

struct fr_crl_duty {
    bool was_asked;
    unsigned vain;              /* times in a row that no list came of it */
    int64_t asked_ms;           /* monotonic */
    struct fr_crl_sight before; /* when it was asked */
    bool was_told;
    int64_t told_ms; /* of a key that is not here */
};

struct fr_crl_duty_options {
    const char *state;
    struct fr_store *store;
    struct fr_writer *writer;
    const struct fr_log *log;
    const struct fr_clock *clock;
};
void fr_crl_duty_look(struct fr_crl_duty *duty, const struct fr_crl_duty_options *options);
