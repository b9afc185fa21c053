#pragma once
/*
 * Which devices of a network server are published, and why the others are not.
 *
 * Model: a device is chosen when it is of one of the tenants, one of the applications, has one of the profiles and all the tags that
 *   the choice names; a list that is empty chooses all. Of the chosen those are left out that could not roam: activated by hand (no
 *   join-request, so nobody asks for the DevEUI), disabled, or with a device-profile that forbids it.
 * Owns: nothing; texts are borrowed. Threads: any.
 * Trust: texts are the network server's.
 */
#include "sync/conf.h"

struct fr_sync_device {
    uint64_t deveui;
    bool is_otaa, is_disabled, may_roam;
    /* any of them may be NULL */
    const char *tenant_id, *tenant, *application_id, *application, *profile_id, *profile;
    const char *service_profile_id;
    const char
        *tags[FR_SYNC_TAGS_MAX]; /* values of the choice's tags, in its order; NULL: has none */
};

enum fr_sync_fate {
    FR_SYNC_TAKEN,
    FR_SYNC_NOT_CHOSEN,
    FR_SYNC_ABP,
    FR_SYNC_DISABLED,
    FR_SYNC_NOT_ROAMING,
    FR_SYNC_RESERVED, /* an EUI that no device has: all zeros, all ones */
    FR_SYNC_FATES,
};
/* "not chosen", …; the key in JSON has no blanks. */
const char *fr_sync_fate_text(enum fr_sync_fate fate);
const char *fr_sync_fate_key(enum fr_sync_fate fate);

enum fr_sync_fate fr_sync_choose(const struct fr_sync_federation_conf *choice,
                                 const struct fr_sync_device *device);

/* The key of a tag in the choice ("key=value" or "key"), terminated; false: longer than size. */
bool fr_sync_tag_key(const char *tag, char *out, size_t size);
