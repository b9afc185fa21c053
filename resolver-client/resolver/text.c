#include "resolver/text.h"

#include "names/eui.h"
#include "names/netid.h"
#include <fedroam/fedroam.h>

const char *fedroam_version(void)
{
    return FEDROAM_VERSION;
}

unsigned fedroam_version_number(void)
{
    return FEDROAM_VERSION_NUMBER;
}

const char *fedroam_err_text(enum fedroam_err err)
{
    switch (err) {
    case FEDROAM_OK: return "no error";
    case FEDROAM_E_MEMORY: return "out of memory";
    case FEDROAM_E_ARGUMENT: return "an argument is not valid";
    case FEDROAM_E_FEDERATION: return "no such federation is configured";
    case FEDROAM_E_LIMIT: return "a limit is reached";
    case FEDROAM_E_STATE: return "not possible in this state";
    case FEDROAM_E_SYSTEM: return "the system refused a resource";
    }
    return "unknown error";
}

const char *fedroam_result_text(enum fedroam_result result)
{
    switch (result) {
    case FEDROAM_FOUND: return "found";
    case FEDROAM_UNKNOWN: return "unknown";
    case FEDROAM_REFUSED: return "refused";
    case FEDROAM_OVER_BUDGET: return "over budget";
    case FEDROAM_NO_BROKER: return "no broker";
    case FEDROAM_BAD_ANSWER: return "bad answer";
    case FEDROAM_FAILED: return "failed";
    }
    return "unknown result";
}

enum fedroam_err fr_public_err(enum fr_err err)
{
    if (err == FR_OK) return FEDROAM_OK;
    if (err == FR_E_NOMEM) return FEDROAM_E_MEMORY;
    if (err == FR_E_LIMIT || err == FR_E_BUSY) return FEDROAM_E_LIMIT;
    if (err == FR_E_NOT_FOUND) return FEDROAM_E_FEDERATION;
    if (err == FR_E_INVALID || err == FR_E_MALFORMED || err == FR_E_RANGE || err == FR_E_EXISTS)
        return FEDROAM_E_ARGUMENT;
    if (err == FR_E_CONFLICT) return FEDROAM_E_STATE;
    return FEDROAM_E_SYSTEM;
}

enum fedroam_err fedroam_parse_eui(const char *text, uint64_t *out)
{
    return fr_public_err(fr_eui_parse(fr_span_str(text), out));
}

enum fedroam_err fedroam_parse_netid(const char *text, uint32_t *out)
{
    return fr_public_err(fr_netid_parse(fr_span_str(text), out));
}
