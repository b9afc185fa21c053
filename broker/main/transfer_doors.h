#pragma once
/*
 * The listeners of a configuration where secondaries fetch the zone (serve: xfr, serve: xot): which federation's it is, the name of
 * the zone says, over TLS together with the federation whose name the connection chose.
 *
 * Model: set takes a configuration: what stays listens on, what is new is opened, what went is closed; on failure all stays as it
 *   was. Owns: the doors, the TLS acceptor. Threads: main's. Errors: those of xfr/transfer_door.h.
 */
#include "main/conf.h"
#include "main/fed.h"
#include "xfr/transfer_door.h"

struct fr_transfer_doors;

/* `feds` and `n_feds` are read whenever somebody asks: they follow the owner's array. */
enum fr_err fr_transfer_doors_new(struct fr_loop *loop, struct fr_fed ***feds, const size_t *n_feds,
                                  struct fr_transfer_doors **out);
enum fr_err fr_transfer_doors_set(struct fr_transfer_doors *doors,
                                  const struct fr_broker_conf *conf, struct fr_diag *diag);
/* A federation is going to be closed. */
void fr_transfer_doors_leave(struct fr_transfer_doors *doors, const struct fr_fed *fed);
uint64_t fr_transfer_doors_dropped(const struct fr_transfer_doors *doors);
void fr_transfer_doors_free(struct fr_transfer_doors *doors); /* NULL is legal */
