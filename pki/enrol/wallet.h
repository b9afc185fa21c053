/* The wallet: the folder that holds what a member has of each of its federations.
 *
 * Model    <dir>/<federation>/ is one federation's *entry*: wallet.yaml (how it was joined), root.pem,
 *          the pairs of key and certificate (enrol/pairs.h). Beside the entries stand the
 *          configuration files that name them: resolver.yaml, agent.yaml, ns.yaml.
 * Owns     Entries belong to the caller: fr_wallet_free.
 * Threads  One at a time; the wallet is locked by who changes it (fr_wallet_lock).
 * Errors   FR_E_NOT_FOUND (no such federation), FR_E_CONFIG (its file), FR_E_BUSY (another command
 *          changes it), those of files.
 * Limits   FR_WALLET_FEDS federations; paths below FR_WALLET_PATH.
 * Trust    The member's own files. */
#pragma once

#include "base/buf.h"
#include "base/conf.h"
#include "base/diag.h"
#include "base/err.h"

#include <stdint.h>

#define FR_WALLET_DIR "/etc/fedroam"
#define FR_WALLET_PATH 1024
#define FR_WALLET_FEDS 16

/* Whose configuration is written too. */
enum fr_wallet_lns { FR_LNS_NONE, FR_LNS_FEDROAM, FR_LNS_CHIRPSTACK_V3, FR_LNS_CHIRPSTACK_V4 };

/* "none", "fedroam", "chirpstack-v3", "chirpstack-v4". FR_E_INVALID names them. */
const char *fr_wallet_lns_text(enum fr_wallet_lns lns);
enum fr_err fr_wallet_lns_parse(const char *text, struct fr_diag *diag, enum fr_wallet_lns *out);

/* wallet.yaml. */
struct fr_wallet_entry {
    char *name;
    char *est, *broker; /* URLs; broker may be NULL */
    char **addresses;   /* of both; none: looked up */
    size_t n_addresses;
    uint16_t port; /* instead of the URLs' in the token; 0: theirs */
    enum fr_wallet_lns lns;
    char *lns_dir; /* folder of the network server's configuration, or NULL */
    char *owner;   /* user, or number, that reads the network server's key; NULL: who joined */
    char *listen;  /* "address:port" where the network server takes peers; NULL: not said */
    char *exec;    /* what to run after a renewal, or NULL */
    char *window;  /* "02:00-04:00", or NULL: at any time */
    char **peers;  /* "000014", "000014:8005": the networks that the server lists; none: all */
    size_t n_peers;
    uint64_t joined_s;
};

/* A path of the wallet. FR_E_LIMIT when it is too long. */
enum fr_err fr_wallet_path(char out[FR_WALLET_PATH], struct fr_diag *diag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* wallet.yaml, one for each federation. */
extern const struct fr_conf_schema fr_wallet_schema;

enum fr_err fr_wallet_load(const char *dir, const char *fed, struct fr_diag *diag,
                           struct fr_wallet_entry **out);
/* Makes the folder of the entry where it is missing. */
enum fr_err fr_wallet_save(const char *dir, const struct fr_wallet_entry *entry,
                           struct fr_diag *diag);
void fr_wallet_free(struct fr_wallet_entry *entry); /* NULL is legal */

/* The entries, the one joined first first. FR_OK and none where the folder is missing. */
struct fr_wallet {
    size_t n;
    struct fr_wallet_entry *entries[FR_WALLET_FEDS];
};
enum fr_err fr_wallet_open(const char *dir, struct fr_diag *diag, struct fr_wallet *out);
void fr_wallet_close(struct fr_wallet *wallet); /* a zeroed one is legal */

/* A file of an entry that is being left: how far that came (enrol/leave.h). */
#define FR_WALLET_LEAVING "leaving"

/* Takes an entry away: its keys first, then the file above, wallet.yaml last. Ended in between, it is still
 * there to be taken away, and it is known that the federation was told. */
enum fr_err fr_wallet_remove(const char *dir, const char *fed, struct fr_diag *diag);

/* One command at a time changes a wallet: *fd is closed to let go. Held by another: FR_E_BUSY. */
enum fr_err fr_wallet_lock(const char *dir, struct fr_diag *diag, int *fd);

/* Removes a folder of ours and the files in it, at most `depth` folders deep. Not there: FR_OK. */
enum fr_err fr_wallet_erase(const char *path, unsigned depth, struct fr_diag *diag);
