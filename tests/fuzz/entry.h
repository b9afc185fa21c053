/* What libFuzzer calls; included into every fuzz target by the build. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
