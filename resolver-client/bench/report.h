/* What a load run found, as text or JSON for `fedroam bench doh`.
 * Errors: FR_E_NOMEM, FR_E_IO. */
#pragma once

#include "base/cli.h"
#include "bench/load.h"

enum fr_err fr_load_report_print(const struct fr_load_result *r, enum fr_output output, FILE *out);
