#include "store/feed.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/check.h"
#include "store/digest.h"
#include "store/erase.h"
#include "store/feed_message.h"
#include "store/feed_priv.h"
#include "store/lookups.h"
#include "store/token.h"
#include "store/visibility.h"

#include "fixture.h"
#include "following.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }

struct pair {
    struct fixture *p; /* primary */
    void *dir;
    struct fr_store *r; /* replica */
};

static struct fr_store *make_store(void *dir, const char *federation)
{
    struct fr_store_options options = store_options(dir);
    struct fr_store_new fresh = {.federation = federation};
    struct fr_store *store = NULL;

    assert_int_equal(fr_store_create(&options, &fresh, NULL, &store), FR_OK);
    return store;
}

static int pair_setup(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    void *primary = NULL;

    if (pair == NULL || store_setup(&primary) != 0 || tmp_setup(&pair->dir) != 0) return -1;
    pair->p = primary;
    assert_int_equal(fr_feed_turn_on(pair->p->store), FR_OK);
    pair->r = make_store(pair->dir, FED);
    assert_int_equal(fr_feed_make_replica(pair->r, PRIMARY, NULL), FR_OK);
    *state = pair;
    return 0;
}

static int pair_teardown(void **state)
{
    struct pair *pair = *state;
    void *primary = pair->p;

    fr_store_close(pair->r);
    tmp_teardown(&pair->dir);
    store_teardown(&primary);
    free(pair);
    return 0;
}

#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)

/* --- changes of every kind --- */

static void add_devices(struct fr_store *store, uint32_t netid, uint64_t first, size_t n)
{
    uint64_t *euis = calloc(n, sizeof *euis);
    struct fr_change *change = begin_change(store);
    struct fr_device_report report;

    for (size_t i = 0; i < n; i++) euis[i] = first + i;
    const struct fr_device_job job = {
        .netid = netid, .mode = FR_DEVICE_ADD, .euis = euis, .n = n, .keep_going = true};
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit_change(change);
    free(euis);
}

static void import(struct fr_store *store, uint32_t netid, enum fr_device_mode mode, uint64_t first,
                   size_t n, unsigned budget_ms)
{
    uint64_t *euis = calloc(n, sizeof *euis);
    struct fr_change_by by = by_tester();
    struct fr_bulk *bulk = NULL;
    bool done = false;

    for (size_t i = 0; i < n; i++) euis[i] = first + 3 * i;
    const struct fr_device_job job = {
        .netid = netid, .mode = mode, .euis = euis, .n = n, .keep_going = true};
    assert_int_equal(fr_bulk_new(store, &job, &by, NULL, &bulk), FR_OK);
    while (!done) assert_int_equal(fr_bulk_step(bulk, budget_ms, NULL, &done), FR_OK);
    fr_bulk_free(bulk);
    free(euis);
}

/* Two issued, one of them revoked and its key blocked. */
static void change_certificates(struct fr_change *change, unsigned seed, const char *member)
{
    for (uint8_t n = 0; n < 2; n++) {
        struct fr_cert_row row = {.profile = FR_PROFILE_NS, .netid = 0x30 + seed, .n_names = 1};
        uint8_t sha256[FR_DIGEST_SIZE] = {n};

        row.serial[0] = row.spki[0] = n;
        row.serial[1] = row.spki[1] = (uint8_t)seed;
        strcpy(row.member, member);
        strcpy(row.names[0], "a.fed.test");
        strcpy(row.authority, "2026a");
        assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
        assert_int_equal(fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("der"), sha256, NOW,
                                           NOW + 86400, NULL),
                         FR_OK);
        if (n == 1) assert_int_equal(fr_cert_row_revoke(change, row.serial, 1, NULL), FR_OK);
    }
}

