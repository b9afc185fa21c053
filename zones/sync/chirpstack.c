#include "sync/chirpstack.h"

#include "base/buf.h"
#include "base/hex.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SQL_MAX 4096
#define KEY_MAX 256

struct fr_sync_source {
    struct fr_sync_source_options options;
    char keys[FR_SYNC_TAGS_MAX][KEY_MAX + 5];
    const char *params[FR_SYNC_TAGS_MAX];
    /* v3: the row of the application server that waits for its turn */
    uint64_t names_eui;
    bool names_are_over;
    const char *names_cells[FR_SYNC_CELLS];
};

/* --- are the tables whole? --- */

/* Reads one column to its end; found(data, text) is told each. */
typedef void (*each_fn)(void *data, const char *const *cells);

static enum fr_err read_all(struct fr_sync_db *db, const char *sql, const char *param, each_fn each,
                            void *data, struct fr_diag *diag)
{
    const char *cells[FR_SYNC_CELLS];
    enum fr_err err = db->kind->query(db, sql, &param, param != NULL, diag);
    while (!err && (err = db->kind->next(db, diag, cells)) == FR_OK) each(data, cells);
    return err == FR_E_CLOSED ? FR_OK : err;
}

struct columns {
    const char *const *names; /* ends with NULL */
    uint32_t seen;            /* a bit for each */
};

static void on_column(void *data, const char *const *cells)
{
    struct columns *c = data;
    for (unsigned i = 0; c->names[i]; i++)
        if (cells[0] && strcmp(cells[0], c->names[i]) == 0) c->seen |= 1u << i;
}

