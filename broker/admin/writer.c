#include "admin/writer.h"

#include "admin/fed.h"
#include "admin/task.h"
#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

#define GROUP_MAX 64

struct job {
    struct fr_task *task;
    struct fr_loop *loop;
    fr_writer_done_fn done;
    void *data;
    struct fr_post post;
    struct job *next;
};

struct queue {
    struct job *first, **last;
    unsigned n;
};

/* Long tasks of one kind, one after the other; the kinds take turns. */
enum { LANE_SHORT, LANE_BULK, LANE_BATCH, LANES };

struct lane {
    struct queue waiting;
    struct job *running; /* the writer's thread's */
};

struct fr_writer {
    struct fr_admin_fed *fed;
    unsigned queue_max, slice_ms, patience_ms;
    struct fr_writer_confirm confirm;
    pthread_t thread;
    pthread_mutex_t lock; /* the queues, is_stopping and stop_by_ms */
    pthread_cond_t wake;
    struct queue singles, issues;
    struct lane lanes[LANES];
    bool is_stopping;
    int64_t stop_by_ms; /* when stopping: patience with a bulk ends */
    atomic_uint_fast64_t tasks, refused, groups, slices;
};

static void queue_init(struct queue *q)
{
    *q = (struct queue){.last = &q->first};
}

static void queue_add(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
    q->n++;
}

static struct job *queue_take(struct queue *q)
{
    struct job *job = q->first;
    if (!job) return NULL;
    q->first = job->next;
    if (!q->first) q->last = &q->first;
    q->n--;
    return job;
}

/* --- back to the loop that asked --- */

static void job_delivered(struct fr_post *post)
{
    struct job *job = post->data;
    job->done(job->data, job->task);
    fr_free(job);
}

static void job_finish(struct fr_writer *w, struct job *job)
{
    atomic_fetch_add(&w->tasks, 1);
    if (job->task->err) atomic_fetch_add(&w->refused, 1);
    if (!job->loop) {
        fr_task_free(job->task);
        fr_free(job);
        return;
    }
    fr_loop_post(job->loop, &job->post, job_delivered, job);
}

/* --- the thread --- */

static bool is_to_confirm(const struct job *job)
{
    return !job->task->err && !job->task->ctx.dry_run && !job->task->op->is_local;
}

static void confirm(struct fr_writer *w, struct job *const *jobs, size_t n)
{
    struct fr_diag diag = {0};
    enum fr_err err = FR_OK;
    bool has = false;
    for (size_t i = 0; i < n; i++) has = has || is_to_confirm(jobs[i]);
    if (has && w->confirm.wait) err = w->confirm.wait(w->confirm.data, &diag);
    for (size_t i = 0; err && i < n; i++) {
        if (!is_to_confirm(jobs[i])) continue;
        jobs[i]->task->err = err;
        jobs[i]->task->diag = diag;
    }
}

static void run_singles(struct fr_writer *w, struct job *const *jobs, size_t n)
{
    struct fr_task *tasks[GROUP_MAX];
    for (size_t i = 0; i < n; i++) tasks[i] = jobs[i]->task;
    fr_admin_run_group(w->fed, tasks, n);
    confirm(w, jobs, n);
    atomic_fetch_add(&w->groups, 1);
    for (size_t i = 0; i < n; i++) job_finish(w, jobs[i]);
}

static void run_issues(struct fr_writer *w, struct job *const *jobs, size_t n)
{
    struct fr_task *tasks[GROUP_MAX];
    for (size_t i = 0; i < n; i++) tasks[i] = jobs[i]->task;
    fr_admin_run_issues(w->fed, tasks, n);
    confirm(w, jobs, n);
    for (size_t i = 0; i < n; i++) job_finish(w, jobs[i]);
}

static bool has_no_time(struct fr_writer *w, const struct job *job)
{
    int64_t now_ms = fr_clock_mono_ms(w->fed->clock);

    pthread_mutex_lock(&w->lock);
    bool is_late = w->is_stopping && now_ms >= w->stop_by_ms;
    pthread_mutex_unlock(&w->lock);
    return is_late && fr_task_is_bulk(job->task);
}

static void run_slice(struct fr_writer *w, struct lane *lane)
{
    struct job *job = lane->running;
    bool is_over = fr_admin_step(w->fed, job->task, w->slice_ms);
    atomic_fetch_add(&w->slices, 1);
    if (!is_over && has_no_time(w, job)) {
        fr_admin_cut(w->fed, job->task);
        is_over = true;
    }
    if (!is_over) return;
    lane->running = NULL;
    confirm(w, &job, 1);
    job_finish(w, job);
}

/* What one turn of the thread does. */
struct turn {
    struct job *singles[GROUP_MAX], *issues[GROUP_MAX];
    size_t n, n_issues;
    struct job *dropped; /* a long task that stopping cancels */
    bool has_long;       /* one is running */
};

static bool is_idle(const struct fr_writer *w)
{
    bool is_busy = w->singles.first || w->issues.first;
    for (size_t i = 0; i < LANES; i++)
        is_busy = is_busy || w->lanes[i].waiting.first || w->lanes[i].running;
    return !is_busy;
}

