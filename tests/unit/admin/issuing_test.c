/* Issuing operations with a real CA: who shares a group, and a clock that went back. */
#include "admin/engine.h"
#include "base/base64.h"
#include "base/hex.h"
#include "ca/init.h"
#include "store/token.h"
#include "support/unit.h"
#include "x509/csr.h"
#include "x509/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S 1795157000LL
#define HOUR_MS (3600 * 1000LL)

struct fixture {
    char root[64], dir[96];
    struct fr_store *store;
    struct fr_admin_fed *fed;
    struct fr_clock clock;
    int64_t now_ms;
};

static int64_t told_ms(void *data)
{
    return ((struct fixture *)data)->now_ms;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fr_diag diag = {0};
    struct fr_ca_init_result result;
    f->now_ms = NOW_S * 1000;
    f->clock = (struct fr_clock){.mono_ms = told_ms, .real_ms = told_ms, .data = f};
    (void)snprintf(f->root, sizeof f->root, "/tmp/fedroam-issuing-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    (void)snprintf(f->dir, sizeof f->dir, "%s/state", f->root);
    const struct fr_ca_init_options init = {.dir = f->dir,
                                            .federation = "fed.test",
                                            .host = "host1",
                                            .map_size = 1u << 26,
                                            .now_s = NOW_S,
                                            .actor = "test"};
    if (fr_ca_init(&init, &diag, &result)) fail_msg("%s", diag.what);
    const struct fr_store_options options = {.dir = f->dir, .map_size = 1u << 26};
    if (fr_store_open(&options, &diag, &f->store)) fail_msg("%s", diag.what);
    const struct fr_admin_fed_options fed = {
        .state = f->dir, .store = f->store, .clock = &f->clock};
    if (fr_admin_fed_new(&fed, &diag, &f->fed)) fail_msg("%s", diag.what);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    fr_admin_fed_free(f->fed);
    fr_store_close(f->store);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->root);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static struct fr_task *task_of(const struct fr_admin_actor *actor, const char *op, const char *args,
                               struct fr_span body)
{
    const struct fr_admin_request request = {.op = op, .args = args, .body = body};
    struct fr_task *task = NULL;
    struct fr_diag diag = {0};
    if (fr_task_new(&request, actor, &diag, &task)) fail_msg("%s: %s", op, diag.what);
    return task;
}

/* What it came to; the task is freed. */
static enum fr_err outcome(struct fr_task *task, struct fr_diag *diag, struct fr_admin_reply **out)
{
    *diag = (struct fr_diag){0};
    *out = NULL;
    enum fr_err err = fr_task_take_reply(task, diag, out);
    fr_task_free(task);
    return err;
}

static struct fr_admin_reply *run(struct fixture *f, const char *op, const char *args)
{
    const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "local:tester"};
    struct fr_task *task = task_of(&actor, op, args, (struct fr_span){0});
    struct fr_admin_reply *reply;
    struct fr_diag diag;
    fr_admin_run(f->fed, task);
    if (outcome(task, &diag, &reply)) fail_msg("%s: %s", op, diag.what);
    return reply;
}

/* A token for acme's look-ups: its id in hex, and the hash that a request shows. */
static void make_token(struct fixture *f, char id[64], uint8_t hash[FR_DIGEST_SIZE])
{
    struct fr_buf secret = FR_BUF_INIT(64);
    struct fr_admin_reply *reply =
        run(f, "token.create", "{\"member\":\"acme\",\"profiles\":[\"doh\"]}");
    (void)snprintf(id, 64, "%s", fr_admin_reply_text(reply, "id"));
    const char *last = strrchr(fr_admin_reply_text(reply, "token"), '.');
    assert_int_equal(fr_base64url_parse(fr_span_str(last + 1), &secret), FR_OK);
    assert_int_equal(fr_sha256(fr_buf_span(&secret), hash), FR_OK);
    fr_buf_deinit(&secret);
    fr_admin_reply_free(reply);
}

static void make_csr(struct fr_buf *csr)
{
    struct fr_key *key = NULL;
    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_int_equal(fr_csr_build(key, "whatever", csr), FR_OK);
    fr_key_free(key);
}

