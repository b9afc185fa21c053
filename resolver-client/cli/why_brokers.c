#include "resolver_cli/why.h"

#include "base/buf.h"
#include "base/clock.h"
#include "dns/query.h"
#include "names/owner.h"
#include "resolver/doh.h"
#include "resolver/locate.h"
#include "resolver/options.h"
#include "resolver_cli/http_date.h"
#include "resolver_cli/one_request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char STEP[] = "broker";

enum { SKEW_MAX_S = 120, QUERY_MAX = 512, LOCATE_MS = 6000 };

/* What one address of a broker said. */
struct seen {
    const struct fr_broker_opt *broker;
    const struct fr_way *way;
    const struct fr_dname *name;
    bool is_good;
    enum fr_exit code;
    char what[512], todo[512];
    bool has_date;
    int64_t skew_s; /* its clock less ours */
    unsigned status;
    const char *proto;
};

__attribute__((format(printf, 2, 3))) static void todo(struct seen *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(s->todo, sizeof s->todo, fmt, args); /* cut when too long */
    va_end(args);
}

static void judge_fault(struct seen *s, const struct fr_http_result *r)
{
    char now[FR_TIME_TEXT];

    (void)snprintf(s->what, sizeof s->what, "%s", r->text);
    s->code = FR_EXIT_TEMPORARY;
    switch (r->fault) {
    case FR_HTTP_REFUSED:
        todo(s, "is the broker running, and is port %u the one it listens on?",
             (unsigned)s->way->addresses[0].port);
        break;
    case FR_HTTP_UNREACHABLE:
    case FR_HTTP_TIMEOUT:
        todo(s, "is the address right, and does a firewall let TCP port %u out?",
             (unsigned)s->way->addresses[0].port);
        break;
    case FR_HTTP_TLS_ALERT:
        s->code = FR_EXIT_AUTH;
        todo(s, "the broker does not take our certificate: ask its operator for fedroam cert list");
        break;
    case FR_HTTP_TLS_UNTRUSTED:
        s->code = FR_EXIT_AUTH;
        fr_time_print(fr_clock_real_s(fr_clock_system()), now);
        todo(s,
             "it is %s here: is that right? If so, the broker's certificate is over, or ca: is "
             "not the federation's root.pem",
             now);
        break;
    case FR_HTTP_TLS_NAME:
        s->code = FR_EXIT_CONFIG;
        if (s->way->is_discovered)
            todo(s, "somebody else's server stands in public DNS: tell the operator");
        else
            todo(s, "write the broker's own name in the URL, and its place in addresses:");
        break;
    case FR_HTTP_TLS:
    case FR_HTTP_CLOSED:
    case FR_HTTP_PROTOCOL: todo(s, "does something else listen there, or stand in between?"); break;
    case FR_HTTP_OK:
    case FR_HTTP_TOO_LARGE:
    case FR_HTTP_BUSY:
    case FR_HTTP_CANCELLED:
    case FR_HTTP_NO_MEMORY: break;
    }
}

static void judge_answer(struct seen *s, const struct fr_http_result *r)
{
    const struct fr_link_result as_link = {.end = FR_LINK_ANSWERED,
                                           .status = r->status,
                                           .content_type =
                                               fr_http_find(r->fields, r->n_fields, "content-type"),
                                           .body = r->body,
                                           .text = "",
                                           .alert = ""};
    struct fr_judgement j;

    fr_doh_judge(&as_link, s->broker->url.host, s->name, FR_DNS_A, &j);
    (void)snprintf(s->what, sizeof s->what, "%s", j.reason);
    switch (j.result) {
    case FEDROAM_FOUND:
    case FEDROAM_UNKNOWN: s->is_good = true; break;
    case FEDROAM_REFUSED:
        s->code = r->status == 401 ? FR_EXIT_AUTH : FR_EXIT_DENIED;
        todo(s, "ask the operator, who sees the reason with fedroam why EUI --for MEMBER");
        break;
    case FEDROAM_OVER_BUDGET:
        s->code = FR_EXIT_TEMPORARY;
        todo(s, "this member asked too much: wait, and look for what asks so often");
        break;
    case FEDROAM_NO_BROKER:
        s->code = FR_EXIT_TEMPORARY;
        todo(s, "the broker is there and cannot serve: tell its operator");
        break;
    case FEDROAM_BAD_ANSWER:
        s->code = FR_EXIT_CONFIG;
        todo(s, "is %s the path of the broker's URL?", s->way->path);
        break;
    case FEDROAM_FAILED: s->code = FR_EXIT_INTERNAL; break;
    }
}

