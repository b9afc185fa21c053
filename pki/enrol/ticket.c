#include "enrol/ticket.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { SECRET_BYTES = 32 }; /* as every broker makes them: another size is a token that was cut */

static const char *const profile_words[FR_WALLET_PROFILES] = {
    [FR_WALLET_NS] = "ns", [FR_WALLET_DOH] = "doh", [FR_WALLET_JS] = "js"};

const char *fr_wallet_profile_text(enum fr_wallet_profile profile)
{
    return profile_words[profile];
}

enum fr_err fr_wallet_profile_parse(struct fr_span text, enum fr_wallet_profile *out)
{
    for (int i = 0; i < FR_WALLET_PROFILES; i++) {
        if (!fr_span_is(text, profile_words[i])) continue;
        *out = (enum fr_wallet_profile)i;
        return FR_OK;
    }
    return FR_E_NOT_FOUND;
}

/* --- its facts --- */

static enum fr_err read_text(const json_t *facts, const char *key, char *out, size_t size)
{
    const json_t *value = json_object_get(facts, key);

    if (!json_is_string(value)) return FR_E_MALFORMED;
    const struct fr_span text = fr_span(json_string_value(value), json_string_length(value));
    return text.n > 0 && fr_span_copy(text, out, size) ? FR_OK : FR_E_MALFORMED;
}

static enum fr_err read_profiles(const json_t *facts, struct fr_ticket *out)
{
    const json_t *list = json_object_get(facts, "profiles");
    const size_t n = json_array_size(list); /* 0 when it is none */

    if (n < 1 || n > FR_WALLET_PROFILES) return FR_E_MALFORMED;
    for (size_t i = 0; i < n; i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (word == NULL || fr_wallet_profile_parse(fr_span_str(word), &out->profiles[i]) != FR_OK)
            return FR_E_MALFORMED;
        for (size_t j = 0; j < i; j++)
            if (out->profiles[j] == out->profiles[i]) return FR_E_MALFORMED;
    }
    out->n_profiles = n;
    return FR_OK;
}

static bool is_https(const char *text, struct fr_url *out)
{
    return fr_url_parse(fr_span_str(text), out) == FR_OK && out->is_tls;
}

/* Members that are not known are left: a later broker may say more. */
static enum fr_err read_facts(const json_t *facts, struct fr_ticket *out)
{
    char root[2 * FR_TICKET_SHA256 + 1];
    uint8_t id[16];
    struct fr_url broker;
    enum fr_err err = read_text(facts, "fed", out->fed, sizeof out->fed);

    if (!err) err = fr_fed_check(fr_span_str(out->fed), NULL);
    if (!err) err = read_text(facts, "est", out->est, sizeof out->est);
    if (!err && !is_https(out->est, &out->est_url)) err = FR_E_MALFORMED;
    if (!err && json_object_get(facts, "broker") != NULL)
        err = read_text(facts, "broker", out->broker, sizeof out->broker);
    if (!err && out->broker[0] && !is_https(out->broker, &broker)) err = FR_E_MALFORMED;
    if (!err) err = read_text(facts, "root", root, sizeof root);
    if (!err) err = fr_hex_parse(fr_span_str(root), out->root, sizeof out->root);
    if (!err) err = read_text(facts, "id", out->id, sizeof out->id);
    if (!err) err = fr_hex_parse(fr_span_str(out->id), id, sizeof id);
    if (!err) err = read_profiles(facts, out);
    return err ? FR_E_MALFORMED : FR_OK;
}

static enum fr_err decode_facts(struct fr_span text, struct fr_ticket *out)
{
    struct fr_buf json = FR_BUF_INIT(FR_TICKET_MAX);
    enum fr_err err = fr_base64url_parse(text, &json);
    json_t *facts =
        err ? NULL : json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, NULL);

    if (!err) err = json_is_object(facts) ? read_facts(facts, out) : FR_E_MALFORMED;
    json_decref(facts);
    fr_buf_deinit(&json);
    return err;
}

static enum fr_err check_secret(struct fr_span text, struct fr_ticket *out)
{
    struct fr_buf raw = FR_BUF_INIT(FR_TICKET_SECRET);
    enum fr_err err = fr_base64url_parse(text, &raw);

    if (!err && (raw.n != SECRET_BYTES || !fr_span_copy(text, out->secret, sizeof out->secret)))
        err = FR_E_MALFORMED;
    fr_buf_deinit_secret(&raw);
    return err;
}

enum fr_err fr_ticket_parse(struct fr_span text, struct fr_diag *diag, struct fr_ticket *out)
{
    struct fr_ticket ticket = {0};
    struct fr_span form, facts, rest, secret, more;
    enum fr_err err = FR_E_MALFORMED;

    text = fr_span_trim(text);
    if (text.n > FR_TICKET_MAX)
        return fr_diag_fail(diag, FR_E_MALFORMED, "a token has at most %d bytes", FR_TICKET_MAX);
    const bool has_three = fr_span_cut(text, '.', &form, &rest) &&
                           fr_span_cut(rest, '.', &facts, &secret) &&
                           !fr_span_cut(secret, '.', &secret, &more);
    if (has_three && !fr_span_is(form, "FR1") && fr_span_starts(form, "FR"))
        return fr_diag_fail(diag, FR_E_UNSUPPORTED,
                            "the token has a form that this version does not know");
    if (has_three && fr_span_is(form, "FR1")) err = check_secret(secret, &ticket);
    if (!err) err = decode_facts(facts, &ticket);
    if (!err) {
        *out = ticket;
    } else if (err != FR_E_NOMEM) {
        err = fr_diag_fail(diag, FR_E_MALFORMED, "this is not a whole enrolment token");
        fr_diag_hint(diag, "it is one line that starts with FR1. and has two more dots in it");
    }
    fr_ticket_wipe(&ticket);
    return err;
}

void fr_ticket_wipe(struct fr_ticket *ticket)
{
    fr_secret_zero(ticket, sizeof *ticket);
}
