#include "usage/query_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"
#include "unit/db/tmp.h"

#define NOON ((int64_t)20000 * 86400 + 43200)

struct place {
    void *dir;
    char path[256];
    struct fr_query_file *file;
    uint64_t written, lost;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    if (p == NULL || tmp_setup(&p->dir) != 0) return -1;
    (void)snprintf(p->path, sizeof p->path, "%s/queries.jsonl", (char *)p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    fr_query_file_close(p->file);
    int rc = tmp_teardown(&p->dir);
    free(p);
    return rc;
}

static void open_at(struct place *p, int64_t now_s)
{
    const struct fr_query_file_conf conf = {.path = p->path, .keep_s = 3 * 86400, .size = 4096};
    struct fr_diag diag = {0};

    fr_query_file_close(p->file);
    p->file = NULL;
    if (fr_query_file_open(&conf, now_s, &diag, &p->file) != FR_OK) fail_msg("%s", diag.what);
}

static void add(struct place *p, int64_t now_s, unsigned lines)
{
    const struct fr_query_line line = {now_s * 1000 + 42, "acme", 0x70b3d57ed0000001, "A",
                                       "000013"};

    for (unsigned i = 0; i < lines; i++) fr_query_file_add(p->file, &line);
    assert_int_equal(fr_query_file_flush(p->file, now_s, &p->written, &p->lost), FR_OK);
}

static unsigned files(const struct place *p)
{
    DIR *dir = opendir(p->dir);
    unsigned n = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += strncmp(e->d_name, "queries.jsonl", 13) == 0;
    closedir(dir);
    return n;
}

static void a_line_is_a_json_object(void **state)
{
    struct place *p = *state;
    char text[256] = "";
    struct stat st;

    open_at(p, NOON);
    add(p, NOON, 1);
    FILE *in = fopen(p->path, "r");
    assert_non_null(in);
    assert_non_null(fgets(text, sizeof text, in));
    fclose(in);
    assert_string_equal(text,
                        "{\"time\":\"2024-10-04T12:00:00.042Z\",\"member\":\"acme\","
                        "\"deveui\":\"70b3d57ed0000001\",\"type\":\"A\",\"answer\":\"000013\"}\n");
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(p->written, 1);
}

static void it_is_moved_by_size_and_by_day_and_kept_for_a_time(void **state)
{
    struct place *p = *state;

    open_at(p, NOON);
    add(p, NOON, 50); /* more than 4096 octets */
    assert_int_equal(files(p), 1);
    add(p, NOON, 1);
    assert_int_equal(files(p), 2);
    add(p, NOON, 50);
    add(p, NOON, 1); /* moved within the same second */
    assert_int_equal(files(p), 3);
    add(p, NOON + 40000, 0);
    assert_int_equal(files(p), 3);
    add(p, NOON + 50000, 1); /* the next day */
    assert_int_equal(files(p), 4);
    add(p, NOON + 50000 + 86400, 1);
    assert_int_equal(files(p), 5);
    add(p, NOON + 3 * 86400 + 43200, 1); /* two of them were moved more than three days ago */
    assert_int_equal(files(p), 4);
    open_at(p, NOON + 100 * 86400);
    assert_int_equal(files(p), 1);
    assert_int_equal(p->lost, 0);
    assert_int_equal(p->written, 105);
}

static void other_files_stay(void **state)
{
    struct place *p = *state;
    static const char *const names[] = {"queries.jsonl.gz", "queries.jsonl.1999-01-01", "other",
                                        "queries.jsonl.1999-01-01T00:00:00Z"};
    char path[300];

    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", (char *)p->dir, names[i]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
    }
    open_at(p, NOON);
    assert_int_equal(access(path, F_OK), -1); /* the only one of ours */
    assert_int_equal(files(p), 3);
}

static void what_cannot_be_written_is_counted(void **state)
{
    struct place *p = *state;
    struct fr_diag diag = {0};
    const struct fr_query_file_conf bad = {.path = "/nowhere/at/all", .keep_s = 1, .size = 4096};
    const struct fr_query_file_conf full = {.path = "/dev/full", .keep_s = 1, .size = 4096};
    const struct fr_query_line line = {0, "acme", 1, "A", "none"};

    assert_int_equal(fr_query_file_open(&bad, NOON, &diag, &p->file), FR_E_CREATE);
    assert_non_null(strstr(diag.what, "/nowhere/at/all"));
    assert_int_equal(fr_query_file_open(&full, NOON, &diag, &p->file), FR_OK);
    for (int i = 0; i < 3; i++) fr_query_file_add(p->file, &line);
    assert_int_equal(fr_query_file_flush(p->file, NOON, &p->written, &p->lost), FR_E_IO);
    assert_int_equal(p->lost, 3);
    assert_int_equal(p->written, 0);
}

#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_line_is_a_json_object),
        PLACE_TEST(it_is_moved_by_size_and_by_day_and_kept_for_a_time),
        PLACE_TEST(other_files_stay),
        PLACE_TEST(what_cannot_be_written_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
