#include "roles/ns_priv.h"
#include "roles/own_cert.h"

#include <string.h>

struct fr_ns_fed *fr_ns_find_fed(struct fr_ns *ns, const char *name)
{
    for (size_t i = 0; i < ns->n_feds; i++) {
        if (strcmp(ns->feds[i].name, name) == 0) return &ns->feds[i];
    }
    return NULL;
}

static void unref(struct fr_ns_fed *feds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fr_tls_ctx_unref(feds[i].client);
        fr_tls_ctx_unref(feds[i].server);
    }
}

static void take_stamps(const struct fr_federation_conf *conf,
                        struct fr_file_stamp out[FR_NS_FED_FILES])
{
    out[0] = fr_file_stamp(conf->ca);
    out[1] = fr_file_stamp(conf->certificate);
    out[2] = fr_file_stamp(conf->key);
}

static bool same_stamps(const struct fr_file_stamp a[FR_NS_FED_FILES],
                        const struct fr_file_stamp b[FR_NS_FED_FILES])
{
    for (size_t i = 0; i < FR_NS_FED_FILES; i++)
        if (!fr_file_stamp_equal(&a[i], &b[i])) return false;
    return true;
}

/* Both contexts of a fresh entry, also on failure the caller's to give back. The stamps are taken before the files are read: a
 * write in between is seen at the next look. */
static enum fr_err load_one(const struct fr_ns_options *options, size_t i, struct fr_ns_fed *fed,
                            struct fr_diag *diag)
{
    const struct fr_federation_conf *conf = &options->federations[i];
    const struct fr_tls_files files = {
        .chain = conf->certificate, .key = conf->key, .ca = conf->ca};

    if (!fr_span_copy(fr_span_str(conf->name), fed->name, sizeof fed->name)) {
        return fr_diag_fail(diag, FR_E_CONFIG, "the federation name is too long");
    }
    take_stamps(conf, fed->stamps);
    enum fr_err err = fr_own_cert_check(conf->certificate, conf->name, options->netid,
                                        !options->roles.forwarding && !options->roles.home, diag);
    if (err) return err;
    err = fr_tls_client_load(&files, diag, &fed->client);
    if (err) return err;
    return fr_tls_server_load(&files, diag, &fed->server);
}

/* New contexts for all federations, or none. */
static enum fr_err load_contexts(const struct fr_ns_options *options, struct fr_ns_fed *feds,
                                 struct fr_diag *diag)
{
    for (size_t i = 0; i < options->n_federations; i++) {
        enum fr_err err = load_one(options, i, &feds[i], diag);
        if (err) return err;
    }
    return FR_OK;
}

/* Connections point at the entry: only what is in it changes. */
static void replace(struct fr_ns_fed *fed, const struct fr_ns_fed *fresh)
{
    unref(fed, 1);
    fed->client = fresh->client;
    fed->server = fresh->server;
    memcpy(fed->stamps, fresh->stamps, sizeof fed->stamps);
    fed->generation++;
}

enum fr_err fr_ns_feds_load(struct fr_ns *ns, const struct fr_ns_options *options,
                            struct fr_diag *diag)
{
    size_t n = options->n_federations;
    struct fr_ns_fed *fresh = fr_calloc(n + 1, sizeof *fresh);

    if (fresh == NULL) return FR_E_NOMEM;
    enum fr_err err = load_contexts(options, fresh, diag);
    if (err) {
        unref(fresh, n);
        fr_free(fresh);
        return err;
    }
    if (ns->feds == NULL) {
        ns->feds = fresh;
        ns->n_feds = n;
        return FR_OK;
    }
    for (size_t i = 0; i < n; i++) replace(&ns->feds[i], &fresh[i]);
    fr_free(fresh);
    return FR_OK;
}

static void say_refused(struct fr_ns *ns, struct fr_ns_fed *fed, enum fr_err err,
                        const struct fr_diag *diag, const struct fr_ns_fed *fresh)
{
    char text[1024];

    if (same_stamps(fed->refused, fresh->stamps)) return;
    memcpy(fed->refused, fresh->stamps, sizeof fed->refused);
    fr_diag_print(diag, err, text, sizeof text);
    FR_LOG(ns->log, FR_LOG_WARN, "certificate.unusable", FR_STR("federation", fed->name),
           FR_STR("why", text));
}

