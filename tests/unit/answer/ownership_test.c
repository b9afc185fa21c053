/* Who owns what, against a model: random claims, releases, moves, lists, suspensions, removals, rollbacks, aborted changes, reopened
 * stores, processes killed in the middle of a change, and promotions; the store, the answers, the export, a replica, and what a
 * secondary made of IXFR always say the same, and no device belongs to two members.
 * 5 000 steps; with FR_LONG 100 000. FR_SEED repeats a run. */
#include "ownership_world.h"
#include "store/check.h"
#include "store/device.h"
#include "store/export.h"
#include "store/network.h"
#include "store/release.h"
#include "unit/db/tmp.h"

#include "dns/types.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
    char to[sizeof ids[0]];
    int i = 0;

    while (i < DEVICES && EUI(i) != row->deveui) i++;
    assert_true(i < DEVICES);
    assert_int_not_equal(w->releases[i].to, NONE);
    assert_true(is_offered(w, i, w->releases[i].to));
    snprintf(to, sizeof to, "guest%u", w->releases[i].guest);
    assert_string_equal(row->to, w->releases[i].to == GUEST ? to : ids[w->releases[i].to]);
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
        if (!is_there(w, OWNER(net))) continue;
        assert_int_equal(fr_network_get(snap, NETID(net), &network), FR_OK);
        assert_int_equal(network.devices, walk.counts[net]);
        assert_string_equal(network.member, ids[OWNER(net)]);
    }
    assert_int_equal(fr_release_each(snap, NULL, w->now_s, see_release, &released), FR_OK);
    for (int i = 0; i < DEVICES; i++)
        if (w->releases[i].to != NONE && is_offered(w, i, w->releases[i].to)) n++;
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
        bool is_seen = is_visible(w, i);
        const char *asker = ids[draw(w, GUEST)];
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

    const struct fr_export_options options = {
        .now_s = w->now_s, .with_hidden = true, .piece = add_text, .data = &text};
    struct fr_export_report report;
    assert_int_equal(fr_export_zone(snap, &options, &report), FR_OK);
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
        if (w->devices[i].net != NONE && !w->is_net_suspended[w->devices[i].net] &&
            !w->is_suspended[OWNER(w->devices[i].net)])
            n++;
    assert_int_equal(found, n);
    free(text.p);
}

/* What a secondary made of all it was given so far: what it holds is the zone, and of the devices the visible ones. */
static void check_secondary(struct world *w, struct giver *giver, struct secondary *secondary)
{
    struct set want = {0};
    int n = 0, found = 0;

    if (take(giver, w->now_s, secondary, 600 + draw(w, 8000), NULL, NULL) == FR_OUTGOING_CHANGES)
        w->tally.changes++;
    else
        w->tally.wholes++;
    oracle(giver, w->now_s, &want);
    assert_same_set(&secondary->set, &want, "secondary");
    for (int i = 0; i < DEVICES; i++) n += is_visible(w, i);
    for (size_t i = 0; i < want.n; i++) found += strstr(want.lines[i], ".deveui.") != NULL;
    assert_int_equal(found, n);
    set_clear(&want);
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

static void everything_agrees_with_the_model(void **state)
{
    bool is_long = getenv("FR_LONG") != NULL;
    const char *seed = getenv("FR_SEED");
    unsigned steps = is_long ? 100000 : 5000;
    struct world *w = calloc(1, sizeof *w);

    (void)state;
    assert_non_null(w);
    assert_int_equal(tmp_setup(&w->dir), 0);
    assert_int_equal(tmp_setup(&w->replica_dir), 0);
    w->seed = seed != NULL ? strtoull(seed, NULL, 10) : 20261120;
    w->now_s = 1800000000;
    print_message("seed %" PRIu64 ", %u steps\n", w->seed, steps);
    assert_int_equal(fr_answerer_new(FED, &w->answerer), FR_OK);
    world_create(w);
    for (unsigned i = 1; i <= steps; i++) {
        step(w);
        if (i % 20 == 0) check(w);
        if (i % 10 == 0) check_secondary(w, &w->giver, &w->often);
        if (i % 150 != 0) continue;
        catch_up(w);
        check_secondary(w, &w->replica_giver, &w->seldom); /* from another broker, the same zone */
    }
    print_message(
        "%u kills (%u changes whole all the same), %u promotions (%u disks lost), %u members "
        "removed; secondaries: %u changes, %u others\n",
        w->tally.kills, w->tally.done_all_the_same, w->tally.promotions, w->tally.lost_disks,
        w->tally.removals, w->tally.changes, w->tally.wholes);
    assert_true(w->tally.kills > 10 && w->tally.promotions > 4 && w->tally.removals > 10);
    assert_true(w->tally.changes > w->tally.wholes / 4);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_agrees_with_the_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
