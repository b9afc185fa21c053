#include "transport/h2_options.h"

#include "base/mem.h"

static void *mem_malloc(size_t size, void *data)
{
    (void)data;
    return fr_malloc(size);
}

static void mem_free(void *p, void *data)
{
    (void)data;
    fr_secret_free_all(p); /* a header may be a password */
}

static void *mem_calloc(size_t n, size_t size, void *data)
{
    (void)data;
    return fr_calloc(n, size);
}

static void *mem_realloc(void *p, size_t size, void *data)
{
    (void)data;
    return fr_realloc(p, size);
}

nghttp2_mem fr_h2_mem(void)
{
    return (nghttp2_mem){NULL, mem_malloc, mem_free, mem_calloc, mem_realloc};
}

enum fr_err fr_h2_options_new(unsigned resets, unsigned continuations, struct nghttp2_option **out)
{
    nghttp2_option *o;

    if (nghttp2_option_new(&o) != 0) return FR_E_NOMEM;
    nghttp2_option_set_no_closed_streams(o, 1);
    nghttp2_option_set_max_outbound_ack(o, 128);
    nghttp2_option_set_max_settings(o, 32);
    nghttp2_option_set_max_deflate_dynamic_table_size(o, 4096);
#ifdef FR_HAVE_RESET_RATE_LIMIT
    /* One more than allowed: a server's own account of resets (h2_flood.h) speaks first. */
    nghttp2_option_set_stream_reset_rate_limit(o, (uint64_t)resets + 1, (uint64_t)resets + 1);
#else
    (void)resets;
#endif
#ifdef FR_HAVE_MAX_CONTINUATIONS
    nghttp2_option_set_max_continuations(o, continuations);
#else
    (void)continuations;
#endif
    *out = o;
    return FR_OK;
}

void fr_h2_options_free(struct nghttp2_option *o)
{
    nghttp2_option_del(o);
}
