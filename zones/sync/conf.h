#pragma once
/*
 * sync.yaml: where a member's network server keeps its devices, and which of them go into which federation.
 *
 * Model: one database (for v3 a second one that knows names), and for each federation what is chosen from it.
 * Owns: what fr_sync_schema loads; fr_conf_free gives it back.
 * Errors: fr_sync_conf_check: FR_E_CONFIG, where two keys do not go together.
 * Units and limits: times in ms; 64 federations, 256 words in a list, FR_SYNC_TAGS_MAX tags.
 * Trust: the user's file.
 */
#include "base/conf.h"

#define FR_SYNC_TAGS_MAX 8

enum fr_sync_kind { FR_SYNC_CHIRPSTACK_V4, FR_SYNC_CHIRPSTACK_V3 };

/* Where a connection string is: exactly one of the four. It is never in this file or on a command line. */
struct fr_sync_place_conf {
    char *dsn_file, *dsn_env, *dsn_credential;
    char *sqlite; /* a database file instead */
};

struct fr_sync_federation_conf {
    char *name;
    uint32_t netid;
    char *broker, *config; /* over the API, or … */
    char *state;           /* … here, on the broker's host */
    char **tenants, **applications, **profiles, **service_profiles, **tags, **also;
    size_t n_tenants, n_applications, n_profiles, n_service_profiles, n_tags, n_also;
    uint32_t max_withdraw;
};

struct fr_sync_conf {
    struct fr_sync_place_conf database, names;
    uint32_t timeout_ms, every_ms;
    struct fr_sync_federation_conf *federations;
    size_t n_federations;
};

extern const struct fr_conf_schema fr_sync_schema;

enum fr_err fr_sync_conf_check(const struct fr_sync_conf *conf, enum fr_sync_kind kind,
                               struct fr_diag *diag);
/* Does it name a database at all? */
bool fr_sync_place_is_set(const struct fr_sync_place_conf *place);
