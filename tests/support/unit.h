#pragma once
/* What cmocka wants included before itself, and small helpers for table-driven tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Checks one row of a table and names it when it fails. */
#define CHECK_ROW(label, condition)                                                                \
    do {                                                                                           \
        if (!(condition)) fail_msg("%s: %s", (label), #condition);                                 \
    } while (0)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
