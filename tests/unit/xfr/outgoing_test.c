#include "xfr/outgoing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "support/unit.h"
#include "unit/store/fixture.h"

/* What a secondary holds, as lines of a master file, sorted. The oracle is the store itself, read in one go. */

struct set {
    char **lines;
    size_t n, room;
};

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void set_add(struct set *set, const struct fr_rr *rr)
{
    struct fr_buf text = FR_BUF_INIT(4096);

    if (set->n == set->room) {
        set->room = set->room ? set->room * 2 : 64;
        set->lines = realloc(set->lines, set->room * sizeof *set->lines);
        assert_non_null(set->lines);
    }
    assert_int_equal(fr_rr_print(rr, &text), FR_OK);
    set->lines[set->n++] = strdup(fr_buf_str(&text));
    fr_buf_deinit(&text);
}

static void set_sort(struct set *set)
{
    if (set->n) qsort(set->lines, set->n, sizeof *set->lines, by_line);
}

/* An IXFR that takes away what is not there is refused by BIND ("not exact"). */
static void set_remove(struct set *set, const struct fr_rr *rr)
{
    struct fr_buf text = FR_BUF_INIT(4096);

    assert_int_equal(fr_rr_print(rr, &text), FR_OK);
    for (size_t i = 0; i < set->n; i++) {
        if (strcmp(set->lines[i], fr_buf_str(&text)) != 0) continue;
        free(set->lines[i]);
        set->lines[i] = set->lines[--set->n];
        fr_buf_deinit(&text);
        return;
    }
    fail_msg("not there: %s", fr_buf_str(&text));
}

static void set_clear(struct set *set)
{
    for (size_t i = 0; i < set->n; i++) free(set->lines[i]);
    free(set->lines);
    *set = (struct set){0};
}

static void assert_same(struct set *got, struct set *want, const char *when)
{
    set_sort(got);
    set_sort(want);
    for (size_t i = 0; i < got->n && i < want->n; i++)
        if (strcmp(got->lines[i], want->lines[i]) != 0)
            fail_msg("%s: got %swant %s", when, got->lines[i], want->lines[i]);
    assert_int_equal(got->n, want->n);
}

/* --- the oracle --- */

struct reading {
    const struct fr_zone *zone;
    struct fr_snap *snap;
    uint32_t ttl_s;
    struct set *set;
};

static enum fr_err read_record(void *data, const struct fr_record *record)
{
    const struct reading *r = data;
    struct fr_rr rr;

    assert_int_equal(fr_zone_rr(r->zone, record, &rr), FR_OK);
    set_add(r->set, &rr);
    return FR_OK;
}

