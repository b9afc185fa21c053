/* Changes that take several persons: what waits, who may agree, that it is done as it was asked, and once. */
#include "fixture.h"

#include "admin/approval.h"
#include "admin/reply.h"
#include "base/hex.h"

#include <jansson.h>

static const struct fr_span none = {0};

/* As this person. The sentence or the reply goes to `out`. */
static enum fr_err run_by(struct fixture *f, const char *login, const char *op, const char *args,
                          char out[4096])
{
    struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "local:root"};
    const struct fr_admin_request request = {.op = op, .args = args, .reason = "test"};
    struct fr_task *task = NULL;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    (void)snprintf(actor.login, sizeof actor.login, "%s", login);
    if (fr_task_new(&request, &actor, &diag, &task)) fail_msg("%s: %s", op, diag.what);
    fr_admin_run(f->fed, task);
    enum fr_err err = fr_task_take_reply(task, &diag, &reply);
    (void)snprintf(out, 4096, "%s", err ? diag.what : fr_admin_reply_json(reply));
    fr_admin_reply_free(reply);
    fr_task_free(task);
    return err;
}

struct seen {
    struct fr_approval_row row;
    size_t n, open;
};

static enum fr_err see(void *data, const struct fr_approval_row *row)
{
    struct seen *seen = data;
    seen->n++;
    if (!fr_approval_is_open(row, fr_clock_real_s(fr_clock_system()))) return FR_OK;
    seen->row = *row;
    seen->open++;
    return FR_OK;
}

static struct seen look(struct fixture *f)
{
    struct fr_snap *snap = NULL;
    struct seen seen = {0};
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_approval_each(snap, see, &seen), FR_OK);
    fr_snap_end(snap);
    return seen;
}

/* Agrees as this person to the one that is open. */
static enum fr_err approve_by(struct fixture *f, const char *login, char out[4096])
{
    const struct seen seen = look(f);
    char args[256], id[2 * FR_APPROVAL_ID_SIZE + 1], digest[2 * FR_DIGEST_SIZE + 1];
    assert_int_equal(seen.open, 1);
    fr_hex_print(seen.row.id, sizeof seen.row.id, id);
    fr_hex_print(seen.row.digest, sizeof seen.row.digest, digest);
    (void)snprintf(args, sizeof args, "{\"id\":\"%s\",\"digest\":\"%s\"}", id, digest);
    return run_by(f, login, "approval.approve", args, out);
}

#define EXPECT(err, want, out)                                                                     \
    do {                                                                                           \
        enum fr_err got_ = (err);                                                                  \
        if (got_ != (want)) fail_msg("%s, not %s: %s", fr_err_text(got_), fr_err_text(want), out); \
    } while (0)

/* The policy of one kind is two persons now. */
static void ask_for_two(struct fixture *f, const char *key)
{
    char out[4096], args[128];
    (void)snprintf(args, sizeof args, "{\"set\":{\"%s\":\"2\"}}", key);
    EXPECT(run_by(f, "ada", "policy.set", args, out), FR_E_PENDING, out);
    EXPECT(approve_by(f, "ada", out), FR_E_DENIED, out);
    EXPECT(approve_by(f, "bob", out), FR_OK, out);
    assert_non_null(strstr(out, "\"state\":\"done\""));
}

static void a_member_takes_two(void **state)
{
    struct fixture *f = *state;
    char out[4096];
    EXPECT(run_by(f, "", "member.add", "{\"id\":\"alone\"}", out), FR_OK, out); /* as ever */
    ask_for_two(f, "approval.member");
    EXPECT(run_by(f, "", "member.add", "{\"id\":\"bolt\"}", out), FR_E_DENIED, out);
    EXPECT(run_by(f, "ada", "member.add", "{\"id\":\"Not A Name\"}", out), FR_E_INVALID, out);
    assert_int_equal(look(f).open, 0); /* nonsense does not wait */
    EXPECT(run_by(f, "ada", "member.add", "{\"id\":\"bolt\",\"netids\":[\"00002b\"]}", out),
           FR_E_PENDING, out);
    EXPECT(run_by(f, "ada", "member.add", "{ \"netids\": [\"00002b\"], \"id\": \"bolt\" }", out),
           FR_E_PENDING, out);
    assert_int_equal(look(f).open, 1); /* the same, in other words */
    EXPECT(run_by(f, "ada", "member.suspend", "{\"id\":\"bolt\"}", out), FR_E_NOT_FOUND, out);
    EXPECT(approve_by(f, "ada", out), FR_E_DENIED, out);
    EXPECT(approve_by(f, "", out), FR_E_DENIED, out);
    EXPECT(approve_by(f, "bob", out), FR_OK, out);
    assert_non_null(strstr(out, "\"reply\":{"));
    EXPECT(run_by(f, "ada", "member.suspend", "{\"id\":\"bolt\"}", out), FR_OK, out);
    assert_int_equal(look(f).open, 0);
    EXPECT(run_by(f, "ada", "member.set", "{\"id\":\"bolt\",\"org\":\"Bolt\"}", out), FR_OK, out);
    EXPECT(run_by(f, "ada", "member.set", "{\"id\":\"bolt\",\"netids\":[\"00002c\"]}", out),
           FR_E_PENDING, out);
}

