#include "ca/profile.h"

#include "names/eui.h"
#include "names/netid.h"

#include <stdio.h>
#include <string.h>

void fr_subject_print_id(const struct fr_subject *subject, char out[FR_SUBJECT_ID_TEXT])
{
    switch (subject->profile) {
    case FR_PROFILE_BROKER: (void)snprintf(out, FR_SUBJECT_ID_TEXT, "%s", subject->host); break;
    case FR_PROFILE_DOH: (void)snprintf(out, FR_SUBJECT_ID_TEXT, "%s", subject->member); break;
    case FR_PROFILE_NS: fr_netid_print(subject->netid, out); break;
    case FR_PROFILE_JS: fr_eui_print(subject->joineui, out); break;
    }
}

static enum fr_err add_dns(const struct fr_cert_name *name, const char *fed,
                           struct fr_profile_names *out)
{
    enum fr_err err = fr_cert_name_print(name, fed, out->dns[out->dns_count]);

    if (!err) out->dns_count++;
    return err;
}

static struct fr_cert_name labelled(enum fr_cert_kind kind, const char *label)
{
    struct fr_cert_name name = {.kind = kind};

    (void)snprintf(name.label, sizeof name.label, "%s", label);
    return name;
}

/* A host must not be called like one of the zone's own branches: its certificate would speak for
 * what is below. */
static enum fr_err check_host(const char *host, struct fr_diag *diag)
{
    static const char *const TAKEN[] = {"broker", "ca",     "crl",    "member",
                                        "netid",  "deveui", "joineui"};

    if (host == NULL || !fr_is_host_label(fr_span_str(host)))
        return fr_diag_fail(diag, FR_E_INVALID,
                            "a host is one label of lower-case letters, digits and inner dashes");
    for (size_t i = 0; i < sizeof TAKEN / sizeof TAKEN[0]; i++) {
        if (strcmp(host, TAKEN[i]) == 0)
            return fr_diag_fail(diag, FR_E_INVALID, "a host cannot be called %s: the zone uses it",
                                host);
    }
    return FR_OK;
}

static enum fr_err name_broker(const struct fr_subject *s, const char *fed, struct fr_diag *diag,
                               struct fr_profile_names *out)
{
    struct fr_cert_name broker = {.kind = FR_CERT_BROKER};
    struct fr_cert_name ca = {.kind = FR_CERT_CA};
    struct fr_cert_name host = {.kind = FR_CERT_HOST};
    enum fr_err err = check_host(s->host, diag);

    if (err) return err;
    host = labelled(FR_CERT_HOST, s->host);
    err = add_dns(&broker, fed, out);
    if (!err) err = add_dns(&ca, fed, out);
    if (!err) err = add_dns(&host, fed, out);
    if (err) return err;
    bool fits = strlen(out->dns[0]) <= FR_CERT_CN_MAX; /* X.520: a common name has 64 characters */
    (void)snprintf(out->common_name, sizeof out->common_name, "%.64s",
                   fits ? out->dns[0] : "broker");
    (void)snprintf(out->uri, sizeof out->uri, "spiffe://%s/broker", fed);
    return FR_OK;
}

/* The common name of ns and js is compared byte for byte with SenderID by ChirpStack v3, hence
 * lower-case digits alone. */
static enum fr_err name_member(const struct fr_subject *s, const char *fed, struct fr_diag *diag,
                               struct fr_profile_names *out)
{
    struct fr_cert_name name = {.netid = s->netid, .joineui = s->joineui};
    char what[FR_CERT_CN_MAX + 4];
    enum fr_err err = s->member == NULL
                          ? fr_diag_fail(diag, FR_E_INVALID, "this profile needs a member")
                          : fr_member_check(fr_span_str(s->member), diag);

    if (err) return err;
    fr_subject_print_id(s, out->common_name);
    if (s->profile == FR_PROFILE_DOH) {
        name = labelled(FR_CERT_MEMBER, s->member);
        (void)snprintf(what, sizeof what, "doh");
    } else if (s->profile == FR_PROFILE_NS) {
        err = fr_netid_check(s->netid, diag);
        name.kind = FR_CERT_NETID;
        (void)snprintf(what, sizeof what, "ns/%s", out->common_name);
    } else {
        err = fr_eui_check(s->joineui, diag);
        name.kind = FR_CERT_JOINEUI;
        (void)snprintf(what, sizeof what, "js/%s", out->common_name);
    }
    if (!err) err = add_dns(&name, fed, out);
    if (!err) err = fr_cert_uri_print(fed, s->member, what, out->uri);
    return err;
}

enum fr_err fr_profile_name(const struct fr_subject *subject, const char *fed, struct fr_diag *diag,
                            struct fr_profile_names *out)
{
    struct fr_profile_names names = {0};
    enum fr_err err = subject->profile == FR_PROFILE_BROKER
                          ? name_broker(subject, fed, diag, &names)
                          : name_member(subject, fed, diag, &names);

    if (!err) *out = names;
    return err;
}

enum fr_err fr_profile_point(const char *fed, const char *ca, struct fr_profile_names *out)
{
    int a = snprintf(out->crl_url, sizeof out->crl_url, "http://crl.%s/%s.crl", fed, ca);
    int b = snprintf(out->issuer_url, sizeof out->issuer_url, "http://crl.%s/%s.cer", fed, ca);

    return a < (int)sizeof out->crl_url && b < (int)sizeof out->issuer_url ? FR_OK : FR_E_LIMIT;
}

const char *fr_profile_organisation(const char *fed)
{
    while (strlen(fed) > FR_CERT_CN_MAX)
        fed = strchr(fed, '.') + 1; /* labels have at most 63 bytes */
    return fed;
}

enum fr_err fr_profile_fill(const struct fr_profile_names *names, enum fr_profile profile,
                            const char *fed, int64_t now_s, int64_t lifetime_s,
                            const struct fr_cert_fields *issuer, struct fr_cert_spec *out)
{
    struct fr_cert_spec spec = {
        .kind = FR_X509_LEAF,
        .not_before_s = now_s - FR_BACKDATE_S,
        .not_after_s = now_s + lifetime_s - 1, /* both ends are inclusive (RFC 5280 §4.1.2.5) */
        .organisation = fr_profile_organisation(fed),
        .common_name = names->common_name,
        .dns_count = names->dns_count,
        .uri = names->uri,
        .crl_url = names->crl_url[0] != '\0' ? names->crl_url : NULL,
        .issuer_url = names->issuer_url[0] != '\0' ? names->issuer_url : NULL,
        .server = profile != FR_PROFILE_DOH,
        .client = true,
    };

    if (now_s < issuer->not_before_s || now_s >= issuer->not_after_s) return FR_E_EXPIRED;
    if (spec.not_before_s < issuer->not_before_s) spec.not_before_s = issuer->not_before_s;
    if (spec.not_after_s > issuer->not_after_s) spec.not_after_s = issuer->not_after_s;
    for (size_t i = 0; i < names->dns_count; i++) spec.dns[i] = names->dns[i];
    *out = spec;
    return FR_OK;
}
