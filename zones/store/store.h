#pragma once
/*
 * One federation's state: its directory's LMDB environment, opened as typed tables.
 *
 * Model: a *store* is the open state of one federation. A *snap* (snapshot) is a consistent view of it at one moment: every
 *   getter of the other headers of this library reads through one. Changes go through store/change.h. Which rows exist:
 *   store/member.h, network.h, joineui.h, device.h, cert.h, authority.h, policy.h, journal.h. Which DNS records follow from
 *   them: store/records.h.
 * Owns: the environment. Rows are copied out as plain values; nothing borrowed leaves this library.
 * Threads: a store may be used by any thread; a snap by one at a time; a change by the thread that began it.
 * Errors: those of db/db.h and db/txn.h; FR_E_MALFORMED for a row that does not decode (the files are damaged).
 * Units and limits: times are Unix seconds (int64_t), NetIDs uint32_t, EUIs uint64_t in numeric order.
 * Trust: values in the files are decoded with the bounded reader all the same.
 */
#include "base/diag.h"
#include "base/err.h"
#include "names/member.h"
#include "store/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_STORE_SCHEMA 4 /* the layout this program reads and writes */

struct fr_store;
struct fr_snap;

struct fr_store_options {
    const char *dir;   /* the federation's state directory */
    uint64_t map_size; /* 0: 1 TiB of address space */
    bool is_read_only;
};

/* What a new federation starts with. */
struct fr_store_new {
    const char *federation; /* zone apex without trailing dot, lower case */
    const char *url;        /* of the broker, or NULL */
    const char *netid_pool; /* "FIRST-LAST" in hex for `--netid auto`, or NULL */
};

/* Makes the tables in an existing directory that has none. FR_E_EXISTS when there is a federation in it. */
enum fr_err fr_store_create(const struct fr_store_options *options,
                            const struct fr_store_new *fresh, struct fr_diag *diag,
                            struct fr_store **out);

/* Opens an existing one. FR_E_NOT_FOUND: the directory holds no federation. */
enum fr_err fr_store_open(const struct fr_store_options *options, struct fr_diag *diag,
                          struct fr_store **out);

/* Every snap and change must have ended. NULL is fine. */
void fr_store_close(struct fr_store *store);

/*
 * Brings a store of an older schema to this program's, after a hot copy into dir/backup-schema<N>. *from is the version found;
 * nothing is written when it is current.
 */
enum fr_err fr_store_upgrade(const struct fr_store_options *options, struct fr_diag *diag,
                             uint32_t *from);

/* Hot, compact, consistent copy into an existing directory. */
enum fr_err fr_store_copy(struct fr_store *store, const char *dir, struct fr_diag *diag);

/* Gives the space of free pages back (see db/db.h), and of what bulks left behind: FR_E_BUSY while anybody has the store open. */
enum fr_err fr_store_compact(const char *dir, struct fr_diag *diag, uint64_t *before,
                             uint64_t *after);

/* Zone apex, lower case, no trailing dot; borrowed until close. */
const char *fr_store_federation(const struct fr_store *store);

/* The state directory; borrowed until close. */
const char *fr_store_dir(const struct fr_store *store);

/* Moves with every commit by any process (~10 ns): remembered answers and checks are good until it does. It moves a moment
 * before snapshots see the commit, so what is remembered is the snapshot's number (fr_snap_txn), never this one. */
uint64_t fr_store_last_txn(const struct fr_store *store);

/* Frees the reader slots of dead processes: a daemon calls it every minute or so. */
void fr_store_tidy(struct fr_store *store);

struct fr_store_info {
    uint32_t schema;
    uint64_t sequence; /* number of transactions so far; the SOA serial is its low 32 bits */
    uint64_t map_size, used, last_txn;
    uint32_t readers, readers_max;
    uint64_t devices, networks, members, joineuis, certs, journal; /* rows */
    char federation[FR_FEDERATION_MAX + 1];
    char url[FR_URL_MAX + 1];         /* "" when there is none */
    char netid_pool[FR_POOL_MAX + 1]; /* "" when there is none */
};
enum fr_err fr_store_read_info(struct fr_store *store, struct fr_store_info *out);

/* A snapshot; for one request only (an old one makes the file grow). */
enum fr_err fr_snap_begin(struct fr_store *store, struct fr_snap **out);
void fr_snap_reset(struct fr_snap *snap); /* give the moment back, keep the handle */
enum fr_err
fr_snap_renew(struct fr_snap *snap);    /* take the present moment; on failure it stays reset */
void fr_snap_end(struct fr_snap *snap); /* NULL is fine */

uint64_t fr_snap_sequence(struct fr_snap *snap); /* transactions up to this moment */
/* Number of the last transaction that touched members, networks, policy or visibility: what is
 * derived from those alone is good until it moves. */
uint64_t fr_snap_standing(struct fr_snap *snap);
uint64_t
fr_snap_txn(const struct fr_snap *snap); /* commit it sees; compare with fr_store_last_txn */
struct fr_store *fr_snap_store(const struct fr_snap *snap);