static void change_much(struct fr_store *store, unsigned seed)
{
    struct fr_change *change = begin_change(store);
    const struct fr_addr at = addr("192.0.2.10:8005");
    struct fr_token_row token = {.member = "acme", .n_slots = 1, .id = {(uint8_t)seed}};
    char id[16], ttl[16];

    sprintf(id, "m%u", seed);
    add_member(change, id);
    assert_int_equal(fr_network_add(change, 0x30 + seed, id, NULL), FR_OK);
    assert_int_equal(fr_network_set_endpoints(change, 0x30 + seed, &at, 1, NULL), FR_OK);
    sprintf(ttl, "%us", 100 + seed);
    assert_int_equal(fr_policy_set(change, FR_POLICY_TTL_DEVEUI, ttl, NULL), FR_OK);
    assert_int_equal(fr_visibility_allow(change, id, "acme", NULL), FR_OK);
    change_certificates(change, seed, id);
    token.slots[0].profile = FR_PROFILE_DOH;
    token.slots[0].state = FR_SLOT_OPEN;
    assert_int_equal(fr_token_add(change, &token, NULL), FR_OK);
    commit_change(change);
    add_devices(store, 0x30 + seed, 0x1000000ULL * (seed + 1), 50);
}

static void a_replica_becomes_the_same_and_stays_it(void **state)
{
    struct pair *pair = *state;

    import(pair->p->store, 0x13, FR_DEVICE_ADD, 0x70b3d50000000000, 20000, 50);
    change_much(pair->p->store, 1);
    assert_true(follow(pair->p->store, pair->r, ROOM) > 5); /* an image in slices */
    assert_same(pair->p->store, pair->r);
    change_much(pair->p->store, 2);
    assert_int_equal(follow(pair->p->store, pair->r, ROOM), 1);
    assert_same(pair->p->store, pair->r);
    assert_int_equal(state_of(pair->r).sequence, state_of(pair->p->store).sequence);
    assert_int_equal(follow(pair->p->store, pair->r, ROOM), 1); /* nothing new */
    assert_int_equal(device_netid(pair->r, 0x3000000 + 7), 0x32);
}

/* In place and apart; in many steps, the replica following between any two. */
static void imports_arrive_whole(void **state)
{
    struct pair *pair = *state;

    import(pair->p->store, 0x13, FR_DEVICE_ADD, 0x70b3d50000000000, 30000, 50);
    follow(pair->p->store, pair->r, ROOM);
    import(pair->p->store, 0x2b, FR_DEVICE_ADD, 0x80b3d50000000000, 12000, 2);
    follow(pair->p->store, pair->r, 4096);
    assert_same(pair->p->store, pair->r);
    import(pair->p->store, 0x13, FR_DEVICE_REPLACE, 0x70b3d50000000000, 25000, 2);
    for (bool done = false; !done;) assert_int_equal(fr_bulk_tidy(pair->p->store, 2, &done), FR_OK);
    follow(pair->p->store, pair->r, ROOM);
    assert_same(pair->p->store, pair->r);
    assert_int_equal(network_devices(pair->r, 0x13), 25000);
}

/* Rows that move, come and go behind and before the slices. */
static void changes_during_an_image_are_not_lost(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_applied applied = {.is_behind = true};
    unsigned seed = 0;

    import(pair->p->store, 0x13, FR_DEVICE_ADD, 0x70b3d50000000000, 20000, 50);
    while (applied.is_behind) {
        assert_int_equal(pull(pair->p->store, pair->r, 16 * 1024, &applied, NULL), FR_OK);
        if (seed < 8) change_much(pair->p->store, seed++);
        if (seed == 4)
            import(pair->p->store, 0x13, FR_DEVICE_REPLACE, 0x70b3d50000000003, 19000, 50);
        if (seed < 8) assert_true(applied.state.has_image);
    }
    assert_int_equal(seed, 8);
    follow(pair->p->store, pair->r, ROOM);
    assert_same(pair->p->store, pair->r);
}

