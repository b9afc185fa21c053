#include "sync/chirpstack.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/unit.h"

/* A ChirpStack v4 in SQLite; PostgreSQL and v3 are system.sync's. */
static const char tables[] =
    "create table __diesel_schema_migrations (version text);"
    "insert into __diesel_schema_migrations values ('20231122120700');"
    "create table tenant (id text, name text); insert into tenant values ('t', 'city');"
    "create table application (id text, name text, tenant_id text);"
    "insert into application values ('a', 'lamps', 't');"
    "create table device_profile (id text, name text, supports_otaa boolean, allow_roaming "
    "boolean);"
    "insert into device_profile values ('p', 'otaa', true, true), ('q', 'abp', false, false);"
    "create table device (dev_eui blob, application_id text, device_profile_id text,"
    "    is_disabled boolean, tags text);";

static enum fr_err open_with(const char *more, char *const *tags, size_t n, struct fr_diag *diag,
                             struct fr_sync_source **out)
{
    char path[] = "/tmp/fr-sync-XXXXXX";
    sqlite3 *db = NULL;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, tables, NULL, NULL, NULL), SQLITE_OK);
    if (sqlite3_exec(db, more, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    struct fr_sync_source_options options = {
        .kind = FR_SYNC_CHIRPSTACK_V4, .tags = tags, .n_tags = n};
    assert_int_equal(fr_sync_db_open_sqlite(path, 1000, diag, &options.db), FR_OK);
    enum fr_err err = fr_sync_source_open(&options, diag, out);
    (void)unlink(path);
    return err;
}

static void test_rows(void **state)
{
    (void)state;
    char tag[] = "a.b=1", other[] = "a";
    char *const tags[] = {tag, other};
    struct fr_sync_source *source = NULL;
    struct fr_sync_device d = {0};
    struct fr_diag diag = {0};
    assert_int_equal(
        open_with("insert into device values"
                  "(x'ffb3d57ed0000001', 'a', 'q', true, '{}'),"
                  "(x'70b3d57ed0000001', 'a', 'p', false, '{\"a.b\":\"1\",\"a\":{}}');",
                  tags, 2, &diag, &source),
        FR_OK);
    assert_int_equal(fr_sync_source_next(source, &diag, &d), FR_OK);
    assert_true(d.deveui == 0x70b3d57ed0000001 && d.is_otaa && !d.is_disabled && d.may_roam);
    assert_string_equal(d.tenant_id, "t");
    assert_string_equal(d.tenant, "city");
    assert_string_equal(d.application, "lamps");
    assert_string_equal(d.profile, "otaa");
    assert_string_equal(d.tags[0], "1");
    assert_int_equal(fr_sync_source_next(source, &diag, &d), FR_OK);
    assert_true(d.deveui == 0xffb3d57ed0000001 && !d.is_otaa && d.is_disabled && !d.may_roam);
    assert_null(d.tags[0]);
    assert_int_equal(fr_sync_source_next(source, &diag, &d), FR_E_CLOSED);
    fr_sync_source_close(source);
}

static void test_what_is_not_whole(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *said;
        bool opens; /* then it is the row that fails */
    } rows[] = {
        {"drop table tenant;", "no tenant.id", false},
        {"alter table device drop column is_disabled;", "no device.is_disabled", false},
        {"delete from __diesel_schema_migrations;", "migration", false},
        {"insert into __diesel_schema_migrations values ('202512081354280000');", "migration",
         false},
        {"alter table device_profile add column device_id text;", "migration", false},
        {"insert into device values (x'70b3d57ed0000001', 'a', 'gone', 0, '{}');",
         "no device-profile", true},
        {"insert into device values (x'70b3d57ed0000001', 'gone', 'p', 0, '{}');", "no application",
         true},
        {"insert into device values (x'70b3d57ed00000', 'a', 'p', 0, '{}');", "not 8 bytes", true},
        {"insert into device values (NULL, 'a', 'p', 0, '{}');", "not 8 bytes", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_sync_source *source = NULL;
        struct fr_sync_device d;
        struct fr_diag diag = {0};
        enum fr_err err = open_with(rows[i].sql, NULL, 0, &diag, &source);
        if ((err == FR_OK) != rows[i].opens) fail_msg("row %zu: %s", i, diag.what);
        if (!err) err = fr_sync_source_next(source, &diag, &d);
        if (!err || err == FR_E_CLOSED || !strstr(diag.what, rows[i].said))
            fail_msg("row %zu: %s", i, diag.what);
        fr_sync_source_close(source);
    }
}

/* ChirpStack's lists of migrations: SQLite's is of another day than PostgreSQL's. */
static void test_profiles_of_vendors(void **state)
{
    (void)state;
    struct fr_sync_source *source = NULL;
    struct fr_diag diag = {0};
    assert_int_equal(
        open_with("insert into __diesel_schema_migrations values ('202512081354280000');"
                  "alter table device_profile add column device_id text;"
                  "alter table device_profile add column firmware_version text;"
                  "alter table device_profile add column vendor_profile_id integer;",
                  NULL, 0, &diag, &source),
        FR_OK);
    fr_sync_source_close(source);
}

static void test_a_key_with_a_quote(void **state)
{
    (void)state;
    char tag[] = "a\"b";
    char *const tags[] = {tag};
    struct fr_sync_source *source = NULL;
    struct fr_diag diag = {0};
    assert_int_equal(open_with("", tags, 1, &diag, &source), FR_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_is_not_whole),
        cmocka_unit_test(test_profiles_of_vendors),
        cmocka_unit_test(test_a_key_with_a_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
