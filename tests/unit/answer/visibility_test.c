/* Who asks decides what is there, and what one may not see cannot be told from what is not. The
 * work of a look-up is counted in reads of the store: the linker puts a counter in front of
 * fr_txn_get, through which every one of them goes. */
#include "answer/answer.h"

#include "base/buf.h"
#include "db/txn.h"
#include "dns/types.h"
#include "store/policy.h"
#include "store/visibility.h"
#include "unit/answer/fixture.h"

#define SEEN 0x70b3d57ed0000001u    /* acme's */
#define HIDDEN 0x70b3d57ed0000002u  /* acme's, hidden alone */
#define OTHERS 0x70b3d57ed0000004u  /* beta's */
#define UNKNOWN 0x70b3d57ed0000009u /* nobody's */

static unsigned reads;

enum fr_err __real_fr_txn_get(struct fr_txn *txn, uint32_t table, struct fr_span key,
                              struct fr_span *out);
enum fr_err __wrap_fr_txn_get(struct fr_txn *txn, uint32_t table, struct fr_span key,
                              struct fr_span *out);

enum fr_err __wrap_fr_txn_get(struct fr_txn *txn, uint32_t table, struct fr_span key,
                              struct fr_span *out)
{
    reads++;
    return __real_fr_txn_get(txn, table, key, out);
}

/* Label, name (RFC 1035 4.1.2), type: with EDNS and padding, or the plainest there is. */
static void query_make(uint64_t eui, uint16_t type, bool edns, struct fr_buf *out)
{
    static const uint8_t head[] = {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 16};
    static const uint8_t tail[] = "\6deveui\3fed\4test";
    static const uint8_t opt[] = {0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 4, 0, 0, 0, 0};
    char hex[17];

    fr_buf_reset(out);
    fr_buf_add(out, head, sizeof head);
    if (edns) out->p[11] = 1;
    (void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)eui);
    fr_buf_add(out, hex, 16);
    fr_buf_add(out, tail, sizeof tail);
    const uint8_t question[] = {(uint8_t)(type >> 8), (uint8_t)type, 0, 1};
    fr_buf_add(out, question, sizeof question);
    if (edns) fr_buf_add(out, opt, sizeof opt);
}

static void set_policy(struct fixture *f, const char *value)
{
    struct fr_change *change = change_begin(f);
    struct fr_diag diag = {0};

    must(fr_policy_set(change, FR_POLICY_VISIBILITY, value, &diag), &diag);
    change_end(f, change);
}

static void grant(struct fixture *f, const char *home, const char *visited, bool is_allowed)
{
    struct fr_change *change = change_begin(f);
    struct fr_diag diag = {0};

    must(is_allowed ? fr_visibility_allow(change, home, visited, &diag)
                    : fr_visibility_deny(change, home, visited, &diag),
         &diag);
    change_end(f, change);
}

static void hide(struct fixture *f, uint64_t eui, bool is_hidden)
{
    struct fr_change *change = change_begin(f);
    struct fr_diag diag = {0};
    uint64_t changed = 0;

    must(fr_device_set_hidden(change, &eui, 1, is_hidden, &diag, &changed), &diag);
    assert_int_equal(changed, 1);
    change_end(f, change);
}

static enum fr_dns_rcode ask(struct fr_answerer *a, struct fixture *f, const char *member,
                             uint64_t eui)
{
    struct fr_buf query = FR_BUF_INIT(256);
    struct fr_answer answer;

    query_make(eui, FR_DNS_A, false, &query);
    assert_int_equal(fr_answer(a, f->snap, member, fr_buf_span(&query), NOW, &answer), FR_OK);
    fr_buf_deinit(&query);
    return answer.rcode;
}

#define NO FR_DNS_NXDOMAIN
#define YES FR_DNS_NOERROR

/* Every asker after every other, so that what was made for one is there when the next asks. */
static void assert_sees(struct fr_answerer *a, struct fixture *f, uint64_t eui,
                        enum fr_dns_rcode acme, enum fr_dns_rcode beta, enum fr_dns_rcode nobody)
{
    for (int round = 0; round < 3; round++) {
        assert_int_equal(ask(a, f, "acme", eui), acme);
        assert_int_equal(ask(a, f, "beta", eui), beta);
        assert_int_equal(ask(a, f, "", eui), nobody);
        assert_int_equal(ask(a, f, "beta", eui), beta);
    }
}

static void who_asks_decides(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    assert_sees(a, f, SEEN, YES, YES, YES);
    set_policy(f, "granted");
    assert_sees(a, f, SEEN, YES, NO, NO);
    assert_sees(a, f, OTHERS, NO, YES, NO);
    assert_sees(a, f, UNKNOWN, NO, NO, NO);
    grant(f, "acme", "beta", true); /* one direction */
    assert_sees(a, f, SEEN, YES, YES, NO);
    assert_sees(a, f, OTHERS, NO, YES, NO);
    grant(f, "acme", "beta", false);
    assert_sees(a, f, SEEN, YES, NO, NO);
    set_policy(f, "federation");
    assert_sees(a, f, SEEN, YES, YES, YES);
    hide(f, SEEN, true); /* from its own member too */
    assert_sees(a, f, SEEN, NO, NO, NO);
    hide(f, SEEN, false);
    assert_sees(a, f, SEEN, YES, YES, YES);
    set_member_state(f, "acme", FR_MEMBER_SUSPENDED);
    assert_sees(a, f, SEEN, NO, NO, NO);
    fr_answerer_free(a);
}

