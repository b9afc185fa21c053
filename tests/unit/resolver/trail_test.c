#include "resolver/trail.h"

#include "message.h"

#include "base/buf.h"

/* What a question is answered, by a broker or by public DNS; a name that stands nowhere is NXDOMAIN, one
 * without the type NODATA, "!" as the answer: nobody answers. */
struct told {
    const char *name;
    uint16_t type;
    const char *answer, *additional;
};

enum { FED, FED_PUBLIC, TREE }; /* a federation's; with public DNS beside; a public tree's */

#define J "8.0.0.7.joineui.fed.test."
#define JT "8.0.0.7.joineuis.example."
#define OP "operator.com."
#define NAPTR(name, rest) name " 60 NAPTR " rest

static const struct {
    const char *label;
    int where;
    unsigned services; /* 0: LWNS */
    struct told told[12];
    const char *servers; /* in order, with their services; "-": unknown; "?": failed; NULL: bad */
    unsigned asked;
    uint32_t ttl_s;
} rows[] = {
    {"all in a broker's one answer",
     FED,
     0,
     {{J, FR_DNS_NAPTR, NAPTR(J, "10 10 S LWNS \"\" _lwns._tcp." J),
       "_lwns._tcp." J " 50 SRV 1 0 443 s1." J "\n_lwns._tcp." J " 50 SRV 0 0 8443 s2." J "\ns1." J
       " 40 A 192.0.2.1\ns2." J " 60 A 192.0.2.2\ns2." J " 60 AAAA 2001:db8::2"}},
     "https 192.0.2.2:8443 https [2001:db8::2]:8443 https 192.0.2.1:443",
     1,
     40},
    {"nothing along: each step is asked",
     FED,
     0,
     {{J, FR_DNS_NAPTR, NAPTR(J, "10 10 S LWNS \"\" _lwns._tcp." J), ""},
      {"_lwns._tcp." J, FR_DNS_SRV, "_lwns._tcp." J " 60 SRV 0 0 443 s1." J, ""},
      {"s1." J, FR_DNS_AAAA, "s1." J " 60 AAAA 2001:db8::1", ""}},
     "https [2001:db8::1]:443",
     4,
     60},
    {"the document's example, both services",
     TREE,
     FEDROAM_SERVICE_LWN | FEDROAM_SERVICE_LWNS,
     {{JT, FR_DNS_NAPTR,
       NAPTR(JT, "100 50 S LWN \"\" _LWN._B2H." OP "\n") NAPTR(
           JT, "50 50 S LWN \"\" _LWN._X2H." OP "\n") NAPTR(JT, "90 50 S LWNS \"\" _LWN._J2H." OP),
       ""},
      {"_LWN._X2H." OP, FR_DNS_SRV, "_LWN._X2H." OP " 60 SRV 0 1 443 server1." OP, ""},
      {"_LWN._J2H." OP, FR_DNS_SRV, "_LWN._J2H." OP " 60 SRV 0 2 443 server2." OP, ""},
      {"server1." OP, FR_DNS_A, "server1." OP " 60 A 192.0.2.1", ""},
      {"server2." OP, FR_DNS_A, "server2." OP " 60 A 192.0.2.2", ""}},
     "http 192.0.2.1:443 https 192.0.2.2:443",
     8,
     60},
    {"a service that is not taken is passed over",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR,
       NAPTR(JT, "50 50 S LWN \"\" _LWN._X2H." OP "\n")
           NAPTR(JT, "90 50 S LWNS \"\" _LWN._J2H." OP),
       ""},
      {"_LWN._J2H." OP, FR_DNS_SRV, "_LWN._J2H." OP " 60 SRV 0 2 443 server2." OP, ""},
      {"server2." OP, FR_DNS_A, "server2." OP " 60 A 192.0.2.2", ""}},
     "https 192.0.2.2:443",
     4,
     60},
    {"only services that are not taken",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "50 50 S LWN \"\" _LWN._X2H." OP), ""}},
     "",
     1,
     60},
    {"order, then preference",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR,
       NAPTR(JT, "20 1 A LWNS \"\" c." OP "\n") NAPTR(JT, "10 9 A LWNS \"\" b." OP "\n")
           NAPTR(JT, "10 5 A LWNS \"\" a." OP),
       ""},
      {"a." OP, FR_DNS_A, "a." OP " 60 A 192.0.2.1", ""},
      {"b." OP, FR_DNS_A, "b." OP " 60 A 192.0.2.2", ""},
      {"c." OP, FR_DNS_A, "c." OP " 60 A 192.0.2.3", ""}},
     "https 192.0.2.1:443 https 192.0.2.2:443 https 192.0.2.3:443",
     7,
     60},
    {"addresses take the service's port",
     TREE,
     FEDROAM_SERVICE_LWN,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 A LWN \"\" a." OP), ""},
      {"a." OP, FR_DNS_A, "a." OP " 60 A 192.0.2.1", ""}},
     "http 192.0.2.1:80",
     3,
     60},
    {"URIs: one by name, one by address",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR,
       NAPTR(JT, "1 1 U LWNS \"!^.*$!https://js.operator.com:8443/join!\" .\n")
           NAPTR(JT, "2 1 U LWNS \"!^.*$!https://[2001:db8::9]/!\" ."),
       ""},
      {"js." OP, FR_DNS_A, "js." OP " 60 A 192.0.2.1", ""}},
     "https 192.0.2.1:8443/join https [2001:db8::9]:443",
     3,
     60},
    {"one NAPTR after the other",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 \"\" \"\" \"\" n1." OP), ""},
      {"n1." OP, FR_DNS_NAPTR, NAPTR("n1." OP, "1 1 P LWNS \"\" n2." OP), ""},
      {"n2." OP, FR_DNS_NAPTR, NAPTR("n2." OP, "1 1 A LWNS \"\" a." OP), ""},
      {"a." OP, FR_DNS_A, "a." OP " 30 A 192.0.2.1", ""}},
     "https 192.0.2.1:443",
     5,
     30},
    {"NAPTRs in a circle",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 \"\" \"\" \"\" n1." OP), ""},
      {"n1." OP, FR_DNS_NAPTR, NAPTR("n1." OP, "1 1 \"\" \"\" \"\" " JT), ""}},
     "",
     2,
     60},
    {"more NAPTRs than may be",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 \"\" \"\" \"\" n1." OP), ""},
      {"n1." OP, FR_DNS_NAPTR, NAPTR("n1." OP, "1 1 \"\" \"\" \"\" n2." OP), ""},
      {"n2." OP, FR_DNS_NAPTR, NAPTR("n2." OP, "1 1 \"\" \"\" \"\" n3." OP), ""},
      {"n3." OP, FR_DNS_NAPTR, NAPTR("n3." OP, "1 1 \"\" \"\" \"\" n4." OP), ""},
      {"n4." OP, FR_DNS_NAPTR, NAPTR("n4." OP, "1 1 A LWNS \"\" a." OP), ""}},
     "",
     4,
     60},
    {"a dead end, then the next record",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR,
       NAPTR(JT, "1 1 S LWNS \"\" _lwns._tcp." OP "\n") NAPTR(JT, "2 1 A LWNS \"\" a." OP), ""},
      {"a." OP, FR_DNS_A, "a." OP " 60 A 192.0.2.1", ""}},
     "https 192.0.2.1:443",
     4,
     60},
    {"the service is declared absent, and port 0 is none",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 S LWNS \"\" _lwns._tcp." OP), ""},
      {"_lwns._tcp." OP, FR_DNS_SRV,
       "_lwns._tcp." OP " 60 SRV 0 0 0 .\n_lwns._tcp." OP " 60 SRV 0 0 0 a." OP, ""}},
     "",
     2,
     60},
    {"two ways to one server count once",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 A LWNS \"\" a." OP "\n") NAPTR(JT, "2 1 A LWNS \"\" A." OP),
       ""},
      {"a." OP, FR_DNS_A, "a." OP " 60 A 192.0.2.1\na." OP " 60 A 192.0.2.1", ""}},
     "https 192.0.2.1:443",
     3,
     60},
    {"an alias in public DNS",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, JT " 20 CNAME j." OP "\n" NAPTR("j." OP, "1 1 A LWNS \"\" a." OP), ""},
      {"a." OP, FR_DNS_A, "a." OP " 60 CNAME b." OP "\nb." OP " 60 A 192.0.2.1", ""}},
     "https 192.0.2.1:443",
     3,
     20},
    {"what public DNS sends along does not count",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 A LWNS \"\" a." OP), "a." OP " 60 A 192.0.2.66"},
      {"a." OP, FR_DNS_A, "a." OP " 60 A 192.0.2.1", ""}},
     "https 192.0.2.1:443",
     3,
     60},
    {"no NAPTR: SRV at the name",
     FED,
     0,
     {{J, FR_DNS_A, J " 60 A 192.0.2.5", ""}, {J, FR_DNS_SRV, J " 60 SRV 0 0 8009 " J, ""}},
     "https 192.0.2.5:8009",
     3,
     60},
    {"no NAPTR: SRV and address along",
     FED,
     0,
     {{J, FR_DNS_SRV, J " 60 SRV 0 0 8009 " J, J " 60 A 192.0.2.5"}},
     "https 192.0.2.5:8009",
     2,
     60},
    {"no NAPTR, no SRV: the address and the default port",
     FED,
     0,
     {{J, FR_DNS_A, J " 60 A 192.0.2.5", J " 60 AAAA 2001:db8::5"}},
     "https 192.0.2.5:8005 https [2001:db8::5]:8005",
     3,
     60},
    {"the same in a tree, with its port",
     TREE,
     0,
     {{JT, FR_DNS_A, JT " 60 A 192.0.2.5", ""}},
     "https 192.0.2.5:4443",
     4,
     60},
    {"no such name", FED, 0, {{"x.", FR_DNS_A, "", ""}}, "-", 1, 60},
    {"no such name in a tree", TREE, 0, {{"x.", FR_DNS_A, "", ""}}, "-", 1, 60},
    {"a name with nothing", FED, 0, {{J, FR_DNS_TXT, "", ""}}, "-", 4, 60},
    {"a federation's server elsewhere, nobody to ask",
     FED,
     0,
     {{J, FR_DNS_NAPTR, NAPTR(J, "1 1 A LWNS \"\" js." OP), "js." OP " 60 A 192.0.2.66"}},
     "https js.operator.com:443",
     1,
     60},
    {"a federation's SRV elsewhere, nobody to ask",
     FED,
     0,
     {{J, FR_DNS_NAPTR, NAPTR(J, "1 1 S LWNS \"\" _lwns._tcp." OP), ""}},
     "",
     1,
     60},
    {"a federation's server elsewhere, by public DNS",
     FED_PUBLIC,
     0,
     {{J, FR_DNS_NAPTR, NAPTR(J, "1 1 S LWNS \"\" _lwns._tcp." OP), ""},
      {"_lwns._tcp." OP, FR_DNS_SRV, "_lwns._tcp." OP " 60 SRV 0 0 443 js." OP, ""},
      {"js." OP, FR_DNS_A, "js." OP " 60 A 192.0.2.1", ""}},
     "https 192.0.2.1:443",
     4,
     60},
    {"a federation's name is no alias",
     FED,
     0,
     {{J, FR_DNS_NAPTR, J " 60 CNAME k.fed.test.\nk.fed.test. 60 A 192.0.2.4", ""}},
     NULL,
     1,
     0},
    {"a step that nobody answers, and one that is",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR,
       NAPTR(JT, "1 1 S LWNS \"\" _lwns._tcp." OP "\n") NAPTR(JT, "2 1 A LWNS \"\" a." OP), ""},
      {"_lwns._tcp." OP, FR_DNS_SRV, "!", ""},
      {"a." OP, FR_DNS_A, "a." OP " 60 A 192.0.2.1", ""}},
     "https 192.0.2.1:443",
     4,
     30},
    {"an address that nobody tells: the name is passed on",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 A LWNS \"\" a." OP), ""}, {"a." OP, FR_DNS_A, "!", ""}},
     "https a.operator.com:443",
     2,
     30},
    {"nobody answers", TREE, 0, {{JT, FR_DNS_NAPTR, "!", ""}}, "?", 1, 0},
    {"names with odd letters are no servers",
     TREE,
     0,
     {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 A LWNS \"\" a\\032b." OP), ""}},
     "",
     1,
     60},
};

