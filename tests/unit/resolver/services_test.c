#include "resolver/services.h"

#include "svcb.h"

#define NAME "_dns.broker.fed.test"
#define USUAL "/dns-query{?dns}"

static void read_all(const char *answer, const struct test_svcb *records, size_t n,
                     struct fr_services *out)
{
    static struct message m;
    static struct fr_dns_response r;
    m = test_svcb_message(NAME, OK, answer, records, n, "");
    assert_int_equal(fr_dns_response_read(fr_span(m.b, m.n), &r), FR_OK);
    fr_services_read(&r, out);
}

/* "10 b1.test 8443 /q; …" */
static void print(const struct fr_services *s, char out[512])
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < s->n; i++) {
        char target[FR_DNAME_TEXT];
        fr_dname_print(fr_dname_span(&s->list[i].target), target);
        at += (size_t)snprintf(out + at, 512 - at, "%s%u %s %u %s", i ? "; " : "",
                               (unsigned)s->list[i].priority, target, (unsigned)s->list[i].port,
                               s->list[i].path);
    }
}

#define H2(priority_, target_, port_, path_)                                                       \
    {                                                                                              \
        .priority = priority_, .target = target_, .alpn = "h2", .port = port_, .path = path_       \
    }

static const struct {
    const char *label;
    struct test_svcb records[5];
    size_t n;
    const char *services, *why;
} ROWS[] = {
    {"one", {H2(1, "b1.test", 8443, USUAL)}, 1, "1 b1.test 8443 /dns-query", ""},
    {"by priority",
     {H2(20, "b2.test", 0, "/two{?dns}"), H2(10, "b1.test", 8443, USUAL),
      H2(30, "b3.test", 1, USUAL)},
     3,
     "10 b1.test 8443 /dns-query; 20 b2.test 443 /two; 30 b3.test 1 /dns-query",
     ""},
    {"those of one priority as they came",
     {H2(1, "b.test", 1, USUAL), H2(1, "a.test", 1, USUAL), H2(1, "c.test", 1, USUAL)},
     3,
     "1 b.test 1 /dns-query; 1 a.test 1 /dns-query; 1 c.test 1 /dns-query",
     ""},
    {"more than fit: the best stay",
     {H2(4, "d.test", 1, USUAL), H2(3, "c.test", 1, USUAL), H2(2, "b.test", 1, USUAL),
      H2(1, "a.test", 1, USUAL), H2(5, "e.test", 1, USUAL)},
     5,
     "1 a.test 1 /dns-query; 2 b.test 1 /dns-query; 3 c.test 1 /dns-query",
     ""},
    {"the owner is the target", {H2(1, ".", 1, USUAL)}, 1, "1 " NAME " 1 /dns-query", ""},
    {"another protocol beside",
     {{.priority = 1, .target = "t.test", .alpn = "dot"}, H2(2, "b.test", 1, USUAL)},
     2,
     "2 b.test 1 /dns-query",
     ""},
    {"a strange mandatory key beside",
     {{.priority = 1, .target = "t.test", .alpn = "h2", .path = USUAL, .wants_strange = true},
      H2(2, "b.test", 1, USUAL)},
     2,
     "2 b.test 1 /dns-query",
     ""},
    {"HTTP without a path",
     {H2(1, "b.test", 1, NULL)},
     1,
     "",
     "none of its records offers DNS over HTTP/2 that we can use"},
    {"a path elsewhere",
     {H2(1, "b.test", 1, "//evil.test/q{?dns}")},
     1,
     "",
     "none of its records offers DNS over HTTP/2 that we can use"},
    {"no protocol",
     {{.priority = 1, .target = "b.test", .path = USUAL}},
     1,
     "",
     "none of its records offers DNS over HTTP/2 that we can use"},
    {"one malformed spoils all",
     {H2(1, "b.test", 1, USUAL),
      {.priority = 2, .target = "c.test", .alpn = "h2", .path = USUAL, .is_malformed = true}},
     2,
     "",
     "one of its records is malformed"},
    {"of another owner",
     {{.owner = "_dns.other.test", .priority = 1, .target = "b.test", .alpn = "h2", .path = USUAL}},
     1,
     "",
     "it has no SVCB record"},
    {"nothing", {{0}}, 0, "", "it has no SVCB record"},
    {"no service at all",
     {{.priority = 0, .target = "."}},
     1,
     "",
     "it says that there is no service"},
};

static void test_sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct fr_services s;
        char text[512];
        read_all("", ROWS[i].records, ROWS[i].n, &s);
        print(&s, text);
        if (strcmp(text, ROWS[i].services) != 0 || strcmp(s.why, ROWS[i].why) != 0)
            fail_msg("%s: %s (%s)", ROWS[i].label, text, s.why);
        assert_false(s.is_alias);
        assert_int_equal(s.is_empty, strcmp(s.why, "it has no SVCB record") == 0);
    }
}

