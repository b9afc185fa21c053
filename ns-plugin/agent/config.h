#pragma once
/*
 * agent.yaml: its rows, and what was loaded from it.
 *
 * Model: load, complete (defaults that depend on others, prefixes), check; never changed after.
 * Owns: strings and arrays, given back by fr_agent_conf_free(). Threads: any once loaded.
 * Errors: FR_E_CONFIG with file:line:column; FR_E_NOMEM. Trust: the operator's file.
 */
#include "agent/agent.h"
#include "base/conf.h"

struct fr_agent_listen {
    struct fr_ip address;
    uint16_t port;
};

struct fr_agent_conf {
    struct fr_agent_options agent; /* listen and allow are made from the next two */
    struct fr_agent_listen *listen;
    size_t n_listen;
    char **allow;
    size_t n_allow;
    struct fr_addr admin;      /* port 0: off */
    struct fr_log_options log; /* level, format, identifiers */
};

extern const struct fr_conf_schema fr_agent_schema;

enum fr_err fr_agent_conf_load(const char *path, struct fr_diag *diag, struct fr_agent_conf **out);
void fr_agent_conf_free(struct fr_agent_conf *conf); /* NULL is legal */