static struct message answer(const struct told *told, const char *name, uint16_t type)
{
    static const char soa[] = "example. 60 IN SOA ns.example. noc.example. 7 3600 600 604800 60";
    uint16_t flags = NX;
    for (size_t i = 0; i < 12 && told[i].name; i++) {
        struct fr_dname a = test_name(told[i].name), b = test_name(name);
        if (!fr_dname_equal(fr_dname_span(&a), fr_dname_span(&b))) continue;
        if (told[i].type == type)
            return test_message(name, type, OK, told[i].answer, "", told[i].additional);
        flags = OK;
    }
    return test_message(name, type, flags, "", soa, "");
}

static bool is_silent(const struct told *told, const char *name, uint16_t type)
{
    for (size_t i = 0; i < 12 && told[i].name; i++) {
        struct fr_dname a = test_name(told[i].name), b = test_name(name);
        if (told[i].type == type && fr_dname_equal(fr_dname_span(&a), fr_dname_span(&b)))
            return strcmp(told[i].answer, "!") == 0;
    }
    return false;
}

static void print_servers(const struct fr_place *p, char *out, size_t size)
{
    static const char *const services[] = {"-", "http", "https"};
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < p->n_endpoints; i++) {
        const struct fr_place_endpoint *e = &p->endpoints[i];
        const char *path = p->text + e->path_at;
        char text[FR_DNAME_TEXT + 8];
        if (e->addr.ip.family)
            fr_addr_print(&e->addr, text);
        else
            snprintf(text, sizeof text, "%s:%u", p->text + e->host_at, (unsigned)e->addr.port);
        n += (size_t)snprintf(out + n, size - n, "%s%s %s%s", i ? " " : "", services[e->service],
                              text, strcmp(path, "/") != 0 ? path : "");
    }
}

