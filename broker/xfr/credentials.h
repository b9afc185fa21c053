#pragma once
/*
 * How the broker and a member's name server prove themselves to each other: the TSIG key, and for TLS the broker's own certificate
 * and what proves the server.
 *
 * Owns: *tls has one reference, the caller's. Threads: any. Blocks on small files: for rows that changed, not for transfers.
 * Errors: those of base/file.h and transport/tls.h; the diag says what is missing.
 */
#include "dns/tsig.h"
#include "store/downstream.h"
#include "store/primary.h"
#include "transport/tls.h"

enum fr_err fr_credentials_load(const char *state, const struct fr_primary_row *row,
                                struct fr_diag *diag, struct fr_tsig_key *key, bool *has_key,
                                struct fr_tls_ctx **tls);

/* One TSIG key, of which a row has these words and the state directory the secret. */
enum fr_err fr_credentials_key(const char *state, const char *name, const char *algorithm,
                               const uint8_t id[FR_PRIMARY_KEY_ID_SIZE], struct fr_diag *diag,
                               struct fr_tsig_key *out);

/* Removes secrets in the state directory that no row names and that are older than an hour. */
void fr_credentials_sweep(const char *state, struct fr_store *store, int64_t now_s);
