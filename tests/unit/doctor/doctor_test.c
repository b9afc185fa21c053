/* Examinations at chosen times: what is told when ends come near. */
#include "doctor/doctor.h"

#include "support/unit.h"
#include "unit/ca/federation.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400LL

struct told {
    char checks[1024]; /* "critical:root warning:issuing …" */
};

static void note(void *data, const struct fr_symptom *symptom)
{
    struct told *told = data;
    const size_t at = strlen(told->checks);
    (void)snprintf(told->checks + at, sizeof told->checks - at, "%s:%s ",
                   fr_symptom_level_text(symptom->level), symptom->check);
}

static void ends_come_near(void **state)
{
    static const uint32_t netids[] = {0x13, 0};
    struct federation f;
    struct fr_snap *snap = NULL;
    (void)state;
    federation_make(&f);
    add_member(&f, "acme", netids);
    assert_int_equal(fr_snap_begin(f.store, &snap), FR_OK);
    /* The federation was made at NOW: the issuing CA lives 548 days, the root 15 years, its list 548 days. */
    static const struct {
        int64_t after_s;
        const char *has, *has_not;
    } rows[] = {
        {0, "warning:root-key", ":issuing"},
        {0, "critical:broker", ":root "},
        {0, "warning:backup", ":clock"},
        {0, "critical:list", ":server"},
        {270 * DAY, NULL, ":issuing"},
        {360 * DAY, "plan:issuing", "warning:issuing"},
        {366 * DAY, "warning:issuing", "critical:issuing"},
        {542 * DAY, "critical:issuing", "warning:issuing"},
        {600 * DAY, "critical:server", "warning:server"},
        {-DAY, "critical:clock", "warning:clock"},
        {40 * DAY, "warning:clock", "critical:clock"},
        {450 * DAY, NULL, ":root "},
        {15 * 365 * DAY - 300 * DAY, "warning:root ", "critical:root "},
        {15 * 365 * DAY - 20 * DAY, "critical:root ", "warning:root "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct told told = {0};
        struct fr_doctor_figures figures;
        const struct fr_doctor_options options = {.state = f.dir,
                                                  .store = f.store,
                                                  .snap = snap,
                                                  .now_s = NOW + rows[i].after_s,
                                                  .is_deep = true};
        assert_int_equal(fr_doctor_examine(&options, note, &told, NULL, &figures), FR_OK);
        if (rows[i].has && !strstr(told.checks, rows[i].has))
            fail_msg("row %zu: no %s in %s", i, rows[i].has, told.checks);
        if (strstr(told.checks, rows[i].has_not))
            fail_msg("row %zu: %s in %s", i, rows[i].has_not, told.checks);
    }
    fr_snap_end(snap);
    federation_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ends_come_near)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