static void what_was_undone_is_not_told(void **state)
{
    struct pair *pair = *state;
    struct fr_change_by by = by_tester();
    struct fr_batch *batch = NULL;
    struct fr_change *change = NULL;
    uint64_t sequence = 0;

    follow(pair->p->store, pair->r, ROOM);
    assert_int_equal(fr_batch_begin(pair->p->store, NULL, &batch), FR_OK);
    const char *ids[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fr_batch_change(batch, &by, NULL, &change), FR_OK);
        add_member(change, ids[i]);
        if (i == 1)
            fr_change_cancel(change);
        else
            assert_int_equal(fr_change_commit(change, NULL, &sequence), FR_OK);
    }
    assert_int_equal(fr_batch_commit(batch, NULL), FR_OK);
    change = begin_change(pair->p->store);
    add_member(change, "four");
    fr_change_cancel(change);
    uint64_t position = state_of(pair->p->store).head.position;
    follow(pair->p->store, pair->r, ROOM);
    assert_int_equal(state_of(pair->r).head.position, position);
    assert_same(pair->p->store, pair->r);
}

static void counts_of_lookups_stay_at_home(void **state)
{
    static const struct fr_lookup_row row = {20000, "bolt", 0x13, 2};
    struct pair *pair = *state;

    follow(pair->p->store, pair->r, ROOM);
    uint64_t position = state_of(pair->p->store).head.position;
    assert_int_equal(fr_lookups_add(pair->p->store, &row, 1), FR_OK);
    assert_int_equal(fr_lookups_add(pair->r, &row, 1), FR_OK); /* a replica counts, too */
    assert_int_equal(state_of(pair->p->store).head.position, position);
    assert_same(pair->p->store, pair->r);
}

static void a_replica_is_not_changed_by_others(void **state)
{
    struct pair *pair = *state;
    struct fr_change_by by = by_tester();
    const uint64_t eui = 0x70b3d50000000001;
    const struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};
    struct fr_change *change = NULL;
    struct fr_bulk *bulk = NULL;
    struct fr_diag diag = {0};
    bool done = false;

    follow(pair->p->store, pair->r, ROOM);
    assert_int_equal(fr_store_change(pair->r, &by, &diag, &change), FR_E_DENIED);
    assert_non_null(strstr(diag.what, PRIMARY));
    assert_int_equal(fr_bulk_new(pair->r, &job, &by, &diag, &bulk), FR_E_DENIED);
    assert_int_equal(fr_bulk_tidy(pair->r, 10, &done), FR_OK);
    assert_true(done);
    assert_int_equal(fr_feed_make_replica(pair->p->store, PRIMARY, &diag), FR_E_CONFLICT);
    assert_same(pair->p->store, pair->r);
}

/* --- what is not taken --- */

static void feeds_of_others_are_refused(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_applied applied;
    struct fr_diag diag = {0};
    void *dir = NULL;

    follow(pair->p->store, pair->r, ROOM);
    assert_int_equal(tmp_setup(&dir), 0);
    struct fr_store *other = make_store(dir, "other.test");
    assert_int_equal(fr_feed_turn_on(other), FR_OK);
    assert_int_equal(pull(other, pair->r, ROOM, &applied, &diag), FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "other.test"));
    fr_store_close(other);
    tmp_teardown(&dir);
    assert_int_equal(pull(pair->r, pair->p->store, ROOM, &applied, &diag), FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "no replica"));
    assert_same(pair->p->store, pair->r);
}

/* The primary's disk was put back to an earlier state. */
static void a_primary_that_went_back_is_refused(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_applied applied;
    struct fr_diag diag = {0};
    void *dir = NULL;

    follow(pair->p->store, pair->r, ROOM);
    assert_int_equal(tmp_setup(&dir), 0);
    assert_int_equal(fr_store_copy(pair->p->store, dir, NULL), FR_OK);
    change_much(pair->p->store, 1);
    follow(pair->p->store, pair->r, ROOM);
    struct fr_store_options options = store_options(dir);
    struct fr_store *old = NULL;
    assert_int_equal(fr_store_open(&options, NULL, &old), FR_OK);
    uint64_t position = state_of(pair->r).head.position;
    assert_int_equal(pull(old, pair->r, ROOM, &applied, &diag), FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "gone back"));
    assert_int_equal(state_of(pair->r).head.position, position);
    fr_store_close(old);
    tmp_teardown(&dir);
}

