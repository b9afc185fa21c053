/* The broker's own certificate: server.key and server.chain.pem of a state directory, made anew
 * before they end.
 *
 * Model    A renewal goes the way of every certificate (intent, signature, row), for the host that
 *          the present one is for, and replaces the chain in one step; a running broker notices the
 *          file. The key stays, so whoever pins it is not cut off. With a new key there are two
 *          files: the key waits as server.key.next until the chain is in place, and
 *          fr_server_settle finishes what a crash cut short.
 * Owns     Nothing. Threads: as the CA.
 * Errors   FR_E_NOT_FOUND (no certificate there, or one the store does not know, and no host named),
 *          those of ca/issue.h and of files.
 * Trust    Our own files. */
#pragma once

#include "ca/issue.h"

/* When a certificate should be renewed: at two thirds of its life. */
int64_t fr_server_due_s(int64_t not_before_s, int64_t not_after_s);

struct fr_server_request {
    const char *dir;
    const char *host; /* label; NULL: as it is */
    bool has_new_key;
};

/* Durable, and in place on return. *row is the new certificate's. */
enum fr_err fr_server_renew(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                            const struct fr_server_request *request, struct fr_diag *diag,
                            struct fr_cert_row *row);

/* What a renewal would be for: the host of the present certificate. */
enum fr_err fr_server_find_host(const char *dir, struct fr_snap *snap, struct fr_diag *diag,
                                char out[FR_HOST_MAX + 1]);

/* After a crash between chain and key: puts the key in place that fits the chain. Nothing to do:
 * FR_OK, also where there are no files. */
enum fr_err fr_server_settle(const char *dir, struct fr_diag *diag);
