/* The records of join servers. See records.h. */
#include "store/records.h"

#include <string.h>

/* What records are made from, and where they go. */
struct making {
    const struct fr_joineui_row *row;
    uint32_t ttl_s;
    fr_record_fn fn;
    void *data;
};

static struct fr_owner name_of(const struct making *m, enum fr_owner_kind kind, uint16_t number)
{
    return (struct fr_owner){
        .kind = kind, .eui = m->row->base, .nibbles = m->row->nibbles, .number = number};
}

static struct fr_record start(const struct making *m, const struct fr_owner *owner,
                              enum fr_record_type type)
{
    return (struct fr_record){.owner = *owner, .type = type, .ttl_s = m->ttl_s};
}

static enum fr_err give_addr(const struct making *m, const struct fr_owner *owner,
                             const struct fr_ip *ip)
{
    struct fr_record record = start(m, owner, ip->family == 4 ? FR_RECORD_A : FR_RECORD_AAAA);

    memcpy(record.data.addr, ip->b, ip->family == 4 ? 4 : 16);
    return m->fn(m->data, &record);
}

static const struct fr_ip *ip_of(const struct fr_join_server *server, uint8_t family)
{
    for (uint8_t i = 0; i < server->n_ips; i++)
        if (server->ips[i].family == family) return &server->ips[i];
    return NULL;
}

/* Where those look who look no further than an address, and speak https there: ChirpStack. */
static enum fr_err give_first(const struct making *m, const struct fr_owner *owner, uint8_t family)
{
    const struct fr_join_server *first = NULL;

    for (size_t i = 0; i < m->row->n_servers; i++) {
        const struct fr_join_server *server = &m->row->servers[i];
        if (server->service != FR_OWNER_LWNS || ip_of(server, family) == NULL) continue;
        if (first == NULL || server->priority < first->priority) first = server;
    }
    return first == NULL ? FR_OK : give_addr(m, owner, ip_of(first, family));
}

static enum fr_err give_srv(const struct making *m, const struct fr_owner *owner,
                            enum fr_owner_service service)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; err == FR_OK && i < m->row->n_servers; i++) {
        const struct fr_join_server *server = &m->row->servers[i];
        struct fr_record record = start(m, owner, FR_RECORD_SRV);
        if (server->service != service) continue;
        record.data.srv.priority = server->priority;
        record.data.srv.weight = server->weight;
        record.data.srv.port = server->port;
        memcpy(record.data.srv.host, server->host, sizeof server->host);
        if (server->host[0] == '\0')
            record.data.srv.target = name_of(m, FR_OWNER_JOINEUI_HOST, (uint16_t)(i + 1));
        err = m->fn(m->data, &record);
    }
    return err;
}

static const struct fr_join_server *first_of(const struct making *m, enum fr_owner_service service)
{
    for (size_t i = 0; i < m->row->n_servers; i++)
        if (m->row->servers[i].service == service) return &m->row->servers[i];
    return NULL;
}

static enum fr_err give_naptr(const struct making *m, const struct fr_owner *owner,
                              enum fr_owner_service service)
{
    const struct fr_join_server *server = first_of(m, service);
    struct fr_record record = start(m, owner, FR_RECORD_NAPTR);

    if (server == NULL) return FR_OK;
    record.data.naptr.order = server->order;
    record.data.naptr.preference = server->preference;
    memcpy(record.data.naptr.flags, "S", 2);
    memcpy(record.data.naptr.service, service == FR_OWNER_LWNS ? "LWNS" : "LWN",
           service == FR_OWNER_LWNS ? 5 : 4);
    record.data.naptr.target = name_of(m, FR_OWNER_JOINEUI_SERVICE, service);
    return m->fn(m->data, &record);
}

/* The JoinEUI itself, or a wildcard in its place. */
static enum fr_err give_name(const struct making *m, const struct fr_owner *owner)
{
    enum fr_err err = give_first(m, owner, 4);

    if (err == FR_OK) err = give_first(m, owner, 6);
    if (err == FR_OK) err = give_srv(m, owner, FR_OWNER_LWNS);
    if (err == FR_OK) err = give_naptr(m, owner, FR_OWNER_LWNS);
    return err ? err : give_naptr(m, owner, FR_OWNER_LWN);
}