/* Cut at every length, and with every byte another: an error or not, never a crash, and a store that still opens. */
static void damaged_messages_do_no_harm(void **state)
{
    struct pair *pair = *state;
    struct fr_buf message = FR_BUF_INIT(FR_TAP_MAX);
    struct fr_feed_applied applied;

    follow(pair->p->store, pair->r, ROOM);
    struct fr_change *change = begin_change(pair->p->store);
    add_member(change, "newcomer");
    commit_change(change);
    exchange(pair->p->store, pair->r, ROOM, &message);
    for (size_t n = 0; n < message.n; n++) {
        uint8_t *copy = malloc(n + 1);
        memcpy(copy, message.p, n);
        enum fr_err err = fr_feed_apply(pair->r, fr_span(copy, n), NULL, &applied);
        free(copy);
        assert_true(err != FR_OK || applied.entries == 0);
    }
    for (size_t i = 0; i < message.n; i++) {
        uint8_t was = message.p[i];
        message.p[i] ^= (uint8_t)(1u << (i % 8));
        (void)fr_feed_apply(pair->r, fr_buf_span(&message), NULL, &applied);
        message.p[i] = was;
    }
    (void)state_of(pair->r);
    fr_buf_deinit(&message);
}

/* One operation that no honest primary sends, as its next entry. */
static void rows_of_the_machine_are_not_taken(void **state)
{
    static const struct fr_row_op ops[] = {
        {FR_ROW_PUT, FR_DB_META, TEXT(FR_META_ROLE), TEXT("12345678")},
        {FR_ROW_DELETE, FR_DB_META, TEXT(FR_META_TERM), {NULL, 0}},
        {FR_ROW_DROP, FR_DB_META, TEXT("zzz"), {NULL, 0}},
        {FR_ROW_PUT, FR_DB_META, TEXT("federation"), TEXT("other.test")},
        {FR_ROW_DELETE, FR_DB_META, TEXT("federation"), {NULL, 0}},
        {FR_ROW_PUT, FR_DB_META, TEXT("sequence"), TEXT("1234567")},
        {FR_ROW_DELETE, FR_DB_META, TEXT("sequence"), {NULL, 0}},
        {FR_ROW_PUT, FR_DB_META, TEXT("generation"), TEXT("\0\0\0\0\0\0\0\2")},
        {FR_ROW_PUT, FR_TABLE_LOOKUPS, TEXT("key"), TEXT("value")},
        {FR_ROW_DROP, FR_TABLE_FEED, TEXT("zzz"), {NULL, 0}},
    };
    struct pair *pair = *state;
    struct fr_feed_applied applied;

    follow(pair->p->store, pair->r, ROOM);
    const uint64_t position = state_of(pair->r).head.position;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct fr_buf bytes = FR_BUF_INIT(4096);
        struct fr_txn *txn = NULL;
        uint8_t key[8];
        fr_row_op_write(&bytes, &ops[i]);
        const struct fr_feed_entry entry = {
            .position = position + 1, .term = 1, .ops = fr_buf_span(&bytes)};
        assert_int_equal(fr_txn_write_local(pair->p->store->db, &txn), FR_OK);
        assert_int_equal(fr_feed_add(txn, &entry), FR_OK);
        assert_int_equal(fr_txn_commit(txn), FR_OK);
        assert_int_equal(pull(pair->p->store, pair->r, ROOM, &applied, NULL), FR_E_MALFORMED);
        assert_int_equal(state_of(pair->r).role, FR_ROLE_REPLICA);
        assert_int_equal(state_of(pair->r).head.position, position);
        assert_int_equal(fr_txn_write_local(pair->p->store->db, &txn), FR_OK);
        assert_int_equal(fr_txn_delete(txn, FR_TABLE_FEED, fr_feed_key(position + 1, key)), FR_OK);
        assert_int_equal(fr_txn_commit(txn), FR_OK);
        fr_buf_deinit(&bytes);
    }
}

