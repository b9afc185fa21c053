/* An administrator's TOML; a zero byte parts files. */
#include "enrol/toml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_toml *toml = NULL;
    struct fr_span head, rest = fr_span(data, size);
    struct fr_diag diag = {0};
    enum fr_err err = fr_toml_new(&toml);

    while (!err && rest.n > 0) {
        (void)fr_span_cut(rest, '\0', &head, &rest);
        err = fr_toml_add(toml, "f", head, &diag);
    }
    if (err == FR_E_MALFORMED && diag.where[0] == '\0') abort(); /* a refusal says where */
    for (size_t i = 0; !err && i < fr_toml_count(toml); i++) {
        const struct fr_toml_entry *e = fr_toml_at(toml, i);
        if (fr_toml_find(toml, e->path) != e) abort(); /* nothing is there twice */
    }
    fr_toml_free(toml);
    return 0;
}
