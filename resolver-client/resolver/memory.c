#include "resolver/memory.h"

#include "base/file.h"
#include "resolver/cache_image.h"
#include "resolver/options.h"
#include "resolver/text.h"
#include "resolver/turns.h"

static struct fr_cache_moment moment(struct fedroam *f)
{
    return (struct fr_cache_moment){.mono_ms = fr_loop_now_ms(f->loop),
                                    .real_s = fr_loop_real_s(f->loop)};
}

/* An entry takes less room in the file than in memory. */
static size_t image_max(const struct fedroam *f)
{
    return (size_t)f->options->cache_bytes + 65536;
}

static void say(const struct fedroam *f, const char *event, enum fr_err err)
{
    FR_LOG(fr_options_log(f->options), FR_LOG_WARN, event, FR_STR("path", f->options->cache_file),
           FR_ERR("why", err));
}

static enum fr_err save(struct fedroam *f)
{
    struct fr_buf image = FR_BUF_INIT(image_max(f));
    uint64_t changes = fr_cache_counts(f->cache).changes;
    enum fr_err err = fr_cache_image_write(f->cache, f->options, moment(f), &image);
    if (!err) err = fr_file_write(f->options->cache_file, 0600, fr_buf_span(&image), NULL);
    if (!err) f->saved_changes = changes;
    if (err) say(f, "cache.unsaved", err);
    fr_buf_deinit(&image);
    return err;
}

static bool has_changed(const struct fedroam *f)
{
    return fr_cache_counts(f->cache).changes != f->saved_changes;
}

static void on_save(struct fr_timer *t)
{
    struct fedroam *f = t->data;
    if (has_changed(f)) (void)save(f); /* tried again next time */
    fr_timer_start(f->loop, t, FR_SAVE_EVERY_MS);
}

static void load(struct fedroam *f)
{
    struct fr_buf image = FR_BUF_INIT(image_max(f));
    enum fr_err err = fr_file_read_private(f->options->cache_file, NULL, &image);
    if (!err) err = fr_cache_image_read(f->cache, f->options, moment(f), fr_buf_span(&image));
    if (!err) f->saved_changes = fr_cache_counts(f->cache).changes;
    if (err && err != FR_E_NOT_FOUND) say(f, "cache.unusable", err);
    fr_buf_deinit(&image);
}

void fr_memory_start(struct fedroam *f)
{
    fr_timer_init(&f->save, on_save, f);
    if (!f->options->cache_file) return;
    load(f);
    fr_timer_start(f->loop, &f->save, FR_SAVE_EVERY_MS);
}

struct fr_cache_limits fr_memory_cache_limits(const struct fedroam_options *o)
{
    uint32_t keep_s = o->stale_s > o->peer_stale_s ? o->stale_s : o->peer_stale_s;
    return (struct fr_cache_limits){.max_entries = o->cache_entries,
                                    .max_bytes = o->cache_bytes,
                                    .keep_ms = (int64_t)keep_s * 1000};
}

void fr_memory_limits(struct fedroam *f)
{
    fr_cache_set_limits(f->cache, fr_memory_cache_limits(f->options));
    if (!f->options->cache_file)
        fr_timer_stop(&f->save);
    else if (!f->save.is_armed)
        fr_timer_start(f->loop, &f->save, FR_SAVE_EVERY_MS);
}

void fr_memory_end(struct fedroam *f)
{
    if (!f->save.is_armed) return; /* it never began */
    fr_timer_stop(&f->save);
    if (has_changed(f)) (void)save(f); /* nobody is left to be told */
}

enum fedroam_err fedroam_flush(struct fedroam *f, const char *federation)
{
    size_t first = 0, n = f->options->n_federations;
    if (federation) {
        first = fr_options_find(f->options, federation);
        if (first == n) return FEDROAM_E_FEDERATION;
        n = first + 1;
    }
    fr_enter(f);
    for (size_t i = first; i < n; i++) fr_cache_flush(f->cache, (uint16_t)i);
    if (!federation) fr_cache_flush(f->cache, FR_PUBLIC_TREES);
    fr_leave(f);
    return FEDROAM_OK;
}

enum fedroam_err fedroam_save(struct fedroam *f)
{
    if (!f->options->cache_file) return FEDROAM_E_STATE;
    fr_enter(f);
    enum fr_err err = save(f);
    fr_leave(f);
    return err == FR_OK || err == FR_E_NOMEM ? fr_public_err(err) : FEDROAM_E_SYSTEM;
}