static void asks_are_read_strictly(void **state)
{
    static const char *const bad[] = {
        "",
        "term=1",
        "have=1",
        "have=1.x&term=1",
        "have=1.1.1",
        "have=-1.1",
        "have=1.99999999999",
        "have=1.1&image=1.1",
        "have=1.1&image=1.1.1.abc",
        "have=1.1&image=1.1.999.ab",
        "have=1.1&term=x",
    };
    struct fr_feed_ask ask;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(fr_feed_ask_parse(fr_span_str(bad[i]), &ask), FR_E_MALFORMED);
    assert_int_equal(fr_feed_ask_parse(FR_SPAN_LIT("wait=5&have=7.2&term=3"), &ask), FR_OK);
    assert_int_equal(ask.have.position, 7);
    assert_int_equal(ask.term, 3);
    assert_false(ask.wants_image);
}

/* --- promotion --- */

static void promoted_and_followed_by_the_old_primary(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_state now;
    struct fr_feed_applied applied;
    struct fr_feed_message_head head;
    struct fr_feed_fork fork;
    struct fr_diag diag = {0};
    struct fr_buf message = FR_BUF_INIT(FR_TAP_MAX);
    struct fr_span rest;

    change_much(pair->p->store, 1);
    assert_true(state_of(pair->r).has_image); /* nothing has come yet */
    assert_int_equal(fr_feed_promote(pair->r, false, &diag, &now), FR_E_CONFLICT);
    assert_int_equal(fr_feed_promote(pair->r, true, &diag, &now), FR_OK);
    assert_int_equal(now.term, 2);
    assert_int_equal(fr_feed_promote(pair->r, false, &diag, &now), FR_E_CONFLICT);
    assert_int_equal(fr_feed_depose(pair->p->store, 1, now.forks, 1, PRIMARY), FR_E_CONFLICT);
    depose(pair->p->store, &now);
    assert_int_equal(fr_feed_depose(pair->p->store, 3, now.forks, 1, PRIMARY), FR_E_CONFLICT);

    struct fr_change_by by = by_tester();
    struct fr_change *change = NULL;
    assert_int_equal(fr_store_change(pair->p->store, &by, &diag, &change), FR_E_DENIED);
    assert_non_null(strstr(diag.what, "taken over"));
    assert_int_equal(fr_feed_follow(pair->p->store, PRIMARY), FR_E_CONFLICT);
    assert_int_equal(fr_feed_note_saved(pair->p->store), FR_OK);
    assert_int_equal(fr_feed_follow(pair->p->store, PRIMARY), FR_OK);

    change = begin_change(pair->r);
    add_member(change, "later");
    commit_change(change);
    exchange(pair->r, pair->p->store, ROOM, &message);
    assert_int_equal(fr_feed_head_read(fr_buf_span(&message), &head, &rest), FR_OK);
    assert_int_equal(head.kind, FR_FEED_DIFFERENT);
    assert_true(fr_feed_find_fork(head.forks, head.n_forks, 1, &fork));
    assert_int_equal(fork.term, 2);
    assert_int_equal(fork.sequence, 0);
    assert_false(fr_feed_find_fork(head.forks, head.n_forks, 2, &fork));
    fr_buf_deinit(&message);
    follow(pair->r, pair->p->store, ROOM);
    assert_same(pair->r, pair->p->store);
    /* and it does not go back to an older one */
    assert_int_equal(fr_feed_promote(pair->p->store, false, &diag, &now), FR_OK);
    assert_int_equal(now.term, 3);
    assert_int_equal(now.n_forks, 2);
    (void)applied;
}

static void tell_damage(void *data, const struct fr_finding *finding)
{
    (void)data;
    if (finding->kind == FR_FINDING_DAMAGE) fail_msg("%s", finding->what);
}

