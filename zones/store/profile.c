#include "store/cert.h"

#include <string.h>

static const struct {
    const char *text;
    enum fr_profile profile;
    uint32_t rights;
} profiles[] = {
    {"broker", FR_PROFILE_BROKER, FR_RIGHT_REPLICA},
    {"doh", FR_PROFILE_DOH, FR_RIGHT_LOOKUP},
    {"ns", FR_PROFILE_NS, FR_RIGHT_LOOKUP | FR_RIGHT_ROAM},
    {"js", FR_PROFILE_JS, FR_RIGHT_ROAM},
};

static const struct {
    const char *text;
    enum fr_right right;
} rights[] = {
    {"lookup", FR_RIGHT_LOOKUP}, {"publish", FR_RIGHT_PUBLISH}, {"roam", FR_RIGHT_ROAM},
    {"enrol", FR_RIGHT_ENROL},   {"replica", FR_RIGHT_REPLICA}, {"secondary", FR_RIGHT_SECONDARY},
};

const char *fr_cert_status_text(enum fr_cert_status status)
{
    switch (status) {
    case FR_CERT_INTENT: return "intent";
    case FR_CERT_ISSUED: return "issued";
    case FR_CERT_REVOKED: return "revoked";
    }
    return "unknown";
}

const char *fr_profile_text(enum fr_profile profile)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (profiles[i].profile == profile) return profiles[i].text;
    return "unknown";
}

enum fr_err fr_profile_parse(const char *text, enum fr_profile *out)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (strcmp(profiles[i].text, text) != 0) continue;
        *out = profiles[i].profile;
        return FR_OK;
    }
    return FR_E_NOT_FOUND;
}

uint32_t fr_profile_rights(enum fr_profile profile)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (profiles[i].profile == profile) return profiles[i].rights;
    return 0;
}

const char *fr_right_text(enum fr_right right)
{
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        if (rights[i].right == right) return rights[i].text;
    return "unknown";
}

enum fr_err fr_right_parse(const char *text, enum fr_right *out)
{
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        if (strcmp(rights[i].text, text) != 0) continue;
        *out = rights[i].right;
        return FR_OK;
    }
    return FR_E_NOT_FOUND;
}
