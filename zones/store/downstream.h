#pragma once
/*
 * Downstreams: ordinary name servers that may copy the federation's whole zone (DNS secondaries).
 *
 * Model: a *downstream* is one server, by a name for people: how it proves itself when it asks for the zone (a TSIG key, or over
 *   TLS a certificate with the right `secondary`, which the certificate's own row gives), and where it is told by NOTIFY that the
 *   zone changed. It answers whoever it likes: without visibility, without budgets, and with what was revoked until it asks again.
 *   Secrets are not here: `key_id` names a file of the state directory.
 * Errors: FR_E_NOT_FOUND, FR_E_INVALID (a row that cannot be), FR_E_CONFLICT (another one has the key's name),
 *   FR_E_LIMIT (FR_DOWNSTREAMS_MAX).
 * Units and limits: times in seconds; key names lower case without trailing dot.
 */
#include "base/addr.h"
#include "store/change.h"

#define FR_DOWNSTREAMS_MAX 256
#define FR_DOWNSTREAM_ADDRS_MAX 4
#define FR_DOWNSTREAM_NAME_MAX 63
#define FR_DOWNSTREAM_KEY_ID_SIZE 8

struct fr_downstream_row {
    char name[FR_DOWNSTREAM_NAME_MAX + 1]; /* as a DNS label: letters, digits, dashes, lower case */
    uint8_t n_addrs;
    struct fr_addr addrs[FR_DOWNSTREAM_ADDRS_MAX]; /* told by NOTIFY */
    char key_name[FR_DNS_NAME_MAX + 1];            /* of the TSIG key; "" none */
    char key_algorithm[16];                        /* "hmac-sha256" */
    uint8_t key_id[FR_DOWNSTREAM_KEY_ID_SIZE];
    bool has_xot; /* asks over TLS, with a certificate */
    int64_t created_s;
};

enum fr_err fr_downstream_get(struct fr_snap *snap, const char *name,
                              struct fr_downstream_row *out);
typedef enum fr_err (*fr_downstream_fn)(void *data, const struct fr_downstream_row *row);
enum fr_err fr_downstream_each(struct fr_snap *snap, fr_downstream_fn fn, void *data); /* by name */

/* Adds or replaces one (`created_s` is kept or set). */
enum fr_err fr_downstream_put(struct fr_change *change, const struct fr_downstream_row *row,
                              struct fr_diag *diag);
enum fr_err fr_downstream_remove(struct fr_change *change, const char *name);
