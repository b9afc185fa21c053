#include "agent/agent_priv.h"

static void write_desk(const struct fr_agent *agent, struct fr_metrics *m)
{
    const struct fr_desk_counters *c = fr_desk_counters(agent->desk);
    const struct fr_metric_row rows[] = {
        {"fedroam_agent_queries", "DNS messages received from guests.", c->queries},
        {"fedroam_agent_answers", "DNS answers given.", c->answers},
        {"fedroam_agent_dropped", "Messages that are no query.", c->dropped},
        {"fedroam_agent_refused", "Queries refused: another name, type or form.", c->refused},
        {"fedroam_agent_failed", "Queries answered with SERVFAIL.", c->failed},
        {"fedroam_agent_unknown", "Queries answered with NXDOMAIN.", c->unknown},
        {"fedroam_agent_stale", "Answers past their TTL while no broker could be reached.",
         c->stale},
        {"fedroam_agent_truncated", "UDP answers cut to be asked again over TCP.", c->cut},
        {"fedroam_agent_too_many", "Queries beyond limits.pending.", c->too_many},
    };

    fr_metrics_counters(m, rows, sizeof rows / sizeof rows[0]);
}

static void write_doors(const struct fr_agent *agent, struct fr_metrics *m)
{
    struct fr_udp_counters udp = {0};
    struct fr_tcp_counters tcp = {0};

    for (size_t i = 0; i < agent->n_doors; i++) {
        const struct fr_udp_counters *u = fr_udp_counters(agent->doors[i].udp);
        const struct fr_tcp_counters *t = fr_tcp_counters(agent->doors[i].tcp);
        udp.datagrams += u->datagrams;
        udp.too_long += u->too_long;
        udp.strangers += u->strangers;
        tcp.accepted += t->accepted;
        tcp.strangers += t->strangers;
        tcp.too_many += t->too_many;
        tcp.idle += t->idle;
        tcp.bad += t->bad;
        tcp.open += t->open;
    }
    const struct fr_metric_row rows[] = {
        {"fedroam_agent_datagrams", "UDP datagrams received.", udp.datagrams},
        {"fedroam_agent_datagrams_too_long", "UDP datagrams longer than any query.", udp.too_long},
        {"fedroam_agent_strangers", "Datagrams and connections from outside of allow.",
         udp.strangers + tcp.strangers},
        {"fedroam_agent_connections", "TCP connections accepted.", tcp.accepted},
        {"fedroam_agent_connections_too_many", "TCP connections beyond limits.connections.",
         tcp.too_many},
        {"fedroam_agent_connections_idle", "TCP connections closed after limits.idle.", tcp.idle},
        {"fedroam_agent_connections_bad", "TCP connections closed for a length no query has.",
         tcp.bad},
    };
    fr_metrics_counters(m, rows, sizeof rows / sizeof rows[0]);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_agent_connections_open",
                      "TCP connections open now.");
    FR_METRIC(m, tcp.open);
}

static void write_local(const struct fr_agent *agent, struct fr_metrics *m)
{
    static const struct fr_local_counters NONE;
    const struct fr_local_counters *c =
        agent->local != NULL ? fr_local_counters(agent->local) : &NONE;

    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_agent_requests",
                      "Requests on the Unix socket that were answered.");
    FR_METRIC(m, c->found, {"result", "found"});
    FR_METRIC(m, c->unknown, {"result", "unknown"});
    FR_METRIC(m, c->failed, {"result", "failed"});
}

/* They begin anew at a reload, as a counter may. */
static void write_resolver(const struct fr_agent *agent, struct fr_metrics *m)
{
    const struct fedroam *f = fr_source_handle(fr_desk_source(agent->desk));
    const struct fr_metric_row rows[] = {
        {"fedroam_agent_lookups", "Questions put to the resolver.",
         fedroam_count(f, FEDROAM_COUNT_LOOKUPS)},
        {"fedroam_agent_lookups_cached", "Of these, answered from the cache.",
         fedroam_count(f, FEDROAM_COUNT_CACHED)},
        {"fedroam_agent_exchanges", "Questions sent to brokers.",
         fedroam_count(f, FEDROAM_COUNT_EXCHANGES)},
        {"fedroam_agent_exchanges_failed", "Questions that no broker answered.",
         fedroam_count(f, FEDROAM_COUNT_FAILURES)},
        {"fedroam_agent_public_dns", "Questions put to public DNS.",
         fedroam_count(f, FEDROAM_COUNT_PUBLIC_DNS)},
        {"fedroam_agent_public_dns_failed", "Of these, without an answer of use.",
         fedroam_count(f, FEDROAM_COUNT_PUBLIC_DNS_FAILED)},
    };

    fr_metrics_counters(m, rows, sizeof rows / sizeof rows[0]);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_agent_cache_entries", "Names in the cache.");
    FR_METRIC(m, fedroam_count(f, FEDROAM_COUNT_CACHE_ENTRIES));
}

void fr_agent_write_metrics(struct fr_agent *agent, struct fr_metrics *m)
{
    write_desk(agent, m);
    write_doors(agent, m);
    write_local(agent, m);
    write_resolver(agent, m);
}
