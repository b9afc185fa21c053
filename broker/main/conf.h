#pragma once
/*
 * broker.yaml: what one machine's broker serves, where, and within which limits.
 *
 * Model: loaded, completed with defaults and cross-checked in one call; immutable afterwards. What
 *   holds for a whole federation is not here but in its store (policy).
 * Owns: its strings and arrays, until fr_broker_conf_free. Threads: any may read.
 * Errors: FR_E_CONFIG with file:line:column in the diag. Trust: the operator's file.
 */

#include "base/addr.h"
#include "base/conf.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/prefix.h"
#include "notify/conf.h"

#include <stdbool.h>
#include <stdint.h>

/* When a change is acknowledged: on this broker's disk, or on a replica's, too. */
enum fr_ack { FR_ACK_LOCAL, FR_ACK_REPLICA };

enum fr_serve {
    FR_SERVE_HTTPS,
    FR_SERVE_CRL,
    FR_SERVE_NOTIFY, /* this and the following are main's own, not the workers' */
    FR_SERVE_XFR,
    FR_SERVE_XOT,
};

struct fr_broker_fed_conf {
    char *name;
    char *state; /* directory; never NULL once loaded */
    struct {
        char *file; /* NULL: none */
        uint64_t keep_ms, size;
    } query_log;
    char *audit_also; /* NULL: no second copy */
    struct fr_notify_conf notify;
    struct {
        char *url; /* NULL: this broker follows nobody */
        char **addresses;
        size_t n_addresses;
        char *certificate, *key, *ca; /* NULL: the broker's own */
        uint64_t max_lag_ms, max_stale_ms;
    } replica_of;
    enum fr_ack ack;
    uint32_t ack_wait_ms;
};

struct fr_broker_listen_conf {
    struct fr_ip address;
    uint16_t port;
    enum fr_serve serve;
    char *federation; /* of clients without a server name; NULL: several and none is named */
    struct fr_prefix *proxies; /* whose connections begin with a PROXY header */
    size_t n_proxies;
};

struct fr_broker_limits {
    unsigned connections, connections_per_address; /* on each worker */
    unsigned streams;                              /* on each connection */
    uint32_t handshake_ms, first_request_ms, request_ms, idle_ms, kept_ms, write_ms, drain_ms;
    size_t head, body, backlog, client_chain;
    unsigned resets, control_frames, continuations;
    uint32_t session_ms;
    unsigned sessions;
    unsigned changes; /* waiting for the writer */
    unsigned enrolments, enrolment_failures;
    unsigned api_requests;
    unsigned transfers; /* together */
    uint64_t transfer_records, transfer_size;
    uint32_t transfer_ms, transfer_idle_ms;
};

struct fr_broker_conf {
    struct fr_broker_fed_conf *federations;
    size_t n_federations;
    struct fr_broker_listen_conf *listen;
    size_t n_listen;
    struct {
        struct fr_ip address;
        uint16_t port; /* 0: no admin listener */
    } admin;
    unsigned workers; /* never 0 once loaded */
    struct fr_broker_limits limits;
    struct fr_log_options log; /* level, format, identifiers */
};

extern const struct fr_conf_schema fr_broker_schema;

/* "https", "crl", "notify", "xfr", "xot" */
const char *fr_serve_text(enum fr_serve serve);

enum fr_err fr_broker_conf_load(const char *path, struct fr_diag *diag, struct fr_broker_conf *out);
void fr_broker_conf_free(struct fr_broker_conf *conf);
