#include "base/file.h"
#include "base/mem.h"
#include "support/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/fr_file_test.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static char *in_folder(const char *name)
{
    char *path = fr_path_join(folder, name);

    assert_non_null(path);
    return path;
}

static size_t count_files(void)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void written_whole_with_the_mode_asked_for(void **state)
{
    char *path = in_folder("a");
    struct fr_buf b = FR_BUF_INIT(10);
    struct stat st;

    (void)state;
    umask(077);
    assert_int_equal(fr_file_write(path, 0644, FR_SPAN_LIT("one"), NULL), FR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(fr_file_write(path, 0600, FR_SPAN_LIT("two"), NULL), FR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(fr_file_read(path, NULL, &b), FR_OK);
    assert_string_equal(fr_buf_str(&b), "two");
    assert_int_equal(fr_file_create(path, 0600, FR_SPAN_LIT("three"), NULL), FR_E_EXISTS);
    fr_buf_reset(&b);
    assert_int_equal(fr_file_read(path, NULL, &b), FR_OK);
    assert_string_equal(fr_buf_str(&b), "two");
    assert_int_equal(count_files(), 1); /* no temporary is left */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(fr_file_create(path, 0600, FR_SPAN_LIT("three"), NULL), FR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(unlink(path), 0);
    fr_buf_deinit(&b);
    fr_free(path);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
    char *path = in_folder("link"), *target = in_folder("target");
    struct stat st;

    (void)state;
    assert_int_equal(fr_file_write(target, 0600, FR_SPAN_LIT("precious"), NULL), FR_OK);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(fr_file_create(path, 0600, FR_SPAN_LIT("x"), NULL), FR_E_EXISTS);
    assert_int_equal(fr_file_write(path, 0600, FR_SPAN_LIT("x"), NULL), FR_OK);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 8);
    assert_int_equal(unlink(path) | unlink(target), 0);
    fr_free(path);
    fr_free(target);
}

static void refused_reads(void **state)
{
    char *path = in_folder("b"), *none = in_folder("none"), *fifo = in_folder("fifo");
    struct fr_buf b = FR_BUF_INIT(3);
    struct fr_diag diag = {0};

    (void)state;
    assert_int_equal(fr_file_read(none, &diag, &b), FR_E_NOT_FOUND);
    assert_non_null(strstr(diag.what, none));
    assert_int_equal(fr_file_read(folder, &diag, &b), FR_E_INVALID);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(fr_file_read(fifo, &diag, &b), FR_E_INVALID); /* and does not block */
    assert_int_equal(fr_file_write(path, 0600, FR_SPAN_LIT("four"), NULL), FR_OK);
    assert_int_equal(fr_file_read(path, &diag, &b), FR_E_LIMIT);
    assert_non_null(strstr(diag.what, "3 bytes"));
    assert_int_equal(unlink(path) | unlink(fifo), 0);
    fr_buf_deinit(&b);
    fr_free(path);
    fr_free(none);
    fr_free(fifo);
}

static void secrets_must_be_private(void **state)
{
    static const struct {
        mode_t mode;
        enum fr_err want;
    } rows[] = {{0600, FR_OK},       {0400, FR_OK},       {0640, FR_E_CONFIG},
                {0604, FR_E_CONFIG}, {0620, FR_E_CONFIG}, {0644, FR_E_CONFIG}};
    char *path = in_folder("key");
    struct fr_diag diag = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_buf b = FR_BUF_INIT(10);
        assert_int_equal(fr_file_write(path, rows[i].mode, FR_SPAN_LIT("k"), NULL), FR_OK);
        assert_int_equal(fr_file_check_private(path, &diag), rows[i].want);
        assert_int_equal(fr_file_read_private(path, &diag, &b), rows[i].want);
        fr_buf_deinit(&b);
    }
    assert_non_null(strstr(diag.hint, "chmod 600"));
    assert_int_equal(unlink(path), 0);
    fr_free(path);
}

/* Root checks the configuration of a service user; that user must not take a stranger's file. */
static void secrets_of_others(void **state)
{
    (void)state;
    if (geteuid() != 0) skip(); /* who is not root cannot make such a file */
    char *path = in_folder("others");
    struct fr_diag diag = {0};

    assert_int_equal(fr_file_write(path, 0600, FR_SPAN_LIT("k"), NULL), FR_OK);
    assert_int_equal(chown(path, 4242, 4242), 0);
    assert_int_equal(fr_file_check_private(path, &diag), FR_OK);
    assert_int_equal(chmod(path, 0644) | chmod(folder, 0755), 0);
    assert_int_equal(seteuid(4243), 0);
    enum fr_err err = fr_file_check_private(path, &diag);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(err, FR_E_CONFIG);
    assert_non_null(strstr(diag.what, "another user"));
    assert_int_equal(unlink(path) | chmod(folder, 0700), 0);
    fr_free(path);
}

static void folders(void **state)
{
    char *deep = in_folder("x/y/z"), *file = in_folder("f"), *below = in_folder("f/g");
    struct stat st;

    (void)state;
    assert_int_equal(fr_dir_make(deep, 0700, NULL), FR_OK);
    assert_int_equal(fr_dir_make(deep, 0700, NULL), FR_OK);
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(fr_file_write(file, 0600, FR_SPAN_LIT("x"), NULL), FR_OK);
    assert_int_equal(fr_dir_make(below, 0700, NULL), FR_E_CREATE);
    assert_int_equal(fr_file_write(below, 0600, FR_SPAN_LIT("x"), NULL), FR_E_CREATE);
    assert_true(fr_file_exists(file) && !fr_file_exists(below));
    assert_int_equal(unlink(file), 0);
    fr_free(deep);
    fr_free(file);
    fr_free(below);
}

static void paths(void **state)
{
    static const struct {
        const char *beside, *path, *want;
    } rows[] = {{"/etc/f/a.yaml", "b.pem", "/etc/f/b.pem"},
                {"/etc/f/a.yaml", "/x/b", "/x/b"},
                {"a.yaml", "b", "b"},
                {"d/a.yaml", "../b", "d/../b"},
                {"/a.yaml", "b", "/b"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *got = fr_path_beside(rows[i].beside, rows[i].path);
        assert_string_equal(got, rows[i].want);
        fr_free(got);
    }
    char *joined = fr_path_join("a/", "b");
    assert_string_equal(joined, "a/b");
    fr_free(joined);
}

static void a_stamp_tells_a_replaced_file(void **state)
{
    char *path = in_folder("s");

    (void)state;
    struct fr_file_stamp none = fr_file_stamp(path), zero = {0};
    assert_true(fr_file_stamp_equal(&none, &zero));
    assert_int_equal(fr_file_write(path, 0600, FR_SPAN_LIT("x"), NULL), FR_OK);
    struct fr_file_stamp one = fr_file_stamp(path), again = fr_file_stamp(path);
    assert_true(fr_file_stamp_equal(&one, &again));
    assert_int_equal(fr_file_write(path, 0600, FR_SPAN_LIT("y"), NULL), FR_OK);
    struct fr_file_stamp two = fr_file_stamp(path);
    assert_false(fr_file_stamp_equal(&one, &two));
    assert_int_equal(unlink(path), 0);
    fr_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_whole_with_the_mode_asked_for),
        cmocka_unit_test(a_link_is_replaced_and_not_followed),
        cmocka_unit_test(refused_reads),
        cmocka_unit_test(secrets_must_be_private),
        cmocka_unit_test(secrets_of_others),
        cmocka_unit_test(folders),
        cmocka_unit_test(paths),
        cmocka_unit_test(a_stamp_tells_a_replaced_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
