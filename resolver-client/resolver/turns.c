#include "resolver/turns.h"

#include "resolver/own_loop.h"
#include <poll.h>

/* Long enough not to spin, short enough for any clock trouble to heal. */
enum { TURN_MS = 1000 };

enum fr_err fr_turns_init(struct fedroam *f)
{
    pthread_mutexattr_t attr;
    enum fr_err err = FR_E_IO;
    if (pthread_mutexattr_init(&attr) != 0) return FR_E_IO;
    if (pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE) == 0 &&
        pthread_mutex_init(&f->turns.lock, &attr) == 0) {
        if (pthread_cond_init(&f->turns.turned, NULL) == 0)
            err = FR_OK;
        else
            pthread_mutex_destroy(&f->turns.lock);
    }
    pthread_mutexattr_destroy(&attr);
    return err;
}

void fr_turns_deinit(struct fedroam *f)
{
    pthread_cond_destroy(&f->turns.turned);
    pthread_mutex_destroy(&f->turns.lock);
}

void fr_enter(struct fedroam *f)
{
    if (f->own_loop) pthread_mutex_lock(&f->turns.lock);
}

void fr_leave(struct fedroam *f)
{
    if (!f->own_loop) return;
    if (f->turns.is_waiting) fr_own_loop_wake(f->own_loop);
    pthread_mutex_unlock(&f->turns.lock);
}

bool fr_turns_is_calling_back(const struct fedroam *f)
{
    return f->turns.is_processing;
}

static void process(struct fedroam *f)
{
    f->turns.is_processing = true;
    fr_own_loop_process(f->own_loop);
    f->turns.is_processing = false;
}

static void drive(struct fedroam *f)
{
    struct pollfd fd = {.fd = fr_own_loop_fd(f->own_loop), .events = POLLIN};
    int64_t wait_ms = fr_own_loop_wait_ms(f->own_loop);
    f->turns.is_waiting = true;
    pthread_mutex_unlock(&f->turns.lock);
    (void)poll(&fd, 1, wait_ms < 0 || wait_ms > TURN_MS ? TURN_MS : (int)wait_ms);
    pthread_mutex_lock(&f->turns.lock);
    f->turns.is_waiting = false;
    process(f);
    pthread_cond_broadcast(&f->turns.turned);
}

void fr_turns_wait(struct fedroam *f, const bool *is_over)
{
    while (f->turns.is_waiting && !*is_over) pthread_cond_wait(&f->turns.turned, &f->turns.lock);
    if (!*is_over) drive(f);
}

int fedroam_fd(const struct fedroam *f)
{
    return f->own_loop ? fr_own_loop_fd(f->own_loop) : -1;
}

int64_t fedroam_timeout_ms(struct fedroam *f)
{
    if (!f->own_loop) return -1;
    pthread_mutex_lock(&f->turns.lock);
    int64_t wait_ms = fr_own_loop_wait_ms(f->own_loop);
    pthread_mutex_unlock(&f->turns.lock);
    return wait_ms;
}

void fedroam_process(struct fedroam *f)
{
    if (!f->own_loop) return;
    fr_enter(f);
    if (!f->turns.is_processing) process(f);
    pthread_cond_broadcast(&f->turns.turned);
    fr_leave(f);
}
