/* The cache's file: the bytes given are its body, the hash over them is put behind so that the reader
 * goes on to what is in it. What it accepts can be written again. */

#include <stdint.h>
#include <stdlib.h>

#include "base/siphash.h"
#include "base/wire.h"
#include "resolver/cache_image.h"
#include <fedroam/options.h>

static const struct fr_cache_moment now = {.mono_ms = 5000000, .real_s = 1700000000};

static bool check(void *data, const struct fr_cache_kept *e)
{
    (void)data;
    if (e->keep_until_ms <= now.mono_ms || e->fresh_until_ms > e->keep_until_ms) abort();
    for (size_t i = 0; e->place && i < e->place->n_endpoints; i++)
        if (e->place->endpoints[i].host_at >= e->place->text_n) abort();
    return true;
}

static void read_image(struct fr_span image)
{
    const struct fr_cache_limits limits = {.max_entries = 100, .max_bytes = 1 << 20};
    struct fedroam_options *o = fedroam_options_new();
    struct fr_cache *c = NULL;
    if (!o || fr_cache_new(&limits, &c) != FR_OK ||
        fedroam_options_add_federation(o, "fed.test", "a", "b", "c") != FEDROAM_OK)
        abort();
    struct fr_buf again = FR_BUF_INIT(1 << 21);
    if (fr_cache_image_read(c, o, now, image) == FR_OK) {
        fr_cache_each(c, check, NULL);
        if (fr_cache_image_write(c, o, now, &again) != FR_OK) abort();
        if (fr_cache_image_read(c, o, now, fr_buf_span(&again)) != FR_OK) abort();
    } else if (fr_cache_counts(c).entries > 0) {
        abort();
    }
    fr_buf_deinit(&again);
    fr_cache_free(c);
    fedroam_options_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fr_siphash_key key = {"fedroam cache 1"};
    struct fr_buf image = FR_BUF_INIT(1 << 21);
    uint8_t tail[8];
    struct fr_wr w = fr_wr(tail, sizeof tail);
    read_image(fr_span(data, size));
    fr_wr_u64(&w, fr_siphash(&key, fr_span(data, size)));
    fr_buf_add(&image, data, size);
    fr_buf_add_span(&image, fr_wr_done(&w));
    if (fr_buf_err(&image) == FR_OK) read_image(fr_buf_span(&image));
    fr_buf_deinit(&image);
    return 0;
}
