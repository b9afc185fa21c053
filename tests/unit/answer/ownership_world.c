#include "ownership_world.h"

#include "ca/member.h"
#include "store/block.h"
#include "store/device.h"
#include "store/member.h"
#include "store/network.h"
#include "store/release.h"
#include "store/rollback.h"
#include "unit/db/tmp.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char ids[MEMBERS][16] = {"acme", "bolt", "cube", "dune", "guest"};

uint32_t draw(struct world *w, uint32_t below)
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

    struct moment *moment = &w->history[sequence % HISTORY];

    moment->sequence = sequence;
    moment->removals = w->removals;
    memcpy(moment->devices, w->devices, sizeof w->devices);
}

/* What the model knows of that number; NULL: nothing (too long ago, or in the middle of something). */
static const struct moment *recall(const struct world *w, uint64_t sequence)
{
    const struct moment *moment = &w->history[sequence % HISTORY];

    return moment->sequence == sequence ? moment : NULL;
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

bool is_there(const struct world *w, int member)
{
    return member != GUEST || w->has_guest;
}

bool is_visible(const struct world *w, int i)
{
    const struct device *device = &w->devices[i];

    return device->net != NONE && !device->is_hidden && !w->is_net_suspended[device->net] &&
           !w->is_suspended[OWNER(device->net)];
}

bool is_offered(const struct world *w, int i, int to)
{
    const struct release *r = &w->releases[i];

    return r->to == to && w->devices[i].net != NONE && r->from == OWNER(w->devices[i].net) &&
           r->until_s > w->now_s && r->version == w->versions[i];
}

static bool is_released(const struct world *w, int i, int to)
{
    return is_offered(w, i, to) && (to != GUEST || w->releases[i].guest == w->removals);
}

enum verdict { REFUSED, NOTHING, WRITE };

static enum verdict judge(const struct world *w, int i, enum fr_device_mode mode, int net)
{
    int now = w->devices[i].net, member = net == NONE ? NONE : OWNER(net);

    if (mode == FR_DEVICE_REPLACE && now == net) return NOTHING;
    if (mode != FR_DEVICE_MOVE && member == BOUND && i < BOUND_FROM) return REFUSED;
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
    bool is_done = is_there(w, OWNER(net)) && is_own && model_put(w, &job, list, n, net);
    if ((err == FR_OK) != is_done) fail_msg("mode %d: %s", (int)mode, fr_err_text(err));
    if (!is_own && is_there(w, OWNER(net))) assert_int_equal(err, FR_E_DENIED);
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

    assert_int_equal(err == FR_OK, is_own && (is_withdrawal || (to != owner && is_there(w, to))));
    if (err) {
        fr_change_cancel(change);
        return;
    }
    w->releases[i] = (struct release){owner, is_withdrawal ? NONE : to, w->removals, job.until_s,
                                      w->versions[i]};
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
    int m = (int)draw(w, GUEST);
    struct fr_change *change = begin(w);
    struct fr_member_row row;

    assert_int_equal(fr_member_get(fr_change_snap(change), ids[m], &row), FR_OK);
    w->is_suspended[m] = !w->is_suspended[m] && draw(w, 2) == 0;
    row.state = w->is_suspended[m] ? FR_MEMBER_SUSPENDED : FR_MEMBER_ACTIVE;
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    commit(w, change);
}

static void step_suspend_network(struct world *w)
{
    int net = (int)draw(w, 2 * GUEST);
    struct fr_change *change = begin(w);

    w->is_net_suspended[net] = !w->is_net_suspended[net] && draw(w, 2) == 0;
    assert_int_equal(fr_network_set_state(
                         change, NETID(net),
                         w->is_net_suspended[net] ? FR_NETWORK_SUSPENDED : FR_NETWORK_ACTIVE, NULL),
                     FR_OK);
    commit(w, change);
}

static void add_member_with(struct fr_change *change, int m)
{
    struct fr_member_row row = {.state = FR_MEMBER_ACTIVE};

    memcpy(row.id, ids[m], sizeof ids[m]);
    assert_int_equal(fr_member_add(change, &row, NULL), FR_OK);
    for (int net = 2 * m; net < 2 * m + 2; net++)
        assert_int_equal(fr_network_add(change, NETID(net), ids[m], NULL), FR_OK);
}

/* A guest goes for good, or the next one comes and gets the NetIDs. */
static void step_guest(struct world *w)
{
    const struct fr_change_by by = {.actor = "test", .now_s = w->now_s};
    struct fr_change *change = begin(w);

    if (!w->has_guest) {
        snprintf(ids[GUEST], sizeof ids[GUEST], "guest%u", w->removals);
        add_member_with(change, GUEST);
        w->has_guest = true;
        commit(w, change);
        return;
    }
    assert_int_equal(fr_member_remove(change, ids[GUEST], NULL), FR_OK);
    uint64_t sequence = 0;
    assert_int_equal(fr_change_commit(change, NULL, &sequence), FR_OK);
    for (bool done = false; !done;)
        assert_int_equal(fr_member_clean(w->store, ids[GUEST], &by, 1000, NULL, &done), FR_OK);
    for (int i = 0; i < DEVICES; i++)
        if (w->devices[i].net != NONE && OWNER(w->devices[i].net) == GUEST) set(w, i, NONE, false);
    w->has_guest = false;
    w->removals++;
    w->tally.removals++;
    remember(w);
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

    assert_int_equal(err, is_there(w, OWNER(net)) ? FR_OK : FR_E_NOT_FOUND);
    if (err) return;
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

/* A moment that the model remembers, not in front of the last image. */
static const struct moment *draw_moment(struct world *w)
{
    const struct moment *found[HISTORY];
    uint32_t n = 0;
    uint64_t now = sequence_of(w);

    for (uint64_t at = now; at > 0 && at >= w->image && now - at < HISTORY; at--)
        if (recall(w, at) != NULL) found[n++] = recall(w, at);
    assert_true(n > 0);
    return found[draw(w, n)];
}

static void step_rollback(struct world *w)
{
    const struct moment *then = draw_moment(w);
    const bool has_gone = then->removals != w->removals;
    struct fr_rollback_report report;
    struct fr_rollback *rollback = NULL;
    struct fr_change *change = begin(w);
    uint64_t left = 0;

    assert_int_equal(fr_rollback_new(then->sequence, &rollback), FR_OK);
    assert_int_equal(fr_rollback_apply(rollback, change, NULL, &report), FR_OK);
    fr_rollback_free(rollback);
    for (int i = 0; i < DEVICES; i++) {
        const struct device *was = &then->devices[i], *now = &w->devices[i];
        if (was->net == now->net && was->is_hidden == now->is_hidden) continue;
        if (has_gone && was->net != NONE && OWNER(was->net) == GUEST)
            left++; /* of one who was removed: nothing of him comes back */
        else
            set(w, i, was->net, was->is_hidden);
    }
    assert_int_equal(report.left, left);
    commit(w, change);
}

static struct fr_store *open_store(const char *dir)
{
    const struct fr_store_options options = {.dir = dir, .map_size = 1u << 28};
    struct fr_store *store = NULL;

    assert_int_equal(fr_store_open(&options, NULL, &store), FR_OK);
    return store;
}

static void use_store(struct world *w, struct fr_store *store)
{
    w->store = store;
    w->giver.store = store;
    giver_restart(&w->giver);
}

static void reopen(struct world *w)
{
    fr_store_close(w->store);
    use_store(w, open_store(w->dir));
}

/* --- killed --- */

/* What the child does before it is killed: a change, to its end or not. */
static void change_and_die(struct world *w, const struct fr_device_job *job, uint32_t where)
{
    struct fr_device_report report;
    uint64_t sequence = 0;
    struct fr_store *store = open_store(w->dir);
    const struct fr_change_by by = {.actor = "test", .now_s = w->now_s};
    struct fr_change *change = NULL;

    if (fr_store_change(store, &by, NULL, &change) != FR_OK) _exit(1);
    enum fr_err err = fr_device_apply(change, job, NULL, &report);
    if (where == 0) (void)raise(SIGKILL);
    if (err == FR_OK) err = fr_change_commit(change, NULL, &sequence);
    (void)raise(SIGKILL);
    _exit(2);
}

/* Another process has the store and is killed in the middle of a change: that has happened whole or not at all, and the numbers say
 * which. */
static void step_kill(struct world *w)
{
    int list[64], net = (int)draw(w, NETS), status = 0;
    uint64_t euis[64], before = sequence_of(w);
    int n = draw_list(w, list, euis, 60);
    const uint32_t where = draw(w, 3), after_us = draw(w, 4000);
    const struct fr_device_job job = {.netid = NETID(net),
                                      .mode = FR_DEVICE_ADD,
                                      .euis = euis,
                                      .n = (size_t)n,
                                      .keep_going = true};

    fr_store_close(w->store);
    w->store = NULL;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) change_and_die(w, &job, where);
    if (where == 2) {
        (void)usleep(after_us);
        (void)kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    use_store(w, open_store(w->dir));
    w->tally.kills++;
    if (sequence_of(w) == before) return;
    w->tally.done_all_the_same++;
    assert_true(where != 0 && is_there(w, OWNER(net)));
    assert_true(model_put(w, &job, list, n, net));
    remember(w);
}

/* --- a second broker --- */

static void new_replica(struct world *w)
{
    const struct fr_store_options options = {.dir = w->replica_dir, .map_size = 1u << 28};
    const struct fr_store_new fresh = {.federation = FED};

    assert_int_equal(fr_store_create(&options, &fresh, NULL, &w->replica), FR_OK);
    assert_int_equal(fr_feed_make_replica(w->replica, PRIMARY, NULL), FR_OK);
    w->replica_giver.store = w->replica;
    giver_restart(&w->replica_giver);
}

void catch_up(struct world *w)
{
    follow(w->store, w->replica, 512 + draw(w, ROOM));
    assert_same(w->store, w->replica);
}

/* The primary is lost, for good or to come back as the replica; who follows by numbers notices nothing. */
static void step_promote(struct world *w)
{
    struct fr_feed_state now;
    void *dir = w->dir;
    struct fr_store *store = w->store;

    catch_up(w);
    assert_int_equal(fr_feed_promote(w->replica, false, NULL, &now), FR_OK);
    w->dir = w->replica_dir;
    w->replica_dir = dir;
    use_store(w, w->replica);
    fr_answerer_free(
        w->answerer); /* of another broker: it knows moments by the numbers of its own store */
    assert_int_equal(fr_answerer_new(FED, &w->answerer), FR_OK);
    w->tally.promotions++;
    if (draw(w, 2) == 0) {
        depose(store, &now);
        assert_int_equal(fr_feed_note_saved(store), FR_OK);
        assert_int_equal(fr_feed_follow(store, PRIMARY), FR_OK);
        w->replica = store;
        w->replica_giver.store = store;
        giver_restart(&w->replica_giver);
    } else {
        fr_store_close(store);
        tmp_teardown(&w->replica_dir);
        assert_int_equal(tmp_setup(&w->replica_dir), 0);
        new_replica(w);
        w->tally.lost_disks++;
    }
    catch_up(w);
}

void step(struct world *w)
{
    uint32_t what = draw(w, 100);

    w->now_s += draw(w, 3);
    if (what < 34)
        step_put(w, FR_DEVICE_ADD, 5, false);
    else if (what < 45)
        step_remove(w);
    else if (what < 55)
        step_release(w, false);
    else if (what < 62)
        step_put(w, FR_DEVICE_CLAIM, 2, false);
    else if (what < 65)
        step_release(w, true);
    else if (what < 69)
        step_put(w, FR_DEVICE_MOVE, 2, false);
    else if (what < 75)
        step_hide(w);
    else if (what < 77)
        step_suspend(w);
    else if (what < 79)
        step_suspend_network(w);
    else if (what < 83)
        step_put(w, FR_DEVICE_REPLACE, 20, false);
    else if (what < 87)
        step_bulk(w);
    else if (what < 90)
        step_rollback(w);
    else if (what < 93)
        step_put(w, FR_DEVICE_ADD, 20, true);
    else if (what < 95)
        reopen(w);
    else if (what < 96)
        step_guest(w);
    else if (what < 97)
        step_kill(w);
    else if (draw(w, 6) == 0)
        step_promote(w);
    else
        catch_up(w);
}

/* --- from beginning to end --- */

void world_create(struct world *w)
{
    struct fr_store_options options = {.dir = w->dir, .map_size = 1u << 28};
    const struct fr_store_new fresh = {.federation = FED};

    assert_int_equal(fr_store_create(&options, &fresh, NULL, &w->store), FR_OK);
    assert_int_equal(fr_feed_turn_on(w->store), FR_OK);
    giver_init(&w->giver, w->store);
    giver_init(&w->replica_giver, NULL);
    new_replica(w);
    struct fr_change *change = begin(w);
    for (int m = 0; m < GUEST; m++) add_member_with(change, m);
    assert_int_equal(fr_block_add(change, ids[BOUND], EUI(BOUND_FROM), 36, NULL), FR_OK);
    for (int i = 0; i < DEVICES; i++) {
        w->devices[i].net = NONE;
        w->releases[i].to = NONE;
    }
    commit(w, change);
}

void world_destroy(struct world *w)
{
    set_clear(&w->often.set);
    set_clear(&w->seldom.set);
    giver_restart(&w->giver);
    giver_restart(&w->replica_giver);
    fr_answerer_free(w->answerer);
    fr_store_close(w->replica);
    fr_store_close(w->store);
    tmp_teardown(&w->replica_dir);
    tmp_teardown(&w->dir);
    free(w);
}
