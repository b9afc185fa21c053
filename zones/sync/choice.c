#include "sync/choice.h"

#include "names/eui.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *text, *key;
} fates[FR_SYNC_FATES] = {
    [FR_SYNC_TAKEN] = {"taken", "taken"},
    [FR_SYNC_NOT_CHOSEN] = {"not chosen", "not_chosen"},
    [FR_SYNC_ABP] = {"activated by hand (ABP)", "abp"},
    [FR_SYNC_DISABLED] = {"disabled", "disabled"},
    [FR_SYNC_NOT_ROAMING] = {"device-profile without allow_roaming", "not_roaming"},
    [FR_SYNC_RESERVED] = {"not a device's EUI", "reserved"},
};

const char *fr_sync_fate_text(enum fr_sync_fate fate)
{
    return fates[fate].text;
}

const char *fr_sync_fate_key(enum fr_sync_fate fate)
{
    return fates[fate].key;
}

static bool is_one_of(char **words, size_t n, const char *id, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if ((id && strcasecmp(words[i], id) == 0) || (name && strcmp(words[i], name) == 0))
            return true;
    return n == 0;
}

bool fr_sync_tag_key(const char *tag, char *out, size_t size)
{
    struct fr_span key, value;
    (void)fr_span_cut(fr_span_str(tag), '=', &key, &value);
    return fr_span_copy(key, out, size);
}

static bool has_tags(const struct fr_sync_federation_conf *choice,
                     const struct fr_sync_device *device)
{
    for (size_t i = 0; i < choice->n_tags; i++) {
        const char *mark = strchr(choice->tags[i], '=');
        if (!device->tags[i] || (mark && strcmp(mark + 1, device->tags[i]) != 0)) return false;
    }
    return true;
}

static bool takes_also(const struct fr_sync_federation_conf *choice, const char *word)
{
    return choice->n_also && is_one_of(choice->also, choice->n_also, NULL, word);
}

enum fr_sync_fate fr_sync_choose(const struct fr_sync_federation_conf *choice,
                                 const struct fr_sync_device *d)
{
    if (!is_one_of(choice->tenants, choice->n_tenants, d->tenant_id, d->tenant) ||
        !is_one_of(choice->applications, choice->n_applications, d->application_id,
                   d->application) ||
        !is_one_of(choice->profiles, choice->n_profiles, d->profile_id, d->profile) ||
        !is_one_of(choice->service_profiles, choice->n_service_profiles, d->service_profile_id,
                   NULL) ||
        !has_tags(choice, d))
        return FR_SYNC_NOT_CHOSEN;
    if (fr_eui_check(d->deveui, NULL) != FR_OK) return FR_SYNC_RESERVED;
    if (!d->is_otaa && !takes_also(choice, "abp")) return FR_SYNC_ABP;
    if (d->is_disabled && !takes_also(choice, "disabled")) return FR_SYNC_DISABLED;
    if (!d->may_roam && !takes_also(choice, "not-roaming")) return FR_SYNC_NOT_ROAMING;
    return FR_SYNC_TAKEN;
}
