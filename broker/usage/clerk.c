#include "usage/clerk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "dns/types.h"
#include "store/journal.h"
#include "store/policy.h"
#include "store/release.h"
#include "usage/account.h"

#define TRIM_AT_ONCE 2000 /* rows in one commit: others wait for it */
#define DAY_S 86400
#define TICK_MS 1000
#define FLUSH_MS 60000
#define TAKEN_AT_ONCE 1024

struct fr_clerk {
    struct fr_clerk_options options;
    pthread_t thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* the file, its counters */
    struct fr_query_file *file;
    uint64_t lines, lines_lost;
    atomic_uint_fast64_t counts;
    bool is_log_broken, is_store_broken; /* told; the thread's */
    struct fr_note taken[TAKEN_AT_ONCE];
};

/* --- the query log --- */

static void add_line(struct fr_query_file *file, const struct fr_note *note)
{
    char type[FR_DNS_TYPE_TEXT_SIZE], netid[8];

    (void)fr_dns_type_print(note->type, type);
    (void)snprintf(netid, sizeof netid, "%06x", (unsigned)note->netid & 0xffffff);
    const struct fr_query_line line = {
        .when_ms = note->when_ms,
        .member = note->member,
        .deveui = note->deveui,
        .type = type,
        .answer = note->answer == FR_NOTE_FOUND  ? netid
                  : note->answer == FR_NOTE_NONE ? "none"
                                                 : "refused",
    };
    fr_query_file_add(file, &line);
}

static enum fr_err write_some(struct fr_clerk *clerk, int64_t now_s, size_t *n)
{
    enum fr_err err = FR_OK;

    *n = fr_notes_take(clerk->options.usage->notes, clerk->taken, TAKEN_AT_ONCE);
    pthread_mutex_lock(&clerk->lock);
    for (size_t i = 0; clerk->file != NULL && i < *n; i++) add_line(clerk->file, &clerk->taken[i]);
    if (clerk->file != NULL)
        err = fr_query_file_flush(clerk->file, now_s, &clerk->lines, &clerk->lines_lost);
    pthread_mutex_unlock(&clerk->lock);
    return err;
}

static void write_notes(struct fr_clerk *clerk, int64_t now_s)
{
    const struct fr_clerk_options *options = &clerk->options;
    enum fr_err err = FR_OK;
    size_t n = 0;

    do {
        enum fr_err one = write_some(clerk, now_s, &n);
        if (one != FR_OK) err = one;
    } while (n == TAKEN_AT_ONCE);
    if (err != FR_OK && !clerk->is_log_broken)
        FR_LOG(options->log, FR_LOG_ERROR, "query_log.failed",
               FR_STR("federation", options->usage->federation), FR_ERR("why", err));
    clerk->is_log_broken = err != FR_OK;
}

enum fr_err fr_clerk_set_log(struct fr_clerk *clerk, const struct fr_query_file_conf *conf,
                             struct fr_diag *diag)
{
    struct fr_query_file *file = NULL;
    enum fr_err err = FR_OK;

    if (conf != NULL)
        err = fr_query_file_open(conf, fr_clock_real_s(clerk->options.clock), diag, &file);
    if (err == FR_OK) err = fr_notes_turn(clerk->options.usage->notes, file != NULL);
    if (err != FR_OK) {
        fr_query_file_close(file);
        return err;
    }
    pthread_mutex_lock(&clerk->lock);
    struct fr_query_file *old = clerk->file;
    clerk->file = file;
    pthread_mutex_unlock(&clerk->lock);
    fr_query_file_close(old);
    return FR_OK;
}

/* --- the counts --- */

static void add_counts(struct fr_clerk *clerk, uint32_t day)
{
    const struct fr_clerk_options *options = &clerk->options;
    struct fr_lookup_row *rows = NULL;
    size_t n = 0;
    uint64_t sum = 0;

    fr_usage_gather(options->usage, day, &rows, &n);
    for (size_t i = 0; i < n; i++) sum += rows[i].count;
    enum fr_err err = fr_lookups_add(options->store, rows, n);
    if (err == FR_OK) {
        atomic_fetch_add(&clerk->counts, sum);
        fr_free(rows);
    } else {
        fr_usage_give_back(options->usage, rows, n);
    }
    if (err != FR_OK && !clerk->is_store_broken)
        FR_LOG(options->log, FR_LOG_ERROR, "stats.failed",
               FR_STR("federation", options->usage->federation), FR_ERR("why", err));
    clerk->is_store_broken = err != FR_OK;
}

static enum fr_err read_keep(struct fr_store *store, uint32_t *keep_s)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err != FR_OK) return err;
    err = fr_policy_get(snap, FR_POLICY_STATS_KEEP, keep_s);
    fr_snap_end(snap);
    return err;
}

