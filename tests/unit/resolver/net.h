#pragma once
/* A simulated network under the resolver: brokers that answer, fail, refuse or keep silent, on a
 * clock that the test moves. No sockets, no sleeping: net_run() turns the loop and advances time
 * to the next timer. */

#include "message.h"

#include "base/clock.h"
#include "base/mem.h"
#include "resolver/open_with.h"
#include "resolver/options.h"
#include "transport/loop_poll.h"
#include <fedroam/fedroam.h>

enum behaviour { ANSWERS, DOWN, SILENT, FORBIDS, ALERTS, BUDGET, SERVFAIL, LOCAL_FAULT };

struct net_broker {
    enum behaviour does;
    int64_t delay_ms;
    unsigned asked, probed;
    uint32_t retry_after_s; /* of BUDGET and SERVFAIL; 0: not said */
    struct fr_link *link;
};

struct net {
    int64_t now_ms;
    struct fr_clock clock;
    struct fr_loop *loop;
    struct net_broker brokers[2][FR_BROKERS_MAX]; /* of fed.test and other.test */
    bool is_bare;                                 /* answers have no Additional */
    bool moved;                                   /* each device is in the other federation */
    const char *pins;                             /* of network 000013: records; NULL: none */
    bool is_gone;                                 /* network 000013 is not in the federation */
    const char *alias;                            /* the device's alias; NULL: the right one */
    unsigned made;
    struct fedroam *f;
};

struct net_link {
    struct fr_link link;
    struct net *net;
    struct net_broker *broker;
};

struct fr_link_call {
    struct net_link *link;
    struct fr_timer timer;
    fr_link_done done;
    void *data;
    struct message reply;
    bool is_timeout;
};

static inline int64_t net_mono(void *data)
{
    return ((struct net *)data)->now_ms;
}

static inline int64_t net_real(void *data)
{
    return 1700000000000 + ((struct net *)data)->now_ms;
}

static inline struct message net_answer_home(const char *name, uint16_t type, const char *network,
                                             const char *extra)
{
    char text[2 * FR_DNAME_TEXT];
    snprintf(text, sizeof text, "%s. 3600 CNAME %s\n%s 60 A 192.0.2.1", name, network, network);
    return test_message(name, type, OK, text, "", extra);
}

#define JOIN_SERVER "8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test."
#define LWNS "_lwns._tcp." JOIN_SERVER

/* What the zones hold: device …01 and …02 in network 000013 of fed.test, device …0b in network
 * 00000b of other.test; a Join Server; anything else is NXDOMAIN. */
static inline struct message net_answer(const struct net *net, const char *name, uint16_t type)
{
    static const char extras[] =
        SERVICE " 60 SRV 0 0 8005 e1." NETWORK "\ne1." NETWORK " 60 A 192.0.2.1";
    static const char srv[] = SERVICE " 60 SRV 0 0 8005 e1." NETWORK;
    char extra[1024], text[2 * FR_DNAME_TEXT];
    snprintf(extra, sizeof extra, "%s%s%s", net->is_bare ? "" : extras, net->pins ? "\n" : "",
             net->pins ? net->pins : "");
    if (net->is_gone && strstr(name, "000013.netid."))
        return test_message(name, type, NX, "", SOA60, "");
    if (net->moved && strncmp(name, "70b3d57ed000000", 15) == 0) {
        if (name[15] == 'b' && strstr(name, ".deveui.fed.test"))
            return net_answer_home(name, type, NETWORK, extras);
        if (name[15] != 'b' && strstr(name, ".deveui.other.test"))
            return net_answer_home(name, type, "00000b.netid.other.test.",
                                   "_fedroam._tcp.00000b.netid.other.test. 60 SRV 0 0 8005 "
                                   "00000b.netid.other.test.");
        return test_message(name, type, NX, "", SOA60, "");
    }
    if (strncmp(name, "70b3d57ed000000", 15) == 0 && strstr(name, ".deveui.fed.test") &&
        (name[15] == '1' || name[15] == '2')) {
        snprintf(text, sizeof text, "%s. 3600 CNAME %s\n" NETWORK " 60 A 192.0.2.1", name,
                 net->alias ? net->alias : NETWORK);
        return test_message(name, type, OK, text, "", extra);
    }
    if (strncmp(name, "70b3d57ed000000b", 16) == 0 && strstr(name, ".deveui.other.test")) {
        snprintf(text, sizeof text,
                 "%s. 3600 CNAME 00000b.netid.other.test.\n"
                 "00000b.netid.other.test. 60 A 192.0.2.11",
                 name);
        return test_message(
            name, type, OK, text, "",
            "_fedroam._tcp.00000b.netid.other.test. 60 SRV 0 0 8005 00000b.netid.other.test.");
    }
    if (strcmp(name, "000013.netid.fed.test") == 0)
        return type == FR_DNS_A ? test_message(name, type, OK, NETWORK " 60 A 192.0.2.1", "", extra)
                                : test_message(name, type, OK, "", SOA60, extra);
    if (strcmp(name, "_fedroam._tcp.000013.netid.fed.test") == 0)
        return test_message(name, type, OK, srv, "", "");
    if (strcmp(name, "e1.000013.netid.fed.test") == 0)
        return test_message(name, type, OK, "e1." NETWORK " 60 A 192.0.2.1", "", "");
    if (strcmp(name, "8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test") == 0)
        return type == FR_DNS_NAPTR
                   ? test_message(name, type, OK, JOIN_SERVER " 60 NAPTR 10 10 S LWNS \"\" " LWNS,
                                  "",
                                  net->is_bare ? ""
                                               : LWNS " 60 SRV 10 0 8009 j1." JOIN_SERVER
                                                      "\nj1." JOIN_SERVER " 60 A 192.0.2.5")
                   : test_message(name, type, OK, "", SOA60, "");
    if (strncmp(name, "_lwns._tcp.8.0", 14) == 0)
        return test_message(name, type, OK, LWNS " 60 SRV 10 0 8009 j1." JOIN_SERVER, "", "");
    if (strncmp(name, "j1.8.0", 6) == 0)
        return test_message(name, type, OK,
                            type == FR_DNS_A ? "j1." JOIN_SERVER " 60 A 192.0.2.5" : "", "", "");
    if (strncmp(name, "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test", 48) == 0)
        return test_message(name, type, OK,
                            type == FR_DNS_NAPTR
                                ? "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test. 60 NAPTR 1 1 "
                                  "A LWNS \"\" js.operator.example."
                                : "",
                            "", "");
    return test_message(name, type, NX, "", SOA60, "");
}

