#pragma once
/*
 * One POST of some JSON to a receiver, name look-up included.
 *
 * Model: addresses given, or looked up by getent(1) each time; then one HTTP/1.1 request on a connection of its own. Any 2xx is success;
 *   redirections are not followed. Everything together has the configuration's post_ms, whatever the receiver does.
 * Owns: a copy of what it sends. Threads: the loop's. Errors: of starting: FR_E_NOMEM, FR_E_CONFIG; afterwards a sentence.
 * Units and limits: an answer above 64 KiB is a failure.
 * Trust: the receiver is a stranger: of its answer nothing but the status is used.
 */
#include "notify/conf.h"
#include "transport/loop.h"

struct fr_post_job;

/* From the loop, once; may free the job. why "": it was taken. */
typedef void (*fr_post_done_fn)(void *data, const char *why);

enum fr_err fr_post_start(struct fr_loop *loop, const struct fr_notify_conf *conf,
                          struct fr_span json, fr_post_done_fn done, void *data,
                          struct fr_diag *diag, struct fr_post_job **out);
void fr_post_free(struct fr_post_job *job); /* NULL is legal; done is not called any more */
