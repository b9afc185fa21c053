/* Who owns what, against a model: random claims, releases, moves, lists, suspensions, rollbacks, aborted changes and reopened stores;
 * the store, the answers and the export always say the same, and no device belongs to two members.
 * 5 000 steps; with FR_LONG 100 000. FR_SEED repeats a run. */
#include "answer/answer.h"
#include "store/block.h"
#include "store/check.h"
#include "store/export.h"
#include "store/release.h"
#include "store/rollback.h"
#include "unit/db/tmp.h"

#include "dns/types.h"
#include "store/device.h"
#include "store/member.h"
#include "store/network.h"

#include <inttypes.h>
#include <string.h>

#define FED "fed.test"
#define DEVICES 240
#define BOUND_FROM 180 /* devices from here on are in the last member's block, which binds it */
#define MEMBERS 4
#define NETS (2 * MEMBERS)
#define NONE (-1)
#define HISTORY 128

#define EUI(i)                                                                                     \
    ((i) < BOUND_FROM ? 0x70b3d57ed0000000u + (uint64_t)(i)                                        \
                      : 0x70b3d57ee0000000u + (uint64_t)(i)-BOUND_FROM)
#define NETID(net) (0x20u + (uint32_t)(net))
#define OWNER(net) ((net) / 2)

static const char *const ids[MEMBERS] = {"acme", "bolt", "cube", "dune"};

struct device {
    int net;
    bool is_hidden;
};

struct release {
    int from, to; /* to NONE: there is none */
    int64_t until_s;
    uint64_t version;
};

struct world {
    char *dir;
    struct fr_store *store;
    struct fr_answerer *answerer;
    uint64_t seed;
    int64_t now_s;
    uint64_t image; /* no rollback to before it */
    /* the model */
    struct device devices[DEVICES];
    uint64_t versions[DEVICES];
    struct release releases[DEVICES];
    bool is_suspended[MEMBERS];
    uint64_t version;
    struct device history[HISTORY][DEVICES]; /* after transaction number % HISTORY */
    uint64_t oldest;
};

static uint32_t draw(struct world *w, uint32_t below)
{
    w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->seed >> 33) % below;
}

static uint64_t sequence_of(struct world *w)
{
    struct fr_snap *snap = NULL;

    assert_int_equal(fr_snap_begin(w->store, &snap), FR_OK);
    uint64_t sequence = fr_snap_sequence(snap);
    fr_snap_end(snap);
    return sequence;
}

static struct fr_change *begin(struct world *w)
{
    const struct fr_change_by by = {.actor = "test", .now_s = w->now_s};
    struct fr_change *change = NULL;

    assert_int_equal(fr_store_change(w->store, &by, NULL, &change), FR_OK);
    return change;
}

static void remember(struct world *w)
{
    uint64_t sequence = sequence_of(w);

    memcpy(w->history[sequence % HISTORY], w->devices, sizeof w->devices);
    if (sequence >= HISTORY && w->oldest < sequence - HISTORY + 1)
        w->oldest = sequence - HISTORY + 1;
}

static void commit(struct world *w, struct fr_change *change)
{
    uint64_t sequence = 0;

    assert_int_equal(fr_change_commit(change, NULL, &sequence), FR_OK);
    remember(w);
}

/* --- the model's rules --- */

static void set(struct world *w, int i, int net, bool is_hidden)
{
    struct device *device = &w->devices[i];

    if (device->net == net && device->is_hidden == is_hidden) return;
    *device = (struct device){net, is_hidden};
    w->versions[i] = ++w->version;
}

static bool is_released(const struct world *w, int i, int to)
{
    const struct release *r = &w->releases[i];

    return r->to == to && w->devices[i].net != NONE && r->from == OWNER(w->devices[i].net) &&
           r->until_s > w->now_s && r->version == w->versions[i];
}

enum verdict { REFUSED, NOTHING, WRITE };

static enum verdict judge(const struct world *w, int i, enum fr_device_mode mode, int net)
{
    int now = w->devices[i].net, member = net == NONE ? NONE : OWNER(net);

    if (mode == FR_DEVICE_REPLACE && now == net) return NOTHING;
    if (mode != FR_DEVICE_MOVE && member == MEMBERS - 1 && i < BOUND_FROM) return REFUSED;
    if (now == net) return NOTHING;
    if (mode == FR_DEVICE_MOVE) return now == NONE ? REFUSED : WRITE;
    if (now == NONE) return mode == FR_DEVICE_CLAIM ? REFUSED : WRITE;
    if (OWNER(now) == member || is_released(w, i, member)) return WRITE;
    return REFUSED;
}

