#include "store/store.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/wire.h"
#include "names/netid.h"
#include "store/cert_index.h"
#include "store/device.h"
#include "store/feed_priv.h"
#include "store/list.h"
#include "store/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIDY_MS = 1000 }; /* of one step; nobody waits for it */

static const char *const table_names[FR_TABLE_COUNT] = {
    [FR_TABLE_DEVICES_0] = "devices.0",
    [FR_TABLE_DEVICES_1] = "devices.1",
    [FR_TABLE_NETWORKS] = "networks",
    [FR_TABLE_MEMBERS] = "members",
    [FR_TABLE_JOINEUIS] = "joineuis",
    [FR_TABLE_CERTS] = "certs",
    [FR_TABLE_CERTS_DER] = "certs.der",
    [FR_TABLE_CERTS_BY_MEMBER] = "certs.by_member",
    [FR_TABLE_CERTS_BY_EXPIRY] = "certs.by_expiry",
    [FR_TABLE_PINS] = "pins",
    [FR_TABLE_KEYS] = "keys",
    [FR_TABLE_AUTHORITIES] = "authorities",
    [FR_TABLE_JOURNAL] = "journal",
    [FR_TABLE_VISIBILITY] = "visibility",
    [FR_TABLE_LOOKUPS] = "lookups",
    [FR_TABLE_TOKENS] = "tokens",
    [FR_TABLE_FEED] = "feed",
    [FR_TABLE_BLOCKS] = "blocks",
    [FR_TABLE_RELEASES] = "releases",
    [FR_TABLE_CONFLICTS] = "conflicts",
    [FR_TABLE_GRACE] = "grace",
    [FR_TABLE_CERTS_BY_NETID] = "certs.by_netid",
    [FR_TABLE_PRIMARIES] = "primaries",
    [FR_TABLE_IDEMPOTENCY] = "idempotency",
    [FR_TABLE_DOWNSTREAMS] = "downstreams",
    [FR_TABLE_UNKNOWNS] = "unknowns",
    [FR_TABLE_NOTICES] = "notices",
    [FR_TABLE_APPROVALS] = "approvals",
};

const char *fr_store_table_name(uint32_t table)
{
    return table_names[table];
}

static struct fr_db_options db_options(const struct fr_store_options *options)
{
    return (struct fr_db_options){
        .dir = options->dir,
        .tables = table_names,
        .n_tables = FR_TABLE_COUNT,
        .schema = FR_STORE_SCHEMA,
        .map_size = options->map_size,
        .is_read_only = options->is_read_only,
        .upgrade_hint = "run: fedroam store upgrade",
    };
}

enum fr_err fr_meta_get_u64(struct fr_txn *txn, const char *name, uint64_t *out)
{
    struct fr_span value;

    enum fr_err err = fr_txn_get(txn, FR_DB_META, fr_span_str(name), &value);
    if (err) return err;
    struct fr_rd r = fr_rd(value);
    uint64_t v = fr_rd_u64(&r);
    err = fr_rd_end(&r);
    if (err == FR_OK) *out = v;
    return err;
}

enum fr_err fr_meta_put_u64(struct fr_txn *txn, const char *name, uint64_t value)
{
    uint8_t bytes[8];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_wr_u64(&w, value);
    return fr_txn_put(txn, FR_DB_META, fr_span_str(name), fr_wr_done(&w));
}

enum fr_err fr_meta_get_text(struct fr_txn *txn, const char *name, char *out, size_t size)
{
    struct fr_span value;

    enum fr_err err = fr_txn_get(txn, FR_DB_META, fr_span_str(name), &value);
    if (err) return err;
    return fr_span_copy(value, out, size) ? FR_OK : FR_E_MALFORMED;
}

static enum fr_err put_text(struct fr_txn *txn, const char *name, const char *text)
{
    if (text == NULL) return FR_OK;
    return fr_txn_put(txn, FR_DB_META, fr_span_str(name), fr_span_str(text));
}

/* "FIRST-LAST", both NetIDs, in order. */
static enum fr_err check_pool(const char *pool, struct fr_diag *diag)
{
    struct fr_span first, last;
    uint32_t from, to;