/* Waits for something to do; false when the thread is to end. */
static bool turn_take(struct fr_writer *w, bool is_tidy, struct turn *turn)
{
    *turn = (struct turn){.n = 0};
    pthread_mutex_lock(&w->lock);
    while (is_idle(w) && !w->is_stopping && is_tidy) pthread_cond_wait(&w->wake, &w->lock);
    while (turn->n < GROUP_MAX && w->singles.first)
        turn->singles[turn->n++] = queue_take(&w->singles);
    while (turn->n_issues < GROUP_MAX && w->issues.first)
        turn->issues[turn->n_issues++] = queue_take(&w->issues);
    for (size_t i = 0; i < LANES; i++) {
        struct lane *lane = &w->lanes[i];
        if (w->is_stopping && !turn->dropped)
            turn->dropped = queue_take(&lane->waiting);
        else if (!w->is_stopping && !lane->running)
            lane->running = queue_take(&lane->waiting);
        turn->has_long = turn->has_long || lane->running;
    }
    bool is_last =
        w->is_stopping && !turn->n && !turn->n_issues && !turn->dropped && !turn->has_long;
    pthread_mutex_unlock(&w->lock);
    return !is_last;
}

static void *writer_run(void *data)
{
    struct fr_writer *w = data;
    struct turn turn;
    bool is_tidy = false; /* what long tasks leave behind is taken away when nobody waits */
    while (turn_take(w, is_tidy, &turn)) {
        if (turn.n) run_singles(w, turn.singles, turn.n);
        if (turn.n_issues) run_issues(w, turn.issues, turn.n_issues);
        if (turn.dropped) {
            fr_admin_cancel(w->fed, turn.dropped->task, FR_E_CANCELLED);
            job_finish(w, turn.dropped);
        }
        for (size_t i = 0; i < LANES; i++)
            if (w->lanes[i].running) run_slice(w, &w->lanes[i]);
        if (turn.has_long)
            is_tidy = false;
        else if (!turn.n && !turn.n_issues && !turn.dropped && !is_tidy)
            is_tidy = fr_admin_tidy(w->fed, w->slice_ms);
    }
    return NULL;
}

/* The queue a task waits in. */
static struct queue *queue_of(struct fr_writer *w, const struct fr_task *task)
{
    if (fr_task_is_single(task)) return &w->singles;
    if (fr_task_is_issuing(task)) return &w->issues;
    if (fr_task_is_batch(task)) return &w->lanes[LANE_BATCH].waiting;
    return &w->lanes[fr_task_is_bulk(task) ? LANE_BULK : LANE_SHORT].waiting;
}

static unsigned waiting(const struct fr_writer *w)
{
    unsigned n = w->singles.n + w->issues.n;
    for (size_t i = 0; i < LANES; i++) n += w->lanes[i].waiting.n;
    return n;
}

/* --- handle --- */

enum fr_err fr_writer_start(const struct fr_writer_options *options, struct fr_writer **out)
{
    struct fr_writer *w = fr_calloc(1, sizeof *w);
    if (!w) return FR_E_NOMEM;
    w->fed = options->fed;
    w->queue_max = options->queue;
    w->slice_ms = options->slice_ms;
    w->patience_ms = options->patience_ms;
    w->confirm = options->confirm;
    queue_init(&w->singles);
    queue_init(&w->issues);
    for (size_t i = 0; i < LANES; i++) queue_init(&w->lanes[i].waiting);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    int errnum = pthread_create(&w->thread, NULL, writer_run, w);
    if (errnum) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        fr_free(w);
        return fr_err_from_errno(errnum);
    }
    *out = w;
    return FR_OK;
}

enum fr_err fr_writer_submit(struct fr_writer *w, struct fr_task *task, struct fr_loop *loop,
                             fr_writer_done_fn done, void *data)
{
    enum fr_err err = FR_OK;
    struct job *job = fr_calloc(1, sizeof *job);
    if (!job) return FR_E_NOMEM;
    *job = (struct job){.task = task, .loop = loop, .done = done, .data = data};
    pthread_mutex_lock(&w->lock);
    if (w->is_stopping || waiting(w) >= w->queue_max) {
        err = FR_E_BUSY;
    } else {
        queue_add(queue_of(w, task), job);
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    if (err) fr_free(job);
    return err;
}

struct fr_writer_counters fr_writer_counters(struct fr_writer *w)
{
    struct fr_writer_counters counters = {
        .tasks = atomic_load(&w->tasks),
        .refused = atomic_load(&w->refused),
        .groups = atomic_load(&w->groups),
        .slices = atomic_load(&w->slices),
    };
    pthread_mutex_lock(&w->lock);
    counters.waiting = waiting(w);
    pthread_mutex_unlock(&w->lock);
    return counters;
}

void fr_writer_stop(struct fr_writer *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    w->stop_by_ms = fr_clock_mono_ms(w->fed->clock) + w->patience_ms;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    fr_free(w);
}
