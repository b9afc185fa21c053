#include "sync/choice.h"

#include <string.h>

#include "support/unit.h"

static const struct fr_sync_device lamp = {
    .deveui = 0x70b3d57ed0000001,
    .is_otaa = true,
    .may_roam = true,
    .tenant_id = "aa-01",
    .tenant = "city",
    .application_id = "bb-01",
    .application = "lamps",
    .profile_id = "cc-01",
    .profile = "otaa",
    .service_profile_id = "dd-01",
    .tags = {"fed.test", NULL},
};

static struct fr_sync_federation_conf choose(const char *what, char **words, size_t n)
{
    struct fr_sync_federation_conf c = {0};
    if (strcmp(what, "tenants") == 0) c.tenants = words, c.n_tenants = n;
    if (strcmp(what, "applications") == 0) c.applications = words, c.n_applications = n;
    if (strcmp(what, "profiles") == 0) c.profiles = words, c.n_profiles = n;
    if (strcmp(what, "service") == 0) c.service_profiles = words, c.n_service_profiles = n;
    if (strcmp(what, "tags") == 0) c.tags = words, c.n_tags = n;
    if (strcmp(what, "also") == 0) c.also = words, c.n_also = n;
    return c;
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *words[2];
        bool is_taken;
    } rows[] = {
        {"", {0}, true},
        {"tenants", {"city"}, true},
        {"tenants", {"AA-01"}, true},
        {"tenants", {"farm"}, false},
        {"tenants", {"City"}, false}, /* names are what they are, ids have either case */
        {"tenants", {"farm", "city"}, true},
        {"applications", {"lamps"}, true},
        {"applications", {"city"}, false},
        {"profiles", {"cc-01"}, true},
        {"profiles", {"dd-01"}, false},
        {"service", {"dd-01"}, true},
        {"service", {"cc-01"}, false},
        {"tags", {"roaming"}, true},
        {"tags", {"roaming=fed.test"}, true},
        {"tags", {"roaming=fed"}, false},
        {"tags", {"roaming="}, false},
        {"tags", {"roaming", "other"}, false}, /* all of them */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *words[] = {(char *)(uintptr_t)rows[i].words[0], (char *)(uintptr_t)rows[i].words[1]};
        const size_t n = words[1] ? 2 : words[0] ? 1 : 0;
        const struct fr_sync_federation_conf c = choose(rows[i].what, words, n);
        const enum fr_sync_fate fate = fr_sync_choose(&c, &lamp);
        if (fate != (rows[i].is_taken ? FR_SYNC_TAKEN : FR_SYNC_NOT_CHOSEN))
            fail_msg("row %zu: %s", i, fr_sync_fate_text(fate));
    }
}

static void test_what_could_not_roam(void **state)
{
    (void)state;
    static const struct {
        uint64_t deveui;
        bool is_otaa, is_disabled, may_roam;
        const char *also;
        enum fr_sync_fate fate;
    } rows[] = {
        {1, true, false, true, NULL, FR_SYNC_TAKEN},
        {1, false, false, true, NULL, FR_SYNC_ABP},
        {1, false, false, true, "abp", FR_SYNC_TAKEN},
        {1, true, true, true, NULL, FR_SYNC_DISABLED},
        {1, true, true, true, "disabled", FR_SYNC_TAKEN},
        {1, true, true, true, "abp", FR_SYNC_DISABLED},
        {1, true, false, false, NULL, FR_SYNC_NOT_ROAMING},
        {1, true, false, false, "not-roaming", FR_SYNC_TAKEN},
        {0, true, false, true, NULL, FR_SYNC_RESERVED},
        {UINT64_MAX, true, false, true, NULL, FR_SYNC_RESERVED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *words[] = {(char *)(uintptr_t)rows[i].also};
        const struct fr_sync_federation_conf c = choose("also", words, rows[i].also ? 1 : 0);
        const struct fr_sync_device d = {.deveui = rows[i].deveui,
                                         .is_otaa = rows[i].is_otaa,
                                         .is_disabled = rows[i].is_disabled,
                                         .may_roam = rows[i].may_roam};
        const enum fr_sync_fate fate = fr_sync_choose(&c, &d);
        if (fate != rows[i].fate) fail_msg("row %zu: %s", i, fr_sync_fate_key(fate));
    }
}

static void test_the_key_of_a_tag(void **state)
{
    (void)state;
    char key[8];
    assert_true(fr_sync_tag_key("a.b=c=d", key, sizeof key));
    assert_string_equal(key, "a.b");
    assert_true(fr_sync_tag_key("roaming", key, sizeof key));
    assert_string_equal(key, "roaming");
    assert_false(fr_sync_tag_key("longroaming=1", key, sizeof key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_what_could_not_roam),
        cmocka_unit_test(test_the_key_of_a_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
