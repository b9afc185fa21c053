#include "ca/issue.h"

#include "base/mem.h"
#include "federation.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct federation fed;

static int make(void **state)
{
    (void)state;
    federation_make(&fed);
    add_member(&fed, "acme", (const uint32_t[]){0x000013, 0});
    add_member(&fed, "beta", (const uint32_t[]){0x000014, 0});
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    federation_remove(&fed);
    return 0;
}

static struct fr_cert_row row_of(const uint8_t *serial)
{
    struct fr_snap *snap = NULL;
    struct fr_cert_row row;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_get(snap, serial, &row), FR_OK);
    fr_snap_end(snap);
    return row;
}

static enum fr_err count_row(void *data, const struct fr_cert_row *row)
{
    (void)row;
    ++*(size_t *)data;
    return FR_OK;
}

static size_t count_rows(void)
{
    struct fr_snap *snap = NULL;
    size_t n = 0;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_each(snap, count_row, &n), FR_OK);
    fr_snap_end(snap);
    return n;
}

static void profiles_are_issued(void **state)
{
    static const struct {
        struct fr_subject subject;
        uint32_t rights;
        int64_t days;
        const char *dns;
    } rows[] = {
        {{.profile = FR_PROFILE_DOH, .member = "acme"},
         FR_RIGHT_LOOKUP,
         30,
         "acme.member.fed.test"},
        {{.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13},
         FR_RIGHT_LOOKUP | FR_RIGHT_ROAM,
         30,
         "000013.netid.fed.test"},
        {{.profile = FR_PROFILE_JS, .member = "acme", .joineui = 0x70b3d57ed0000001},
         FR_RIGHT_ROAM,
         30,
         "1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test"},
        {{.profile = FR_PROFILE_BROKER, .host = "host2"}, FR_RIGHT_REPLICA, 90, "broker.fed.test"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX), chain = FR_BUF_INIT(FR_CERT_FILE_MAX);
        struct fr_issue issue = FR_ISSUE_INIT;
        struct fr_diag diag = {0};
        struct fr_cert_fields f;
        struct fr_issue_request request = {.subject = rows[i].subject};
        make_csr(&csr, NULL);
        request.csr = fr_buf_span(&csr);
        enum fr_err err = fr_ca_issue(fed.ca, fed.store, &BY, &request, &diag, &issue);
        if (err) fail_msg("row %zu: %s", i, diag.what);
        struct fr_cert_row row = row_of(issue.row.serial);
        assert_int_equal(row.status, FR_CERT_ISSUED);
        assert_int_equal(row.rights, rows[i].rights);
        assert_int_equal(row.not_before_s, NOW - FR_BACKDATE_S);
        assert_int_equal(row.not_after_s, NOW + rows[i].days * 86400 - 1);
        assert_string_equal(row.names[0], rows[i].dns);
        assert_int_equal(fr_cert_read_fields(issue.cert, &f), FR_OK);
        assert_memory_equal(f.sha256, row.sha256, FR_DIGEST_SIZE);
        assert_memory_equal(f.spki_sha256, row.spki, FR_DIGEST_SIZE);
        assert_string_equal(f.dns[0], rows[i].dns);
        assert_int_equal(f.uri_count, 1);
        assert_false(f.is_ca);
        assert_int_equal(fr_issue_write_chain(&issue, fed.ca, &chain), FR_OK);
        fr_issue_deinit(&issue);
        fr_buf_deinit(&csr);
        fr_buf_deinit(&chain);
    }
}

/* Requests that ask for CA:TRUE and for other people's names get what the registry says, and
 * nothing of it. */
static void request_decides_nothing(void **state)
{
    static const char *const FILES[] = {"ca-true.der", "foreign-san.der"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        static uint8_t der[FR_CSR_MAX];
        struct fr_issue issue = FR_ISSUE_INIT;
        struct fr_cert_fields f;
        (void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/csr/%s", FR_SOURCE_DIR, FILES[i]);
        FILE *in = fopen(path, "rb");
        assert_non_null(in);
        size_t n = fread(der, 1, sizeof der, in);
        fclose(in);
        const struct fr_issue_request request = {
            .subject = {.profile = FR_PROFILE_DOH, .member = "acme"}, .csr = fr_span(der, n)};
        assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);
        assert_int_equal(fr_cert_read_fields(issue.cert, &f), FR_OK);
        assert_false(f.is_ca);
        assert_int_equal(f.dns_count, 1);
        assert_string_equal(f.dns[0], "acme.member.fed.test");
        assert_string_equal(f.cn, "acme");
        fr_issue_deinit(&issue);
    }
}

