#pragma once
/*
 * The agent: the federations' answers for the programs of this machine, as plain DNS and as JSON.
 *
 * Model: opened with all its listeners; a reload gives it new federations, guests and limits while
 *   it serves, questions under way end as they began, and the cache stays (it starts empty where a
 *   federation went or changed its place). Listening addresses stay until a restart.
 * Owns: listeners, jobs, the resolver. Threads: the loop's.
 * Errors: FR_E_CONFIG, FR_E_NET, those of listening, FR_E_NOMEM, each with a diag.
 */
#include "agent/guest.h"
#include "agent/source.h"
#include "agent/tcp.h"
#include "base/log.h"
#include "base/metrics.h"

struct fr_agent;

struct fr_agent_options {
    struct fr_federation_conf *federations;
    size_t n_federations;
    struct fr_lookup_conf lookup;
    struct fr_trees_conf join_servers, networks;
    struct fr_addr *listen;
    size_t n_listen;
    struct fr_prefix *allow;
    size_t n_allow;
    char *socket; /* NULL: none */
    uint32_t pending;
    struct fr_tcp_conf tcp; /* of each listener */
};

/* What can be said against the options without asking anybody: keys against each other, files of certificates and
 * keys. */
enum fr_err fr_agent_check(const struct fr_agent_options *o, struct fr_diag *diag);

/* Options and log are borrowed. */
enum fr_err fr_agent_open(struct fr_loop *loop, const struct fr_agent_options *options,
                          const struct fr_log *log, struct fr_diag *diag, struct fr_agent **out);

/* `options` are borrowed from now on, the old ones no more. On failure nothing changed. */
enum fr_err fr_agent_reload(struct fr_agent *agent, const struct fr_agent_options *options,
                            struct fr_diag *diag);

void fr_agent_close(struct fr_agent *agent); /* NULL is legal */

void fr_agent_write_metrics(struct fr_agent *agent, struct fr_metrics *m);