static inline void net_reply(struct fr_timer *t)
{
    struct fr_link_call *call = t->data;
    struct fr_link_result r = {.end = FR_LINK_ANSWERED,
                               .status = 200,
                               .content_type = FR_SPAN_LIT("application/dns-message"),
                               .body = fr_span(call->reply.b, call->reply.n),
                               .text = "",
                               .alert = ""};
    enum behaviour does = call->is_timeout ? SILENT : call->link->broker->does;
    if (does == DOWN)
        r = (struct fr_link_result){.end = FR_LINK_DOWN, .text = "connection refused"};
    if (does == SILENT)
        r = (struct fr_link_result){.end = FR_LINK_DOWN, .text = "no answer in time"};
    if (does == ALERTS)
        r = (struct fr_link_result){.end = FR_LINK_ALERT,
                                    .text = "TLS alert: certificate revoked",
                                    .alert = "certificate revoked"};
    if (does == FORBIDS) r = (struct fr_link_result){.status = 403, .text = "", .alert = ""};
    if (does == BUDGET) r = (struct fr_link_result){.status = 429, .text = ""};
    if (does == SERVFAIL) r.status = 503;
    if (!call->is_timeout) r.retry_after_s = call->link->broker->retry_after_s;
    call->done(call->data, &r);
    fr_free(call);
}

static inline enum fr_err net_ask(struct fr_link *link, struct fr_span message, uint32_t within_ms,
                                  fr_link_done done, void *data, struct fr_diag *diag,
                                  struct fr_link_call **out)
{
    struct net_link *l = (struct net_link *)link;
    struct fr_dns_query q;
    char name[FR_DNAME_TEXT];
    assert_int_equal(fr_dns_query_read(message, &q), FR_OK);
    if (q.type == FR_DNS_SOA)
        l->broker->probed++;
    else
        l->broker->asked++;
    if (l->broker->does == LOCAL_FAULT) return fr_diag_fail(diag, FR_E_CONFIG, "no key");
    struct fr_link_call *call = fr_calloc(1, sizeof *call);
    if (!call) return FR_E_NOMEM;
    assert_int_equal(q.id, 0);
    assert_true(q.edns.present && !q.edns.padded);
    fr_dname_print(fr_dname_span(&q.name), name);
    call->reply = net_answer(l->net, name, q.type);
    call->link = l;
    call->done = done;
    call->data = data;
    call->is_timeout = l->broker->does == SILENT || l->broker->delay_ms > within_ms;
    fr_timer_init(&call->timer, net_reply, call);
    fr_timer_start(l->net->loop, &call->timer, call->is_timeout ? within_ms : l->broker->delay_ms);
    *out = call;
    return FR_OK;
}

static inline void net_cancel(struct fr_link *link, struct fr_link_call *call)
{
    (void)link;
    fr_timer_stop(&call->timer);
    fr_free(call);
}

static inline void net_traffic(struct fr_link *link, struct fr_resolver_traffic *sum)
{
    sum->exchanges += ((struct net_link *)link)->broker->asked;
}

static inline void net_link_free(struct fr_link *link)
{
    fr_free(link);
}

static inline enum fr_err net_reload(struct fr_link *link, struct fr_diag *diag)
{
    const struct net_link *l = (const struct net_link *)link;
    return l->broker->does == LOCAL_FAULT ? fr_diag_fail(diag, FR_E_CONFIG, "no key") : FR_OK;
}

static const struct fr_link_ops net_ops = {net_ask, net_cancel, net_reload, net_traffic,
                                           net_link_free};

