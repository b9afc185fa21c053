#include "names/cert_name.h"

#include "names/owner.h"

#include <stdio.h>
#include <string.h>

/* Labels at the apex that mean something else, so that no host may be called so. */
static bool is_taken_label(const char *label)
{
    static const char *const taken[] = {"broker", "ca", "deveui", "netid", "joineui", "member"};

    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (strcmp(label, taken[i]) == 0) return true;
    }
    return false;
}

static enum fr_err print_owner(enum fr_owner_kind kind, const struct fr_cert_name *name,
                               const char *fed, char out[FR_CERT_NAME_TEXT])
{
    struct fr_owner owner = {.kind = kind, .netid = name->netid, .eui = name->joineui};
    return fr_owner_print(&owner, fed, out);
}

enum fr_err fr_cert_name_print(const struct fr_cert_name *name, const char *fed,
                               char out[FR_CERT_NAME_TEXT])
{
    const char *middle = "";
    enum fr_err err = FR_OK;

    switch (name->kind) {
    case FR_CERT_BROKER: return print_owner(FR_OWNER_BROKER, name, fed, out);
    case FR_CERT_CA: return print_owner(FR_OWNER_CA, name, fed, out);
    case FR_CERT_NETID: return print_owner(FR_OWNER_NETID, name, fed, out);
    case FR_CERT_JOINEUI: return print_owner(FR_OWNER_JOINEUI, name, fed, out);
    case FR_CERT_HOST:
        if (!fr_is_host_label(fr_span_str(name->label)) || is_taken_label(name->label))
            return FR_E_INVALID;
        break;
    case FR_CERT_MEMBER:
        err = fr_member_check(fr_span_str(name->label), NULL);
        if (err) return err;
        middle = ".member";
        break;
    }
    if (strlen(name->label) + strlen(middle) + 1 + strlen(fed) > 253) return FR_E_LIMIT;
    (void)snprintf(out, FR_CERT_NAME_TEXT, "%s%s.%s", name->label, middle, fed);
    return FR_OK;
}

/* `prefix` is what stands before ".<fed>", lower case. */
static enum fr_err parse_prefix(struct fr_span prefix, struct fr_cert_name *out)
{
    struct fr_span label, rest;
    bool is_deep = fr_span_cut(prefix, '.', &label, &rest);
    enum fr_err err;

    if (!fr_span_copy(label, out->label, sizeof out->label)) return FR_E_NOT_FOUND;
    if (is_deep) {
        out->kind = FR_CERT_MEMBER;
        err = fr_member_check(label, NULL);
        return !err && fr_span_is(rest, "member") ? FR_OK : FR_E_NOT_FOUND;
    }
    out->kind = FR_CERT_HOST;
    return fr_is_host_label(label) && !is_taken_label(out->label) ? FR_OK : FR_E_NOT_FOUND;
}

static enum fr_err from_owner(const struct fr_owner *owner, struct fr_cert_name *out)
{
    struct fr_cert_name name = {0};

    if (owner->kind == FR_OWNER_BROKER) {
        name.kind = FR_CERT_BROKER;
    } else if (owner->kind == FR_OWNER_CA) {
        name.kind = FR_CERT_CA;
    } else if (owner->kind == FR_OWNER_NETID) {
        name.kind = FR_CERT_NETID;
        name.netid = owner->netid;
    } else if (owner->kind == FR_OWNER_JOINEUI) {
        name.kind = FR_CERT_JOINEUI;
        name.joineui = owner->eui;
    } else {
        return FR_E_NOT_FOUND;
    }
    *out = name;
    return FR_OK;
}

enum fr_err fr_cert_name_parse(struct fr_span text, const char *fed, struct fr_cert_name *out)
{
    char lower[FR_CERT_NAME_TEXT];
    struct fr_cert_name name = {0};
    struct fr_owner owner;
    size_t fed_n = strlen(fed);

    if (text.n <= fed_n + 1 || !fr_span_copy(text, lower, sizeof lower)) return FR_E_NOT_FOUND;
    for (char *c = lower; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c | 0x20);
        if (*c == '\\') return FR_E_NOT_FOUND; /* no escapes in a dNSName */
    }
    size_t prefix_n = text.n - fed_n - 1;
    if (lower[prefix_n] != '.' || strcmp(lower + prefix_n + 1, fed) != 0) return FR_E_NOT_FOUND;
    if (fr_owner_parse(fr_span(lower, text.n), fed, &owner) == FR_OK)
        return from_owner(&owner, out);
    enum fr_err err = parse_prefix(fr_span(lower, prefix_n), &name);
    if (!err) *out = name;
    return err;
}

enum fr_err fr_cert_uri_print(const char *fed, const char *member, const char *what,
                              char out[FR_CERT_URI_TEXT])
{
    if (what[0] == '\0') return FR_E_INVALID;
    for (const char *c = what; *c != '\0'; c++) {
        bool is_legal =
            (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '/' || *c == '-';
        if (!is_legal) return FR_E_INVALID;
    }
    enum fr_err err = fr_member_check(fr_span_str(member), NULL);
    if (!err) err = fr_fed_check(fr_span_str(fed), NULL);
    if (err) return err;
    int n = snprintf(out, FR_CERT_URI_TEXT, "spiffe://%s/member/%s/%s", fed, member, what);
    return n < FR_CERT_URI_TEXT ? FR_OK : FR_E_LIMIT;
}
