#include "sim.h"

#include <fedroam/public_dns.h>
#include <inttypes.h>

/* Random courses of things for Join Servers: of a federation, of a federation with the server elsewhere, of
 * a public tree, and of none, while brokers and public DNS lose, delay and keep silent. Each look-up ends
 * once, by its deadline, with what the truth and the trouble of that time allow; the same seed does the same. */

enum {
    JOINEUIS = 8, /* their number mod 4 says which of the four */
    OURS = 0,
    ELSEWHERE,
    TREE,
    NOWHERE,
    COURSE_MS = 900000,
    REST_MS = 310000, /* a broker that was in trouble may rest for that long */
};

#define FIRST 0x7000000000000000u

struct world {
    struct sim sim;
    uint64_t seed;
    int federations, brokers;
    unsigned public_loss; /* of 1000 */
    int64_t public_max_ms;
    int64_t trouble_ms, public_trouble_ms, forbidden_ms; /* when there was some last */
    unsigned results[FEDROAM_FAILED + 1], open, by_name, from_tree;
    uint64_t digest;
};

/* ---- the truth, in DNS ---- */

static struct message nodata(const char *name, uint16_t type, uint16_t flags)
{
    return test_message(name, type, flags, "", SOA60, "");
}

static bool join_server(void *data, int federation, const char *name, uint16_t type,
                        struct message *out)
{
    struct world *w = data;
    char owner[64], asked[80], answer[1024] = "", more[1024] = "";
    const char *tcp = "_lwns._tcp.";
    size_t skip = strncmp(name, tcp, strlen(tcp)) == 0 ? strlen(tcp) : 0;
    if (!skip && name[0] == 'j') skip = 3; /* "j1." */
    int which = (name[skip] - '0') % 4;
    if (federation != 0 || which > ELSEWHERE) return false;
    snprintf(owner, sizeof owner, "%.60s.", name + skip); /* 48 octets */
    snprintf(asked, sizeof asked, "%.78s.", name);
    bool is_whole = sim_below(&w->sim, 2) == 0;
    if (skip == 0 && type == FR_DNS_NAPTR && which == OURS) {
        snprintf(answer, sizeof answer, "%s 60 NAPTR 10 10 S LWNS \"\" _lwns._tcp.%s", owner,
                 owner);
        snprintf(more, sizeof more,
                 "_lwns._tcp.%s 60 SRV 0 1 443 j1.%s\n_lwns._tcp.%s 60 SRV 0 3 443 j2.%s\n"
                 "j1.%s 60 A 192.0.2.1\nj2.%s 60 A 192.0.2.2",
                 owner, owner, owner, owner, owner, owner);
    } else if (skip == 0 && type == FR_DNS_NAPTR) {
        snprintf(answer, sizeof answer, "%s 60 NAPTR 10 10 A LWNS \"\" js.op.example.", owner);
    } else if (skip > 3 && type == FR_DNS_SRV) {
        snprintf(answer, sizeof answer, "%s 60 SRV 0 1 443 j1.%s\n%s 60 SRV 0 3 443 j2.%s", asked,
                 owner, asked, owner);
    } else if (skip == 3 && type == FR_DNS_A) {
        snprintf(answer, sizeof answer, "%s 60 A 192.0.2.%c", asked, name[1]);
    }
    *out = answer[0] ? test_message(name, type, OK, answer, "", is_whole ? more : "")
                     : nodata(name, type, OK);
    return true;
}

