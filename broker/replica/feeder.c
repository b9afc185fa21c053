#include "replica/feeder.h"

#include "base/mem.h"
#include "base/parse.h"
#include "store/feed_message.h"

#include <string.h>

#define LOOK_MS 20 /* how often the store's last transaction is compared: 10 ns each */
#define RETRY_AFTER "5"

struct waiting {
    struct fr_http_exchange *x;
    struct fr_feed_ask ask;
    int64_t over_ms;
};

struct fr_feeder {
    struct fr_feeder_options options;
    struct fr_timer look;
    uint64_t seen_txn;
    unsigned n;
    struct waiting *waiting; /* FR_FEEDER_WAITING */
    bool is_stopping;
    struct fr_feeder_counters counters;
};

static void refuse(struct fr_http_exchange *x, unsigned status, const char *text)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "text/plain; charset=utf-8"),
        FR_HTTP_FIELD("cache-control", "no-store"),
        FR_HTTP_FIELD("retry-after", RETRY_AFTER),
    };
    fr_http_reply(x, status, fields, status == 503 ? 3 : 2, fr_span_str(text));
}

/* --- answering --- */

static void answer(struct fr_feeder *feeder, struct fr_http_exchange *x,
                   const struct fr_feed_ask *ask)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", FR_FEED_TYPE),
        FR_HTTP_FIELD("cache-control", "no-store"),
    };
    struct fr_buf message = FR_BUF_INIT(FR_FEED_MESSAGE_MAX);
    struct fr_snap *snap = NULL;

    enum fr_err err = fr_snap_begin(feeder->options.store, &snap);
    if (err == FR_OK)
        err = fr_feed_write(snap, ask, fr_clock_real_ms(feeder->options.clock), FR_FEEDER_ROOM,
                            &message);
    fr_snap_end(snap);
    if (err) {
        FR_LOG(feeder->options.log, FR_LOG_ERROR, "feed.failed", FR_ERR("why", err));
        refuse(x, 503, "The store cannot be read now.");
    } else {
        feeder->counters.messages++;
        feeder->counters.bytes += message.n;
        fr_http_reply(x, 200, fields, 2, fr_buf_span(&message));
    }
    fr_buf_deinit(&message);
}

/* *txn: of what it looked at. */
static bool has_news(struct fr_feeder *feeder, const struct fr_feed_ask *ask, uint64_t *txn)
{
    struct fr_snap *snap = NULL;
    bool has = true;

    enum fr_err err = fr_snap_begin(feeder->options.store, &snap);
    if (err == FR_OK) *txn = fr_snap_txn(snap);
    if (err == FR_OK) err = fr_feed_has_news(snap, ask, &has);
    fr_snap_end(snap);
    return err != FR_OK || has; /* a failure is told, too */
}

/* --- waiting --- */

/* Is there news for one that waits? The oldest moment that was looked at is remembered: a commit shows in the store's number
 * a moment before readers get it. */
static bool is_served(struct fr_feeder *feeder, const struct waiting *w, uint64_t *oldest)
{
    uint64_t txn = 0;
    bool has = has_news(feeder, &w->ask, &txn);

    if (txn < *oldest) *oldest = txn;
    return has;
}

static void look(struct fr_timer *timer)
{
    struct fr_feeder *feeder = timer->data;
    const int64_t now_ms = fr_loop_now_ms(feeder->options.loop);
    const bool is_moved = fr_store_last_txn(feeder->options.store) != feeder->seen_txn;
    uint64_t oldest = UINT64_MAX;
    unsigned kept = 0;

    for (unsigned i = 0; i < feeder->n; i++) {
        struct waiting *w = &feeder->waiting[i];
        bool is_over = feeder->is_stopping || now_ms >= w->over_ms || w->x->conn == NULL;
        if (is_over || (is_moved && is_served(feeder, w, &oldest)))
            answer(feeder, w->x, &w->ask);
        else
            feeder->waiting[kept++] = *w;
    }
    bool is_idle = feeder->n > 0 && kept == 0;
    if (oldest != UINT64_MAX) feeder->seen_txn = oldest;
    feeder->n = kept;
    if (kept > 0) fr_timer_start(feeder->options.loop, timer, LOOK_MS);
    if (is_idle && feeder->options.on_idle) feeder->options.on_idle(feeder->options.data);
}

static void wait(struct fr_feeder *feeder, struct fr_http_exchange *x,
                 const struct fr_feed_ask *ask, uint64_t wait_ms)
{
    if (feeder->n == FR_FEEDER_WAITING) {
        refuse(x, 503, "Too many replicas wait here.");
        return;
    }
    feeder->waiting[feeder->n++] =
        (struct waiting){x, *ask, fr_loop_now_ms(feeder->options.loop) + (int64_t)wait_ms};
    if (!feeder->look.is_armed) fr_timer_start(feeder->options.loop, &feeder->look, LOOK_MS);
}