static struct fr_trail *begin(int where, unsigned services, uint64_t seed)
{
    struct fr_dname zone = test_name("fed.test");
    struct fr_trail_start start = {.name = test_name(where == TREE ? JT : J),
                                   .zone = where == TREE ? NULL : &zone,
                                   .tree = where == TREE ? "joineuis.example" : "",
                                   .has_public = where != FED,
                                   .services = services ? services : FEDROAM_SERVICE_LWNS,
                                   .plain = FEDROAM_SERVICE_LWNS,
                                   .port = where == TREE ? 4443 : FR_PLACE_PORT,
                                   .seed = seed};
    struct fr_trail *t = NULL;
    assert_int_equal(fr_trail_new(&start, &t), FR_OK);
    return t;
}

/* Asks until nothing is open; the number of questions. */
static unsigned follow(struct fr_trail *t, const struct told *told, const char *label, bool *is_bad)
{
    struct fr_trail_question q;
    unsigned asked = 0;
    *is_bad = false;
    while (!*is_bad && fr_trail_next(t, &q)) {
        char name[FR_DNAME_TEXT];
        const char *why = "";
        struct fr_reply reply;
        fr_dname_print(fr_dname_span(&q.name), name);
        asked++;
        if (is_silent(told, name, q.type)) {
            fr_trail_miss(t, "no answer");
            continue;
        }
        struct message m = answer(told, name, q.type);
        fr_reply_read(fr_span(m.b, m.n), 0, &q.name, q.type, &reply);
        if (reply.verdict == FR_VERDICT_BAD) fail_msg("%s: %s: %s", label, name, reply.why);
        *is_bad = fr_trail_learn(t, &reply, &why) != FR_OK;
    }
    return asked;
}

