#include "names/eui.h"

#include "base/hex.h"
#include "names/digits.h"

enum fr_err fr_eui_parse(struct fr_span text, uint64_t *out)
{
    return fr_digits_parse(text, 16, out);
}

void fr_eui_print(uint64_t eui, char out[FR_EUI_TEXT])
{
    fr_hex_print_u64(eui, 16, out);
}

enum fr_err fr_eui_check(uint64_t eui, struct fr_diag *diag)
{
    if (eui == 0) return fr_diag_fail(diag, FR_E_INVALID, "an EUI of all zeros names no device");
    if (eui == UINT64_MAX)
        return fr_diag_fail(diag, FR_E_INVALID, "an EUI of all ones names no device");
    return FR_OK;
}
