#include "resolver/rule.h"

#include <string.h>

static struct fr_span text_of(const struct fr_dns_string *s)
{
    return fr_span(s->b, s->n);
}

static bool read_service(const struct fr_dns_string *s, enum fedroam_service *out)
{
    static const struct {
        const char *text;
        enum fedroam_service service;
    } SERVICES[] = {
        {"", FEDROAM_SERVICE_NONE}, {"LWN", FEDROAM_SERVICE_LWN}, {"LWNS", FEDROAM_SERVICE_LWNS}};
    for (size_t i = 0; i < sizeof SERVICES / sizeof *SERVICES; i++) {
        if (!fr_span_equal_nocase(text_of(s), fr_span_str(SERVICES[i].text))) continue;
        *out = SERVICES[i].service;
        return true;
    }
    return false;
}

static bool read_next(const struct fr_dns_string *flags, enum fr_rule_next *out)
{
    if (flags->n > 1) return false;
    switch (flags->n == 0 ? 'P' : flags->b[0] & ~0x20) {
    case 'S': *out = FR_RULE_SRV; return true;
    case 'A': *out = FR_RULE_ADDRESS; return true;
    case 'U': *out = FR_RULE_URI; return true;
    case 'P': *out = FR_RULE_NAPTR; return true;
    default: return false;
    }
}

/* "!^.*$!URI!", and an "i" behind it, which changes nothing here. */
static bool cut_uri(struct fr_span regexp, struct fr_span *uri)
{
    static const char HEAD[] = "!^.*$!";
    struct fr_span flags;
    if (!fr_span_starts(regexp, HEAD)) return false;
    struct fr_span rest = fr_span(regexp.p + strlen(HEAD), regexp.n - strlen(HEAD));
    return fr_span_cut(rest, '!', uri, &flags) &&
           (flags.n == 0 || fr_span_equal_nocase(flags, FR_SPAN_LIT("i"))) &&
           (uri->n == 0 || !memchr(uri->p, '\\', uri->n));
}

static bool read_uri(const struct fr_naptr *naptr, struct fr_rule *rule)
{
    struct fr_span uri;
    if (naptr->replacement.n > 1 || !cut_uri(text_of(&naptr->regexp), &uri)) return false;
    if (fr_url_parse(uri, &rule->uri) != FR_OK) return false;
    if (rule->uri.is_tls != (rule->service == FEDROAM_SERVICE_LWNS)) return false;
    if (rule->uri.is_ip) {
        rule->name = (struct fr_dname){.b = {0}, .n = 1};
        return true;
    }
    return fr_dname_parse(fr_span_str(rule->uri.host), &rule->name) == FR_OK && rule->name.n > 1;
}

bool fr_rule_read(const struct fr_naptr *naptr, struct fr_rule *out)
{
    struct fr_rule rule = {.order = naptr->order, .preference = naptr->preference};
    if (!read_service(&naptr->services, &rule.service) || !read_next(&naptr->flags, &rule.next))
        return false;
    /* The last rule names the service, or nothing would tell HTTP from HTTPS. */
    if (rule.service == FEDROAM_SERVICE_NONE && rule.next != FR_RULE_NAPTR) return false;
    if (rule.next == FR_RULE_URI) {
        if (!read_uri(naptr, &rule)) return false;
    } else {
        /* Regexp and replacement exclude each other; "." leads nowhere. */
        if (naptr->regexp.n > 0 || naptr->replacement.n <= 1) return false;
        rule.name = naptr->replacement;
    }
    *out = rule;
    return true;
}
