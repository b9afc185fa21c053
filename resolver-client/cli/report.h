#pragma once
/* Prints what a look-up found, for `fedroam resolve`: every field of the answer, the questions
 * it took and the time.
 *
 * Errors: FR_E_NOMEM, FR_E_IO. Trust: names in the answer come from a broker; the table writer
 *   escapes. */

#include "base/cli.h"
#include <fedroam/answer.h>

struct fr_lookup_report {
    const struct fedroam_answer *answer;
    uint64_t exchanges;
    int64_t ms;
};

enum fr_err fr_lookup_report_print(const struct fr_lookup_report *report, enum fr_output output,
                                   FILE *out);
