/* Join servers and JoinEUIs as members write them (store/join_server.h, store/joineui.h): what is read is printed so that it reads the
 * same. */
#include "store/joineui.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void servers(struct fr_span text)
{
    struct fr_join_server server, again;
    char printed[FR_JOIN_SERVER_TEXT];
    struct fr_diag diag = {0};

    if (fr_join_server_parse(text, 3, &diag, &server) != FR_OK) return;
    fr_join_server_print(&server, 3, printed);
    if (fr_join_server_parse(fr_span_str(printed), 3, &diag, &again) != FR_OK ||
        !fr_join_server_equal(&server, &again))
        abort();
}

static void prefixes(struct fr_span text)
{
    uint64_t base = 0, base_again = 0;
    uint8_t nibbles = 0, nibbles_again = 0;
    char printed[FR_JOINEUI_TEXT];
    struct fr_diag diag = {0};

    if (fr_joineui_parse(text, &diag, &base, &nibbles) != FR_OK) return;
    fr_joineui_print(base, nibbles, printed);
    if (fr_joineui_parse(fr_span_str(printed), &diag, &base_again, &nibbles_again) != FR_OK ||
        base != base_again || nibbles != nibbles_again || fr_joineui_base(base, nibbles) != base)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    servers(fr_span(data, size));
    prefixes(fr_span(data, size));
    return 0;
}
