#include "resolver_cli/why.h"

#include "base/addr.h"
#include "names/eui.h"
#include "names/netid.h"
#include "resolver_cli/one_request.h"

#include <string.h>

void fr_why_answer(struct fr_walk *walk, const struct fedroam_answer *a)
{
    static const char STEP[] = "answer";
    const char *reason = fedroam_answer_reason(a), *federation = fedroam_answer_federation(a);
    char eui[FR_EUI_TEXT], netid[FR_NETID_TEXT];

    fr_eui_print(fedroam_answer_id(a), eui);
    switch (fedroam_answer_result(a)) {
    case FEDROAM_FOUND:
        fr_netid_print(fedroam_answer_netid(a), netid);
        fr_walk_right(walk, STEP, "%s is at home in network %s of %s", eui, netid, federation);
        return;
    case FEDROAM_UNKNOWN:
        fr_walk_wrong(walk, FR_EXIT_NOT_FOUND, STEP, "%s is unknown to %s%s%s", eui, federation,
                      reason[0] ? ": " : "", reason);
        fr_walk_todo(walk,
                     "its home network publishes it with fedroam device add, and may let this "
                     "member see it; the operator sees both with fedroam why %s --for MEMBER",
                     eui);
        return;
    case FEDROAM_REFUSED: fr_walk_wrong(walk, FR_EXIT_DENIED, STEP, "%s", reason); break;
    case FEDROAM_OVER_BUDGET:
    case FEDROAM_NO_BROKER: fr_walk_wrong(walk, FR_EXIT_TEMPORARY, STEP, "%s", reason); break;
    case FEDROAM_BAD_ANSWER:
        fr_walk_wrong(walk, FR_EXIT_DOWN, STEP, "%s", reason);
        fr_walk_todo(walk, "tell the operator: fedroam zone check finds contradictions");
        return;
    case FEDROAM_FAILED: fr_walk_wrong(walk, FR_EXIT_INTERNAL, STEP, "%s", reason); break;
    }
    fr_walk_todo(walk, "run this again: it was right a moment ago");
}

static const char STEP[] = "endpoint";

/* What one endpoint said. */
struct seen {
    const struct fedroam_answer *answer;
    bool is_good;
    enum fr_exit code;
    char what[512];
    const char *todo;
    unsigned status;
};

static void judge_fault(struct seen *s, const struct fr_http_result *r)
{
    (void)snprintf(s->what, sizeof s->what, "%s", r->text);
    s->code = FR_EXIT_TEMPORARY;
    switch (r->fault) {
    case FR_HTTP_REFUSED:
        s->todo =
            "the home network's server does not run, or its endpoint is another: its operator "
            "sets it with fedroam network set";
        break;
    case FR_HTTP_UNREACHABLE:
    case FR_HTTP_TIMEOUT: s->todo = "is there a firewall on the way, here or there?"; break;
    case FR_HTTP_TLS_ALERT:
        s->code = FR_EXIT_AUTH;
        s->todo = "the home network does not take our certificate: it must be of this federation, "
                  "profile ns, and in date";
        break;
    case FR_HTTP_TLS_UNTRUSTED:
    case FR_HTTP_TLS_NAME:
        s->code = FR_EXIT_AUTH;
        s->todo = "the home network must show its certificate of this federation (profile ns)";
        break;
    case FR_HTTP_TLS:
    case FR_HTTP_CLOSED:
    case FR_HTTP_PROTOCOL: s->todo = "does that port speak HTTPS?"; break;
    case FR_HTTP_OK:
    case FR_HTTP_TOO_LARGE:
    case FR_HTTP_BUSY:
    case FR_HTTP_CANCELLED:
    case FR_HTTP_NO_MEMORY: s->todo = ""; break;
    }
}

/* Without published keys any certificate of the network will do. */
static bool is_published(const struct fedroam_answer *a, const struct fr_tls_peer *peer)
{
    size_t n = fedroam_answer_pin_count(a);

    for (size_t i = 0; i < n; i++)
        if (memcmp(fedroam_answer_pin(a, i), peer->spki_sha256, sizeof peer->spki_sha256) == 0)
            return true;
    return n == 0;
}

static void on_result(void *data, const struct fr_http_result *r)
{
    struct seen *s = data;

    s->status = r->status;
    if (r->fault != FR_HTTP_OK) {
        judge_fault(s, r);
    } else if (!is_published(s->answer, r->cert)) {
        s->code = FR_EXIT_REVOKED;
        (void)snprintf(s->what, sizeof s->what,
                       "its key is none of those that %s publishes: revoked, or replaced",
                       fedroam_answer_tls_name(s->answer));
        s->todo = "the home network must load its present certificate; fedroam cert list shows it";
    } else {
        s->is_good = true; /* whatever it says to a bare GET */
    }
}

static void report(struct fr_walk *walk, const struct seen *s, const char *at, bool *has_good,
                   struct seen *first)
{
    if (!s->is_good && !first->what[0]) *first = *s;
    if (!s->is_good) return;
    *has_good = true;
    fr_walk_right(walk, STEP, "%s is %s (HTTP %u)", at, fedroam_answer_tls_name(s->answer),
                  s->status);
}

void fr_why_endpoints(struct fr_walk *walk, const struct fedroam_answer *a, uint32_t within_ms)
{
    const struct fr_tls_files files = {.chain = fedroam_answer_chain_path(a),
                                       .key = fedroam_answer_key_path(a),
                                       .ca = fedroam_answer_ca_path(a)};
    size_t n = fedroam_answer_endpoint_count(a);
    struct fr_tls_ctx *tls = NULL;
    struct fr_diag diag = {0};
    struct seen first = {0};
    bool has_good = false;

    if (fr_walk_is_over(walk)) return;
    if (n == 0) {
        fr_walk_wrong(walk, FR_EXIT_NOT_FOUND, STEP, "%s says no place to connect to",
                      fedroam_answer_tls_name(a));
        fr_walk_todo(walk, "its operator sets one: fedroam network set NETID --endpoint "
                           "ADDRESS:PORT");
        return;
    }
    enum fr_err err = fr_tls_client_load(&files, &diag, &tls);
    for (size_t i = 0; i < n && err == FR_OK; i++) {
        struct fr_one_request r = {.host = fedroam_answer_tls_name(a),
                                   .tls = tls,
                                   .request = {.method = "GET", .target = "/"},
                                   .within_ms = within_ms};
        struct seen s = {.answer = a, .todo = ""};
        socklen_t length = 0;
        err = fr_addr_from_sockaddr(fedroam_answer_endpoint(a, i, &length), &r.addr);
        if (err == FR_OK) err = fr_one_request(&r, on_result, &s);
        if (err == FR_OK) report(walk, &s, fedroam_answer_endpoint_text(a, i), &has_good, &first);
    }
    if (err)
        fr_walk_fail(walk, STEP, err, &diag);
    else if (first.what[0] && has_good)
        fr_walk_doubt(walk, STEP, "%s", first.what);
    else if (first.what[0])
        fr_walk_wrong(walk, first.code, STEP, "%s", first.what);
    if (!err && first.what[0]) fr_walk_todo(walk, "%s", first.todo);
    fr_tls_ctx_unref(tls);
}
