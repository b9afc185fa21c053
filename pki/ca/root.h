/* The root at work: it signs certificates of issuing CAs and its own revocation list. This is the
 * part that happens away from the broker's host.
 *
 * Model    root.pem and the root's key are all it needs; there is no store. What it signs is read
 *          back and verified before it is handed out.
 * Owns     The handle owns certificate and key. Results are the caller's.
 * Threads  One at a time.
 * Errors   FR_E_CONFLICT (the key is not this root's; the federation is not this root's),
 *          FR_E_DENIED, FR_E_MALFORMED, FR_E_CRYPTO (CSR), FR_E_EXPIRED, FR_E_INVALID (name), those of
 *          x509/key_uri.h.
 * Trust    CSRs are the broker's host's: only their public key is used, and the name that the caller
 *          gives. */
#pragma once

#include "ca/issuing.h"
#include "x509/crl.h"
#include "x509/key_uri.h"

struct fr_root;

enum fr_err fr_root_open(const char *pem_path, const char *key_uri,
                         const struct fr_passphrase *passphrase, struct fr_diag *diag,
                         struct fr_root **out);
void fr_root_close(struct fr_root *root);
const struct fr_cert *fr_root_cert(const struct fr_root *root);
const struct fr_cert_fields *fr_root_fields(const struct fr_root *root);

/* The federation that the root's subject names, or as much of it as fits there. */
enum fr_err fr_root_check_federation(const struct fr_root *root, const char *fed,
                                     struct fr_diag *diag);

struct fr_root_order {
    const char *federation;
    const char *name; /* of the issuing CA */
    struct fr_span csr;
    struct fr_issuing_dates dates;
    bool has_point;
};
enum fr_err fr_root_sign(const struct fr_root *root, const struct fr_root_order *order,
                         struct fr_diag *diag, struct fr_cert **out);

/* The root's list: what `previous` (DER; empty: none) lists, and `more`. Its number
 * is greater than the previous one's. FR_E_CRYPTO: previous is not this root's. */
struct fr_root_list {
    struct fr_span previous;
    const struct fr_crl_entry *more;
    size_t n_more;
    int64_t now_ms;
    int64_t lifetime_s;
};
enum fr_err fr_root_sign_list(const struct fr_root *root, const struct fr_root_list *list,
                              struct fr_diag *diag, struct fr_buf *der,
                              struct fr_crl_fields *fields);
