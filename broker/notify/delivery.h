#pragma once
/*
 * One notice on its way to the operator: by the program, or to the receiver.
 *
 * Model: started once, tells once what came of it, behind the turn in which that was known. Owns: itself until freed. Threads: the loop's.
 * Errors: none of starting: what cannot start has failed. Trust: child.h's and post.h's.
 */
#include "notify/child.h"
#include "notify/post.h"
#include "store/notice.h"

struct fr_delivery;

/* From the loop, once; may free the delivery. why "": it was taken. */
typedef void (*fr_delivery_done_fn)(void *data, const char *why);

bool fr_delivery_is_set(const struct fr_notify_conf *conf, enum fr_notice_way way);
const char *fr_notice_way_text(enum fr_notice_way way); /* "exec", "post" */

/* conf is borrowed for the call. NULL: no memory. */
struct fr_delivery *fr_delivery_start(struct fr_loop *loop, const struct fr_notify_conf *conf,
                                      enum fr_notice_way way, struct fr_span json,
                                      fr_delivery_done_fn done, void *data);
void fr_delivery_free(
    struct fr_delivery *delivery); /* NULL is legal; done is not called any more */
