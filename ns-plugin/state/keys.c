#include "state/keys.h"

#include "base/conf.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "names/conf.h"
#include "names/eui.h"

#include <stdlib.h>

struct fr_keys {
    struct fr_device *devices; /* sorted by DevEUI once loaded */
    size_t n;
    struct fr_kek *keks;
    size_t n_keks;
    uint64_t *join_euis; /* of the devices with keys, sorted, each once; not from the file */
    size_t n_join_euis;
};

static const struct fr_conf_word VERSIONS[] = {
    {"1.0", FR_LORAWAN_1_0},
    {"1.0.1", FR_LORAWAN_1_0_1},
    {"1.0.2", FR_LORAWAN_1_0_2},
    {"1.0.3", FR_LORAWAN_1_0_3},
    {"1.0.4", FR_LORAWAN_1_0_4},
    {"1.1", FR_LORAWAN_1_1},
    {NULL, 0},
};

const char *fr_lorawan_print(enum fr_lorawan version)
{
    return VERSIONS[version].word;
}

/* Says what is wrong with a key without repeating any of it. */
static enum fr_err parse_key(struct fr_span text, void *member, struct fr_diag *diag)
{
    struct fr_root_key *key = member;

    enum fr_err err = fr_hex_parse(text, key->bytes, sizeof key->bytes);
    key->is_set = err == FR_OK;
    return err ? fr_diag_fail(diag, err, "not a key: 32 hex digits are wanted") : FR_OK;
}

static void release_key(void *member)
{
    fr_secret_zero(member, sizeof(struct fr_root_key));
}

static const struct fr_conf_row DEVICE_ROWS[] = {
    {.key = "deveui",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_device, dev_eui),
     .parse = fr_conf_parse_eui,
     .flags = FR_CONF_REQUIRED,
     .help = "DevEUI of the device."},
    {.key = "joineui",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_device, join_eui),
     .parse = fr_conf_parse_eui,
     .flags = FR_CONF_REQUIRED,
     .help = "JoinEUI (AppEUI) it joins with."},
    {.key = "lorawan",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_device, version),
     .def = "1.0.3",
     .words = VERSIONS,
     .help = "LoRaWAN version of the device."},
    {.key = "app_key",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_device, app_key),
     .parse = parse_key,
     .release = release_key,
     .flags = FR_CONF_SECRET,
     .help = "AppKey, 32 hex digits."},
    {.key = "nwk_key",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_device, nwk_key),
     .parse = parse_key,
     .release = release_key,
     .flags = FR_CONF_SECRET,
     .help = "NwkKey, 32 hex digits; LoRaWAN 1.1 only."},
    {.key = "roaming",
     .type = FR_T_BOOL,
     FR_CONF_AT(struct fr_device, may_roam),
     .def = "true",
     .help = "Whether it may join through visited networks."},
    {.key = "netid",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_device, home_netid),
     .parse = fr_conf_parse_netid,
     .help = "Its home, where that is another network and only its keys are here."},
    {0},
};

static const struct fr_conf_row KEK_ROWS[] = {
    {.key = "label",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_kek, label),
     .max = 64,
     .flags = FR_CONF_REQUIRED,
     .help = "KEKLabel, as agreed with the peer."},
    {.key = "key",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_kek, key),
     .parse = parse_key,
     .release = release_key,
     .flags = FR_CONF_REQUIRED | FR_CONF_SECRET,
     .help = "The key, 32 hex digits."},
    {0},
};

static const struct fr_conf_row ROWS[] = {
    {.key = "devices",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_keys, devices, n),
     .max = FR_KEYS_MAX,
     .flags = FR_CONF_LINE,
     .line_at = offsetof(struct fr_device, line),
     .rows = DEVICE_ROWS,
     .help = "The devices of this network."},
    {.key = "keks",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_keys, keks, n_keks),
     .rows = KEK_ROWS,
     .help = "Keys that session keys are wrapped with on their way to a peer."},
    {0},
};

const struct fr_conf_schema fr_keys_schema = {.title = "devices.yaml",
                                              .summary =
                                                  "devices of fedroam-ns and their root keys",
                                              .size = sizeof(struct fr_keys),
                                              .is_private = true,
                                              .rows = ROWS};

static int by_dev_eui(const void *a, const void *b)
{
    uint64_t x = ((const struct fr_device *)a)->dev_eui, y = ((const struct fr_device *)b)->dev_eui;

    return (x > y) - (x < y);
}

/* Of a device that is there twice, the first in the file comes first. */
static int by_dev_eui_and_line(const void *a, const void *b)
{
    uint32_t x = ((const struct fr_device *)a)->line, y = ((const struct fr_device *)b)->line;
    int order = by_dev_eui(a, b);

    return order != 0 ? order : (x > y) - (x < y);
}

