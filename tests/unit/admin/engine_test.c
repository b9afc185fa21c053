#include "fixture.h"

#include "store/cert.h"
#include "store/journal.h"
#include "store/member.h"

static const struct fr_span none = {0};

static uint64_t sequence(struct fixture *f)
{
    struct fr_store_info info;
    assert_int_equal(fr_store_read_info(f->store, &info), FR_OK);
    return info.sequence;
}

static const struct {
    const char *label, *op, *args;
    enum fr_err err;
    const char *told; /* part of the reply, or of the refusal */
} table[] = {
    {"the same member again", "member.add",
     "{\"id\":\"acme\",\"netids\":[\"000013\"],\"endpoints\":[\"192.0.2.1:8005\"]}", FR_OK,
     "\"changed\":false"},
    {"another's NetID", "member.add", "{\"id\":\"umbra\",\"netids\":[\"000013\"]}", FR_E_CONFLICT,
     "acme"},
    {"a reserved NetID", "member.add", "{\"id\":\"umbra\",\"netids\":[\"000000\"]}", FR_E_INVALID,
     "000000"},
    {"a bad id", "member.add", "{\"id\":\"Umbra\"}", FR_E_INVALID, "Umbra"},
    {"a bad endpoint", "member.add",
     "{\"id\":\"umbra\",\"netids\":[\"000014\"],\"endpoints\":[\"here\"]}", FR_E_MALFORMED, "here"},
    {"a new member", "member.add", "{\"id\":\"umbra\",\"netids\":[\"000014\"],\"org\":\"Umbra\"}",
     FR_OK, "\"devaddr_prefix\""},
    {"suspended", "member.suspend", "{\"id\":\"umbra\"}", FR_OK, "\"state\":\"suspended\""},
    {"suspended again", "member.suspend", "{\"id\":\"umbra\"}", FR_OK, "\"changed\":false"},
    {"resumed", "member.resume", "{\"id\":\"umbra\"}", FR_OK, "\"state\":\"active\""},
    {"unknown member", "member.suspend", "{\"id\":\"nobody\"}", FR_E_NOT_FOUND, "nobody"},
    {"endpoints", "network.set", "{\"netid\":\"000014\",\"endpoints\":[\"[2001:db8::1]:9000\"]}",
     FR_OK, "[2001:db8::1]:9000"},
    {"endpoints of nobody", "network.set", "{\"netid\":\"000099\",\"endpoints\":[]}",
     FR_E_NOT_FOUND, "000099"},
    {"devices", "device.add",
     "{\"netid\":\"000014\",\"devices\":[\"70b3d57ed0000001\",\"70b3d57ed0000002\"]}", FR_OK,
     "\"added\":2"},
    {"a device of another member", "device.add",
     "{\"netid\":\"000013\",\"devices\":[\"70b3d57ed0000001\"]}", FR_E_CONFLICT, "umbra"},
    {"a block", "block.add", "{\"member\":\"acme\",\"blocks\":[\"70b3d57ed1000000/40\"]}", FR_OK,
     "70b3d57ed1000000/40"},
    {"a block over it", "block.add", "{\"member\":\"umbra\",\"blocks\":[\"70b3d57ed0000000/36\"]}",
     FR_E_CONFLICT, "acme"},
    {"outside", "device.add", "{\"netid\":\"000013\",\"devices\":[\"70b3d57ed0000001\"]}",
     FR_E_DENIED, "outside"},
    {"no block", "block.remove", "{\"member\":\"acme\",\"blocks\":[\"70b3d57ed1000000/40\"]}",
     FR_OK, "\"blocks\":[]"},
    {"not released", "device.claim", "{\"netid\":\"000013\",\"devices\":[\"70b3d57ed0000001\"]}",
     FR_E_NOT_FOUND, "not released"},
    {"released", "device.release",
     "{\"devices\":[\"70b3d57ed0000001\"],\"to\":\"acme\",\"ttl_s\":60}", FR_OK, "\"released\":1"},
    {"withdrawn", "device.release", "{\"devices\":[\"70b3d57ed0000001\"],\"withdraw\":true}", FR_OK,
     "\"withdrawn\":1"},
    {"released to nobody", "device.release", "{\"devices\":[\"70b3d57ed0000001\"]}", FR_E_INVALID,
     "missing"},
    {"released again", "device.release",
     "{\"devices\":[\"70b3d57ed0000001\"],\"to\":\"acme\",\"ttl_s\":60}", FR_OK, "\"to\":\"acme\""},
    {"claimed", "device.claim", "{\"netid\":\"000013\",\"devices\":[\"70b3d57ed0000001\"]}", FR_OK,
     "\"moved\":1"},
    {"moved back", "device.move", "{\"netid\":\"000014\",\"devices\":[\"70b3d57ed0000001\"]}",
     FR_OK, "\"moved\":1"},
    {"a device away", "device.remove", "{\"devices\":[\"70b3d57ed0000001\"]}", FR_OK,
     "\"removed\":1"},
    {"policy", "policy.set", "{\"set\":{\"ttl.deveui\":\"2h\"}}", FR_OK, "\"ttl.deveui\":7200"},
    {"unknown policy", "policy.set", "{\"set\":{\"ttl.devuei\":\"2h\"}}", FR_E_NOT_FOUND,
     "ttl.devuei"},
    {"no certificate", "cert.revoke", "{\"serial\":\"41000000000000000000000000000000\"}",
     FR_E_NOT_FOUND, ""},
    {"two selectors", "cert.revoke", "{\"member\":\"acme\",\"netid\":\"000013\"}", FR_E_INVALID,
     "one of"},
    {"a join server", "joineui.add",
     "{\"joineui\":\"70b3d57ed1000000/40\",\"member\":\"acme\",\"servers\":[\"https://"
     "192.0.2.9:8003\"]}",
     FR_OK, "https://192.0.2.9:8003"},
    {"a JoinEUI of somebody else's block", "joineui.add",
     "{\"joineui\":\"70b3d57ed1000001\",\"member\":\"umbra\"}", FR_E_CONFLICT,
     "70b3d57ed1000000/40 belongs to member acme"},
    {"a join server of no URL", "joineui.add",
     "{\"joineui\":\"70b3d57ed1000000/40\",\"member\":\"acme\",\"servers\":[\"192.0.2.9\"]}",
     FR_E_MALFORMED, "https://HOST:PORT"},
    {"a join server away", "joineui.remove", "{\"joineui\":\"70b3d57ed1000000/40\"}", FR_OK,
     "\"changed\":true"},
    {"removed, devices and all", "member.remove", "{\"id\":\"umbra\"}", FR_OK,
     "\"state\":\"removed\""},
    {"its id is not used again", "member.add", "{\"id\":\"umbra\"}", FR_E_EXISTS, "umbra"},
    {"its NetID is free", "member.add", "{\"id\":\"third\",\"netids\":[\"000014\"]}", FR_OK,
     "000014"},
};