static struct message public_answer(const char *name, uint16_t type)
{
    char answer[512];
    bool is_tree = strstr(name, ".tree.example") && (name[0] - '0') % 4 == TREE;
    if (is_tree && type == FR_DNS_NAPTR) {
        snprintf(answer, sizeof answer,
                 "%s. 60 NAPTR 1 1 S LWNS \"\" _lwns._tcp.op.example.\n"
                 "%s. 60 NAPTR 2 1 A LWNS \"\" js.op.example.",
                 name, name);
        return test_message(name, type, OK, answer, "", "");
    }
    if (strcmp(name, "_lwns._tcp.op.example") == 0 && type == FR_DNS_SRV)
        return test_message(name, type, OK, "_lwns._tcp.op.example. 60 SRV 0 0 443 js1.op.example.",
                            "", "");
    if (strcmp(name, "js1.op.example") == 0 && type == FR_DNS_A)
        return test_message(name, type, OK, "js1.op.example. 60 A 192.0.2.4", "", "");
    if (strcmp(name, "js.op.example") == 0 && type == FR_DNS_A)
        return test_message(name, type, OK, "js.op.example. 60 A 192.0.2.3", "", "");
    bool is_there = is_tree || strstr(name, "op.example") != NULL;
    return nodata(name, type, is_there ? OK : NX);
}

/* ---- public DNS ---- */

struct public_question {
    struct world *w;
    struct fr_timer timer;
    fedroam_dns_done tell;
    void *question;
    struct message reply;
};

static enum fedroam_err public_open(void *data, const struct fedroam_host *loop, void *loop_data,
                                    void **session)
{
    (void)loop, (void)loop_data;
    *session = data;
    return FEDROAM_OK;
}

static void public_close(void *session)
{
    (void)session;
}

static void on_reply(struct fr_timer *t)
{
    struct public_question *q = t->data;
    q->tell(q->question, q->reply.b, q->reply.n, "");
    fr_free(q);
}

static enum fedroam_err public_ask(void *session, const char *name, uint16_t type,
                                   fedroam_dns_done tell, void *question, void **handle)
{
    struct world *w = session;
    struct public_question *q = fr_calloc(1, sizeof *q);
    assert_non_null(q);
    assert_null(strstr(name, "fed.test"));
    *q = (struct public_question){.w = w, .tell = tell, .question = question};
    q->reply = public_answer(name, type);
    fr_timer_init(&q->timer, on_reply, q);
    if (sim_below(&w->sim, 1000) >= w->public_loss)
        fr_timer_start(&w->sim.loop, &q->timer,
                       1 + (int64_t)sim_below(&w->sim, (uint64_t)w->public_max_ms));
    *handle = q;
    return FEDROAM_OK;
}

static void public_cancel(void *session, void *handle)
{
    struct public_question *q = handle;
    (void)session;
    fr_timer_stop(&q->timer);
    fr_free(q);
}

static void public_fd(void *session, int fd, unsigned events)
{
    (void)session, (void)fd, (void)events;
}

static void public_timer(void *session)
{
    (void)session;
}

/* ---- look-ups and what they may come to ---- */

struct probe {
    struct world *w;
    int which;
    int64_t start_ms, deadline_ms;
    bool is_alone; /* asked in the federation alone */
};

static void digest(struct world *w, const char *text)
{
    for (const char *c = text; *c; c++) w->digest = (w->digest ^ (uint8_t)*c) * 0x100000001b3u;
}

#define EXPECT(fact)                                                                               \
    do {                                                                                           \
        if (!(fact))                                                                               \
            fail_msg("seed %" PRIu64 " at %" PRId64 " ms, JoinEUI %d: not %s: %s %s", w->seed,     \
                     w->sim.now_ms, p->which, #fact,                                               \
                     fedroam_result_text(fedroam_answer_result(a)), fedroam_answer_reason(a));     \
    } while (0)

