/* The one file of the product that knows ldns; see docs/decisions.md. */
#include "dns/master.h"

#include <ldns/ldns.h>
#include <string.h>

#include "base/parse.h"
#include "base/wire.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct fr_span next_word(const char **p)
{
    while (is_blank(**p)) (*p)++;
    const char *start = *p;
    for (; **p != '\0' && !is_blank(**p); (*p)++)
        if (**p == '\\' && (*p)[1] != '\0') (*p)++; /* "\ " is no end of a word */
    return fr_span(start, (size_t)(*p - start));
}

/* The types that struct fr_rr has a member for, and the numbers at the start of their RDATA.
 * ldns has readers for ninety types; only these are let near it. */
static const struct {
    const char *name;
    unsigned numbers;
    uint64_t max;
} TYPES[] = {
    {"A", 0, 0},      {"AAAA", 0, 0},
    {"CNAME", 0, 0},  {"SOA", 0, 0},
    {"NS", 0, 0},     {"TXT", 0, 0},
    {"HINFO", 0, 0},  {"SRV", 3, UINT16_MAX},
    {"TLSA", 3, 255}, {"NAPTR", 2, UINT16_MAX},
};

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (strcmp(TYPES[i].name, name) == 0) return true;
    return false;
}

/* ldns cuts a number that is too large down to its field without a word, so they are read here
 * first. */
static bool check_numbers(const char *rdata, unsigned count, uint64_t max)
{
    uint64_t number = 0;

    for (; count > 0; count--)
        if (fr_parse_u64(next_word(&rdata), 0, max, &number) != FR_OK) return false;
    return true;
}

/* A word that names a type at all, as MX or TYPE65280, even when we have no member for it. */
static bool is_type(struct fr_span word)
{
    char name[16];

    if (word.n == 0 || word.n >= sizeof name) return false;
    memcpy(name, word.p, word.n);
    name[word.n] = '\0';
    return ldns_get_rr_type_by_name(name) != 0;
}

/* The type is the first word behind the owner that is neither a TTL nor a class. */
static enum fr_err check_type(const char *line, const char **reason)
{
    *reason = "the record type is missing or not one we know";
    if (!is_blank(*line)) (void)next_word(&line);
    for (int i = 0; i < 3; i++) {
        struct fr_span word = next_word(&line);
        for (size_t k = 0; k < sizeof TYPES / sizeof TYPES[0]; k++) {
            if (!fr_span_equal_nocase(word, fr_span_str(TYPES[k].name))) continue;
            *reason = "a number is missing or out of range";
            return check_numbers(line, TYPES[k].numbers, TYPES[k].max) ? FR_OK : FR_E_RANGE;
        }
        bool is_ttl = word.n > 0 && word.p[0] >= '0' && word.p[0] <= '9';
        if (!is_ttl && !fr_span_equal_nocase(word, fr_span_str("IN")))
            return is_type(word) ? FR_E_UNSUPPORTED : FR_E_MALFORMED;
    }
    return FR_E_MALFORMED;
}

static bool has_open_quote(const char *line)
{
    bool is_open = false;

    for (; *line != '\0'; line++) {
        if (*line == '"') is_open = !is_open;
        if (*line == '\\' && line[1] != '\0') line++;
    }
    return is_open;
}

static enum fr_err check_line(const char *line, bool has_previous, const char **reason)
{
    size_t n = strnlen(line, FR_DNS_LINE_MAX + 1);

    if (n > FR_DNS_LINE_MAX) {
        *reason = "the line is too long";
        return FR_E_LIMIT;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)line[i] >= ' ' || line[i] == '\t') continue;
        *reason = "there is a control character in the line";
        return FR_E_MALFORMED;
    }
    if (is_blank(line[0]) && !has_previous) {
        *reason = "the line has no owner name";
        return FR_E_MALFORMED;
    }
    if (has_open_quote(line)) {
        *reason = "a quoted string has no end";
        return FR_E_MALFORMED;
    }
    return check_type(line, reason);
}

/* From ldns back to us by way of the wire, where our own reader judges it like a peer's bytes. */
static enum fr_err convert(const ldns_rr *from, struct fr_rr *out, const char **reason)
{
    struct fr_rr rr;
    char type[FR_DNS_TYPE_TEXT_SIZE];
    uint8_t *wire = NULL;
    size_t n = 0;

    *reason = "out of memory";
    if (ldns_rr2wire(&wire, from, LDNS_SECTION_ANSWER, &n) != LDNS_STATUS_OK) return FR_E_NOMEM;
    struct fr_rd r = fr_rd(fr_span(wire, n));
    fr_rr_read(&r, &rr);
    enum fr_err err = fr_rd_end(&r);
    LDNS_FREE(wire);
    /* ldns may have found another type than we did; of those we do not know, the RDATA is gone
     * by now */
    if (err != FR_OK || rr.class != FR_DNS_IN || !is_known(fr_dns_type_print(rr.type, type))) {
        *reason = "the record is not well formed, or too long";
        return FR_E_MALFORMED;
    }
    *out = rr;
    return FR_OK;
}

enum fr_err fr_rr_parse(const char *line, const struct fr_dname *origin,
                        const struct fr_dname *previous, uint32_t default_ttl, struct fr_rr *out,
                        const char **reason)
{
    enum fr_err err = check_line(line, previous != NULL, reason);
    ldns_rdf *from = NULL, *before = NULL;
    ldns_rr *rr = NULL;

    if (err != FR_OK) return err;
    err = FR_E_NOMEM;
    *reason = "out of memory";
    from = ldns_dname_new_frm_data(origin->n, origin->b);
    if (from == NULL) goto out;
    if (previous != NULL) {
        before = ldns_dname_new_frm_data(previous->n, previous->b);
        if (before == NULL) goto out;
    }
    ldns_status status = ldns_rr_new_frm_str(&rr, line, default_ttl, from, &before);
    if (status != LDNS_STATUS_OK) {
        *reason = ldns_get_errorstr_by_id(status);
        err = status == LDNS_STATUS_MEM_ERR ? FR_E_NOMEM : FR_E_MALFORMED;
        goto out;
    }
    err = convert(rr, out, reason);
out:
    ldns_rr_free(rr);
    ldns_rdf_deep_free(before);
    ldns_rdf_deep_free(from);
    return err;
}