static void on_result(void *data, const struct fr_http_result *r)
{
    struct seen *s = data;
    int64_t date_s = 0;

    s->status = r->status;
    s->proto = fr_http_proto_text(r->proto);
    if (r->fault != FR_HTTP_OK) {
        judge_fault(s, r);
        return;
    }
    judge_answer(s, r);
    s->has_date =
        fr_http_date_parse(fr_http_find(r->fields, r->n_fields, "date"), &date_s) == FR_OK;
    if (s->has_date) s->skew_s = date_s - fr_clock_real_s(fr_clock_system());
}

static enum fr_err ask(const struct fr_addr *addr, struct fr_tls_ctx *tls, struct fr_span query,
                       uint32_t within_ms, struct seen *s)
{
    static const char type[] = "application/dns-message";
    const struct fr_http_field fields[] = {FR_HTTP_FIELD("content-type", type),
                                           FR_HTTP_FIELD("accept", type)};
    const struct fr_one_request r = {.addr = *addr,
                                     .host = s->broker->url.host,
                                     .tls = tls,
                                     .request = {.method = "POST",
                                                 .target = s->way->path,
                                                 .fields = fields,
                                                 .n_fields = 2,
                                                 .body = query},
                                     .within_ms = within_ms};
    return fr_one_request(&r, on_result, s);
}

/* The clock of a broker whose certificate was verified. */
static void check_clock(struct fr_walk *walk, const struct seen *s)
{
    const char *side = s->skew_s < 0 ? "ahead of" : "behind";

    if (!s->has_date) return;
    if (llabs(s->skew_s) <= SKEW_MAX_S) {
        fr_walk_right(walk, "clock", "within %d s of the broker's", SKEW_MAX_S);
        return;
    }
    fr_walk_wrong(walk, FR_EXIT_TEMPORARY, "clock", "this machine's clock is %" PRIu64 " s %s %s's",
                  (uint64_t)llabs(s->skew_s), side, s->broker->url.host);
    fr_walk_todo(walk, "set it: timedatectl set-ntp true; or tell the operator, if it is right");
}

/* A broker that fails does not end the walk while another may answer: the first fault is kept. */
struct faults {
    bool has_good, has_fault;
    struct seen first, good;
};

static void note(struct fr_walk *walk, const struct seen *s, const char *addr, struct faults *all)
{
    if (s->is_good) {
        fr_walk_right(walk, STEP, "%s at %s: %s %u", s->broker->url.host, addr, s->proto,
                      s->status);
        if (!all->has_good) all->good = *s;
        all->has_good = true;
        return;
    }
    if (!all->has_fault) all->first = *s;
    all->has_fault = true;
}

static void settle(struct fr_walk *walk, const struct fr_federation_opt *f,
                   const struct faults *all)
{
    const struct seen *s = &all->first;

    if (all->has_fault && all->has_good)
        fr_walk_doubt(walk, STEP, "%s", s->what);
    else if (all->has_fault)
        fr_walk_wrong(walk, s->code, STEP, "%s", s->what);
    else if (!all->has_good)
        fr_walk_wrong(walk, FR_EXIT_CONFIG, STEP, "%s has no broker with an address", f->name);
    if (all->has_fault) fr_walk_todo(walk, "%s", s->todo);
    if (all->has_good) check_clock(walk, &all->good);
}