    if (fr_span_cut(fr_span_str(pool), '-', &first, &last) &&
        fr_netid_parse(first, &from) == FR_OK && fr_netid_parse(last, &to) == FR_OK && from <= to &&
        strlen(pool) <= FR_POOL_MAX) {
        enum fr_err err = fr_netid_check(from, diag);
        return err ? err : fr_netid_check(to, diag);
    }
    return fr_diag_fail(diag, FR_E_INVALID, "NetID pool \"%s\" is not FIRST-LAST (000020-00003f)",
                        pool);
}

static enum fr_err check_new(const struct fr_store_new *fresh, struct fr_diag *diag)
{
    enum fr_err err = fr_fed_check(fr_span_str(fresh->federation), diag);
    if (err == FR_OK && fresh->url != NULL)
        err = fr_text_check(fresh->url, FR_URL_MAX, "the URL", diag);
    if (err == FR_OK && fresh->netid_pool != NULL) err = check_pool(fresh->netid_pool, diag);
    return err;
}

static enum fr_err write_new(struct fr_store *store, const struct fr_store_new *fresh,
                             const char *dir, struct fr_diag *diag)
{
    struct fr_txn *txn = NULL;
    uint64_t sequence;

    enum fr_err err = fr_txn_write(store->db, &txn);
    if (err) goto out;
    if (fr_meta_get_u64(txn, "sequence", &sequence) == FR_OK) {
        err = fr_diag_fail(diag, FR_E_EXISTS, "%s holds a federation already", dir);
        goto out;
    }
    err = put_text(txn, "federation", fresh->federation);
    if (err == FR_OK) err = put_text(txn, "url", fresh->url);
    if (err == FR_OK) err = put_text(txn, "netid_pool", fresh->netid_pool);
    if (err == FR_OK) err = fr_meta_put_u64(txn, "generation", 0);
    if (err == FR_OK) err = fr_meta_put_u64(txn, "sequence", 0);
    if (err) goto out;
    err = fr_txn_commit(txn);
    txn = NULL;
out:
    fr_txn_end(txn);
    if (err && err != FR_E_EXISTS) err = fr_diag_fail(diag, err, "%s: %s", dir, fr_err_text(err));
    return err;
}

enum fr_err fr_store_create(const struct fr_store_options *options,
                            const struct fr_store_new *fresh, struct fr_diag *diag,
                            struct fr_store **out)
{
    struct fr_db_options db = db_options(options);
    struct fr_store *store = NULL;

    enum fr_err err = check_new(fresh, diag);
    if (err) return err;
    store = fr_calloc(1, sizeof *store);
    if (store == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    db.create = true;
    store->dir = fr_strdup(options->dir);
    err = store->dir != NULL ? fr_db_open(&db, diag, &store->db) : FR_E_NOMEM;
    if (err) goto out;
    err = write_new(store, fresh, options->dir, diag);
    if (err) goto out;
    (void)fr_span_copy(fr_span_str(fresh->federation), store->federation, sizeof store->federation);
    fr_feed_listen(store);
    *out = store;
    store = NULL;
out:
    fr_store_close(store);
    return err;
}

static enum fr_err read_federation(struct fr_store *store, const char *dir, struct fr_diag *diag)
{
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_read(store->db, &txn);
    if (err == FR_OK)
        err = fr_meta_get_text(txn, "federation", store->federation, sizeof store->federation);
    if (err == FR_E_NOT_FOUND)
        err = fr_diag_fail(diag, err, "%s holds no federation", dir);
    else if (err)
        err = fr_diag_fail(diag, err, "%s: %s", dir, fr_err_text(err));
    fr_txn_end(txn);
    return err;
}

enum fr_err fr_store_open(const struct fr_store_options *options, struct fr_diag *diag,
                          struct fr_store **out)
{
    struct fr_db_options db = db_options(options);
    struct fr_store *store = fr_calloc(1, sizeof *store);

    if (store == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    store->dir = fr_strdup(options->dir);
    enum fr_err err = store->dir != NULL ? fr_db_open(&db, diag, &store->db) : FR_E_NOMEM;
    if (err) goto out;
    err = read_federation(store, options->dir, diag);
    if (err) goto out;
    fr_feed_listen(store);
    if (!options->is_read_only) fr_list_sweep(options->dir);
    *out = store;
    store = NULL;
out:
    fr_store_close(store);
    return err;
}

void fr_store_close(struct fr_store *store)
{
    if (store == NULL) return;
    fr_bulk_free(store->resumed);
    fr_db_close(store->db);
    fr_free(store->dir);
    fr_free(store);
}

static enum fr_err backup(struct fr_db *db, const char *dir, uint32_t schema, struct fr_diag *diag)
{
    char name[32];