/* A job as the model sees it; false: it is refused. */
static bool model_put(struct world *w, const struct fr_device_job *job, const int *list, int n,
                      int net)
{
    bool is_listed[DEVICES] = {false};

    for (int k = 0; k < n && !job->keep_going; k++)
        if (judge(w, list[k], job->mode, net) == REFUSED) return false;
    for (int k = 0; k < n; k++) is_listed[list[k]] = judge(w, list[k], job->mode, net) != REFUSED;
    for (int i = 0; i < DEVICES && job->mode == FR_DEVICE_REPLACE; i++)
        if (!is_listed[i] && w->devices[i].net == net) set(w, i, NONE, false);
    for (int k = 0; k < n; k++)
        if (judge(w, list[k], job->mode, net) == WRITE)
            set(w, list[k], net, w->devices[list[k]].net != NONE && w->devices[list[k]].is_hidden);
    return true;
}

static void model_remove(struct world *w, const int *list, int n, int asker)
{
    for (int k = 0; k < n; k++) {
        int now = w->devices[list[k]].net;
        if (now != NONE && (asker == NONE || OWNER(now) == asker)) set(w, list[k], NONE, false);
    }
}

/* --- steps --- */

static int draw_list(struct world *w, int *list, uint64_t *euis, int most)
{
    int n = 1 + (int)draw(w, (uint32_t)most);
    int around = (int)draw(w, DEVICES);

    for (int k = 0; k < n; k++) {
        list[k] = (around + (int)draw(w, (uint32_t)most * 3)) % DEVICES;
        euis[k] = EUI(list[k]);
    }
    return n;
}

/* An operator, the network's own member, or now and then somebody else. */
static int draw_asker(struct world *w, int net)
{
    uint32_t who = draw(w, 10);

    if (who < 3) return NONE;
    if (who < 9 && net != NONE) return OWNER(net);
    return (int)draw(w, MEMBERS);
}

static void step_put(struct world *w, enum fr_device_mode mode, int most, bool is_aborted)
{
    int list[64], net = (int)draw(w, NETS), asker = draw_asker(w, net);
    uint64_t euis[64];
    struct fr_device_report report;
    int n = draw_list(w, list, euis, most);

    if (mode == FR_DEVICE_MOVE) asker = NONE;
    struct fr_device_job job = {.netid = NETID(net),
                                .member = asker == NONE ? NULL : ids[asker],
                                .mode = mode,
                                .euis = euis,
                                .n = (size_t)n,
                                .keep_going = draw(w, 4) == 0};
    struct fr_change *change = begin(w);
    enum fr_err err = fr_device_apply(change, &job, NULL, &report);
    if (is_aborted) {
        fr_change_cancel(change);
        return;
    }
    bool is_own = asker == NONE || asker == OWNER(net);
    bool is_done = is_own && model_put(w, &job, list, n, net);
    if ((err == FR_OK) != is_done) fail_msg("mode %d: %s", (int)mode, fr_err_text(err));
    if (!is_own) assert_int_equal(err, FR_E_DENIED);
    if (err)
        fr_change_cancel(change);
    else
        commit(w, change);
}

static void step_remove(struct world *w)
{
    int list[64], asker = draw_asker(w, NONE);
    uint64_t euis[64];
    struct fr_device_report report;
    int n = draw_list(w, list, euis, 5);
    struct fr_device_job job = {.member = asker == NONE ? NULL : ids[asker],
                                .mode = FR_DEVICE_REMOVE,
                                .euis = euis,
                                .n = (size_t)n};
    struct fr_change *change = begin(w);

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    model_remove(w, list, n, asker);
    commit(w, change);
}

static void step_release(struct world *w, bool is_withdrawal)
{
    int i = (int)draw(w, DEVICES), to = (int)draw(w, MEMBERS), asker = draw_asker(w, NONE);
    int owner = w->devices[i].net == NONE ? NONE : OWNER(w->devices[i].net);
    uint64_t eui = EUI(i), count = 0;
    struct fr_release_job job = {.by = asker == NONE ? NULL : ids[asker],
                                 .euis = &eui,
                                 .n = 1,
                                 .to = ids[to],
                                 .until_s = w->now_s + 1 + draw(w, 60)};
    struct fr_change *change = begin(w);
    enum fr_err err = is_withdrawal ? fr_release_withdraw(change, &job, NULL, &count)
                                    : fr_release_put(change, &job, NULL, &count);
    bool is_own = owner != NONE && (asker == NONE || asker == owner);

    assert_int_equal(err == FR_OK, is_own && (is_withdrawal || to != owner));
    if (err) {
        fr_change_cancel(change);
        return;
    }
    w->releases[i] =
        (struct release){owner, is_withdrawal ? NONE : to, job.until_s, w->versions[i]};
    bool left = false;
    if (draw(w, 4) == 0) assert_int_equal(fr_release_sweep(change, 1000, &left), FR_OK);
    commit(w, change);
}

