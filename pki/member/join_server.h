/* The network server's part of a wallet, and what is told about it.
 *
 * Owns     struct fr_server holds what the ChirpStack view points into: fr_server_close.
 * Threads  One. Errors: those of enrol/chirpstack.h and the wallet. */
#pragma once

#include "enrol/chirpstack.h"
#include "enrol/listed.h"
#include "enrol/pairs.h"

struct fr_server {
    struct fr_wallet wallet;
    struct fr_pairs *pairs[FR_WALLET_FEDS];
    struct fr_listed listed[FR_WALLET_FEDS];
    struct fr_chirpstack view; /* n == 0: no federation with a network's certificate */
};

/* Every federation of the wallet that is for this kind of server (and folder, when not NULL), but
 * `except` (NULL: none). */
enum fr_err fr_server_open(const char *dir, enum fr_wallet_lns lns, const char *lns_dir,
                           const char *except, struct fr_diag *diag, struct fr_server *out);
void fr_server_close(struct fr_server *server);
