/* The clerk's thread against a real store; it is stopped, never waited for. */
#include "usage/clerk.h"

#include <stdio.h>

#include "store/lookups.h"
#include "unit/store/fixture.h"
#include "usage/account.h"

#define TODAY 20000u

static int64_t mono_ms(void *data)
{
    (void)data;
    return 1;
}

static int64_t real_ms(void *data)
{
    return *(const int64_t *)data * 1000;
}

static int64_t now_s;
static const struct fr_clock test_clock = {.mono_ms = mono_ms, .real_ms = real_ms, .data = &now_s};

struct work {
    struct fr_usage *usage;
    struct fr_clerk *clerk;
    struct fr_desk *desk;
};

static void begin(struct work *w, struct fixture *f)
{
    const struct fr_usage_options usage = {FED, NULL, &test_clock};

    now_s = (int64_t)TODAY * 86400 + 100;
    assert_int_equal(fr_usage_new(&usage, &w->usage), FR_OK);
    const struct fr_clerk_options clerk = {
        .usage = w->usage, .store = f->store, .clock = &test_clock};
    assert_int_equal(fr_clerk_start(&clerk, &w->clerk), FR_OK);
    assert_int_equal(fr_desk_new(w->usage, &w->desk), FR_OK);
}

static void end(struct work *w)
{
    fr_desk_free(w->desk);
    fr_clerk_stop(w->clerk);
    fr_usage_free(w->usage);
}

static void tell(struct work *w, const char *member, enum fr_note_answer answer, uint32_t netid)
{
    const struct fr_told told = {.deveui = 7, .type = 1, .answer = answer, .netid = netid};
    struct fr_till *till = NULL;

    assert_int_equal(fr_desk_till(w->desk, member, &till), FR_OK);
    fr_till_tell(till, &told);
}

static enum fr_err print_row(void *data, const struct fr_lookup_row *row)
{
    char *text = data;

    sprintf(text + strlen(text), "%u %s %06x %llu\n", row->day, row->visited, row->netid,
            (unsigned long long)row->count);
    return FR_OK;
}

static void assert_counts(struct fixture *f, const char *want)
{
    struct fr_snap *snap = begin_snap(f->store);
    char text[512] = "";

    assert_int_equal(fr_lookups_each(snap, 0, UINT32_MAX, print_row, text), FR_OK);
    assert_string_equal(text, want);
    fr_snap_end(snap);
}

static void counts_reach_the_store(void **state)
{
    struct fixture *f = *state;
    struct work w;
    struct fr_desk *other = NULL;

    begin(&w, f);
    for (int i = 0; i < 5; i++) tell(&w, "acme", FR_NOTE_FOUND, 0x2b);
    tell(&w, "acme", FR_NOTE_NONE, 0);
    tell(&w, "acme", FR_NOTE_REFUSED, 0x2b);
    tell(&w, "bolt", FR_NOTE_FOUND, 0x13);
    /* a worker that goes leaves its counts */
    other = w.desk;
    assert_int_equal(fr_desk_new(w.usage, &w.desk), FR_OK);
    fr_desk_free(other);
    tell(&w, "acme", FR_NOTE_FOUND, 0x2b);
    end(&w);
    assert_counts(f, "20000 acme 00002b 6\n20000 bolt 000013 1\n");

    begin(&w, f); /* the next run adds to it */
    tell(&w, "bolt", FR_NOTE_FOUND, 0x13);
    end(&w);
    assert_counts(f, "20000 acme 00002b 6\n20000 bolt 000013 2\n");
}

static void old_days_go_at_the_start(void **state)
{
    static const struct fr_lookup_row rows[] = {
        {TODAY - 401, "acme", 1, 1}, {TODAY - 400, "acme", 1, 1}, {TODAY, "acme", 1, 1}};
    struct fixture *f = *state;
    struct work w;

    assert_int_equal(fr_lookups_add(f->store, rows, 3), FR_OK);
    begin(&w, f);
    end(&w);
    assert_counts(f, "19600 acme 000001 1\n20000 acme 000001 1\n");
}

static void what_the_store_does_not_take_waits(void **state)
{
    struct fixture *f = *state;
    struct work w;
    struct fr_lookup_row *rows = NULL;
    size_t n = 0;

    begin(&w, f);
    tell(&w, "acme", FR_NOTE_FOUND, 0x2b);
    fr_usage_gather(w.usage, TODAY - 1, &rows, &n);
    assert_int_equal(n, 1);
    fr_usage_give_back(w.usage, rows, n);
    tell(&w, "acme", FR_NOTE_FOUND, 0x2b);
    end(&w);
    assert_counts(f, "19999 acme 00002b 1\n20000 acme 00002b 1\n");
}

static void the_query_log_has_what_was_told(void **state)
{
    struct fixture *f = *state;
    struct work w;
    char path[300], text[2048] = "";
    struct fr_diag diag = {0};

    (void)snprintf(path, sizeof path, "%s/queries.jsonl", (char *)f->dir);
    const struct fr_query_file_conf conf = {.path = path, .keep_s = 86400, .size = 1 << 20};
    const struct fr_query_file_conf bad = {.path = "/nowhere/x", .keep_s = 86400, .size = 1 << 20};
    begin(&w, f);
    tell(&w, "acme", FR_NOTE_FOUND, 0x2b); /* before there is a log */
    assert_int_equal(fr_clerk_set_log(w.clerk, &conf, &diag), FR_OK);
    tell(&w, "acme", FR_NOTE_FOUND, 0x2b);
    assert_int_equal(fr_clerk_set_log(w.clerk, &bad, &diag), FR_E_CREATE);
    tell(&w, "bolt", FR_NOTE_NONE, 0);
    tell(&w, "bolt", FR_NOTE_REFUSED, 0);
    end(&w);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t n = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[n] = '\0';
    assert_string_equal(text,
                        "{\"time\":\"2024-10-04T00:01:40.000Z\",\"member\":\"acme\",\"deveui\":"
                        "\"0000000000000007\",\"type\":\"A\",\"answer\":\"00002b\"}\n"
                        "{\"time\":\"2024-10-04T00:01:40.000Z\",\"member\":\"bolt\",\"deveui\":"
                        "\"0000000000000007\",\"type\":\"A\",\"answer\":\"none\"}\n"
                        "{\"time\":\"2024-10-04T00:01:40.000Z\",\"member\":\"bolt\",\"deveui\":"
                        "\"0000000000000007\",\"type\":\"A\",\"answer\":\"refused\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(counts_reach_the_store),
        STORE_TEST(old_days_go_at_the_start),
        STORE_TEST(what_the_store_does_not_take_waits),
        STORE_TEST(the_query_log_has_what_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
