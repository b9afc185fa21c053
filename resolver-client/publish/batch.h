#pragma once
/*
 * Lines of devices to be published, any number of them: sent in parts that are told apart by their keys, each repeated until the
 * broker has answered it.
 *
 * Model: add lines, then finish. A part is sent when FR_PUBLISH_PART lines are there. What is cut, times out, or gets 429 or 503 is
 *   sent again, with a longer pause each time (or the one that the broker asks for), under the same key: the broker does nothing twice.
 *   The answers come in the order of the lines.
 * Owns: its lines. The publisher is the caller's.
 * Threads: one; blocks while it sends. Errors: the last one's, when the attempts are used up; FR_E_DENIED, FR_E_CONFLICT and the like
 *   as the broker refuses.
 * Units and limits: FR_PUBLISH_PART lines in memory; `attempts` for each part.
 * Trust: lines are the user's, answers the broker's.
 */
#include "publish/client.h"

#define FR_PUBLISH_PART 16384

struct fr_publish_batch_options {
    struct fr_publisher *publisher;
    const char *key;   /* of the whole; parts are "<key>.<n>" */
    unsigned attempts; /* for each part */
    /* Answers of a part: lines of JSON, numbered from 1 in each; `first` is the number of the part's first line, from 0. */
    enum fr_err (*on_results)(void *data, uint64_t first, struct fr_span lines);
    /* An attempt failed and another follows in so many seconds; may be NULL. */
    void (*on_retry)(void *data, const struct fr_diag *why, uint32_t in_s);
    void *data;
};

struct fr_publish_batch;

enum fr_err fr_publish_batch_new(const struct fr_publish_batch_options *options,
                                 struct fr_publish_batch **out);
void fr_publish_batch_free(struct fr_publish_batch *batch); /* NULL is fine */

/* One line of JSON without its end (docs/api/openapi.yaml). May send. */
enum fr_err fr_publish_batch_add(struct fr_publish_batch *batch, struct fr_span line,
                                 struct fr_diag *diag);
/* Sends what is left. */
enum fr_err fr_publish_batch_finish(struct fr_publish_batch *batch, struct fr_diag *diag);

/* The error of a refusal (problem details), with its words in the diag; FR_OK for 2xx. */
enum fr_err fr_publish_fault(const struct fr_publish_answer *answer, struct fr_diag *diag);