static void what_may_not_be_issued_is_not(void **state)
{
    static const struct {
        const char *what;
        struct fr_subject subject;
        uint32_t lifetime_s;
        enum fr_err err;
    } rows[] = {
        {"no such member", {.profile = FR_PROFILE_DOH, .member = "nobody"}, 0, FR_E_NOT_FOUND},
        {"no member named", {.profile = FR_PROFILE_DOH}, 0, FR_E_INVALID},
        {"NetID of another",
         {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x14},
         0,
         FR_E_CONFLICT},
        {"NetID of nobody",
         {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x15},
         0,
         FR_E_NOT_FOUND},
        {"JoinEUI of another",
         {.profile = FR_PROFILE_JS, .member = "beta", .joineui = 0x70b3d57ed0000001},
         0,
         FR_E_CONFLICT},
        {"bad host", {.profile = FR_PROFILE_BROKER, .host = "a,b"}, 0, FR_E_INVALID},
        {"too long a life", {.profile = FR_PROFILE_DOH, .member = "acme"}, 31 * 86400, FR_E_RANGE},
    };
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    size_t before = count_rows();

    (void)state;
    make_csr(&csr, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_issue issue = FR_ISSUE_INIT;
        struct fr_diag diag = {0};
        const struct fr_issue_request request = {
            .subject = rows[i].subject, .lifetime_s = rows[i].lifetime_s, .csr = fr_buf_span(&csr)};
        enum fr_err err = fr_ca_issue(fed.ca, fed.store, &BY, &request, &diag, &issue);
        if (err != rows[i].err || diag.what[0] == '\0')
            fail_msg("%s: %s", rows[i].what, fr_err_text(err));
        fr_issue_deinit(&issue);
    }
    /* A tampered request uses up no serial either. */
    struct fr_issue issue = FR_ISSUE_INIT;
    csr.p[csr.n / 2] ^= 1;
    const struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_DOH, .member = "acme"}, .csr = fr_buf_span(&csr)};
    assert_int_not_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&csr);
    assert_int_equal(count_rows(), before);
}

static void key_belongs_to_one_member(void **state)
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue_request request = {.subject = {.profile = FR_PROFILE_DOH, .member = "acme"}};
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_change *change = NULL;
    uint8_t serial[FR_SERIAL_SIZE];

    (void)state;
    make_csr(&csr, NULL);
    request.csr = fr_buf_span(&csr);
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);
    memcpy(serial, issue.row.serial, sizeof serial);
    fr_issue_deinit(&issue);
    request.subject.member = "beta";
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_E_CONFLICT);
    fr_issue_deinit(&issue);
    request.subject.member = "acme"; /* its own key again is a renewal */
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);
    fr_issue_deinit(&issue);
    change = begin(&fed);
    assert_int_equal(fr_ca_revoke(change, serial, 1, NULL), FR_OK); /* keyCompromise */
    commit(change);
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_E_DENIED);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&csr);
}

static void suspended_member_gets_nothing(void **state)
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_change *change = begin(&fed);

    (void)state;
    assert_int_equal(fr_member_suspend(change, "beta", NULL), FR_OK);
    commit(change);
    make_csr(&csr, NULL);
    const struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_DOH, .member = "beta"}, .csr = fr_buf_span(&csr)};
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_E_DENIED);
    fr_issue_deinit(&issue);
    change = begin(&fed);
    assert_int_equal(fr_member_resume(change, "beta", NULL), FR_OK);
    commit(change);
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&csr);
}

/* 2,000 certificates in one durable commit for the intents and one for the rest: serials distinct,
 * fixed length, positive. */
static void two_thousand_serials_differ(void **state)
{
    enum { COUNT = 2000 };
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    size_t before = count_rows();
    struct fr_change *change = begin(&fed);
    struct fr_issue *issues = calloc(COUNT, sizeof *issues);

    (void)state;
    assert_non_null(issues);
    make_csr(&csr, NULL);
    const struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13},
        .csr = fr_buf_span(&csr)};
    for (int i = 0; i < COUNT; i++) {
        /* A change has room for about a thousand of them. */
        if (i % 200 == 0 && i > 0) {
            commit(change);
            change = begin(&fed);
        }
        assert_int_equal(fr_ca_intend(fed.ca, change, &request, NULL, &issues[i]), FR_OK);
        assert_in_range(issues[i].row.serial[0], 0x40, 0x7f);
    }
    commit(change);
    assert_int_equal(count_rows(), before + COUNT); /* inserted, so every serial is new */
    for (int i = 0; i < COUNT; i++) fr_issue_deinit(&issues[i]);
    free(issues);
    fr_buf_deinit(&csr);
}

