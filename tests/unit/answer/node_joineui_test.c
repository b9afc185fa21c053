/* answer/node_joineui.c: join servers of JoinEUIs and of blocks; and that what is computed is what a server answers that has the zone's
 * records (RFC 1034 4.3.2, RFC 4592). */
#include "answer/answer.h"

#include "base/buf.h"
#include "dns/query.h"
#include "dns/response.h"
#include "dns/types.h"
#include "store/records.h"
#include "store/visibility.h"
#include "unit/answer/fixture.h"
#include "unit/store/joineuis.h"

static void put(struct fixture *f, const char *prefix, const char *member,
                const char *const servers[3])
{
    const struct fr_joineui_row row = joineui_row(prefix, member, servers);
    struct fr_change *change = change_begin(f);
    struct fr_diag diag = {0};

    must(fr_joineui_put(change, &row, &diag), &diag);
    change_end(f, change);
}

static void ask(struct fr_answerer *a, struct fixture *f, const char *member, const char *name,
                const char *type, struct fr_dns_response *out)
{
    struct fr_buf query = FR_BUF_INIT(1024);
    struct fr_answer answer;
    struct fr_dname dname;
    uint16_t number = 0;

    assert_int_equal(fr_dname_parse(fr_span_str(name), &dname), FR_OK);
    assert_true(fr_dns_type_parse(type, &number));
    assert_int_equal(fr_dns_query_write(&dname, number, 0, &query), FR_OK);
    assert_int_equal(fr_answer(a, f->snap, member, fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, out), FR_OK);
    fr_buf_deinit(&query);
}

static const char *section(const struct fr_dns_response *response, enum fr_dns_section wanted,
                           struct fr_buf *out)
{
    struct fr_dns_walk walk;
    struct fr_rr rr;

    fr_buf_reset(out);
    fr_dns_walk_init(&walk, response);
    while (fr_dns_walk_next(&walk, &rr))
        if (walk.section == wanted) assert_int_equal(fr_rr_print(&rr, out), FR_OK);
    for (size_t i = 0; i < out->n; i++)
        if (out->p[i] == '\t') out->p[i] = ' ';
    return fr_buf_str(out);
}

/* A block with three servers; in it a JoinEUI with one of its own, and one that is only held. A JoinEUI of another member by http. */
static void fill(struct fixture *f)
{
    static const char *const block[3] = {"https://192.0.2.30:8443,also=2001:db8::30",
                                         "https://js.acme.example,priority=1,weight=5",
                                         "http://192.0.2.31:8080"};
    static const char *const own[3] = {"https://[2001:db8::40]:8444,priority=7"};
    static const char *const http[3] = {"http://192.0.2.50,order=7,preference=8"};
    static const char *const none[3] = {NULL};

    put(f, "70b3d57ed0000000/40", "acme", block);
    put(f, "70b3d57ed0000001", "acme", own);
    put(f, "70b3d57ed0000002", "acme", none);
    put(f, "00005e100000002f", "beta", http);
}

#define ROOT "joineui.fed.test"
#define B "0.d.e.7.5.d.3.b.0.7." ROOT
#define IN_B "0.0.0.0.0." B
#define E1 "1." IN_B
#define E2 "2." IN_B
#define E9 "9.0.0.0.0.9." B
#define H "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0." ROOT
#define BLOCK_NAPTR(name)                                                                          \
    name ". 60 IN NAPTR 100 50 \"S\" \"LWNS\" \"\" _lwns._tcp." B ".\n" name                       \
         ". 60 IN NAPTR 100 60 \"S\" \"LWN\" \"\" _lwn._tcp." B ".\n"
#define BLOCK_SRV(name)                                                                            \
    name ". 60 IN SRV 1 0 8443 e1." B ".\n" name ". 60 IN SRV 1 5 443 js.acme.example.\n"
#define HOSTS                                                                                      \
    "e1." B ". 60 IN A 192.0.2.30\ne1." B ". 60 IN AAAA 2001:db8::30\ne3." B                       \
    ". 60 IN A 192.0.2.31\n"

