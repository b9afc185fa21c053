#include "names/member.h"

#include "base/addr.h"
#include "base/hex.h"

static bool is_word_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool fr_is_host_label(struct fr_span label)
{
    if (label.n < 1 || label.n > 63) return false;
    for (size_t i = 0; i < label.n; i++) {
        bool is_inner = i > 0 && i + 1 < label.n;
        if (!is_word_char(label.p[i]) && !(is_inner && label.p[i] == '-')) return false;
    }
    return true;
}

static bool is_all_hex(struct fr_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (fr_hex_digit(text.p[i]) < 0) return false;
    }
    return true;
}

static enum fr_err refuse(struct fr_span text, struct fr_diag *diag, const char *what,
                          const char *rule)
{
    return fr_diag_fail(diag, FR_E_INVALID, "%s \"%.*s\": %s", what,
                        (int)(text.n < 80 ? text.n : 80), text.n > 0 ? (const char *)text.p : "",
                        rule);
}

enum fr_err fr_member_check(struct fr_span id, struct fr_diag *diag)
{
    static const char what[] = "member id";

    if (id.n < 1 || id.n >= FR_MEMBER_TEXT)
        return refuse(id, diag, what, "it must have 1 to 32 characters");
    if (id.p[0] < 'a' || id.p[0] > 'z')
        return refuse(id, diag, what, "it must begin with a lower-case letter");
    for (size_t i = 0; i < id.n; i++) {
        if (!is_word_char(id.p[i]) && id.p[i] != '-') {
            return refuse(id, diag, what, "it may hold lower-case letters, digits and dashes only");
        }
    }
    if (id.p[id.n - 1] == '-') return refuse(id, diag, what, "it must not end with a dash");
    if ((id.n == 6 || id.n == 16) && is_all_hex(id)) {
        return refuse(id, diag, what, "6 or 16 hex digits would be taken for a NetID or an EUI");
    }
    return FR_OK;
}

enum fr_err fr_fed_check(struct fr_span name, struct fr_diag *diag)
{
    static const char what[] = "federation name";
    struct fr_span label, rest = name;
    struct fr_ip ip;
    size_t labels = 0;
    bool is_more = true;

    if (name.n < 1 || name.n >= FR_FED_TEXT)
        return refuse(name, diag, what, "it must have 1 to 200 characters");
    while (is_more) {
        is_more = fr_span_cut(rest, '.', &label, &rest);
        labels++;
        if (!fr_is_host_label(label)) {
            return refuse(name, diag, what,
                          "each part must have 1 to 63 lower-case letters, digits or inner dashes, "
                          "and no dot follows the last");
        }
    }
    if (labels < 2)
        return refuse(name, diag, what, "it must have at least two parts, as in fed.example");
    enum fr_err is_not_ip = fr_ip_parse(name, &ip);
    if (!is_not_ip) return refuse(name, diag, what, "it must not be an IP address");
    return FR_OK;
}
