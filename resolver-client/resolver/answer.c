#include "resolver/answer.h"

#include "base/buf.h"
#include "base/mem.h"
#include "names/cert_name.h"
#include "resolver/doh.h"
#include "resolver/options.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct endpoint {
    struct sockaddr_storage sa;
    socklen_t sa_n;
    uint16_t port;
    enum fedroam_service service;
    uint32_t host, text, url, tls_name; /* offsets */
};

/* Texts are offsets into `text`, whose first byte is the empty string. */
struct fedroam_answer {
    size_t size; /* of the whole block */
    enum fedroam_result result;
    enum fedroam_kind kind;
    enum fedroam_freshness freshness;
    int ede;
    uint64_t id;
    unsigned http_status;
    uint32_t retry_after_s, netid, ttl_s;
    uint32_t reason, alert, federation, tree, tls_name, ca, chain, key;
    size_t n_endpoints, n_pins;
    struct endpoint endpoints[FR_PLACE_ENDPOINTS_MAX];
    uint8_t pins[FR_PLACE_PINS_MAX][FR_PIN_SIZE];
    char text[];
};

#define NO_MEMORY_TEXT "\0out of memory"
static const struct fedroam_answer no_memory = {.size = sizeof no_memory + sizeof NO_MEMORY_TEXT,
                                                .result = FEDROAM_FAILED,
                                                .ede = FR_DNS_EDE_NONE,
                                                .netid = FEDROAM_NO_NETID,
                                                .reason = 1,
                                                .text = NO_MEMORY_TEXT};

const struct fedroam_answer *fr_answer_no_memory(void)
{
    return &no_memory;
}

static uint32_t keep(struct fr_buf *texts, const char *text)
{
    if (!text[0]) return 0;
    uint32_t at = (uint32_t)texts->n;
    fr_buf_add(texts, text, strlen(text) + 1);
    return at;
}

/* Head and texts become one block. */
static enum fr_err join(const struct fedroam_answer *head, struct fr_buf *texts,
                        struct fedroam_answer **out)
{
    struct fedroam_answer *a = NULL;
    enum fr_err err = fr_buf_err(texts);
    if (err) goto out;
    a = fr_malloc(sizeof *a + texts->n);
    if (!a) {
        err = FR_E_NOMEM;
        goto out;
    }
    *a = *head;
    a->size = sizeof *a + texts->n;
    memcpy(a->text, texts->p, texts->n);
    *out = a;
out:
    fr_buf_deinit(texts);
    return err;
}

/* What every answer has. */
static struct fedroam_answer begin(struct fr_question q, const struct fr_federation_opt *federation,
                                   enum fedroam_result result, struct fr_buf *texts)
{
    fr_buf_init(texts, 65536);
    fr_buf_add_char(texts, 0);
    return (struct fedroam_answer){.result = result,
                                   .kind = q.kind,
                                   .id = q.id,
                                   .ede = FR_DNS_EDE_NONE,
                                   .netid = FEDROAM_NO_NETID,
                                   .federation = federation ? keep(texts, federation->name) : 0};
}

/* "host:port" of an endpoint whose address nobody here knows. */
static void print_name(const char *host, uint16_t port, char out[FR_AUTHORITY_TEXT])
{
    (void)snprintf(out, FR_AUTHORITY_TEXT, "%.*s:%u", 255, host, (unsigned)port);
}

static uint32_t keep_url(const struct fr_place_endpoint *from, const char *host, const char *path,
                         struct fr_buf *texts)
{
    struct fr_url url = {.is_tls = from->service == FEDROAM_SERVICE_LWNS, .port = from->addr.port};
    struct fr_ip ip;
    char authority[FR_AUTHORITY_TEXT], text[sizeof "https://" + FR_AUTHORITY_TEXT + 256];
    url.is_ip = fr_ip_parse(fr_span_str(host), &ip) == FR_OK;
    (void)snprintf(url.host, sizeof url.host, "%s", host);
    fr_url_authority(&url, authority);
    (void)snprintf(text, sizeof text, "%s://%s%s", url.is_tls ? "https" : "http", authority, path);
    return keep(texts, text);
}

