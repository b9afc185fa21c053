/* The reader of device lists and master files. Read whole and byte by byte, the outcome must be the same. */
#include "store/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
    struct fr_import *import;
    uint64_t hash; /* of every device and its line */
    size_t n;
};

static enum fr_err on_device(void *data, uint64_t eui, size_t line, struct fr_diag *diag)
{
    struct reading *reading = data;

    (void)diag;
    reading->hash = (reading->hash ^ eui ^ line) * 0x100000001b3u;
    reading->n++;
    return FR_OK;
}

static enum fr_err read_all(const uint8_t *data, size_t size, size_t piece, bool keep_going,
                            struct reading *out)
{
    struct fr_import_options options = {.name = "list",
                                        .netid = 0x13,
                                        .records = true,
                                        .keep_going = keep_going,
                                        .device = on_device,
                                        .data = out};
    enum fr_err err = fr_import_new(&options, &out->import);

    for (size_t at = 0; err == FR_OK && at < size; at += piece)
        err = fr_import_feed(
            out->import, (struct fr_span){data + at, size - at < piece ? size - at : piece}, NULL);
    return err == FR_OK ? fr_import_end(out->import, NULL) : err;
}

static void compare(const struct reading *a, const struct reading *b)
{
    if (a->n != b->n || a->hash != b->hash ||
        fr_import_left_out(a->import) != fr_import_left_out(b->import) ||
        fr_import_lines(a->import) != fr_import_lines(b->import))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536) return 0;
    for (int keep_going = 0; keep_going < 2; keep_going++) {
        struct reading whole = {0}, bytes = {0};
        enum fr_err a = read_all(data, size, size ? size : 1, keep_going, &whole);
        enum fr_err b = read_all(data, size, 1, keep_going, &bytes);
        if (a != b) abort();
        compare(&whole, &bytes);
        fr_import_free(whole.import);
        fr_import_free(bytes.import);
    }
    return 0;
}
