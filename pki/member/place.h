/* Where the wallet of a command is, and who its files are for.
 *
 * Owns     Plain values, but what fr_place_open gives (fr_place_close).
 * Threads  Not for threaded programs (it asks the system's user database).
 * Errors   FR_E_USAGE (which federation is not said), FR_E_NOT_FOUND, FR_E_PERM, the wallet's. */
#pragma once

#include "base/cli.h"
#include "enrol/pairs.h"

/* --dir, else FR_WALLET_DIR; absolute. */
enum fr_err fr_place_dir(const struct fr_cli *cli, struct fr_diag *diag, char out[FR_WALLET_PATH]);

/* One federation of the wallet: its argument, --fed, or the only one. */
struct fr_place {
    char dir[FR_WALLET_PATH], folder[FR_WALLET_PATH];
    struct fr_wallet_entry *entry;
    struct fr_pairs *pairs;
};
enum fr_err fr_place_open(const struct fr_cli *cli, const char *fed, struct fr_diag *diag,
                          struct fr_place *out);
void fr_place_close(struct fr_place *place); /* a zeroed one is legal */

/* The number of a user, by name or number. */
enum fr_err fr_place_user(const char *name, struct fr_diag *diag, uid_t *out);

/* Whose the keys of this profile are: --owner for the network server's, the service user for the
 * others where there is one; (uid_t)-1: who runs the command, who is not root. */
enum fr_err fr_place_owner(const struct fr_wallet_entry *entry, enum fr_wallet_profile profile,
                           struct fr_diag *diag, uid_t *out);