static void operations(void **state)
{
    struct fixture *f = *state;
    char out[4096];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        /* A dry run tells the same and leaves nothing. */
        uint64_t before = sequence(f);
        for (int dry = 1; dry >= 0; dry--) {
            enum fr_err err = run_one(f, table[i].op, table[i].args, none, dry, out);
            if (err != table[i].err || !strstr(out, table[i].told))
                fail_msg("%s%s: %s: %s", table[i].label, dry ? " (dry)" : "", fr_err_text(err),
                         out);
            if (dry && sequence(f) != before) fail_msg("%s: the dry run wrote", table[i].label);
        }
    }
}

static void what_cannot_become_a_task(void **state)
{
    (void)state;
    static const struct {
        const char *op, *args;
        enum fr_err err;
    } bad[] = {
        {"member.ad", "{}", FR_E_NOT_FOUND},
        {"member.add", "{", FR_E_INVALID},
        {"member.add", "[]", FR_E_INVALID},
        {"member.add", "{\"id\":\"a\",\"id\":\"b\"}", FR_E_INVALID},
    };
    const struct fr_admin_actor local = {.kind = FR_ACTOR_LOCAL, .name = "local:tester"},
                                cert = {.kind = FR_ACTOR_CERT, .name = "cert:41"};
    struct fr_task *task = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct fr_admin_request request = {.op = bad[i].op, .args = bad[i].args};
        struct fr_diag diag = {0};
        assert_int_equal(fr_task_new(&request, &local, &diag, &task), bad[i].err);
        assert_true(diag.what[0] != 0);
    }
    const struct fr_admin_request body = {.op = "member.add", .body = FR_SPAN_LIT("x")};
    assert_int_equal(fr_task_new(&body, &local, NULL, &task), FR_E_INVALID);
    const struct fr_admin_request good = {.op = "member.add", .args = "{\"id\":\"x\"}"};
    assert_int_equal(fr_task_new(&good, &cert, NULL, &task), FR_E_DENIED);
    assert_null(task);
}

