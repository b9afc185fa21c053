#pragma once
/*
 * One member's connection to a broker's API: requests one after the other, each waited for.
 *
 * Model: opened at a place; the connection is made by the first request and kept. An answer is a status and a body, whatever it says.
 * Owns: connection, TLS context and loop. An answer's body is the caller's, from FR_PUBLISH_ANSWER_INIT.
 * Threads: one; blocks.
 * Errors: FR_E_NET, FR_E_TIMEOUT, FR_E_CLOSED (cut while it was under way), FR_E_AUTH (we do not believe the server, or it refuses us),
 *   FR_E_MALFORMED, FR_E_CONFIG (a file), FR_E_NOMEM.
 * Units and limits: FR_PUBLISH_BODY_MAX for an answer.
 * Trust: the answer is a peer's, of a server that was verified.
 */
#include "base/buf.h"
#include "publish/place.h"

#define FR_PUBLISH_BODY_MAX (16 * 1024 * 1024)
#define FR_PUBLISH_API "/api/v1"
#define FR_PUBLISH_TAG 64

struct fr_publisher;

enum fr_err fr_publisher_open(const struct fr_publish_place *place, struct fr_diag *diag,
                              struct fr_publisher **out);
void fr_publisher_close(struct fr_publisher *publisher); /* NULL is fine */

struct fr_publish_request {
    const char *method, *target; /* from FR_PUBLISH_API on */
    const char *type;            /* of the body; NULL: there is none */
    struct fr_span body;
    const char *key; /* Idempotency-Key, or NULL */
    const char *tag; /* of what we have (If-None-Match), or NULL: the same bytes get status 304 */
    uint32_t within_ms;
};

struct fr_publish_answer {
    unsigned status;
    uint32_t retry_after_s;   /* 0: not said */
    char tag[FR_PUBLISH_TAG]; /* ETag; "": none, or longer than any of ours */
    struct fr_buf body;
};
#define FR_PUBLISH_ANSWER_INIT                                                                     \
    {                                                                                              \
        .body = FR_BUF_INIT(FR_PUBLISH_BODY_MAX)                                                   \
    }
void fr_publish_answer_deinit(struct fr_publish_answer *answer);

enum fr_err fr_publisher_ask(struct fr_publisher *publisher,
                             const struct fr_publish_request *request, struct fr_diag *diag,
                             struct fr_publish_answer *answer);