/* Cross-checks: which keys a version needs, and every device once. */
static enum fr_err check(struct fr_keys *keys, const char *path, struct fr_diag *diag)
{
    char eui[FR_EUI_TEXT];
    const char *wrong = NULL;
    uint32_t line = 0;

    if (keys->n > 1) qsort(keys->devices, keys->n, sizeof keys->devices[0], by_dev_eui_and_line);
    for (size_t i = 0; i < keys->n && wrong == NULL; i++) {
        const struct fr_device *d = &keys->devices[i];
        bool is_1_1 = d->version == FR_LORAWAN_1_1;
        line = d->line;
        fr_eui_print(d->dev_eui, eui);
        if (fr_eui_check(d->dev_eui, NULL) != FR_OK)
            wrong = "has a DevEUI that no device can have";
        else if (i > 0 && keys->devices[i - 1].dev_eui == d->dev_eui)
            wrong = "is listed already";
        else if (!is_1_1 && d->nwk_key.is_set)
            wrong = "has an nwk_key, but is not of LoRaWAN 1.1";
        else if (is_1_1 && d->nwk_key.is_set != d->app_key.is_set) {
            wrong = "is of LoRaWAN 1.1 and needs both app_key and nwk_key, or neither";
        }
    }
    if (wrong == NULL) return FR_OK;
    enum fr_err err = fr_diag_fail(diag, FR_E_CONFIG, "device %s %s", eui, wrong);
    fr_diag_where(diag, path, line, 0);
    return err;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* JoinEUIs are few and devices many: asked for at every message, so listed once. */
static enum fr_err list_join_euis(struct fr_keys *keys)
{
    size_t n = 0;

    keys->join_euis = fr_calloc(keys->n + 1, sizeof keys->join_euis[0]);
    if (keys->join_euis == NULL) return FR_E_NOMEM;
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->devices[i].app_key.is_set) keys->join_euis[n++] = keys->devices[i].join_eui;
    }
    if (n > 1) qsort(keys->join_euis, n, sizeof keys->join_euis[0], by_value);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || keys->join_euis[i] != keys->join_euis[i - 1]) {
            keys->join_euis[keys->n_join_euis++] = keys->join_euis[i];
        }
    }
    return FR_OK;
}

static enum fr_err adopt(struct fr_keys *loaded, const char *path, struct fr_diag *diag,
                         struct fr_keys **out)
{
    enum fr_err err = check(loaded, path, diag);
    if (err == FR_OK) err = list_join_euis(loaded);
    struct fr_keys *keys = err ? NULL : fr_memdup(loaded, sizeof *loaded);

    if (keys == NULL) {
        fr_free(loaded->join_euis);
        fr_conf_free(&fr_keys_schema, loaded);
        return err ? err : FR_E_NOMEM;
    }
    *out = keys;
    return FR_OK;
}

enum fr_err fr_keys_load(const char *path, struct fr_diag *diag, struct fr_keys **out)
{
    struct fr_keys loaded;

    enum fr_err err = fr_conf_load(&fr_keys_schema, path, diag, &loaded);
    return err ? err : adopt(&loaded, path, diag, out);
}

enum fr_err fr_keys_parse(const char *path, struct fr_span text, struct fr_diag *diag,
                          struct fr_keys **out)
{
    struct fr_keys loaded;

    enum fr_err err = fr_conf_parse(&fr_keys_schema, path, text, diag, &loaded);
    return err ? err : adopt(&loaded, path, diag, out);
}

void fr_keys_free(struct fr_keys *keys)
{
    if (keys == NULL) return;
    fr_free(keys->join_euis);
    fr_conf_free(&fr_keys_schema, keys);
    fr_free(keys);
}

size_t fr_keys_count(const struct fr_keys *keys)
{
    return keys == NULL ? 0 : keys->n;
}

const struct fr_device *fr_keys_find(const struct fr_keys *keys, uint64_t dev_eui)
{
    const struct fr_device wanted = {.dev_eui = dev_eui};

    if (keys == NULL || keys->n == 0) return NULL;
    return bsearch(&wanted, keys->devices, keys->n, sizeof wanted, by_dev_eui);
}

bool fr_keys_has_join_eui(const struct fr_keys *keys, uint64_t join_eui)
{
    if (keys == NULL || keys->n_join_euis == 0) return false;
    return bsearch(&join_eui, keys->join_euis, keys->n_join_euis, sizeof join_eui, by_value) !=
           NULL;
}

const struct fr_kek *fr_keys_find_kek(const struct fr_keys *keys, struct fr_span label)
{
    for (size_t i = 0; keys != NULL && i < keys->n_keks; i++) {
        if (fr_span_is(label, keys->keks[i].label)) return &keys->keks[i];
    }
    return NULL;
}
