#include "alarm/stage.h"

#include "support/unit.h"

#define DAY 86400LL

static void a_ladder_fits_the_life(void **state)
{
    static const struct {
        const char *label;
        enum fr_ladder ladder;
        int64_t life_s, left_s;
        enum fr_notice_stage stage;
    } rows[] = {
        {"30 days: young", FR_LADDER_LEAF, 30 * DAY, 8 * DAY, FR_STAGE_NONE},
        {"30 days: a second before", FR_LADDER_LEAF, 30 * DAY, 30 * DAY / 4 + 1, FR_STAGE_NONE},
        {"30 days: three quarters", FR_LADDER_LEAF, 30 * DAY, 30 * DAY / 4, FR_STAGE_OVERDUE},
        {"30 days: three days", FR_LADDER_LEAF, 30 * DAY, 3 * DAY, FR_STAGE_3D},
        {"30 days: one day", FR_LADDER_LEAF, 30 * DAY, DAY, FR_STAGE_1D},
        {"30 days: last second", FR_LADDER_LEAF, 30 * DAY, 0, FR_STAGE_1D},
        {"30 days: over", FR_LADDER_LEAF, 30 * DAY, -1, FR_STAGE_OVER},
        {"6 days: three days are its youth", FR_LADDER_LEAF, 6 * DAY, 3 * DAY, FR_STAGE_NONE},
        {"6 days: three quarters", FR_LADDER_LEAF, 6 * DAY, 36 * 3600, FR_STAGE_OVERDUE},
        {"6 days: one day", FR_LADDER_LEAF, 6 * DAY, DAY, FR_STAGE_1D},
        {"an hour: three quarters", FR_LADDER_LEAF, 3600, 900, FR_STAGE_OVERDUE},
        {"an hour: last second", FR_LADDER_LEAF, 3600, 1, FR_STAGE_OVERDUE},
        {"an hour: over", FR_LADDER_LEAF, 3600, -1, FR_STAGE_OVER},
        {"no life at all", FR_LADDER_LEAF, 0, 1, FR_STAGE_NONE},
        {"18 months: young", FR_LADDER_AUTHORITY, 548 * DAY, 275 * DAY, FR_STAGE_NONE},
        {"18 months: half", FR_LADDER_AUTHORITY, 548 * DAY, 274 * DAY, FR_STAGE_HALF},
        {"18 months: a third", FR_LADDER_AUTHORITY, 548 * DAY, 182 * DAY, FR_STAGE_THIRD},
        {"18 months: 90 days", FR_LADDER_AUTHORITY, 548 * DAY, 90 * DAY, FR_STAGE_90D},
        {"18 months: 30 days", FR_LADDER_AUTHORITY, 548 * DAY, 30 * DAY, FR_STAGE_30D},
        {"18 months: 7 days", FR_LADDER_AUTHORITY, 548 * DAY, 7 * DAY, FR_STAGE_7D},
        {"18 months: over", FR_LADDER_AUTHORITY, 548 * DAY, -DAY, FR_STAGE_OVER},
        {"15 years: a third", FR_LADDER_AUTHORITY, 5475 * DAY, 366 * DAY, FR_STAGE_THIRD},
        {"15 years: a year", FR_LADDER_AUTHORITY, 5475 * DAY, 365 * DAY, FR_STAGE_YEAR},
        {"60 days: 30 days are half of it", FR_LADDER_AUTHORITY, 60 * DAY, 30 * DAY, FR_STAGE_HALF},
        {"60 days: a third", FR_LADDER_AUTHORITY, 60 * DAY, 20 * DAY, FR_STAGE_THIRD},
        {"60 days: 7 days", FR_LADDER_AUTHORITY, 60 * DAY, 7 * DAY, FR_STAGE_7D},
        {"list: in time", FR_LADDER_LIST, DAY, 23 * 3600, FR_STAGE_NONE},
        {"list: one was missed", FR_LADDER_LIST, DAY, 22 * 3600 + 1, FR_STAGE_NONE},
        {"list: two were missed", FR_LADDER_LIST, DAY, 22 * 3600, FR_STAGE_OVERDUE},
        {"list: over", FR_LADDER_LIST, DAY, -1, FR_STAGE_OVER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const int64_t from_s = 1795157000, until_s = from_s + rows[i].life_s;
        const enum fr_notice_stage got =
            fr_stage_at(rows[i].ladder, from_s, until_s, until_s - rows[i].left_s);
        if (got != rows[i].stage) fail_msg("%s: %s", rows[i].label, fr_notice_stage_text(got));
    }
}

/* Whatever the life, a stage never comes after a worse one. */
static void stages_only_rise(void **state)
{
    static const int64_t lives[] = {1,        60,       3600,      DAY,       6 * DAY,
                                    30 * DAY, 90 * DAY, 397 * DAY, 548 * DAY, 5475 * DAY};

    (void)state;
    for (int ladder = FR_LADDER_LEAF; ladder <= FR_LADDER_AUTHORITY; ladder++)
        for (size_t i = 0; i < COUNT(lives); i++) {
            enum fr_notice_stage last = FR_STAGE_NONE;
            const int64_t step = lives[i] / 997 + 1;
            for (int64_t now = 0; now <= lives[i] + 2 * step; now += step) {
                const enum fr_notice_stage stage =
                    fr_stage_at((enum fr_ladder)ladder, 0, lives[i], now);
                if (stage < last) fail_msg("ladder %d, life %zu", ladder, i);
                last = stage;
            }
            assert_int_equal(last, FR_STAGE_OVER);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_ladder_fits_the_life),
                                       cmocka_unit_test(stages_only_rise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
