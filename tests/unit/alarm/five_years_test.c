/* Five years of a federation on a simulated clock, looked at every few hours: whoever is told, is told once for each stage. Members renew
 * in time, late, too late, never; CAs follow each other; the broker restarts, clocks go back and far ahead. */
#include "alarm/ledger.h"
#include "alarm/stage.h"

#include "store/authority.h"
#include "support/unit.h"
#include "unit/store/fixture.h"

#include <stdio.h>

#define DAY 86400LL
#define STEP_S (6 * 3600LL)
#define YEARS_S (5 * 365 * DAY)
#define LIFE_S (30 * DAY)
#define CA_LIFE_S (548 * DAY)
#define TOLD_MAX 4000

/* What was told, in order. */
struct told {
    char id[FR_NOTICE_ID_MAX + 1];
    enum fr_notice_stage stage;
    int64_t when_s;
};

struct world {
    struct fixture *f;
    int64_t now_s;
    uint32_t serials;
    struct told told[TOLD_MAX];
    size_t n;
};

static struct fr_change *begin_at(struct world *w)
{
    const struct fr_change_by by = {.actor = "local:broker", .now_s = w->now_s};
    struct fr_change *change = NULL;

    assert_int_equal(fr_store_change(w->f->store, &by, NULL, &change), FR_OK);
    return change;
}

/* --- what happens in the federation --- */

static void certify(struct world *w, const char *member, uint32_t *serial)
{
    struct fr_cert_row row = {.profile = FR_PROFILE_DOH,
                              .rights = FR_RIGHT_LOOKUP,
                              .n_names = 1,
                              .spki = {(uint8_t)member[0]}};
    const uint8_t sha256[FR_DIGEST_SIZE] = {1};
    struct fr_change *change = begin_at(w);

    *serial = ++w->serials;
    for (int i = 0; i < 4; i++) row.serial[12 + i] = (uint8_t)(*serial >> (24 - 8 * i));
    strcpy(row.member, member);
    strcpy(row.names[0], "a.fed.test");
    strcpy(row.authority, "ca");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    assert_int_equal(fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("der"), sha256, w->now_s,
                                       w->now_s + LIFE_S, NULL),
                     FR_OK);
    commit_change(change);
}

static void revoke(struct world *w, uint32_t serial)
{
    uint8_t bytes[FR_SERIAL_SIZE] = {0};
    struct fr_change *change = begin_at(w);

    for (int i = 0; i < 4; i++) bytes[12 + i] = (uint8_t)(serial >> (24 - 8 * i));
    assert_int_equal(fr_cert_row_revoke(change, bytes, 0, NULL), FR_OK);
    commit_change(change);
}

static void add_authority(struct world *w, const char *name, enum fr_authority_kind kind,
                          int64_t life_s)
{
    struct fr_authority_row row = {.kind = kind,
                                   .state = FR_AUTHORITY_ACTIVE,
                                   .not_before_s = w->now_s,
                                   .not_after_s = w->now_s + life_s,
                                   .sha256 = {(uint8_t)name[0], (uint8_t)name[1]},
                                   .der_size = 3};
    struct fr_change *change = begin_at(w);

    strcpy(row.name, name);
    memcpy(row.der, "der", 3);
    assert_int_equal(fr_authority_add(change, &row, NULL), FR_OK);
    commit_change(change);
}

static void taint(struct world *w, const char *name)
{
    struct fr_change *change = begin_at(w);

    assert_int_equal(fr_authority_set_state(change, name, FR_AUTHORITY_TAINTED, 0, NULL), FR_OK);
    commit_change(change);
}

static void restart(struct world *w)
{
    struct fr_store_options options = store_options(w->f->dir);

    fr_store_close(w->f->store);
    assert_int_equal(fr_store_open(&options, NULL, &w->f->store), FR_OK);
}

/* --- the broker --- */

static void look(struct world *w)
{
    static const struct fr_alarm_seen seen = {.backup_s = -1};
    const struct fr_survey_options options = {.state = w->f->dir, .now_s = w->now_s, .seen = &seen};
    struct fr_survey *survey = NULL;
    struct fr_ledger ledger = {0};
    uint64_t dropped = 0;
    bool done = false;

    assert_int_equal(fr_survey_new(&options, &survey), FR_OK);
    while (!done) assert_int_equal(fr_survey_step(survey, w->f->store, 1, &done), FR_OK);
    ledger.conditions = fr_survey_conditions(survey, &ledger.n, &dropped);
    assert_int_equal(dropped, 0);
    for (done = false; !done;) {
        struct fr_change *change = begin_at(w);
        assert_int_equal(fr_ledger_reckon(&ledger, change, NULL, &done), FR_OK);
        commit_change(change);
    }
    fr_survey_free(survey);
}

