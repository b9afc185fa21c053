#pragma once
/*
 * One federation's place among its brokers while this one serves it: primary, replica or deposed, and what follows from that.
 *
 * Model: the store says what this broker is (store/feed.h); a look every second takes over what changed. Beside it: the desk
 *   where replicas are noted, the thread that follows a primary (`replica_of`), and the files of lost changes.
 * Owns: desk and follower. Borrows store, log, clock.
 * Threads: main's; fr_standby_is_serving, _is_primary and _desk are for any.
 * Errors: of opening: those of the follower, with a diag.
 */
#include "main/conf.h"
#include "replica/desk.h"
#include "replica/follower.h"

struct fr_standby;

struct fr_standby_options {
    const char *federation, *state;
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
};

enum fr_err fr_standby_new(const struct fr_standby_options *options, struct fr_standby **out);
/* Takes over what a configuration says; on failure the present one stays. */
enum fr_err fr_standby_set(struct fr_standby *standby, const struct fr_broker_fed_conf *conf,
                           struct fr_diag *diag);
void fr_standby_free(struct fr_standby *standby); /* NULL is fine */

/* Checks a configuration's words alone. */
enum fr_err fr_standby_check(const struct fr_broker_fed_conf *conf, struct fr_diag *diag);

/* Every second. */
void fr_standby_tend(struct fr_standby *standby);

bool fr_standby_is_serving(const struct fr_standby *standby); /* look-ups */
bool fr_standby_is_primary(const struct fr_standby *standby); /* changes, enrolment */
struct fr_feed_desk *fr_standby_desk(struct fr_standby *standby);

struct fr_standby_facts {
    struct fr_feed_state state;
    bool has_follower;
    struct fr_follower_status follower;
    struct fr_feed_desk_counters desk;
    int64_t lag_s;       /* replica: since it was last in step; primary: 0 */
    unsigned diverged;   /* files of lost changes */
    const char *unready; /* why it should get no look-ups; NULL: it is ready. Static text */
};
void fr_standby_read(struct fr_standby *standby, struct fr_standby_facts *out);