static void test_trails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_trail *t = begin(rows[i].where, rows[i].services, 1);
        bool is_bad = false;
        unsigned asked = follow(t, rows[i].told, rows[i].label, &is_bad);
        if (asked != rows[i].asked) fail_msg("%s: %u questions", rows[i].label, asked);
        if (is_bad != !rows[i].servers) fail_msg("%s: bad %d", rows[i].label, is_bad);
        if (is_bad) {
            fr_trail_free(t);
            continue;
        }
        char text[512];
        struct fr_place *place = NULL;
        uint32_t ttl_s = 0;
        const char *why = NULL;
        enum fr_trail_end end = fr_trail_end(t, &ttl_s, &why);
        snprintf(text, sizeof text, "%s", end == FR_TRAIL_UNKNOWN ? "-" : "?");
        if (end == FR_TRAIL_FOUND) {
            assert_int_equal(fr_trail_place(t, &place), FR_OK);
            print_servers(place, text, sizeof text);
            assert_int_equal(place->ttl_s, ttl_s);
            assert_string_equal(place->text + place->tree_at,
                                rows[i].where == TREE ? "joineuis.example" : "");
            if (place->n_endpoints == 0 && !place->text[place->why_at])
                fail_msg("%s: nothing says why", rows[i].label);
            fr_place_free(place);
        }
        if (strcmp(text, rows[i].servers) != 0) fail_msg("%s: %s", rows[i].label, text);
        if (ttl_s != rows[i].ttl_s) fail_msg("%s: %u s", rows[i].label, (unsigned)ttl_s);
        fr_trail_free(t);
    }
}

