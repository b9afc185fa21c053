#include "ca/token.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "base/url.h"
#include "ca/subject.h"
#include "store/authority.h"
#include "store/network.h"
#include "x509/secret.h"

#include "names/member.h"

#include <stdio.h>
#include <string.h>

enum fr_err fr_token_parse_id(struct fr_span text, struct fr_diag *diag,
                              uint8_t out[FR_TOKEN_ID_SIZE])
{
    if (fr_hex_parse(text, out, FR_TOKEN_ID_SIZE) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_MALFORMED, "a token's id has 32 hexadecimal digits");
}

/* --- what may be asked --- */

static enum fr_err check_profiles(const struct fr_token_request *r, struct fr_diag *diag)
{
    if (r->n_profiles < 1 || r->n_profiles > FR_TOKEN_SLOTS_MAX)
        return fr_diag_fail(diag, FR_E_INVALID, "a token is for one to three profiles");
    for (size_t i = 0; i < r->n_profiles; i++) {
        if (r->profiles[i] == FR_PROFILE_BROKER)
            return fr_diag_fail(diag, FR_E_INVALID,
                                "a broker's certificate is not for a member's token");
        for (size_t j = 0; j < i; j++) {
            if (r->profiles[j] == r->profiles[i])
                return fr_diag_fail(diag, FR_E_INVALID, "profile %s is named twice",
                                    fr_profile_text(r->profiles[i]));
        }
    }
    return FR_OK;
}

static bool has_profile(const struct fr_token_request *r, enum fr_profile profile)
{
    for (size_t i = 0; i < r->n_profiles; i++) {
        if (r->profiles[i] == profile) return true;
    }
    return false;
}

static enum fr_err check_request(const struct fr_token_request *r, struct fr_diag *diag)
{
    enum fr_err err = check_profiles(r, diag);

    if (err) return err;
    if (r->netid != 0 && !has_profile(r, FR_PROFILE_NS))
        return fr_diag_fail(diag, FR_E_INVALID, "only profile ns has a NetID");
    if ((r->joineui != 0) != has_profile(r, FR_PROFILE_JS))
        return fr_diag_fail(diag, FR_E_INVALID, "profile js, and only that, needs a JoinEUI");
    if (r->host != NULL && !fr_is_host_label(fr_span_str(r->host)))
        return fr_diag_fail(diag, FR_E_INVALID,
                            "a host is one label of lower-case letters, digits and inner dashes");
    if (r->life_s != 0 && (r->life_s < FR_TOKEN_LIFE_MIN_S || r->life_s > FR_TOKEN_LIFE_MAX_S))
        return fr_diag_fail(diag, FR_E_RANGE, "a token lives for one minute to 30 days");
    return FR_OK;
}

/* --- making --- */

static void fill_row(const struct fr_token_request *r, int64_t now_s, struct fr_token_row *row)
{
    (void)snprintf(row->member, sizeof row->member, "%s", r->member);
    row->netid = r->netid;
    row->joineui = r->joineui;
    row->rights = r->rights;
    if (r->host != NULL) (void)snprintf(row->host, sizeof row->host, "%s", r->host);
    row->needs_approval = r->needs_approval;
    row->created_s = now_s;
    row->expires_s = now_s + (r->life_s != 0 ? r->life_s : FR_TOKEN_LIFE_DEFAULT_S);
    row->n_slots = (uint8_t)r->n_profiles;
    for (size_t i = 0; i < r->n_profiles; i++)
        row->slots[i] = (struct fr_token_slot){.profile = r->profiles[i], .state = FR_SLOT_OPEN};
}

/* What could never be issued is refused now, and not on the member's machine. */
static enum fr_err check_subjects(struct fr_change *change, const struct fr_token_row *row,
                                  struct fr_diag *diag)
{
    enum fr_err err = FR_OK;

    for (uint8_t i = 0; !err && i < row->n_slots; i++) {
        const struct fr_subject subject = {.profile = row->slots[i].profile,
                                           .member = row->member,
                                           .netid = row->netid,
                                           .joineui = row->joineui};
        err = fr_subject_check(change, &subject, diag);
    }
    return err;
}

enum fr_err fr_token_create(struct fr_change *change, const struct fr_token_request *request,
                            struct fr_diag *diag, struct fr_token_row *out,
                            uint8_t secret[FR_TOKEN_SECRET_SIZE])
{
    struct fr_token_row row = {0};
    enum fr_err err = check_request(request, diag);

    if (err) return err;
    fill_row(request, fr_change_now(change), &row);
    if (row.netid == 0 && has_profile(request, FR_PROFILE_NS))
        err = fr_subject_only_netid(fr_change_snap(change), request->member, diag, &row.netid);
    if (!err) err = check_subjects(change, &row, diag);
    if (!err) err = fr_secret_make(row.id, sizeof row.id);
    if (!err) err = fr_secret_make(secret, FR_TOKEN_SECRET_SIZE);
    if (!err) err = fr_sha256(fr_span(secret, FR_TOKEN_SECRET_SIZE), row.secret);
    if (!err) err = fr_token_add(change, &row, diag);
    if (!err) *out = row;
    return err;
}

