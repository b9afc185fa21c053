#pragma once
/*
 * The devices of this network and their root keys, from a YAML file that only its owner can read.
 *
 * Model: a list of devices, looked up by DevEUI, and a list of KEKs, by label. A device without keys belongs to this network, but its keys are at a Join
 *   Server elsewhere. LoRaWAN 1.0.x: app_key. LoRaWAN 1.1: nwk_key and app_key.
 * Owns: all of it; keys are zeroed when freed.
 * Threads: read by any once loaded.
 * Errors: FR_E_CONFIG with file:line:column (bad value, unsafe mode, a device twice, a key missing), those of base/file.h.
 * Units and limits: FR_KEYS_MAX devices.
 * Trust: the operator's file. Keys never go into a log or a diag.
 */
#include "base/conf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_KEYS_MAX 1000000

enum fr_lorawan {
    FR_LORAWAN_1_0,
    FR_LORAWAN_1_0_1,
    FR_LORAWAN_1_0_2,
    FR_LORAWAN_1_0_3,
    FR_LORAWAN_1_0_4,
    FR_LORAWAN_1_1
};

/* "1.0", "1.0.1", … "1.1": what goes into MACVersion. */
const char *fr_lorawan_print(enum fr_lorawan version);

struct fr_root_key {
    bool is_set;
    uint8_t bytes[16];
};

struct fr_device {
    uint64_t dev_eui;
    uint64_t join_eui;
    enum fr_lorawan version;
    struct fr_root_key app_key, nwk_key;
    bool may_roam; /* it may be activated through visited networks */
    /* a device of another network, whose keys this Join Server holds; 0: of this one */
    uint32_t home_netid;
    uint32_t line; /* in the file */
};

/* A key-encryption key that peers know by its label. */
struct fr_kek {
    char *label;
    struct fr_root_key key;
};

struct fr_keys;

/* devices.yaml; what it loads has the size of fr_keys_load's. */
extern const struct fr_conf_schema fr_keys_schema;

enum fr_err fr_keys_load(const char *path, struct fr_diag *diag, struct fr_keys **out);
enum fr_err fr_keys_parse(const char *path, struct fr_span text, struct fr_diag *diag,
                          struct fr_keys **out);
void fr_keys_free(struct fr_keys *keys);

size_t fr_keys_count(const struct fr_keys *keys);
/* NULL: not a device of this network. NULL in, NULL out. */
const struct fr_device *fr_keys_find(const struct fr_keys *keys, uint64_t dev_eui);
/* Whether some device here has this JoinEUI and its keys: this Join Server answers for it. */
bool fr_keys_has_join_eui(const struct fr_keys *keys, uint64_t join_eui);
/* NULL: no KEK of that label. */
const struct fr_kek *fr_keys_find_kek(const struct fr_keys *keys, struct fr_span label);