/* A request with that token. */
static struct fr_task *enrolment(const char *id, const uint8_t hash[FR_DIGEST_SIZE],
                                 struct fr_span csr)
{
    struct fr_admin_actor actor = {.kind = FR_ACTOR_TOKEN};
    struct fr_buf body = FR_BUF_INIT(FR_CSR_MAX + FR_DIGEST_SIZE);
    char args[128];
    fr_buf_add(&body, hash, FR_DIGEST_SIZE);
    fr_buf_add_span(&body, csr);
    (void)snprintf(actor.name, sizeof actor.name, "token:%s", id);
    (void)snprintf(args, sizeof args, "{\"token\":\"%s\"}", id);
    struct fr_task *task = task_of(&actor, "enrol.token", args, fr_buf_span(&body));
    fr_buf_deinit(&body);
    return task;
}

/* Handed over together, so that one group could hold all of them: a token is good for one certificate, which whoever repeats the
 * request gets again, and another key none. */
static void requests_with_one_token_share_no_group(void **state)
{
    struct fixture *f = *state;
    enum { TOKENS = 2, EACH = 4 };
    char ids[TOKENS][64], serials[TOKENS][64] = {""};
    uint8_t hashes[TOKENS][FR_DIGEST_SIZE];
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX), other = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_task *tasks[TOKENS * EACH];
    struct fr_admin_reply *reply;
    struct fr_diag diag;
    make_csr(&csr);
    make_csr(&other);
    fr_admin_reply_free(run(f, "member.add", "{\"id\":\"acme\",\"netids\":[\"000013\"]}"));
    for (size_t i = 0; i < TOKENS; i++) make_token(f, ids[i], hashes[i]);
    for (size_t i = 0; i < TOKENS * EACH; i++) {
        const bool is_other = i / TOKENS == EACH - 1;
        tasks[i] =
            enrolment(ids[i % TOKENS], hashes[i % TOKENS], fr_buf_span(is_other ? &other : &csr));
    }
    fr_admin_run_issues(f->fed, tasks, TOKENS * EACH);
    for (size_t i = 0; i < TOKENS * EACH; i++) {
        const enum fr_err err = outcome(tasks[i], &diag, &reply);
        char *serial = serials[i % TOKENS];
        if (i / TOKENS == EACH - 1) {
            assert_int_not_equal(err, FR_OK);
            continue;
        }
        assert_int_equal(err, FR_OK);
        assert_int_equal(fr_admin_reply_bool(reply, "changed"), i < TOKENS);
        if (i < TOKENS) (void)snprintf(serial, 64, "%s", fr_admin_reply_text(reply, "serial"));
        assert_string_equal(fr_admin_reply_text(reply, "serial"), serial);
        fr_admin_reply_free(reply);
    }
    assert_string_not_equal(serials[0], serials[1]);
    fr_buf_deinit(&csr);
    fr_buf_deinit(&other);
}

static void nothing_is_issued_while_the_clock_is_behind(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t behind_ms;
        enum fr_err err;
    } rows[] = {{HOUR_MS, FR_E_BUSY}, {60 * 1000, FR_OK}};
    char id[64];
    uint8_t hash[FR_DIGEST_SIZE];
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    fr_admin_reply_free(run(f, "member.add", "{\"id\":\"acme\",\"netids\":[\"000013\"]}"));
    make_token(f, id, hash);
    make_csr(&csr);
    for (size_t i = 0; i < 2; i++) {
        struct fr_task *task = enrolment(id, hash, fr_buf_span(&csr));
        struct fr_admin_reply *reply;
        struct fr_diag diag;
        f->now_ms = NOW_S * 1000 - rows[i].behind_ms;
        fr_admin_run_issues(f->fed, &task, 1);
        assert_int_equal(outcome(task, &diag, &reply), rows[i].err);
        if (rows[i].err) assert_non_null(strstr(diag.what, "the clock went back"));
        fr_admin_reply_free(reply);
    }
    fr_buf_deinit(&csr);
}

/* An operator's word that the earlier time is right. */
static void an_accepted_clock_issues_again(void **state)
{
    struct fixture *f = *state;
    char id[64];
    uint8_t hash[FR_DIGEST_SIZE];
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_admin_reply *reply;
    struct fr_diag diag;
    f->now_ms = NOW_S * 1000 + HOUR_MS;
    fr_admin_reply_free(run(f, "member.add", "{\"id\":\"acme\",\"netids\":[\"000013\"]}"));
    f->now_ms = NOW_S * 1000;
    fr_admin_reply_free(run(f, "clock.accept", NULL));
    make_token(f, id, hash);
    make_csr(&csr);
    struct fr_task *task = enrolment(id, hash, fr_buf_span(&csr));
    fr_admin_run_issues(f->fed, &task, 1);
    assert_int_equal(outcome(task, &diag, &reply), FR_OK);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&csr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_with_one_token_share_no_group, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_issued_while_the_clock_is_behind, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_accepted_clock_issues_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