/* --- a process that dies --- */

enum step { BEFORE_INTENT, AFTER_INTENT, AFTER_SIGN, BEFORE_FINISH, AFTER_FINISH, STEPS };

static void die_if(enum step now, enum step wanted)
{
    if (now == wanted) (void)raise(SIGKILL);
}

/* Issues in steps and dies at one of them; what was signed is told through the pipe, as a thief of
 * the process would have it. */
static void issue_and_die(enum step wanted, int tell)
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_change *change = NULL;

    federation_open(&fed);
    make_csr(&csr, NULL);
    const struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13},
        .csr = fr_buf_span(&csr)};
    change = begin(&fed);
    assert_int_equal(fr_ca_intend(fed.ca, change, &request, NULL, &issue), FR_OK);
    die_if(BEFORE_INTENT, wanted);
    commit(change);
    die_if(AFTER_INTENT, wanted);
    assert_int_equal(fr_ca_sign(fed.ca, NOW, NULL, &issue), FR_OK);
    assert_int_equal(write(tell, issue.row.serial, FR_SERIAL_SIZE), FR_SERIAL_SIZE);
    die_if(AFTER_SIGN, wanted);
    change = begin(&fed);
    assert_int_equal(fr_ca_finish(change, NULL, &issue), FR_OK);
    die_if(BEFORE_FINISH, wanted);
    commit(change);
    die_if(AFTER_FINISH, wanted);
}

static enum fr_err find_intent(void *data, const struct fr_cert_row *row)
{
    if (row->status == FR_CERT_INTENT) ++*(size_t *)data;
    return FR_OK;
}

static size_t count_intents(void)
{
    struct fr_snap *snap = NULL;
    size_t n = 0;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_each(snap, find_intent, &n), FR_OK);
    fr_snap_end(snap);
    return n;
}

static enum fr_err count_pin(void *data, const uint8_t *spki, int64_t not_after_s)
{
    (void)spki, (void)not_after_s;
    ++*(size_t *)data;
    return FR_OK;
}

static size_t count_pins_of(uint32_t netid)
{
    struct fr_snap *snap = NULL;
    size_t n = 0;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_pin_each(snap, netid, NOW, count_pin, &n), FR_OK);
    fr_snap_end(snap);
    return n;
}

static size_t count_pins(void)
{
    return count_pins_of(0x13);
}