static void step_hide(struct world *w)
{
    int i = (int)draw(w, DEVICES);
    uint64_t eui = EUI(i), changed = 0;
    bool is_hidden = draw(w, 2) == 0;
    struct fr_change *change = begin(w);
    enum fr_err err = fr_device_set_hidden(change, &eui, 1, is_hidden, NULL, &changed);

    assert_int_equal(err, w->devices[i].net == NONE ? FR_E_NOT_FOUND : FR_OK);
    if (err) {
        fr_change_cancel(change);
        return;
    }
    set(w, i, w->devices[i].net, is_hidden);
    commit(w, change);
}

static void step_suspend(struct world *w)
{
    int m = (int)draw(w, MEMBERS);
    struct fr_change *change = begin(w);
    struct fr_member_row row;

    assert_int_equal(fr_member_get(fr_change_snap(change), ids[m], &row), FR_OK);
    w->is_suspended[m] = !w->is_suspended[m] && draw(w, 2) == 0;
    row.state = w->is_suspended[m] ? FR_MEMBER_SUSPENDED : FR_MEMBER_ACTIVE;
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    commit(w, change);
}

/* A list as a bulk, now and then given up after some steps: then nothing has happened, or it is finished by the tidying. */
static void step_bulk(struct world *w)
{
    const struct fr_change_by by = {.actor = "test", .now_s = w->now_s};
    int list[64], net = (int)draw(w, NETS);
    uint64_t euis[64], image = 0, before = sequence_of(w);
    int n = draw_list(w, list, euis, 60), left = draw(w, 4) == 0 ? (int)draw(w, 5) : 100;
    struct fr_device_job job = {.netid = NETID(net),
                                .mode = draw(w, 2) == 0 ? FR_DEVICE_ADD : FR_DEVICE_REPLACE,
                                .euis = euis,
                                .n = (size_t)n,
                                .keep_going = draw(w, 2) == 0};
    struct fr_device_report report;
    struct fr_bulk *bulk = NULL;
    bool done = false;
    enum fr_err err = fr_bulk_new(w->store, &job, &by, NULL, &bulk);

    assert_int_equal(err, FR_OK);
    while (err == FR_OK && !done && left-- > 0) err = fr_bulk_step(bulk, 1000, NULL, &done);
    fr_bulk_report(bulk, &report, &image);
    fr_bulk_free(bulk);
    for (bool is_tidy = false; !is_tidy;)
        assert_int_equal(fr_bulk_tidy(w->store, 1000, &is_tidy), FR_OK);
    if (err == FR_OK && !done) {
        assert_int_equal(sequence_of(w), before);
        return;
    }
    bool is_done = model_put(w, &job, list, n, net);
    if ((err == FR_OK) != is_done) fail_msg("a list: %s", fr_err_text(err));
    if (sequence_of(w) != before) {
        w->image = sequence_of(w);
        remember(w);
    }
}

static void step_rollback(struct world *w)
{
    uint64_t now = sequence_of(w), from = w->image > w->oldest ? w->image : w->oldest;
    uint64_t to = from + draw(w, (uint32_t)(now - from + 1));
    struct fr_rollback_report report;
    struct fr_rollback *rollback = NULL;
    struct fr_change *change = begin(w);

    assert_int_equal(fr_rollback_new(to, &rollback), FR_OK);
    assert_int_equal(fr_rollback_apply(rollback, change, NULL, &report), FR_OK);
    assert_int_equal(report.left, 0);
    fr_rollback_free(rollback);
    const struct device *then = w->history[to % HISTORY];
    for (int i = 0; i < DEVICES; i++) set(w, i, then[i].net, then[i].is_hidden);
    commit(w, change);
}

static void reopen(struct world *w)
{
    struct fr_store_options options = {.dir = w->dir, .map_size = 1u << 28};

    fr_store_close(w->store);
    w->store = NULL;
    assert_int_equal(fr_store_open(&options, NULL, &w->store), FR_OK);
}

