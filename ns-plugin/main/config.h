#pragma once
/*
 * ns.yaml: its rows, and what was loaded from it.
 *
 * Model: load, complete (defaults that depend on others, lists of EUIs), check; the struct is then never changed.
 * Owns: strings and arrays, given back by fr_ns_conf_free(). Threads: any once loaded.
 * Errors: FR_E_CONFIG with file:line:column; FR_E_NOMEM.
 * Trust: the operator's file.
 */
#include "base/conf.h"
#include "base/log.h"
#include "roles/options.h"

struct fr_ns_conf {
    struct fr_ns_options ns;
    struct fr_addr admin;      /* port 0: off */
    struct fr_log_options log; /* level, format, identifiers */
    uint32_t drain_ms;
};

extern const struct fr_conf_schema fr_ns_schema;

enum fr_err fr_ns_conf_load(const char *path, struct fr_diag *diag, struct fr_ns_conf **out);
void fr_ns_conf_free(struct fr_ns_conf *conf); /* NULL is legal */