static const struct {
    const char *name, *type;
    unsigned rcode;
    const char *answer, *additional;
} ROWS[] = {
    /* any JoinEUI of the block */
    {E9, "NAPTR", 0, BLOCK_NAPTR(E9),
     BLOCK_SRV("_lwns._tcp." B) "_lwn._tcp." B ". 60 IN SRV 3 0 8080 e3." B ".\n" HOSTS},
    {E9, "A", 0, E9 ". 60 IN A 192.0.2.30\n", E9 ". 60 IN AAAA 2001:db8::30\n" BLOCK_SRV(E9) HOSTS},
    {E9, "SRV", 0, BLOCK_SRV(E9),
     E9 ". 60 IN A 192.0.2.30\n" E9 ". 60 IN AAAA 2001:db8::30\n" HOSTS},
    {E9, "TXT", 0, "", NULL},
    {E2, "NAPTR", 0, BLOCK_NAPTR(E2), NULL}, /* held alone: the block's servers */
    {"*." B, "NAPTR", 0, BLOCK_NAPTR("\\042." B), NULL},
    {"x.y." E9, "NAPTR", 0, BLOCK_NAPTR("x.y." E9), NULL}, /* as wildcards do */
    {"0.9." B, "NAPTR", 0, BLOCK_NAPTR("0.9." B), NULL},
    {"*." IN_B, "A", 0, "\\042." IN_B ". 60 IN A 192.0.2.30\n", NULL},
    /* the services and hosts behind it */
    {"_lwns._tcp." B, "SRV", 0, BLOCK_SRV("_lwns._tcp." B),
     "e1." B ". 60 IN A 192.0.2.30\ne1." B ". 60 IN AAAA 2001:db8::30\n"},
    {"_lwn._tcp." B, "SRV", 0, "_lwn._tcp." B ". 60 IN SRV 3 0 8080 e3." B ".\n",
     "e3." B ". 60 IN A 192.0.2.31\n"},
    {"e1." B, "AAAA", 0, "e1." B ". 60 IN AAAA 2001:db8::30\n", "e1." B ". 60 IN A 192.0.2.30\n"},
    {"e3." B, "AAAA", 0, "", NULL},
    {"e2." B, "A", 0, "e2." B ". 60 IN A 192.0.2.30\n", NULL}, /* no host of ours: the wildcard */
    /* one of its own inside */
    {E1, "NAPTR", 0, E1 ". 60 IN NAPTR 100 50 \"S\" \"LWNS\" \"\" _lwns._tcp." E1 ".\n",
     "_lwns._tcp." E1 ". 60 IN SRV 7 0 8444 e1." E1 ".\ne1." E1 ". 60 IN AAAA 2001:db8::40\n"},
    {E1, "A", 0, "", NULL},
    {"x." E1, "NAPTR", 3, "", ""},
    {"_lwn._tcp." E1, "SRV", 3, "", ""},
    {"_lwn._tcp." E2, "SRV", 0, BLOCK_SRV("_lwn._tcp." E2), NULL},
    {"e2." E1, "A", 3, "", ""},
    /* by http alone: nothing for those who would come by https */
    {H, "NAPTR", 0, H ". 60 IN NAPTR 7 8 \"S\" \"LWN\" \"\" _lwn._tcp." H ".\n",
     "_lwn._tcp." H ". 60 IN SRV 1 0 80 e1." H ".\ne1." H ". 60 IN A 192.0.2.50\n"},
    {H, "A", 0, "", NULL},
    {H, "SRV", 0, "", NULL},
    /* names between, and names below what is there */
    {ROOT, "NAPTR", 0, "", ""},
    {"7." ROOT, "NAPTR", 0, "", ""},
    {B, "NAPTR", 0, "", ""},
    {IN_B, "NAPTR", 0, "", ""},
    {"_tcp." B, "SRV", 0, "", ""},
    {"_lwms._tcp." B, "SRV", 3, "", ""},
    {"x.e1." B, "A", 3, "", ""},
    {"x.*." B, "A", 3, "", ""},
    {"x._lwns._tcp." B, "SRV", 3, "", ""},
    /* nobody's */
    {"8." ROOT, "NAPTR", 3, "", ""},
    {"x.7." ROOT, "NAPTR", 3, "", ""},
    {"*.7." ROOT, "NAPTR", 3, "", ""},
    {"_tcp.7." ROOT, "SRV", 3, "", ""},
    {"e.2." H, "NAPTR", 3, "", ""},
    {"1.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0." ROOT, "NAPTR", 3, "", ""},
    {"70." ROOT, "NAPTR", 3, "", ""},
};

static void rows(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;
    struct fr_buf text = FR_BUF_INIT(65536);
    struct fr_dns_response response;

    fill(f);
    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        ask(a, f, "beta", ROWS[i].name, ROWS[i].type, &response);
        const char *answer = section(&response, FR_DNS_ANSWER, &text);
        if (response.rcode != ROWS[i].rcode || strcmp(answer, ROWS[i].answer) != 0)
            fail_msg("%s %s: rcode %u\n%s", ROWS[i].name, ROWS[i].type, response.rcode, answer);
        bool has_soa = response.count[1] == 1;
        if (has_soa != (ROWS[i].answer[0] == '\0')) fail_msg("%s: authority", ROWS[i].name);
        if (ROWS[i].additional == NULL) continue;
        const char *additional = section(&response, FR_DNS_ADDITIONAL, &text);
        if (strcmp(additional, ROWS[i].additional) != 0)
            fail_msg("%s %s: additional\n%s", ROWS[i].name, ROWS[i].type, additional);
    }
    fr_answerer_free(a);
    fr_buf_deinit(&text);
}

