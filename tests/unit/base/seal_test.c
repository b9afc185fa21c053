#include "base/seal.h"
#include "support/unit.h"

#include <sys/prctl.h>
#include <sys/resource.h>

static void no_core_and_no_debugger(void **state)
{
    struct rlimit limit;

    (void)state;
    fr_process_seal(true);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_true(limit.rlim_cur == 0 && limit.rlim_max == 0);
    fr_process_seal(false);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_true(limit.rlim_cur == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_core_and_no_debugger)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
