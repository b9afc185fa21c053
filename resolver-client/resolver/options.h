#pragma once
/* What the setters of <fedroam/options.h> collect, as the resolver reads it.
 *
 * Owns: its texts. A handle takes its own copy with fr_options_dup(). */

#include "base/addr.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/url.h"
#include "names/dname.h"
#include <fedroam/answer.h>
#include <fedroam/options.h>
#include <fedroam/public_dns.h>
#include <stdbool.h>

enum {
    FR_FEDERATIONS_MAX = 16,
    FR_BROKERS_MAX = 8,
    FR_BROKER_ADDRESSES_MAX = 8,
    FR_PREFIXES_MAX = 64,
    FR_TREES_MAX = 8,
    FR_PATH_MAX = 4096
};

/* The first digits of EUIs. */
struct fr_eui_prefix {
    uint64_t value; /* the digits at the top, zeros below */
    uint8_t digits; /* 1 to 16 */
};

struct fr_eui_prefixes {
    size_t n;
    struct fr_eui_prefix list[FR_PREFIXES_MAX];
};

struct fr_broker_opt {
    struct fr_url url;
    bool discover; /* its SVCB records in public DNS say where it is */
    size_t n_addresses;
    struct fr_addr addresses[FR_BROKER_ADDRESSES_MAX];
};

struct fr_federation_opt {
    char *name;
    struct fr_dname zone; /* the name on the wire */
    char *ca, *chain, *key;
    size_t n_brokers;
    struct fr_broker_opt brokers[FR_BROKERS_MAX];
    struct fr_eui_prefixes only, except;
};

/* Where Join Servers or networks are looked for in public DNS. */
struct fr_tree_opt {
    char suffix[FR_DNAME_WIRE]; /* lower case, without the final dot */
    uint16_t port;              /* of a name that has addresses only; 0: that of the service */
};

struct fr_trees_opt {
    size_t n;
    struct fr_tree_opt list[FR_TREES_MAX];
    unsigned services; /* enum fedroam_service, or'ed */
};

struct fedroam_options {
    size_t n_federations;
    struct fr_federation_opt *federations[FR_FEDERATIONS_MAX];
    uint32_t timeout_ms, broker_timeout_ms;
    uint32_t hedge_ms; /* 0: never */
    uint32_t cache_entries, cache_bytes;
    uint32_t prefetch_percent;
    char *cache_file; /* NULL: none */
    uint32_t stale_s, peer_stale_s;
    uint32_t unknown_max_s;
    enum fedroam_ask ask;
    struct fr_trees_opt networks, join_servers;
    uint32_t pending;
    bool has_host;
    struct fedroam_host host;
    void *host_data;
    bool has_public_dns;
    struct fedroam_public_dns public_dns; /* a handle's copy releases no data, and has none */
    void *public_dns_data;
    fedroam_log_cb log_cb; /* NULL: none */
    void *log_data;
    struct fr_log log;   /* into that; of a handle's copy */
    struct fr_diag diag; /* of the last setter that failed */
};

/* Where a handle with these options logs to; NULL: nowhere. */
const struct fr_log *fr_options_log(const struct fedroam_options *o);

/* FR_E_NOMEM, FR_E_IO (no random key for the log). */
enum fr_err fr_options_dup(const struct fedroam_options *o, struct fedroam_options **out);

/* Can a handle work with them? FR_E_INVALID: no federation, one without a broker, or a broker that nothing can
 * find. */
enum fr_err fr_options_check(const struct fedroam_options *o, struct fr_diag *diag);

/* Of networks and Join Servers. */
const struct fr_trees_opt *fr_options_trees(const struct fedroam_options *o,
                                            enum fedroam_kind kind);

/* May the federation be asked about this DevEUI? */
bool fr_federation_takes(const struct fr_federation_opt *f, uint64_t deveui);

/* The place of a federation, or n_federations. */
size_t fr_options_find(const struct fedroam_options *o, const char *federation);
