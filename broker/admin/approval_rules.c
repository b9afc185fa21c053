/* How many persons an operation takes: the policy of its kind, by what is asked. Arguments are as they came: what is not
 * understood here takes as many as anything would, and is refused when it is tried out. */
#include "admin/approval.h"

#include "base/hex.h"
#include "base/parse.h"
#include "store/cert.h"
#include "store/policy.h"

#include <string.h>

static const json_t *arg(const struct fr_op_ctx *ctx, const char *key)
{
    return json_object_get(ctx->args, key);
}

enum fr_err fr_persons_for_member(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out)
{
    (void)ctx;
    return fr_policy_get(snap, FR_POLICY_APPROVAL_MEMBER, out);
}

enum fr_err fr_persons_for_networks(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                    uint32_t *out)
{
    return arg(ctx, "netids") ? fr_policy_get(snap, FR_POLICY_APPROVAL_MEMBER, out) : FR_OK;
}

enum fr_err fr_persons_for_authority(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                     uint32_t *out)
{
    (void)ctx;
    return fr_policy_get(snap, FR_POLICY_APPROVAL_AUTHORITY, out);
}

enum fr_err fr_persons_for_removal(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out)
{
    (void)ctx;
    return fr_policy_get(snap, FR_POLICY_APPROVAL_REVOCATION, out);
}

/* A certificate, or those of a key, never wait: somebody may be using them this moment. */
enum fr_err fr_persons_for_revocation(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                      uint32_t *out)
{
    const bool is_bulk = arg(ctx, "member") || arg(ctx, "netid") || arg(ctx, "before");
    return is_bulk ? fr_policy_get(snap, FR_POLICY_APPROVAL_REVOCATION, out) : FR_OK;
}

/* --- rights --- */

/* The bits of a list of words; everything for what is none. */
static uint32_t rights_of(const json_t *list)
{
    uint32_t rights = 0;
    const json_t *word;
    size_t i;
    if (!json_is_array(list)) return UINT32_MAX;
    json_array_foreach((json_t *)list, i, word)
    {
        enum fr_right right;
        if (!json_is_string(word) || fr_right_parse(json_string_value(word), &right))
            return UINT32_MAX;
        rights |= (uint32_t)right;
    }
    return rights;
}

/* What of `rights` a profile does not have by itself; everything for a broker's, which all the registry is told. */
static uint32_t beyond(const json_t *word, uint32_t rights)
{
    enum fr_profile profile;
    if (!json_is_string(word) || fr_profile_parse(json_string_value(word), &profile) ||
        profile == FR_PROFILE_BROKER)
        return UINT32_MAX;
    return rights & ~fr_profile_rights(profile);
}

enum fr_err fr_persons_for_rights(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out)
{
    const json_t *list = arg(ctx, "profiles"), *word;
    const json_t *given = arg(ctx, "rights");
    const uint32_t rights = given ? rights_of(given) : 0;
    uint32_t more = 0;
    size_t i;
    if (json_is_array(list)) {
        json_array_foreach((json_t *)list, i, word) more |= beyond(word, rights);
    } else {
        more = beyond(arg(ctx, "profile"), rights);
    }
    return more ? fr_policy_get(snap, FR_POLICY_APPROVAL_RIGHTS, out) : FR_OK;
}

/* Of a certificate that is there, or one that is adopted: what it has, or its profile, needs nobody. */
enum fr_err fr_persons_for_more_rights(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                       uint32_t *out)
{
    const char *text = json_string_value(arg(ctx, "serial"));
    uint8_t serial[FR_SERIAL_SIZE];
    struct fr_cert_row row;
    uint32_t more = arg(ctx, "rights") ? rights_of(arg(ctx, "rights")) : 0;
    if (text && !fr_hex_parse(fr_span_str(text), serial, sizeof serial)) {
        enum fr_err err = fr_cert_row_get(snap, serial, &row);
        if (err && err != FR_E_NOT_FOUND) return err;
        if (!err) more &= ~(row.rights | fr_profile_rights(row.profile));
    }
    return more ? fr_policy_get(snap, FR_POLICY_APPROVAL_RIGHTS, out) : FR_OK;
}

/* --- the policy itself --- */

static bool is_number_of_persons(enum fr_policy_key key)
{
    return key >= FR_POLICY_APPROVAL_MEMBER && key <= FR_POLICY_APPROVAL_RIGHTS;
}

static enum fr_err most_persons(struct fr_snap *snap, uint32_t *out)
{
    enum fr_err err = FR_OK;
    for (int key = FR_POLICY_APPROVAL_MEMBER; !err && key <= FR_POLICY_APPROVAL_RIGHTS; key++) {
        uint32_t persons = 1;
        err = fr_policy_get(snap, (enum fr_policy_key)key, &persons);
        if (!err && persons > *out) *out = persons;
    }
    return err;
}

/* To ask for more persons takes as many, too: so nobody locks everybody out by a number that cannot be reached. */
enum fr_err fr_persons_for_policy(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out)
{
    const char *name;
    const json_t *value;
    enum fr_err err = FR_OK;
    json_object_foreach((json_t *)arg(ctx, "set"), name, value)
    {
        enum fr_policy_key key;
        uint32_t now = 1;
        uint64_t then = 1;
        if (fr_policy_find(name, NULL, &key)) continue;
        if (key == FR_POLICY_APPROVAL_WAIT) err = most_persons(snap, out);
        if (!err && is_number_of_persons(key)) err = fr_policy_get(snap, key, &now);
        if (err) return err;
        if (!is_number_of_persons(key)) continue;
        if (json_is_string(value))
            (void)fr_parse_u64(fr_span_str(json_string_value(value)), 1, FR_APPROVAL_PERSONS_MAX,
                               &then);
        if (now > *out) *out = now;
        if (then > *out) *out = (uint32_t)then;
    }
    return FR_OK;
}
