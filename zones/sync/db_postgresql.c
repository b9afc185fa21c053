#include "sync/db.h"

#include "base/mem.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#define PARAMS_MAX 16
#define TEXT_OID 25 /* of the type text, in every PostgreSQL */

struct postgresql {
    struct fr_sync_db base;
    PGconn *conn;
    PGresult *row;
};

static void end_query(struct postgresql *p)
{
    PQclear(p->row);
    p->row = NULL;
    for (PGresult *left; (left = PQgetResult(p->conn)) != NULL;) PQclear(left);
}

static void pg_close(struct fr_sync_db *db)
{
    struct postgresql *p = (struct postgresql *)db;
    PQclear(p->row);
    PQfinish(p->conn);
    fr_free(p);
}

static enum fr_err code_of(const char *state, ConnStatusType status)
{
    static const struct {
        const char *state;
        enum fr_err err;
    } codes[] = {
        {"42P01", FR_E_SCHEMA}, {"42703", FR_E_SCHEMA},  {"42883", FR_E_SCHEMA},
        {"42501", FR_E_PERM},   {"57014", FR_E_TIMEOUT}, {"55P03", FR_E_BUSY},
    };
    if (status != CONNECTION_OK || !state) return FR_E_UNAVAILABLE;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(state, codes[i].state) == 0) return codes[i].err;
    return strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 ? FR_E_UNAVAILABLE
                                                                         : FR_E_IO;
}

static enum fr_err fail(struct postgresql *p, const PGresult *result, struct fr_diag *diag)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const enum fr_err err = code_of(state, PQstatus(p->conn));
    if (!text) text = PQerrorMessage(p->conn);
    (void)fr_diag_fail(diag, err, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
    if (err == FR_E_PERM) fr_diag_hint(diag, "the GRANT lines are in docs/publishing-devices.md");
    return err;
}

static enum fr_err run(struct postgresql *p, const char *sql, struct fr_diag *diag)
{
    PGresult *result = PQexec(p->conn, sql);
    enum fr_err err = PQresultStatus(result) == PGRES_COMMAND_OK ? FR_OK : fail(p, result, diag);
    PQclear(result);
    return err;
}

static enum fr_err pg_query(struct fr_sync_db *db, const char *sql, const char *const *params,
                            size_t n, struct fr_diag *diag)
{
    struct postgresql *p = (struct postgresql *)db;
    Oid types[PARAMS_MAX];
    if (n > PARAMS_MAX) return FR_E_LIMIT;
    for (size_t i = 0; i < n; i++) types[i] = TEXT_OID;
    end_query(p);
    if (!PQsendQueryParams(p->conn, sql, (int)n, types, params, NULL, NULL, 0) ||
        !PQsetSingleRowMode(p->conn))
        return fail(p, NULL, diag);
    return FR_OK;
}

static enum fr_err pg_next(struct fr_sync_db *db, struct fr_diag *diag,
                           const char *cells[FR_SYNC_CELLS])
{
    struct postgresql *p = (struct postgresql *)db;
    PQclear(p->row);
    p->row = PQgetResult(p->conn);
    const ExecStatusType status = PQresultStatus(p->row);
    if (status == PGRES_TUPLES_OK) {
        end_query(p);
        return FR_E_CLOSED;
    }
    if (status != PGRES_SINGLE_TUPLE) return fail(p, p->row, diag);
    const int n = PQnfields(p->row);
    if (n > FR_SYNC_CELLS) return FR_E_LIMIT;
    for (int i = 0; i < FR_SYNC_CELLS; i++)
        cells[i] = i < n && !PQgetisnull(p->row, 0, i) ? PQgetvalue(p->row, 0, i) : NULL;
    return FR_OK;
}

static const struct fr_sync_db_kind kind = {.query = pg_query, .next = pg_next, .close = pg_close};

/* libpq's own complaint would quote the string, and the password in it. */
static enum fr_err check_dsn(const char *dsn, struct fr_diag *diag)
{
    PQconninfoOption *options = PQconninfoParse(dsn, NULL);
    if (!options)
        return fr_diag_fail(diag, FR_E_INVALID,
                            "the connection string is neither a postgresql:// URL nor key=value");
    PQconninfoFree(options);
    return FR_OK;
}

enum fr_err fr_sync_db_open_postgresql(const char *dsn, uint32_t timeout_ms, struct fr_diag *diag,
                                       struct fr_sync_db **out)
{
    /* What stands before dbname is a default that the string may change. */
    static const char *const keys[] = {"connect_timeout",  "tcp_user_timeout", "dbname",
                                       "application_name", "client_encoding",  NULL};
    const char *const values[] = {"10", "60000", dsn, "fedroam sync", "UTF8", NULL};
    char limits[128];
    enum fr_err err = check_dsn(dsn, diag);
    if (err) return err;
    struct postgresql *p = fr_calloc(1, sizeof *p);
    if (!p) return FR_E_NOMEM;
    p->base.kind = &kind;
    p->conn = PQconnectdbParams(keys, values, 1);
    if (!p->conn) err = FR_E_NOMEM;
    (void)snprintf(limits, sizeof limits, "SET statement_timeout = %u; SET lock_timeout = 5000",
                   (unsigned)timeout_ms);
    if (!err && PQstatus(p->conn) != CONNECTION_OK) err = fail(p, NULL, diag);
    if (!err) err = run(p, limits, diag);
    if (!err) err = run(p, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", diag);
    if (err) {
        pg_close(&p->base);
        return err;
    }
    *out = &p->base;
    return FR_OK;
}
