#pragma once
/* Inside of zones/store: what is kept beside certificate rows, in the same change: indexes, key owners, pins. */
#include "db/txn.h"
#include "store/cert.h"

enum fr_err fr_cert_index_member(struct fr_change *change, const struct fr_cert_row *row);
enum fr_err fr_cert_index_expiry(struct fr_change *change, const struct fr_cert_row *row);
enum fr_err fr_cert_index_netid(struct fr_change *change, const struct fr_cert_row *row);

/* Fills the index by NetID from the table: for stores of schemas that had none. */
enum fr_err fr_cert_index_again(struct fr_txn *txn);

/* The key becomes the member's. FR_E_DENIED when blocked, FR_E_CONFLICT when another's. */
enum fr_err fr_key_claim(struct fr_change *change, const uint8_t spki[FR_DIGEST_SIZE],
                         const char *member, struct fr_diag *diag);

enum fr_err fr_pin_put(struct fr_change *change, const struct fr_cert_row *row);
enum fr_err fr_pin_delete(struct fr_change *change,
                          const struct fr_cert_row *row); /* FR_OK also when there is none */