static void put_endpoint(const struct fedroam_answer *a, const struct fr_place *place,
                         const struct fr_place_endpoint *from, struct endpoint *to,
                         struct fr_buf *texts)
{
    const char *host = place->text + from->host_at;
    char text[FR_AUTHORITY_TEXT];
    to->port = from->addr.port;
    to->service = (enum fedroam_service)from->service;
    to->host = keep(texts, host);
    if (from->addr.ip.family) {
        to->sa_n = (socklen_t)fr_addr_to_sockaddr(&from->addr, &to->sa);
        fr_addr_print(&from->addr, text);
    } else {
        print_name(host, to->port, text);
    }
    to->text = keep(texts, text);
    if (to->service != FEDROAM_SERVICE_NONE)
        to->url = keep_url(from, host, place->text + from->path_at, texts);
    if (to->service != FEDROAM_SERVICE_LWN) to->tls_name = a->federation ? a->tls_name : to->host;
}

static void put_endpoints(struct fedroam_answer *a, const struct fr_place *place, uint64_t *draws,
                          struct fr_buf *texts)
{
    uint8_t order[FR_PLACE_ENDPOINTS_MAX];
    fr_place_order(place, draws, order);
    a->n_endpoints = place->n_endpoints;
    for (size_t i = 0; i < place->n_endpoints; i++)
        put_endpoint(a, place, &place->endpoints[order[i]], &a->endpoints[i], texts);
}

/* What makes a peer one of the federation. */
static enum fr_err put_identity(struct fedroam_answer *a,
                                const struct fr_federation_opt *federation, struct fr_buf *texts)
{
    char tls_name[FR_CERT_NAME_TEXT];
    struct fr_cert_name name = {.kind = FR_CERT_NETID, .netid = a->netid};
    if (a->netid == FEDROAM_NO_NETID)
        name = (struct fr_cert_name){.kind = FR_CERT_JOINEUI, .joineui = a->id};
    enum fr_err err = fr_cert_name_print(&name, federation->name, tls_name);
    if (err) return err;
    a->tls_name = keep(texts, tls_name);
    a->ca = keep(texts, federation->ca);
    a->chain = keep(texts, federation->chain);
    a->key = keep(texts, federation->key);
    return FR_OK;
}

enum fr_err fr_answer_found(struct fr_question q, const struct fr_federation_opt *federation,
                            const struct fr_answer_place *found, struct fedroam_answer **out)
{
    struct fr_buf texts;
    const struct fr_place *place = found->place;
    struct fedroam_answer a = begin(q, federation, FEDROAM_FOUND, &texts);
    a.netid = found->netid;
    a.ttl_s = found->ttl_s;
    a.freshness = found->freshness;
    a.reason = keep(&texts, place->text + place->why_at);
    a.tree = keep(&texts, place->text + place->tree_at);
    if (federation) {
        enum fr_err err = put_identity(&a, federation, &texts);
        if (err) {
            fr_buf_deinit(&texts);
            return err;
        }
    }
    put_endpoints(&a, place, found->draws, &texts);
    a.n_pins = place->n_pins;
    memcpy(a.pins, place->pins, sizeof a.pins);
    return join(&a, &texts, out);
}

enum fr_err fr_answer_unknown(struct fr_question q, const struct fr_federation_opt *federation,
                              uint32_t ttl_s, enum fedroam_freshness freshness, const char *reason,
                              struct fedroam_answer **out)
{
    struct fr_buf texts;
    struct fedroam_answer a = begin(q, federation, FEDROAM_UNKNOWN, &texts);
    a.ttl_s = ttl_s;
    a.freshness = freshness;
    a.reason = keep(&texts, reason);
    return join(&a, &texts, out);
}

enum fr_err fr_answer_fault(struct fr_question q, const struct fr_federation_opt *federation,
                            const struct fr_judgement *j, struct fedroam_answer **out)
{
    struct fr_buf texts;
    struct fedroam_answer a = begin(q, federation, j->result, &texts);
    a.http_status = j->status;
    a.ede = j->ede;
    a.retry_after_s = j->retry_after_s;
    a.alert = keep(&texts, j->alert);
    a.reason = keep(&texts, j->reason);
    return join(&a, &texts, out);
}

