#include "doh/doh.h"

#include <stdio.h>

#include "answer/answer.h"
#include "base/buf.h"
#include "base/mem.h"
#include "dns/types.h"
#include "doh/get.h"

#define MEDIA_TYPE "application/dns-message"
#define METHODS "GET, HEAD, POST"

struct fr_doh {
    struct fr_gate *gate;
    struct fr_answerer *answerer;
    struct fr_buf message; /* of a GET request, decoded */
    char freshness[48];    /* cache-control of the last answer */
    uint32_t freshness_s;
    struct fr_doh_counters counters;
};

enum fr_err fr_doh_new(struct fr_gate *gate, struct fr_doh **out)
{
    struct fr_doh *doh = fr_calloc(1, sizeof *doh);

    if (doh == NULL) return FR_E_NOMEM;
    doh->gate = gate;
    fr_buf_init(&doh->message, FR_DNS_MESSAGE_MAX);
    enum fr_err err = fr_answerer_new(fr_gate_federation(gate), &doh->answerer);
    if (err != FR_OK) {
        fr_doh_free(doh);
        return err;
    }
    *out = doh;
    return FR_OK;
}

void fr_doh_free(struct fr_doh *doh)
{
    if (doh == NULL) return;
    fr_answerer_free(doh->answerer);
    fr_buf_deinit(&doh->message);
    fr_free(doh);
}

/* What a request is, or the HTTP status that says why it is none. */
struct fault {
    unsigned status;
    const char *text;
};

static struct fault read_get(struct fr_doh *doh, const struct fr_http_exchange *x,
                             struct fr_span *message)
{
    fr_buf_reset(&doh->message);
    switch ((int)fr_doh_get_parse(x->query, &doh->message)) {
    case FR_OK: break;
    case FR_E_NOT_FOUND: return (struct fault){400, "The parameter dns= is missing."};
    case FR_E_LIMIT: return (struct fault){414, "The message is longer than 65,535 octets."};
    case FR_E_NOMEM: return (struct fault){503, "Out of memory; try again."};
    default: return (struct fault){400, "The parameter dns= is not base64url without padding."};
    }
    doh->counters.get++;
    *message = fr_buf_span(&doh->message);
    return (struct fault){0, NULL};
}

static struct fault read_post(struct fr_doh *doh, const struct fr_http_exchange *x,
                              struct fr_span *message)
{
    if (!fr_http_is_type(fr_http_exchange_field(x, "content-type"), MEDIA_TYPE))
        return (struct fault){415, "The body must be " MEDIA_TYPE "."};
    if (x->body.n > FR_DNS_MESSAGE_MAX)
        return (struct fault){413, "The message is longer than 65,535 octets."};
    doh->counters.post++;
    *message = x->body;
    return (struct fault){0, NULL};
}

static struct fault read_request(struct fr_doh *doh, const struct fr_http_exchange *x,
                                 struct fr_span *message)
{
    if (!fr_span_is(x->path, FR_DOH_PATH))
        return (struct fault){404, "DNS over HTTPS is at " FR_DOH_PATH "."};
    if (fr_span_is(x->method, "POST")) return read_post(doh, x, message);
    if (fr_span_is(x->method, "GET") || fr_span_is(x->method, "HEAD"))
        return read_get(doh, x, message);
    return (struct fault){405, "Use GET or POST."};
}

static void reply_fault(struct fr_doh *doh, struct fr_http_exchange *x, struct fault fault)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "text/plain; charset=utf-8"),
        FR_HTTP_FIELD("cache-control", "no-store"),
        fault.status == 503 ? FR_HTTP_FIELD("retry-after", FR_RETRY_AFTER_S)
                            : FR_HTTP_FIELD("allow", METHODS),
    };
    bool has_third = fault.status == 405 || fault.status == 503;

    if (fault.status < 500) doh->counters.bad++;
    fr_http_reply(x, fault.status, fields, has_third ? 3 : 2, fr_span_str(fault.text));
}

/* The cache-control of an answer, made anew only when the age differs from the last one's. */
static const char *freshness(struct fr_doh *doh, const struct fr_answer *answer)
{
    if (!answer->is_cacheable) return "no-store";
    if (doh->freshness[0] == '\0' || doh->freshness_s != answer->max_age_s) {
        (void)snprintf(doh->freshness, sizeof doh->freshness, "private, max-age=%u",
                       answer->max_age_s);
        doh->freshness_s = answer->max_age_s;
    }
    return doh->freshness;
}

