#include "resolver/public_dns.h"

#include "base/mem.h"
#include "resolver/public_session.h"
#include "transport/loop.h"
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

struct fr_public_question {
    struct fr_public_dns *dns;
    LIST_ENTRY(fr_public_question) link;
    struct fr_dname name;
    uint16_t type;
    fr_public_done done;
    void *data;
    void *handle;  /* of the session */
    bool is_asked; /* the session has it */
    struct fr_timer deadline;
    struct fr_defer ending; /* what came is told when the session has returned */
    uint8_t *message;       /* a copy; NULL: none came */
    size_t n;
    char why[128];
};

struct fr_public_dns {
    struct fr_loop *loop;
    const struct fedroam_options *zones;
    struct fr_public_session *session; /* NULL: none */
    LIST_HEAD(, fr_public_question) questions;
    size_t n_questions;
    struct fr_public_counts counts;
};

static void question_free(struct fr_public_question *q)
{
    fr_timer_stop(&q->deadline);
    fr_defer_cancel(&q->ending);
    LIST_REMOVE(q, link);
    q->dns->n_questions--;
    fr_free(q->message);
    fr_free(q);
}

static void leave_session(struct fr_public_question *q)
{
    if (q->is_asked) fr_public_session_cancel(q->dns->session, q->handle);
    q->is_asked = false;
}

void fr_public_cancel(struct fr_public_question *q)
{
    if (!q) return;
    leave_session(q);
    question_free(q);
}

static bool is_answer_to(const struct fr_dns_response *r, const struct fr_public_question *q)
{
    return r->has_question && r->type == q->type && r->class == FR_DNS_IN &&
           fr_dname_equal(fr_dname_span(&r->name), fr_dname_span(&q->name));
}

/* NULL and why it cannot be used, or r. */
static const struct fr_dns_response *read_response(struct fr_public_question *q,
                                                   struct fr_dns_response *r)
{
    const char *why = NULL;
    if (!q->message) return NULL;
    if (fr_dns_response_read(fr_span(q->message, q->n), r) != FR_OK)
        why = "the answer is not a DNS message";
    else if (!is_answer_to(r, q))
        why = "the answer is to another question";
    else if (r->truncated)
        why = "the answer is cut short";
    else if (r->rcode != FR_DNS_NOERROR && r->rcode != FR_DNS_NXDOMAIN)
        why = fr_dns_rcode_text(r->rcode);
    if (!why) return r;
    (void)snprintf(q->why, sizeof q->why, "%s", why);
    return NULL;
}

static void on_ending(struct fr_defer *d)
{
    struct fr_public_question *q = d->data;
    struct fr_dns_response r;
    const struct fr_dns_response *response = read_response(q, &r);
    fr_public_done done = q->done;
    /* Out of the lists first: whoever hears of it may ask again, or free all of this. */
    fr_timer_stop(&q->deadline);
    LIST_REMOVE(q, link);
    q->dns->n_questions--;
    if (!response) q->dns->counts.failed++;
    done(q->data, response, response ? "" : q->why);
    fr_free(q->message);
    fr_free(q);
}

static void end(struct fr_public_question *q, const char *why)
{
    (void)snprintf(q->why, sizeof q->why, "%s", why);
    fr_loop_defer(q->dns->loop, &q->ending);
}

static void on_done(void *data, const uint8_t *message, size_t n, const char *why)
{
    struct fr_public_question *q = data;
    q->is_asked = false;
    q->n = n;
    if (message && n <= FR_DNS_MESSAGE_MAX) q->message = fr_memdup(message, n);
    end(q, message ? "out of memory" : why);
}

static void on_deadline(struct fr_timer *t)
{
    struct fr_public_question *q = t->data;
    leave_session(q);
    end(q, "no answer in time");
}

static void put(struct fr_public_question *q)
{
    char name[FR_DNAME_TEXT];
    fr_dname_print(fr_dname_span(&q->name), name);
    q->is_asked = true; /* before: it may end inside the call */
    enum fedroam_err err =
        fr_public_session_ask(q->dns->session, name, q->type, on_done, q, &q->handle);
    if (err == FEDROAM_OK) return;
    q->is_asked = false;
    end(q, fedroam_err_text(err));
}

/* Letters, digits, '-' and '_': what hosts and services are called, and what every implementation can
 * write without escapes. */
