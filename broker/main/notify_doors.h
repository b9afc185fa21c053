#pragma once
/*
 * The listeners of a configuration that take NOTIFY (serve: notify): which federation's zone it is, their secondaries say.
 *
 * Model: set takes a configuration: what stays listens on, what is new is opened, what went is closed; on failure all stays as it
 *   was. Owns: the doors. Threads: main's. Errors: those of xfr/notify_door.h.
 */
#include "main/conf.h"
#include "main/fed.h"
#include "xfr/notify_door.h"

struct fr_notify_doors;

/* `feds` and `n_feds` are read whenever a message comes: they follow the owner's array. */
enum fr_err fr_notify_doors_new(struct fr_loop *loop, const struct fr_clock *clock,
                                struct fr_fed ***feds, const size_t *n_feds,
                                struct fr_notify_doors **out);
enum fr_err fr_notify_doors_set(struct fr_notify_doors *doors, const struct fr_broker_conf *conf,
                                struct fr_diag *diag);
uint64_t fr_notify_doors_dropped(const struct fr_notify_doors *doors);
void fr_notify_doors_free(struct fr_notify_doors *doors); /* NULL is legal */
