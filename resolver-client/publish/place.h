#pragma once
/*
 * Where a broker's API is and what proves who we are there.
 *
 * Model: a URL, and files and addresses that are either named or those of the federation in a resolver.yaml: the one whose broker has
 *   that host.
 * Owns: its strings, from FR_PUBLISH_PLACE_INIT to fr_publish_place_deinit.
 * Threads: one; looking up a host's address blocks.
 * Errors: FR_E_INVALID (URL), FR_E_CONFIG (the file, or it knows no such broker), FR_E_NET (no address), FR_E_NOMEM.
 * Trust: the user's.
 */
#include "base/addr.h"
#include "base/diag.h"
#include "base/url.h"

#define FR_PUBLISH_ADDRS 8
#define FR_RESOLVER_YAML "/etc/fedroam/resolver.yaml"

struct fr_publish_named {
    const char *url;    /* https://broker.<fed>[:port][/…]; the path is not looked at */
    const char *config; /* NULL: FR_RESOLVER_YAML */
    const char *ca, *certificate, *key; /* files; those that are NULL are the configuration's */
    /* IPs; none: the configuration's, else looked up */
    const char *const *addresses;
    size_t n_addresses;
};

struct fr_publish_place {
    struct fr_url url;
    char *ca, *certificate, *key;
    struct fr_addr addrs[FR_PUBLISH_ADDRS];
    size_t n_addrs;
};

#define FR_PUBLISH_PLACE_INIT                                                                      \
    {                                                                                              \
        0                                                                                          \
    }

enum fr_err fr_publish_place_find(const struct fr_publish_named *named, struct fr_diag *diag,
                                  struct fr_publish_place *out);
void fr_publish_place_deinit(struct fr_publish_place *place);