static void step(struct world *w)
{
    uint32_t what = draw(w, 100);

    w->now_s += draw(w, 3);
    if (what < 36)
        step_put(w, FR_DEVICE_ADD, 5, false);
    else if (what < 48)
        step_remove(w);
    else if (what < 58)
        step_release(w, false);
    else if (what < 65)
        step_put(w, FR_DEVICE_CLAIM, 2, false);
    else if (what < 68)
        step_release(w, true);
    else if (what < 72)
        step_put(w, FR_DEVICE_MOVE, 2, false);
    else if (what < 78)
        step_hide(w);
    else if (what < 81)
        step_suspend(w);
    else if (what < 85)
        step_put(w, FR_DEVICE_REPLACE, 20, false);
    else if (what < 90)
        step_bulk(w);
    else if (what < 94)
        step_rollback(w);
    else if (what < 97)
        step_put(w, FR_DEVICE_ADD, 20, true);
    else
        reopen(w);
}

/* --- what is there --- */

struct walk {
    struct world *w;
    int next, n;
    uint64_t counts[NETS];
};

static enum fr_err see_device(void *data, const struct fr_device_row *row)
{
    struct walk *walk = data;
    const struct world *w = walk->w;

    while (walk->next < DEVICES && w->devices[walk->next].net == NONE) walk->next++;
    assert_true(walk->next < DEVICES);
    const struct device *device = &w->devices[walk->next];
    assert_int_equal(row->deveui, EUI(walk->next));
    assert_int_equal(row->netid, NETID(device->net));
    assert_int_equal((row->flags & FR_DEVICE_HIDDEN) != 0, device->is_hidden);
    walk->counts[device->net]++;
    walk->next++;
    walk->n++;
    return FR_OK;
}

static enum fr_err see_release(void *data, const struct fr_release_row *row)
{
    struct walk *walk = data;
    const struct world *w = walk->w;
    int i = 0;

    while (i < DEVICES && EUI(i) != row->deveui) i++;
    assert_true(i < DEVICES);
    assert_int_not_equal(w->releases[i].to, NONE);
    assert_true(is_released(w, i, w->releases[i].to));
    assert_string_equal(row->to, ids[w->releases[i].to]);
    walk->n++;
    return FR_OK;
}

static void tell_damage(void *data, const struct fr_finding *finding)
{
    (void)data;
    if (finding->kind == FR_FINDING_DAMAGE) fail_msg("%s", finding->what);
}

static void check_store(struct world *w, struct fr_snap *snap)
{
    struct walk walk = {.w = w}, released = {.w = w};
    struct fr_check_report report;
    struct fr_network_row network;
    int n = 0;

    assert_int_equal(fr_device_each(snap, 0, 0, see_device, &walk), FR_OK);
    for (int i = walk.next; i < DEVICES; i++) assert_int_equal(w->devices[i].net, NONE);
    for (int net = 0; net < NETS; net++) {
        assert_int_equal(fr_network_get(snap, NETID(net), &network), FR_OK);
        assert_int_equal(network.devices, walk.counts[net]);
        assert_string_equal(network.member, ids[OWNER(net)]);
    }
    assert_int_equal(fr_release_each(snap, NULL, w->now_s, see_release, &released), FR_OK);
    for (int i = 0; i < DEVICES; i++)
        if (w->releases[i].to != NONE && is_released(w, i, w->releases[i].to)) n++;
    assert_int_equal(released.n, n);
    assert_int_equal(fr_check_store(snap, tell_damage, NULL, &report), FR_OK);
}

/* The question of RFC 1035 4.1.2 about a device's address. */
static size_t write_query(uint64_t eui, uint8_t out[64])
{
    static const uint8_t head[] = {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 16};
    static const uint8_t tail[] = "\6deveui\3fed\4test\0\0\1\0\1";
    char hex[17];

    memcpy(out, head, sizeof head);
    snprintf(hex, sizeof hex, "%016" PRIx64, eui);
    memcpy(out + sizeof head, hex, 16);
    memcpy(out + sizeof head + 16, tail, sizeof tail - 1);
    return sizeof head + 16 + sizeof tail - 1;
}

