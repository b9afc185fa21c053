#pragma once
/* A public DNS that a test writes: a table of answers, on the test's own clock. */

#include "svcb.h"

#include "base/mem.h"
#include <fedroam/public_dns.h>

enum { PUBLIC_ROWS = 32, PUBLIC_LOG = 64 };

struct public_row {
    const char *name;
    uint16_t type, flags;
    const char *answer, *additional;
    const struct test_svcb *svcb; /* of type SVCB: these besides */
    size_t n_svcb;
};

struct public_dns {
    struct public_row rows[PUBLIC_ROWS]; /* anything else is NXDOMAIN */
    size_t n_rows;
    bool is_silent, is_refusing, answers_inside;
    const uint8_t *raw; /* says this instead */
    size_t raw_n;
    int64_t delay_ms;
    unsigned opened, closed, asked, cancelled, released;
    char log[PUBLIC_LOG][128]; /* what was asked: "name type" */
    unsigned fail_open;        /* the next one gives this enum fedroam_err */
};

struct public_question {
    struct public_question *next;
    fedroam_dns_done done;
    void *question;
    struct message reply;
};

struct public_session {
    struct public_dns *dns;
    const struct fedroam_host *loop;
    void *loop_data;
    struct public_question *first;
};

static inline enum fedroam_err public_open(void *data, const struct fedroam_host *loop,
                                           void *loop_data, void **session)
{
    struct public_dns *dns = data;
    if (dns->fail_open != FEDROAM_OK) return (enum fedroam_err)dns->fail_open;
    struct public_session *s = fr_calloc(1, sizeof *s);
    if (!s) return FEDROAM_E_MEMORY;
    *s = (struct public_session){.dns = dns, .loop = loop, .loop_data = loop_data};
    dns->opened++;
    *session = s;
    return FEDROAM_OK;
}

static inline void public_drop(struct public_session *s, struct public_question *q)
{
    struct public_question **at = &s->first;
    while (*at != q) at = &(*at)->next;
    *at = q->next;
    fr_free(q);
}

static inline void public_close(void *session)
{
    struct public_session *s = session;
    while (s->first) public_drop(s, s->first);
    s->dns->closed++;
    fr_free(s);
}

static inline struct message public_answer(const struct public_dns *dns, const char *name,
                                           uint16_t type)
{
    char soa[] = "test. 60 IN SOA ns.test. noc.test. 7 3600 600 604800 60";
    const struct public_row *empty = NULL;
    for (size_t i = 0; i < dns->n_rows; i++) {
        const struct public_row *r = &dns->rows[i];
        if (strcmp(r->name, name) != 0) continue;
        if (r->type == type && type == FR_DNS_SVCB)
            return test_svcb_message(name, r->flags ? r->flags : OK, r->answer, r->svcb, r->n_svcb,
                                     r->additional);
        if (r->type == type)
            return test_message(name, type, r->flags ? r->flags : OK, r->answer, "", r->additional);
        empty = r;
    }
    return test_message(name, type, empty ? OK : NX, "", soa, "");
}

static inline enum fedroam_err public_ask(void *session, const char *name, uint16_t type,
                                          fedroam_dns_done tell, void *question, void **handle)
{
    struct public_session *s = session;
    struct public_dns *dns = s->dns;
    snprintf(dns->log[dns->asked++ % PUBLIC_LOG], sizeof dns->log[0], "%s %u", name,
             (unsigned)type);
    if (dns->is_refusing) return FEDROAM_E_LIMIT;
    struct public_question *q = fr_calloc(1, sizeof *q);
    if (!q) return FEDROAM_E_MEMORY;
    *q = (struct public_question){.next = s->first, .done = tell, .question = question};
    q->reply = public_answer(dns, name, type);
    s->first = q;
    *handle = q;
    if (dns->answers_inside) {
        tell(question, q->reply.b, q->reply.n, "");
        public_drop(s, q);
    } else if (!dns->is_silent) {
        s->loop->timer(s->loop_data, dns->delay_ms);
    }
    return FEDROAM_OK;
}

static inline void public_cancel(void *session, void *handle)
{
    struct public_session *s = session;
    s->dns->cancelled++;
    public_drop(s, handle);
}

static inline void public_fd(void *session, int fd, unsigned events)
{
    (void)session;
    (void)fd;
    (void)events;
}

static inline void public_timer(void *session)
{
    struct public_session *s = session;
    while (s->first) {
        struct public_question q = *s->first;
        public_drop(s, s->first);
        if (s->dns->raw)
            q.done(q.question, s->dns->raw, s->dns->raw_n, "");
        else
            q.done(q.question, q.reply.b, q.reply.n, "");
    }
}

static inline void public_release(void *data)
{
    ((struct public_dns *)data)->released++;
}

static inline void public_use(struct public_dns *dns, struct fedroam_options *o)
{
    static const struct fedroam_public_dns ops = {.size = sizeof ops,
                                                  .open = public_open,
                                                  .close = public_close,
                                                  .ask = public_ask,
                                                  .cancel = public_cancel,
                                                  .process_fd = public_fd,
                                                  .process_timer = public_timer,
                                                  .release = public_release};
    assert_int_equal(fedroam_options_set_public_dns(o, &ops, dns), FEDROAM_OK);
}