static void check_found(const struct probe *p, const struct fedroam_answer *a)
{
    struct world *w = p->w;
    const char *text = fedroam_answer_endpoint_text(a, 0);
    bool is_tree = fedroam_answer_tree(a)[0] != 0;
    socklen_t n = 0;
    EXPECT(fedroam_answer_endpoint_count(a) > 0);
    EXPECT(is_tree == (p->which % 4 == TREE));
    EXPECT((fedroam_answer_key_path(a)[0] == 0) == is_tree);
    EXPECT((fedroam_answer_federation(a)[0] == 0) == is_tree);
    bool is_named = fedroam_answer_endpoint(a, 0, &n) == NULL;
    /* A slow broker leaves little time to public DNS. */
    bool has_trouble =
        w->public_trouble_ms + REST_MS >= p->start_ms || w->trouble_ms + REST_MS >= p->start_ms;
    if (is_named) EXPECT(has_trouble);
    if (p->which % 4 == OURS) {
        EXPECT(fedroam_answer_endpoint_count(a) == 2);
        EXPECT(strcmp(text, "192.0.2.1:443") == 0 || strcmp(text, "192.0.2.2:443") == 0);
    } else if (p->which % 4 == ELSEWHERE) {
        EXPECT(strcmp(text, is_named ? "js.op.example:443" : "192.0.2.3:443") == 0);
    } else {
        EXPECT(strcmp(text, "192.0.2.4:443") == 0 || has_trouble);
    }
    w->by_name += is_named;
    w->from_tree += is_tree;
    digest(w, text);
}

static void on_end(void *data, const struct fedroam_answer *a)
{
    struct probe *p = data;
    struct world *w = p->w;
    enum fedroam_result result = fedroam_answer_result(a);
    bool is_public = p->which % 4 >= TREE && !p->is_alone;
    bool has_trouble = w->trouble_ms + REST_MS >= p->start_ms;
    EXPECT(w->sim.now_ms <= p->deadline_ms);
    w->results[result]++;
    digest(w, fedroam_result_text(result));
    switch (result) {
    case FEDROAM_FOUND: check_found(p, a); break;
    case FEDROAM_UNKNOWN: EXPECT(p->which % 4 == NOWHERE || p->is_alone); break;
    case FEDROAM_REFUSED: EXPECT(w->forbidden_ms + REST_MS >= p->start_ms); break;
    case FEDROAM_NO_BROKER:
        EXPECT(has_trouble || ((is_public || p->which % 4 == ELSEWHERE) &&
                               w->public_trouble_ms + REST_MS >= p->start_ms));
        break;
    case FEDROAM_OVER_BUDGET:
    case FEDROAM_BAD_ANSWER:
    case FEDROAM_FAILED: EXPECT(false); break;
    }
    w->open--;
    fr_free(p);
}

static void look_up(struct world *w, int which, bool is_alone, uint32_t timeout_ms)
{
    struct probe *p = fr_calloc(1, sizeof *p);
    assert_non_null(p);
    *p = (struct probe){.w = w,
                        .which = which,
                        .is_alone = is_alone && which % 4 >= TREE,
                        .start_ms = w->sim.now_ms,
                        .deadline_ms = w->sim.now_ms + timeout_ms};
    w->open++;
    assert_int_equal(fedroam_lookup_join_server(w->sim.f, p->is_alone ? "fed.test" : NULL,
                                                FIRST + (uint64_t)which, timeout_ms, on_end, p,
                                                NULL),
                     FEDROAM_OK);
}

/* ---- what happens ---- */

static void note_trouble(struct world *w)
{
    for (int i = 0; i < w->federations; i++)
        for (int b = 0; b < w->brokers; b++) {
            const struct sim_broker *k = &w->sim.brokers[i][b];
            if (k->is_dead || k->is_silent || k->loss > 0 || k->max_ms > 100)
                w->trouble_ms = w->sim.now_ms;
            if (k->is_forbidding) w->forbidden_ms = w->sim.now_ms;
        }
    if (w->public_loss > 0 || w->public_max_ms > 50) w->public_trouble_ms = w->sim.now_ms;
}

static void mend(struct world *w)
{
    for (int i = 0; i < w->federations; i++)
        for (int b = 0; b < w->brokers; b++)
            w->sim.brokers[i][b] = (struct sim_broker){.min_ms = 5, .max_ms = 30};
    w->public_loss = 0;
    w->public_max_ms = 20;
}

