#include "resolver/answer.h"

#include "base/buf.h"
#include "base/mem.h"
#include "names/cert_name.h"
#include "resolver/doh.h"
#include "resolver/options.h"
#include <netinet/in.h>
#include <string.h>

struct endpoint {
    struct sockaddr_storage sa;
    socklen_t sa_n;
    uint16_t port;
    uint32_t host, text; /* offsets */
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
    uint32_t reason, alert, federation, tls_name, ca, chain, key;
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
                                   .federation = keep(texts, federation->name)};
}

static void put_endpoints(struct fedroam_answer *a, const struct fr_place *place,
                          struct fr_buf *texts)
{
    char text[FR_ADDR_TEXT];
    a->n_endpoints = place->n_endpoints;
    for (size_t i = 0; i < place->n_endpoints; i++) {
        const struct fr_place_endpoint *from = &place->endpoints[i];
        struct endpoint *to = &a->endpoints[i];
        to->sa_n = (socklen_t)fr_addr_to_sockaddr(&from->addr, &to->sa);
        to->port = from->addr.port;
        bool is_same_host = i > 0 && from->host_at == place->endpoints[i - 1].host_at;
        to->host =
            is_same_host ? a->endpoints[i - 1].host : keep(texts, place->hosts + from->host_at);
        fr_addr_print(&from->addr, text);
        to->text = keep(texts, text);
    }
}

enum fr_err fr_answer_found(struct fr_question q, const struct fr_federation_opt *federation,
                            uint32_t netid, const struct fr_place *place, uint32_t ttl_s,
                            enum fedroam_freshness freshness, struct fedroam_answer **out)
{
    struct fr_buf texts;
    char tls_name[FR_CERT_NAME_TEXT];
    struct fr_cert_name name = {.kind = FR_CERT_NETID, .netid = netid};
    if (netid == FEDROAM_NO_NETID)
        name = (struct fr_cert_name){.kind = FR_CERT_JOINEUI, .joineui = q.id};
    enum fr_err err = fr_cert_name_print(&name, federation->name, tls_name);
    if (err) return err;
    struct fedroam_answer a = begin(q, federation, FEDROAM_FOUND, &texts);
    a.netid = netid;
    a.ttl_s = ttl_s;
    a.freshness = freshness;
    a.tls_name = keep(&texts, tls_name);
    a.ca = keep(&texts, federation->ca);
    a.chain = keep(&texts, federation->chain);
    a.key = keep(&texts, federation->key);
    put_endpoints(&a, place, &texts);
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
    if (i >= a->n_endpoints) return NULL;
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
