#include "resolver/rule.h"

#include "message.h"

#define NAME "_lwns._tcp.operator.example."
#define RE(uri) "\"!^.*$!" uri "!\" ."

static const struct {
    const char *label, *rdata;
    const char *rule; /* next, service, name, and of a URI: host port path; NULL: no rule */
} rows[] = {
    {"to an SRV", "50 60 \"S\" \"LWNS\" \"\" " NAME, "srv https _lwns._tcp.operator.example"},
    {"small letters", "50 60 \"s\" \"lwn\" \"\" " NAME, "srv http _lwns._tcp.operator.example"},
    {"to addresses", "1 2 A LWN \"\" js.operator.example.", "address http js.operator.example"},
    {"no flag: another NAPTR", "1 2 \"\" LWNS \"\" n.example.", "naptr https n.example"},
    {"flag P: the same", "1 2 P LWNS \"\" n.example.", "naptr https n.example"},
    {"one behind which any service may be", "1 2 \"\" \"\" \"\" n.example.", "naptr - n.example"},
    {"a URI", "1 2 U LWNS " RE("https://js.example/join?x=1"),
     "uri https js.example js.example 443 /join?x=1"},
    {"a URI with a port, and an i", "1 2 u LWN \"!^.*$!http://JS.example:8080!i\" .",
     "uri http js.example js.example 8080 /"},
    {"a URI with an address", "1 2 U LWNS " RE("https://[2001:db8::1]:8443/"),
     "uri https . 2001:db8::1 8443 /"},
    {"a service that is not ours", "1 2 S \"E2U+sip\" \"\" " NAME, NULL},
    {"part of a service's name", "1 2 S LW \"\" " NAME, NULL},
    {"two services", "1 2 S \"LWN+LWNS\" \"\" " NAME, NULL},
    {"no service in the last rule", "1 2 S \"\" \"\" " NAME, NULL},
    {"an unknown flag", "1 2 X LWNS \"\" " NAME, NULL},
    {"two flags", "1 2 SU LWNS \"\" " NAME, NULL},
    {"a digit", "1 2 3 LWNS \"\" " NAME, NULL},
    {"replacement and regexp", "1 2 S LWNS \"!^.*$!https://js.example/!\" " NAME, NULL},
    {"a URI and a replacement", "1 2 U LWNS \"!^.*$!https://js.example/!\" " NAME, NULL},
    {"neither", "1 2 S LWNS \"\" .", NULL},
    {"a URI that is none", "1 2 U LWNS " RE("js.example"), NULL},
    {"another scheme", "1 2 U LWNS " RE("ftp://js.example/"), NULL},
    {"HTTP under the name of HTTPS", "1 2 U LWNS " RE("http://js.example/"), NULL},
    {"HTTPS under the name of HTTP", "1 2 U LWN " RE("https://js.example/"), NULL},
    {"an empty URI", "1 2 U LWNS " RE(""), NULL},
    {"an empty regexp", "1 2 U LWNS \"\" .", NULL},
    {"a pattern that is not everything", "1 2 U LWNS \"!^a$!https://js.example/!\" .", NULL},
    {"a back-reference", "1 2 U LWNS \"!^.*$!https://js.example/\\\\1!\" .", NULL},
    {"not closed", "1 2 U LWNS \"!^.*$!https://js.example/\" .", NULL},
    {"more behind it", "1 2 U LWNS \"!^.*$!https://js.example/!g\" .", NULL},
    {"another delimiter", "1 2 U LWNS \"|^.*$|https://js.example/|\" .", NULL},
    {"a user in it", "1 2 U LWNS " RE("https://me@js.example/"), NULL},
    {"a blank in it", "1 2 U LWNS " RE("https://js.example/a b"), NULL},
    {"port 0", "1 2 U LWNS " RE("https://js.example:0/"), NULL},
};

static void print_rule(const struct fr_rule *rule, char *out, size_t size)
{
    static const char *const next[] = {"srv", "address", "uri", "naptr"};
    static const char *const service[] = {"-", "http", "https"};
    char name[FR_DNAME_TEXT];
    fr_dname_print(fr_dname_span(&rule->name), name);
    int n = snprintf(out, size, "%s %s %s", next[rule->next], service[rule->service], name);
    if (rule->next == FR_RULE_URI)
        snprintf(out + n, size - (size_t)n, " %s %u %s", rule->uri.host, (unsigned)rule->uri.port,
                 rule->uri.path);
}

static void test_rules(void **state)
{
    (void)state;
    const struct fr_dname root = test_name(".");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[512], text[2 * FR_DNAME_TEXT];
        const char *reason = NULL;
        struct fr_rule rule;
        struct fr_rr rr;
        snprintf(line, sizeof line, "j.example. 60 NAPTR %s", rows[i].rdata);
        if (fr_rr_parse(line, &root, NULL, 60, &rr, &reason) != FR_OK)
            fail_msg("%s: %s", rows[i].label, reason);
        bool is_rule = fr_rule_read(&rr.data.naptr, &rule);
        if (is_rule != (rows[i].rule != NULL)) fail_msg("%s: %d", rows[i].label, is_rule);
        if (!is_rule) continue;
        print_rule(&rule, text, sizeof text);
        if (strcmp(text, rows[i].rule) != 0) fail_msg("%s: %s", rows[i].label, text);
        assert_int_equal(rule.order, rr.data.naptr.order);
        assert_int_equal(rule.preference, rr.data.naptr.preference);
    }
}

/* Every beginning of a regexp, to the last byte: a rule only when it is whole. */
static void test_a_regexp_cut_anywhere(void **state)
{
    (void)state;
    static const char whole[] = "!^.*$!https://js.example:8443/a!i";
    for (size_t n = 0; n <= sizeof whole - 1; n++) {
        struct fr_naptr naptr = {.flags = {1, "U"}, .services = {4, "LWNS"}};
        struct fr_rule rule;
        naptr.replacement = test_name(".");
        naptr.regexp.n = (uint8_t)n;
        memcpy(naptr.regexp.b, whole, n);
        assert_int_equal(fr_rule_read(&naptr, &rule), n >= sizeof whole - 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_a_regexp_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
