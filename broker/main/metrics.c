#include "main/metrics.h"

#include "base/metrics.h"
#include "main/copies_metrics.h"
#include "main/list_metrics.h"
#include "main/member_metrics.h"
#include "main/notice_metrics.h"
#include "main/replica_metrics.h"
#include "main/transfer_metrics.h"
#include "store/authority.h"

#include <stdio.h>

#define FED(i)                                                                                     \
    {                                                                                              \
        "federation", counts->feds[i]->name                                                        \
    }

/* --- the process and its connections --- */

static void write_process(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_INFO, "fedroam_build", "The running program.");
    FR_METRIC(m, 1, {"version", FR_VERSION});
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_workers", "Threads that serve.");
    FR_METRIC(m, counts->workers);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_tls_sessions",
                      "TLS sessions kept for resumption.");
    FR_METRIC(m, counts->sessions);
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_config_reloads", "Reloads by result.");
    FR_METRIC(m, counts->reloads, {"result", "loaded"});
    FR_METRIC(m, counts->reloads_refused, {"result", "refused"});
}

static void write_connections(struct fr_metrics *m, const struct fr_http_server_counters *http)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_connections", "Open connections.");
    FR_METRIC(m, http->open);
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_connections_accepted",
                      "Connections accepted.");
    FR_METRIC(m, http->accepted);
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_tls_handshakes", "TLS handshakes by result.");
    FR_METRIC(m, http->handshakes - http->handshakes_resumed, {"result", "full"});
    FR_METRIC(m, http->handshakes_resumed, {"result", "resumed"});
    FR_METRIC(m, http->handshakes_refused, {"result", "refused"});
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_bytes", "Bytes on the wire.");
    FR_METRIC(m, http->bytes_in, {"direction", "in"});
    FR_METRIC(m, http->bytes_out, {"direction", "out"});
}

static void write_requests(struct fr_metrics *m, const struct fr_http_server_counters *http)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_http_requests", "Requests by protocol.");
    FR_METRIC(m, http->requests[FR_HTTP_1_0], {"protocol", "HTTP/1.0"});
    FR_METRIC(m, http->requests[FR_HTTP_1_1], {"protocol", "HTTP/1.1"});
    FR_METRIC(m, http->requests[FR_HTTP_2], {"protocol", "HTTP/2"});
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_http_requests_in_progress",
                      "Requests not answered yet.");
    FR_METRIC(m, http->in_progress);
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_http_bad_requests",
                      "Requests that are not proper HTTP.");
    FR_METRIC(m, http->bad_requests);
}

static void write_limits(struct fr_metrics *m, const struct fr_http_server_counters *http)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_limit_hits", "Times a limit was met.");
    FR_METRIC(m, http->limit_connections, {"limit", "connections"});
    FR_METRIC(m, http->limit_address, {"limit", "connections_per_address"});
    FR_METRIC(m, http->limit_streams, {"limit", "streams"});
    FR_METRIC(m, http->limit_head, {"limit", "head"});
    FR_METRIC(m, http->limit_body, {"limit", "body"});
    FR_METRIC(m, http->limit_backlog, {"limit", "backlog"});
    FR_METRIC(m, http->limit_resets, {"limit", "resets"});
    FR_METRIC(m, http->limit_control, {"limit", "control_frames"});
    FR_METRIC(m, http->limit_continuations, {"limit", "continuations"});
    FR_METRIC(m, http->limit_chain, {"limit", "client_chain"});
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_proxy_refused",
                      "Connections of a proxy that did not begin with a PROXY header.");
    FR_METRIC(m, http->bad_proxy);
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_timeouts",
                      "Connections closed for being late, by phase.");
    FR_METRIC(m, http->late_handshake, {"phase", "handshake"});
    FR_METRIC(m, http->late_first_request, {"phase", "first_request"});
    FR_METRIC(m, http->late_request, {"phase", "request"});
    FR_METRIC(m, http->late_idle, {"phase", "idle"});
    FR_METRIC(m, http->late_write, {"phase", "write"});
}

/* --- federations: requests --- */

static void write_doh(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_doh_requests", "DNS messages by HTTP method.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        FR_METRIC(m, counts->fed_counts[i].doh.get, FED(i), {"method", "GET"});
        FR_METRIC(m, counts->fed_counts[i].doh.post, FED(i), {"method", "POST"});
    }
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_doh_bad_requests",
                      "Requests without a DNS message.");
    for (size_t i = 0; i < counts->n_feds; i++) FR_METRIC(m, counts->fed_counts[i].doh.bad, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_dns_faults",
                      "Answers lost to a store that failed.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].doh.faults, FED(i));
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_registry_damaged_rows",
                      "Rows of members and networks that cannot be read.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].doh.damaged, FED(i));
}

