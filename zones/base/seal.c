#include "base/seal.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void fr_process_seal(bool is_sealed)
{
    const struct rlimit none = {0, 0};

    if (is_sealed) (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, is_sealed ? 0 : 1);
}
