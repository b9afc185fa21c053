#include "base/metrics.h"

#include "resolver/open.h"
#include "roles/ns_priv.h"

static void write_joins(struct fr_ns *ns, struct fr_metrics *m)
{
    const struct fr_ns_counters *c = &ns->counters;

    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_ns_joins",
                      "Join-requests of gateways, once each.");
    FR_METRIC(m, c->joins_local, {"kind", "local"});
    FR_METRIC(m, c->joins_roaming, {"kind", "roaming"});
    FR_METRIC(m, c->joins_unknown, {"kind", "ignored"});
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_ns_joined",
                      "Join-accepts that a gateway took.");
    FR_METRIC(m, c->joined_local, {"kind", "local"});
    FR_METRIC(m, c->joined_roaming, {"kind", "roaming"});
    const struct fr_metric_row rows[] = {
        {"fedroam_ns_joins_failed", "Joins that ended without an answer.", c->joins_failed},
        {"fedroam_ns_lookups", "Devices looked up.", c->lookups},
        {"fedroam_ns_lookups_failed", "Look-ups that led to no home.", c->lookups_failed},
        {"fedroam_ns_inbound", "Requests of peers.", c->inbound},
        {"fedroam_ns_inbound_refused", "Requests of peers not granted.", c->inbound_refused},
        {"fedroam_ns_frames_ignored", "Frames that are no Join-request.", c->frames_ignored},
        {"fedroam_ns_frames_late", "Copies after the window.", c->frames_late},
        {"fedroam_ns_frames_dropped", "Frames beyond the limits.", c->frames_dropped},
    };
    fr_metrics_counters(m, rows, sizeof rows / sizeof rows[0]);
}

static void write_gateways(struct fr_ns *ns, struct fr_metrics *m)
{
    if (ns->gateways == NULL) return;
    const struct fr_gateways_counters *c = fr_gateways_counters(ns->gateways);
    const struct fr_metric_row rows[] = {
        {"fedroam_ns_gateway_datagrams", "Datagrams received.", c->datagrams},
        {"fedroam_ns_gateway_malformed", "Datagrams that are not the protocol.", c->malformed},
        {"fedroam_ns_gateway_refused", "Datagrams of gateways not allowed.", c->refused},
        {"fedroam_ns_gateway_frames", "Frames in them.", c->frames},
        {"fedroam_ns_gateway_bad_frames", "Frames left out.", c->bad_frames},
        {"fedroam_ns_gateway_downlinks", "Downlinks sent.", c->downlinks},
        {"fedroam_ns_gateway_tx_ok", "Downlinks taken.", c->tx_ok},
        {"fedroam_ns_gateway_tx_failed", "Downlinks refused.", c->tx_failed},
    };
    fr_metrics_counters(m, rows, sizeof rows / sizeof rows[0]);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_ns_gateways", "Gateways heard.");
    FR_METRIC(m, fr_gateways_count(ns->gateways));
}

/* One family per figure, one sample per upstream: what a join costs on the wire. */
static void write_traffic(struct fr_ns *ns, struct fr_metrics *m)
{
    struct fr_resolver_traffic doh = {0};
    struct fr_bi_traffic peers;

    if (ns->resolver != NULL) fr_resolver_traffic(ns->resolver, &doh);
    fr_bi_client_traffic(ns->client, &peers);
    const struct {
        const char *name, *help;
        uint64_t broker, peer;
    } rows[] = {
        {"fedroam_ns_upstream_requests", "Requests sent.", doh.exchanges, peers.requests},
        {"fedroam_ns_upstream_connects", "Connections opened.", doh.connects, peers.connects},
        {"fedroam_ns_upstream_handshakes", "TLS handshakes.", doh.handshakes, peers.handshakes},
        {"fedroam_ns_upstream_resumed", "Of these, resumed.", doh.handshakes_resumed,
         peers.handshakes_resumed},
        {"fedroam_ns_upstream_bytes_in", "Bytes of TLS received.", doh.bytes_in, peers.bytes_in},
        {"fedroam_ns_upstream_bytes_out", "Bytes of TLS sent.", doh.bytes_out, peers.bytes_out},
        {"fedroam_ns_upstream_segments_in", "TCP segments received.", doh.segments_in,
         peers.segments_in},
        {"fedroam_ns_upstream_segments_out", "TCP segments sent.", doh.segments_out,
         peers.segments_out},
        {"fedroam_ns_upstream_round_trips", "Round trips waited for.", doh.round_trips,
         peers.round_trips},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fr_metrics_family(m, FR_METRIC_COUNTER, rows[i].name, rows[i].help);
        FR_METRIC(m, rows[i].broker, {"upstream", "broker"});
        FR_METRIC(m, rows[i].peer, {"upstream", "peer"});
    }
}

static void write_state(struct fr_ns *ns, struct fr_metrics *m)
{
    struct fr_state_counts counts;

    if (fr_state_count(ns->state, &counts) != FR_OK) return;
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_ns_sessions", "Sessions of our devices.");
    FR_METRIC(m, counts.sessions);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_ns_visitors", "Devices of others carried.");
    FR_METRIC(m, counts.visitors);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_ns_devices", "Devices with keys here.");
    FR_METRIC(m, fr_keys_count(ns->keys));
}

void fr_ns_write_metrics(struct fr_ns *ns, struct fr_metrics *m)
{
    write_joins(ns, m);
    write_gateways(ns, m);
    write_traffic(ns, m);
    write_state(ns, m);
}