static void write_rcodes(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    static const struct {
        unsigned number;
        const char *name;
    } rcodes[] = {{0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"},
                  {4, "NOTIMP"},  {5, "REFUSED"}, {16, "BADVERS"}};
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_dns_responses", "Answers by RCODE.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (size_t r = 0; r < sizeof rcodes / sizeof rcodes[0]; r++)
            FR_METRIC(m, counts->fed_counts[i].doh.rcode[rcodes[r].number], FED(i),
                      {"rcode", rcodes[r].name});
}

static void write_access(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_access_refused",
                      "Requests refused, by reason.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (int verdict = FR_ACCESS_OK + 1; verdict < FR_ACCESS_COUNT; verdict++)
            FR_METRIC(m, counts->fed_counts[i].gate.refused[verdict], FED(i),
                      {"reason", fr_access_word((enum fr_access)verdict)});
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_access_admitted", "Requests let in.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].gate.admitted, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_access_misdirected",
                      "Requests for another name (421).");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].gate.misdirected, FED(i));
}

static void write_budgets(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_over_budget",
                      "Requests refused with 429, by the budget of the member that was used up.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (int budget = 0; budget < FR_BUDGETS; budget++)
            FR_METRIC(m, counts->fed_counts[i].desk.over[budget], FED(i),
                      {"budget", fr_budget_text((enum fr_budget)budget)});
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_walks",
                      "Alarms: a member asked for neighbouring DevEUIs, one after the other.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].desk.walks, FED(i));
}

static void write_clerks(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_query_log_lines",
                      "Lines by what became of them.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_clerk_counters clerk = fr_clerk_counters(counts->feds[i]->clerk);
        FR_METRIC(m, clerk.lines, FED(i), {"result", "written"});
        FR_METRIC(m, clerk.lines_lost, FED(i), {"result", "lost"});
    }
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_roaming_lookups",
                      "Look-ups that found a device, by what became of their count.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_clerk_counters clerk = fr_clerk_counters(counts->feds[i]->clerk);
        FR_METRIC(m, clerk.counts, FED(i), {"result", "stored"});
        FR_METRIC(m, clerk.counts_lost, FED(i), {"result", "lost"});
    }
}

struct usage_writing {
    struct fr_metrics *m;
    const char *federation;
};

static void write_unknown(void *data, const struct fr_usage_row *row)
{
    const struct usage_writing *w = data;
    FR_METRIC(w->m, row->unknown_today, {"federation", w->federation}, {"member", row->member});
}

static void write_member_connections(void *data, const struct fr_usage_row *row)
{
    const struct usage_writing *w = data;
    FR_METRIC(w->m, row->connections, {"federation", w->federation}, {"member", row->member});
}

static void write_members(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_unknown_devices",
                      "Different unknown DevEUIs a member asked for since midnight UTC, about.");
    for (size_t i = 0; i < counts->n_feds; i++)
        fr_usage_each(counts->feds[i]->usage, write_unknown,
                      &(struct usage_writing){m, counts->feds[i]->name});
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_connections",
                      "Open connections of a member.");
    for (size_t i = 0; i < counts->n_feds; i++)
        fr_usage_each(counts->feds[i]->usage, write_member_connections,
                      &(struct usage_writing){m, counts->feds[i]->name});
}

static void write_api(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_api_requests", "Requests of the API.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].api.requests, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_api_changes",
                      "Changes that members made by the API.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].api.changes, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_api_unchanged",
                      "Answers of the API that the caller had already (304).");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].api.unchanged, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_api_batch_lines",
                      "Lines of batches that were looked at.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].api.batch_lines, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_api_refused", "API requests refused.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (size_t r = 0; r < FR_API_REFUSALS; r++) {
            char status[8];
            (void)snprintf(status, sizeof status, "%u", fr_api_refusal_status(r));
            FR_METRIC(m, counts->fed_counts[i].api.refused[r], FED(i), {"status", status});
        }
}

static void write_est(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_est_requests", "EST requests by operation.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (int op = 0; op < FR_EST_OPS; op++)
            FR_METRIC(m, counts->fed_counts[i].est.requests[op], FED(i),
                      {"op", fr_est_op_text((enum fr_est_op)op)});
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_est_enrolments",
                      "Enrolments and renewals that came to something, by what.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        FR_METRIC(m, counts->fed_counts[i].est.issued, FED(i), {"result", "issued"});
        FR_METRIC(m, counts->fed_counts[i].est.renewed, FED(i), {"result", "renewed"});
        FR_METRIC(m, counts->fed_counts[i].est.repeated, FED(i), {"result", "repeated"});
        FR_METRIC(m, counts->fed_counts[i].est.pending, FED(i), {"result", "pending"});
    }
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_est_refused", "EST requests refused.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (size_t r = 0; r < FR_EST_REFUSALS; r++) {
            char status[12];
            (void)snprintf(status, sizeof status, "%u", fr_est_refusal_status(r));
            FR_METRIC(m, counts->fed_counts[i].est.refused[r], FED(i), {"status", status});
        }
}

static void write_lists(struct fr_metrics *m, const struct fr_broker_counts *counts, int64_t now_s)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_crl_requests",
                      "Requests for revocation lists and CA certificates by result.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        FR_METRIC(m, counts->fed_counts[i].crl.given, FED(i), {"result", "given"});
        FR_METRIC(m, counts->fed_counts[i].crl.same, FED(i), {"result", "not_modified"});
        FR_METRIC(m, counts->fed_counts[i].crl.absent, FED(i), {"result", "absent"});
    }
    fr_list_metrics_write(m, counts, now_s);
}