/* The list of an import in place is where it began. Whoever takes over in its middle ends it, and tells. */
static void an_import_that_was_cut_short_ends_where_another_takes_over(void **state)
{
    struct pair *pair = *state;
    struct fr_change_by by = by_tester();
    struct fr_check_report report;
    struct fr_bulk_pending pending;
    struct fr_journal_record record;
    struct fr_feed_state now;
    struct fr_list *list = NULL;
    struct fr_bulk *bulk = NULL;
    bool done = false;
    enum fr_err err = FR_E_NOT_FOUND;

    import(pair->p->store, 0x13, FR_DEVICE_ADD, 0x70b3d50000000000, 100000, 100);
    assert_int_equal(fr_list_new(fr_store_dir(pair->p->store), NULL, &list), FR_OK);
    for (uint32_t i = 0; i < 11000; i++)
        assert_int_equal(fr_list_add(list, 0x80b3d50000000000 + 3 * i, i, NULL), FR_OK);
    struct fr_device_job job = {.netid = 0x2b, .mode = FR_DEVICE_ADD, .list = list};
    assert_int_equal(fr_bulk_new(pair->p->store, &job, &by, NULL, &bulk), FR_OK);
    while (err == FR_E_NOT_FOUND) { /* until its first rows are written */
        assert_int_equal(fr_bulk_step(bulk, 2, NULL, &done), FR_OK);
        assert_false(done);
        struct fr_snap *snap = begin_snap(pair->p->store);
        err = fr_bulk_find_pending(snap, &pending);
        fr_snap_end(snap);
    }
    follow(pair->p->store, pair->r, ROOM);
    uint64_t some = network_devices(pair->r, 0x2b), sequence = state_of(pair->r).sequence;
    char *stale =
        fr_path_join(pair->dir, "import.pending"); /* from when this machine was primary */
    assert_int_equal(fr_file_write(stale, 0600, FR_SPAN_LIT("another list"), NULL), FR_OK);
    assert_int_equal(fr_feed_promote(pair->r, false, NULL, &now), FR_OK);
    assert_false(fr_file_exists(stale));
    fr_free(stale);
    for (done = false; !done;) assert_int_equal(fr_bulk_tidy(pair->r, 100, &done), FR_OK);
    struct fr_snap *snap = begin_snap(pair->r);
    assert_int_equal(fr_bulk_find_pending(snap, &pending), FR_E_NOT_FOUND);
    assert_int_equal(fr_journal_next(snap, sequence + 1, &record), FR_OK);
    assert_non_null(strstr(record.reason, "cut short"));
    assert_string_equal(record.actor, by.actor);
    assert_int_equal(fr_journal_next(snap, sequence + 2, &record), FR_E_NOT_FOUND);
    assert_int_equal(fr_check_store(snap, tell_damage, NULL, &report), FR_OK);
    fr_snap_end(snap);
    assert_int_equal(network_devices(pair->r, 0x2b), some);
    /* and the same list can be brought in again */
    import(pair->r, 0x2b, FR_DEVICE_ADD, 0x80b3d50000000000, 11000, 100);
    assert_int_equal(network_devices(pair->r, 0x2b), 11000);
    fr_bulk_free(bulk);
    fr_list_free(list);
}

/* With its history whole the old primary needs no image. */
static void a_fork_without_loss_goes_on_by_entries(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_state now;
    struct fr_feed_applied applied;

    change_much(pair->p->store, 1);
    follow(pair->p->store, pair->r, ROOM);
    assert_int_equal(fr_feed_promote(pair->r, false, NULL, &now), FR_OK);
    change_much(pair->r, 2);
    depose(pair->p->store, &now);
    assert_int_equal(fr_feed_note_saved(pair->p->store), FR_OK);
    assert_int_equal(fr_feed_follow(pair->p->store, PRIMARY), FR_OK);
    assert_int_equal(pull(pair->r, pair->p->store, ROOM, &applied, NULL), FR_OK);
    assert_int_equal(applied.head.kind, FR_FEED_ENTRIES);
    assert_true(applied.entries > 0);
    assert_same(pair->r, pair->p->store);
    assert_int_equal(state_of(pair->p->store).term, 2);
    struct fr_diag diag = {0};
    assert_int_equal(fr_feed_promote(pair->p->store, false, NULL, &now), FR_OK);
    depose(pair->r, &now);
    assert_int_equal(fr_feed_note_saved(pair->r), FR_OK);
    assert_int_equal(fr_feed_follow(pair->r, PRIMARY), FR_OK);
    follow(pair->p->store, pair->r, ROOM);
    assert_same(pair->r, pair->p->store);
    assert_int_equal(state_of(pair->r).n_forks, 2);
    (void)diag;
}