/* --- afterwards --- */

static enum fr_err get(struct fr_change *change, const uint8_t *id, struct fr_diag *diag,
                       struct fr_token_row *out)
{
    char text[2 * FR_TOKEN_ID_SIZE + 1];
    enum fr_err err = fr_token_get(fr_change_snap(change), id, out);

    if (err != FR_E_NOT_FOUND) return err;
    fr_hex_print(id, FR_TOKEN_ID_SIZE, text);
    return fr_diag_fail(diag, err, "there is no token %s", text);
}

enum fr_err fr_token_revoke(struct fr_change *change, const uint8_t id[FR_TOKEN_ID_SIZE],
                            struct fr_diag *diag)
{
    struct fr_token_row row;
    enum fr_err err = get(change, id, diag, &row);

    if (err || row.is_revoked) return err;
    row.is_revoked = true;
    return fr_token_put(change, &row);
}

enum fr_err fr_token_approve(struct fr_change *change, const uint8_t id[FR_TOKEN_ID_SIZE],
                             struct fr_diag *diag, size_t *n)
{
    struct fr_token_row row;
    size_t count = 0;
    enum fr_err err = get(change, id, diag, &row);

    if (err) return err;
    for (uint8_t i = 0; i < row.n_slots; i++) {
        if (row.slots[i].state != FR_SLOT_WAITING) continue;
        row.slots[i].state = FR_SLOT_APPROVED;
        row.slots[i].when_s = fr_change_now(change);
        count++;
    }
    if (count > 0) err = fr_token_put(change, &row);
    if (!err) *n = count;
    return err;
}

/* --- the text --- */

/* "https://ca.<fed>/.well-known/est", on the port that the broker's own URL has. */
static void put_places(struct fr_json *json, const struct fr_store_info *info)
{
    struct fr_url url;
    char est[FR_FEDERATION_MAX + 64];
    bool has_url = fr_url_parse(fr_span_str(info->url), &url) == FR_OK;

    if (has_url && url.port != 443)
        (void)snprintf(est, sizeof est, "https://ca.%s:%u/.well-known/est", info->federation,
                       (unsigned)url.port);
    else
        (void)snprintf(est, sizeof est, "https://ca.%s/.well-known/est", info->federation);
    fr_json_put_str(json, "est", est);
    if (has_url) fr_json_put_str(json, "broker", info->url);
}

static enum fr_err put_root(struct fr_json *json, struct fr_snap *snap)
{
    struct fr_authority_row root;
    char text[2 * FR_DIGEST_SIZE + 1];
    enum fr_err err = fr_authority_get(snap, "root", &root);

    if (err) return err;
    fr_hex_print(root.sha256, sizeof root.sha256, text);
    fr_json_put_str(json, "root", text);
    return FR_OK;
}

static enum fr_err write_json(struct fr_snap *snap, const struct fr_token_row *row,
                              struct fr_buf *out)
{
    struct fr_json json = fr_json(out);
    struct fr_store_info info;
    char id[2 * FR_TOKEN_ID_SIZE + 1];
    enum fr_err err = fr_store_read_info(fr_snap_store(snap), &info);

    if (err) return err;
    fr_json_object(&json);
    fr_json_put_str(&json, "fed", info.federation);
    put_places(&json, &info);
    err = put_root(&json, snap);
    if (err) return err;
    fr_hex_print(row->id, sizeof row->id, id);
    fr_json_put_str(&json, "id", id);
    fr_json_key(&json, "profiles");
    fr_json_array(&json);
    for (uint8_t i = 0; i < row->n_slots; i++)
        fr_json_str(&json, fr_profile_text(row->slots[i].profile));
    fr_json_end(&json);
    fr_json_end(&json);
    return fr_buf_err(out);
}

enum fr_err fr_token_print(struct fr_snap *snap, const struct fr_token_row *row,
                           const uint8_t secret[FR_TOKEN_SECRET_SIZE], struct fr_buf *out)
{
    struct fr_buf json = FR_BUF_INIT(FR_TOKEN_TEXT_MAX);
    enum fr_err err = write_json(snap, row, &json);

    if (!err) {
        fr_buf_add_str(out, "FR1.");
        err = fr_base64url_print(fr_buf_span(&json), out);
        fr_buf_add_char(out, '.');
    }
    if (!err) err = fr_base64url_print(fr_span(secret, FR_TOKEN_SECRET_SIZE), out);
    fr_buf_deinit(&json);
    return err ? err : fr_buf_err(out);
}
