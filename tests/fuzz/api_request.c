/* What a member sends to the API, read without a connection: the first byte chooses path, query, or a line of a batch. */
#include "api/line.h"
#include "api/query.h"
#include "api/route.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_query(struct fr_span text)
{
    struct fr_query_value known[3] = {{.name = "after"}, {.name = "limit"}};
    bool truth;
    uint64_t number;

    if (fr_query_read(text, known, NULL)) return;
    for (size_t i = 0; i < 2; i++) {
        if (strlen(known[i].text) > FR_QUERY_VALUE) abort();
        (void)!fr_query_bool(&known[i], NULL, &truth);
        if (fr_query_uint(&known[i], 1, 9, 5, NULL, &number) == FR_OK && (number < 1 || number > 9))
            abort();
    }
}

static void match(struct fr_span text)
{
    struct fr_span method, path;
    struct fr_api_match match = {0};

    (void)fr_span_cut(text, ' ', &method, &path);
    enum fr_err err = fr_api_match(fr_api_routes, method, path, &match);
    if ((err == FR_OK) != (match.route != NULL)) abort();
    if ((err == FR_E_UNSUPPORTED) != (match.allow[0] != '\0')) abort();
}

static void read_line(struct fr_span text)
{
    struct fr_api_line line;

    if (fr_api_line_read(text, &line)) return;
    if (line.op != 'p' && line.op != 'd') abort();
    if (line.netid > 0xffffff) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct fr_span text = {data + 1, size - 1};
    switch (data[0] % 3) {
    case 0: match(text); break;
    case 1: read_query(text); break;
    default: read_line(text);
    }
    return 0;
}
