#pragma once
/* Inside of zones/db: the environment's struct, shared by db.c, place.c and txn.c. Not for other libraries. */
#include "db/db.h"
#include "db/tap.h"

#include <lmdb.h>
#include <stdatomic.h>

struct fr_db {
    MDB_env *env;
    MDB_dbi meta;
    MDB_dbi tables[FR_DB_TABLES_MAX];
    size_t n_tables;
    uint32_t schema;
    bool is_read_only;
    int lock_fd; /* our own descriptor of lock.mdb, see place.c; closed after the environment */
    atomic_uint live;        /* transactions in progress in this process */
    atomic_bool is_resizing; /* no transaction may begin */
    struct fr_db_tap tap;
    bool has_tap;
};

/* Our code for what an LMDB call returned. */
enum fr_err fr_db_err(int rc);

/* May an environment live here: FR_E_CONFIG on a network file system, FR_E_CONFLICT when this process has it open. */
enum fr_err fr_db_check_place(const char *dir, struct fr_diag *diag);

/* Opens lock.mdb (made when `create`); FR_E_CONFLICT when a process of another PID namespace holds the environment. */
enum fr_err fr_db_check_holders(int lock_fd, const char *dir, struct fr_diag *diag);
enum fr_err fr_db_open_lock(const char *dir, bool create, struct fr_diag *diag, int *out);
