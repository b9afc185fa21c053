#include "replica/desk.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

struct row {
    uint8_t serial[FR_SERIAL_SIZE];
    char host[FR_HOST_MAX + 1];
    struct fr_feed_place have;
    int64_t heard_ms;
    int64_t level_ms; /* when it last had all that there was */
};

struct fr_feed_desk {
    struct fr_store *store;
    const struct fr_clock *clock;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t moved;
    uint32_t limit_ms;
    size_t n;
    struct row rows[FR_DESK_FOLLOWERS];
    uint64_t confirmed, unconfirmed;
};

enum fr_err fr_feed_desk_new(struct fr_store *store, const struct fr_clock *clock,
                             struct fr_feed_desk **out)
{
    pthread_condattr_t attr;
    struct fr_feed_desk *desk = fr_calloc(1, sizeof *desk);

    if (desk == NULL) return FR_E_NOMEM;
    desk->store = store;
    desk->clock = clock;
    pthread_mutex_init(&desk->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&desk->moved, &attr);
    pthread_condattr_destroy(&attr);
    *out = desk;
    return FR_OK;
}

void fr_feed_desk_free(struct fr_feed_desk *desk)
{
    if (desk == NULL) return;
    pthread_cond_destroy(&desk->moved);
    pthread_mutex_destroy(&desk->lock);
    fr_free(desk);
}

static enum fr_err read_head(struct fr_store *store, struct fr_feed_state *out)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err == FR_OK) err = fr_feed_get(snap, out);
    fr_snap_end(snap);
    return err;
}

/* A host stays the same one when its certificate is renewed. */
static bool is_of(const struct row *row, const struct fr_cert_row *who)
{
    return who->host[0] != '\0' ? strcmp(row->host, who->host) == 0
                                : memcmp(row->serial, who->serial, FR_SERIAL_SIZE) == 0;
}

static struct row *row_of(struct fr_feed_desk *desk, const struct fr_cert_row *who)
{
    struct row *oldest = &desk->rows[0];

    for (size_t i = 0; i < desk->n; i++) {
        struct row *row = &desk->rows[i];
        if (is_of(row, who)) return row;
        if (row->heard_ms < oldest->heard_ms) oldest = row;
    }
    return desk->n < FR_DESK_FOLLOWERS ? &desk->rows[desk->n++] : oldest;
}

void fr_feed_desk_note(struct fr_feed_desk *desk, const struct fr_cert_row *who,
                       const struct fr_feed_place *have)
{
    const int64_t now_ms = fr_clock_mono_ms(desk->clock);
    struct fr_feed_state state;
    const bool is_level = read_head(desk->store, &state) == FR_OK &&
                          have->term == state.head.term && have->position >= state.head.position;

    pthread_mutex_lock(&desk->lock);
    struct row *row = row_of(desk, who);
    if (!is_of(row, who)) row->level_ms = now_ms; /* a new one: behind since now */
    if (is_level) row->level_ms = now_ms;
    memcpy(row->serial, who->serial, FR_SERIAL_SIZE);
    memcpy(row->host, who->host, sizeof row->host);
    row->have = *have;
    row->heard_ms = now_ms;
    pthread_cond_broadcast(&desk->moved);
    pthread_mutex_unlock(&desk->lock);
}

static bool is_there(const struct fr_feed_desk *desk, const struct fr_feed_place *head)
{
    for (size_t i = 0; i < desk->n; i++)
        if (desk->rows[i].have.term == head->term && desk->rows[i].have.position >= head->position)
            return true;
    return false;
}

/* When nobody has been heard for so long, waiting once more for each change would only make them slow. */
static bool is_anybody_near(const struct fr_feed_desk *desk, int64_t now_ms)
{
    for (size_t i = 0; i < desk->n; i++)
        if (now_ms - desk->rows[i].heard_ms < (int64_t)desk->limit_ms) return true;
    return false;
}

static bool wait_for(struct fr_feed_desk *desk, const struct fr_feed_place *head)
{
    const int64_t over_ms = fr_clock_mono_ms(desk->clock) + desk->limit_ms;
    struct timespec until;
    int rc = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += desk->limit_ms / 1000;
    until.tv_nsec += (long)(desk->limit_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (!is_there(desk, head)) {
        int64_t now_ms = fr_clock_mono_ms(desk->clock);
        if (rc != 0 || now_ms >= over_ms || !is_anybody_near(desk, now_ms)) return false;
        rc = pthread_cond_timedwait(&desk->moved, &desk->lock, &until);
    }
    return true;
}

enum fr_err fr_feed_desk_wait(struct fr_feed_desk *desk, struct fr_diag *diag)
{
    struct fr_feed_state state;

    pthread_mutex_lock(&desk->lock);
    const uint32_t limit_ms = desk->limit_ms;
    pthread_mutex_unlock(&desk->lock);
    if (limit_ms == 0) return FR_OK;
    enum fr_err err = read_head(desk->store, &state);
    if (err) return fr_diag_fail(diag, err, "the feed cannot be read: %s", fr_err_text(err));
    pthread_mutex_lock(&desk->lock);
    bool is_confirmed = state.is_on && wait_for(desk, &state.head);
    if (is_confirmed)
        desk->confirmed++;
    else
        desk->unconfirmed++;
    pthread_mutex_unlock(&desk->lock);
    if (is_confirmed) return FR_OK;
    (void)fr_diag_fail(
        diag, FR_E_UNAVAILABLE,
        "made here, but no replica has confirmed it within %u ms: it is lost if this "
        "broker is",
        limit_ms);
    fr_diag_hint(diag, "see to the replica; asking again makes no second change");
    return FR_E_UNAVAILABLE;
}

void fr_feed_desk_set_limit(struct fr_feed_desk *desk, uint32_t limit_ms)
{
    pthread_mutex_lock(&desk->lock);
    desk->limit_ms = limit_ms;
    pthread_mutex_unlock(&desk->lock);
}

void fr_feed_desk_read(struct fr_feed_desk *desk, struct fr_feed_desk_counters *out)
{
    const int64_t now_ms = fr_clock_mono_ms(desk->clock);
    struct fr_feed_state state = {0};

    (void)!read_head(desk->store, &state); /* then nobody is said to lag */
    pthread_mutex_lock(&desk->lock);
    out->n = desk->n;
    for (size_t i = 0; i < desk->n; i++) {
        memcpy(out->followers[i].host, desk->rows[i].host, sizeof out->followers[i].host);
        out->followers[i].position = desk->rows[i].have.position;
        out->followers[i].silent_ms = now_ms - desk->rows[i].heard_ms;
        out->followers[i].lag_ms = desk->rows[i].have.position >= state.head.position
                                       ? 0
                                       : now_ms - desk->rows[i].level_ms;
    }
    out->confirmed = desk->confirmed;
    out->unconfirmed = desk->unconfirmed;
    pthread_mutex_unlock(&desk->lock);
}
