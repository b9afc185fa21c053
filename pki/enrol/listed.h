/* The networks that a network server is to list, where it takes requests of listed networks only.
 *
 * Model    Chosen from what the federation says now: all of them, or those that the wallet's entry
 *          names. What was chosen last is kept beside the entry (<federation>/peers), so that the
 *          server's file can be made again without asking.
 * Owns     The texts: fr_listed_free.
 * Threads  One at a time (the wallet's lock).
 * Errors   FR_E_NOMEM, FR_E_LIMIT, FR_E_MALFORMED (the file), those of files.
 * Limits   FR_LISTED_MAX networks.
 * Trust    Our own file; what the federation says was read by enrol/roster.h. */
#pragma once

#include "enrol/roster.h"

#define FR_LISTED_MAX 10000
#define FR_LISTED_PORT 8005 /* where a network that has no endpoint would be */

struct fr_listed {
    size_t n;
    char **list; /* "000014:8005", ascending */
};
void fr_listed_free(struct fr_listed *listed); /* a zeroed one is legal */
bool fr_listed_is_same(const struct fr_listed *a, const struct fr_listed *b);

/* own: the server's NetID, which it does not list. */
enum fr_err fr_listed_choose(const struct fr_wallet_entry *entry, const struct fr_roster *peers,
                             uint32_t own, struct fr_diag *diag, struct fr_listed *out);

/* None where the file is missing. */
enum fr_err fr_listed_load(const char *folder, struct fr_diag *diag, struct fr_listed *out);
/* *changed: it says something else now. */
enum fr_err fr_listed_save(const char *folder, const struct fr_listed *listed, struct fr_diag *diag,
                           bool *changed);