static void check_answers(struct world *w, struct fr_snap *snap)
{
    uint8_t query[64];
    struct fr_answer answer;

    for (int i = 0; i < DEVICES; i++) {
        const struct device *device = &w->devices[i];
        bool is_seen =
            device->net != NONE && !device->is_hidden && !w->is_suspended[OWNER(device->net)];
        const char *asker = ids[draw(w, MEMBERS)];
        struct fr_span question = {query, write_query(EUI(i), query)};
        assert_int_equal(fr_answer(w->answerer, snap, asker, question, w->now_s, &answer), FR_OK);
        if (answer.has_home != is_seen || (is_seen && answer.netid != NETID(device->net)))
            fail_msg("device %d: answered %06" PRIx32 ", is %d", i, answer.netid, device->net);
        assert_int_equal(answer.rcode, is_seen ? FR_DNS_NOERROR : FR_DNS_NXDOMAIN);
    }
}

struct text {
    char *p;
    size_t n, room;
};

static enum fr_err add_text(void *data, struct fr_span piece)
{
    struct text *text = data;

    if (text->n + piece.n + 1 > text->room) {
        text->room = 2 * (text->n + piece.n + 1);
        text->p = realloc(text->p, text->room);
        assert_non_null(text->p);
    }
    memcpy(text->p + text->n, piece.p, piece.n);
    text->n += piece.n;
    text->p[text->n] = '\0';
    return FR_OK;
}

static void check_export(struct world *w, struct fr_snap *snap)
{
    struct text text = {0};
    int n = 0, found = 0;
    char eui[17], netid[7];

    assert_int_equal(fr_export_zone(snap, w->now_s, add_text, &text), FR_OK);
    for (char *at = text.p; (at = strstr(at, ".deveui")) != NULL; at++) {
        const char *target = strstr(at, "CNAME");
        if (at - text.p < 16 || target == NULL) continue;
        memcpy(eui, at - 16, 16);
        eui[16] = '\0';
        target += strcspn(target, "0123456789abcdef");
        memcpy(netid, target, 6);
        netid[6] = '\0';
        int i = 0;
        while (i < DEVICES && EUI(i) != strtoull(eui, NULL, 16)) i++;
        if (i == DEVICES) continue;
        assert_int_equal(strtoul(netid, NULL, 16), NETID(w->devices[i].net));
        found++;
    }
    for (int i = 0; i < DEVICES; i++)
        if (w->devices[i].net != NONE && !w->is_suspended[OWNER(w->devices[i].net)]) n++;
    assert_int_equal(found, n);
    free(text.p);
}

static void check(struct world *w)
{
    struct fr_snap *snap = NULL;

    assert_int_equal(fr_snap_begin(w->store, &snap), FR_OK);
    check_store(w, snap);
    check_answers(w, snap);
    check_export(w, snap);
    fr_snap_end(snap);
}

static void create(struct world *w)
{
    struct fr_store_options options = {.dir = w->dir, .map_size = 1u << 28};
    const struct fr_store_new fresh = {.federation = FED};

    assert_int_equal(fr_store_create(&options, &fresh, NULL, &w->store), FR_OK);
    struct fr_change *change = begin(w);
    for (int m = 0; m < MEMBERS; m++) {
        struct fr_member_row row = {.state = FR_MEMBER_ACTIVE};
        strcpy(row.id, ids[m]);
        assert_int_equal(fr_member_add(change, &row, NULL), FR_OK);
    }
    for (int net = 0; net < NETS; net++)
        assert_int_equal(fr_network_add(change, NETID(net), ids[OWNER(net)], NULL), FR_OK);
    assert_int_equal(fr_block_add(change, ids[MEMBERS - 1], EUI(BOUND_FROM), 36, NULL), FR_OK);
    for (int i = 0; i < DEVICES; i++) {
        w->devices[i].net = NONE;
        w->releases[i].to = NONE;
    }
    commit(w, change);
    w->oldest = sequence_of(w);
}

static void everything_agrees_with_the_model(void **state)
{
    bool is_long = getenv("FR_LONG") != NULL;
    const char *seed = getenv("FR_SEED");
    unsigned steps = is_long ? 100000 : 5000;
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->dir = *state;
    w->seed = seed != NULL ? strtoull(seed, NULL, 10) : 20261120;
    w->now_s = 1800000000;
    print_message("seed %" PRIu64 ", %u steps\n", w->seed, steps);
    assert_int_equal(fr_answerer_new(FED, &w->answerer), FR_OK);
    create(w);
    for (unsigned i = 1; i <= steps; i++) {
        step(w);
        if (i % 20 == 0) check(w);
    }
    fr_answerer_free(w->answerer);
    fr_store_close(w->store);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TMP_TEST(everything_agrees_with_the_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
