#include "state/state.h"

#include "names/devaddr.h"
#include "support/unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAP (64u << 20)
#define DEV 0x70b3d57ed0000001

struct fixture {
    char dir[64];
    struct fr_state *state;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    strcpy(f->dir, "/tmp/fr-state-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(fr_state_open(f->dir, MAP, NULL, &f->state), FR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[128];

    fr_state_close(f->state);
    (void)snprintf(path, sizeof path, "%s/data.mdb", f->dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/lock.mdb", f->dir);
    (void)unlink(path);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    fr_state_close(f->state);
    assert_int_equal(fr_state_open(f->dir, MAP, NULL, &f->state), FR_OK);
}

/* One device after the other, each with its rule: which DevNonce is taken. */
static void test_dev_nonces(void **state)
{
    static const struct {
        const char *label;
        uint64_t device;
        enum fr_nonce_rule rule;
        uint16_t nonce;
        enum fr_err err;
        uint32_t join_nonce;
    } ROWS[] = {
        {"random, first", 1, FR_NONCE_RANDOM, 500, FR_OK, 1},
        {"random, smaller", 1, FR_NONCE_RANDOM, 3, FR_OK, 2},
        {"random, again", 1, FR_NONCE_RANDOM, 500, FR_E_CONFLICT, 0},
        {"random, zero", 1, FR_NONCE_RANDOM, 0, FR_OK, 3},
        {"random, top", 1, FR_NONCE_RANDOM, 65535, FR_OK, 4},
        {"random, top again", 1, FR_NONCE_RANDOM, 65535, FR_E_CONFLICT, 0},
        {"another device, same nonce", 2, FR_NONCE_RANDOM, 500, FR_OK, 1},
        {"counter, zero is a first", 3, FR_NONCE_COUNTER, 0, FR_OK, 1},
        {"counter, again", 3, FR_NONCE_COUNTER, 0, FR_E_CONFLICT, 0},
        {"counter, gap", 3, FR_NONCE_COUNTER, 7, FR_OK, 2},
        {"counter, back", 3, FR_NONCE_COUNTER, 6, FR_E_CONFLICT, 0},
        {"counter, top", 3, FR_NONCE_COUNTER, 65535, FR_OK, 3},
        {"counter, used up", 3, FR_NONCE_COUNTER, 65535, FR_E_CONFLICT, 0},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        uint32_t join_nonce = 0;
        enum fr_err err = fr_state_take_nonces(f->state, ROWS[i].device, ROWS[i].nonce,
                                               ROWS[i].rule, &join_nonce);
        CHECK_ROW(ROWS[i].label, err == ROWS[i].err && join_nonce == ROWS[i].join_nonce);
        if (i % 3 == 0) reopen(f); /* it is all on disk */
    }
}

/* A child takes nonces and tells each one only after it has it; killed at any moment, none comes twice. */
static void take_until_killed(const char *dir, int fd)
{
    struct fr_state *state = NULL;

    if (fr_state_open(dir, MAP, NULL, &state) != FR_OK) _exit(1);
    for (unsigned n = 0;; n++) {
        uint32_t join_nonce;
        if (fr_state_take_nonces(state, DEV, (uint16_t)((unsigned)getpid() * 977u + n * 31u),
                                 FR_NONCE_RANDOM, &join_nonce) != FR_OK) {
            continue; /* a DevNonce that is used already */
        }
        if (write(fd, &join_nonce, sizeof join_nonce) != sizeof join_nonce) _exit(1);
    }
}

static void test_kill(void **state)
{
    struct fixture *f = *state;
    uint32_t last = 0, got, told = 0;

    fr_state_close(f->state); /* never fork with it open */
    f->state = NULL;
    for (unsigned round = 0; round < 12; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            (void)close(fds[0]);
            take_until_killed(f->dir, fds[1]);
        }
        (void)close(fds[1]);
        /* The kill lands somewhere in the middle of the next transaction. */
        for (unsigned n = 0; n < 3 + round && read(fds[0], &got, sizeof got) == sizeof got; n++) {
            assert_true(got > last);
            last = got;
            told++;
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(fds[0], &got, sizeof got) == sizeof got) {
            assert_true(got > last);
            last = got;
            told++;
        }
        (void)close(fds[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    assert_true(told >= 12 * 3);
    assert_int_equal(fr_state_open(f->dir, MAP, NULL, &f->state), FR_OK);
    uint32_t next = 0;
    for (uint16_t n = 0; next == 0; n++) {
        enum fr_err err = fr_state_take_nonces(f->state, DEV, n, FR_NONCE_RANDOM, &next);
        assert_true(err == FR_OK || err == FR_E_CONFLICT);
    }
    assert_true(next > last);
}

/* NetID of type 7: 128 addresses, so that running out can be seen. */
static void test_addresses(void **state)
{
    enum { NETID = 0xe00001, ALL = 128 };
    struct fixture *f = *state;
    bool seen[ALL] = {false};
    uint32_t addr, again, first = 0;
    uint64_t owner;

    for (uint64_t device = 1; device <= ALL; device++) {
        assert_int_equal(fr_state_reserve_addr(f->state, device, NETID, &addr), FR_OK);
        assert_true(fr_devaddr_match(addr, NETID));
        assert_false(seen[addr % ALL]);
        seen[addr % ALL] = true;
        assert_int_equal(fr_state_reserve_addr(f->state, device, NETID, &again), FR_OK);
        assert_int_equal(addr, again); /* until a session takes it */
        if (device == 1) first = addr;
    }
    assert_int_equal(fr_state_reserve_addr(f->state, ALL + 1, NETID, &addr), FR_E_LIMIT);

    /* A session takes the reserved address; the next session frees it. */
    struct fr_session s = {.dev_eui = 1, .dev_addr = first};
    assert_int_equal(fr_state_save_session(f->state, &s), FR_OK);
    assert_int_equal(fr_state_find_addr(f->state, first, &owner), FR_OK);
    assert_int_equal(owner, 1);
    assert_int_equal(fr_state_reserve_addr(f->state, 1, NETID, &addr), FR_E_LIMIT);
    s.dev_addr = 0x12345678;
    assert_int_equal(fr_state_save_session(f->state, &s), FR_OK);
    assert_int_equal(fr_state_find_addr(f->state, first, &owner), FR_E_NOT_FOUND);
    assert_int_equal(fr_state_reserve_addr(f->state, ALL + 1, NETID, &addr), FR_OK);
    assert_int_equal(addr, first); /* the only free one */
    assert_int_equal(fr_state_find_addr(f->state, first, &owner), FR_OK);
    assert_int_equal(owner, ALL + 1);
}

static void test_sessions(void **state)
{
    struct fixture *f = *state;
    struct fr_session s = {.dev_eui = DEV,
                           .join_eui = 7,
                           .dev_addr = 0x26000001,
                           .is_1_1 = true,
                           .has_app_s_key = true,
                           .since_s = 100,
                           .until_s = 200,
                           .federation = "fed.test",
                           .visited_netid = 0x14};
    struct fr_session read;

    memset(s.f_nwk_s_int_key, 1, 16);
    memset(s.s_nwk_s_int_key, 2, 16);
    memset(s.nwk_s_enc_key, 3, 16);
    memset(s.app_s_key, 4, 16);
    assert_int_equal(fr_state_find_session(f->state, DEV, &read), FR_E_NOT_FOUND);
    assert_int_equal(fr_state_save_session(f->state, &s), FR_OK);
    reopen(f);
    memset(&read, 0xff, sizeof read);
    assert_int_equal(fr_state_find_session(f->state, DEV, &read), FR_OK);
    assert_int_equal(read.dev_addr, s.dev_addr);
    assert_int_equal(read.join_eui, 7);
    assert_true(read.is_1_1 && read.has_app_s_key);
    assert_memory_equal(read.nwk_s_enc_key, s.nwk_s_enc_key, 16);
    assert_memory_equal(read.app_s_key, s.app_s_key, 16);
    assert_string_equal(read.federation, "fed.test");

    assert_int_equal(fr_state_drop_roamer(f->state, "fed.test", 0x15, DEV), FR_E_NOT_FOUND);
    assert_int_equal(fr_state_drop_roamer(f->state, "other.test", 0x14, DEV), FR_E_NOT_FOUND);
    assert_int_equal(fr_state_drop_roamer(f->state, "fed.test", 0x14, DEV), FR_OK);
    assert_int_equal(fr_state_drop_roamer(f->state, "fed.test", 0x14, DEV), FR_E_NOT_FOUND);
    assert_int_equal(fr_state_find_session(f->state, DEV, &read), FR_OK); /* the session goes on */
}

/* The same NetID and address in two federations are two homes. */
static void test_visitors(void **state)
{
    struct fixture *f = *state;
    struct fr_visitor a = {.federation = "a.test",
                           .home_netid = 0x13,
                           .dev_addr = 0x26000001,
                           .dev_eui = DEV,
                           .has_key = true,
                           .fcnt_up = 5,
                           .until_s = 9};
    struct fr_visitor b = a, read;
    struct fr_state_counts counts;

    strcpy(b.federation, "b.test");
    b.dev_eui = DEV + 1;
    assert_int_equal(fr_state_save_visitor(f->state, &a), FR_OK);
    assert_int_equal(fr_state_save_visitor(f->state, &b), FR_OK);
    assert_int_equal(fr_state_find_visitor(f->state, "a.test", 0x13, 0x26000001, &read), FR_OK);
    assert_int_equal(read.dev_eui, DEV);
    assert_int_equal(read.fcnt_up, 5);
    assert_int_equal(fr_state_find_visitor(f->state, "b.test", 0x13, 0x26000001, &read), FR_OK);
    assert_int_equal(read.dev_eui, DEV + 1);
    assert_int_equal(fr_state_find_visitor(f->state, "c.test", 0x13, 0x26000001, &read),
                     FR_E_NOT_FOUND);

    a.dev_addr = 0x26000002; /* joined again: the old address is not carried any more */
    assert_int_equal(fr_state_save_visitor(f->state, &a), FR_OK);
    assert_int_equal(fr_state_find_visitor(f->state, "a.test", 0x13, 0x26000001, &read),
                     FR_E_NOT_FOUND);
    assert_int_equal(fr_state_count(f->state, &counts), FR_OK);
    assert_int_equal(counts.visitors, 2);
    assert_int_equal(fr_state_drop_visitor(f->state, "a.test", 0x13, DEV + 1), FR_E_NOT_FOUND);
    assert_int_equal(fr_state_drop_visitor(f->state, "a.test", 0x13, DEV), FR_OK);
    assert_int_equal(fr_state_find_visitor(f->state, "a.test", 0x13, 0x26000002, &read),
                     FR_E_NOT_FOUND);
}

/* Whose time is over goes, in slices; the others stay. */
static void test_expiry(void **state)
{
    struct fixture *f = *state;
    struct fr_visitor_mark mark = {0};
    struct fr_state_counts counts;
    size_t ended, all = 0;
    bool is_done = false;

    for (uint32_t i = 0; i < 10; i++) {
        struct fr_visitor v = {.federation = "fed.test",
                               .home_netid = 0x13 + i % 2,
                               .dev_addr = 0x26000000 + i,
                               .dev_eui = DEV + i,
                               .until_s = i % 3 == 0 ? 100 : 200};
        assert_int_equal(fr_state_save_visitor(f->state, &v), FR_OK);
    }
    for (unsigned calls = 0; !is_done; calls++) {
        assert_true(calls < 10);
        assert_int_equal(fr_state_expire_visitors(f->state, 100, 3, &mark, &ended, &is_done),
                         FR_OK);
        all += ended;
    }
    assert_int_equal(all, 4);
    assert_int_equal(mark.n, 0);
    assert_int_equal(fr_state_count(f->state, &counts), FR_OK);
    assert_int_equal(counts.visitors, 6);
    assert_int_equal(fr_state_drop_visitor(f->state, "fed.test", 0x13, DEV), FR_E_NOT_FOUND);
    assert_int_equal(fr_state_drop_visitor(f->state, "fed.test", 0x14, DEV + 1), FR_OK);
    assert_int_equal(fr_state_expire_visitors(f->state, 300, 100, &mark, &ended, &is_done), FR_OK);
    assert_true(is_done && ended == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dev_nonces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_visitors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
