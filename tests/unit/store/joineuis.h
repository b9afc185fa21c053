/* JoinEUIs for tests: rows from the texts that people write. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/joineui.h"

/* Up to three servers; NULL: no more. */
static inline struct fr_joineui_row joineui_row(const char *prefix, const char *member,
                                                const char *const servers[3])
{
    struct fr_joineui_row row = {0};
    struct fr_diag diag = {0};

    if (fr_joineui_parse(fr_span_str(prefix), &diag, &row.base, &row.nibbles) != FR_OK)
        fail_msg("%s: %s", prefix, diag.what);
    (void)fr_span_copy(fr_span_str(member), row.member, sizeof row.member);
    for (uint8_t i = 0; i < 3 && servers[i] != NULL; i++, row.n_servers++)
        if (fr_join_server_parse(fr_span_str(servers[i]), (uint16_t)(i + 1), &diag,
                                 &row.servers[i]) != FR_OK)
            fail_msg("%s", diag.what);
    return row;
}