static unsigned rcode_of(struct fr_answerer *a, struct fixture *f, const char *member,
                         const char *name)
{
    struct fr_dns_response response;

    ask(a, f, member, name, "NAPTR", &response);
    return response.rcode;
}

static void who_may_see(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;
    struct fr_diag diag = {0};

    fill(f);
    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    set_member_state(f, "acme", FR_MEMBER_SUSPENDED);
    assert_int_equal(rcode_of(a, f, "beta", E1), 3);
    assert_int_equal(rcode_of(a, f, "beta", E9), 3);
    assert_int_equal(rcode_of(a, f, "beta", "7." ROOT), 3);
    assert_int_equal(rcode_of(a, f, "beta", ROOT), 0);
    set_member_state(f, "beta", FR_MEMBER_SUSPENDED);
    assert_int_equal(rcode_of(a, f, "acme", ROOT), 3);
    set_member_state(f, "acme", FR_MEMBER_ACTIVE);
    set_member_state(f, "beta", FR_MEMBER_ACTIVE);
    assert_int_equal(rcode_of(a, f, "beta", E9), 0);
    /* a home says who sees what is its own */
    struct fr_change *change = change_begin(f);
    must(fr_policy_set(change, FR_POLICY_VISIBILITY, "granted", &diag), &diag);
    change_end(f, change);
    assert_int_equal(rcode_of(a, f, "beta", E9), 3);
    assert_int_equal(rcode_of(a, f, "beta", E1), 3);
    assert_int_equal(rcode_of(a, f, "beta", "_lwns._tcp." B), 3);
    assert_int_equal(rcode_of(a, f, "beta", B), 3);
    assert_int_equal(rcode_of(a, f, "beta", H), 0);
    assert_int_equal(rcode_of(a, f, "acme", E9), 0);
    change = change_begin(f);
    must(fr_visibility_allow(change, "acme", "beta", &diag), &diag);
    change_end(f, change);
    assert_int_equal(rcode_of(a, f, "beta", E9), 0);
    assert_int_equal(rcode_of(a, f, "beta", "_lwns._tcp." B), 0);
    fr_answerer_free(a);
}

/* --- against the zone's records --- */

enum { RECORDS_MAX = 4000, ROUNDS = 60, QUESTIONS = 150 };

struct zone {
    struct fixture *f;
    char owners[RECORDS_MAX][128];
    enum fr_record_type types[RECORDS_MAX];
    size_t n;
};

static enum fr_err add_record(void *data, const struct fr_record *record)
{
    struct zone *zone = data;
    char text[FR_OWNER_TEXT];

    assert_true(zone->n < RECORDS_MAX);
    assert_int_equal(fr_owner_print(&record->owner, FED, text), FR_OK);
    assert_true(strlen(text) < sizeof zone->owners[0]);
    strcpy(zone->owners[zone->n], text);
    zone->types[zone->n++] = record->type;
    return FR_OK;
}