static enum fr_err read_network(void *data, const struct fr_network_row *row)
{
    struct reading *r = data;
    enum fr_err err = fr_records_network(r->snap, row->netid, NOW, read_record, r);

    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err read_joineui(void *data, const struct fr_joineui_row *row)
{
    struct reading *r = data;
    enum fr_err err = fr_records_joineui(r->snap, row->joineui, read_record, r);

    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err read_device(void *data, const struct fr_device_row *row)
{
    struct reading *r = data;
    struct fr_network_row network;
    struct fr_record record = {.owner = {.kind = FR_OWNER_DEVEUI, .eui = row->deveui},
                               .type = FR_RECORD_CNAME,
                               .ttl_s = r->ttl_s};

    record.data.target = (struct fr_owner){.kind = FR_OWNER_NETID, .netid = row->netid};
    if ((row->flags & FR_DEVICE_HIDDEN) != 0 ||
        fr_network_get_live(r->snap, row->netid, &network) != FR_OK)
        return FR_OK;
    return read_record(r, &record);
}

static void oracle(struct fixture *f, const struct fr_zone *zone, struct set *set)
{
    struct reading r = {.zone = zone, .snap = begin_snap(f->store), .set = set};

    set_clear(set);
    assert_int_equal(fr_policy_get(r.snap, FR_POLICY_TTL_DEVEUI, &r.ttl_s), FR_OK);
    assert_int_equal(fr_records_apex(r.snap, read_record, &r), FR_OK);
    assert_int_equal(fr_network_each(r.snap, read_network, &r), FR_OK);
    assert_int_equal(fr_joineui_each(r.snap, read_joineui, &r), FR_OK);
    assert_int_equal(fr_device_each(r.snap, 0, 0, read_device, &r), FR_OK);
    fr_snap_end(r.snap);
}

/* --- a secondary --- */

struct secondary {
    struct set set;
    uint32_t serial;
    bool has_serial;
};

struct world {
    struct fixture *f;
    struct fr_zone zone;
    struct fr_zone_history history;
};

static void world_init(struct world *w, struct fixture *f)
{
    *w = (struct world){.f = f};
    assert_int_equal(fr_zone_init(&w->zone, FED), FR_OK);
}

static enum fr_err begin(struct world *w, uint16_t type, uint32_t have, struct fr_outgoing **out)
{
    const struct fr_xfr_ask ask = {.id = 7, .zone = w->zone.apex, .type = type, .have = have};
    const struct fr_outgoing_options options = {
        .store = w->f->store, .zone = &w->zone, .history = &w->history, .ask = &ask, .now_s = NOW};

    return fr_outgoing_begin(&options, out);
}

/* The records of a transfer as RFC 5936 and RFC 1995 mean them. */
struct taking {
    struct secondary *to;
    enum fr_outgoing_kind kind;
    unsigned soas;
    uint32_t last;
    struct fr_rr soa;
};

static void take_record(struct taking *t, const struct fr_rr *rr)
{
    struct set *set = &t->to->set;

    if (rr->type == FR_DNS_SOA) {
        t->soas++;
        if (t->soas == 1) {
            t->last = rr->data.soa.serial;
            t->soa = *rr;
        } else if (t->kind == FR_OUTGOING_CHANGES && t->soas == 2) {
            assert_int_equal(rr->data.soa.serial, t->to->serial);
            set_remove(set, rr);
        } else {
            assert_int_equal(rr->data.soa.serial, t->last);
        }
        return;
    }
    if (t->kind == FR_OUTGOING_CHANGES && t->soas == 2)
        set_remove(set, rr);
    else
        set_add(set, rr);
}

static void take_message(struct taking *t, struct fr_span message, bool is_first)
{
    struct fr_rd r = fr_rd(message);
    struct fr_rr rr;

    assert_int_equal(fr_rd_u16(&r), 7);
    assert_int_equal(fr_rd_u16(&r), FR_DNS_QR | FR_DNS_AA);
    assert_int_equal(fr_rd_u16(&r), is_first ? 1 : 0);
    unsigned n = fr_rd_u16(&r);
    fr_rd_skip(&r, 4);
    if (is_first) {
        struct fr_dname name;
        fr_dns_name_read(&r, &name);
        fr_rd_skip(&r, 4);
    }
    while (n-- > 0) {
        fr_rr_read(&r, &rr);
        assert_int_equal(fr_rd_err(&r), FR_OK);
        take_record(t, &rr);
    }
    assert_int_equal(fr_rd_end(&r), FR_OK);
}

static enum fr_outgoing_kind take(struct world *w, struct secondary *to, size_t size,
                                  void (*between)(struct world *w, unsigned message))
{
    struct fr_outgoing *outgoing = NULL;
    uint8_t *memory = malloc(size);
    bool done = false;

    assert_non_null(memory);
    assert_int_equal(begin(w, to->has_serial ? FR_DNS_IXFR : FR_DNS_AXFR, to->serial, &outgoing),
                     FR_OK);
    struct taking t = {.to = to, .kind = fr_outgoing_kind(outgoing)};
    if (t.kind == FR_OUTGOING_FULL) set_clear(&to->set);
    for (unsigned i = 0; !done; i++) {
        size_t n = 0;
        assert_int_equal(fr_outgoing_next(outgoing, memory, size, &n, &done), FR_OK);
        take_message(&t, fr_span(memory, n), i == 0);
        if (between) between(w, i);
    }
    if (t.kind != FR_OUTGOING_CURRENT) {
        assert_int_equal(t.soas, t.kind == FR_OUTGOING_FULL ? 2 : 4);
        set_add(&to->set, &t.soa);
    }
    assert_int_equal(fr_outgoing_serial(outgoing), t.last);
    to->serial = t.last;
    to->has_serial = true;
    fr_outgoing_free(outgoing);
    free(memory);
    return t.kind;
}

/* --- changes --- */

static void apply(struct fr_change *change, uint32_t netid, enum fr_device_mode mode,
                  const uint64_t *euis, size_t n)
{
    struct fr_device_report report;
    const struct fr_device_job job = {
        .netid = netid, .mode = mode, .euis = euis, .n = n, .keep_going = true};

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
}

static void suspend(struct fr_change *change, const char *id, enum fr_member_state state)
{
    struct fr_member_row row;

    assert_int_equal(fr_member_get(fr_change_snap(change), id, &row), FR_OK);
    row.state = state;
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
}

static unsigned pick(unsigned n)
{
    return (unsigned)(rand() % (int)n);
}

/* Rare ones make the whole zone necessary. */
static void change_something(struct fixture *f, bool has_rare)
{
    static const uint32_t netids[] = {0x13, 0x2a, 0x2b};
    struct fr_change *change = begin_change(f->store);
    uint64_t euis[3];
    struct fr_addr endpoints[2] = {addr("192.0.2.1:8005"), addr("[2001:db8::1]:8006")};
    bool is_suspended = false;

    for (size_t i = 0; i < 3; i++) euis[i] = 0x1000 + pick(60);
    switch (pick(has_rare ? 10 : 8)) {
    case 0:
    case 1:
    case 2: apply(change, netids[pick(3)], FR_DEVICE_ADD, euis, 3); break;
    case 3: apply(change, netids[pick(3)], FR_DEVICE_MOVE, euis, 2); break;
    case 4: apply(change, 0, FR_DEVICE_REMOVE, euis, 2); break;
    case 5: {
        uint64_t changed;
        (void)fr_device_set_hidden(change, euis, 1, pick(2) == 0, NULL, &changed);
        break;
    }
    case 6:
        endpoints[0].port = (uint16_t)(8000 + pick(4));
        assert_int_equal(
            fr_network_set_endpoints(change, netids[pick(3)], endpoints, pick(3), NULL), FR_OK);
        break;
    case 7:
        if (pick(2))
            assert_int_equal(
                fr_joineui_set(change, 0x70b3d57ed0000000 + pick(3), "acme", endpoints, 1, NULL),
                FR_OK);
        else
            (void)fr_joineui_remove(change, 0x70b3d57ed0000000 + pick(3), NULL);
        break;
    default:
        is_suspended = pick(2) == 0;
        suspend(change, "bolt", is_suspended ? FR_MEMBER_SUSPENDED : FR_MEMBER_ACTIVE);
        break;
    }
    commit_change(change);
}

/* --- tests --- */

static void secondaries_stay_exact(void **state)
{
    struct world w;
    struct secondary often = {0}, seldom = {0};
    struct set want = {0};
    unsigned kinds[3] = {0};
    const int steps = getenv("FR_LONG") ? 20000 : 250;

    world_init(&w, *state);
    srand(11);
    for (int i = 0; i < steps; i++) {
        change_something(w.f, i % 10 == 9);
        if (i % 60 == 59) fr_zone_history_deinit(&w.history); /* a restart */
        kinds[take(&w, &often, 512 + pick(2000), NULL)]++;
        oracle(w.f, &w.zone, &want);
        assert_same(&often.set, &want, "often");
        if (i % 17 != 16) continue;
        take(&w, &seldom, 16384, NULL);
        assert_same(&seldom.set, &want, "seldom");
    }
    assert_true(kinds[FR_OUTGOING_CHANGES] > (unsigned)steps / 3);
    assert_true(kinds[FR_OUTGOING_FULL] > 1);
    set_clear(&want);
    set_clear(&often.set);
    set_clear(&seldom.set);
    fr_zone_history_deinit(&w.history);
}

#define MANY 9000

static void fill(struct world *w)
{
    static uint64_t euis[MANY];
    struct fr_change *change = begin_change(w->f->store);

    for (size_t i = 0; i < MANY; i++) euis[i] = 0x100 + 2 * i;
    apply(change, 0x13, FR_DEVICE_ADD, euis, MANY);
    commit_change(change);
}

/* Before, at and behind the place where the slices are; the registry, too. */
static void change_between(struct world *w, unsigned message)
{
    struct fr_change *change = begin_change(w->f->store);
    uint64_t euis[8], changed;

    for (size_t i = 0; i < 8; i++) euis[i] = 0x100 + pick(2 * MANY);
    apply(change, 0x2a, FR_DEVICE_ADD, euis, 4);
    apply(change, 0, FR_DEVICE_REMOVE, euis + 4, 4);
    euis[0] = 0x100 + 2 * (uint64_t)message;
    (void)fr_device_set_hidden(change, euis, 1, true, NULL, &changed);
    if (message == 3) suspend(change, "acme", FR_MEMBER_SUSPENDED);
    if (message == 5) suspend(change, "acme", FR_MEMBER_ACTIVE);
    commit_change(change);
}

static void a_zone_that_changes_while_it_is_sent(void **state)
{
    struct world w;
    struct secondary to = {0};
    struct set want = {0};

    world_init(&w, *state);
    srand(5);
    fill(&w);
    oracle(w.f, &w.zone, &want);
    assert_int_equal(take(&w, &to, 16384, change_between), FR_OUTGOING_FULL);
    assert_same(&to.set, &want, "as announced");
    /* and from there the changes are exact */
    oracle(w.f, &w.zone, &want);
    assert_int_equal(take(&w, &to, 16384, NULL), FR_OUTGOING_CHANGES);
    assert_same(&to.set, &want, "after");
    assert_int_equal(take(&w, &to, 16384, NULL), FR_OUTGOING_CURRENT);
    set_clear(&want);
    set_clear(&to.set);
    fr_zone_history_deinit(&w.history);
}

static void run_bulk(struct fixture *f, bool is_whole)
{
    static uint64_t euis[MANY];
    const struct fr_change_by by = by_tester();
    struct fr_bulk *bulk = NULL;
    bool done = false;
    const struct fr_device_job job = {
        .netid = 0x2a, .mode = FR_DEVICE_ADD, .euis = euis, .n = is_whole ? MANY : 40};

    for (size_t i = 0; i < MANY; i++) euis[i] = 0x900000 + i;
    assert_int_equal(fr_bulk_new(f->store, &job, &by, NULL, &bulk), FR_OK);
    while (!done) assert_int_equal(fr_bulk_step(bulk, 1000, NULL, &done), FR_OK);
    fr_bulk_free(bulk);
}

static void bulks_need_the_whole_zone(void **state)
{
    struct world w;
    struct secondary to = {0};
    struct set want = {0};
    struct fr_outgoing *outgoing = NULL;
    static uint8_t memory[16384];
    enum fr_err err = FR_OK;
    bool done = false;
    size_t n;

    world_init(&w, *state);
    fill(&w);
    take(&w, &to, 16384, NULL);
    run_bulk(w.f, false);
    assert_int_equal(take(&w, &to, 16384, NULL), FR_OUTGOING_FULL);
    oracle(w.f, &w.zone, &want);
    assert_same(&to.set, &want, "behind a bulk");
    /* one that ends while the zone is being sent ends the transfer */
    assert_int_equal(begin(&w, FR_DNS_AXFR, 0, &outgoing), FR_OK);
    assert_int_equal(fr_outgoing_next(outgoing, memory, sizeof memory, &n, &done), FR_OK);
    run_bulk(w.f, true);
    while (!err && !done) err = fr_outgoing_next(outgoing, memory, sizeof memory, &n, &done);
    assert_int_equal(err, FR_E_CONFLICT);
    fr_outgoing_free(outgoing);
    set_clear(&want);
    set_clear(&to.set);
    fr_zone_history_deinit(&w.history);
}

/* While a bulk in place is under way, what stands in the table has no serial. */
static void nothing_is_sent_during_a_bulk_in_place(void **state)
{
    struct world w;
    struct secondary to = {0};
    static uint64_t euis[600];
    const struct fr_change_by by = by_tester();
    struct fr_bulk *bulk = NULL;
    struct fr_outgoing *outgoing = NULL;
    struct fr_bulk_pending pending;
    bool done = false, was_busy = false;
    const struct fr_device_job job = {
        .netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = euis, .n = sizeof euis / sizeof euis[0]};

    world_init(&w, *state);
    fill(&w);
    for (size_t i = 0; i < job.n; i++) euis[i] = 0x800000 + i;
    assert_int_equal(fr_bulk_new(w.f->store, &job, &by, NULL, &bulk), FR_OK);
    while (!done) {
        assert_int_equal(fr_bulk_step(bulk, 0, NULL, &done), FR_OK);
        struct fr_snap *snap = begin_snap(w.f->store);
        const bool is_pending = fr_bulk_find_pending(snap, &pending) == FR_OK;
        fr_snap_end(snap);
        const enum fr_err err = begin(&w, FR_DNS_AXFR, 0, &outgoing);
        assert_int_equal(err, is_pending ? FR_E_BUSY : FR_OK);
        was_busy = was_busy || is_pending;
        if (!err) fr_outgoing_free(outgoing);
    }
    assert_true(was_busy);
    fr_bulk_free(bulk);
    take(&w, &to, 16384, NULL);
    set_clear(&to.set);
    fr_zone_history_deinit(&w.history);
}

static void serials_of_strangers(void **state)
{
    struct world w;
    struct fr_outgoing *outgoing = NULL;
    struct fr_snap *snap;

    world_init(&w, *state);
    change_something(w.f, false);
    snap = begin_snap(w.f->store);
    const uint32_t now = (uint32_t)fr_snap_sequence(snap);
    fr_snap_end(snap);
    const struct {
        const char *label;
        uint32_t have;
        enum fr_outgoing_kind kind;
    } rows[] = {
        {"the same", now, FR_OUTGOING_CURRENT},
        {"a later one", now + 1, FR_OUTGOING_CURRENT},
        {"much later", now + 0x7ffffffe, FR_OUTGOING_CURRENT},
        {"before there was anything", now - 1000, FR_OUTGOING_FULL},
        {"half the circle behind", now - 0x7fffffff, FR_OUTGOING_FULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(begin(&w, FR_DNS_IXFR, rows[i].have, &outgoing), FR_OK);
        if (fr_outgoing_kind(outgoing) != rows[i].kind) fail_msg("%s", rows[i].label);
        fr_outgoing_free(outgoing);
    }
    fr_zone_history_deinit(&w.history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(secondaries_stay_exact),    STORE_TEST(a_zone_that_changes_while_it_is_sent),
        STORE_TEST(bulks_need_the_whole_zone), STORE_TEST(nothing_is_sent_during_a_bulk_in_place),
        STORE_TEST(serials_of_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
