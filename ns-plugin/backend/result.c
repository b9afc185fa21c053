#include "backend/result.h"

#include <stddef.h>
#include <string.h>

static const struct {
    enum fr_bi_result code;
    const char *word;
} WORDS[] = {
    {FR_BI_SUCCESS, "Success"},
    {FR_BI_MIC_FAILED, "MICFailed"},
    {FR_BI_JOIN_REQ_FAILED, "JoinReqFailed"},
    {FR_BI_NO_ROAMING_AGREEMENT, "NoRoamingAgreement"},
    {FR_BI_DEV_ROAMING_DISALLOWED, "DevRoamingDisallowed"},
    {FR_BI_ROAMING_ACT_DISALLOWED, "RoamingActDisallowed"},
    {FR_BI_ACTIVATION_DISALLOWED, "ActivationDisallowed"},
    {FR_BI_UNKNOWN_DEV_EUI, "UnknownDevEUI"},
    {FR_BI_UNKNOWN_DEV_ADDR, "UnknownDevAddr"},
    {FR_BI_UNKNOWN_SENDER, "UnknownSender"},
    {FR_BI_UNKNOWN_RECEIVER, "UnknownReceiver"},
    {FR_BI_DEFERRED, "Deferred"},
    {FR_BI_XMIT_FAILED, "XmitFailed"},
    {FR_BI_INVALID_FPORT, "InvalidFPort"},
    {FR_BI_INVALID_PROTOCOL_VERSION, "InvalidProtocolVersion"},
    {FR_BI_STALE_DEVICE_PROFILE, "StaleDeviceProfile"},
    {FR_BI_MALFORMED_REQUEST, "MalformedRequest"},
    {FR_BI_FRAME_SIZE_ERROR, "FrameSizeError"},
    {FR_BI_OTHER, "Other"},
    /* Read but never written: the table's own misprint, and the typo of a library in the field. */
    {FR_BI_UNKNOWN_RECEIVER, "UnkownReceiver"},
    {FR_BI_ROAMING_ACT_DISALLOWED, "RoamingActDisallowedA"},
};

const char *fr_bi_result_print(enum fr_bi_result result)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (WORDS[i].code == result) return WORDS[i].word;
    }
    return "Other";
}

enum fr_bi_result fr_bi_result_parse(struct fr_span text)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        size_t n = strlen(WORDS[i].word);
        if (text.n == n && memcmp(text.p, WORDS[i].word, n) == 0) return WORDS[i].code;
    }
    return FR_BI_OTHER;
}