static void happen(struct world *w)
{
    struct sim *s = &w->sim;
    static const uint32_t timeouts_ms[] = {250, 600, 2000, 5000};
    uint64_t what = sim_below(s, 100);
    struct sim_broker *k =
        &s->brokers[sim_below(s, (uint64_t)w->federations)][sim_below(s, (uint64_t)w->brokers)];
    note_trouble(w);
    if (what < 80) {
        uint32_t timeout_ms = timeouts_ms[sim_below(s, 4)];
        look_up(w, (int)sim_below(s, JOINEUIS), sim_below(s, 4) == 0, timeout_ms);
    } else if (what < 84) {
        k->is_silent = true;
    } else if (what < 86) {
        k->loss = (unsigned)sim_below(s, 500);
    } else if (what < 87) {
        k->is_forbidding = true;
    } else if (what < 90) {
        w->public_loss = sim_below(s, 2) ? 1000 : (unsigned)sim_below(s, 600);
    } else if (what < 92) {
        w->public_max_ms = 2000;
    } else if (what < 99) {
        mend(w);
    } else {
        assert_int_equal(fedroam_flush(s->f, NULL), FEDROAM_OK);
    }
    note_trouble(w);
}

static uint32_t no_device(void *data, int federation, uint64_t deveui)
{
    (void)data, (void)federation, (void)deveui;
    return 0;
}

static void run(struct world *w, uint64_t seed)
{
    static const struct fedroam_public_dns dns = {.size = sizeof dns,
                                                  .open = public_open,
                                                  .close = public_close,
                                                  .ask = public_ask,
                                                  .cancel = public_cancel,
                                                  .process_fd = public_fd,
                                                  .process_timer = public_timer};
    const char *tree = "tree.example";
    struct sim *s = &w->sim;
    *w = (struct world){.seed = seed, .digest = 1, .public_max_ms = 20};
    w->trouble_ms = w->public_trouble_ms = w->forbidden_ms = -REST_MS;
    sim_init(s, seed);
    s->home = no_device;
    s->join_server = join_server;
    s->data = w;
    w->federations = 1 + (int)sim_below(s, 2);
    w->brokers = 1 + (int)sim_below(s, 2);
    struct fedroam_options *o = sim_options(w->federations, w->brokers);
    assert_int_equal(fedroam_options_set_public_dns(o, &dns, w), FEDROAM_OK);
    assert_int_equal(fedroam_options_set_suffixes(o, FEDROAM_JOIN_SERVER, &tree, 1), FEDROAM_OK);
    sim_open(s, o);
    while (s->now_ms < COURSE_MS) {
        sim_run(s, s->now_ms + (int64_t)sim_below(s, sim_below(s, 10) ? 2000 : 90000));
        happen(w);
    }
    mend(w);
    sim_run(s, s->now_ms + REST_MS + 90000000); /* past every rest and what may be stale */
    assert_int_equal(w->open, 0);
    memset(w->results, 0, sizeof w->results);
    for (int i = 0; i < JOINEUIS; i++) look_up(w, i, false, 2000);
    sim_run(s, s->now_ms + 2000);
    assert_int_equal(w->open, 0);
    assert_int_equal(w->results[FEDROAM_FOUND], JOINEUIS * 3 / 4);
    assert_int_equal(w->results[FEDROAM_UNKNOWN], JOINEUIS / 4);
    sim_close(s);
}

static void test_random_courses(void **state)
{
    (void)state;
    static struct world w, again; /* too large for a stack */
    const char *one = getenv("FR_SEED"), *is_long = getenv("FR_LONG");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1;
    uint64_t n = one ? 1 : is_long && is_long[0] == '1' ? 5000 : 60;
    unsigned by_name = 0, from_tree = 0;
    for (uint64_t i = 0; i < n; i++) {
        run(&w, first + i);
        by_name += w.by_name;
        from_tree += w.from_tree;
        if (i % 10 != 0) continue;
        run(&again, first + i);
        assert_int_equal(w.digest, again.digest);
    }
    print_message("%u answers from the tree, %u with a name alone\n", from_tree, by_name);
    if (!one) assert_true(from_tree > 0 && by_name > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_courses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