    snprintf(name, sizeof name, "backup-schema%" PRIu32, schema);
    char *path = fr_path_join(dir, name);
    if (path == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    enum fr_err err = fr_dir_make(path, 0700, diag);
    if (err == FR_OK) err = fr_db_copy(db, path, diag);
    fr_free(path);
    return err;
}

/* Each schema so far only added tables (2: visibility, lookups; 3: tokens; 4: feed) and forms of rows beside the old ones (4: of
 * authorities): opening made the tables and every form is read, so the number moves, and schema 4's index of certificates by
 * NetID is filled. A schema that needs more adds its step here. */
static enum fr_err upgrade_steps(struct fr_db *db)
{
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write(db, &txn);
    if (err) return err;
    err = fr_cert_index_again(txn);
    if (err == FR_OK) err = fr_txn_set_schema(txn, FR_STORE_SCHEMA);
    if (err) {
        fr_txn_end(txn);
        return err;
    }
    return fr_txn_commit(txn);
}

enum fr_err fr_store_upgrade(const struct fr_store_options *options, struct fr_diag *diag,
                             uint32_t *from)
{
    struct fr_db_options opts = db_options(options);
    struct fr_db *db = NULL;

    opts.accept_older = true;
    enum fr_err err = fr_db_open(&opts, diag, &db);
    if (err) return err;
    uint32_t found = fr_db_schema(db);
    if (found < FR_STORE_SCHEMA) {
        err = backup(db, options->dir, found, diag);
        if (err) goto out;
        err = upgrade_steps(db);
        if (err) {
            err = fr_diag_fail(diag, err, "upgrade of %s: %s", options->dir, fr_err_text(err));
            goto out;
        }
    }
    *from = found;
out:
    fr_db_close(db);
    return err;
}

enum fr_err fr_store_copy(struct fr_store *store, const char *dir, struct fr_diag *diag)
{
    return fr_db_copy(store->db, dir, diag);
}

/* What bulks left behind would be copied like everything else. */
static enum fr_err tidy_all(const char *dir, struct fr_diag *diag)
{
    const struct fr_store_options options = {.dir = dir};
    struct fr_store *store = NULL;
    bool done = false;

    enum fr_err err = fr_store_open(&options, diag, &store);
    if (err) return err;
    while (err == FR_OK && !done) err = fr_bulk_tidy(store, TIDY_MS, &done);
    fr_store_close(store);
    return err ? fr_diag_fail(diag, err, "%s: %s", dir, fr_err_text(err)) : FR_OK;
}

enum fr_err fr_store_compact(const char *dir, struct fr_diag *diag, uint64_t *before,
                             uint64_t *after)
{
    enum fr_err err = tidy_all(dir, diag);
    return err ? err : fr_db_compact(dir, diag, before, after);
}

const char *fr_store_federation(const struct fr_store *store)
{
    return store->federation;
}

const char *fr_store_dir(const struct fr_store *store)
{
    return store->dir;
}

uint64_t fr_store_last_txn(const struct fr_store *store)
{
    return fr_db_last_txn(store->db);
}

void fr_store_tidy(struct fr_store *store)
{
    (void)fr_db_clear_dead_readers(store->db);
}

static enum fr_err read_counts(struct fr_snap *snap, struct fr_store_info *out)
{
    uint32_t devices = 0;

