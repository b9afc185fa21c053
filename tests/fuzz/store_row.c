/* The readers of stored rows: the first byte chooses one. What is accepted must be written back as the same bytes. */
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[1 << 20];

static void compare(struct fr_span value, const struct fr_wr *w)
{
    struct fr_span written = fr_wr_done(w);

    if (written.n != value.n || memcmp(written.p, value.p, value.n) != 0) abort();
}

#define ROUND_TRIP(type, name)                                                                     \
    do {                                                                                           \
        static struct type row;                                                                    \
        memset(&row, 0, sizeof row);                                                               \
        if (name##_read(value, &row) != FR_OK) break;                                              \
        name##_write(&w, &row);                                                                    \
        compare(value, &w);                                                                        \
    } while (0)

static void walk_facts(struct fr_span facts)
{
    struct fr_fact fact;

    while (fr_fact_next(&facts, &fact) == FR_OK)
        if (fact.key.n + fact.value.n > 1 << 20) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_wr w = fr_wr(again, sizeof again);

    if (size == 0) return 0;
    struct fr_span value = {data + 1, size - 1};
    switch (data[0] < 200 ? data[0] % 11 : data[0]) { /* newer kinds from 200 on */
    case 0: ROUND_TRIP(fr_member_row, fr_member); break;
    case 1: ROUND_TRIP(fr_network_row, fr_network); break;
    case 2: /* the first form is read, and written as the second */
        if (value.n > 0 && value.p[0] == 1) {
            static struct fr_joineui_row row;
            (void)!fr_joineui_read(value, &row);
            break;
        }
        ROUND_TRIP(fr_joineui_row, fr_joineui);
        break;
    case 3: ROUND_TRIP(fr_device_row, fr_device); break;
    case 4: ROUND_TRIP(fr_cert_row, fr_cert_row); break;
    case 5: ROUND_TRIP(fr_key_row, fr_key); break;
    case 6: ROUND_TRIP(fr_pin_row, fr_pin); break;
    case 7: ROUND_TRIP(fr_authority_row, fr_authority); break;
    case 8: ROUND_TRIP(fr_token_row, fr_token_row); break;
    case 200: ROUND_TRIP(fr_block_row, fr_block); break;
    case 201: ROUND_TRIP(fr_release_row, fr_release); break;
    case 202: ROUND_TRIP(fr_conflict_row, fr_conflict); break;
    case 204: ROUND_TRIP(fr_primary_row, fr_primary); break;
    case 205: ROUND_TRIP(fr_primary_state, fr_primary_state); break;
    case 206: ROUND_TRIP(fr_primary_left, fr_primary_left); break;
    case 207: ROUND_TRIP(fr_downstream_row, fr_downstream); break;
    case 208: ROUND_TRIP(fr_notice_row, fr_notice); break;
    case 209: ROUND_TRIP(fr_approval_row, fr_approval); break;
    case 203: {
        struct fr_fact_device fact;
        if (fr_fact_device_read(value, &fact) == FR_OK && value.n > 8) abort();
        break;
    }
    case 10: ROUND_TRIP(fr_visibility_row, fr_visibility); break;
    default: {
        struct fr_journal_record record = {0};
        if (fr_journal_read(value, &record) != FR_OK) break;
        walk_facts(record.facts);
        fr_journal_write(&w, &record);
        compare(value, &w);
    }
    }
    return 0;
}