/* The certificate of a member, as the store knows it. */
static struct fr_admin_actor member_make(struct fixture *f, const char *id, uint8_t serial,
                                         uint32_t rights)
{
    static const struct fr_change_by by = {.actor = "test", .now_s = 1700000000};
    struct fr_cert_row row = {.profile = FR_PROFILE_DOH, .rights = rights, .serial = {serial}};
    const uint8_t digest[FR_DIGEST_SIZE] = {serial};
    struct fr_change *change = NULL;
    uint64_t sequence;
    (void)snprintf(row.member, sizeof row.member, "%s", id);
    (void)snprintf(row.authority, sizeof row.authority, "root");
    row.spki[0] = serial;
    assert_int_equal(fr_store_change(f->store, &by, NULL, &change), FR_OK);
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    assert_int_equal(fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("der"), digest, 1600000000,
                                       4000000000, NULL),
                     FR_OK);
    assert_int_equal(fr_change_commit(change, NULL, &sequence), FR_OK);
    return fr_admin_actor_member(&row);
}

static enum fr_err run_as(struct fixture *f, const struct fr_admin_actor *actor, const char *op,
                          const char *args)
{
    const struct fr_admin_request request = {.op = op, .args = args};
    struct fr_admin_reply *reply = NULL;
    struct fr_task *task = NULL;
    enum fr_err err = fr_task_new(&request, actor, NULL, &task);
    if (err) return err;
    fr_admin_run(f->fed, task);
    err = fr_task_take_reply(task, NULL, &reply);
    fr_admin_reply_free(reply);
    fr_task_free(task);
    return err;
}

static void a_member_changes_its_own_alone(void **state)
{
    struct fixture *f = *state;
    static const struct {
        char who; /* a: acme, b: beta, r: acme without the right, s: suspended, x: revoked */
        const char *op, *args;
        enum fr_err err;
    } rows[] = {
        {'a', "device.add", "{\"netid\":\"000013\",\"devices\":[\"70b3d57ed0000001\"]}", FR_OK},
        {'a', "device.add", "{\"netid\":\"000021\",\"devices\":[\"70b3d57ed0000002\"]}",
         FR_E_DENIED},
        {'a', "device.add", "{\"netid\":\"000023\",\"devices\":[\"70b3d57ed0000002\"]}",
         FR_E_DENIED}, /* there is none: the same answer */
        {'b', "device.add", "{\"netid\":\"000021\",\"devices\":[\"70b3d57ed0000001\"]}",
         FR_E_CONFLICT},
        {'b', "device.remove", "{\"devices\":[\"70b3d57ed0000001\"]}", FR_E_NOT_FOUND},
        {'b', "device.remove", "{\"devices\":[\"70b3d57ed0000003\"]}", FR_E_NOT_FOUND},
        {'r', "device.remove", "{\"devices\":[\"70b3d57ed0000001\"]}", FR_E_DENIED},
        {'s', "device.add", "{\"netid\":\"000022\",\"devices\":[\"70b3d57ed0000004\"]}",
         FR_E_DENIED},
        {'x', "device.remove", "{\"devices\":[\"70b3d57ed0000001\"]}", FR_E_DENIED},
        {'a', "member.suspend", "{\"id\":\"beta\"}", FR_E_DENIED},
        {'a', "device.remove", "{\"devices\":[\"70b3d57ed0000001\"]}", FR_OK},
    };
    struct fr_admin_actor actors[128] = {0};
    char out[4096];
    (void)run_one(f, "member.add", "{\"id\":\"beta\",\"netids\":[\"000021\"]}", none, false, out);
    (void)run_one(f, "member.add", "{\"id\":\"gone\",\"netids\":[\"000022\"]}", none, false, out);
    actors['a'] = member_make(f, "acme", 0xa1, FR_RIGHT_PUBLISH);
    actors['b'] = member_make(f, "beta", 0xb1, FR_RIGHT_PUBLISH);
    actors['r'] = member_make(f, "acme", 0xc1, FR_RIGHT_LOOKUP);
    actors['s'] = member_make(f, "gone", 0xd1, FR_RIGHT_PUBLISH);
    actors['x'] = member_make(f, "acme", 0xe1, FR_RIGHT_PUBLISH);
    (void)run_one(f, "member.suspend", "{\"id\":\"gone\"}", none, false, out);
    (void)run_one(f, "cert.revoke", "{\"serial\":\"e1000000000000000000000000000000\"}", none,
                  false, out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum fr_err err = run_as(f, &actors[(int)rows[i].who], rows[i].op, rows[i].args);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
    }
}

