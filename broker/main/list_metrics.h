#pragma once
/*
 * Ages and ends of a federation's revocation lists, the root's among them, for /metrics.
 *
 * Model: what each published file says is kept with the file's stamp, so that a list of 100 000 entries is read when it is new, not at each
 *   scrape. Owns: a plain value; zero is empty. Threads: main's. Errors: none: a list that cannot be read is absent.
 */
#include "base/file.h"
#include "base/metrics.h"
#include "ca/ca.h"

struct fr_list_times {
    struct fr_list_time {
        char name[FR_HOST_MAX + 1]; /* of its CA; "": free */
        struct fr_file_stamp stamp;
        int64_t this_update_s, next_update_s; /* 0: it cannot be read */
    } lists[FR_CA_SIGNERS_MAX + 1];
};

struct fr_broker_counts;
void fr_list_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts,
                           int64_t now_s);