static void test_an_alias_hides_services(void **state)
{
    (void)state;
    const struct test_svcb records[] = {H2(1, "b1.test", 8443, USUAL),
                                        {.priority = 0, .target = "pool.test"},
                                        {.priority = 0, .target = "pool2.test"}};
    struct fr_services s;
    struct fr_dname pool = test_name("pool.test");
    read_all("", records, 3, &s);
    assert_true(s.is_alias);
    assert_int_equal(s.n, 0);
    assert_true(fr_dname_equal(fr_dname_span(&s.alias), fr_dname_span(&pool)));
}

static void test_behind_cnames_and_ttls(void **state)
{
    (void)state;
    const struct test_svcb records[] = {{.owner = "real.test",
                                         .priority = 1,
                                         .target = ".",
                                         .alpn = "h2",
                                         .path = USUAL,
                                         .ttl_s = 90}};
    struct fr_services s;
    char text[512];
    read_all(NAME ". 80 CNAME real.test.", records, 1, &s);
    print(&s, text);
    assert_string_equal(text, "1 real.test 443 /dns-query");
    assert_int_equal(s.ttl_s, 80);
    read_all(NAME ". 80 CNAME " NAME ".", NULL, 0, &s);
    assert_string_equal(s.why, "its aliases run in a circle or are too many");
    read_all("", NULL, 0, &s);
    assert_int_equal(s.ttl_s, UINT32_MAX);
}

static void test_negative_answers(void **state)
{
    (void)state;
    struct fr_services s;
    struct fr_dns_response r;
    struct message m = test_message(NAME, FR_DNS_SVCB, NX, "", SOA60, "");
    assert_int_equal(fr_dns_response_read(fr_span(m.b, m.n), &r), FR_OK);
    fr_services_read(&r, &s);
    assert_string_equal(s.why, "there is no such name");
    assert_true(s.is_empty);
    assert_int_equal(s.ttl_s, 60);
}

static void test_templates(void **state)
{
    (void)state;
    static const struct {
        const char *template_, *path; /* NULL: not one that we use */
    } rows[] = {
        {"/dns-query{?dns}", "/dns-query"},
        {"/{?dns}", "/"},
        {"/a/b{?x,dns}", "/a/b"},
        {"/q?ct=x{&dns}", "/q?ct=x"},
        {"/q%20r{?dns}", "/q%20r"},
        {"/dns-query", NULL},     /* a GET could not carry the question */
        {"/dns-query{?x}", NULL}, /* nor here */
        {"/dns-query{&dns}", NULL},
        {"/q?ct=x{?dns}", NULL},
        {"dns-query{?dns}", NULL},     /* not absolute */
        {"//evil.test/q{?dns}", NULL}, /* another authority */
        {"https://evil.test/q{?dns}", NULL},
        {"/\\evil.test/q{?dns}", NULL},
        {"/a b{?dns}", NULL},
        {"/a#b{?dns}", NULL},
        {"/a\r\nhost: evil{?dns}", NULL},
        {"/{x}/q{?dns}", NULL},
        {"/q{dns}", NULL},
        {"/q{?dns}/r", NULL},
        {"/q{?dns", NULL},
        {"/q{?dns}}", NULL},
        {"/q{", NULL},
        {"{?dns}", NULL},
        {"/\xc3\xa4{?dns}", NULL},
        {"", NULL},
    };
    char path[FR_SERVICE_PATH];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum fr_err err = fr_dohpath_expand(fr_span_str(rows[i].template_), path);
        if ((err == FR_OK) != (rows[i].path != NULL) ||
            (rows[i].path && strcmp(path, rows[i].path) != 0))
            fail_msg("%s: %s", rows[i].template_, err ? fr_err_text(err) : path);
    }
    char longest[FR_SERVICE_PATH + 16];
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    memcpy(longest + FR_SERVICE_PATH - 1, "{?dns}", 7);
    assert_int_equal(fr_dohpath_expand(fr_span_str(longest), path), FR_OK);
    assert_int_equal(strlen(path), FR_SERVICE_PATH - 1);
    longest[FR_SERVICE_PATH - 1] = 'x';
    memcpy(longest + FR_SERVICE_PATH, "{?dns}", 7);
    assert_int_equal(fr_dohpath_expand(fr_span_str(longest), path), FR_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_an_alias_hides_services),
        cmocka_unit_test(test_behind_cnames_and_ttls),
        cmocka_unit_test(test_negative_answers),
        cmocka_unit_test(test_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
