/* ChirpStack's configuration for the federations of a wallet.
 *
 * Model    v4 reads every *.toml of its folder as one text, so exactly one file of ours, fedroam.toml,
 *          holds the tables roaming and backend_interfaces for the whole wallet; nothing is written
 *          before the union of all files was read without a fault. v3 has one file, which is the
 *          administrator's: the block for it is printed only.
 *          ChirpStack takes peers with one certificate: that of the federation joined first.
 * Owns     Texts are appended to the caller's buffer.
 * Threads  Any.
 * Errors   FR_E_CONFLICT: what stands in the folder does not go together with ours; diag names file,
 *          line and change. FR_E_NOT_FOUND (no such folder), FR_E_MALFORMED, those of files.
 * Trust    The administrator's files.
 * See      docs/joining-a-federation.md */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "enrol/wallet.h"

#include <stdint.h>

#define FR_CHIRPSTACK_V4_DIR "/etc/chirpstack"
#define FR_CHIRPSTACK_V3_DIR "/etc/chirpstack-network-server"
#define FR_CHIRPSTACK_LISTEN "0.0.0.0:8005"
#define FR_CHIRPSTACK_V4_FILE "fedroam.toml"
#define FR_CHIRPSTACK_MAX (8 * 1024 * 1024) /* bytes of our tables */

struct fr_chirpstack_fed {
    const char *name;
    const char *ca, *chain, *key; /* paths as the server opens them */
    char *const *peers;           /* "000014:8005" */
    size_t n_peers;
};

struct fr_chirpstack {
    uint32_t netid;     /* of the certificates */
    const char *listen; /* of the first federation */
    size_t n;
    struct fr_chirpstack_fed feds[FR_WALLET_FEDS];
};

/* A NetID that an earlier federation lists is left out of later ones: the server knows one each. */
enum fr_err fr_chirpstack_print_v4(const struct fr_chirpstack *cs, struct fr_buf *out);
enum fr_err fr_chirpstack_print_v3(const struct fr_chirpstack *cs, struct fr_buf *out);

/* Reads the union of the folder's other files and `text`, and compares: net_id, tables set by hand.
 * An empty text checks the folder alone. */
enum fr_err fr_chirpstack_check_v4(const char *folder, const struct fr_chirpstack *cs,
                                   struct fr_span text, struct fr_diag *diag);

/* Before any certificate is here: everything but the NetID. */
enum fr_err fr_chirpstack_probe_v4(const char *folder, struct fr_diag *diag);

/* Checks, and replaces fedroam.toml. *changed: it said something else. */
enum fr_err fr_chirpstack_write_v4(const char *folder, const struct fr_chirpstack *cs,
                                   struct fr_diag *diag, bool *changed);

/* Takes fedroam.toml away, when it is ours. */
enum fr_err fr_chirpstack_remove_v4(const char *folder, struct fr_diag *diag);