/* What fails today is tried again tomorrow. */
static void drop_old(const struct fr_clerk *clerk, uint32_t today)
{
    uint32_t keep_s = 0;
    bool is_left = true;

    enum fr_err err = read_keep(clerk->options.store, &keep_s);
    uint32_t days = keep_s / DAY_S;
    while (err == FR_OK && is_left && today > days)
        err = fr_lookups_drop(clerk->options.store, today - days, &is_left);
}

/* What the journal need not keep, and releases that are over. */
static void trim(const struct fr_clerk *clerk, int64_t now_s)
{
    const struct fr_change_by by = {.actor = "broker", .reason = "over", .now_s = now_s};
    struct fr_store *store = clerk->options.store;
    uint64_t removed = 0, sequence = 0;
    bool is_left = true;
    enum fr_err err = FR_OK;

    if (fr_store_check_role(store, NULL) != FR_OK) return; /* the primary's; a replica follows */
    while (err == FR_OK && is_left)
        err = fr_journal_trim(store, now_s, TRIM_AT_ONCE, &removed, &is_left);
    for (is_left = true; err == FR_OK && is_left;) {
        struct fr_change *change = NULL;
        err = fr_store_change(store, &by, NULL, &change);
        if (err) break;
        err = fr_release_sweep(change, TRIM_AT_ONCE, &is_left);
        if (err == FR_OK)
            err = fr_change_commit(change, NULL, &sequence);
        else
            fr_change_cancel(change);
    }
    if (err)
        FR_LOG(clerk->options.log, FR_LOG_ERROR, "journal.trim_failed",
               FR_STR("federation", clerk->options.usage->federation), FR_ERR("why", err));
}

/* --- the thread --- */

static void *clerk_run(void *data)
{
    struct fr_clerk *clerk = data;
    const struct fr_clock *clock = clerk->options.clock;
    int64_t flushed_ms = fr_clock_mono_ms(clock);
    int64_t day = fr_clock_real_s(clock) / DAY_S;
    bool is_stopping = false;

    drop_old(clerk, (uint32_t)day);
    trim(clerk, fr_clock_real_s(clock));
    while (!is_stopping) {
        fr_notes_wait(clerk->options.usage->notes, TICK_MS);
        is_stopping = atomic_load(&clerk->is_stopping);
        int64_t now_ms = fr_clock_mono_ms(clock), now_s = fr_clock_real_s(clock);
        write_notes(clerk, now_s);
        bool is_new_day = now_s / DAY_S != day;
        if (!is_stopping && !is_new_day && now_ms - flushed_ms < clerk->options.flush_ms) continue;
        add_counts(clerk, (uint32_t)day);
        if (is_new_day) drop_old(clerk, (uint32_t)(now_s / DAY_S));
        if (is_new_day) trim(clerk, now_s);
        flushed_ms = now_ms;
        day = now_s / DAY_S;
    }
    return NULL;
}

enum fr_err fr_clerk_start(const struct fr_clerk_options *options, struct fr_clerk **out)
{
    struct fr_clerk *clerk = fr_calloc(1, sizeof *clerk);

    if (clerk == NULL) return FR_E_NOMEM;
    clerk->options = *options;
    if (clerk->options.clock == NULL) clerk->options.clock = fr_clock_system();
    if (clerk->options.flush_ms == 0) clerk->options.flush_ms = FLUSH_MS;
    pthread_mutex_init(&clerk->lock, NULL);
    int errnum = pthread_create(&clerk->thread, NULL, clerk_run, clerk);
    if (errnum != 0) {
        pthread_mutex_destroy(&clerk->lock);
        fr_free(clerk);
        return fr_err_from_errno(errnum);
    }
    *out = clerk;
    return FR_OK;
}

struct fr_clerk_counters fr_clerk_counters(struct fr_clerk *clerk)
{
    struct fr_clerk_counters counters = {
        .counts = atomic_load(&clerk->counts),
        .counts_lost = fr_usage_counts_lost(clerk->options.usage),
    };

    pthread_mutex_lock(&clerk->lock);
    counters.lines = clerk->lines;
    counters.lines_lost = clerk->lines_lost;
    pthread_mutex_unlock(&clerk->lock);
    counters.lines_lost += fr_notes_lost(clerk->options.usage->notes);
    return counters;
}

void fr_clerk_stop(struct fr_clerk *clerk)
{
    if (clerk == NULL) return;
    atomic_store(&clerk->is_stopping, true);
    fr_notes_wake(clerk->options.usage->notes);
    pthread_join(clerk->thread, NULL);
    fr_query_file_close(clerk->file);
    pthread_mutex_destroy(&clerk->lock);
    fr_free(clerk);
}