/* How it was found, where that is a question. */
static void tell_ways(struct fr_walk *walk, const struct fr_broker_opt *b,
                      const struct fr_ways *ways)
{
    static const char step[] = "discovery";
    char at[FR_ADDR_TEXT], target[FR_DNAME_TEXT];

    for (size_t i = 0; i < ways->n && fr_discovery_is_wanted(b); i++) {
        const struct fr_way *way = &ways->list[i];
        fr_addr_print(&way->addresses[0], at);
        fr_dname_print(fr_dname_span(&way->target), target);
        if (way->is_discovered)
            fr_walk_right(walk, step, "_dns.%s leads to %s, %s%s, for %u s", b->url.host, target,
                          at, way->path, (unsigned)ways->ttl_s);
        else if (b->n_addresses == 0)
            fr_walk_right(walk, step, "%s is %s in public DNS, for %u s", b->url.host, at,
                          (unsigned)ways->ttl_s);
    }
    if (ways->why[0] == '\0') return;
    fr_walk_doubt(walk, step, "_dns.%s SVCB: %s", b->url.host, ways->why);
    fr_walk_todo(walk, "the operator publishes it with fedroam zone public --records; is "
                       "lookup.public_dns right?");
}

static void note_not_found(struct fr_walk *walk, const struct fr_broker_opt *b, struct faults *all)
{
    struct seen s = {.broker = b, .code = FR_EXIT_TEMPORARY};

    (void)snprintf(s.what, sizeof s.what, "%s is not found in public DNS", b->url.host);
    todo(&s, "say where it is with addresses:, or whom to ask with lookup.public_dns");
    note(walk, &s, "", all);
}

/* At each address of each way to it. */
static enum fr_err ask_all(struct fr_walk *walk, const struct seen *blank,
                           const struct fr_ways *ways, struct fr_tls_ctx *tls, struct fr_span query,
                           uint32_t within_ms, struct faults *all)
{
    enum fr_err err = FR_OK;
    char text[FR_ADDR_TEXT];

    for (size_t i = 0; i < ways->n; i++)
        for (size_t k = 0; k < ways->list[i].n && err == FR_OK; k++) {
            struct seen s = *blank;
            s.way = &ways->list[i];
            err = ask(&s.way->addresses[k], tls, query, within_ms, &s);
            fr_addr_print(&s.way->addresses[k], text);
            s.way = NULL; /* it does not outlive this */
            if (err == FR_OK) note(walk, &s, text, all);
        }
    return err;
}

void fr_why_brokers(struct fr_walk *walk, const struct fedroam_options *options,
                    const struct fr_federation_opt *federation, uint64_t deveui)
{
    const struct fr_owner owner = {.kind = FR_OWNER_DEVEUI, .eui = deveui};
    const struct fr_tls_files files = {
        .chain = federation->chain, .key = federation->key, .ca = federation->ca};
    struct fr_buf query = FR_BUF_INIT(QUERY_MAX);
    struct faults all = {0};
    struct fr_tls_ctx *tls = NULL;
    struct fr_diag diag = {0};
    struct fr_dname name;

    if (fr_walk_is_over(walk)) return;
    enum fr_err err = fr_owner_write(&owner, &federation->zone, &name);
    if (err == FR_OK) err = fr_dns_query_write(&name, FR_DNS_A, 128, &query);
    if (err == FR_OK) err = fr_tls_client_load(&files, &diag, &tls);
    for (size_t i = 0; i < federation->n_brokers && err == FR_OK; i++) {
        const struct fr_broker_opt *b = &federation->brokers[i];
        const struct seen blank = {.broker = b, .name = &name, .code = FR_EXIT_INTERNAL};
        struct fr_ways ways = {0};
        err = fr_locate(options, b, LOCATE_MS, &ways);
        if (err) break;
        tell_ways(walk, b, &ways);
        if (ways.n == 0) note_not_found(walk, b, &all);
        err = ask_all(walk, &blank, &ways, tls, fr_buf_span(&query), options->timeout_ms, &all);
    }
    if (err)
        fr_walk_fail(walk, STEP, err, &diag);
    else
        settle(walk, federation, &all);
    fr_tls_ctx_unref(tls);
    fr_buf_deinit(&query);
}
