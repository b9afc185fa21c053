/* The reader of device lists and master files. Read whole and byte by byte, the outcome must be the same. */
#include "store/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fr_err read_all(const uint8_t *data, size_t size, size_t piece, bool keep_going,
                            struct fr_import **out)
{
    struct fr_import_options options = {
        .name = "list", .netid = 0x13, .records = true, .keep_going = keep_going};
    enum fr_err err = fr_import_new(&options, out);

    for (size_t at = 0; err == FR_OK && at < size; at += piece)
        err = fr_import_feed(
            *out, (struct fr_span){data + at, size - at < piece ? size - at : piece}, NULL);
    return err == FR_OK ? fr_import_end(*out, NULL) : err;
}

static void compare(const struct fr_import *a, const struct fr_import *b)
{
    const uint64_t *euis_a, *euis_b;
    const uint32_t *lines_a, *lines_b;
    size_t n = fr_import_rows(a, &euis_a, &lines_a);

    if (fr_import_rows(b, &euis_b, &lines_b) != n ||
        fr_import_left_out(a) != fr_import_left_out(b) || fr_import_lines(a) != fr_import_lines(b))
        abort();
    for (size_t i = 0; i < n; i++)
        if (euis_a[i] != euis_b[i] || lines_a[i] != lines_b[i]) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536) return 0;
    for (int keep_going = 0; keep_going < 2; keep_going++) {
        struct fr_import *whole = NULL, *bytes = NULL;
        enum fr_err a = read_all(data, size, size ? size : 1, keep_going, &whole);
        enum fr_err b = read_all(data, size, 1, keep_going, &bytes);
        if (a != b) abort();
        compare(whole, bytes);
        fr_import_free(whole);
        fr_import_free(bytes);
    }
    return 0;
}
