#include "sync/conf.h"

#include "names/conf.h"

#include <string.h>

static const struct fr_conf_row place_rows[] = {
    {.key = "dsn_file",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_sync_place_conf, dsn_file),
     .help = "A file (mode 0600) with the connection string in its first line."},
    {.key = "dsn_env",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_sync_place_conf, dsn_env),
     .help = "The environment variable that has it."},
    {.key = "dsn_credential",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_sync_place_conf, dsn_credential),
     .help = "The credential of the systemd unit that has it (LoadCredential=)."},
    {.key = "sqlite",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_sync_place_conf, sqlite),
     .help = "The database file of a ChirpStack v4 with SQLite, instead of a connection string."},
    {0},
};

static const struct fr_conf_row federation_rows[] = {
    {.key = "name",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_sync_federation_conf, name),
     .flags = FR_CONF_REQUIRED,
     .help = "Name of the federation."},
    {.key = "netid",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_sync_federation_conf, netid),
     .parse = fr_conf_parse_netid,
     .flags = FR_CONF_REQUIRED,
     .help = "The NetID that is filled; what is in it and not chosen here is withdrawn."},
    {.key = "broker",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_sync_federation_conf, broker),
     .help = "https://broker.<federation>; its certificate and addresses come from `config`."},
    {.key = "config",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_sync_federation_conf, config),
     .help = "The resolver.yaml with our certificate (/etc/fedroam/resolver.yaml)."},
    {.key = "state",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_sync_federation_conf, state),
     .help = "On the broker's own host, instead of `broker`: its state directory."},
    {.key = "tenants",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_sync_federation_conf, tenants, n_tenants),
     .help = "Only devices of these tenants (v3: organizations), by id or name."},
    {.key = "applications",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_sync_federation_conf, applications, n_applications),
     .help = "Only devices of these applications, by id or name."},
    {.key = "device_profiles",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_sync_federation_conf, profiles, n_profiles),
     .help = "Only devices with these device-profiles, by id or name."},
    {.key = "service_profiles",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_sync_federation_conf, service_profiles, n_service_profiles),
     .help = "v3: only devices with these service-profiles, by id."},
    {.key = "tags",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_sync_federation_conf, tags, n_tags),
     .max = FR_SYNC_TAGS_MAX,
     .help = "Only devices with all of these tags: `key=value`, or `key` with any value."},
    {.key = "also",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_sync_federation_conf, also, n_also),
     .help = "What is left out otherwise: abp, disabled, not-roaming (`allow_roaming` is false)."},
    {.key = "max_withdraw",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_sync_federation_conf, max_withdraw),
     .def = "5",
     .max = 100,
     .help = "Percent of what is published that a run may withdraw; above that it stops and asks."},
    {0},
};

static const struct fr_conf_row rows[] = {
    {.key = "database",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct fr_sync_conf, database),
     .rows = place_rows,
     .help = "The network server's database."},
    {.key = "application_server",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct fr_sync_conf, names),
     .rows = place_rows,
     .help = "v3: the application server's database, which knows organizations, applications and "
             "tags."},
    {.key = "timeout",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_sync_conf, timeout_ms),
     .def = "5m",
     .min = 100,
     .max = 86400000,
     .help = "Time the database has for one answer."},
    {.key = "every",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_sync_conf, every_ms),
     .def = "5m",
     .min = 100,
     .max = 86400000,
     .help = "With --watch: time between two runs, give or take a fifth."},
    {.key = "federations",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_sync_conf, federations, n_federations),
     .max = 64,
     .flags = FR_CONF_REQUIRED,
     .rows = federation_rows,
     .help = "What goes where."},
    {0},
};

const struct fr_conf_schema fr_sync_schema = {
    .title = "sync.yaml",
    .summary = "which devices of a network server are published where",
    .size = sizeof(struct fr_sync_conf),
    .rows = rows};

static unsigned ways_to(const struct fr_sync_place_conf *place)
{
    return (place->dsn_file ? 1u : 0) + (place->dsn_env ? 1u : 0) +
           (place->dsn_credential ? 1u : 0) + (place->sqlite ? 1u : 0);
}

bool fr_sync_place_is_set(const struct fr_sync_place_conf *place)
{
    return ways_to(place) > 0;
}

static enum fr_err check_places(const struct fr_sync_conf *conf, enum fr_sync_kind kind,
                                struct fr_diag *diag)
{
    if (ways_to(&conf->database) != 1)
        return fr_diag_fail(diag, FR_E_CONFIG,
                            "database needs one of dsn_file, dsn_env, dsn_credential, sqlite");
    if (kind == FR_SYNC_CHIRPSTACK_V4 && ways_to(&conf->names) > 0)
        return fr_diag_fail(diag, FR_E_CONFIG, "application_server is for chirpstack-v3");
    if (ways_to(&conf->names) > 1)
        return fr_diag_fail(diag, FR_E_CONFIG,
                            "application_server needs one of dsn_file, dsn_env, dsn_credential");
    if (kind == FR_SYNC_CHIRPSTACK_V3 && (conf->database.sqlite || conf->names.sqlite))
        return fr_diag_fail(diag, FR_E_CONFIG, "sqlite is for chirpstack-v4");
    return FR_OK;
}

static bool is_exception(const char *word)
{
    return strcmp(word, "abp") == 0 || strcmp(word, "disabled") == 0 ||
           strcmp(word, "not-roaming") == 0;
}

static enum fr_err check_choice(const struct fr_sync_conf *conf,
                                const struct fr_sync_federation_conf *fed, enum fr_sync_kind kind,
                                struct fr_diag *diag)
{
    const bool needs_names = fed->n_tenants || fed->n_applications || fed->n_tags;
    if ((fed->broker != NULL) == (fed->state != NULL))
        return fr_diag_fail(diag, FR_E_CONFIG, "%s needs broker or state, one of them", fed->name);
    if (kind == FR_SYNC_CHIRPSTACK_V4 && fed->n_service_profiles)
        return fr_diag_fail(diag, FR_E_CONFIG, "%s: service_profiles are of chirpstack-v3",
                            fed->name);
    if (kind == FR_SYNC_CHIRPSTACK_V3 && needs_names && ways_to(&conf->names) == 0)
        return fr_diag_fail(diag, FR_E_CONFIG,
                            "%s: tenants, applications and tags of v3 need application_server",
                            fed->name);
    for (size_t i = 0; i < fed->n_also; i++)
        if (!is_exception(fed->also[i]))
            return fr_diag_fail(diag, FR_E_CONFIG,
                                "%s: also has abp, disabled, not-roaming, and no %s", fed->name,
                                fed->also[i]);
    return FR_OK;
}

enum fr_err fr_sync_conf_check(const struct fr_sync_conf *conf, enum fr_sync_kind kind,
                               struct fr_diag *diag)
{
    enum fr_err err = check_places(conf, kind, diag);
    for (size_t i = 0; !err && i < conf->n_federations; i++) {
        const struct fr_sync_federation_conf *fed = &conf->federations[i];
        err = check_choice(conf, fed, kind, diag);
        /* Two choices for one NetID would withdraw each other's devices for ever. */
        for (size_t k = 0; !err && k < i; k++)
            if (fed->netid == conf->federations[k].netid &&
                strcmp(fed->name, conf->federations[k].name) == 0)
                err = fr_diag_fail(diag, FR_E_CONFIG, "%s: NetID %06x is filled twice", fed->name,
                                   (unsigned)fed->netid);
    }
    return err;
}