/* --- requests --- */

static uint64_t wait_of(struct fr_span query)
{
    struct fr_span pair, name, value;
    uint64_t ms = 0;

    while (query.n > 0) {
        (void)fr_span_cut(query, '&', &pair, &query);
        (void)fr_span_cut(pair, '=', &name, &value);
        if (fr_span_is(name, "wait") && fr_parse_u64(value, 0, FR_FEEDER_WAIT_MS, &ms) != FR_OK)
            ms = 0;
    }
    return ms;
}

static enum fr_err get_state(struct fr_feeder *feeder, struct fr_feed_state *out)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(feeder->options.store, &snap);

    if (err == FR_OK) err = fr_feed_get(snap, out);
    fr_snap_end(snap);
    return err;
}

/* Another primary's reign has begun. */
static enum fr_err step_down(struct fr_feeder *feeder, const struct fr_feed_ask *ask,
                             const struct fr_cert_row *who, struct fr_feed_state *state)
{
    enum fr_err err = fr_feed_depose(feeder->options.store, ask->term, ask->forks, ask->n_forks,
                                     ask->is_herald ? who->host : "");

    FR_LOG(feeder->options.log, FR_LOG_ERROR, "replica.deposed",
           FR_STR("federation", fr_store_federation(feeder->options.store)),
           FR_UINT("term", state->term), FR_UINT("newer", ask->term), FR_STR("by", who->host),
           FR_STR("outcome", err ? fr_err_text(err) : "done"));
    return err ? err : get_state(feeder, state);
}

static enum fr_err prepare(struct fr_feeder *feeder, const struct fr_feed_ask *ask,
                           const struct fr_cert_row *who, struct fr_feed_state *state)
{
    enum fr_err err = get_state(feeder, state);
    bool is_first = err == FR_OK && state->role == FR_ROLE_PRIMARY && !state->is_on;

    if (is_first && !ask->is_herald) {
        FR_LOG(feeder->options.log, FR_LOG_INFO, "feed.on",
               FR_STR("federation", fr_store_federation(feeder->options.store)),
               FR_STR("for", who->host));
        err = fr_feed_turn_on(feeder->options.store);
        if (err == FR_OK) err = get_state(feeder, state);
    }
    if (err == FR_OK && state->role == FR_ROLE_PRIMARY && ask->term > state->term)
        err = step_down(feeder, ask, who, state);
    return err;
}

void fr_feeder_request(struct fr_feeder *feeder, struct fr_http_exchange *x,
                       const struct fr_cert_row *who)
{
    const struct fr_feed_place none = {0};
    const uint64_t wait_ms = feeder->is_stopping ? 0 : wait_of(x->query);
    struct fr_feed_state state;
    struct fr_feed_ask ask;

    if (fr_feed_ask_parse(x->query, &ask)) {
        refuse(x, 400, "The query does not say what the replica has.");
        return;
    }
    if (prepare(feeder, &ask, who, &state)) {
        refuse(x, 503, "The store cannot be used now.");
    } else if (ask.is_herald) {
        answer(feeder, x, &ask);
    } else if (state.role != FR_ROLE_PRIMARY) {
        refuse(x, 503, "This broker is not the primary.");
    } else {
        fr_feed_desk_note(feeder->options.desk, who, ask.is_part ? &none : &ask.have);
        uint64_t txn = 0;
        if (wait_ms > 0 && !has_news(feeder, &ask, &txn))
            wait(feeder, x, &ask, wait_ms);
        else
            answer(feeder, x, &ask);
    }
}

/* --- handle --- */

enum fr_err fr_feeder_new(const struct fr_feeder_options *options, struct fr_feeder **out)
{
    struct fr_feeder *feeder = fr_calloc(1, sizeof *feeder);

    if (feeder == NULL) return FR_E_NOMEM;
    feeder->options = *options;
    fr_timer_init(&feeder->look, look, feeder);
    feeder->waiting = fr_calloc(FR_FEEDER_WAITING, sizeof *feeder->waiting);
    if (feeder->waiting == NULL) {
        fr_free(feeder);
        return FR_E_NOMEM;
    }
    *out = feeder;
    return FR_OK;
}

void fr_feeder_free(struct fr_feeder *feeder)
{
    if (feeder == NULL) return;
    fr_timer_stop(&feeder->look);
    fr_free(feeder->waiting);
    fr_free(feeder);
}

void fr_feeder_stop(struct fr_feeder *feeder)
{
    feeder->is_stopping = true;
    if (feeder->n > 0) fr_timer_start(feeder->options.loop, &feeder->look, 0);
}

unsigned fr_feeder_waiting(const struct fr_feeder *feeder)
{
    return feeder->n;
}

const struct fr_feeder_counters *fr_feeder_counters(const struct fr_feeder *feeder)
{
    return &feeder->counters;
}
