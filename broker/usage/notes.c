#include "usage/notes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"

struct fr_notes {
    atomic_bool is_on;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t wake;
    bool is_woken;
    struct fr_note *ring; /* NULL until turned on */
    size_t first, n;
    uint64_t lost;
};

enum fr_err fr_notes_new(struct fr_notes **out)
{
    pthread_condattr_t attr;
    struct fr_notes *notes = fr_calloc(1, sizeof *notes);

    if (notes == NULL) return FR_E_NOMEM;
    pthread_mutex_init(&notes->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&notes->wake, &attr);
    pthread_condattr_destroy(&attr);
    *out = notes;
    return FR_OK;
}

void fr_notes_free(struct fr_notes *notes)
{
    if (notes == NULL) return;
    pthread_cond_destroy(&notes->wake);
    pthread_mutex_destroy(&notes->lock);
    fr_free(notes->ring);
    fr_free(notes);
}

enum fr_err fr_notes_turn(struct fr_notes *notes, bool is_on)
{
    enum fr_err err = FR_OK;

    pthread_mutex_lock(&notes->lock);
    if (is_on && notes->ring == NULL) {
        notes->ring = fr_calloc(FR_NOTES_MAX, sizeof *notes->ring);
        if (notes->ring == NULL) err = FR_E_NOMEM;
    }
    if (err == FR_OK) atomic_store(&notes->is_on, is_on);
    pthread_mutex_unlock(&notes->lock);
    return err;
}

bool fr_notes_is_on(struct fr_notes *notes)
{
    return atomic_load_explicit(&notes->is_on, memory_order_relaxed);
}

void fr_notes_put(struct fr_notes *notes, const struct fr_note *note)
{
    pthread_mutex_lock(&notes->lock);
    if (notes->ring == NULL || notes->n == FR_NOTES_MAX) {
        notes->lost++;
    } else {
        notes->ring[(notes->first + notes->n) % FR_NOTES_MAX] = *note;
        notes->n++;
        if (notes->n == FR_NOTES_MAX / 2) pthread_cond_signal(&notes->wake);
    }
    pthread_mutex_unlock(&notes->lock);
}

void fr_notes_wait(struct fr_notes *notes, unsigned timeout_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&notes->lock);
    int rc = 0;
    while (rc == 0 && !notes->is_woken && notes->n < FR_NOTES_MAX / 2)
        rc = pthread_cond_timedwait(&notes->wake, &notes->lock, &until);
    notes->is_woken = false;
    pthread_mutex_unlock(&notes->lock);
}

void fr_notes_wake(struct fr_notes *notes)
{
    pthread_mutex_lock(&notes->lock);
    notes->is_woken = true;
    pthread_cond_signal(&notes->wake);
    pthread_mutex_unlock(&notes->lock);
}

size_t fr_notes_take(struct fr_notes *notes, struct fr_note *out, size_t max)
{
    pthread_mutex_lock(&notes->lock);
    size_t n = notes->n < max ? notes->n : max;
    for (size_t i = 0; i < n; i++) out[i] = notes->ring[(notes->first + i) % FR_NOTES_MAX];
    notes->first = (notes->first + n) % FR_NOTES_MAX;
    notes->n -= n;
    pthread_mutex_unlock(&notes->lock);
    return n;
}

uint64_t fr_notes_lost(struct fr_notes *notes)
{
    pthread_mutex_lock(&notes->lock);
    uint64_t lost = notes->lost;
    pthread_mutex_unlock(&notes->lock);
    return lost;
}
