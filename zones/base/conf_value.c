/* One scalar into one member. */
#include "base/conf_internal.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/parse.h"

#include <stdio.h>
#include <string.h>

enum { MAX_STRING = 4096, MAX_WORDS = 64 };

const char *fr_conf_type_text(enum fr_conf_type type)
{
    switch (type) {
    case FR_T_BOOL: return "true or false";
    case FR_T_UINT: return "a number";
    case FR_T_SIZE: return "a size";
    case FR_T_DURATION: return "a duration";
    case FR_T_STRING: return "text";
    case FR_T_PATH: return "a path";
    case FR_T_ENUM: return "a word";
    case FR_T_IP: return "an IP address";
    case FR_T_ADDR: return "an address and port";
    case FR_T_STRINGS: return "a list of texts";
    case FR_T_CUSTOM: return "a value";
    case FR_T_GROUP: return "a mapping";
    case FR_T_LIST: return "a list of mappings";
    }
    return "a value";
}

static const char *form_of(enum fr_conf_type type)
{
    switch (type) {
    case FR_T_BOOL: return "write true or false";
    case FR_T_SIZE: return "a number of bytes, or with KiB, MiB, GiB, TiB";
    case FR_T_DURATION: return "a number with ms, s, m, h or d";
    case FR_T_IP: return "as 192.0.2.1 or 2001:db8::1";
    case FR_T_ADDR: return "as 192.0.2.1:8005 or [2001:db8::1]:8005";
    case FR_T_UINT:
    case FR_T_STRING:
    case FR_T_PATH:
    case FR_T_ENUM:
    case FR_T_STRINGS:
    case FR_T_CUSTOM:
    case FR_T_GROUP:
    case FR_T_LIST: break;
    }
    return NULL;
}

/* `key: "value" is not …`, without the value of a secret. */
static enum fr_err refuse(const struct fr_conf_row *row, struct fr_span text, struct fr_diag *diag,
                          const char *rule)
{
    if (row->flags & FR_CONF_SECRET)
        return fr_diag_fail(diag, FR_E_CONFIG, "%s is not %s", row->key, rule);
    return fr_diag_fail(diag, FR_E_CONFIG, "%s: \"%.*s\" is not %s", row->key,
                        (int)(text.n < 60 ? text.n : 60), text.n > 0 ? (const char *)text.p : "",
                        rule);
}

static enum fr_err not_of_type(const struct fr_conf_row *row, struct fr_span text,
                               struct fr_diag *diag)
{
    enum fr_err err = refuse(row, text, diag, fr_conf_type_text(row->type));

    if (form_of(row->type) != NULL) fr_diag_hint(diag, "%s", form_of(row->type));
    return err;
}

/* What an unsigned member of `size` bytes can hold. */
static uint64_t largest(size_t size)
{
    return size >= 8 ? UINT64_MAX : ((uint64_t)1 << (8 * size)) - 1;
}

static void put_unsigned(void *member, size_t size, uint64_t v)
{
    uint8_t v8 = (uint8_t)v;
    uint16_t v16 = (uint16_t)v;
    uint32_t v32 = (uint32_t)v;

    switch (size) {
    case 1: memcpy(member, &v8, 1); break;
    case 2: memcpy(member, &v16, 2); break;
    case 4: memcpy(member, &v32, 4); break;
    default: memcpy(member, &v, 8); break;
    }
}

static enum fr_err store_number(const struct fr_conf_row *row, struct fr_span text,
                                struct fr_diag *diag, void *member)
{
    uint64_t max = row->max > 0 ? row->max : largest(row->size);
    uint64_t v;
    enum fr_err err;

    if (row->type == FR_T_SIZE) {
        err = fr_parse_size(text, row->min, max, &v);
    } else if (row->type == FR_T_DURATION) {
        err = fr_parse_duration_ms(text, row->min, max, &v);
    } else {
        err = fr_parse_u64(text, row->min, max, &v);
    }
    if (err == FR_E_RANGE) {
        const char *unit = row->type == FR_T_DURATION ? " ms" : "";
        char rule[96];
        (void)snprintf(rule, sizeof rule, "between %llu%s and %llu%s", (unsigned long long)row->min,
                       unit, (unsigned long long)max, unit);
        return refuse(row, text, diag, rule);
    }
    if (err) return not_of_type(row, text, diag);
    put_unsigned(member, row->size, v);
    return FR_OK;
}