static enum fr_err give_service(const struct making *m, enum fr_owner_service service)
{
    const struct fr_owner owner = name_of(m, FR_OWNER_JOINEUI_SERVICE, service);

    return give_srv(m, &owner, service);
}

static enum fr_err give_host(const struct making *m, size_t i)
{
    const struct fr_owner owner = name_of(m, FR_OWNER_JOINEUI_HOST, (uint16_t)(i + 1));
    const struct fr_join_server *server = &m->row->servers[i];
    enum fr_err err = FR_OK;

    if (ip_of(server, 4) != NULL) err = give_addr(m, &owner, ip_of(server, 4));
    if (err == FR_OK && ip_of(server, 6) != NULL) err = give_addr(m, &owner, ip_of(server, 6));
    return err;
}

/* The hosts of both services, or of one. */
static enum fr_err give_hosts(const struct making *m, const enum fr_owner_service *only)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; err == FR_OK && i < m->row->n_servers; i++)
        if (only == NULL || m->row->servers[i].service == *only) err = give_host(m, i);
    return err;
}

static enum fr_err give_behind(const struct making *m)
{
    enum fr_err err = give_service(m, FR_OWNER_LWNS);

    if (err == FR_OK) err = give_service(m, FR_OWNER_LWN);
    return err ? err : give_hosts(m, NULL);
}

enum fr_err fr_records_join_server(struct fr_snap *snap, const struct fr_joineui_row *row,
                                   const struct fr_owner *at, fr_record_fn fn, void *data)
{
    struct making m = {.row = row, .fn = fn, .data = data};
    enum fr_owner_service service = at->number == FR_OWNER_LWN ? FR_OWNER_LWN : FR_OWNER_LWNS;

    enum fr_err err = fr_policy_get(snap, FR_POLICY_TTL_NETID, &m.ttl_s);
    if (err) return err;
    if (at->kind == FR_OWNER_JOINEUI_HOST)
        return at->number <= row->n_servers ? give_host(&m, at->number - 1u) : FR_OK;
    if (at->kind == FR_OWNER_JOINEUI_SERVICE) {
        err = give_service(&m, service);
        return err ? err : give_hosts(&m, &service);
    }
    err = give_name(&m, at);
    return err ? err : give_behind(&m);
}

/* The names between this row and the block around it. Other rows may stand below them too: the first of all makes the wildcard. */
static enum fr_err give_between(const struct making *inner, struct fr_snap *snap,
                                const struct fr_joineui_eyes *all)
{
    const struct fr_joineui_row *row = inner->row;
    struct fr_joineui_row block, first;
    struct making outer = *inner;

    outer.row = &block;
    enum fr_err err = fr_joineui_find(snap, all, row->base, (uint8_t)(row->nibbles - 1), &block);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    for (uint8_t n = (uint8_t)(block.nibbles + 1); err == FR_OK && n < row->nibbles; n++) {
        const struct fr_owner any = {
            .kind = FR_OWNER_JOINEUI_ANY, .eui = fr_joineui_base(row->base, n), .nibbles = n};
        err = fr_joineui_first(snap, all, row->base, n, &first);
        if (err == FR_OK && first.base == row->base && first.nibbles == row->nibbles)
            err = give_name(&outer, &any);
    }
    return err;
}

enum fr_err fr_records_joineui(struct fr_snap *snap, const struct fr_joineui_row *row,
                               fr_record_fn fn, void *data)
{
    const struct fr_joineui_eyes all = {0};
    struct making m = {.row = row, .fn = fn, .data = data};
    bool is_block = row->nibbles < FR_JOINEUI_NIBBLES;
    const struct fr_owner name =
        is_block ? name_of(&m, FR_OWNER_JOINEUI_ANY, 0) : fr_owner_joineui(row->base, row->nibbles);

    enum fr_err err = fr_joineui_check(snap, &all, row);
    if (err == FR_OK) err = fr_policy_get(snap, FR_POLICY_TTL_NETID, &m.ttl_s);
    if (err == FR_OK) err = give_name(&m, &name);
    if (err == FR_OK) err = give_behind(&m);
    return err ? err : give_between(&m, snap, &all);
}
