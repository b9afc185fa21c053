/* Do peers reach this member's network server? Asked of the broker, and told.
 *
 * Owns     Nothing. Threads: one. Errors: those of enrol/inbound.h. */
#pragma once

#include "enrol/inbound.h"
#include "member_cli/report.h"

/* One line for each endpoint: under `right` when it is, else under `wrong` with what to do. */
void fr_inbound_tell(const struct fr_inbound *inbound, const char *right, const char *wrong,
                     struct fr_report *report);