static void write_audit(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_audit_lines",
                      "Lines added to the audit trail.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, fr_admin_fed_audit(counts->feds[i]->admin).lines, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_audit_failures",
                      "Attempts to write the audit trail, or its second copy, that failed.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        const struct fr_audit_counters audit = fr_admin_fed_audit(counts->feds[i]->admin);
        FR_METRIC(m, audit.failures, FED(i), {"file", "trail"});
        FR_METRIC(m, audit.copy_failures, FED(i), {"file", "copy"});
    }
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_audit_ready",
                      "1 while the audit trail can be written; else nothing is signed.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, fr_admin_fed_audit(counts->feds[i]->admin).is_ready ? 1u : 0u, FED(i));
}

/* --- federations: store, changes, certificates --- */

static void write_store(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    static const struct {
        const char *name, *help;
        size_t at;
    } gauges[] = {
        {"fedroam_store_sequence", "Number of the last change.",
         offsetof(struct fr_store_info, sequence)},
        {"fedroam_store_devices", "Devices.", offsetof(struct fr_store_info, devices)},
        {"fedroam_store_networks", "Networks.", offsetof(struct fr_store_info, networks)},
        {"fedroam_store_members", "Members.", offsetof(struct fr_store_info, members)},
        {"fedroam_store_certificates", "Certificates ever issued.",
         offsetof(struct fr_store_info, certs)},
        {"fedroam_store_used_bytes", "Bytes in use.", offsetof(struct fr_store_info, used)},
        {"fedroam_store_map_bytes", "Bytes there is room for.",
         offsetof(struct fr_store_info, map_size)},
    };
    for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++) {
        fr_metrics_family(m, FR_METRIC_GAUGE, gauges[g].name, gauges[g].help);
        for (size_t i = 0; i < counts->n_feds; i++) {
            struct fr_store_info info;
            if (fr_store_read_info(counts->feds[i]->store, &info)) continue;
            FR_METRIC(m, *(const uint64_t *)((const char *)&info + gauges[g].at), FED(i));
        }
    }
}

static void write_changes(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_changes", "Operations by result.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_writer_counters writer = fr_writer_counters(counts->feds[i]->writer);
        FR_METRIC(m, writer.tasks - writer.refused, FED(i), {"result", "done"});
        FR_METRIC(m, writer.refused, FED(i), {"result", "refused"});
    }
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_changes_waiting", "Operations in the queue.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, fr_writer_counters(counts->feds[i]->writer).waiting, FED(i));
}

struct expiry {
    struct fr_metrics *m;
    const char *federation;
    int64_t now_s;
};

static void write_expiry(const struct expiry *e, const char *name, int64_t not_after_s)
{
    const struct fr_label labels[] = {{"federation", e->federation}, {"certificate", name}};
    fr_metrics_sample_int(e->m, not_after_s - e->now_s, labels, 2);
}

static enum fr_err write_authority(void *data, const struct fr_authority_row *row)
{
    if (fr_authority_is_trusted(row)) write_expiry(data, row->name, row->not_after_s);
    return FR_OK;
}

static void write_expiries(struct fr_metrics *m, const struct fr_broker_counts *counts,
                           int64_t now_s)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_certificate_expiry_seconds",
                      "Time left of the broker's own certificate and of the authorities.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_snap *snap = NULL;
        struct expiry e = {m, counts->feds[i]->name, now_s};
        write_expiry(&e, "server", fr_ident_not_after_s(counts->feds[i]->ident));
        if (fr_snap_begin(counts->feds[i]->store, &snap)) continue;
        (void)fr_authority_each(snap, write_authority, &e); /* what cannot be read is absent */
        fr_snap_end(snap);
    }
}

enum fr_err fr_broker_metrics_write(const struct fr_broker_counts *counts, int64_t now_s,
                                    struct fr_buf *out)
{
    struct fr_metrics m = fr_metrics(out);
    write_process(&m, counts);
    write_connections(&m, &counts->http);
    write_requests(&m, &counts->http);
    write_limits(&m, &counts->http);
    write_doh(&m, counts);
    write_rcodes(&m, counts);
    write_access(&m, counts);
    write_budgets(&m, counts);
    write_members(&m, counts);
    fr_member_metrics_write(&m, counts, now_s);
    write_clerks(&m, counts);
    fr_transfer_metrics_write(&m, counts);
    write_store(&m, counts);
    write_changes(&m, counts);
    write_expiries(&m, counts, now_s);
    write_lists(&m, counts, now_s);
    write_audit(&m, counts);
    write_est(&m, counts);
    write_api(&m, counts);
    fr_replica_metrics_write(&m, counts);
    fr_copies_metrics_write(&m, counts);
    fr_notice_metrics_write(&m, counts);
    fr_metrics_end(&m);
    return fr_buf_err(out);
}
