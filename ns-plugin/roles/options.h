#pragma once
/*
 * What an operator can say about a network server: the struct that ns.yaml is loaded into.
 *
 * Model: plain values; the rows that fill them are in main/config.c. A *peer* rule is about one network in one federation; where
 *   there is none, the defaults hold.
 * Owns: nothing itself; the configuration schema frees it. Threads, Errors: none.
 */
#include "base/addr.h"
#include "resolver/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fr_ns_rule { FR_RULE_ALLOW, FR_RULE_DENY };
enum fr_ns_answers { FR_ANSWERS_SYNC, FR_ANSWERS_ASYNC };

struct fr_ns_peer_rule {
    char *federation; /* NULL: in every federation */
    uint32_t netid;
    enum fr_ns_rule roaming;
    enum fr_ns_answers answers;
    uint32_t lifetime_ms; /* 0: the default */
    char *kek;            /* label; NULL: keys travel in clear inside TLS */
};

/* Where a JoinEUI's keys are, when not here. */
struct fr_ns_join_server {
    uint64_t join_eui;
    char *url;        /* https://host:port/path */
    char **addresses; /* of the host, when it is no IP literal */
    size_t n_addresses;
    char *federation; /* whose CA and certificate; NULL: the first */
};

struct fr_ns_options {
    uint32_t netid;
    struct {
        bool forwarding, home, join_server;
    } roles;
    struct fr_federation_conf *federations;
    size_t n_federations;
    struct fr_lookup_conf lookup;
    struct {
        struct fr_addr listen; /* family 0: no gateways */
        char **allow_text;
        uint64_t *allow; /* the same as numbers; none: every gateway */
        size_t n_allow;
    } gateways;
    struct {
        struct fr_addr listen; /* family 0: no peers */
        bool check_keys;       /* a peer's key must be in its TLSA record */
    } backend;
    struct {
        enum fr_ns_rule otherwise;
        uint32_t lifetime_ms;
        struct fr_ns_peer_rule *peers;
        size_t n_peers;
    } roaming;
    char *devices; /* path; NULL: none */
    struct fr_ns_join_server *join_servers;
    size_t n_join_servers;
    char *state; /* directory */
    uint64_t map_size;
    uint32_t dedup_ms, answer_ms, lead_ms;
    uint32_t joins; /* under way at a time */
};

/* The rule for a network, or NULL. */
const struct fr_ns_peer_rule *fr_ns_find_rule(const struct fr_ns_options *o, const char *federation,
                                              uint32_t netid);

/* What holds for it, defaults included. */
bool fr_ns_may_roam(const struct fr_ns_options *o, const char *federation, uint32_t netid);
uint64_t fr_ns_lifetime_s(const struct fr_ns_options *o, const char *federation, uint32_t netid);