struct untold {
    size_t n;
    struct fr_notice_row rows[32];
};

static enum fr_err add_untold(void *data, const struct fr_notice_row *row)
{
    struct untold *u = data;

    if (row->told) return FR_OK;
    assert_true(u->n < COUNT(u->rows));
    u->rows[u->n++] = *row;
    return FR_OK;
}

static void deliver(struct world *w)
{
    static struct untold u;
    struct fr_snap *snap = begin_snap(w->f->store);

    u.n = 0;
    assert_int_equal(fr_notice_each(snap, add_untold, &u), FR_OK);
    fr_snap_end(snap);
    if (u.n == 0) return;
    struct fr_change *change = begin_at(w);
    for (size_t i = 0; i < u.n; i++) {
        assert_int_equal(fr_notice_told(change, u.rows[i].id, u.rows[i].stage, FR_NOTICE_BY_EXEC),
                         FR_OK);
        assert_true(w->n < TOLD_MAX);
        strcpy(w->told[w->n].id, u.rows[i].id);
        w->told[w->n].stage = u.rows[i].stage;
        w->told[w->n++].when_s = w->now_s;
    }
    commit_change(change);
}

static void live(struct world *w, int64_t until_s)
{
    for (; w->now_s < until_s; w->now_s += STEP_S) {
        look(w);
        deliver(w);
    }
}

/* --- what must have been told --- */

static size_t count_told(const struct world *w, const char *id, enum fr_notice_stage stage)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++)
        n += strcmp(w->told[i].id, id) == 0 && w->told[i].stage == stage;
    return n;
}

static void expect(const struct world *w, const char *id, const enum fr_notice_stage *stages,
                   size_t n)
{
    size_t all = 0;

    for (size_t i = 0; i < n; i++)
        if (count_told(w, id, stages[i]) != 1)
            fail_msg("%s %s: told %zu times", id, fr_notice_stage_text(stages[i]),
                     count_told(w, id, stages[i]));
    for (size_t i = 0; i < w->n; i++) all += strcmp(w->told[i].id, id) == 0;
    if (all != n) fail_msg("%s: %zu times in all, not %zu", id, all, n);
}

static void expect_cert(const struct world *w, uint32_t serial, size_t n)
{
    static const enum fr_notice_stage stages[] = {FR_STAGE_OVERDUE, FR_STAGE_3D, FR_STAGE_1D,
                                                  FR_STAGE_OVER};
    char id[64];

    (void)snprintf(id, sizeof id, "certificate/%032x", serial);
    expect(w, id, stages, n);
}

/* A member that renews each certificate so long before its end (negative: after it). */
struct habit {
    const char *member;
    int64_t before_s;
    size_t stages; /* told of each */
};

