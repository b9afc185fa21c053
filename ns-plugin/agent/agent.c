#include "agent/agent.h"

#include "agent/agent_priv.h"
#include "base/mem.h"
#include "transport/tls.h"

#include <string.h>

static struct fr_source_conf source_conf(const struct fr_agent_options *o)
{
    return (struct fr_source_conf){.federations = o->federations,
                                   .n_federations = o->n_federations,
                                   .lookup = &o->lookup,
                                   .join_servers = &o->join_servers,
                                   .networks = &o->networks,
                                   .pending = o->pending};
}

enum fr_err fr_agent_check(const struct fr_agent_options *o, struct fr_diag *diag)
{
    const struct fr_source_conf conf = source_conf(o);
    enum fr_err err = fr_source_check(&conf, diag);

    for (size_t i = 0; i < o->n_federations && !err; i++) {
        const struct fr_federation_conf *f = &o->federations[i];
        const struct fr_tls_files files = {.chain = f->certificate, .key = f->key, .ca = f->ca};
        struct fr_tls_ctx *tls = NULL;
        err = fr_tls_client_load(&files, diag, &tls);
        fr_tls_ctx_unref(tls);
    }
    return err;
}

static enum fr_err open_source(struct fr_loop *loop, const struct fr_agent_options *o,
                               struct fr_diag *diag, struct fr_source **out)
{
    const struct fr_source_conf conf = source_conf(o);

    enum fr_err err = fr_agent_check(o, diag);
    return err ? err : fr_source_open(loop, &conf, diag, out);
}

static void use_options(struct fr_agent *agent, const struct fr_agent_options *o)
{
    agent->options = o;
    agent->guests = (struct fr_guests){.allow = o->allow, .n_allow = o->n_allow};
    agent->tcp_conf = o->tcp;
}

static enum fr_err open_doors(struct fr_agent *agent, struct fr_diag *diag)
{
    const struct fr_agent_options *o = agent->options;

    agent->doors = fr_calloc(o->n_listen, sizeof *agent->doors);
    if (agent->doors == NULL) return FR_E_NOMEM;
    for (; agent->n_doors < o->n_listen; agent->n_doors++) {
        struct fr_agent_door *door = &agent->doors[agent->n_doors];
        const struct fr_addr *at = &o->listen[agent->n_doors];
        enum fr_err err =
            fr_udp_open(agent->loop, at, agent->desk, &agent->guests, diag, &door->udp);
        if (err) return err;
        err = fr_tcp_open(agent->loop, at, &agent->tcp_conf, agent->desk, &agent->guests, diag,
                          &door->tcp);
        if (err) {
            fr_udp_close(door->udp);
            return err;
        }
    }
    return FR_OK;
}

static enum fr_err open_local(struct fr_agent *agent, struct fr_diag *diag)
{
    const struct fr_local_conf conf = {.path = agent->options->socket,
                                       .conns = agent->options->tcp.conns,
                                       .idle_ms = agent->options->tcp.idle_ms};

    if (conf.path == NULL) return FR_OK;
    return fr_local_open(agent->loop, &conf, fr_desk_source(agent->desk), diag, &agent->local);
}

enum fr_err fr_agent_open(struct fr_loop *loop, const struct fr_agent_options *options,
                          const struct fr_log *log, struct fr_diag *diag, struct fr_agent **out)
{
    struct fr_source *source = NULL;
    struct fr_agent *agent = fr_calloc(1, sizeof *agent);

    if (agent == NULL) return FR_E_NOMEM;
    agent->loop = loop;
    use_options(agent, options);
    enum fr_err err = open_source(loop, options, diag, &source);
    if (err) goto out;
    err = fr_desk_new(source, log, &agent->desk);
    if (err) goto out;
    err = open_doors(agent, diag);
    if (err) goto out;
    err = open_local(agent, diag);
    if (err) goto out;
    *out = agent;
    agent = NULL;
out:
    fr_source_unref(source);
    fr_agent_close(agent);
    return err;
}

/* What cannot change under a running agent. */
static const char *needs_restart(const struct fr_agent_options *a, const struct fr_agent_options *b)
{
    if (a->n_listen != b->n_listen) return "listen";
    for (size_t i = 0; i < a->n_listen; i++) {
        if (!fr_addr_equal(&a->listen[i], &b->listen[i])) return "listen";
    }
    if ((a->socket == NULL) != (b->socket == NULL)) return "socket";
    if (a->socket != NULL && strcmp(a->socket, b->socket) != 0) return "socket";
    return NULL;
}

/* Another set of federations: a new source, with an empty cache. */
static enum fr_err change_source(struct fr_agent *agent, const struct fr_agent_options *options,
                                 struct fr_diag *diag)
{
    struct fr_source *source = NULL;

    enum fr_err err = open_source(agent->loop, options, diag, &source);
    if (err) return err;
    fr_desk_set_source(agent->desk, source);
    if (agent->local != NULL) fr_local_set_source(agent->local, source);
    fr_source_unref(source);
    return FR_OK;
}

enum fr_err fr_agent_reload(struct fr_agent *agent, const struct fr_agent_options *options,
                            struct fr_diag *diag)
{
    const struct fr_source_conf conf = source_conf(options);
    const char *key = needs_restart(agent->options, options);
    enum fr_err err;

    if (key != NULL) return fr_diag_fail(diag, FR_E_CONFIG, "%s changed: restart for that", key);
    if (fr_source_can_follow(fr_desk_source(agent->desk), &conf)) {
        err = fr_agent_check(options, diag);
        if (err == FR_OK) err = fr_source_reload(fr_desk_source(agent->desk), &conf, diag);
    } else {
        err = change_source(agent, options, diag);
    }
    if (err) return err;
    use_options(agent, options);
    return FR_OK;
}

void fr_agent_close(struct fr_agent *agent)
{
    if (agent == NULL) return;
    for (size_t i = 0; i < agent->n_doors; i++) {
        fr_udp_close(agent->doors[i].udp);
        fr_tcp_close(agent->doors[i].tcp);
    }
    fr_local_close(agent->local);
    fr_desk_free(agent->desk);
    fr_free(agent->doors);
    while (fr_loop_run_deferred(agent->loop)) continue; /* the last references are given back */
    fr_free(agent);
}
