#include "notify/messenger.h"

#include "alarm/notice_json.h"
#include "base/mem.h"
#include "base/random.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define JSON_MAX 8192
#define WAYS 2

static const enum fr_notice_way ways[WAYS] = {FR_NOTICE_BY_EXEC, FR_NOTICE_BY_POST};

struct way {
    struct fr_messenger *m;
    enum fr_notice_way way;
    struct fr_delivery *delivery;
    bool is_recording;
    char id[FR_NOTICE_ID_MAX + 1]; /* on its way, or the last one: the next is behind it */
    enum fr_notice_stage stage;
    unsigned failures; /* in a row */
    int64_t next_ms;
    uint64_t taken, failed;
    struct fr_delivery *test;
};

struct fr_messenger {
    struct fr_messenger_options options;
    struct fr_notify_conf conf;
    struct way ways[WAYS];
    unsigned waiting;
    bool is_stopped;
    uint64_t seen_txn; /* of the store, when it was looked last */
    bool has_seen;
    /* a test */
    unsigned testing;
    struct fr_messenger_test result;
    fr_messenger_test_fn test_done;
    void *test_data;
};

/* --- the next one --- */

struct choice {
    const struct way *way;
    bool has_next, has_first;
    struct fr_notice_row next, first; /* behind the last one; of all */
    unsigned waiting;
};

static enum fr_err consider(void *data, const struct fr_notice_row *row)
{
    struct choice *c = data;

    if (row->acked_s > 0 || (row->told & c->way->way)) return FR_OK;
    c->waiting++;
    if (!c->has_first) {
        c->first = *row;
        c->has_first = true;
    }
    if (!c->has_next && strcmp(row->id, c->way->id) > 0) {
        c->next = *row;
        c->has_next = true;
    }
    return FR_OK;
}

/* --- one delivery --- */

/* 5, 10, 20 s … an hour; 0.9 to 1.1 of it. */
static int64_t back_off(const struct fr_messenger *m, unsigned failures)
{
    int64_t wait_ms = m->options.retry_ms;
    uint32_t chance = 0;

    for (unsigned i = 1; i < failures && wait_ms < FR_NOTIFY_RETRY_MAX_MS; i++) wait_ms *= 2;
    if (wait_ms > FR_NOTIFY_RETRY_MAX_MS) wait_ms = FR_NOTIFY_RETRY_MAX_MS;
    if (fr_random(&chance, sizeof chance)) chance = UINT32_MAX / 2;
    return wait_ms - wait_ms / 10 +
           (int64_t)((uint64_t)chance * (uint64_t)(wait_ms / 5) / UINT32_MAX);
}

static void fail(struct way *w, const char *why)
{
    const struct fr_messenger *m = w->m;
    const int64_t wait_ms = back_off(m, ++w->failures);

    w->failed++;
    w->next_ms = fr_clock_mono_ms(m->options.clock) + wait_ms;
    FR_LOG(m->options.log, FR_LOG_WARN, "notice.not_told",
           FR_STR("federation", fr_store_federation(m->options.store)), FR_STR("id", w->id),
           FR_STR("way", fr_notice_way_text(w->way)), FR_STR("why", why),
           FR_UINT("next_s", (wait_ms + 999) / 1000));
}

static void on_delivered(void *data, const char *why)
{
    struct way *w = data;
    const struct fr_messenger *m = w->m;

    if (why[0]) {
        fail(w, why);
    } else {
        FR_LOG(m->options.log, FR_LOG_INFO, "notice.told",
               FR_STR("federation", fr_store_federation(m->options.store)), FR_STR("id", w->id),
               FR_STR("stage", fr_notice_stage_text(w->stage)),
               FR_STR("way", fr_notice_way_text(w->way)));
        w->taken++;
        w->is_recording = m->options.told(m->options.data, w->id, w->stage, w->way);
        if (!w->is_recording) fail(w, "it was taken, but that cannot be recorded now");
    }
    fr_delivery_free(w->delivery);
    w->delivery = NULL;
}

static void deliver(struct way *w, const struct fr_notice_row *row)
{
    const struct fr_messenger *m = w->m;
    struct fr_buf json = FR_BUF_INIT(JSON_MAX);

    memcpy(w->id, row->id, sizeof w->id);
    w->stage = row->stage;
    fr_notice_write_json(&json, fr_store_federation(m->options.store), row, false);
    if (fr_buf_err(&json) == FR_OK)
        w->delivery = fr_delivery_start(m->options.loop, &m->conf, w->way, fr_buf_span(&json),
                                        on_delivered, w);
    fr_buf_deinit(&json);
    if (!w->delivery) fail(w, "no memory");
}

static bool is_free(const struct way *w)
{
    return !w->delivery && !w->is_recording && fr_clock_mono_ms(w->m->options.clock) >= w->next_ms;
}

/* How many wait for this way; one of them goes when it is free. */
static enum fr_err look(struct way *w, struct fr_snap *snap, unsigned *waiting)
{
    struct choice *c = fr_calloc(1, sizeof *c);

    if (!c) return FR_E_NOMEM;
    c->way = w;
    enum fr_err err = fr_notice_each(snap, consider, c);
    if (!err) *waiting = c->waiting;
    if (!err && c->has_first && is_free(w)) deliver(w, c->has_next ? &c->next : &c->first);
    fr_free(c);
    return err;
}