static inline enum fr_err net_make(void *data, const struct fr_federation_opt *f,
                                   struct fr_loop *loop, struct fr_link **out)
{
    struct net *net = data;
    size_t which = strcmp(f->name, "fed.test") == 0 ? 0 : 1;
    assert_ptr_equal(loop, net->loop);
    for (size_t i = 0; i < f->n_brokers; i++) {
        struct net_link *l = fr_calloc(1, sizeof *l);
        if (!l) {
            while (i > 0) fr_free(out[--i]);
            return FR_E_NOMEM;
        }
        *l = (struct net_link){{.ops = &net_ops}, net, &net->brokers[which][i]};
        net->brokers[which][i].link = &l->link;
        out[i] = &l->link;
    }
    return FR_OK;
}

/* One broker in each federation unless `brokers` says two; times as the defaults. */
static inline struct fedroam_options *net_options(int federations, int brokers)
{
    static const char *const names[] = {"fed.test", "other.test"};
    const char *address = "127.0.0.1";
    struct fedroam_options *o = fedroam_options_new();
    assert_non_null(o);
    for (int i = 0; i < federations; i++) {
        assert_int_equal(
            fedroam_options_add_federation(o, names[i], "ca.pem", "chain.pem", "me.key"), 0);
        for (int b = 0; b < brokers; b++) {
            char url[64];
            snprintf(url, sizeof url, "https://b%d.%s/dns-query", b + 1, names[i]);
            assert_int_equal(fedroam_options_add_broker(o, names[i], url, &address, 1), 0);
        }
    }
    return o;
}

static inline enum fr_err net_open(struct net *net, const struct fedroam_options *o)
{
    struct fr_link_maker maker = {net_make, net};
    return fr_resolver_open_with(o, net->loop, &maker, NULL, &net->f);
}

static inline void net_init(struct net *net)
{
    *net = (struct net){.now_ms = 1000};
    net->clock = (struct fr_clock){net_mono, net_real, net};
    for (size_t i = 0; i < FR_BROKERS_MAX; i++)
        net->brokers[0][i].delay_ms = net->brokers[1][i].delay_ms = 20;
    assert_int_equal(fr_loop_poll_new(&net->clock, &net->loop), FR_OK);
}

static inline void net_start(struct net *net, int federations, int brokers)
{
    struct fedroam_options *o = net_options(federations, brokers);
    net_init(net);
    assert_int_equal(net_open(net, o), FR_OK);
    fedroam_options_free(o);
}

static inline void net_stop(struct net *net)
{
    fedroam_free(net->f);
    fr_loop_poll_free(net->loop);
}

/* Time passes, one millisecond at a time, and everything due happens. */
static inline void net_run(struct net *net, int64_t ms)
{
    while (fr_loop_poll_turn(net->loop, 0)) {
    }
    for (int64_t end = net->now_ms + ms; net->now_ms < end;) {
        net->now_ms++;
        while (fr_loop_poll_turn(net->loop, 0)) {
        }
    }
}

/* A long time in which nothing is under way. */
static inline void net_skip(struct net *net, int64_t ms)
{
    net->now_ms += ms;
    net_run(net, 1);
}

static inline unsigned net_asked(const struct net *net)
{
    unsigned n = 0;
    for (size_t i = 0; i < FR_BROKERS_MAX; i++)
        n += net->brokers[0][i].asked + net->brokers[1][i].asked;
    return n;
}

/* One look-up and its end. */
struct asked {
    struct net *net;
    struct fedroam_lookup *lookup;
    unsigned ends;
    int64_t at_ms;
    struct fedroam_answer *answer;
};

static inline void on_answer(void *data, const struct fedroam_answer *answer)
{
    struct asked *a = data;
    a->ends++;
    a->at_ms = a->net->now_ms;
    a->answer = fedroam_answer_dup(answer);
}

static inline void ask(struct net *net, struct asked *a, const char *federation, uint64_t deveui,
                       uint32_t timeout_ms)
{
    *a = (struct asked){.net = net};
    assert_int_equal(
        fedroam_lookup_device(net->f, federation, deveui, timeout_ms, on_answer, a, &a->lookup),
        FEDROAM_OK);
    assert_int_equal(a->ends, 0); /* never from inside the call */
}

static inline void expect(const struct asked *a, enum fedroam_result result,
                          enum fedroam_freshness freshness)
{
    assert_int_equal(a->ends, 1);
    assert_non_null(a->answer);
    if (fedroam_answer_result(a->answer) != result)
        fail_msg("%s: %s", fedroam_result_text(fedroam_answer_result(a->answer)),
                 fedroam_answer_reason(a->answer));
    assert_int_equal(fedroam_answer_freshness(a->answer), freshness);
}

static inline void done(struct asked *a)
{
    fedroam_answer_free(a->answer);
    a->answer = NULL;
}

#define D1 0x70b3d57ed0000001u
#define D2 0x70b3d57ed0000002u
#define DB 0x70b3d57ed000000bu
#define STRANGER 0x0123456789abcdefu
