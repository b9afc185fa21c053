#pragma once
/* Our certificate, key and the federation's CA as a TLS context that follows its files.
 *
 * Model: loaded when first used; looked at again (a stat of each file) at most once a second,
 *   when used; a changed set that loads replaces the context, one that does not (half written,
 *   key of another certificate) is tried again later while the old one stands.
 * Owns: the context. Ref-counted: the links of a federation share one identity. Threads: the
 *   loop's.
 * Errors: only while there is no context at all; the diag names the file. */

#include "base/diag.h"
#include <stdint.h>

struct fr_identity;
struct fr_tls_ctx;

/* The paths are borrowed. FR_E_NOMEM. */
enum fr_err fr_identity_new(const char *ca, const char *chain, const char *key,
                            struct fr_identity **out);
struct fr_identity *fr_identity_ref(struct fr_identity *id);
void fr_identity_unref(struct fr_identity *id);

/* The context to use now (borrowed until the next call) and its generation, which changes when
 * it does; from 1. */
enum fr_err fr_identity_get(struct fr_identity *id, int64_t now_ms, struct fr_diag *diag,
                            struct fr_tls_ctx **out, unsigned *generation);

/* Looks at the files now. What a set that does not load gives, also when there is an older context,
 * which stays. */
enum fr_err fr_identity_reload(struct fr_identity *id, int64_t now_ms, struct fr_diag *diag);
