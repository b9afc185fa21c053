/* A line of an audit trail. What is read as one must be read again from what it says. */
#include "admin/audit_line.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_audit_line line, again;
    if (fr_audit_line_parse(fr_span(data, size), &line)) return 0;
    if (line.link.seq == 0) abort();
    if (fr_audit_line_parse(fr_span(data, size), &again)) abort();
    if (again.is_intact != line.is_intact) abort();
    return 0;
}
