#include "usage/notes.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/unit.h"

static void put(struct fr_notes *notes, uint64_t eui)
{
    const struct fr_note note = {.deveui = eui, .member = "acme"};

    fr_notes_put(notes, &note);
}

static void notes_come_out_in_order(void **state)
{
    struct fr_notes *notes = NULL;
    struct fr_note out[100];
    uint64_t next = 0;

    (void)state;
    assert_int_equal(fr_notes_new(&notes), FR_OK);
    assert_false(fr_notes_is_on(notes));
    assert_int_equal(fr_notes_take(notes, out, 100), 0);
    assert_int_equal(fr_notes_turn(notes, true), FR_OK);
    assert_true(fr_notes_is_on(notes));
    for (uint64_t i = 0; i < 5 * FR_NOTES_MAX; i++) { /* around the ring */
        put(notes, i);
        if (i % 70 != 0) continue;
        size_t n = fr_notes_take(notes, out, 100);
        for (size_t k = 0; k < n; k++) assert_int_equal(out[k].deveui, next++);
    }
    assert_int_equal(fr_notes_lost(notes), 0);
    fr_notes_free(notes);
}

static void a_full_queue_loses_the_newest_and_counts(void **state)
{
    struct fr_notes *notes = NULL;
    struct fr_note out[2];

    (void)state;
    assert_int_equal(fr_notes_new(&notes), FR_OK);
    put(notes, 1); /* never turned on */
    assert_int_equal(fr_notes_lost(notes), 1);
    fr_mem_fail_nth(1);
    assert_int_equal(fr_notes_turn(notes, true), FR_E_NOMEM);
    fr_mem_fail_nth(0);
    assert_false(fr_notes_is_on(notes));
    assert_int_equal(fr_notes_turn(notes, true), FR_OK);
    for (uint64_t i = 0; i < FR_NOTES_MAX + 7; i++) put(notes, i);
    assert_int_equal(fr_notes_lost(notes), 8);
    assert_int_equal(fr_notes_take(notes, out, 2), 2);
    assert_int_equal(out[0].deveui, 0);
    assert_int_equal(fr_notes_turn(notes, false), FR_OK);
    assert_int_equal(fr_notes_take(notes, out, 1), 1); /* what is there can still be read */
    fr_notes_free(notes);
}

static void waiting_ends_when_there_is_something(void **state)
{
    struct fr_notes *notes = NULL;
    int64_t start_ms = fr_clock_mono_ms(fr_clock_system());

    (void)state;
    assert_int_equal(fr_notes_new(&notes), FR_OK);
    assert_int_equal(fr_notes_turn(notes, true), FR_OK);
    fr_notes_wake(notes);
    fr_notes_wait(notes, 600000);
    for (uint64_t i = 0; i < FR_NOTES_MAX / 2; i++) put(notes, i);
    fr_notes_wait(notes, 600000);
    struct fr_note out[FR_NOTES_MAX / 128];
    while (fr_notes_take(notes, out, FR_NOTES_MAX / 128) > 0) {
    }
    fr_notes_wait(notes, 1); /* ends by itself */
    assert_true(fr_clock_mono_ms(fr_clock_system()) - start_ms < 300000);
    fr_notes_free(notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_come_out_in_order),
        cmocka_unit_test(a_full_queue_loses_the_newest_and_counts),
        cmocka_unit_test(waiting_ends_when_there_is_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
