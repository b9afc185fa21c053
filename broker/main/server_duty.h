#pragma once
/*
 * Sees to it that a primary's own certificate does not end: asks the writer for server.renew when it is due
 * (ca/server_watch.h) and the issuing key is there. A replica asks its primary (replica/renewal.h).
 *
 * Owns: nothing. Threads: main's. Errors: none; the writer logs its refusals.
 */

#include "admin/writer.h"
#include "ca/server_watch.h"

void fr_server_duty_look(struct fr_server_watch *watch, const char *state, struct fr_store *store,
                         struct fr_writer *writer, const struct fr_clock *clock);
