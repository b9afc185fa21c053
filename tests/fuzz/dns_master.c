/* A line of somebody's master file: refused, or read, printed and read again as the same record. */
#include "base/buf.h"
#include "dns/master.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_buf line = FR_BUF_INIT(65536), a = FR_BUF_INIT(65536), b = FR_BUF_INIT(65536);
    struct fr_dname origin;
    const char *reason = NULL;
    struct fr_rr rr, again;

    if (fr_dname_parse(fr_span_str("fed.test"), &origin) != FR_OK) abort();
    fr_buf_add(&line, data, size);
    if (fr_buf_err(&line) == FR_OK &&
        fr_rr_parse(fr_buf_str(&line), &origin, &origin, 300, &rr, &reason) == FR_OK) {
        if (fr_rr_print(&rr, &a) != FR_OK) abort();
        fr_buf_cut(&a, a.n - 1); /* the line end */
        enum fr_err err = fr_rr_parse(fr_buf_str(&a), &origin, NULL, 1, &again, &reason);
        /* escapes may make the text longer than the line limit, or than what ldns takes for a
         * name */
        bool may_fail = strchr(fr_buf_str(&a), '\\') != NULL || a.n > FR_DNS_LINE_MAX;
        if (err != FR_OK && !may_fail) abort();
        if (err == FR_OK) {
            if (fr_rr_print(&again, &b) != FR_OK) abort();
            fr_buf_cut(&b, b.n - 1);
            if (strcmp(fr_buf_str(&a), fr_buf_str(&b)) != 0) abort();
        }
    }
    fr_buf_deinit(&line);
    fr_buf_deinit(&a);
    fr_buf_deinit(&b);
    return 0;
}
