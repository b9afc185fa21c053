#include "store/list.h"

#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/db/tmp.h"

static struct fr_list *new_list(const char *dir)
{
    struct fr_list *list = NULL;

    assert_int_equal(fr_list_new(dir, NULL, &list), FR_OK);
    return list;
}

static void finish(struct fr_list *list)
{
    for (bool done = false; !done;) assert_int_equal(fr_list_finish(list, 20, NULL, &done), FR_OK);
}

static size_t files_in(const char *dir)
{
    DIR *folder = opendir(dir);
    size_t n = 0;

    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strncmp(entry->d_name, "import-", 7) == 0) n++;
    closedir(folder);
    return n;
}

static void sorted_and_once(void **state)
{
    static const uint64_t euis[] = {
        5, 0, UINT64_MAX, 5, 1, 0x0100000000000000, 5, 0x8000000000000000};
    static const struct fr_list_row wanted[] = {
        {0, 1}, {1, 4}, {5, 0}, {0x0100000000000000, 5}, {0x8000000000000000, 7}, {UINT64_MAX, 2}};
    struct fr_list *list = new_list(NULL);
    const struct fr_list_row *rows;
    bool is_there = false;
    size_t n = 0;

    (void)state;
    for (uint32_t i = 0; i < 8; i++) assert_int_equal(fr_list_add(list, euis[i], i, NULL), FR_OK);
    finish(list);
    assert_int_equal(fr_list_count(list), 6);
    assert_int_equal(fr_list_repeated(list), 2);
    assert_int_equal(fr_list_read(list, 0, &rows, &n), FR_OK);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(rows[i].eui, wanted[i].eui);
        assert_int_equal(rows[i].row, wanted[i].row);
        assert_int_equal(fr_list_find(list, wanted[i].eui, &is_there), FR_OK);
        assert_true(is_there);
    }
    assert_int_equal(fr_list_find(list, 6, &is_there), FR_OK);
    assert_false(is_there);
    assert_int_equal(fr_list_read(list, 6, &rows, &n), FR_OK);
    assert_int_equal(n, 0);
    fr_list_free(list);

    list = new_list(NULL);
    finish(list);
    assert_int_equal(fr_list_count(list), 0);
    assert_int_equal(fr_list_read(list, 0, &rows, &n), FR_OK);
    assert_int_equal(n, 0);
    fr_list_free(list);
}

/* More than one run: through a file, and the file goes away. A bijection of the numbers makes the wanted order known. */
static void longer_than_memory(void **state)
{
    const char *dir = *state;
    enum { N = 2 * FR_LIST_RUN + 12345, AGAIN = 1000 };
    struct fr_list *list = new_list(dir);
    const struct fr_list_row *rows;
    uint64_t at = 0, last = 0;
    size_t n = 0;

    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(fr_list_add(list, (uint64_t)i * 0x9e3779b97f4a7c15u, i, NULL), FR_OK);
    for (uint32_t i = 0; i < AGAIN; i++)
        assert_int_equal(fr_list_add(list, (uint64_t)(2000 * i) * 0x9e3779b97f4a7c15u, N + i, NULL),
                         FR_OK);
    finish(list);
    assert_int_equal(fr_list_count(list), N);
    assert_int_equal(fr_list_repeated(list), AGAIN);
    for (;; at += n) {
        assert_int_equal(fr_list_read(list, at, &rows, &n), FR_OK);
        if (n == 0) break;
        for (size_t i = 0; i < n; i++) {
            if ((at + i > 0 && rows[i].eui <= last) || rows[i].row >= N ||
                rows[i].eui != (uint64_t)rows[i].row * 0x9e3779b97f4a7c15u)
                fail_msg("row %u", (unsigned)(at + i));
            last = rows[i].eui;
        }
    }
    assert_int_equal(at, N);
    fr_list_free(list);
    assert_int_equal(files_in(dir), 0);

    /* Without a place for runs that is too long. */
    enum fr_err err = FR_OK;
    list = new_list(NULL);
    for (uint32_t i = 0; err == FR_OK && i <= FR_LIST_RUN; i++) err = fr_list_add(list, i, i, NULL);
    assert_int_equal(err, FR_E_LIMIT);
    fr_list_free(list);
}

static void published_lists_are_taken_over(void **state)
{
    const char *dir = *state, *name = NULL;
    struct fr_list *list = new_list(dir), *taken = NULL;
    const struct fr_list_row *rows;
    char kept[FR_LIST_NAME];
    size_t n = 0;

    for (uint32_t i = 0; i < 3000; i++)
        assert_int_equal(fr_list_add(list, 2 * (uint64_t)(3000 - i), i, NULL), FR_OK);
    assert_int_equal(fr_list_add(list, 2, 9999, NULL), FR_OK);
    finish(list);
    assert_int_equal(fr_list_publish(list, NULL, &name), FR_OK);
    snprintf(kept, sizeof kept, "%s", name);
    assert_int_equal(files_in(dir), 1);
    fr_list_sweep(dir); /* its maker lives */
    assert_int_equal(files_in(dir), 1);
    assert_int_equal(fr_list_open(dir, kept, NULL, &taken), FR_OK);
    assert_int_equal(files_in(dir), 0);
    assert_int_equal(fr_list_count(taken), 3000);
    assert_int_equal(fr_list_repeated(taken), 1);
    assert_int_equal(fr_list_read(taken, 2999, &rows, &n), FR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].eui, 6000);
    assert_int_equal(rows[0].row, 0);
    fr_list_free(list);
    assert_int_equal(fr_list_read(taken, 0, &rows, &n),
                     FR_OK); /* the name is gone, the list is not */
    assert_int_equal(rows[0].eui, 2);
    assert_int_equal(rows[0].row, 2999);
    fr_list_free(taken);
    assert_int_equal(fr_list_open(dir, kept, NULL, &taken), FR_E_NOT_FOUND);
}