static enum fr_err store_text(const struct fr_conf_row *row, const char *file, struct fr_span text,
                              struct fr_diag *diag, void *member)
{
    uint64_t max = row->type == FR_T_STRING && row->max > 0 ? row->max : MAX_STRING;

    if (text.n > max) {
        return fr_diag_fail(diag, FR_E_CONFIG, "%s is longer than %llu bytes", row->key,
                            (unsigned long long)max);
    }
    if (text.n > 0 && memchr(text.p, 0, text.n) != NULL) {
        return fr_diag_fail(diag, FR_E_CONFIG, "%s holds a zero byte", row->key);
    }
    if (row->type == FR_T_PATH && text.n == 0) {
        return fr_diag_fail(diag, FR_E_CONFIG, "%s is empty", row->key);
    }
    char *copy = fr_strndup(text.n > 0 ? (const char *)text.p : "", text.n);
    if (copy != NULL && row->type == FR_T_PATH) {
        char *path = fr_path_beside(file, copy);
        fr_free(copy);
        copy = path;
    }
    if (copy == NULL) return FR_E_NOMEM;
    memcpy(member, &copy, sizeof copy);
    return FR_OK;
}

static enum fr_err store_word(const struct fr_conf_row *row, struct fr_span text,
                              struct fr_diag *diag, void *member)
{
    const char *words[MAX_WORDS];
    char list[200] = "one of ";
    size_t n = 0, at = strlen(list);

    for (; n < MAX_WORDS && row->words[n].word != NULL; n++) {
        words[n] = row->words[n].word;
        if (fr_span_is(text, words[n])) {
            memcpy(member, &row->words[n].value, sizeof(int));
            return FR_OK;
        }
        size_t len = strlen(words[n]);
        if (at + len + 3 > sizeof list) continue;
        if (n > 0) list[at++] = '|';
        memcpy(list + at, words[n], len);
        at += len;
    }
    list[at] = '\0';
    const char *near = fr_nearest(text, words, n);
    enum fr_err err = refuse(row, text, diag, list);
    if (near != NULL) fr_diag_hint(diag, "did you mean %s?", near);
    return err;
}

static enum fr_err store_simple(const struct fr_conf_row *row, struct fr_span text,
                                struct fr_diag *diag, void *member)
{
    bool b;
    struct fr_ip ip;
    struct fr_addr addr;
    enum fr_err err = FR_E_INTERNAL;

    if (row->type == FR_T_BOOL) {
        err = fr_parse_bool(text, &b);
        if (!err) memcpy(member, &b, sizeof b);
    } else if (row->type == FR_T_IP) {
        err = fr_ip_parse(text, &ip);
        if (!err) memcpy(member, &ip, sizeof ip);
    } else if (row->type == FR_T_ADDR) {
        err = fr_addr_parse(text, (uint16_t)row->min, &addr);
        if (!err) memcpy(member, &addr, sizeof addr);
    }
    return err ? not_of_type(row, text, diag) : FR_OK;
}

enum fr_err fr_conf_store(const struct fr_conf_row *row, const char *file, struct fr_span text,
                          struct fr_diag *diag, void *member)
{
    switch (row->type) {
    case FR_T_UINT:
    case FR_T_SIZE:
    case FR_T_DURATION: return store_number(row, text, diag, member);
    case FR_T_STRING:
    case FR_T_PATH: return store_text(row, file, text, diag, member);
    case FR_T_ENUM: return store_word(row, text, diag, member);
    case FR_T_BOOL:
    case FR_T_IP:
    case FR_T_ADDR: return store_simple(row, text, diag, member);
    case FR_T_CUSTOM: return row->parse(text, member, diag);
    case FR_T_STRINGS:
    case FR_T_GROUP:
    case FR_T_LIST: break;
    }
    return not_of_type(row, text, diag);
}