static void one_of_a_group_is_refused_alone(void **state)
{
    struct fixture *f = *state;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    struct fr_task *tasks[] = {
        task_make("member.add", "{\"id\":\"one\",\"netids\":[\"000021\"]}", none, false),
        task_make("member.add", "{\"id\":\"two\",\"netids\":[\"000021\"]}", none,
                  false), /* now taken */
        task_make("member.add", "{\"id\":\"two\",\"netids\":[\"000022\"]}", none, true),
        task_make("member.add", "{\"id\":\"three\",\"netids\":[\"000022\"]}", none, false),
    };
    static const enum fr_err expected[] = {FR_OK, FR_E_CONFLICT, FR_OK, FR_OK};
    uint64_t first = sequence(f), txn = fr_store_last_txn(f->store);
    fr_admin_run_group(f->fed, tasks, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(fr_task_take_reply(tasks[i], &diag, &reply), expected[i]);
        fr_admin_reply_free(reply);
        reply = NULL;
        fr_task_free(tasks[i]);
    }
    assert_true(sequence(f) == first + 2);               /* two journal records … */
    assert_true(fr_store_last_txn(f->store) == txn + 1); /* … in one commit */
}

static struct fr_span euis(size_t n, uint64_t first)
{
    uint8_t *bytes = malloc(8 * n + 1);
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < 8; b++) bytes[8 * i + b] = (uint8_t)((first + i) >> (8 * (7 - b)));
    return fr_span(bytes, 8 * n);
}

static void imports(void **state)
{
    struct fixture *f = *state;
    char out[4096];
    static const char netid[] = "{\"netid\":\"000013\"}";
    struct fr_span few = euis(3, 0x70b3d57ed0000010), many = euis(25000, 0x70b3d57ed0100000);
    assert_int_equal(run_one(f, "zone.import", netid, few, true, out), FR_OK);
    assert_non_null(strstr(out, "\"added\":3"));
    assert_int_equal(run_one(f, "zone.import", netid, few, false, out), FR_OK);
    assert_non_null(strstr(out, "\"imported\":true"));
    assert_int_equal(run_one(f, "zone.import", netid, few, false, out), FR_OK);
    assert_non_null(strstr(out, "\"same\":3"));
    assert_int_equal(run_one(f, "zone.import", netid, many, false, out), FR_OK);
    assert_non_null(strstr(out, "\"added\":25000"));
    assert_non_null(strstr(out, "\"after\":25003"));
    assert_int_equal(
        run_one(f, "zone.import", "{\"netid\":\"000013\",\"replace\":true}", few, false, out),
        FR_OK);
    assert_non_null(strstr(out, "\"removed\":25000"));
    /* a row of another member stops it, or is left out */
    assert_int_equal(
        run_one(f, "member.add", "{\"id\":\"umbra\",\"netids\":[\"000014\"]}", none, false, out),
        FR_OK);
    struct fr_span mixed = euis(4, 0x70b3d57ed0000012);
    assert_int_equal(run_one(f, "zone.import", "{\"netid\":\"000014\"}", mixed, false, out), FR_OK);
    assert_non_null(strstr(out, "\"imported\":false"));
    assert_non_null(strstr(
        out, "\"row\":0,\"deveui\":\"70b3d57ed0000012\",\"outcome\":\"taken\",\"owner\":\"acme\""));
    assert_int_equal(
        run_one(f, "zone.import", "{\"netid\":\"000014\",\"keep_going\":true}", mixed, false, out),
        FR_OK);
    assert_non_null(strstr(out, "\"imported\":true,\"added\":3"));
    struct fr_span odd = fr_span("1234567", 7);
    assert_int_equal(run_one(f, "zone.import", netid, odd, false, out), FR_E_INVALID);
    free((void *)few.p);
    free((void *)many.p);
    free((void *)mixed.p);
}

static void the_journal_says_who_and_why(void **state)
{
    struct fixture *f = *state;
    struct fr_snap *snap = NULL;
    struct fr_journal_record record;
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_journal_next(snap, sequence(f), &record), FR_OK);
    assert_string_equal(record.actor, "local:tester");
    assert_string_equal(record.reason, "test");
    fr_snap_end(snap);
}

static void every_request_is_audited(void **state)
{
    struct fixture *f = *state;
    char path[128], line[8192], out[4096], last[8192] = "";
    assert_int_equal(run_one(f, "member.suspend", "{\"id\":\"nobody\"}", none, false, out),
                     FR_E_NOT_FOUND);
    (void)snprintf(path, sizeof path, "%s/audit.jsonl", f->dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) memcpy(last, line, sizeof last);
    (void)fclose(file);
    assert_non_null(strstr(last, "\"actor\":\"local:tester\",\"op\":\"member.suspend\""));
    assert_non_null(strstr(last, "\"outcome\":\"not found\""));
    assert_non_null(strstr(last, "\"reason\":\"test\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(operations, fixture_setup, fixture_teardown),
        cmocka_unit_test(what_cannot_become_a_task),
        cmocka_unit_test_setup_teardown(a_member_changes_its_own_alone, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(one_of_a_group_is_refused_alone, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(imports, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_journal_says_who_and_why, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(every_request_is_audited, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
