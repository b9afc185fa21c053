/* Any bytes as a configuration file of a schema with every type of row. */
#include "../unit/base/conf_example.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct example e;
    struct fr_diag diag = {0};
    enum fr_err err = fr_conf_parse(&example_schema, "d/e.yaml", fr_span(data, size), &diag, &e);

    if (err == FR_OK) {
        fr_conf_free(&example_schema, &e);
    } else if (diag.what[0] == '\0' || diag.where[0] == '\0') {
        abort(); /* a fault without a sentence */
    }
    return 0;
}
