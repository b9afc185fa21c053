#include "backend/message_priv.h"

#include <string.h>

/* A number that fits the member; false leaves *out. */
#define DEFINE_READ(name, type)                                                                    \
    static bool read_##name(struct fr_jread *r, const char *member, enum fr_jpresence presence,    \
                            uint64_t max, type *out)                                               \
    {                                                                                              \
        uint64_t v;                                                                                \
        if (!fr_jread_u64(r, member, presence, max, &v)) return false;                             \
        *out = (type)v;                                                                            \
        return true;                                                                               \
    }
DEFINE_READ(u8, uint8_t)
DEFINE_READ(u32, uint32_t)

static void read_dev_eui(struct fr_bi_message *m, struct fr_jread *r, enum fr_jpresence presence)
{
    if (fr_jread_id(r, "DevEUI", presence, 8, &m->dev_eui)) m->has |= FR_BI_HAS_DEV_EUI;
}

static void read_dev_addr(struct fr_bi_message *m, struct fr_jread *r, enum fr_jpresence presence)
{
    uint64_t v;

    if (!fr_jread_id(r, "DevAddr", presence, 4, &v)) return;
    m->dev_addr = (uint32_t)v;
    m->has |= FR_BI_HAS_DEV_ADDR;
}

static void read_lifetime(struct fr_bi_message *m, struct fr_jread *r)
{
    if (fr_jread_u64(r, "Lifetime", FR_J_MAY, INT64_MAX, &m->lifetime_s)) {
        m->has |= FR_BI_HAS_LIFETIME;
    }
}

static void read_frame(struct fr_bi_message *m, struct fr_jread *r, enum fr_jpresence presence)
{
    m->phy_payload = fr_bi_decode(m, r, "PHYPayload", presence, FR_BI_BODY_MAX);
}

static void read_key(struct fr_bi_message *m, struct fr_jread *r, enum fr_bi_key_name which,
                     const char *name)
{
    struct fr_bi_key *key = &m->keys[which];
    const struct fr_jval *object = fr_jread_object(r, name, FR_J_MAY);
    size_t n;

    if (object == NULL) return;
    struct fr_jread inner = {.object = object};
    (void)fr_jread_text(&inner, "KEKLabel", FR_J_MAY, &key->label);
    if (!fr_jval_hex(fr_jval_get(object, "AESKey"), key->bytes, sizeof key->bytes, &n) ||
        (n != 16 && n != 24)) {
        inner.wrong = name;
    }
    if (inner.wrong == NULL)
        key->n = (uint8_t)n;
    else if (r->wrong == NULL)
        r->wrong = name;
}

static void read_keys(struct fr_bi_message *m, struct fr_jread *r)
{
    read_key(m, r, FR_BI_S_NWK_S_INT_KEY, "SNwkSIntKey");
    read_key(m, r, FR_BI_F_NWK_S_INT_KEY, "FNwkSIntKey");
    read_key(m, r, FR_BI_NWK_S_ENC_KEY, "NwkSEncKey");
    read_key(m, r, FR_BI_NWK_S_KEY, "NwkSKey");
    read_key(m, r, FR_BI_APP_S_KEY, "AppSKey");
}

static void read_join_req(struct fr_bi_message *m, struct fr_jread *r)
{
    (void)fr_jread_text(r, "MACVersion", FR_J_MUST, &m->mac_version);
    read_frame(m, r, FR_J_MUST);
    read_dev_eui(m, r, FR_J_MUST);
    read_dev_addr(m, r, FR_J_MUST);
    (void)fr_jread_hex(r, "DLSettings", FR_J_MUST, &m->dl_settings, 1);
    (void)read_u8(r, "RxDelay", FR_J_MUST, 15, &m->rx_delay);
    if (fr_jread_hex(r, "CFList", FR_J_MAY, m->cf_list, 16)) m->has |= FR_BI_HAS_CF_LIST;
}

