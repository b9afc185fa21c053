#include "db/db.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/wire.h"
#include "db/env.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const MDB_val schema_key = {6, (void *)"schema"};

enum fr_err fr_db_err(int rc)
{
    switch (rc) {
    case MDB_SUCCESS: return FR_OK;
    case MDB_NOTFOUND: return FR_E_NOT_FOUND;
    case MDB_KEYEXIST: return FR_E_EXISTS;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT: return FR_E_FULL;
    case MDB_TXN_FULL: return FR_E_LIMIT;
    case MDB_READERS_FULL:
    case MDB_MAP_RESIZED: return FR_E_BUSY;
    case MDB_BAD_VALSIZE: return FR_E_RANGE;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH: return FR_E_MALFORMED;
    case MDB_PANIC: return FR_E_IO;
    default: return rc > 0 ? fr_err_from_errno(rc) : FR_E_INTERNAL;
    }
}

static enum fr_err fail(struct fr_diag *diag, const char *dir, int rc)
{
    enum fr_err err = fr_diag_fail(diag, fr_db_err(rc), "%s: %s", dir, mdb_strerror(rc));

    if (rc == ENOMEM)
        fr_diag_hint(diag, "the address space is limited (ulimit -v): use a smaller map_size");
    if (rc == MDB_READERS_FULL) fr_diag_hint(diag, "too many processes read it at once: try again");
    if (rc == MDB_MAP_FULL) fr_diag_hint(diag, "free disk space, or use a larger map_size");
    return err;
}

static enum fr_err check_schema(const struct fr_db_options *options, uint32_t found,
                                struct fr_diag *diag)
{
    if (found == options->schema || (found < options->schema && options->accept_older))
        return FR_OK;
    (void)fr_diag_fail(diag, FR_E_SCHEMA,
                       "%s holds data of version %" PRIu32 ", this program uses %" PRIu32,
                       options->dir, found, options->schema);
    if (found > options->schema)
        fr_diag_hint(diag, "a newer release wrote it: use that release");
    else if (options->upgrade_hint != NULL)
        fr_diag_hint(diag, "%s", options->upgrade_hint);
    return FR_E_SCHEMA;
}

/* The version in an environment that has one. MDB_NOTFOUND: nothing was ever created in it. */
static int read_schema(struct fr_db *db, uint32_t *out)
{
    MDB_txn *txn = NULL;
    MDB_val key = schema_key, value;

    int rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0) return rc;
    rc = mdb_dbi_open(txn, "meta", 0, &db->meta);
    if (rc == 0) rc = mdb_get(txn, db->meta, &key, &value);
    if (rc == 0) {
        struct fr_rd r = fr_rd((struct fr_span){value.mv_data, value.mv_size});
        uint32_t schema = fr_rd_u32(&r);
        if (fr_rd_end(&r) != FR_OK)
            rc = MDB_CORRUPTED;
        else
            *out = schema;
    }
    /* A commit, not an abort: it keeps the table handle. */
    int rc2 = mdb_txn_commit(txn);
    return rc != 0 ? rc : rc2;
}

static int open_tables(struct fr_db *db, const struct fr_db_options *options, bool make)
{
    MDB_txn *txn = NULL;
    uint8_t bytes[4];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    MDB_val key = schema_key, value = {sizeof bytes, bytes};

    int rc = mdb_txn_begin(db->env, NULL, make ? 0 : MDB_RDONLY, &txn);
    if (rc != 0) return rc;
    rc = mdb_dbi_open(txn, "meta", make ? MDB_CREATE : 0, &db->meta);
    for (size_t i = 0; rc == 0 && i < options->n_tables; i++)
        rc = mdb_dbi_open(txn, options->tables[i], make ? MDB_CREATE : 0, &db->tables[i]);
    if (rc == 0 && make) {
        fr_wr_u32(&w, db->schema);
        rc = mdb_put(txn, db->meta, &key, &value, 0);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
    }
    return mdb_txn_commit(txn);
}

/* Finds out what is there and opens or makes the tables accordingly. */
static enum fr_err open_contents(struct fr_db *db, const struct fr_db_options *options,
                                 struct fr_diag *diag)
{
    bool make = false;

    int rc = read_schema(db, &db->schema);
    if (rc == MDB_NOTFOUND && options->create && !options->is_read_only) {
        db->schema = options->schema;
        make = true;
    } else if (rc == MDB_NOTFOUND) {
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "%s holds no data of this program", options->dir);
    } else if (rc != 0) {
        return fail(diag, options->dir, rc);
    } else {
        enum fr_err err = check_schema(options, db->schema, diag);
        if (err) return err;
        make =
            db->schema < options->schema && !options->is_read_only; /* tables the older one lacks */
    }
    db->n_tables = options->n_tables;
    rc = open_tables(db, options, make);
    return rc != 0 ? fail(diag, options->dir, rc) : FR_OK;
}

