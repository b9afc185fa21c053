#pragma once
/*
 * The option --tsig-key FILE: a key as tsig-keygen or keymgr wrote it.
 *
 * Owns: nothing; the key is secret, zero it. Threads: one. Errors: those of base/file.h and dns/tsig_text.h, with a diag.
 */
#include "base/diag.h"
#include "base/json_out.h"
#include "dns/tsig.h"
#include "zones_cli/cmds.h"

/* Name and algorithm go into the arguments, which are recorded; the secret is for the body, which is not. */
enum fr_err fr_tsig_option_put(struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag,
                               struct fr_tsig_key *key);
