#include "store/records.h"

#include <stdio.h>
#include <string.h>

#define PRIORITY_FIRST 1
#define SOA_REFRESH_S 3600
#define SOA_RETRY_S 600
#define SOA_EXPIRE_S 604800

/* What one node's records are made from, and where they go. */
struct node {
    struct fr_owner name; /* the node itself */
    const struct fr_addr *endpoints;
    size_t n;
    uint32_t ttl_s;
    fr_record_fn fn;
    void *data;
};

static struct fr_record start(const struct node *node, struct fr_owner owner,
                              enum fr_record_type type)
{
    return (struct fr_record){.owner = owner, .type = type, .ttl_s = node->ttl_s};
}

static struct fr_owner of_node(const struct node *node, enum fr_owner_kind kind, uint16_t number)
{
    return (struct fr_owner){.kind = kind, .netid = node->name.netid, .number = number};
}

static enum fr_err give_addr(const struct node *node, struct fr_owner owner, const struct fr_ip *ip)
{
    struct fr_record record = start(node, owner, ip->family == 4 ? FR_RECORD_A : FR_RECORD_AAAA);

    memcpy(record.data.addr, ip->b, ip->family == 4 ? 4 : 16);
    return node->fn(node->data, &record);
}

/* The node's own A and AAAA: the first endpoint of each family. */
static enum fr_err give_first(const struct node *node)
{
    static const uint8_t families[] = {4, 6};

    for (size_t f = 0; f < 2; f++) {
        for (size_t i = 0; i < node->n; i++) {
            if (node->endpoints[i].ip.family != families[f]) continue;
            enum fr_err err = give_addr(node, node->name, &node->endpoints[i].ip);
            if (err) return err;
            break;
        }
    }
    return FR_OK;
}

static enum fr_err give_txt(const struct node *node, const char *member)
{
    struct fr_record record = start(node, node->name, FR_RECORD_TXT);

    snprintf(record.data.txt, sizeof record.data.txt, "v=fedroam1 member=%s", member);
    return node->fn(node->data, &record);
}

static enum fr_err give_endpoints(const struct node *node)
{
    enum fr_err err = FR_OK;

    for (uint16_t i = 0; err == FR_OK && i < node->n; i++) {
        struct fr_owner host = of_node(node, FR_OWNER_ENDPOINT, (uint16_t)(i + 1));
        err = give_addr(node, host, &node->endpoints[i].ip);
    }
    for (uint16_t i = 0; err == FR_OK && i < node->n; i++) {
        struct fr_record record = start(node, of_node(node, FR_OWNER_SERVICE, 0), FR_RECORD_SRV);
        record.data.srv.priority = (uint16_t)(PRIORITY_FIRST + i);
        record.data.srv.port = node->endpoints[i].port;
        record.data.srv.target = of_node(node, FR_OWNER_ENDPOINT, (uint16_t)(i + 1));
        err = node->fn(node->data, &record);
    }
    return err;
}

struct pins {
    const struct node *node;
    size_t n;
};

static enum fr_err give_pin(void *data, const uint8_t spki[FR_DIGEST_SIZE], int64_t not_after_s)
{
    struct pins *pins = data;
    struct fr_record record =
        start(pins->node, of_node(pins->node, FR_OWNER_TLSA, 0), FR_RECORD_TLSA);

    (void)not_after_s;
    record.data.tlsa.usage = 3;
    record.data.tlsa.selector = 1;
    record.data.tlsa.matching = 1;
    memcpy(record.data.tlsa.hash, spki, FR_DIGEST_SIZE);
    pins->n++;
    return pins->node->fn(pins->node->data, &record);
}

static bool is_port_given(const struct node *node, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (node->endpoints[i].port == node->endpoints[before].port) return true;
    return false;
}

/* _<port>._tcp is where a stock DANE client looks (RFC 6698 3); it points to the one set. */
static enum fr_err give_ports(const struct node *node)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; err == FR_OK && i < node->n; i++) {
        if (is_port_given(node, i)) continue;
        struct fr_record record =
            start(node, of_node(node, FR_OWNER_PORT, node->endpoints[i].port), FR_RECORD_CNAME);
        record.data.target = of_node(node, FR_OWNER_TLSA, 0);
        err = node->fn(node->data, &record);
    }
    return err;
}

enum fr_err fr_records_network(struct fr_snap *snap, uint32_t netid, int64_t now_s, fr_record_fn fn,
                               void *data)
{
    struct fr_network_row row;
    struct node node = {.name = {.kind = FR_OWNER_NETID, .netid = netid}, .fn = fn, .data = data};
    struct pins pins = {.node = &node};

    enum fr_err err = fr_network_get_live(snap, netid, &row);
    if (err == FR_OK) err = fr_policy_get(snap, FR_POLICY_TTL_NETID, &node.ttl_s);
    if (err) return err;
    node.endpoints = row.endpoints;
    node.n = row.n_endpoints;
    err = give_first(&node);
    if (err == FR_OK) err = give_txt(&node, row.member);
    if (err == FR_OK) err = give_endpoints(&node);
    if (err == FR_OK) err = fr_pin_each(snap, netid, now_s, give_pin, &pins);
    if (err == FR_OK && pins.n > 0) err = give_ports(&node);
    return err;
}

enum fr_err fr_records_apex(struct fr_snap *snap, fr_record_fn fn, void *data)
{
    struct fr_policy policy;
    struct node node = {.name = {.kind = FR_OWNER_APEX}, .fn = fn, .data = data};

    enum fr_err err = fr_policy_read(snap, &policy);
    if (err) return err;
    node.ttl_s = policy.value[FR_POLICY_TTL_NEGATIVE];
    struct fr_record soa = start(&node, node.name, FR_RECORD_SOA);
    soa.data.soa.serial = (uint32_t)fr_snap_sequence(snap);
    soa.data.soa.refresh_s = SOA_REFRESH_S;
    soa.data.soa.retry_s = SOA_RETRY_S;
    soa.data.soa.expire_s = SOA_EXPIRE_S;
    soa.data.soa.minimum_s = policy.value[FR_POLICY_TTL_NEGATIVE];
    err = fn(data, &soa);
    if (err) return err;
    node.ttl_s = policy.value[FR_POLICY_TTL_DEVEUI];
    struct fr_record ns = start(&node, node.name, FR_RECORD_NS);
    return fn(data, &ns);
}