#define HEAD(count) "fr.list1\0\0\0\0\0\0\0" count "\0\0\0\0\0\0\0\0"
#define ROW(eui) "\0\0\0\0\0\0\0" eui "\0\0\0\1"

static void files_that_are_no_lists(void **state)
{
    static const struct {
        const char *label, *bytes;
        size_t n;
        mode_t mode;
        enum fr_err open, read;
    } files[] = {
        {"whole", HEAD("\2") ROW("\1") ROW("\2"), 48, 0600, FR_OK, FR_OK},
        {"empty list", HEAD("\0"), 24, 0600, FR_OK, FR_OK},
        {"nothing", "", 0, 0600, FR_E_MALFORMED, FR_OK},
        {"head cut", HEAD("\0"), 23, 0600, FR_E_MALFORMED, FR_OK},
        {"row cut", HEAD("\2") ROW("\1") ROW("\2"), 47, 0600, FR_E_MALFORMED, FR_OK},
        {"a row too many", HEAD("\1") ROW("\1") ROW("\2"), 48, 0600, FR_E_MALFORMED, FR_OK},
        {"other magic", "FR" HEAD("\0"), 24, 0600, FR_E_MALFORMED, FR_OK},
        {"others may write", HEAD("\0"), 24, 0666, FR_E_PERM, FR_OK},
        {"not sorted", HEAD("\2") ROW("\2") ROW("\1"), 48, 0600, FR_OK, FR_E_MALFORMED},
        {"repeated", HEAD("\2") ROW("\2") ROW("\2"), 48, 0600, FR_OK, FR_E_MALFORMED},
    };
    const char *dir = *state, *name = "import-00000000000000aa.list";
    struct fr_list *list = NULL;
    char path[512], target[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const struct fr_list_row *rows;
        size_t n = 0;
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(files[i].bytes, 1, files[i].n, file), files[i].n);
        fclose(file);
        assert_int_equal(chmod(path, files[i].mode), 0);
        enum fr_err err = fr_list_open(dir, name, NULL, &list);
        if (err != files[i].open) fail_msg("%s: %s", files[i].label, fr_err_text(err));
        if (err == FR_OK) {
            err = fr_list_read(list, 0, &rows, &n);
            if (err != files[i].read) fail_msg("%s: read: %s", files[i].label, fr_err_text(err));
            fr_list_free(list);
        }
        (void)unlink(path);
    }
    static const char *const names[] = {"",
                                        "import-00000000000000aa",
                                        "../import-00000000000000aa.list",
                                        "import-00000000000000ag.list",
                                        "import-00000000000000aa.listx",
                                        "data.mdb"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(fr_list_open(dir, names[i], NULL, &list), FR_E_INVALID);
    /* A link is not followed. */
    snprintf(target, sizeof target, "%s/elsewhere", dir);
    FILE *file = fopen(target, "we");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(symlink(target, path), 0);
    assert_int_not_equal(fr_list_open(dir, name, NULL, &list), FR_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(target), 0);
}

static void what_dead_processes_left_is_swept(void **state)
{
    const char *dir = *state;
    int status = 0;

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fr_list *list = NULL;
        const char *name;
        bool done = false;
        if (fr_list_new(dir, NULL, &list) || fr_list_add(list, 7, 0, NULL) ||
            fr_list_finish(list, 0, NULL, &done) || fr_list_publish(list, NULL, &name))
            _exit(1);
        _exit(0); /* without freeing it */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(files_in(dir), 1);
    fr_list_sweep(dir);
    assert_int_equal(files_in(dir), 0);
}

static void without_memory(void **state)
{
    const char *dir = *state;
    bool is_over = false;

    for (unsigned long nth = 1; !is_over; nth++) {
        struct fr_list *list = NULL;
        const char *name = NULL;
        bool done = false;
        fr_mem_fail_nth(nth);
        enum fr_err err = fr_list_new(dir, NULL, &list);
        for (uint32_t i = 0; err == FR_OK && i < 3000; i++)
            err = fr_list_add(list, 3000 - i, i, NULL);
        if (err == FR_OK) err = fr_list_finish(list, 100, NULL, &done);
        if (err == FR_OK) err = fr_list_publish(list, NULL, &name);
        is_over = !fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(err, is_over ? FR_OK : FR_E_NOMEM);
        fr_list_free(list);
        assert_int_equal(files_in(dir), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_once),
        cmocka_unit_test_setup_teardown(longer_than_memory, tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(published_lists_are_taken_over, tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(files_that_are_no_lists, tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(what_dead_processes_left_is_swept, tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(without_memory, tmp_setup, tmp_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
