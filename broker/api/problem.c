#include "api/problem.h"

#include "base/buf.h"
#include "base/json_out.h"

#include <stdio.h>

#define PROBLEM_MAX 8192
#define RETRY_S 5 /* after a 503 that does not know better */

static void write_problem(const struct fr_problem *problem, struct fr_buf *out)
{
    const struct fr_diag *diag = problem->diag;
    struct fr_json j = fr_json(out);
    fr_json_object(&j);
    fr_json_put_str(&j, "type", "about:blank");
    fr_json_put_str(&j, "title", fr_http_reason(problem->status));
    fr_json_put_uint(&j, "status", problem->status);
    if (problem->code) fr_json_put_str(&j, "code", fr_err_text(problem->code));
    if (diag && diag->what[0]) fr_json_put_str(&j, "detail", diag->what);
    if (diag && diag->where[0]) fr_json_put_str(&j, "where", diag->where);
    if (diag && diag->hint[0]) fr_json_put_str(&j, "hint", diag->hint);
    fr_json_end(&j);
    fr_buf_add_char(out, '\n');
}

void fr_problem_reply(struct fr_http_exchange *x, const struct fr_problem *problem)
{
    struct fr_buf body = FR_BUF_INIT(PROBLEM_MAX);
    struct fr_http_field fields[4];
    char seconds[16];
    size_t n = 0;
    uint32_t again = problem->retry_after_s;
    if (!again && problem->status == 503) again = RETRY_S;
    write_problem(problem, &body);
    if (fr_buf_err(&body)) fr_buf_reset(&body);
    fields[n++] = FR_HTTP_FIELD("content-type", "application/problem+json");
    fields[n++] = FR_HTTP_FIELD("cache-control", "no-store");
    if (problem->allow) fields[n++] = FR_HTTP_FIELD("allow", problem->allow);
    if (again) {
        (void)snprintf(seconds, sizeof seconds, "%u", (unsigned)again);
        fields[n++] = FR_HTTP_FIELD("retry-after", seconds);
    }
    if (problem->is_last)
        fr_http_reply_close(x, problem->status, fields, n, fr_buf_span(&body));
    else
        fr_http_reply(x, problem->status, fields, n, fr_buf_span(&body));
    fr_buf_deinit(&body);
}
