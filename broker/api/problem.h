#pragma once
/*
 * A refusal as problem details: what, where and what to do, for programs and for people.
 *
 * Model: {"type":"about:blank","title":"Not Found","status":404,"code":"not found","detail":what,
 *   "where":…,"hint":…}, the last two where there is something to say.
 * Errors: without memory the answer is the status alone. See: RFC 9457.
 */

#include "base/diag.h"
#include "transport/http_server.h"

struct fr_problem {
    unsigned status;
    enum fr_err code;           /* FR_OK: none is said */
    const struct fr_diag *diag; /* what, where, hint; NULL or empty: the status says it all */
    const char *allow;          /* with 405 */
    uint32_t retry_after_s;     /* 0: not said; 503 without one says 5 */
    bool is_last;               /* the connection closes behind it */
};

/* Answers x. */
void fr_problem_reply(struct fr_http_exchange *x, const struct fr_problem *problem);