static void what_is_approved_is_what_was_shown(void **state)
{
    struct fixture *f = *state;
    char out[4096], args[256], id[2 * FR_APPROVAL_ID_SIZE + 1], digest[2 * FR_DIGEST_SIZE + 1];
    uint8_t want[FR_DIGEST_SIZE];
    ask_for_two(f, "approval.member");
    EXPECT(run_by(f, "ada", "member.add", "{\"org\":\"B\",\"id\":\"bolt\"}", out), FR_E_PENDING,
           out);
    const struct seen seen = look(f);
    assert_string_equal(seen.row.args, "{\"id\":\"bolt\",\"org\":\"B\"}");
    assert_int_equal(fr_approval_digest("member.add", seen.row.args, none, want), FR_OK);
    assert_memory_equal(seen.row.digest, want, sizeof want);
    want[0] ^= 1;
    fr_hex_print(seen.row.id, sizeof seen.row.id, id);
    fr_hex_print(want, sizeof want, digest);
    (void)snprintf(args, sizeof args, "{\"id\":\"%s\",\"digest\":\"%s\"}", id, digest);
    EXPECT(run_by(f, "bob", "approval.approve", args, out), FR_E_CONFLICT, out);
    assert_int_equal(look(f).row.n, 0); /* nothing was noted */
}

static void what_cannot_be_done_any_more_fails_and_is_not_asked_again(void **state)
{
    struct fixture *f = *state;
    char out[4096];
    ask_for_two(f, "approval.member");
    EXPECT(run_by(f, "ada", "member.add", "{\"id\":\"bolt\",\"netids\":[\"00002b\"]}", out),
           FR_E_PENDING, out);
    EXPECT(run_by(f, "ada", "member.add", "{\"id\":\"cork\",\"netids\":[\"00002b\"]}", out),
           FR_E_PENDING, out);
    /* Which of the two is seen does not matter: the other cannot be had then. */
    struct seen seen = {0};
    char args[2][256];
    struct fr_snap *snap = NULL;
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    for (int i = 0; i < 2; i++) {
        char id[2 * FR_APPROVAL_ID_SIZE + 1], digest[2 * FR_DIGEST_SIZE + 1];
        static const char *const asked[] = {"{\"id\":\"bolt\",\"netids\":[\"00002b\"]}",
                                            "{\"id\":\"cork\",\"netids\":[\"00002b\"]}"};
        uint8_t want[FR_DIGEST_SIZE];
        assert_int_equal(fr_approval_digest("member.add", asked[i], none, want), FR_OK);
        assert_int_equal(fr_approval_find(snap, want, "ada", 0, &seen.row), FR_OK);
        fr_hex_print(seen.row.id, sizeof seen.row.id, id);
        fr_hex_print(want, sizeof want, digest);
        (void)snprintf(args[i], sizeof args[i], "{\"id\":\"%s\",\"digest\":\"%s\"}", id, digest);
    }
    fr_snap_end(snap);
    EXPECT(run_by(f, "bob", "approval.approve", args[0], out), FR_OK, out);
    EXPECT(run_by(f, "bob", "approval.approve", args[1], out), FR_E_CONFLICT, out);
    assert_non_null(strstr(out, "approved, but member.add was not done"));
    assert_int_equal(look(f).open, 0);
    EXPECT(run_by(f, "bob", "approval.approve", args[1], out), FR_E_CONFLICT, out);
}