/* The catalogue is readable without any grant. */
static enum fr_err look_at(struct fr_sync_db *db, const char *table, struct columns *columns,
                           struct fr_diag *diag)
{
    return read_all(db,
                    db->kind->is_sqlite ? "SELECT name FROM pragma_table_info($1)"
                                        : "SELECT attname FROM pg_attribute WHERE attrelid = "
                                          "to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                    table, on_column, columns, diag);
}

static enum fr_err need(struct fr_sync_db *db, const char *table, const char *const *names,
                        struct fr_diag *diag)
{
    struct columns columns = {.names = names};
    enum fr_err err = look_at(db, table, &columns, diag);
    for (unsigned i = 0; !err && names[i]; i++) {
        if (columns.seen & 1u << i) continue;
        (void)fr_diag_fail(diag, FR_E_SCHEMA, "the database has no %s.%s", table, names[i]);
        fr_diag_hint(diag, "is it ChirpStack's, of this version, and its migration over?");
        return FR_E_SCHEMA;
    }
    return err;
}

struct migrations {
    const char
        *vendors; /* how the version begins that lets a profile belong to a vendor's device */
    bool has_any, has_vendors;
};

static void on_migration(void *data, const char *const *cells)
{
    struct migrations *m = data;
    m->has_any = true;
    if (cells[0] && strncmp(cells[0], m->vendors, strlen(m->vendors)) == 0) m->has_vendors = true;
}

/* That migration's row and its columns come together or not at all. It is of another day in each of ChirpStack's two databases. */
static enum fr_err check_migration_v4(struct fr_sync_db *db, struct fr_diag *diag)
{
    static const char *const added[] = {"device_id", "firmware_version", "vendor_profile_id", NULL};
    struct columns columns = {.names = added};
    struct migrations done = {.vendors = db->kind->is_sqlite ? "20251208135428" : "20251111140459"};
    enum fr_err err = read_all(db, "SELECT version FROM __diesel_schema_migrations", NULL,
                               on_migration, &done, diag);
    if (!err) err = look_at(db, "device_profile", &columns, diag);
    if (err) return err;
    if (!done.has_any || columns.seen != (done.has_vendors ? 7 : 0))
        return fr_diag_fail(diag, FR_E_SCHEMA,
                            "the database is in the middle of a migration: device_profile is not "
                            "what its list of migrations says");
    return FR_OK;
}

static enum fr_err check_v4(struct fr_sync_db *db, struct fr_diag *diag)
{
    static const char *const device[] = {"dev_eui",     "application_id", "device_profile_id",
                                         "is_disabled", "tags",           NULL};
    static const char *const profile[] = {"id", "name", "supports_otaa", "allow_roaming", NULL};
    static const char *const application[] = {"id", "name", "tenant_id", NULL};
    static const char *const tenant[] = {"id", "name", NULL};
    enum fr_err err = need(db, "device", device, diag);
    if (!err) err = need(db, "device_profile", profile, diag);
    if (!err) err = need(db, "application", application, diag);
    if (!err) err = need(db, "tenant", tenant, diag);
    return err ? err : check_migration_v4(db, diag);
}

struct dirt {
    unsigned rows;
    bool is_dirty;
};

static void on_dirt(void *data, const char *const *cells)
{
    struct dirt *d = data;
    d->rows++;
    d->is_dirty = d->is_dirty || !cells[0] || cells[0][0] != 'f';
}

static enum fr_err check_dirt(struct fr_sync_db *db, struct fr_diag *diag)
{
    struct dirt dirt = {0};
    enum fr_err err =
        read_all(db, "SELECT dirty FROM schema_migrations", NULL, on_dirt, &dirt, diag);
    if (err) return err;
    return dirt.rows == 1 && !dirt.is_dirty
               ? FR_OK
               : fr_diag_fail(diag, FR_E_SCHEMA, "the database is in the middle of a migration");
}

static enum fr_err check_v3(struct fr_sync_db *db, struct fr_diag *diag)
{
    static const char *const device[] = {"dev_eui", "device_profile_id", "service_profile_id",
                                         "is_disabled", NULL};
    static const char *const profile[] = {"device_profile_id", "supports_join", NULL};
    enum fr_err err = need(db, "device", device, diag);
    if (!err) err = need(db, "device_profile", profile, diag);
    return err ? err : check_dirt(db, diag);
}

static enum fr_err check_names_v3(struct fr_sync_db *db, struct fr_diag *diag)
{
    static const char *const device[] = {"dev_eui", "application_id", "device_profile_id", "tags",
                                         NULL};
    static const char *const profile[] = {"device_profile_id", "name", NULL};
    static const char *const application[] = {"id", "name", "organization_id", NULL};
    static const char *const organization[] = {"id", "name", NULL};
    enum fr_err err = need(db, "device", device, diag);
    if (!err) err = need(db, "device_profile", profile, diag);
    if (!err) err = need(db, "application", application, diag);
    if (!err) err = need(db, "organization", organization, diag);
    return err ? err : check_dirt(db, diag);
}

/* --- the queries: columns in the order of enum cell, then the tags --- */

enum cell {
    C_EUI,
    C_OTAA,
    C_DISABLED,
    C_ROAMING,
    C_TENANT_ID,
    C_TENANT,
    C_APPLICATION_ID,
    C_APPLICATION,
    C_PROFILE_ID,
    C_PROFILE,
    C_SERVICE_PROFILE_ID,
    C_TAGS,
};

static const char v4_columns[] =
    ", CASE WHEN p.supports_otaa THEN 1 ELSE 0 END, CASE WHEN d.is_disabled THEN 1 ELSE 0 END,"
    " CASE WHEN p.allow_roaming THEN 1 ELSE 0 END, t.id, t.name, a.id, a.name, p.id, p.name, NULL";
static const char v4_tables[] =
    " FROM device d LEFT JOIN application a ON a.id = d.application_id"
    " LEFT JOIN tenant t ON t.id = a.tenant_id"
    " LEFT JOIN device_profile p ON p.id = d.device_profile_id ORDER BY d.dev_eui";
static const char v3_columns[] =
    ", CASE WHEN p.supports_join THEN 1 ELSE 0 END, CASE WHEN d.is_disabled THEN 1 ELSE 0 END, 1,"
    " NULL, NULL, NULL, NULL, p.device_profile_id, NULL, d.service_profile_id";
static const char v3_tables[] =
    " FROM device d LEFT JOIN device_profile p ON p.device_profile_id = d.device_profile_id"
    " ORDER BY d.dev_eui";
static const char names_columns[] =
    ", NULL, NULL, NULL, o.id, o.name, a.id, a.name, p.device_profile_id, p.name, NULL";
static const char names_tables[] =
    " FROM device d LEFT JOIN application a ON a.id = d.application_id"
    " LEFT JOIN organization o ON o.id = a.organization_id"
    " LEFT JOIN device_profile p ON p.device_profile_id = d.device_profile_id ORDER BY d.dev_eui";

static enum fr_err begin(struct fr_sync_source *s, struct fr_sync_db *db, const char *columns,
                         const char *tables, const char *tag, struct fr_diag *diag)
{
    struct fr_buf sql = FR_BUF_INIT(SQL_MAX);
    fr_buf_add_str(&sql, db->kind->is_sqlite ? "SELECT hex(d.dev_eui)"
                                             : "SELECT encode(d.dev_eui, 'hex')");
    fr_buf_add_str(&sql, columns);
    for (size_t i = 0; tag && i < s->options.n_tags; i++)
        fr_buf_printf(&sql, ", d.tags %s $%zu", tag, i + 1);
    fr_buf_add_str(&sql, tables);
    enum fr_err err = fr_buf_err(&sql);
    if (!err)
        err = db->kind->query(db, fr_buf_str(&sql), s->params, tag ? s->options.n_tags : 0, diag);
    fr_buf_deinit(&sql);
    return err;
}

/* PostgreSQL takes the key of a tag as it is, SQLite as a path, in which dots mean something outside quotes. */
static enum fr_err copy_keys(struct fr_sync_source *s, struct fr_diag *diag)
{
    const bool is_sqlite = s->options.db->kind->is_sqlite;
    char key[KEY_MAX];
    if (s->options.n_tags > FR_SYNC_TAGS_MAX) return FR_E_LIMIT;
    for (size_t i = 0; i < s->options.n_tags; i++) {
        if (!fr_sync_tag_key(s->options.tags[i], key, sizeof key) || strchr(key, '"'))
            return fr_diag_fail(diag, FR_E_CONFIG,
                                "the key of tag %zu has a quote, or is longer than %d bytes", i + 1,
                                KEY_MAX - 1);
        (void)snprintf(s->keys[i], sizeof s->keys[i], is_sqlite ? "$.\"%s\"" : "%s", key);
        s->params[i] = s->keys[i];
    }
    return FR_OK;
}

static enum fr_err parse_eui(const char *text, uint64_t *out, struct fr_diag *diag)
{
    if (text && fr_hex_parse_u64(fr_span_str(text), 16, out) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_MALFORMED, "a device's dev_eui is not 8 bytes");
}

static enum fr_err next_names(struct fr_sync_source *s, struct fr_diag *diag)
{
    struct fr_sync_db *db = s->options.names;
    enum fr_err err = db->kind->next(db, diag, s->names_cells);
    s->names_are_over = err == FR_E_CLOSED;
    if (err) return s->names_are_over ? FR_OK : err;
    return parse_eui(s->names_cells[C_EUI], &s->names_eui, diag);
}

static enum fr_err begin_all(struct fr_sync_source *s, struct fr_diag *diag)
{
    const bool is_v4 = s->options.kind == FR_SYNC_CHIRPSTACK_V4;
    enum fr_err err = copy_keys(s, diag);
    if (!err) err = is_v4 ? check_v4(s->options.db, diag) : check_v3(s->options.db, diag);
    if (!err && s->options.names) err = check_names_v3(s->options.names, diag);
    if (!err)
        err = is_v4 ? begin(s, s->options.db, v4_columns, v4_tables, "->>", diag)
                    : begin(s, s->options.db, v3_columns, v3_tables, NULL, diag);
    if (!err && s->options.names) {
        err = begin(s, s->options.names, names_columns, names_tables, "->", diag);
        if (!err) err = next_names(s, diag);
    }
    return err;
}

enum fr_err fr_sync_source_open(const struct fr_sync_source_options *options, struct fr_diag *diag,
                                struct fr_sync_source **out)
{
    struct fr_sync_source *s = fr_calloc(1, sizeof *s);
    if (!s) {
        fr_sync_db_close(options->db);
        fr_sync_db_close(options->names);
        return FR_E_NOMEM;
    }
    s->options = *options;
    enum fr_err err = begin_all(s, diag);
    if (err) {
        fr_sync_source_close(s);
        return err;
    }
    *out = s;
    return FR_OK;
}

void fr_sync_source_close(struct fr_sync_source *s)
{
    if (!s) return;
    fr_sync_db_close(s->options.db);
    fr_sync_db_close(s->options.names);
    fr_free(s);
}

/* --- rows --- */

static void take_names(const struct fr_sync_source *s, const char *const *cells,
                       struct fr_sync_device *d)
{
    d->tenant_id = cells[C_TENANT_ID];
    d->tenant = cells[C_TENANT];
    d->application_id = cells[C_APPLICATION_ID];
    d->application = cells[C_APPLICATION];
    d->profile = cells[C_PROFILE];
    for (size_t i = 0; i < s->options.n_tags; i++) d->tags[i] = cells[C_TAGS + i];
}

/* Every device has a profile, and in v4 an application of a tenant: the tables' own foreign keys say so. */
static enum fr_err check_row(const struct fr_sync_source *s, const struct fr_sync_device *d,
                             struct fr_diag *diag)
{
    const bool is_v4 = s->options.kind == FR_SYNC_CHIRPSTACK_V4;
    if (d->profile_id && (!is_v4 || (d->application_id && d->tenant_id))) return FR_OK;
    return fr_diag_fail(diag, FR_E_SCHEMA,
                        "device %016" PRIx64 " has no %s in the database: it is being migrated, or "
                        "was restored in part",
                        d->deveui, d->profile_id ? "application or tenant" : "device-profile");
}

enum fr_err fr_sync_source_next(struct fr_sync_source *s, struct fr_diag *diag,
                                struct fr_sync_device *out)
{
    const char *cells[FR_SYNC_CELLS];
    struct fr_sync_db *db = s->options.db;
    enum fr_err err = db->kind->next(db, diag, cells);
    if (err) return err;
    struct fr_sync_device d = {
        .is_otaa = cells[C_OTAA] && cells[C_OTAA][0] == '1',
        .is_disabled = cells[C_DISABLED] && cells[C_DISABLED][0] == '1',
        .may_roam = cells[C_ROAMING] && cells[C_ROAMING][0] == '1',
        .profile_id = cells[C_PROFILE_ID],
        .service_profile_id = cells[C_SERVICE_PROFILE_ID],
    };
    err = parse_eui(cells[C_EUI], &d.deveui, diag);
    if (!err && !s->options.names) take_names(s, cells, &d);
    while (!err && s->options.names && !s->names_are_over && s->names_eui < d.deveui)
        err = next_names(s, diag);
    if (!err && s->options.names && !s->names_are_over && s->names_eui == d.deveui)
        take_names(s, s->names_cells, &d);
    if (!err) err = check_row(s, &d, diag);
    if (!err) *out = d;
    return err;
}