struct fedroam_answer *fedroam_answer_dup(const struct fedroam_answer *a)
{
    return fr_memdup(a, a->size);
}

void fedroam_answer_free(struct fedroam_answer *a)
{
    if (a != &no_memory) fr_free(a);
}

enum fedroam_result fedroam_answer_result(const struct fedroam_answer *a)
{
    return a->result;
}

const char *fedroam_answer_reason(const struct fedroam_answer *a)
{
    return a->text + a->reason;
}

unsigned fedroam_answer_http_status(const struct fedroam_answer *a)
{
    return a->http_status;
}

int fedroam_answer_ede(const struct fedroam_answer *a)
{
    return a->ede;
}

const char *fedroam_answer_tls_alert(const struct fedroam_answer *a)
{
    return a->text + a->alert;
}

uint32_t fedroam_answer_retry_after(const struct fedroam_answer *a)
{
    return a->retry_after_s;
}

enum fedroam_kind fedroam_answer_kind(const struct fedroam_answer *a)
{
    return a->kind;
}

uint64_t fedroam_answer_id(const struct fedroam_answer *a)
{
    return a->id;
}

const char *fedroam_answer_federation(const struct fedroam_answer *a)
{
    return a->text + a->federation;
}

const char *fedroam_answer_tree(const struct fedroam_answer *a)
{
    return a->text + a->tree;
}

uint32_t fedroam_answer_netid(const struct fedroam_answer *a)
{
    return a->netid;
}

uint32_t fedroam_answer_ttl(const struct fedroam_answer *a)
{
    return a->ttl_s;
}

enum fedroam_freshness fedroam_answer_freshness(const struct fedroam_answer *a)
{
    return a->freshness;
}

size_t fedroam_answer_endpoint_count(const struct fedroam_answer *a)
{
    return a->n_endpoints;
}

const struct sockaddr *fedroam_answer_endpoint(const struct fedroam_answer *a, size_t i,
                                               socklen_t *len)
{
    if (i >= a->n_endpoints || a->endpoints[i].sa_n == 0) return NULL;
    *len = a->endpoints[i].sa_n;
    return (const struct sockaddr *)&a->endpoints[i].sa;
}

const char *fedroam_answer_endpoint_host(const struct fedroam_answer *a, size_t i)
{
    return a->text + (i < a->n_endpoints ? a->endpoints[i].host : 0);
}

const char *fedroam_answer_endpoint_text(const struct fedroam_answer *a, size_t i)
{
    return a->text + (i < a->n_endpoints ? a->endpoints[i].text : 0);
}

uint16_t fedroam_answer_endpoint_port(const struct fedroam_answer *a, size_t i)
{
    return i < a->n_endpoints ? a->endpoints[i].port : 0;
}

enum fedroam_service fedroam_answer_endpoint_service(const struct fedroam_answer *a, size_t i)
{
    return i < a->n_endpoints ? a->endpoints[i].service : FEDROAM_SERVICE_NONE;
}

const char *fedroam_answer_endpoint_url(const struct fedroam_answer *a, size_t i)
{
    return a->text + (i < a->n_endpoints ? a->endpoints[i].url : 0);
}

const char *fedroam_answer_endpoint_tls_name(const struct fedroam_answer *a, size_t i)
{
    return a->text + (i < a->n_endpoints ? a->endpoints[i].tls_name : 0);
}

const char *fedroam_answer_tls_name(const struct fedroam_answer *a)
{
    return a->text + a->tls_name;
}

const char *fedroam_answer_ca_path(const struct fedroam_answer *a)
{
    return a->text + a->ca;
}

const char *fedroam_answer_chain_path(const struct fedroam_answer *a)
{
    return a->text + a->chain;
}

const char *fedroam_answer_key_path(const struct fedroam_answer *a)
{
    return a->text + a->key;
}

size_t fedroam_answer_pin_count(const struct fedroam_answer *a)
{
    return a->n_pins;
}

const uint8_t *fedroam_answer_pin(const struct fedroam_answer *a, size_t i)
{
    return i < a->n_pins ? a->pins[i] : NULL;
}