static void one_key_never_waits_and_many_do(void **state)
{
    struct fixture *f = *state;
    char out[4096];
    ask_for_two(f, "approval.revocation");
    EXPECT(run_by(f, "", "cert.revoke", "{\"serial\":\"41c0ffee000000000000000000000001\"}", out),
           FR_E_NOT_FOUND, out);
    EXPECT(run_by(f, "ada", "member.suspend", "{\"id\":\"acme\"}", out), FR_OK, out);
    EXPECT(run_by(f, "ada", "member.resume", "{\"id\":\"acme\"}", out), FR_OK, out);
    EXPECT(run_by(f, "ada", "cert.revoke", "{\"member\":\"acme\"}", out), FR_E_PENDING, out);
    EXPECT(approve_by(f, "bob", out), FR_OK, out);
    EXPECT(run_by(f, "ada", "cert.revoke", "{\"netid\":\"000013\"}", out), FR_E_PENDING, out);
    EXPECT(approve_by(f, "bob", out), FR_OK, out);
    EXPECT(run_by(f, "ada", "member.remove", "{\"id\":\"acme\"}", out), FR_E_PENDING, out);
    EXPECT(approve_by(f, "bob", out), FR_OK, out);
    EXPECT(run_by(f, "ada", "member.resume", "{\"id\":\"acme\"}", out), FR_E_NOT_FOUND, out);
}

static void a_token_is_for_who_asked_and_once(void **state)
{
    static const char plain[] = "{\"member\":\"acme\",\"profiles\":[\"doh\"]}";
    static const char more[] =
        "{\"member\":\"acme\",\"profiles\":[\"doh\"],\"rights\":[\"lookup\",\"replica\"]}";
    struct fixture *f = *state;
    char out[4096];
    ask_for_two(f, "approval.rights");
    /* There is no CA here, so no token can be printed: what counts is whether it was tried. */
    const enum fr_err tried = run_by(f, "ada", "token.create", plain, out);
    assert_int_not_equal(tried, FR_E_PENDING);
    EXPECT(run_by(f, "ada", "token.create", more, out), FR_E_PENDING, out);
    EXPECT(run_by(f, "ada", "token.create", more, out), FR_E_PENDING, out);
    EXPECT(approve_by(f, "bob", out), FR_OK, out);
    assert_non_null(strstr(out, "\"state\":\"agreed\""));
    EXPECT(run_by(f, "cleo", "token.create", more, out), FR_E_PENDING, out); /* not hers */
    EXPECT(run_by(f, "ada", "token.create", more, out), tried, out);
}

static void the_policy_guards_itself(void **state)
{
    struct fixture *f = *state;
    char out[4096];
    ask_for_two(f, "approval.member");
    static const char *const guarded[] = {
        "{\"set\":{\"approval.member\":\"1\"}}", "{\"set\":{\"approval.member\":\"5\"}}",
        "{\"set\":{\"approval.wait\":\"1h\"}}", "{\"set\":{\"approval.rights\":\"2\"}}",
        "{\"set\":{\"ttl.deveui\":\"60\",\"approval.member\":\"1\"}}"};
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++)
        EXPECT(run_by(f, "ada", "policy.set", guarded[i], out), FR_E_PENDING, out);
    EXPECT(run_by(f, "ada", "policy.set", "{\"set\":{\"ttl.deveui\":\"60\"}}", out), FR_OK, out);
    assert_int_equal(look(f).open, sizeof guarded / sizeof guarded[0]);
}

static void anybody_refuses(void **state)
{
    struct fixture *f = *state;
    char out[4096], args[64], id[2 * FR_APPROVAL_ID_SIZE + 1];
    ask_for_two(f, "approval.member");
    EXPECT(run_by(f, "ada", "member.add", "{\"id\":\"bolt\"}", out), FR_E_PENDING, out);
    const struct seen seen = look(f);
    fr_hex_print(seen.row.id, sizeof seen.row.id, id);
    (void)snprintf(args, sizeof args, "{\"id\":\"%s\"}", id);
    EXPECT(run_by(f, "bob", "approval.refuse", args, out), FR_OK, out);
    EXPECT(run_by(f, "bob", "approval.refuse", args, out), FR_E_CONFLICT, out);
    assert_int_equal(look(f).open, 0);
}

/* What waits is kept without its body, so an operation with one must be asked for again. */
static void the_table_holds_together(void **state)
{
    size_t n = 0;
    (void)state;
    for (const struct fr_op *op = fr_ops; op->name; op++) {
        if (!op->persons) {
            assert_false(op->is_collected);
            continue;
        }
        n++;
        if ((op->has_body || op->intend) && !op->is_collected) fail_msg("%s", op->name);
        if (op->by && op->by != FR_BY_OPERATOR) fail_msg("%s", op->name);
    }
    assert_true(n >= 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_member_takes_two, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_approved_is_what_was_shown, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_done_any_more_fails_and_is_not_asked_again,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_key_never_waits_and_many_do, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_token_is_for_who_asked_and_once, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_policy_guards_itself, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(anybody_refuses, fixture_setup, fixture_teardown),
        cmocka_unit_test(the_table_holds_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