/* Is there anything to look for: something has changed, or somebody waits and a way is free again. */
static bool is_due(const struct fr_messenger *m)
{
    bool is_any_free = false;

    if (m->is_stopped) return false;
    if (!m->has_seen || m->seen_txn != fr_store_last_txn(m->options.store)) return true;
    for (size_t i = 0; i < WAYS; i++)
        is_any_free |= fr_delivery_is_set(&m->conf, ways[i]) && is_free(&m->ways[i]);
    return is_any_free && m->waiting > 0;
}

void fr_messenger_tend(struct fr_messenger *m)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = FR_OK;
    unsigned waiting = 0;

    if (!is_due(m) || fr_snap_begin(m->options.store, &snap)) return;
    for (size_t i = 0; !err && i < WAYS; i++) {
        unsigned n = 0;
        if (!fr_delivery_is_set(&m->conf, ways[i])) continue;
        err = look(&m->ways[i], snap, &n);
        waiting = n > waiting ? n : waiting;
    }
    m->waiting = waiting;
    m->has_seen = !err;
    m->seen_txn = fr_snap_txn(snap);
    fr_snap_end(snap);
}

void fr_messenger_recorded(struct fr_messenger *m, enum fr_notice_way way, bool is_recorded)
{
    struct way *w = &m->ways[way == FR_NOTICE_BY_EXEC ? 0 : 1];

    if (!w->is_recording) return;
    w->is_recording = false;
    if (is_recorded)
        w->failures = 0;
    else
        fail(w, "it was taken, but that cannot be recorded now");
    fr_messenger_tend(m);
}

/* --- a test --- */

static void on_tested(void *data, const char *why)
{
    struct way *w = data;
    struct fr_messenger *m = w->m;
    const size_t i = (size_t)(w - m->ways);

    (void)snprintf(m->result.why[i], sizeof m->result.why[i], "%s", why);
    fr_delivery_free(w->test);
    w->test = NULL;
    if (--m->testing == 0) m->test_done(m->test_data, &m->result);
}

enum fr_err fr_messenger_try(struct fr_messenger *m, fr_messenger_test_fn done, void *data)
{
    struct fr_notice_row row = {.id = "test",
                                .level = FR_NOTICE_WARNING,
                                .stage = FR_STAGE_OPEN,
                                .since_s = fr_clock_real_s(m->options.clock),
                                .what = "a test of the alarms: nothing is wrong",
                                .mend = "nothing"};
    struct fr_buf json = FR_BUF_INIT(JSON_MAX);

    if (m->testing > 0 || m->is_stopped) return FR_E_BUSY;
    m->result = (struct fr_messenger_test){0};
    m->test_done = done;
    m->test_data = data;
    fr_notice_write_json(&json, fr_store_federation(m->options.store), &row, true);
    enum fr_err err = fr_buf_err(&json);
    for (size_t i = 0; !err && i < WAYS; i++) {
        struct way *w = &m->ways[i];
        m->result.is_set[i] = fr_delivery_is_set(&m->conf, w->way);
        if (!m->result.is_set[i]) continue;
        w->test =
            fr_delivery_start(m->options.loop, &m->conf, w->way, fr_buf_span(&json), on_tested, w);
        if (w->test) m->testing++;
        if (!w->test) (void)snprintf(m->result.why[i], sizeof m->result.why[i], "no memory");
    }
    fr_buf_deinit(&json);
    if (!err && m->testing == 0) err = FR_E_NOT_FOUND;
    return err;
}

/* --- handle --- */

enum fr_err fr_messenger_new(const struct fr_messenger_options *options, struct fr_messenger **out)
{
    struct fr_messenger *m = fr_calloc(1, sizeof *m);

    if (!m) return FR_E_NOMEM;
    m->options = *options;
    if (m->options.retry_ms == 0) m->options.retry_ms = FR_NOTIFY_RETRY_MS;
    for (size_t i = 0; i < WAYS; i++) m->ways[i] = (struct way){.m = m, .way = ways[i]};
    *out = m;
    return FR_OK;
}

enum fr_err fr_messenger_set(struct fr_messenger *m, const struct fr_notify_conf *conf)
{
    struct fr_notify_conf copy;

    if (fr_notify_conf_equal(conf, &m->conf)) return FR_OK;
    enum fr_err err = fr_notify_conf_copy(conf, &copy);
    if (err) return err;
    fr_notify_conf_free(&m->conf);
    m->conf = copy;
    m->has_seen = false;
    for (size_t i = 0; i < WAYS; i++) { /* another receiver: at once */
        m->ways[i].failures = 0;
        m->ways[i].next_ms = 0;
    }
    return FR_OK;
}

void fr_messenger_count(const struct fr_messenger *m, struct fr_messenger_counters *out)
{
    *out = (struct fr_messenger_counters){.waiting = m->waiting};
    for (size_t i = 0; i < WAYS; i++) {
        out->is_set[i] = fr_delivery_is_set(&m->conf, ways[i]);
        out->taken[i] = m->ways[i].taken;
        out->failed[i] = m->ways[i].failed;
    }
}

void fr_messenger_stop(struct fr_messenger *m)
{
    m->is_stopped = true;
    for (size_t i = 0; i < WAYS; i++) {
        struct way *w = &m->ways[i];
        fr_delivery_free(w->delivery);
        w->delivery = NULL;
        if (w->test) on_tested(w, "the broker stops");
    }
}

void fr_messenger_free(struct fr_messenger *m)
{
    if (!m) return;
    fr_messenger_stop(m);
    fr_notify_conf_free(&m->conf);
    fr_free(m);
}
