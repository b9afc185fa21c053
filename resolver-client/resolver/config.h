#pragma once
/* The federations a program asks, as YAML rows: the same block in resolver.yaml, ns.yaml and
 * agent.yaml. Library fr_resolver_config, apart from fr_resolver so that libfedroam needs no
 * YAML.
 *
 * Model: a program puts the rows into its own table, as a LIST "federations" with
 *   .rows = fr_federation_rows and a GROUP "lookup" with .rows = fr_lookup_rows, and turns what was
 *   loaded into options with fr_federations_options(); one that looks Join Servers up has GROUPs
 *   "join_servers" and "networks" with .rows = fr_trees_rows, too, for fr_trees_options(). config.c's resolver_rows is such a table.
 * Owns: fr_conf_free of the program's schema frees it all. Trust: user's bytes. */

#include "base/conf.h"
#include <fedroam/options.h>
#include <stdbool.h>

struct fr_federation_broker {
    char *url;
    char **addresses; /* none: those of the federation, else looked up */
    size_t n_addresses;
    bool discover;
};

struct fr_federation_conf {
    char *name;
    struct fr_federation_broker *brokers;
    size_t n_brokers;
    char **addresses;
    size_t n_addresses;
    bool discover;                /* all brokers */
    char *ca, *certificate, *key; /* paths of PEM files */
    char **only, **except;        /* prefixes of DevEUIs */
    size_t n_only, n_except;
};

struct fr_lookup_conf {
    uint32_t timeout_ms, broker_timeout_ms, hedge_ms;
    uint32_t cache_entries, cache_bytes;
    uint32_t prefetch_percent;
    char *cache_file; /* NULL: none */
    uint32_t stale_ms, peer_stale_ms;
    uint32_t unknown_max_ms;
    enum fedroam_ask ask;
    char **public_dns; /* none or "off"; "system"; or addresses of name servers */
    size_t n_public_dns;
};

/* Where else Join Servers are looked for, or networks. */
struct fr_trees_conf {
    char **suffixes;
    size_t n_suffixes;
    char **services; /* LWN, LWNS */
    size_t n_services;
};

extern const struct fr_conf_row fr_federation_rows[]; /* of struct fr_federation_conf */
extern const struct fr_conf_row fr_lookup_rows[];     /* of struct fr_lookup_conf */
extern const struct fr_conf_row fr_trees_rows[];      /* of struct fr_trees_conf */

/* resolver.yaml itself. */
struct fr_resolver_conf {
    struct fr_federation_conf *federations;
    size_t n_federations;
    struct fr_lookup_conf lookup;
    struct fr_trees_conf join_servers, networks;
};
extern const struct fr_conf_schema fr_resolver_schema;

/* Options from what was loaded, to be freed with fedroam_options_free(). A broker without
 * addresses anywhere is looked up in the public DNS that is configured, when it is asked and ever again; where none is, by the
 * system's resolver here and once, which may block: so at start-up and reload, never in a loop. FR_E_CONFIG naming the federation, FR_E_NET when that
 * look-up fails, FR_E_NOMEM. */
enum fr_err fr_federations_options(const struct fr_federation_conf *federations, size_t n,
                                   const struct fr_lookup_conf *lookup, struct fr_diag *diag,
                                   struct fedroam_options **out);

/* The same and asks nobody: a broker that would have to be looked up here is left out. For checks, not for
 * handles. */
enum fr_err fr_federations_read(const struct fr_federation_conf *federations, size_t n,
                                const struct fr_lookup_conf *lookup, struct fr_diag *diag,
                                struct fedroam_options **out);

/* And what is taken of Join Servers, or networks, and from where. FR_E_CONFIG, also for suffixes without
 * public DNS; FR_E_NOMEM. */
enum fr_err fr_trees_options(struct fedroam_options *o, enum fedroam_kind kind,
                             const struct fr_trees_conf *c, struct fr_diag *diag);