void fr_ns_feds_follow(struct fr_ns *ns)
{
    bool has_changed = false;

    for (size_t i = 0; i < ns->n_feds; i++) {
        struct fr_ns_fed *fed = &ns->feds[i], fresh = {0};
        struct fr_file_stamp stamps[FR_NS_FED_FILES];
        struct fr_diag diag = {0};

        take_stamps(&ns->options->federations[i], stamps);
        if (same_stamps(stamps, fed->stamps)) continue;
        enum fr_err err = load_one(ns->options, i, &fresh, &diag);
        if (err) {
            say_refused(ns, fed, err, &diag, &fresh);
            unref(&fresh, 1);
            continue;
        }
        replace(fed, &fresh);
        has_changed = true;
        FR_LOG(ns->log, FR_LOG_INFO, "certificate.loaded", FR_STR("federation", fed->name));
    }
    if (has_changed) fr_bi_client_close_idle(ns->client);
}

void fr_ns_feds_free(struct fr_ns *ns)
{
    unref(ns->feds, ns->n_feds);
    fr_free(ns->feds);
    ns->feds = NULL;
    ns->n_feds = 0;
}

/* The federation whose name the server name ends with: "<netid>.netid.<fed>". */
static struct fr_ns_fed *fed_of_sni(struct fr_ns *ns, const char *sni)
{
    struct fr_span name = fr_span_str(sni);

    for (size_t i = 0; i < ns->n_feds; i++) {
        size_t n = strlen(ns->feds[i].name);
        if (name.n > n && fr_span_ends(name, ns->feds[i].name) && name.p[name.n - n - 1] == '.') {
            return &ns->feds[i];
        }
    }
    return NULL;
}

bool fr_ns_select_tls(void *data, const char *sni, struct fr_tls_choice *out)
{
    struct fr_ns *ns = data;
    struct fr_ns_fed *fed = sni != NULL ? fed_of_sni(ns, sni) : &ns->feds[0];

    if (fed == NULL || (sni == NULL && ns->n_feds != 1)) return false;
    *out =
        (struct fr_tls_choice){.ctx = fed->server, .client_cert = FR_TLS_CERT_REQUIRE, .tag = fed};
    /* Which federation, and which generation of its certificates: a session of one resumes in no other. */
    uint32_t index = (uint32_t)(fed - ns->feds);
    memcpy(out->sid_ctx, &index, sizeof index);
    memcpy(out->sid_ctx + sizeof index, &fed->generation, sizeof fed->generation);
    out->sid_ctx_n = sizeof index + sizeof fed->generation;
    return true;
}

enum fr_err fr_ns_place(struct fr_ns *ns, const struct fedroam_answer *answer,
                        struct fr_ns_place *out)
{
    const struct fr_ns_fed *fed = fr_ns_find_fed(ns, fedroam_answer_federation(answer));
    uint32_t netid = fedroam_answer_netid(answer);
    struct fr_bi_target *t = &out->target;
    size_t n = 0;

    if (fed == NULL) return FR_E_NOT_FOUND;
    for (size_t i = 0; i < fedroam_answer_endpoint_count(answer) && n < FR_NS_ADDRS_MAX; i++) {
        socklen_t len;
        const struct sockaddr *sa = fedroam_answer_endpoint(answer, i, &len);
        if (sa != NULL && fr_addr_from_sockaddr(sa, &out->addrs[n]) == FR_OK) n++;
    }
    const struct fr_ns_peer_rule *rule = fr_ns_find_rule(ns->options, fed->name, netid);
    *t = (struct fr_bi_target){.federation = fed->name,
                               .id = {.kind = FR_BI_ID_NETID, .value = netid},
                               .tls_name = fedroam_answer_tls_name(answer),
                               .tls = fed->client,
                               .addrs = out->addrs,
                               .n_addrs = n,
                               .is_async = rule != NULL && rule->answers == FR_ANSWERS_ASYNC,
                               .has_pins = ns->options->backend.check_keys};
    for (size_t i = 0; i < fedroam_answer_pin_count(answer) && i < FR_BI_PINS_MAX; i++) {
        memcpy(t->pins[t->n_pins++], fedroam_answer_pin(answer, i), FR_BI_PIN);
    }
    return n > 0 ? FR_OK : FR_E_NOT_FOUND;
}
