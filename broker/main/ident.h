#pragma once
/*
 * What a federation shows and trusts on TLS connections, at one moment: an immutable snapshot that
 * workers share.
 *
 * Model: made from server.chain.pem, server.key, root.pem and the store's authorities. A *mark*
 *   says what those were, so that a change is seen by comparing marks. Sessions of broker.<fed> and
 *   ca.<fed>, and of another set of authorities, never mix: each has its own session-id context.
 * Owns: reference-counted; the TLS context inside. Threads: any, with a reference.
 * Errors: FR_E_CONFIG (unsafe mode of the key), FR_E_MALFORMED, FR_E_NOT_FOUND, FR_E_INVALID (the
 *   certificate is not for this federation's broker, or is over); the diag names the file.
 */

#include "access/access.h"
#include "base/file.h"
#include "store/store.h"
#include "transport/tls.h"

struct fr_ident;

struct fr_ident_mark {
    struct fr_file_stamp chain, key, root;
    uint64_t authorities; /* digest of them and their states: the CA generation */
};

/* What there is now; cheap enough for every second. */
enum fr_err fr_ident_mark_read(const char *state, struct fr_store *store,
                               struct fr_ident_mark *out);
bool fr_ident_mark_equal(const struct fr_ident_mark *a, const struct fr_ident_mark *b);

/* *out has one reference. */
enum fr_err fr_ident_load(const char *state, struct fr_store *store, int64_t now_s,
                          struct fr_diag *diag, struct fr_ident **out);
struct fr_ident *fr_ident_ref(struct fr_ident *ident);
void fr_ident_unref(struct fr_ident *ident); /* NULL is legal */

/* The context, certificate rule and session-id context for one of the services; the caller adds its
 * tag. */
void fr_ident_choose(const struct fr_ident *ident, enum fr_service service,
                     struct fr_tls_choice *out);

int64_t fr_ident_not_after_s(const struct fr_ident *ident);
