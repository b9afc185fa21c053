#pragma once
/* Inside of zones/store: which tables there are, and the structs behind the handles. Not for other libraries. */
#include "base/buf.h"
#include "db/txn.h"
#include "store/journal.h"
#include "store/store.h"

enum fr_store_table {
    FR_TABLE_DEVICES_0, /* two generations, "generation" in meta says which is current */
    FR_TABLE_DEVICES_1,
    FR_TABLE_NETWORKS,
    FR_TABLE_MEMBERS,
    FR_TABLE_JOINEUIS, /* EUI (8), of a block its bits (1) */
    FR_TABLE_CERTS,
    FR_TABLE_CERTS_DER,
    FR_TABLE_CERTS_BY_MEMBER, /* id, zero byte, serial → nothing */
    FR_TABLE_CERTS_BY_EXPIRY, /* end of life (8), serial → nothing */
    FR_TABLE_PINS,            /* NetID (3), serial → SPKI hash (32), end of life (8) */
    FR_TABLE_KEYS,
    FR_TABLE_AUTHORITIES,
    FR_TABLE_JOURNAL,
    FR_TABLE_VISIBILITY, /* home id, zero byte, visited id → since */
    FR_TABLE_LOOKUPS,    /* day (4), visited id, zero byte, home NetID (3) → count (8) */
    FR_TABLE_TOKENS,
    FR_TABLE_BLOCKS,         /* first EUI (8), bits (1) → member */
    FR_TABLE_RELEASES,       /* EUI (8) */
    FR_TABLE_CONFLICTS,      /* EUI (8), of a JoinEUI its bits (1), claimant's id */
    FR_TABLE_GRACE,          /* member's id, or "*" */
    FR_TABLE_CERTS_BY_NETID, /* NetID (3), serial → nothing */
    FR_TABLE_FEED,           /* position (8) → entry; of this machine, see store/feed.h */
    FR_TABLE_PRIMARIES,      /* kind (1), member, zero byte, zone */
    FR_TABLE_IDEMPOTENCY,    /* day (4), id (16), first line (4) */
    FR_TABLE_DOWNSTREAMS,    /* name */
    FR_TABLE_UNKNOWNS,       /* serial */
    FR_TABLE_NOTICES,        /* id */
    FR_TABLE_APPROVALS,      /* id (4) */
    FR_TABLE_COUNT,
};

/* As in its files. */
const char *fr_store_table_name(uint32_t table);

struct fr_store {
    struct fr_db *db;
    char *dir;
    char federation[FR_FEDERATION_MAX + 1];
    struct fr_bulk *resumed; /* an import that is being finished (fr_bulk_tidy), or NULL */
};

struct fr_snap {
    struct fr_store *store;
    struct fr_txn *txn;
    int generation;          /* of devices: 0, 1, or -1 while not looked up */
    uint64_t generation_txn; /* the transaction it was looked up in */
};

/* Which table holds the devices at this moment. */
enum fr_err fr_snap_devices(struct fr_snap *snap, uint32_t *table);

/* Calls fn for each row whose key starts with prefix, in order. Key and value are good until fn writes. */
typedef enum fr_err (*fr_visit_fn)(void *data, struct fr_span key, struct fr_span value);
enum fr_err fr_snap_visit(struct fr_snap *snap, uint32_t table, struct fr_span prefix,
                          fr_visit_fn fn, void *data);

/* Small values of meta. FR_E_NOT_FOUND when never set. */
enum fr_err fr_meta_get_u64(struct fr_txn *txn, const char *name, uint64_t *out);
enum fr_err fr_meta_put_u64(struct fr_txn *txn, const char *name, uint64_t value);
enum fr_err fr_meta_get_text(struct fr_txn *txn, const char *name, char *out, size_t size);

/* The transaction a change writes to; and its note of one row's new state (empty: gone), for the journal. */
struct fr_txn *fr_change_txn(struct fr_change *change);
enum fr_err fr_change_note(struct fr_change *change, enum fr_fact_kind kind, struct fr_span key,
                           struct fr_span value);
/* Puts a row and notes it; skips both when the same bytes are there. */
enum fr_err fr_change_put(struct fr_change *change, enum fr_store_table table,
                          enum fr_fact_kind kind, struct fr_span key, struct fr_span value);

/* Moves a network's device count; not noted, since it follows from the devices. */
enum fr_err fr_network_count_devices(struct fr_txn *txn, uint32_t netid, int64_t by);

/* Appends one journal record to a transaction and raises the sequence. */
enum fr_err fr_journal_append(struct fr_txn *txn, const struct fr_journal_record *record,
                              uint64_t *sequence);

#define FR_FACT_DEVICE_SIZE 8 /* of the value: NetID, flags, what was */

/* Adds one fact in its stored form. */
void fr_fact_write(struct fr_buf *out, enum fr_fact_kind kind, struct fr_span key,
                   struct fr_span value);

/* Printable UTF-8 of at most max bytes: FR_E_MALFORMED / FR_E_LIMIT with `what` named in the diag. */
enum fr_err fr_text_check(const char *text, size_t max, const char *what, struct fr_diag *diag);
/* Copies as much as fits of whole characters, control bytes as '?'. */
void fr_text_copy(const char *text, char *out, size_t size);
