/* Backups: the names and heads of an archive, the manifest, what becomes of a record of the trail. */
#include "backup/archive.h"

#include "backup/restore.h"

#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void names(void **state)
{
    static const struct {
        const char *name;
        bool is_good;
    } rows[] = {
        {"data.mdb", true},    {"ca/2026a.key", true}, {"audit-1-20.jsonl", true},
        {"", false},           {".", false},           {"..", false},
        {"../x", false},       {"/etc/passwd", false}, {"a/../b", false},
        {"ca/.hidden", false}, {"a/b/c", false},       {"a/", false},
        {"a\nb", false},       {"a b", false},         {".a", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (fr_archive_name_is_good(rows[i].name) != rows[i].is_good)
            fail_msg("row %zu: %s", i, rows[i].name);
}

static void heads(void **state)
{
    static const struct {
        uint8_t bytes[FR_ARCHIVE_HEAD];
        enum fr_err err;
    } rows[] = {
        {{'F', 1, 0, 0, 0, 0, 0, 0, 1, 0}, FR_OK},
        {{'E', 0, 0, 0, 0, 0, 0, 0, 0, 0}, FR_OK},
        {{'E', 1, 0, 0, 0, 0, 0, 0, 0, 0}, FR_E_MALFORMED},
        {{'E', 0, 0, 0, 0, 0, 0, 0, 0, 1}, FR_E_MALFORMED},
        {{'F', 0, 0, 0, 0, 0, 0, 0, 0, 1}, FR_E_MALFORMED},
        {{'F', 161, 0, 0, 0, 0, 0, 0, 0, 1}, FR_E_MALFORMED},
        {{'F', 1, 0x80, 0, 0, 0, 0, 0, 0, 1}, FR_E_MALFORMED},
        {{'G', 1, 0, 0, 0, 0, 0, 0, 0, 1}, FR_E_MALFORMED},
    };
    struct fr_archive_entry entry;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum fr_err err =
            fr_archive_head_read(fr_span(rows[i].bytes, sizeof rows[i].bytes), &entry);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
    }
    assert_int_equal(fr_archive_head_read(fr_span(rows[0].bytes, 9), &entry), FR_E_TRUNCATED);
}

static void a_manifest_comes_back(void **state)
{
    const struct fr_backup_manifest in = {.made_s = 1800000000,
                                          .schema = 4,
                                          .sequence = 77,
                                          .devices = 100000000,
                                          .members = 3,
                                          .certs = 12,
                                          .audit_seq = 900,
                                          .audit_hash = {1, 2, 3},
                                          .federation = "fed.test"};
    struct fr_backup_manifest out = {0};
    uint8_t bytes[FR_MANIFEST_MAX];
    size_t n = 0;
    (void)state;
    assert_int_equal(fr_manifest_write(&in, bytes, &n), FR_OK);
    assert_int_equal(fr_manifest_read(fr_span(bytes, n), &out), FR_OK);
    assert_memory_equal(&in, &out, sizeof in);
    for (size_t cut = 0; cut < n; cut++)
        if (fr_manifest_read(fr_span(bytes, cut), &out) == FR_OK) fail_msg("cut at %zu", cut);
    assert_int_not_equal(fr_manifest_read(fr_span(bytes, n + 1), &out), FR_OK);
    bytes[0] = 2;
    assert_int_equal(fr_manifest_read(fr_span(bytes, n), &out), FR_E_UNSUPPORTED);
}

static void records(void **state)
{
    static const struct {
        const char *op;
        enum fr_replay_kind kind;
    } rows[] = {
        {"cert.revoke", FR_REPLAY_AGAIN},    {"member.suspend", FR_REPLAY_AGAIN},
        {"enrol.token", FR_REPLAY_ADOPT},    {"cert.issue", FR_REPLAY_ADOPT},
        {"token.create", FR_REPLAY_NOTHING}, {"member.leave", FR_REPLAY_REVOKE},
        {"zone.import", FR_REPLAY_LEAVE},    {"something.later", FR_REPLAY_LEAVE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (fr_replay_kind_of(rows[i].op) != rows[i].kind) fail_msg("%s", rows[i].op);
}

static void the_note_says_when(void **state)
{
    char dir[] = "/tmp/fr-backup-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(fr_backup_noted_s(dir), 0);
    assert_int_equal(fr_backup_note(dir, 1800000000, NULL), FR_OK);
    assert_int_equal(fr_backup_noted_s(dir), 1800000000);
    fr_backup_remove(dir);
    assert_int_not_equal(access(dir, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(heads),
        cmocka_unit_test(a_manifest_comes_back),
        cmocka_unit_test(records),
        cmocka_unit_test(the_note_says_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
