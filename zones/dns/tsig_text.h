/* TSIG keys as the tools of name servers write them.
 *
 * Model: either a `key "name" { algorithm …; secret "…"; };` statement (tsig-keygen, rndc-confgen) or
 * one line "algorithm:name:secret", a comment sign before it or not (keymgr -t). The first key found
 * counts.
 * Owns: nothing; the key is secret: zero it. Threads: any.
 * Errors: FR_E_MALFORMED, FR_E_UNSUPPORTED (algorithm), FR_E_RANGE (length of the secret), with a
 * diag that never quotes the secret.
 * Trust: a file somebody was given. */
#pragma once

#include "base/diag.h"
#include "dns/tsig.h"

enum { FR_TSIG_TEXT_MAX = 4096 };

enum fr_err fr_tsig_key_parse(struct fr_span text, struct fr_diag *diag, struct fr_tsig_key *out);
