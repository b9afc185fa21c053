#pragma once
/*
 * Whether the certificate an operator gave us is the one this network needs: peers judge us by it.
 *
 * Owns: nothing. Threads: any. Reads files: at start and reload only.
 * Errors: FR_E_CONFIG with a diag that names the file and what it lacks; those of reading it.
 * See: the `ns` and `js` profiles of the federation's CA.
 */
#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The leaf must be for "<netid>.netid.<fed>". A server that is only a Join Server may show one for "….joineui.<fed>" instead. */
enum fr_err fr_own_cert_check(const char *chain_path, const char *federation, uint32_t netid,
                              bool is_join_server_only, struct fr_diag *diag);