static void half_an_image_is_not_promoted_by_accident(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_applied applied;
    struct fr_feed_state now;
    struct fr_diag diag = {0};

    import(pair->p->store, 0x13, FR_DEVICE_ADD, 0x70b3d50000000000, 20000, 50);
    assert_int_equal(pull(pair->p->store, pair->r, 4096, &applied, NULL), FR_OK);
    assert_int_equal(fr_feed_promote(pair->r, false, &diag, &now), FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "not whole"));
    follow(pair->p->store, pair->r, ROOM); /* goes on */
    assert_same(pair->p->store, pair->r);
}

static void who_is_too_far_behind_takes_an_image(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_applied applied;
    bool left = true;

    follow(pair->p->store, pair->r, ROOM);
    change_much(pair->p->store, 1);
    while (left) assert_int_equal(fr_feed_trim(pair->p->store, (int64_t)1 << 40, &left), FR_OK);
    struct fr_feed_state state_p = state_of(pair->p->store);
    assert_int_equal(state_p.base.position, state_p.head.position);
    assert_int_equal(pull(pair->p->store, pair->r, ROOM, &applied, NULL), FR_OK);
    assert_int_equal(applied.head.kind, FR_FEED_IMAGE);
    follow(pair->p->store, pair->r, ROOM);
    assert_same(pair->p->store, pair->r);
    change_much(pair->p->store, 2);
    assert_int_equal(pull(pair->p->store, pair->r, ROOM, &applied, NULL), FR_OK);
    assert_int_equal(applied.head.kind, FR_FEED_ENTRIES);
    assert_same(pair->p->store, pair->r);
}

static uint64_t kept_entries(struct fr_store *store, int64_t now_s)
{
    bool left = true;

    while (left) assert_int_equal(fr_feed_trim(store, now_s, &left), FR_OK);
    struct fr_feed_state s = state_of(store);
    return s.head.position - s.base.position;
}

static void entries_are_kept_as_long_as_the_journal(void **state)
{
    struct pair *pair = *state;
    const int64_t now_s = fr_clock_real_s(fr_clock_system());

    change_much(pair->p->store, 1);
    assert_true(kept_entries(pair->p->store, now_s + 89 * 86400LL) > 0);
    struct fr_change *change = begin_change(pair->p->store);
    assert_int_equal(fr_policy_set(change, FR_POLICY_JOURNAL_KEEP, "100d", NULL), FR_OK);
    commit_change(change);
    assert_true(kept_entries(pair->p->store, now_s + 99 * 86400LL) > 0);
    change = begin_change(pair->p->store);
    assert_int_equal(fr_policy_set(change, FR_POLICY_JOURNAL_KEEP, "2d", NULL), FR_OK);
    commit_change(change);
    assert_true(kept_entries(pair->p->store, now_s + 86400LL) > 0);
    assert_int_equal(kept_entries(pair->p->store, now_s + 3 * 86400LL), 0);
}