static enum fr_err open_env(struct fr_db *db, const struct fr_db_options *options,
                            struct fr_diag *diag)
{
    unsigned flags = MDB_NOTLS | (options->is_read_only ? MDB_RDONLY : 0u);

    int rc = mdb_env_create(&db->env);
    if (rc == 0)
        rc =
            mdb_env_set_mapsize(db->env, options->map_size ? options->map_size : FR_DB_MAP_DEFAULT);
    if (rc == 0) rc = mdb_env_set_maxreaders(db->env, FR_DB_READERS_DEFAULT);
    if (rc == 0) rc = mdb_env_set_maxdbs(db->env, (MDB_dbi)options->n_tables + 1);
    if (rc == 0) rc = mdb_env_open(db->env, options->dir, flags, 0600);
    return rc != 0 ? fail(diag, options->dir, rc) : FR_OK;
}

static enum fr_err check_there(const struct fr_db_options *options, struct fr_diag *diag)
{
    if (options->create) return FR_OK;
    char *path = fr_path_join(options->dir, "data.mdb");
    if (path == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    struct stat st;
    int rc = stat(path, &st);
    int errnum = errno;
    fr_free(path);
    if (rc == 0) return FR_OK;
    if (errnum != ENOENT)
        return fr_diag_fail(diag, fr_err_from_errno(errnum), "%s/data.mdb: %s", options->dir,
                            strerror(errnum));
    return fr_diag_fail(diag, FR_E_NOT_FOUND, "%s holds no state (no data.mdb)", options->dir);
}

enum fr_err fr_db_open(const struct fr_db_options *options, struct fr_diag *diag,
                       struct fr_db **out)
{
    struct fr_db *db = NULL;

    if (options->n_tables > FR_DB_TABLES_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "more than %d tables", FR_DB_TABLES_MAX);
    enum fr_err err = fr_db_check_place(options->dir, diag);
    if (err) goto out;
    err = check_there(options, diag);
    if (err) goto out;
    db = fr_calloc(1, sizeof *db);
    if (db == NULL) {
        err = fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
        goto out;
    }
    db->lock_fd = -1;
    db->is_read_only = options->is_read_only;
    /* LMDB makes a missing lock.mdb itself (copies have none); ours must be there first, for the check before. */
    err = fr_db_open_lock(options->dir, true, diag, &db->lock_fd);
    if (err) goto out;
    err = fr_db_check_holders(db->lock_fd, options->dir, diag);
    if (err) goto out;
    err = open_env(db, options, diag);
    if (err) goto out;
    (void)fr_db_clear_dead_readers(db);
    err = open_contents(db, options, diag);
    if (err) goto out;
    /* Again now that our own read has marked us: two that start at the same moment see each other. */
    err = fr_db_check_holders(db->lock_fd, options->dir, diag);
    if (err) goto out;

    *out = db;
    db = NULL;
out:
    fr_db_close(db);
    return err;
}

void fr_db_close(struct fr_db *db)
{
    if (db == NULL) return;
    if (db->env != NULL) mdb_env_close(db->env);
    /* Last: closing any descriptor of lock.mdb drops this process's locks on it. */
    if (db->lock_fd >= 0) close(db->lock_fd);
    fr_free(db);
}

uint32_t fr_db_schema(const struct fr_db *db)
{
    return db->schema;
}

uint64_t fr_db_last_txn(const struct fr_db *db)
{
    MDB_envinfo info;

    return mdb_env_info(db->env, &info) == 0 ? info.me_last_txnid : 0;
}

enum fr_err fr_db_read_info(struct fr_db *db, struct fr_db_info *out)
{
    MDB_envinfo info;
    MDB_stat stat;

    int rc = mdb_env_info(db->env, &info);
    if (rc == 0) rc = mdb_env_stat(db->env, &stat);
    if (rc != 0) return fr_db_err(rc);
    *out = (struct fr_db_info){
        .map_size = info.me_mapsize,
        .used = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize,
        .last_txn = info.me_last_txnid,
        .readers = info.me_numreaders,
        .readers_max = info.me_maxreaders,
    };
    return FR_OK;
}

unsigned fr_db_clear_dead_readers(struct fr_db *db)
{
    int dead = 0;

    return mdb_reader_check(db->env, &dead) == 0 && dead > 0 ? (unsigned)dead : 0;
}

enum fr_err fr_db_copy(struct fr_db *db, const char *dir, struct fr_diag *diag)
{
    char *path = fr_path_join(dir, "data.mdb");

    if (path == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    enum fr_err err = FR_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", path, strerror(errno));
        goto out;
    }
    int rc = mdb_env_copyfd2(db->env, fd, MDB_CP_COMPACT);
    if (rc == 0 && fsync(fd) != 0) rc = errno;
    if (close(fd) != 0 && rc == 0) rc = errno;
    if (rc != 0) {
        err = fail(diag, path, rc);
        (void)unlink(path); /* half a copy is worse than none */
    }
out:
    fr_free(path);
    return err;
}