static void no_death_leaves_an_unknown_certificate(void **state)
{
    static const struct {
        bool is_signed;
        size_t rows, intents, pins; /* more than before */
    } want[STEPS] = {
        [BEFORE_INTENT] = {false, 0, 0, 0}, [AFTER_INTENT] = {false, 1, 1, 0},
        [AFTER_SIGN] = {true, 1, 1, 0},     [BEFORE_FINISH] = {true, 1, 1, 0},
        [AFTER_FINISH] = {true, 1, 0, 1},
    };

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        int pipe_fds[2], status = 0;
        uint8_t serial[FR_SERIAL_SIZE];
        size_t rows = count_rows(), pins = count_pins();
        assert_int_equal(count_intents(), 0);
        federation_close(&fed); /* an environment must not be open across a fork */
        assert_int_equal(pipe(pipe_fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            issue_and_die((enum step)step, pipe_fds[1]);
            _exit(1);
        }
        close(pipe_fds[1]);
        ssize_t told = read(pipe_fds[0], serial, sizeof serial);
        close(pipe_fds[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        federation_open(&fed);
        assert_int_equal(told, want[step].is_signed ? (ssize_t)sizeof serial : 0);
        assert_int_equal(count_rows(), rows + want[step].rows);
        assert_int_equal(count_intents(), want[step].intents);
        assert_int_equal(count_pins(), pins + want[step].pins);
        if (told > 0) (void)row_of(serial); /* known, whatever its status */
        /* Two minutes later nobody can be signing any more. */
        const struct fr_change_by later = {.actor = "test", .now_s = NOW + 120};
        struct fr_ca *ca = NULL;
        assert_int_equal(fr_ca_open(fed.dir, fed.store, &later, NULL, &ca), FR_OK);
        fr_ca_close(ca);
        assert_int_equal(count_intents(), 0);
        if (told > 0)
            assert_int_equal(row_of(serial).status,
                             step == AFTER_FINISH ? FR_CERT_ISSUED : FR_CERT_REVOKED);
    }
}

/* What cannot be published is not issued: peers would refuse it. A key that is published may have more certificates. */
static void as_many_keys_as_can_be_published(void **state)
{
    struct fr_buf first = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_diag diag = {0};

    (void)state;
    make_csr(&first, NULL);
    for (size_t had = count_pins_of(0x14), i = had; i <= FR_PINS_MAX; i++) {
        struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
        make_csr(&csr, NULL);
        const struct fr_issue_request request = {
            .subject = {.profile = FR_PROFILE_NS, .member = "beta", .netid = 0x14},
            .csr = fr_buf_span(i == had ? &first : &csr)};
        enum fr_err err = fr_ca_issue(fed.ca, fed.store, &BY, &request, &diag, &issue);
        assert_int_equal(err, i < FR_PINS_MAX ? FR_OK : FR_E_CONFLICT);
        fr_issue_deinit(&issue);
        fr_buf_deinit(&csr);
    }
    assert_string_equal(diag.what, "000014 has 16 live keys, as many as can be published for it");
    assert_int_equal(count_pins_of(0x14), FR_PINS_MAX);
    assert_int_equal(count_intents(), 0);
    const struct fr_issue_request again = {
        .subject = {.profile = FR_PROFILE_NS, .member = "beta", .netid = 0x14},
        .csr = fr_buf_span(&first)};
    if (fr_ca_issue(fed.ca, fed.store, &BY, &again, &diag, &issue)) fail_msg("%s", diag.what);
    assert_int_equal(count_pins_of(0x14), FR_PINS_MAX);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&first);
}

/* Somebody else's opening does not take an intent away from a process that is just signing. */
static void young_intent_is_left_alone(void **state)
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_ca *ca = NULL;
    struct fr_change *change = begin(&fed);

    (void)state;
    make_csr(&csr, NULL);
    const struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_DOH, .member = "acme"}, .csr = fr_buf_span(&csr)};
    assert_int_equal(fr_ca_intend(fed.ca, change, &request, NULL, &issue), FR_OK);
    commit(change);
    assert_int_equal(fr_ca_open(fed.dir, fed.store, &BY, NULL, &ca), FR_OK);
    fr_ca_close(ca);
    assert_int_equal(fr_ca_sign(fed.ca, NOW, NULL, &issue), FR_OK);
    change = begin(&fed);
    assert_int_equal(fr_ca_finish(change, NULL, &issue), FR_OK);
    commit(change);
    assert_int_equal(row_of(issue.row.serial).status, FR_CERT_ISSUED);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&csr);
}

/* Whichever allocation fails, the issue fails with nothing handed out, and the next one works. */
static void no_memory_is_an_error(void **state)
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    unsigned long n = 0;
    bool has_failed = true;

    (void)state;
    make_csr(&csr, NULL);
    const struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_DOH, .member = "acme"}, .csr = fr_buf_span(&csr)};
    while (has_failed) {
        struct fr_issue issue = FR_ISSUE_INIT;
        fr_mem_fail_nth(++n);
        enum fr_err err = fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue);
        has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        if (has_failed) assert_int_not_equal(err, FR_OK);
        if (!has_failed) assert_int_equal(err, FR_OK);
        fr_issue_deinit(&issue);
    }
    assert_true(n > 10);
    fr_buf_deinit(&csr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_issued),
        cmocka_unit_test(request_decides_nothing),
        cmocka_unit_test(what_may_not_be_issued_is_not),
        cmocka_unit_test(key_belongs_to_one_member),
        cmocka_unit_test(as_many_keys_as_can_be_published),
        cmocka_unit_test(suspended_member_gets_nothing),
        cmocka_unit_test(young_intent_is_left_alone),
        cmocka_unit_test(no_death_leaves_an_unknown_certificate),
        cmocka_unit_test(no_memory_is_an_error),
    };
    const struct CMUnitTest many[] = {
        cmocka_unit_test(two_thousand_serials_differ),
    };
    int failed = cmocka_run_group_tests(tests, make, unmake);
    return failed + cmocka_run_group_tests(many, make, unmake);
}