static void reply_answer(struct fr_doh *doh, struct fr_http_exchange *x,
                         const struct fr_answer *answer)
{
    const char *cache_control = freshness(doh, answer);
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", MEDIA_TYPE),
        FR_HTTP_FIELD("cache-control", cache_control),
    };
    fr_http_reply(x, 200, fields, 2, answer->message);
}

static bool is_about_device(const struct fr_answer *answer)
{
    return answer->is_named && answer->owner.kind == FR_OWNER_DEVEUI;
}

static void log_answer(const struct fr_doh *doh, const struct fr_gate_pass *pass,
                       const struct fr_answer *answer)
{
    const struct fr_log *log = fr_gate_log(doh->gate);
    char type[FR_DNS_TYPE_TEXT_SIZE];

    if (answer->fault != FR_OK)
        FR_LOG(log, FR_LOG_ERROR, "query.failed",
               FR_STR("federation", fr_gate_federation(doh->gate)), FR_ERR("why", answer->fault));
    if (!fr_log_is_on(log, FR_LOG_DEBUG)) return;
    (void)fr_dns_type_print(answer->type, type);
    const char *federation = fr_gate_federation(doh->gate);
    const char *rcode = fr_dns_rcode_text((unsigned)answer->rcode);
    if (is_about_device(answer))
        FR_LOG(log, FR_LOG_DEBUG, "query.answered", FR_STR("federation", federation),
               FR_STR("member", pass->who->member), FR_EUI("deveui", answer->owner.eui),
               FR_STR("type", type), FR_STR("rcode", rcode));
    else
        FR_LOG(log, FR_LOG_DEBUG, "query.answered", FR_STR("federation", federation),
               FR_STR("member", pass->who->member), FR_STR("type", type), FR_STR("rcode", rcode));
}

static bool charge(const struct fr_gate_pass *pass, struct fr_http_exchange *x,
                   const struct fr_answer *answer)
{
    const struct fr_gate_device device = {
        .deveui = answer->owner.eui,
        .type = answer->type,
        .is_unknown = answer->rcode == FR_DNS_NXDOMAIN,
        .has_home = answer->has_home,
        .netid = answer->netid,
    };

    return fr_gate_charge_device(pass, x, &device);
}

/* Once for each change of their number: who is not answered because of them hears NXDOMAIN, and cannot tell. */
static void note_damage(struct fr_doh *doh)
{
    unsigned rows = fr_answerer_damaged(doh->answerer);

    if (rows == doh->counters.damaged) return;
    doh->counters.damaged = rows;
    FR_LOG(fr_gate_log(doh->gate), rows > 0 ? FR_LOG_ERROR : FR_LOG_INFO, "registry.damaged",
           FR_STR("federation", fr_gate_federation(doh->gate)), FR_UINT("rows", rows),
           FR_STR("why", rows > 0 ? "rows of members or networks cannot be read; fedroam zone "
                                    "check names them"
                                  : NULL));
}

static void answer_request(struct fr_doh *doh, struct fr_http_exchange *x,
                           const struct fr_gate_pass *pass)
{
    struct fr_span message = {NULL, 0};
    struct fr_answer answer;
    struct fault fault = read_request(doh, x, &message);

    if (fault.status == 0 && fr_answer(doh->answerer, pass->snap, pass->who->member, message,
                                       pass->now_s, &answer) != FR_OK)
        fault = (struct fault){400, "The message is shorter than a DNS header."};
    if (fault.status != 0) {
        reply_fault(doh, x, fault);
        return;
    }
    note_damage(doh);
    if (is_about_device(&answer) && !charge(pass, x, &answer)) return;
    log_answer(doh, pass, &answer);
    if (answer.fault != FR_OK) { /* SERVFAIL would say as much, but not when to come again */
        doh->counters.faults++;
        reply_fault(doh, x, (struct fault){503, "The registry cannot be read now."});
        return;
    }
    doh->counters.rcode[answer.rcode]++;
    reply_answer(doh, x, &answer);
}

void fr_doh_request(struct fr_doh *doh, struct fr_http_exchange *x)
{
    struct fr_gate_pass pass;

    if (!fr_gate_admit(doh->gate, x, FR_SERVICE_BROKER, FR_RIGHT_LOOKUP, &pass)) return;
    answer_request(doh, x, &pass);
    fr_gate_leave(doh->gate);
}

const struct fr_doh_counters *fr_doh_counters(const struct fr_doh *doh)
{
    return &doh->counters;
}
