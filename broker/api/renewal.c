/* What a member's machine has to know to renew in time: GET /renewal. */
#include "api/call.h"
#include "api/rows.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "store/authority.h"
#include "store/policy.h"

#define TEXT_MAX 65536

static enum fr_err put_authority(void *data, const struct fr_authority_row *row)
{
    struct fr_json *j = data;
    char sha256[2 * FR_DIGEST_SIZE + 1];
    if (row->kind != FR_AUTHORITY_ISSUING || row->der_size == 0) return FR_OK;
    fr_hex_print(row->sha256, sizeof row->sha256, sha256);
    fr_json_object(j);
    fr_json_put_str(j, "name", row->name);
    fr_json_put_str(j, "sha256", sha256);
    fr_json_put_str(j, "state", fr_authority_state_text(row->state));
    fr_json_end(j);
    return FR_OK;
}

/* A new key is used when nobody remembers the names without it: a look-up just before it was
 * published is kept for the names' TTL, and may be handed on for as long again. */
static enum fr_err put_key_after(struct fr_json *j, struct fr_snap *snap)
{
    uint32_t ttl_s = 0;
    enum fr_err err = fr_policy_get(snap, FR_POLICY_TTL_NETID, &ttl_s);
    if (!err) fr_json_put_uint(j, "key_after_s", 2 * (uint64_t)ttl_s);
    return err;
}

void fr_api_renewal_get(struct fr_api_call *call)
{
    struct fr_query_value known[] = {{0}};
    struct fr_diag diag = {0};
    if (!fr_api_read_query(call, known)) return;
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    struct fr_json j = fr_json(&text);
    fr_json_object(&j);
    fr_json_key(&j, "authorities");
    fr_json_array(&j);
    enum fr_err err = fr_authority_each(call->pass->snap, put_authority, &j);
    fr_json_end(&j);
    if (!err) err = put_key_after(&j, call->pass->snap);
    fr_json_end(&j);
    if (!err) err = fr_buf_err(&text);
    if (err)
        fr_api_refuse(call, FR_E_UNAVAILABLE, &diag);
    else
        fr_api_answer_tagged(call, fr_buf_span(&text));
    fr_buf_deinit(&text);
}
