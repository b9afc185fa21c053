#pragma once
/*
 * The one thread that changes a federation while a broker runs.
 *
 * Model: any thread hands in tasks; the writer runs them and calls back on the loop the task came
 *   from. Single tasks that wait together are committed together, and so are issuing ones; a long
 *   task advances one slice at a time between them, and so does a bulk, so that neither waits for an
 *   import. With nothing to
 *   do it tidies up after them (fr_admin_tidy).
 * Owns: the thread, the queue, and each task from fr_writer_submit until its call-back, which takes
 *   it.
 * Threads: starts one. submit and counters may be called from any thread; start and stop from the
 *   one that owns the handle.
 * Errors: FR_E_BUSY: the queue is full or the writer is stopping (the task stays the caller's).
 * Units and limits: `queue` tasks wait at most; a slice is about `slice_ms`.
 */

#include "admin/engine.h"
#include "transport/loop.h"

struct fr_writer;

/* Runs on the loop given to submit; the task is over and now the callee's. */
typedef void (*fr_writer_done_fn)(void *data, struct fr_task *task);

/* Waits until what is on disk here is so elsewhere too, before anybody is told; what fails then was made all the same. */
struct fr_writer_confirm {
    enum fr_err (*wait)(void *data, struct fr_diag *diag); /* NULL: not asked */
    void *data;
};

struct fr_writer_options {
    struct fr_admin_fed *fed; /* borrowed; used by the writer's thread alone until stop returns */
    unsigned queue;
    unsigned slice_ms;
    unsigned patience_ms; /* of a stop, with a bulk that runs */
    struct fr_writer_confirm confirm;
};

enum fr_err fr_writer_start(const struct fr_writer_options *options, struct fr_writer **out);

/* `loop` must have posts enabled and run until the writer is stopped. Without a loop nobody is told
 * of the end, and the writer frees the task. */
enum fr_err fr_writer_submit(struct fr_writer *writer, struct fr_task *task, struct fr_loop *loop,
                             fr_writer_done_fn done, void *data);

struct fr_writer_counters {
    uint64_t tasks, refused; /* over; of which not FR_OK */
    uint64_t groups;         /* commits of single tasks */
    uint64_t slices;         /* of long tasks */
    unsigned waiting;
};
struct fr_writer_counters fr_writer_counters(struct fr_writer *writer);

/*
 * Takes no more, runs what waits to its end, ends the thread, frees. A long task that has not begun is
 * cancelled, and so is a bulk that is not over after patience_ms: the next start finishes it or takes
 * it back, as after a crash. Call-backs may still be in their loops' queues. NULL is legal.
 */
void fr_writer_stop(struct fr_writer *writer);
