/* notice.look, .told, .ack as the broker and people ask for them. */
#include "fixture.h"

#include "store/notice.h"

static const struct fr_span none = {0};

/* Everything is missing in this store: no CA, no list, no certificate of the broker. */
#define SEEN                                                                                       \
    "\"backup\":1,\"diverged\":2,\"trail\":\"no room\",\"copy_fails\":true,\"walks\":[\"acme\"],"  \
    "\"over\":[\"acme/queries\",\"nonsense\"]"

static struct fr_notice_row row_of(struct fixture *f, const char *id)
{
    struct fr_snap *snap = NULL;
    struct fr_notice_row row = {0};

    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    const enum fr_err err = fr_notice_get(snap, id, &row);
    fr_snap_end(snap);
    if (err) row.stage = FR_STAGE_NONE;
    return row;
}

static void looked_told_acknowledged(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *label, *op, *args;
        enum fr_err err;
        const char *told;
    } rows[] = {
        {"a trial", "notice.look", "{" SEEN "}", FR_OK, "\"raised\":8"},
        {"the first look", "notice.look", "{" SEEN "}", FR_OK, "\"raised\":8,\"cleared\":0"},
        {"again", "notice.look", "{" SEEN "}", FR_OK, "\"raised\":0,\"cleared\":0"},
        {"told", "notice.told", "{\"id\":\"issuing\",\"stage\":1,\"way\":\"post\"}", FR_OK,
         "\"changed\":true"},
        {"told of another stage", "notice.told",
         "{\"id\":\"issuing\",\"stage\":19,\"way\":\"post\"}", FR_OK, "\"changed\":false"},
        {"by no way", "notice.told", "{\"id\":\"issuing\",\"stage\":1,\"way\":\"pigeon\"}",
         FR_E_INVALID, "exec and post"},
        {"no stage", "notice.told", "{\"id\":\"issuing\",\"stage\":20,\"way\":\"post\"}",
         FR_E_INVALID, "stage"},
        {"acknowledged", "notice.ack", "{\"ids\":[\"issuing\",\"server\"]}", FR_OK, "\"acked\":2"},
        {"one that is not", "notice.ack", "{\"ids\":[\"server\",\"walk/umbra\"]}", FR_E_NOT_FOUND,
         "walk/umbra"},
        {"nothing", "notice.ack", "{}", FR_E_INVALID, "ids and all"},
        {"both", "notice.ack", "{\"all\":true,\"ids\":[\"server\"]}", FR_E_INVALID, "ids and all"},
        {"the rest", "notice.ack", "{\"all\":true}", FR_OK, "\"acked\":6"},
        {"mended, but for what happened", "notice.look", "{}", FR_OK, "\"cleared\":4"},
        {"unknown words", "notice.look", "{\"disk\":1}", FR_E_INVALID, "disk"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[4096];
        const enum fr_err err = run_one(f, rows[i].op, rows[i].args, none, i == 0, out);
        if (err != rows[i].err || !strstr(out, rows[i].told))
            fail_msg("%s: %s %s", rows[i].label, fr_err_text(err), out);
        assert_int_equal(row_of(f, "issuing").stage, i == 0 ? FR_STAGE_NONE : FR_STAGE_OPEN);
    }
    const struct fr_notice_row row = row_of(f, "issuing");
    assert_int_equal(row.told, FR_NOTICE_BY_POST);
    assert_string_equal(row.acked_by, "local:tester");
    assert_string_equal(row.acked_why, "test");
    assert_int_equal(row_of(f, "walk/acme").stage, FR_STAGE_OPEN); /* for a day */
    assert_int_equal(row_of(f, "audit").stage, FR_STAGE_NONE);
}

/* The broker's own book-keeping is not what somebody did. */
static void the_trail_has_what_people_did(void **state)
{
    struct fixture *f = *state;
    char out[4096], path[128], trail[16384];

    assert_int_equal(run_one(f, "notice.look", "{}", none, false, out), FR_OK);
    assert_int_equal(run_one(f, "notice.told", "{\"id\":\"issuing\",\"stage\":1,\"way\":\"exec\"}",
                             none, false, out),
                     FR_OK);
    assert_int_equal(run_one(f, "notice.ack", "{\"all\":true}", none, false, out), FR_OK);
    (void)snprintf(path, sizeof path, "%s/audit.jsonl", f->dir);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    trail[fread(trail, 1, sizeof trail - 1, in)] = '\0';
    fclose(in);
    assert_non_null(strstr(trail, "notice.ack"));
    assert_null(strstr(trail, "notice.look"));
    assert_null(strstr(trail, "notice.told"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(looked_told_acknowledged, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_trail_has_what_people_did, fixture_setup,
                                        fixture_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
