#pragma once
/*
 * Sees to it that every notice reaches the operator at least once, by each way that is configured.
 *
 * Model: by each way one notice at a time is on its way: the next that is open, not told by this way, and that nobody has acknowledged.
 *   What was taken is recorded in the store (by the owner's `told`), and only then the next one goes. What fails is tried again after
 *   FR_NOTIFY_RETRY_MS, doubled with each failure up to FR_NOTIFY_RETRY_MAX_MS, and another notice gets its turn, so that one that the
 *   receiver will not have holds up none. All of this is found again in the store after a crash: what was taken and not recorded
 *   goes once more.
 * Owns: deliveries and its copy of the configuration. Borrows store, loop, clock, log. Threads: the loop's.
 * Errors: of the configuration: FR_E_NOMEM. What goes wrong is in the log and the counters.
 */
#include "base/clock.h"
#include "base/log.h"
#include "notify/conf.h"
#include "notify/delivery.h"

#define FR_NOTIFY_RETRY_MS 5000
#define FR_NOTIFY_RETRY_MAX_MS 3600000

struct fr_messenger;

struct fr_messenger_options {
    struct fr_loop *loop;
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
    uint32_t retry_ms; /* 0: FR_NOTIFY_RETRY_MS */
    /* This stage was taken by this way: to be recorded; fr_messenger_recorded follows, from the loop. False: not now. */
    bool (*told)(void *data, const char *id, enum fr_notice_stage stage, enum fr_notice_way way);
    void *data;
};
enum fr_err fr_messenger_new(const struct fr_messenger_options *options, struct fr_messenger **out);
/* Ends what is on its way; a test is answered. Nothing is told any more. */
void fr_messenger_stop(struct fr_messenger *m);
void fr_messenger_free(struct fr_messenger *m); /* NULL is legal */

enum fr_err fr_messenger_set(struct fr_messenger *m, const struct fr_notify_conf *conf);

/* Every second, while this broker is the one that tells. */
void fr_messenger_tend(struct fr_messenger *m);
void fr_messenger_recorded(struct fr_messenger *m, enum fr_notice_way way, bool is_recorded);

struct fr_messenger_counters {
    bool is_set[2]; /* by exec, by post */
    uint64_t taken[2], failed[2];
    unsigned waiting; /* notices that some way has yet to tell, when it was looked last */
};
void fr_messenger_count(const struct fr_messenger *m, struct fr_messenger_counters *out);

/* Sends a notice that is marked as a test by every way, whatever else is on its way; `done` once, from the loop. */
struct fr_messenger_test {
    bool is_set[2];
    char why[2][400]; /* "": it was taken */
};
typedef void (*fr_messenger_test_fn)(void *data, const struct fr_messenger_test *result);
/* FR_E_NOT_FOUND: no way is configured; FR_E_BUSY: another test runs; FR_E_NOMEM. */
enum fr_err fr_messenger_try(struct fr_messenger *m, fr_messenger_test_fn done, void *data);
