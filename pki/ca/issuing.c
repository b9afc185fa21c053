#include "ca/issuing.h"

#include "ca/profile.h"
#include "names/member.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* "fed.example Issuing CA 2026a"; where that is over X.520's 64 characters, without the
 * federation, which stands in O anyhow. */
static void print_common_name(const char *fed, const char *what, char out[FR_CERT_CN_MAX + 1])
{
    char whole[FR_FEDERATION_MAX + FR_CERT_CN_MAX + 2];

    (void)snprintf(whole, sizeof whole, "%s %s", fed, what);
    (void)snprintf(out, FR_CERT_CN_MAX + 1, "%.64s",
                   strlen(whole) <= FR_CERT_CN_MAX ? whole : what);
}

static bool year_of(int64_t now_s, int *out)
{
    struct tm tm = {0};
    time_t now = (time_t)now_s;

    if (gmtime_r(&now, &tm) == NULL) return false;
    *out = tm.tm_year + 1900;
    return true;
}

enum fr_err fr_issuing_name(int64_t now_s, unsigned letter, char out[FR_HOST_MAX + 1])
{
    int year = 0;

    if (letter > 25 || !year_of(now_s, &year)) return FR_E_RANGE;
    (void)snprintf(out, FR_HOST_MAX + 1, "%d%c", year, (char)('a' + letter));
    return FR_OK;
}

void fr_issuing_print_name(const char *fed, const char *name, char out[FR_CERT_CN_MAX + 1])
{
    char what[FR_HOST_MAX + 16];

    (void)snprintf(what, sizeof what, "Issuing CA %s", name);
    print_common_name(fed, what, out);
}

enum fr_err fr_root_fill(const char *fed, int64_t now_s, struct fr_authority_texts *texts,
                         struct fr_cert_spec *out)
{
    char what[FR_CERT_CN_MAX];
    int year = 0;

    if (!year_of(now_s, &year)) return FR_E_RANGE;
    (void)snprintf(what, sizeof what, "LoRaWAN Federation Root CA %d", year);
    print_common_name(fed, what, texts->common_name);
    *out = (struct fr_cert_spec){
        .kind = FR_X509_ROOT,
        .not_before_s = now_s - FR_BACKDATE_S,
        .not_after_s = now_s + FR_ROOT_LIFETIME_S - 1,
        .organisation = fr_profile_organisation(fed),
        .common_name = texts->common_name,
    };
    return FR_OK;
}

static enum fr_err print_points(const char *fed, bool has_point, struct fr_authority_texts *texts)
{
    struct fr_profile_names names = {0};

    texts->crl_url[0] = texts->issuer_url[0] = '\0';
    if (!has_point) return FR_OK;
    enum fr_err err = fr_profile_point(fed, FR_ROOT_NAME, &names);
    if (err) return err;
    memcpy(texts->crl_url, names.crl_url, sizeof texts->crl_url);
    memcpy(texts->issuer_url, names.issuer_url, sizeof texts->issuer_url);
    return FR_OK;
}

enum fr_err fr_issuing_fill(const char *fed, const char *name, struct fr_issuing_dates dates,
                            const struct fr_cert_fields *root, bool has_point,
                            struct fr_authority_texts *texts, struct fr_cert_spec *out)
{
    if (!fr_is_host_label(fr_span_str(name)) || strcmp(name, FR_ROOT_NAME) == 0)
        return FR_E_INVALID;
    if (dates.from_s < root->not_before_s || dates.from_s >= root->not_after_s) return FR_E_EXPIRED;
    enum fr_err err = print_points(fed, has_point, texts);
    if (err) return err;
    fr_issuing_print_name(fed, name, texts->common_name);
    (void)snprintf(texts->uri, sizeof texts->uri, "spiffe://%s", fed);
    struct fr_cert_spec spec = {
        .kind = FR_X509_ISSUING,
        .not_before_s = dates.from_s - FR_BACKDATE_S,
        .not_after_s = dates.from_s + dates.lifetime_s - 1,
        .organisation = fr_profile_organisation(fed),
        .common_name = texts->common_name,
        .uri = texts->uri,
        .server = true, /* Go and webpki look for the use in every certificate of the chain */
        .client = true,
        .crl_url = has_point ? texts->crl_url : NULL,
        .issuer_url = has_point ? texts->issuer_url : NULL,
        .permitted_dns = fed,
    };
    if (spec.not_before_s < root->not_before_s) spec.not_before_s = root->not_before_s;
    if (spec.not_after_s > root->not_after_s) spec.not_after_s = root->not_after_s;
    *out = spec;
    return FR_OK;
}