/* Rules of one order and preference come in either order; those of another keep theirs. */
static void test_equal_rules_are_drawn(void **state)
{
    (void)state;
    static const struct told told[12] = {
        {JT, FR_DNS_NAPTR,
         NAPTR(JT, "1 1 U LWNS \"!^.*$!https://192.0.2.1/!\" .\n")
             NAPTR(JT, "1 1 U LWNS \"!^.*$!https://192.0.2.2/!\" .\n")
                 NAPTR(JT, "1 2 U LWNS \"!^.*$!https://192.0.2.3/!\" ."),
         ""}};
    unsigned first[2] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct fr_trail *t = begin(TREE, 0, seed);
        struct fr_place *place = NULL;
        bool is_bad;
        char text[512];
        assert_int_equal(follow(t, told, "draw", &is_bad), 1);
        assert_int_equal(fr_trail_place(t, &place), FR_OK);
        print_servers(place, text, sizeof text);
        first[0] +=
            strcmp(text, "https 192.0.2.1:443 https 192.0.2.2:443 https 192.0.2.3:443") == 0;
        first[1] +=
            strcmp(text, "https 192.0.2.2:443 https 192.0.2.1:443 https 192.0.2.3:443") == 0;
        fr_place_free(place);
        fr_trail_free(t);
    }
    assert_int_equal(first[0] + first[1], 200);
    assert_in_range(first[0], 70, 130);
}

/* SRVs of one priority keep their weights, and are drawn at each use; a server's addresses stay
 * together, and the next priority comes after. */
