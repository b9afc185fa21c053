#pragma once
/* A federation's administration seen from inside: what the engine's parts share. See admin/engine.h. */

#include "admin/audit.h"
#include "admin/engine.h"

struct fr_ca;

struct fr_admin_fed {
    char *state;
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_audit *audit;
    const struct fr_passphrase *passphrase; /* or NULL */
    struct fr_ca *ca;                       /* NULL until an operation needs it */
    enum fr_err no_ca;                      /* why it could not be opened last */
    int64_t no_ca_ms;                       /* when that was; monotonic */
    struct fr_diag why_no_ca;
};