static void five_years(void **state)
{
    struct fixture *f = *state;
    static const struct habit habits[] = {
        {"acme", 10 * DAY, 0},    {"bolt", 5 * DAY, 1},  {"carl", 2 * DAY, 2},
        {"dora", DAY / 2 + 1, 3}, {"emma", -9 * DAY, 4},
    };
    static const enum fr_notice_stage root_stages[] = {FR_STAGE_HALF, FR_STAGE_THIRD, FR_STAGE_YEAR,
                                                       FR_STAGE_90D,  FR_STAGE_30D,   FR_STAGE_7D};
    static struct world world;
    struct world *w = &world;
    uint32_t last[COUNT(habits)], fred = 0, gone = 0;
    int64_t due_s[COUNT(habits)];
    char name[8], id[32];
    int ca = 1;

    *w = (struct world){.f = f, .now_s = NOW};
    struct fr_change *change = begin_change(f->store);
    for (size_t i = 2; i < COUNT(habits); i++) add_member(change, habits[i].member);
    add_member(change, "fred");
    commit_change(change);
    add_authority(w, "root", FR_AUTHORITY_ROOT, YEARS_S + DAY);
    add_authority(w, "c1", FR_AUTHORITY_ISSUING, CA_LIFE_S);
    int64_t rotate_s = NOW + CA_LIFE_S - 80 * DAY;
    for (size_t i = 0; i < COUNT(habits); i++) {
        certify(w, habits[i].member, &last[i]);
        due_s[i] = w->now_s + LIFE_S - habits[i].before_s;
    }
    certify(w, "fred", &fred); /* who never renews */
    certify(w, "fred", &gone); /* and another one, which is revoked when it is overdue */
    for (int64_t day = 0; w->now_s < NOW + YEARS_S; day++) {
        live(w, w->now_s + DAY);
        if (day == 26) revoke(w, gone);
        if (day % 50 == 0) restart(w);
        if (day % 90 == 7) { /* 20 hours back: nothing is told again */
            const int64_t right_s = w->now_s;
            w->now_s -= 20 * 3600;
            look(w);
            deliver(w);
            w->now_s = right_s;
        }
        for (size_t i = 0; i < COUNT(habits); i++) {
            if (w->now_s < due_s[i]) continue;
            const uint32_t before = last[i];
            certify(w, habits[i].member, &last[i]);
            due_s[i] = w->now_s + LIFE_S - habits[i].before_s;
            look(w);
            expect_cert(w, before, habits[i].stages);
        }
        if (w->now_s >= rotate_s) {
            (void)snprintf(name, sizeof name, "c%d", ca++);
            (void)snprintf(id, sizeof id, "issuing/%s", name);
            taint(w, name);
            (void)snprintf(name, sizeof name, "c%d", ca);
            add_authority(w, name, FR_AUTHORITY_ISSUING, CA_LIFE_S);
            rotate_s = w->now_s + CA_LIFE_S - 80 * DAY;
            static const enum fr_notice_stage stages[] = {FR_STAGE_HALF, FR_STAGE_THIRD,
                                                          FR_STAGE_90D};
            expect(w, id, stages, COUNT(stages));
        }
    }
    expect(w, "root", root_stages, COUNT(root_stages));
    assert_true(ca >= 4);
    /* Whoever is told of everything: no id and stage twice, ever. */
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->told[i].id, "clock") != 0 && /* which went back each time anew */
            count_told(w, w->told[i].id, w->told[i].stage) != 1)
            fail_msg("%s %s is told twice", w->told[i].id, fr_notice_stage_text(w->told[i].stage));
    expect_cert(w, gone, 1);
    expect_cert(w, fred, 4);
}

static void a_clock_far_ahead_and_back(void **state)
{
    struct fixture *f = *state;
    static struct world world;
    struct world *w = &world;
    uint32_t serial = 0;
    char id[64];

    *w = (struct world){.f = f, .now_s = NOW};
    add_authority(w, "root", FR_AUTHORITY_ROOT, YEARS_S);
    add_authority(w, "c1", FR_AUTHORITY_ISSUING, CA_LIFE_S);
    certify(w, "acme", &serial);
    (void)snprintf(id, sizeof id, "certificate/%032x", serial);
    live(w, NOW + DAY);
    w->now_s = NOW + 40 * DAY; /* a wrong battery */
    look(w);
    deliver(w);
    assert_int_equal(count_told(w, id, FR_STAGE_OVER), 1);
    w->now_s = NOW + 2 * DAY; /* and right again: nothing of that is left, */
    live(w, NOW + 3 * DAY);
    struct fr_snap *snap = begin_snap(f->store);
    struct fr_notice_row row;
    assert_int_equal(fr_notice_get(snap, id, &row), FR_E_NOT_FOUND);
    fr_snap_end(snap);
    live(w, NOW + 35 * DAY); /* and what comes true is told */
    assert_int_equal(count_told(w, id, FR_STAGE_OVERDUE), 1);
    assert_int_equal(count_told(w, id, FR_STAGE_3D), 1);
    assert_int_equal(count_told(w, id, FR_STAGE_1D), 1);
    assert_int_equal(count_told(w, id, FR_STAGE_OVER), 2);
    live(w, NOW + LIFE_S + 31 * DAY); /* after a month it is nobody's trouble any more */
    snap = begin_snap(f->store);
    assert_int_equal(fr_notice_get(snap, id, &row), FR_E_NOT_FOUND);
    fr_snap_end(snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORE_TEST(five_years),
                                       STORE_TEST(a_clock_far_ahead_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
