#include "backend/check.h"

/* A media type without its parameters, whatever its case. */
static bool is_json_type(struct fr_span content_type)
{
    struct fr_span type, parameters;

    (void)fr_span_cut(content_type, ';', &type, &parameters);
    return fr_span_equal_nocase(fr_span_trim(type), FR_SPAN_LIT("application/json"));
}

unsigned fr_bi_check_http(struct fr_span method, struct fr_span content_type)
{
    if (!fr_span_is(method, "POST")) return 405;
    if (!is_json_type(content_type)) return 415;
    return 0;
}

static struct fr_bi_verdict with_result(const struct fr_bi_message *m, unsigned status,
                                        enum fr_bi_result result, const char *why)
{
    /* Only requests are answered; a bad answer gets a status and nothing to answer to. */
    bool is_request = fr_bi_is_request(m->type) && m->type_text[0] != '\0';

    return (struct fr_bi_verdict){.status = is_request || status != 200 ? status : 400,
                                  .has_result = is_request,
                                  .result = result,
                                  .why = why};
}

struct fr_bi_verdict fr_bi_check_envelope(const struct fr_bi_message *m,
                                          const struct fr_bi_facts *facts)
{
    if (facts->open_err == FR_E_NOMEM) {
        return (struct fr_bi_verdict){.status = 503, .why = "out of memory"};
    }
    if (facts->open_err == FR_E_LIMIT) {
        return (struct fr_bi_verdict){.status = 413, .why = "the body is too large"};
    }
    if (facts->open_err != FR_OK) {
        return (struct fr_bi_verdict){.status = 400,
                                      .has_result = facts->is_answerable,
                                      .result = FR_BI_MALFORMED_REQUEST,
                                      .why = m->wrong != NULL ? m->wrong : "not a JSON object"};
    }
    if (!m->is_version_1_0) {
        return with_result(m, 200, FR_BI_INVALID_PROTOCOL_VERSION, "ProtocolVersion is not 1.0");
    }
    if (!facts->is_receiver_us) {
        return with_result(m, 200, FR_BI_UNKNOWN_RECEIVER, "ReceiverID is not served here");
    }
    if (!facts->is_sender_peer) {
        return with_result(m, 403, FR_BI_UNKNOWN_SENDER,
                           "SenderID is not what the certificate says");
    }
    return (struct fr_bi_verdict){0};
}

struct fr_bi_verdict fr_bi_check_members(const struct fr_bi_message *m, enum fr_err members_err)
{
    if (members_err == FR_E_NOMEM) {
        return (struct fr_bi_verdict){.status = 503, .why = "out of memory"};
    }
    if (members_err != FR_OK) {
        return with_result(m, 200, FR_BI_MALFORMED_REQUEST,
                           m->wrong != NULL ? m->wrong : "too many gateways");
    }
    if (m->type == FR_BI_OTHER_REQ) {
        return with_result(m, 200, FR_BI_MALFORMED_REQUEST, "this message is not served here");
    }
    if (m->type == FR_BI_OTHER_ANS) {
        return (struct fr_bi_verdict){.status = 400, .why = "an answer of unknown type"};
    }
    return (struct fr_bi_verdict){0};
}