/* Of a transaction nobody sees a part, however small the messages are. */
static void a_transaction_arrives_whole(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_applied applied;

    change_much(pair->p->store, 1);
    follow(pair->p->store, pair->r, ROOM);
    add_devices(pair->p->store, 0x13, 0x70b3d50000000000, 2000);
    add_devices(pair->p->store, 0x13, 0x80b3d50000000000, 1);
    uint64_t before = network_devices(pair->r, 0x13);
    assert_int_equal(pull(pair->p->store, pair->r, 1, &applied, NULL), FR_OK);
    assert_true(applied.entries > 5);
    assert_true(applied.is_behind); /* the second one is not there yet */
    assert_int_equal(network_devices(pair->r, 0x13), before + 2000);
    assert_int_equal(pull(pair->p->store, pair->r, 1, &applied, NULL), FR_OK);
    assert_false(applied.is_behind);
    assert_same(pair->p->store, pair->r);
}

static void what_was_erased_is_not_kept_for_long(void **state)
{
    struct pair *pair = *state;
    const uint64_t eui = 0x70b3d50000000007;
    const int64_t now_s = fr_clock_real_s(fr_clock_system());
    bool done = false;

    add_devices(pair->p->store, 0x13, eui, 1);
    follow(pair->p->store, pair->r, ROOM);
    assert_true(kept_entries(pair->p->store, now_s + 2 * FR_FEED_ERASED_S) > 0);
    struct fr_erasure erasure = {
        .euis = &eui, .n = 1, .since = state_of(pair->p->store).sequence + 1};
    while (!done) assert_int_equal(fr_erase_step(pair->p->store, &erasure, 100, &done), FR_OK);
    assert_true(erasure.facts > 0);
    follow(pair->p->store, pair->r, ROOM); /* who is not an hour behind goes on as before */
    assert_same(pair->p->store, pair->r);
    assert_true(kept_entries(pair->p->store, now_s + FR_FEED_ERASED_S - 60) > 0);
    assert_int_equal(kept_entries(pair->p->store, now_s + FR_FEED_ERASED_S + 60), 0);
    assert_int_equal(kept_entries(pair->r, now_s + FR_FEED_ERASED_S + 60), 0); /* there too */
    add_devices(pair->p->store, 0x13, eui + 1, 1);
    follow(pair->p->store, pair->r, ROOM);
    assert_true(kept_entries(pair->p->store, now_s + 2 * FR_FEED_ERASED_S) > 0);
    assert_same(pair->p->store, pair->r);
}

/* What was changed before the feed was on is in no entry. */
static void a_feed_begins_with_an_image(void **state)
{
    struct pair *pair = *state;
    struct fr_feed_state at = state_of(pair->p->store);

    assert_int_equal(at.head.position, 1);
    assert_int_equal(at.base.position, 1);
    assert_int_equal(at.term, 1);
    assert_int_equal(fr_feed_turn_on(pair->p->store), FR_OK); /* it is */
    assert_int_equal(state_of(pair->p->store).head.position, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(a_replica_becomes_the_same_and_stays_it),
        PAIR_TEST(imports_arrive_whole),
        PAIR_TEST(changes_during_an_image_are_not_lost),
        PAIR_TEST(what_was_undone_is_not_told),
        PAIR_TEST(counts_of_lookups_stay_at_home),
        PAIR_TEST(a_replica_is_not_changed_by_others),
        PAIR_TEST(feeds_of_others_are_refused),
        PAIR_TEST(a_primary_that_went_back_is_refused),
        PAIR_TEST(damaged_messages_do_no_harm),
        PAIR_TEST(rows_of_the_machine_are_not_taken),
        PAIR_TEST(asks_are_read_strictly),
        PAIR_TEST(promoted_and_followed_by_the_old_primary),
        PAIR_TEST(an_import_that_was_cut_short_ends_where_another_takes_over),
        PAIR_TEST(a_fork_without_loss_goes_on_by_entries),
        PAIR_TEST(half_an_image_is_not_promoted_by_accident),
        PAIR_TEST(who_is_too_far_behind_takes_an_image),
        PAIR_TEST(entries_are_kept_as_long_as_the_journal),
        PAIR_TEST(a_transaction_arrives_whole),
        PAIR_TEST(what_was_erased_is_not_kept_for_long),
        PAIR_TEST(a_feed_begins_with_an_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