static enum fr_err add_joineui(void *data, const struct fr_joineui_row *row)
{
    struct zone *zone = data;
    enum fr_err err = fr_records_joineui(zone->f->snap, row, add_record, zone);

    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static bool exists(const struct zone *zone, const char *name)
{
    size_t n = strlen(name);

    if (strcmp(name, FED) == 0) return true;
    for (size_t i = 0; i < zone->n; i++) {
        size_t k = strlen(zone->owners[i]);
        if (k == n && strcmp(zone->owners[i], name) == 0) return true;
        if (k > n && zone->owners[i][k - n - 1] == '.' &&
            strcmp(zone->owners[i] + k - n, name) == 0)
            return true;
    }
    return false;
}

/* RFC 1034 4.3.2 and RFC 4592: the name, else the wildcard of its closest encloser. How many records of the type; -1: no name. */
static int look_up(const struct zone *zone, const char *name, enum fr_record_type type)
{
    char source[FR_OWNER_TEXT + 2];
    int n = 0;

    (void)snprintf(source, sizeof source, "%s", name);
    if (!exists(zone, name)) {
        do name = strchr(name, '.') + 1;
        while (!exists(zone, name));
        (void)snprintf(source, sizeof source, "*.%s", name);
        if (!exists(zone, source)) return -1;
    }
    for (size_t i = 0; i < zone->n; i++)
        if (zone->types[i] == type && strcmp(zone->owners[i], source) == 0) n++;
    return n;
}

static unsigned draw(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

/* Prefixes close together, often one in another. */
static void draw_joineui(uint64_t *seed, struct fr_joineui_row *row)
{
    uint64_t eui = 0;

    for (int i = 0; i < 16; i++) eui = eui << 4 | (draw(seed, 4) == 0 ? 1 : 0);
    row->nibbles = (uint8_t)(1 + draw(seed, 4) * draw(seed, 4) + draw(seed, 7));
    if (row->nibbles > 16) row->nibbles = 16;
    row->base = fr_joineui_base(eui, row->nibbles);
}

static void change_something(struct fixture *f, uint64_t *seed)
{
    static const char *const servers[][3] = {
        {"https://192.0.2.1,also=2001:db8::1", "http://192.0.2.2"},
        {"https://js.acme.example", "https://192.0.2.3"},
        {"http://js.acme.example"},
        {NULL}};
    struct fr_joineui_row at = {0};
    char prefix[FR_JOINEUI_TEXT];

    draw_joineui(seed, &at);
    fr_joineui_print(at.base, at.nibbles, prefix);
    const struct fr_joineui_row row =
        joineui_row(prefix, draw(seed, 2) ? "acme" : "beta", servers[draw(seed, 4)]);
    struct fr_change *change = change_begin(f);
    if (draw(seed, 4) == 0)
        (void)fr_joineui_remove(change, row.base, row.nibbles, NULL);
    else
        (void)fr_joineui_put(change, &row, NULL); /* somebody else's: stays so */
    change_end(f, change);
    if (draw(seed, 8) == 0)
        set_member_state(f, "beta", draw(seed, 2) ? FR_MEMBER_ACTIVE : FR_MEMBER_SUSPENDED);
}

/* Near to a name that is there. */
static void draw_name(const struct zone *zone, uint64_t *seed, char out[FR_OWNER_TEXT])
{
    static const char *const labels[] = {"0", "1",     "x",    "*",  "_tcp",
                                         "2", "_lwns", "_lwn", "e1", "e2"};
    const char *name = zone->n ? zone->owners[draw(seed, (unsigned)zone->n)] : ROOT;
    char text[FR_OWNER_TEXT];

    for (unsigned i = draw(seed, 6); i > 0 && strcmp(name, FED) != 0; i--)
        name = strchr(name, '.') + 1;
    if (strcmp(name, FED) == 0) name = ROOT;
    (void)snprintf(out, FR_OWNER_TEXT, "%s", name);
    for (unsigned i = draw(seed, 4); i > 0; i--) {
        (void)snprintf(text, sizeof text, "%s.%.200s", labels[draw(seed, 10)], out);
        memcpy(out, text, sizeof text);
    }
}

static void check_name(struct fr_answerer *a, const struct zone *zone, const char *name)
{
    static const struct {
        const char *text;
        enum fr_record_type type;
    } types[] = {{"A", FR_RECORD_A},
                 {"AAAA", FR_RECORD_AAAA},
                 {"SRV", FR_RECORD_SRV},
                 {"NAPTR", FR_RECORD_NAPTR},
                 {"TXT", FR_RECORD_TXT}};
    struct fr_dns_response response;

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        int want = look_up(zone, name, types[i].type);
        ask(a, zone->f, "acme", name, types[i].text, &response);
        int got = response.rcode == 0 ? response.count[0] : -1;
        if (response.rcode != (want < 0 ? 3u : 0u) || got != want)
            fail_msg("%s %s: %d, the records say %d", name, types[i].text, got, want);
    }
}

static void answers_are_what_the_records_say(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;
    struct zone *zone = calloc(1, sizeof *zone);
    char name[FR_OWNER_TEXT];
    uint64_t seed = 20261120;
    size_t most = 0;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    for (int round = 0; round < ROUNDS; round++) {
        change_something(f, &seed);
        zone->f = f;
        zone->n = 0;
        assert_int_equal(fr_joineui_each(f->snap, NULL, add_joineui, zone), FR_OK);
        for (size_t i = 0; i < zone->n; i++) /* no record twice */
            for (size_t k = 0; k < i && zone->types[i] == FR_RECORD_A; k++)
                if (zone->types[k] == FR_RECORD_A && strcmp(zone->owners[i], zone->owners[k]) == 0)
                    fail_msg("twice: %s", zone->owners[i]);
        for (int i = 0; i < QUESTIONS; i++) {
            draw_name(zone, &seed, name);
            check_name(a, zone, name);
        }
        if (zone->n > most) most = zone->n;
    }
    assert_true(most > 100);
    free(zone);
    fr_answerer_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(who_may_see, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(answers_are_what_the_records_say, fixture_new,
                                        fixture_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
