#pragma once
/* A temporary folder for one test, made under the system's and taken away with everything in it. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline int tmp_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int tmp_setup(void **state)
{
    char *dir = strdup("/tmp/fedroam-test-XXXXXX");

    *state = dir;
    return dir != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int tmp_teardown(void **state)
{
    nftw(*state, tmp_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

#define TMP_TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
