#pragma once
/*
 * Sees to it that operators are told: asks the writer every few seconds to look for what wants a person (notice.look), and lets the
 * messenger tell what was noted.
 *
 * Model: the look happens in the writer's thread, in slices; one at a time, and with a pause that is FR_NOTICE_PAUSES times as long as the
 *   last one took, so that a large federation is not looked at all day. Only the primary looks and tells; a replica has the same notices,
 *   and goes on with them when it is promoted.
 * Owns: the messenger. Borrows all of its options. Threads: main's.
 * Errors: FR_E_NOMEM; what goes wrong later is in the log and tried again.
 */
#include "admin/writer.h"
#include "notify/messenger.h"
#include "usage/usage.h"

#define FR_NOTICE_LOOK_MS 5000
#define FR_NOTICE_PAUSES 50

struct fr_notice_duty;

struct fr_notice_duty_options {
    struct fr_loop *loop; /* with posts enabled */
    const char *state;
    struct fr_store *store;
    struct fr_writer *writer;
    const struct fr_admin_fed *admin;
    struct fr_usage *usage;
    const struct fr_log *log;
    const struct fr_clock *clock;
};

enum fr_err fr_notice_duty_new(const struct fr_notice_duty_options *options,
                               struct fr_notice_duty **out);
enum fr_err fr_notice_duty_set(struct fr_notice_duty *duty, const struct fr_notify_conf *conf);

/* Every second, at the primary. */
void fr_notice_duty_tend(struct fr_notice_duty *duty);

/* Nothing is told any more; a test that runs is answered. */
void fr_notice_duty_stop(struct fr_notice_duty *duty);
/* Before the writer's end or after it. NULL is legal. */
void fr_notice_duty_free(struct fr_notice_duty *duty);

struct fr_messenger *fr_notice_duty_messenger(struct fr_notice_duty *duty);
