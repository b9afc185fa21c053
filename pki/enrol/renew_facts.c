#include "enrol/renew_facts.h"

#include "base/hex.h"

#include <jansson.h>
#include <string.h>

enum { KEY_AFTER_MAX_S = 30 * 86400 };

static enum fr_err add_ca(const json_t *object, struct fr_renew_facts *out)
{
    static const char *const ending[] = {"tainted", "retired", "revoked"};
    const char *sha256 = json_string_value(json_object_get(object, "sha256"));
    const char *state = json_string_value(json_object_get(object, "state"));
    struct fr_renew_facts_ca ca = {0};

    if (sha256 == NULL || state == NULL || strlen(sha256) != 2 * sizeof ca.sha256 ||
        fr_hex_parse(fr_span_str(sha256), ca.sha256, sizeof ca.sha256) != FR_OK)
        return FR_E_MALFORMED;
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        if (strcmp(state, ending[i]) == 0) ca.is_ending = true;
    if (out->n < FR_RENEW_FACTS_CAS) out->cas[out->n++] = ca;
    return FR_OK;
}

enum fr_err fr_renew_facts_read(struct fr_span text, struct fr_diag *diag,
                                struct fr_renew_facts *out)
{
    struct fr_renew_facts renewal = {0};
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *cas = json_object_get(object, "authorities"), *ca;
    const json_t *after = json_object_get(object, "key_after_s");
    const json_int_t after_s = json_integer_value(after);
    enum fr_err err = FR_OK;
    size_t i;

    if (!json_is_array(cas) || !json_is_integer(after) || after_s < 0 || after_s > KEY_AFTER_MAX_S)
        err = FR_E_MALFORMED;
    renewal.key_after_s = (uint32_t)after_s;
    json_array_foreach(cas, i, ca)
    {
        if (!err) err = add_ca(ca, &renewal);
    }
    json_decref(object);
    if (err) return fr_diag_fail(diag, err, "the broker's answer about renewal is no answer");
    *out = renewal;
    return FR_OK;
}

enum fr_err fr_renew_facts_ask(struct fr_publisher *publisher, struct fr_diag *diag,
                               struct fr_renew_facts *out)
{
    struct fr_publish_answer answer = FR_PUBLISH_ANSWER_INIT;
    enum fr_err err = fr_member_api_get(publisher, "/renewal", NULL, diag, &answer);

    if (!err) err = fr_renew_facts_read(fr_buf_span(&answer.body), diag, out);
    fr_publish_answer_deinit(&answer);
    return err;
}

bool fr_renew_facts_is_ending(const struct fr_renew_facts *renewal, const struct fr_pair *pair)
{
    for (size_t i = 0; i < renewal->n; i++)
        if (memcmp(renewal->cas[i].sha256, pair->issuer, sizeof pair->issuer) == 0)
            return renewal->cas[i].is_ending;
    return false;
}