/* On failure an answer is its Result (and the Lifetime of a Deferred): the rest of it means nothing. */
static void read_join_ans(struct fr_bi_message *m, struct fr_jread *r)
{
    read_lifetime(m, r);
    if (m->result != FR_BI_SUCCESS) return;
    read_frame(m, r, FR_J_MUST);
    read_keys(m, r);
    m->session_key_id = fr_bi_decode(m, r, "SessionKeyID", FR_J_MAY, FR_BI_TOKEN_MAX);
    bool is_1_1 = m->keys[FR_BI_S_NWK_S_INT_KEY].n && m->keys[FR_BI_F_NWK_S_INT_KEY].n &&
                  m->keys[FR_BI_NWK_S_ENC_KEY].n;
    if (is_1_1 == (m->keys[FR_BI_NWK_S_KEY].n != 0) && r->wrong == NULL) r->wrong = "NwkSKey";
}

static enum fr_err read_pr_start_ans(struct fr_bi_message *m, struct fr_jread *r)
{
    read_lifetime(m, r);
    if (m->result != FR_BI_SUCCESS) return FR_OK;
    read_frame(m, r, FR_J_MAY);
    read_dev_eui(m, r, FR_J_MAY);
    read_dev_addr(m, r, FR_J_MAY);
    if (read_u32(r, "FCntUp", FR_J_MAY, UINT32_MAX, &m->fcnt_up)) m->has |= FR_BI_HAS_FCNT_UP;
    read_key(m, r, FR_BI_F_NWK_S_INT_KEY, "FNwkSIntKey");
    read_key(m, r, FR_BI_NWK_S_KEY, "NwkSKey");
    return fr_bi_read_dl(m, r, FR_J_MAY);
}

static void read_home_ns_ans(struct fr_bi_message *m, struct fr_jread *r)
{
    uint64_t netid;

    if (m->result != FR_BI_SUCCESS) return;
    if (!fr_jread_id(r, "HNetID", FR_J_MUST, 3, &netid)) return;
    m->h_netid = (uint32_t)netid;
    m->has |= FR_BI_HAS_H_NETID;
}

/* An object with ResultCode; one old implementation writes the bare code. */
static void read_result(struct fr_bi_message *m, struct fr_jread *r)
{
    const struct fr_jval *value = fr_jval_get(r->object, "Result");
    struct fr_span code;

    m->result = FR_BI_OTHER;
    if (fr_jval_text(value, &code)) {
        m->result = fr_bi_result_parse(code);
        return;
    }
    value = fr_jread_object(r, "Result", FR_J_MUST);
    if (value == NULL) return;
    struct fr_jread inner = {.object = value};
    if (fr_jread_text(&inner, "ResultCode", FR_J_MUST, &code)) m->result = fr_bi_result_parse(code);
    (void)fr_jread_text(&inner, "Description", FR_J_MAY, &m->description);
    if (inner.wrong != NULL && r->wrong == NULL) r->wrong = "Result";
}

enum fr_err fr_bi_read_members(struct fr_bi_message *m)
{
    struct fr_jread reader = {.object = m->doc}, *r = &reader;
    enum fr_err err = FR_OK;

    if (!fr_bi_is_request(m->type)) read_result(m, r);
    switch (m->type) {
    case FR_BI_JOIN_REQ: read_join_req(m, r); break;
    case FR_BI_JOIN_ANS: read_join_ans(m, r); break;
    case FR_BI_PR_START_REQ:
        read_frame(m, r, FR_J_MUST);
        err = fr_bi_read_ul(m, r, FR_J_MUST);
        break;
    case FR_BI_PR_START_ANS: err = read_pr_start_ans(m, r); break;
    case FR_BI_PR_STOP_REQ:
        read_dev_eui(m, r, FR_J_MUST);
        read_dev_addr(m, r, FR_J_MAY);
        read_lifetime(m, r);
        break;
    case FR_BI_XMIT_DATA_REQ:
        read_frame(m, r, FR_J_MAY);
        err = fr_bi_read_ul(m, r, FR_J_MAY);
        if (err == FR_OK) err = fr_bi_read_dl(m, r, FR_J_MAY);
        break;
    case FR_BI_HOME_NS_REQ: read_dev_eui(m, r, FR_J_MUST); break;
    case FR_BI_HOME_NS_ANS: read_home_ns_ans(m, r); break;
    case FR_BI_PR_STOP_ANS:
    case FR_BI_XMIT_DATA_ANS:
    case FR_BI_OTHER_REQ:
    case FR_BI_OTHER_ANS: break;
    }
    m->wrong = r->wrong;
    if (err != FR_OK) return err;
    return r->wrong == NULL ? FR_OK : FR_E_MALFORMED;
}
