/* A peer's certificate: parsed and its fields read. */
#include "x509/cert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
    size_t n = strnlen(text, size);

    if (n == size) abort();
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_cert *cert = NULL;
    static struct fr_cert_fields fields;

    if (fr_cert_parse(fr_span(data, size), &cert) != FR_OK) return 0;
    if (fr_cert_read_fields(cert, &fields) == FR_OK) {
        check_text(fields.cn, sizeof fields.cn);
        for (size_t i = 0; i < fields.dns_count; i++)
            check_text(fields.dns[i], sizeof fields.dns[i]);
        for (size_t i = 0; i < fields.uri_count; i++)
            check_text(fields.uri[i], sizeof fields.uri[i]);
        if (fields.serial_len == 0 || fields.serial_len > FR_CERT_SERIAL_MAX) abort();
    }
    (void)fr_cert_is_issued_by(cert, cert);
    fr_cert_free(cert);
    return 0;
}