/* One answer: what it is, and what it took. */
struct taken {
    struct fr_answer answer;
    uint8_t bytes[2048];
    unsigned reads;
};

static void take(struct fr_answerer *a, struct fixture *f, uint64_t eui, uint16_t type, bool edns,
                 struct taken *out)
{
    struct fr_buf query = FR_BUF_INIT(256);

    query_make(eui, type, edns, &query);
    reads = 0;
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &out->answer), FR_OK);
    out->reads = reads;
    assert_true(out->answer.message.n <= sizeof out->bytes);
    memcpy(out->bytes, out->answer.message.p, out->answer.message.n);
    /* the question repeats the name that was asked for */
    memset(out->bytes + 13, 0, 16);
    fr_buf_deinit(&query);
}

static void assert_same(const struct taken *hidden, const struct taken *unknown)
{
    assert_int_equal(hidden->answer.message.n, unknown->answer.message.n);
    assert_memory_equal(hidden->bytes, unknown->bytes, unknown->answer.message.n);
    assert_int_equal(hidden->answer.rcode, unknown->answer.rcode);
    assert_int_equal(hidden->answer.is_cacheable, unknown->answer.is_cacheable);
    assert_int_equal(hidden->answer.max_age_s, unknown->answer.max_age_s);
    assert_int_equal(hidden->answer.is_named, unknown->answer.is_named);
    assert_int_equal(hidden->reads, unknown->reads);
}

/* Asked as the first of its kind and when a template is there; in both orders. */
static void compare(struct fixture *f, uint64_t eui)
{
    static const uint16_t types[] = {FR_DNS_A,   FR_DNS_AAAA, FR_DNS_CNAME, FR_DNS_SRV,
                                     FR_DNS_TXT, FR_DNS_TLSA, FR_DNS_SOA,   FR_DNS_ANY};

    for (size_t i = 0; i < 4 * sizeof types / sizeof types[0]; i++) {
        static struct taken first[2], again[2];
        uint16_t type = types[i / 4];
        bool edns = i % 2 != 0, is_hidden_first = i / 2 % 2 != 0;
        for (int which = 0; which < 2; which++) {
            struct fr_answerer *a = NULL;
            assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
            (void)ask(a, f, "beta", SEEN); /* the tables are there */
            take(a, f, which ? UNKNOWN : eui, type, edns, &first[which]);
            take(a, f, (which != 0) != is_hidden_first ? UNKNOWN : eui, type, edns, &again[0]);
            take(a, f, (which != 0) != is_hidden_first ? eui : UNKNOWN, type, edns, &again[1]);
            assert_same(&again[0], &again[1]);
            fr_answerer_free(a);
        }
        assert_same(&first[0], &first[1]);
        assert_int_equal(first[0].answer.rcode, FR_DNS_NXDOMAIN);
    }
}

static void hidden_is_unknown(void **state)
{
    struct fixture *f = *state;

    hide(f, HIDDEN, true);
    compare(f, HIDDEN);
    set_policy(f, "granted");
    compare(f, HIDDEN);
    compare(f, SEEN); /* not granted */
    set_policy(f, "federation");
    set_member_state(f, "acme", FR_MEMBER_SUSPENDED);
    struct fr_answerer *a = NULL; /* compare() warms up with acme's */
    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    assert_int_equal(ask(a, f, "beta", SEEN), FR_DNS_NXDOMAIN);
    fr_answerer_free(a);
    compare(f, SEEN);
}

/* A device that moves to another NetID of its member stays hidden; one that is removed and added
 * again does not. */
static void hidden_stays_until_removed(void **state)
{
    struct fixture *f = *state;
    const uint64_t eui = HIDDEN;
    struct fr_device_job job = {.netid = 0x2a, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};
    struct fr_device_report report;
    struct fr_device_row row;

    hide(f, eui, true);
    struct fr_change *change = change_begin(f);
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    change_end(f, change);
    assert_int_equal(fr_device_get(f->snap, eui, &row), FR_OK);
    assert_int_equal(row.netid, 0x2a);
    assert_int_equal(row.flags, FR_DEVICE_HIDDEN);

    change = change_begin(f);
    job.mode = FR_DEVICE_REMOVE;
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    change_end(f, change);
    change = change_begin(f);
    job.mode = FR_DEVICE_ADD;
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    change_end(f, change);
    assert_int_equal(fr_device_get(f->snap, eui, &row), FR_OK);
    assert_int_equal(row.flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_asks_decides, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(hidden_is_unknown, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(hidden_stays_until_removed, fixture_new, fixture_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
