#include "backend/link.h"

#include "base/mem.h"

#include <string.h>

void fr_bi_links_init(struct fr_bi_links *links, struct fr_loop *loop)
{
    *links = (struct fr_bi_links){.loop = loop};
    links->list.prev = links->list.next = &links->list;
}

static void add_counters(struct fr_bi_traffic *sum, const struct fr_http_client_counters *c)
{
    sum->connects += c->connects;
    sum->handshakes += c->handshakes;
    sum->handshakes_resumed += c->handshakes_resumed;
    sum->bytes_in += c->bytes_in;
    sum->bytes_out += c->bytes_out;
    sum->app_bytes_in += c->app_bytes_in;
    sum->app_bytes_out += c->app_bytes_out;
    sum->segments_in += c->segments_in;
    sum->segments_out += c->segments_out;
    sum->round_trips += c->round_trips;
}

static void unlink_link(struct fr_bi_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

static void link_last(struct fr_bi_links *links, struct fr_bi_link *link)
{
    link->next = &links->list;
    link->prev = links->list.prev;
    links->list.prev->next = link;
    links->list.prev = link;
}

static void link_free(struct fr_bi_links *links, struct fr_bi_link *link)
{
    unlink_link(link);
    links->n--;
    if (link->http != NULL) {
        add_counters(&links->closed, fr_http_client_counters(link->http));
        fr_http_client_free(link->http);
    }
    fr_tls_ctx_unref(link->tls);
    fr_free(link->federation);
    fr_free(link->tls_name);
    fr_free(link);
}

void fr_bi_links_deinit(struct fr_bi_links *links)
{
    while (links->list.next != &links->list) link_free(links, links->list.next);
}

static enum fr_err open_http(struct fr_bi_links *links, struct fr_bi_link *link,
                             const struct fr_bi_target *target)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();

    conf.host = link->tls_name;
    conf.port = target->n_addrs > 0 ? target->addrs[0].port : 0;
    conf.addrs = target->addrs;
    conf.n_addrs = target->n_addrs;
    conf.tls = link->tls;
    conf.has_h2 = false;
    conf.has_h1 = true;
    conf.max_connections = 4;
    conf.body_bytes = FR_BI_BODY_MAX;
    return fr_http_client_new(links->loop, &conf, &link->http);
}

static enum fr_err link_new(struct fr_bi_links *links, const struct fr_bi_target *target,
                            struct fr_bi_link **out)
{
    struct fr_bi_link *link = fr_calloc(1, sizeof *link);

    if (link == NULL) return FR_E_NOMEM;
    link_last(links, link);
    links->n++;
    link->id = target->id;
    link->federation = fr_strdup(target->federation);
    link->tls_name = fr_strdup(target->tls_name);
    if (target->tls != NULL) link->tls = fr_tls_ctx_ref(target->tls);
    enum fr_err err = link->federation == NULL || link->tls_name == NULL
                          ? FR_E_NOMEM
                          : open_http(links, link, target);
    if (err) {
        link_free(links, link);
        return err;
    }
    *out = link;
    return FR_OK;
}

/* The peer may have moved or our certificate may be a new one since the link was made. */
static enum fr_err follow(struct fr_bi_link *link, const struct fr_bi_target *target)
{
    if (link->tls != target->tls) {
        fr_http_client_set_tls(link->http, target->tls);
        fr_tls_ctx_unref(link->tls);
        link->tls = target->tls != NULL ? fr_tls_ctx_ref(target->tls) : NULL;
    }
    return fr_http_client_set_addrs(link->http, target->addrs, target->n_addrs);
}

static enum fr_err make_room(struct fr_bi_links *links)
{
    struct fr_bi_link *link = links->list.next;

    if (links->n < FR_BI_LINKS_MAX) return FR_OK;
    while (link != &links->list && link->users > 0) link = link->next;
    if (link == &links->list) return FR_E_LIMIT;
    link_free(links, link);
    return FR_OK;
}

enum fr_err fr_bi_links_get(struct fr_bi_links *links, const struct fr_bi_target *target,
                            struct fr_bi_link **out)
{
    struct fr_bi_link *link = links->list.next;
    enum fr_err err;

    while (link != &links->list && (!fr_bi_id_equal(link->id, target->id) ||
                                    strcmp(link->federation, target->federation) != 0 ||
                                    strcmp(link->tls_name, target->tls_name) != 0)) {
        link = link->next;
    }
    if (link != &links->list) {
        err = follow(link, target);
    } else {
        err = make_room(links);
        if (err == FR_OK) err = link_new(links, target, &link);
    }
    if (err) return err;
    unlink_link(link);
    link_last(links, link);
    link->users++;
    *out = link;
    return FR_OK;
}

void fr_bi_link_release(struct fr_bi_link *link)
{
    link->users--;
}

void fr_bi_links_close_idle(struct fr_bi_links *links)
{
    for (struct fr_bi_link *l = links->list.next; l != &links->list; l = l->next) {
        fr_http_client_close_idle(l->http);
    }
}

void fr_bi_links_traffic(struct fr_bi_links *links, struct fr_bi_traffic *sum)
{
    const struct fr_bi_traffic *gone = &links->closed;

    sum->connects += gone->connects;
    sum->handshakes += gone->handshakes;
    sum->handshakes_resumed += gone->handshakes_resumed;
    sum->bytes_in += gone->bytes_in;
    sum->bytes_out += gone->bytes_out;
    sum->app_bytes_in += gone->app_bytes_in;
    sum->app_bytes_out += gone->app_bytes_out;
    sum->segments_in += gone->segments_in;
    sum->segments_out += gone->segments_out;
    sum->round_trips += gone->round_trips;
    for (struct fr_bi_link *l = links->list.next; l != &links->list; l = l->next) {
        add_counters(sum, fr_http_client_counters(l->http));
    }
}
