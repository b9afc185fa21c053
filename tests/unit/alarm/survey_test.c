/* States that do not mend themselves, one after the other, in a store without certificates. */
#include "alarm/survey.h"

#include "store/acted.h"
#include "store/approval.h"
#include "store/primary.h"
#include "store/unknown.h"
#include "support/unit.h"
#include "unit/store/fixture.h"

#include <stdio.h>

#define DAY 86400LL

static void survey(struct fixture *f, int64_t now_s, const struct fr_alarm_seen *seen,
                   char out[2000])
{
    const struct fr_survey_options options = {.state = f->dir, .now_s = now_s, .seen = seen};
    struct fr_survey *s = NULL;
    uint64_t dropped = 0;
    size_t n = 0;

    assert_int_equal(fr_survey_new(&options, &s), FR_OK);
    for (bool done = false; !done;)
        assert_int_equal(fr_survey_step(s, f->store, 1000, &done), FR_OK);
    const struct fr_condition *all = fr_survey_conditions(s, &n, &dropped);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        const size_t at = strlen(out);
        assert_true(all[i].what[0] != '\0' && all[i].mend[0] != '\0' && all[i].check[0] != '\0');
        assert_true(i == 0 || strcmp(all[i - 1].id, all[i].id) < 0);
        (void)snprintf(out + at, 2000 - at, "%s:%s ", fr_notice_level_text(all[i].level),
                       all[i].id);
    }
    fr_survey_free(s);
}

/* Its notice, "warning:approval/…", is put into `out`. */
static void add_approval(struct fr_change *change, char out[64])
{
    struct fr_approval_row row = {.expires_s = NOW + DAY, .needed = 2};

    strcpy(row.op, "member.add");
    strcpy(row.args, "{}");
    strcpy(row.asker, "local:ada");
    strcpy(row.person, "ada");
    assert_int_equal(fr_approval_ask(change, &row, NULL), FR_OK);
    (void)snprintf(out, 64, "warning:approval/%02x%02x%02x%02x ", row.id[0], row.id[1], row.id[2],
                   row.id[3]);
}

static void add_unknown(struct fr_change *change, uint8_t number, int64_t not_before_s)
{
    struct fr_unknown_row row = {
        .serial = {number}, .not_before_s = not_before_s, .not_after_s = NOW + 30 * DAY};

    assert_int_equal(fr_unknown_note(change, &row, NULL), FR_OK);
}

static void add_zone(struct fr_change *change, const struct fr_primary_state *state)
{
    struct fr_primary_row row = {
        .n_addrs = 1, .n_netids = 1, .netids = {0x13}, .key_name = "a.key"};

    strcpy(row.member, "acme");
    strcpy(row.zone, "deveui.acme.test");
    strcpy(row.key_algorithm, "hmac-sha256");
    row.addrs[0] = addr("192.0.2.53:53");
    row.refresh_min_s = 60;
    row.refresh_max_s = 86400;
    assert_int_equal(fr_primary_put(change, &row, NULL), FR_OK);
    assert_int_equal(fr_primary_note(change, "acme", "deveui.acme.test", state, NULL), FR_OK);
}

static void what_is_found(void **state)
{
    struct fixture *f = *state;
    const char *walks[] = {"acme"}, *over[] = {"acme/misses"};
    const struct fr_alarm_seen nothing = {.backup_s = NOW - DAY};
    const struct fr_alarm_seen all = {.backup_s = NOW - 8 * DAY,
                                      .diverged = 1,
                                      .trail = "no room",
                                      .copy_fails = true,
                                      .walks = walks,
                                      .n_walks = 1,
                                      .over = over,
                                      .n_over = 1};
    const struct fr_alarm_seen never = {.backup_s = 0}, not_known = {.backup_s = -1};
    struct fr_primary_state zone = {.contact_s = NOW - 3600, .expire_s = 7200};
    char out[2000], want[2000], approval[64];
    /* There is no CA and no certificate of the broker in this store. */
#define BARE "critical:issuing critical:server "

    survey(f, NOW, &nothing, out);
    assert_string_equal(out, BARE);
    survey(f, NOW, &all, out);
    assert_string_equal(
        out, "critical:audit warning:audit-copy warning:backup warning:budget/acme/misses "
             "critical:diverged " BARE "warning:walk/acme ");
    survey(f, NOW, &never, out);
    assert_string_equal(out, "warning:backup " BARE);
    survey(f, NOW, &not_known, out);
    assert_string_equal(out, BARE);
    survey(f, NOW - 3600, &nothing, out);
    assert_string_equal(out, "critical:clock " BARE);

    struct fr_change *change = begin_change(f->store);
    add_approval(change, approval);
    add_unknown(change, 7, NOW - DAY);
    add_zone(change, &zone);
    commit_change(change);
    survey(f, NOW, &nothing, out);
    (void)snprintf(want, sizeof want, "%s%s", approval,
                   BARE "critical:unknown/07000000000000000000000000000000 ");
    assert_string_equal(out, want);
    survey(f, NOW + 2 * DAY, &nothing,
           out); /* nobody agreed in time; the name server is still away */
    assert_string_equal(out, BARE "critical:unknown/07000000000000000000000000000000 "
                                  "warning:zone/acme/deveui.acme.test ");

    change = begin_change(f->store);
    assert_int_equal(fr_restored_set(change, NOW - 2 * DAY), FR_OK);
    zone.is_held = true;
    zone.held_gone = 7;
    zone.held_of = 8;
    assert_int_equal(fr_primary_note(change, "acme", "deveui.acme.test", &zone, NULL), FR_OK);
    commit_change(change);
    survey(f, NOW + 5, &nothing, out); /* the certificate is younger than the restored backup */
    (void)snprintf(want, sizeof want, "warning:adopt %s%s", approval,
                   "warning:held/acme/deveui.acme.test " BARE);
    assert_string_equal(out, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORE_TEST(what_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