static bool is_plain(const struct fr_dname *name)
{
    if (name->n < 2) return false;
    for (size_t at = 0; name->b[at] != 0; at += name->b[at] + 1u)
        for (size_t i = 1; i <= name->b[at]; i++) {
            uint8_t c = name->b[at + i];
            if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
                c != '-' && c != '_')
                return false;
        }
    return true;
}

/* Is it below one of the apex's names that tell who is there? */
static bool is_private_of(const struct fr_dname *name, const struct fr_dname *zone)
{
    static const char *const labels[] = {"deveui", "netid", "joineui"};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        size_t n = strlen(labels[i]);
        struct fr_dname apex = {.n = (uint8_t)(zone->n + n + 1)};
        if (zone->n + n + 1 > FR_DNAME_WIRE) continue; /* no such name can be */
        apex.b[0] = (uint8_t)n;
        memcpy(apex.b + 1, labels[i], n);
        memcpy(apex.b + 1 + n, zone->b, zone->n);
        if (fr_dname_is_under(fr_dname_span(name), fr_dname_span(&apex))) return true;
    }
    return false;
}

static bool is_private(const struct fr_public_dns *dns, const struct fr_dname *name)
{
    for (size_t i = 0; i < dns->zones->n_federations; i++)
        if (is_private_of(name, &dns->zones->federations[i]->zone)) return true;
    return false;
}

enum fr_err fr_public_ask(struct fr_public_dns *dns, const struct fr_dname *name, uint16_t type,
                          fr_public_done done, void *data, struct fr_public_question **out)
{
    if (!dns->session) return FR_E_UNSUPPORTED;
    if (!is_plain(name) || is_private(dns, name)) return FR_E_INVALID;
    if (dns->n_questions == FR_PUBLIC_OPEN_MAX) return FR_E_LIMIT;
    struct fr_public_question *q = fr_calloc(1, sizeof *q);
    if (!q) return FR_E_NOMEM;
    q->dns = dns;
    q->name = *name;
    q->type = type;
    q->done = done;
    q->data = data;
    fr_timer_init(&q->deadline, on_deadline, q);
    fr_defer_init(&q->ending, on_ending, q);
    LIST_INSERT_HEAD(&dns->questions, q, link);
    dns->n_questions++;
    dns->counts.asked++;
    fr_timer_start(dns->loop, &q->deadline, FR_PUBLIC_MS);
    put(q);
    *out = q;
    return FR_OK;
}

enum fr_err fr_public_dns_new(struct fr_loop *loop, struct fr_public_dns **out)
{
    struct fr_public_dns *dns = fr_calloc(1, sizeof *dns);
    if (!dns) return FR_E_NOMEM;
    dns->loop = loop;
    LIST_INIT(&dns->questions);
    *out = dns;
    return FR_OK;
}

void fr_public_dns_free(struct fr_public_dns *dns)
{
    struct fr_public_question *q;
    if (!dns) return;
    while ((q = LIST_FIRST(&dns->questions)) != NULL) fr_public_cancel(q);
    fr_public_session_close(dns->session);
    fr_free(dns);
}

bool fr_public_dns_is_there(const struct fr_public_dns *dns)
{
    return dns->session;
}

struct fr_public_counts fr_public_dns_counts(const struct fr_public_dns *dns)
{
    return dns->counts;
}

/* Of a session that ends: goes over to the next one, or ends too. */
static void ask_again(struct fr_public_question *q)
{
    q->is_asked = false;
    if (q->dns->session)
        put(q);
    else
        end(q, "public DNS is not asked any more");
}

enum fr_err fr_public_dns_set(struct fr_public_dns *dns, const struct fedroam_options *from,
                              const struct fedroam_options *zones)
{
    struct fr_public_session *fresh = NULL, *old = dns->session;
    struct fr_public_question *q;
    if (from->has_public_dns) {
        enum fr_err err =
            fr_public_session_open(dns->loop, &from->public_dns, from->public_dns_data, &fresh);
        if (err) return err;
    }
    dns->zones = zones;
    dns->session = fresh;
    LIST_FOREACH(q, &dns->questions, link)
    if (q->is_asked) {
        fr_public_session_cancel(old, q->handle);
        ask_again(q);
    }
    fr_public_session_close(old);
    return FR_OK;
}