    enum fr_err err = fr_snap_devices(snap, &devices);
    const struct {
        uint32_t table;
        uint64_t *count;
    } counts[] = {
        {devices, &out->devices},          {FR_TABLE_NETWORKS, &out->networks},
        {FR_TABLE_MEMBERS, &out->members}, {FR_TABLE_JOINEUIS, &out->joineuis},
        {FR_TABLE_CERTS, &out->certs},     {FR_TABLE_JOURNAL, &out->journal},
    };
    for (size_t i = 0; err == FR_OK && i < sizeof counts / sizeof counts[0]; i++)
        err = fr_txn_count(snap->txn, counts[i].table, counts[i].count);
    return err;
}

enum fr_err fr_store_read_info(struct fr_store *store, struct fr_store_info *out)
{
    struct fr_store_info info = {.schema = fr_db_schema(store->db)};
    struct fr_db_info db;
    struct fr_snap *snap = NULL;

    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    info.sequence = fr_snap_sequence(snap);
    err = read_counts(snap, &info);
    if (err) goto out;
    err = fr_meta_get_text(snap->txn, "federation", info.federation, sizeof info.federation);
    if (err) goto out;
    err = fr_meta_get_text(snap->txn, "url", info.url, sizeof info.url);
    if (err && err != FR_E_NOT_FOUND) goto out;
    err = fr_meta_get_text(snap->txn, "netid_pool", info.netid_pool, sizeof info.netid_pool);
    if (err && err != FR_E_NOT_FOUND) goto out;
    err = fr_db_read_info(store->db, &db);
    if (err) goto out;
    info.map_size = db.map_size;
    info.used = db.used;
    info.last_txn = db.last_txn;
    info.readers = db.readers;
    info.readers_max = db.readers_max;
    *out = info;
out:
    fr_snap_end(snap);
    return err;
}

enum fr_err fr_snap_begin(struct fr_store *store, struct fr_snap **out)
{
    struct fr_snap *snap = fr_calloc(1, sizeof *snap);

    if (snap == NULL) return FR_E_NOMEM;
    snap->store = store;
    snap->generation = -1;
    enum fr_err err = fr_txn_read(store->db, &snap->txn);
    if (err) {
        fr_free(snap);
        return err;
    }
    *out = snap;
    return FR_OK;
}

void fr_snap_reset(struct fr_snap *snap)
{
    fr_txn_reset(snap->txn);
}

enum fr_err fr_snap_renew(struct fr_snap *snap)
{
    enum fr_err err = fr_txn_renew(snap->txn);

    if (err || fr_txn_id(snap->txn) != snap->generation_txn) snap->generation = -1;
    return err;
}

void fr_snap_end(struct fr_snap *snap)
{
    if (snap == NULL) return;
    fr_txn_end(snap->txn);
    fr_free(snap);
}

uint64_t fr_snap_sequence(struct fr_snap *snap)
{
    uint64_t sequence = 0;

    return fr_meta_get_u64(snap->txn, "sequence", &sequence) == FR_OK ? sequence : 0;
}

uint64_t fr_snap_standing(struct fr_snap *snap)
{
    uint64_t standing = 0;

    return fr_meta_get_u64(snap->txn, "standing", &standing) == FR_OK ? standing : 0;
}

uint64_t fr_snap_txn(const struct fr_snap *snap)
{
    return fr_txn_id(snap->txn);
}

struct fr_store *fr_snap_store(const struct fr_snap *snap)
{
    return snap->store;
}

enum fr_err fr_snap_devices(struct fr_snap *snap, uint32_t *table)
{
    if (snap->generation < 0) {
        uint64_t generation = 0;
        enum fr_err err = fr_meta_get_u64(snap->txn, "generation", &generation);
        if (err) return err == FR_E_NOT_FOUND ? FR_E_MALFORMED : err;
        if (generation > 1) return FR_E_MALFORMED;
        snap->generation = (int)generation;
        snap->generation_txn = fr_txn_id(snap->txn);
    }
    *table = snap->generation == 0 ? FR_TABLE_DEVICES_0 : FR_TABLE_DEVICES_1;
    return FR_OK;
}

enum fr_err fr_snap_visit(struct fr_snap *snap, uint32_t table, struct fr_span prefix,
                          fr_visit_fn fn, void *data)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;

    enum fr_err err = fr_cursor_open(snap->txn, table, &cursor);
    if (err) return err;
    err = prefix.n > 0 ? fr_cursor_seek(cursor, prefix, &key, &value)
                       : fr_cursor_first(cursor, &key, &value);
    while (err == FR_OK) {
        if (key.n < prefix.n || (prefix.n > 0 && memcmp(key.p, prefix.p, prefix.n) != 0)) break;
        err = fn(data, key, value);
        if (err) goto out;
        err = fr_cursor_next(cursor, &key, &value);
    }
    if (err == FR_E_NOT_FOUND) err = FR_OK;
out:
    fr_cursor_close(cursor);
    return err;
}