static void test_srvs_are_drawn_at_each_use(void **state)
{
    (void)state;
    static const struct told told[12] = {{JT, FR_DNS_NAPTR, NAPTR(JT, "1 1 S LWNS \"\" s." OP), ""},
                                         {"s." OP, FR_DNS_SRV,
                                          "s." OP " 60 SRV 0 1 443 a." OP "\ns." OP
                                          " 60 SRV 0 3 443 b." OP "\ns." OP " 60 SRV 5 9 443 c." OP,
                                          ""},
                                         {"a." OP, FR_DNS_A, "a." OP " 60 A 192.0.2.1", ""},
                                         {"a." OP, FR_DNS_AAAA, "a." OP " 60 AAAA 2001:db8::1", ""},
                                         {"b." OP, FR_DNS_A, "b." OP " 60 A 192.0.2.2", ""},
                                         {"c." OP, FR_DNS_A, "c." OP " 60 A 192.0.2.3", ""}};
    struct fr_trail *t = begin(TREE, 0, 1);
    struct fr_place *place = NULL;
    uint64_t draws = 5;
    unsigned heavy = 0;
    bool is_bad;
    follow(t, told, "weights", &is_bad);
    assert_int_equal(fr_trail_place(t, &place), FR_OK);
    assert_int_equal(place->n_endpoints, 4);
    for (int i = 0; i < 1000; i++) {
        uint8_t order[FR_PLACE_ENDPOINTS_MAX];
        fr_place_order(place, &draws, order);
        heavy += order[0] == 2;
        assert_true(memcmp(order, ((uint8_t[]){0, 1, 2, 3}), 4) == 0 ||
                    memcmp(order, ((uint8_t[]){2, 0, 1, 3}), 4) == 0);
    }
    assert_in_range(heavy, 650, 850);
    fr_place_free(place);
    fr_trail_free(t);
}

/* However much an answer has: bounded servers, steps and questions. */
static void test_caps(void **state)
{
    (void)state;
    static char naptrs[8192], srvs[12][2048];
    struct told told[12] = {{JT, FR_DNS_NAPTR, naptrs, ""}};
    size_t n = 0;
    for (unsigned i = 0; i < 11; i++) {
        static char names[11][32];
        size_t m = 0;
        snprintf(names[i], sizeof names[i], "s%u." OP, i);
        n += (size_t)snprintf(naptrs + n, sizeof naptrs - n, "%s" NAPTR(JT, "1 %u S LWNS \"\" %s"),
                              i ? "\n" : "", i, names[i]);
        for (unsigned k = 0; k < 20; k++)
            m += (size_t)snprintf(srvs[i] + m, sizeof srvs[i] - m, "%s%s 60 SRV 0 0 443 h%u-%u." OP,
                                  k ? "\n" : "", names[i], i, k);
        told[i + 1] = (struct told){names[i], FR_DNS_SRV, srvs[i], ""};
    }
    struct fr_trail *t = begin(TREE, 0, 1);
    bool is_bad;
    assert_int_equal(follow(t, told, "caps", &is_bad), FR_TRAIL_ASKS_MAX);
    fr_trail_free(t);

    n = 0;
    for (unsigned i = 0; i < 20; i++)
        n += (size_t)snprintf(naptrs + n, sizeof naptrs - n,
                              "%s" NAPTR(JT, "1 %u U LWNS \"!^.*$!https://192.0.2.%u/!\" ."),
                              i ? "\n" : "", i, i);
    struct fr_place *place = NULL;
    t = begin(TREE, 0, 1);
    assert_int_equal(follow(t, told, "caps", &is_bad), 1);
    assert_int_equal(fr_trail_place(t, &place), FR_OK);
    assert_int_equal(place->n_endpoints, FR_TRAIL_HOSTS_MAX);
    fr_place_free(place);
    fr_trail_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trails),
        cmocka_unit_test(test_equal_rules_are_drawn),
        cmocka_unit_test(test_srvs_are_drawn_at_each_use),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
