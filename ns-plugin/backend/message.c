#include "backend/message.h"

#include "backend/message_priv.h"
#include "base/hex.h"
#include "base/mem.h"

#include <string.h>

static const char *const TYPES[] = {
    [FR_BI_JOIN_REQ] = "JoinReq",
    [FR_BI_JOIN_ANS] = "JoinAns",
    [FR_BI_PR_START_REQ] = "PRStartReq",
    [FR_BI_PR_START_ANS] = "PRStartAns",
    [FR_BI_PR_STOP_REQ] = "PRStopReq",
    [FR_BI_PR_STOP_ANS] = "PRStopAns",
    [FR_BI_XMIT_DATA_REQ] = "XmitDataReq",
    [FR_BI_XMIT_DATA_ANS] = "XmitDataAns",
    [FR_BI_HOME_NS_REQ] = "HomeNSReq",
    [FR_BI_HOME_NS_ANS] = "HomeNSAns",
    [FR_BI_OTHER_REQ] = "",
    [FR_BI_OTHER_ANS] = "",
};

const char *fr_bi_type_print(enum fr_bi_type type)
{
    return TYPES[type];
}

bool fr_bi_is_request(enum fr_bi_type type)
{
    return type % 2 == 0; /* the enum goes in pairs, request first */
}

/* FR_E_MALFORMED: neither a Req nor an Ans, or not a name we would repeat to anybody. */
static enum fr_err type_parse(struct fr_span text, struct fr_bi_message *m)
{
    if (text.n < 4 || text.n >= FR_BI_TYPE_TEXT) return FR_E_MALFORMED;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
            return FR_E_MALFORMED;
        }
    }
    enum fr_bi_type type;
    if (fr_span_ends(text, "Req"))
        type = FR_BI_OTHER_REQ;
    else if (fr_span_ends(text, "Ans"))
        type = FR_BI_OTHER_ANS;
    else
        return FR_E_MALFORMED;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (fr_span_is(text, TYPES[i])) type = (enum fr_bi_type)i;
    }
    m->type = type;
    (void)fr_span_copy(text, m->type_text, sizeof m->type_text); /* length checked above */
    return FR_OK;
}

static bool read_side(struct fr_jread *r, const char *name, struct fr_bi_id *out)
{
    struct fr_span text;
    uint8_t bytes[8];
    size_t n;

    if (!fr_jread_text(r, name, FR_J_MUST, &text)) return false;
    *out = (struct fr_bi_id){.kind = FR_BI_ID_OTHER};
    if (!fr_jval_hex(fr_jval_get(r->object, name), bytes, sizeof bytes, &n)) return true;
    if (n != 3 && n != 8) return true;
    out->kind = n == 3 ? FR_BI_ID_NETID : FR_BI_ID_EUI;
    for (size_t i = 0; i < n; i++) out->value = out->value << 8 | bytes[i];
    return true;
}

struct fr_span fr_bi_decode(struct fr_bi_message *m, struct fr_jread *r, const char *name,
                            enum fr_jpresence presence, size_t max)
{
    struct fr_span text;
    size_t room = m->decoded_max - m->decoded_n;
    size_t n;

    if (!fr_jread_text(r, name, presence, &text)) return (struct fr_span){0};
    if (!fr_jval_hex(fr_jval_get(r->object, name), m->decoded + m->decoded_n,
                     room < max ? room : max, &n)) {
        if (r->wrong == NULL) r->wrong = name;
        return (struct fr_span){0};
    }
    struct fr_span out = fr_span(m->decoded + m->decoded_n, n);
    m->decoded_n += n;
    return out;
}

enum fr_err fr_bi_open(struct fr_span body, struct fr_bi_message *out, bool *answerable)
{
    struct fr_bi_message *m = out;
    struct fr_span version = {0}, type = {0};
    uint64_t transaction = 0;

    memset(m, 0, sizeof *m);
    m->type = FR_BI_OTHER_ANS;
    *answerable = false;
    if (body.n > FR_BI_BODY_MAX) return FR_E_LIMIT;
    enum fr_err err = fr_jval_parse(body, &m->doc);
    if (err) return err;
    if (!fr_jval_is_object(m->doc)) return FR_E_MALFORMED;
    /* Hex halves, so the body's size is more than all its hex members together can need. */
    m->decoded_max = body.n;
    m->decoded = fr_malloc(m->decoded_max);
    if (m->decoded == NULL) return FR_E_NOMEM;

    struct fr_jread r = {.object = m->doc};
    bool has_sender = read_side(&r, "SenderID", &m->sender);
    bool has_transaction = fr_jread_u64(&r, "TransactionID", FR_J_MUST, UINT32_MAX, &transaction);
    m->transaction_id = (uint32_t)transaction;
    if (fr_jread_text(&r, "MessageType", FR_J_MUST, &type) && type_parse(type, m) != FR_OK) {
        if (r.wrong == NULL) r.wrong = "MessageType";
    }
    *answerable =
        has_sender && has_transaction && m->type_text[0] != '\0' && fr_bi_is_request(m->type);
    (void)read_side(&r, "ReceiverID", &m->receiver);
    if (fr_jread_text(&r, "ProtocolVersion", FR_J_MUST, &version)) {
        m->is_version_1_0 = fr_span_is(version, "1.0");
    }
    m->sender_token = fr_bi_decode(m, &r, "SenderToken", FR_J_MAY, FR_BI_TOKEN_MAX);
    m->receiver_token = fr_bi_decode(m, &r, "ReceiverToken", FR_J_MAY, FR_BI_TOKEN_MAX);
    m->wrong = r.wrong;
    return r.wrong == NULL ? FR_OK : FR_E_MALFORMED;
}

void fr_bi_message_deinit(struct fr_bi_message *m)
{
    fr_jval_free(m->doc);
    fr_secret_free(m->decoded, m->decoded_max);
    fr_secret_zero(m->keys, sizeof m->keys);
    m->doc = NULL;
    m->decoded = NULL;
    m->decoded_n = m->decoded_max = 0;
}

void fr_bi_answer_init(struct fr_bi_message *answer, const struct fr_bi_message *request,
                       enum fr_bi_result result)
{
    size_t n = strlen(request->type_text);

    *answer = (struct fr_bi_message){
        .type = (enum fr_bi_type)(request->type + 1),
        .sender = request->receiver,
        .receiver = request->sender,
        .sender_token = request->receiver_token,
        .receiver_token = request->sender_token,
        .transaction_id = request->transaction_id,
        .is_version_1_0 = true,
        .result = result,
    };
    memcpy(answer->type_text, request->type_text, n + 1);
    if (n >= 3) memcpy(answer->type_text + n - 3, "Ans", 3);
}

void fr_bi_request_init(struct fr_bi_message *request, enum fr_bi_type type, struct fr_bi_id sender,
                        struct fr_bi_id receiver)
{
    *request = (struct fr_bi_message){
        .type = type, .sender = sender, .receiver = receiver, .is_version_1_0 = true};
    (void)fr_span_copy(fr_span_str(TYPES[type]), request->type_text, sizeof request->type_text);
}

void fr_bi_id_print(struct fr_bi_id id, char out[FR_BI_ID_TEXT])
{
    out[0] = '\0';
    if (id.kind == FR_BI_ID_NETID) fr_hex_print_u64(id.value, 6, out);
    if (id.kind == FR_BI_ID_EUI) fr_hex_print_u64(id.value, 16, out);
}

bool fr_bi_id_equal(struct fr_bi_id a, struct fr_bi_id b)
{
    return a.kind == b.kind && a.kind != FR_BI_ID_OTHER && a.value == b.value;
}
