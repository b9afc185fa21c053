#pragma once
/*
 * The network server's insides, shared by the files of ns-plugin/roles.
 *
 * Owns: struct fr_ns owns everything in it but loop, log and options. Threads: the loop's.
 */
#include "backend/server.h"
#include "base/file.h"
#include "base/mem.h"
#include "gateway/dedup.h"
#include "gateway/gateways.h"
#include "roles/activation.h"
#include "roles/deferred.h"
#include "roles/join_server.h"
#include "roles/ns.h"

#include <fedroam/fedroam.h>

enum { FR_NS_FED_FILES = 3 }; /* CA, chain, key */

/* A federation we are in. The array is made once: connections point into it. */
struct fr_ns_fed {
    char name[FR_FED_MAX + 1];
    struct fr_tls_ctx *client, *server;
    uint32_t generation; /* of its certificates: sessions of an older one do not resume */
    struct fr_file_stamp stamps[FR_NS_FED_FILES];  /* of what was loaded */
    struct fr_file_stamp refused[FR_NS_FED_FILES]; /* of what did not load and was said to */
};

struct fr_ns_counters {
    uint64_t frames_ignored, frames_late,
        frames_dropped; /* not joins; after the window; table full */
    uint64_t joins_local, joins_roaming, joins_unknown; /* begun */
    uint64_t joined_local, joined_roaming;              /* a gateway took the Join-accept */
    uint64_t joins_failed;
    uint64_t lookups, lookups_failed;
    uint64_t inbound, inbound_refused;
};

struct fr_run;
struct fr_inbound;

struct fr_ns {
    struct fr_loop *loop;
    const struct fr_log *log;
    const struct fr_ns_options *options;
    struct fr_crypto *crypto;
    struct fr_state *state;
    struct fr_keys *keys;
    struct fr_ns_fed *feds;
    size_t n_feds;
    struct fedroam *resolver;
    struct fr_bi_client *client;
    struct fr_bi_server *server;
    struct fr_tls_acceptor *acceptor;
    struct fr_http_server *http;
    struct fr_http_listener *listener;
    struct fr_gateways *gateways;
    struct fr_dedup *dedup;
    struct fr_timer dedup_timer;
    struct fr_timer expire_timer;
    struct fr_timer follow_timer;
    struct fr_visitor_mark expire_at;
    struct fr_deferred deferred;
    struct fr_run *runs;
    size_t n_runs;
    struct fr_inbound *inbounds;
    size_t n_inbounds;
    struct fr_ns_counters counters;
    bool is_stopping;
    struct fr_timer drain_timer;
    struct fr_defer stopped;
    void (*on_stopped)(void *data);
    void *stopped_data;
};

/* federations.c: certificates and who is who. */
enum fr_err fr_ns_feds_load(struct fr_ns *ns, const struct fr_ns_options *options,
                            struct fr_diag *diag);
/* Looks at the files: a set that changed and loads is shown and used from now on; one that does not load
 * (half written, key of another certificate) is said once and tried again at the next look. */
void fr_ns_feds_follow(struct fr_ns *ns);
void fr_ns_feds_free(struct fr_ns *ns);
struct fr_ns_fed *fr_ns_find_fed(struct fr_ns *ns, const char *name);
bool fr_ns_select_tls(void *data, const char *sni, struct fr_tls_choice *out);

#define FR_NS_ADDRS_MAX 16
struct fr_ns_place {
    struct fr_bi_target target;
    struct fr_addr addrs[FR_NS_ADDRS_MAX];
};
/* Where and how to reach the network of an answer. FR_E_NOT_FOUND: no endpoint, or not our federation. */
enum fr_err fr_ns_place(struct fr_ns *ns, const struct fedroam_answer *answer,
                        struct fr_ns_place *out);

/* uplink.c: frames from gateways. */
void fr_ns_on_frame(void *data, uint64_t gateway, const struct fr_rx *rx, int64_t now_ms);
void fr_ns_on_dedup(struct fr_timer *timer);
void fr_ns_drop_runs(struct fr_ns *ns);

/* inbound.c: requests of peers. */
void fr_ns_on_request(void *data, struct fr_bi_exchange *x);
void fr_ns_drop_inbounds(struct fr_ns *ns);

/* ns.c: called when a run or an inbound ended, for a stop that waits for it. */
void fr_ns_ended(struct fr_ns *ns);

struct fr_js fr_ns_js(struct fr_ns *ns);
/* What every line of a log about one join says: the Join-request's MIC, which all servers that see the join have, so that
 * their logs can be read together. Anything but a Join-request gets a random one. */
#define FR_JOIN_ID_TEXT 9
void fr_ns_join_id(struct fr_span phy, char out[FR_JOIN_ID_TEXT]);
struct fr_bi_id fr_ns_id(const struct fr_ns *ns);
