#include "est/crl_shelf.h"

#include "base/file.h"
#include "ca/ca.h"
#include "ca/crl.h"
#include "ca/init.h"
#include "store/change.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795157000LL

static char root[] = "/tmp/fedroam-shelf-XXXXXX", dir[64];
static struct fr_store *store;
static struct fr_crl_shelf *shelf;
static char list_path[FR_CRL_PATH_MAX];
static char list_name[80], cer_name[80];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void publish(void)
{
    const struct fr_change_by by = {.actor = "test", .now_s = NOW};
    struct fr_ca *ca = NULL;
    struct fr_crl_set set;

    assert_int_equal(fr_ca_open(dir, store, &by, NULL, &ca), FR_OK);
    assert_int_equal(fr_crl_publish(ca, store, dir, NOW * 1000, NULL, &set), FR_OK);
    assert_int_equal(fr_crl_path(dir, fr_ca_name(ca), list_path), FR_OK);
    (void)snprintf(list_name, sizeof list_name, "/%s.crl", fr_ca_name(ca));
    (void)snprintf(cer_name, sizeof cer_name, "/%s.cer", fr_ca_name(ca));
    fr_ca_close(ca);
}

static int setup(void **state)
{
    struct fr_ca_init_result result;
    struct fr_ca_init_options init = {.dir = dir,
                                      .federation = "fed.test",
                                      .host = "host1",
                                      .map_size = 1u << 30,
                                      .now_s = NOW,
                                      .actor = "test"};

    (void)state;
    assert_non_null(mkdtemp(root));
    (void)snprintf(dir, sizeof dir, "%s/s", root);
    assert_int_equal(fr_ca_init(&init, NULL, &result), FR_OK);
    const struct fr_store_options options = {.dir = dir, .map_size = 1u << 30};
    assert_int_equal(fr_store_open(&options, NULL, &store), FR_OK);
    assert_int_equal(fr_crl_shelf_new(dir, store, &shelf), FR_OK);
    publish();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fr_crl_shelf_free(shelf);
    fr_store_close(store);
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct fr_crl_answer get(const char *path, const char *held)
{
    return fr_crl_shelf_find(shelf, FR_SPAN_LIT("GET"), fr_span_str(path), fr_span_str(held));
}

static void what_is_there_and_what_is_not(void **state)
{
    static const struct {
        const char *method, *path;
        unsigned status;
    } rows[] = {
        {"GET", "/root.cer", 200},   {"HEAD", "/crl/root.cer", 200},
        {"POST", "/root.cer", 405},  {"get", "/root.cer", 405},
        {"GET", "/rood.crl", 404},   {"GET", "/no.cer", 404},
        {"GET", "/", 404},           {"GET", "", 404},
        {"GET", "*", 404},           {"GET", "/.crl", 404},
        {"GET", ".crl", 404},        {"GET", "/a/b.crl", 404},
        {"GET", "/..%2fa.crl", 404}, {"GET", "/../a.crl", 404},
        {"GET", "/A.cer", 404},      {"GET", "/crl/crl/a.crl", 404},
        {"GET", "/crl", 404},        {"GET", "/root.cer/", 404},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_crl_answer answer = fr_crl_shelf_find(
            shelf, fr_span_str(rows[i].method), fr_span_str(rows[i].path), (struct fr_span){0});
        if (answer.status != rows[i].status)
            fail_msg("%s %s: %u", rows[i].method, rows[i].path, answer.status);
    }
    assert_int_equal(get(list_name, NULL).status, 200);
    assert_int_equal(get(cer_name, NULL).status, 200);
    assert_string_equal(get(list_name, NULL).type, "application/pkix-crl");
    assert_string_equal(get("/root.crl", NULL).type, "application/pkix-crl");
    assert_string_equal(get(cer_name, NULL).type, "application/pkix-cert");
}

static void a_held_list_is_not_sent_again(void **state)
{
    char tag[32], several[80], weak[40];

    (void)state;
    (void)snprintf(tag, sizeof tag, "%s", get(list_name, NULL).etag);
    (void)snprintf(several, sizeof several, "\"a\" , %s", tag);
    (void)snprintf(weak, sizeof weak, "W/%s", tag);
    assert_int_equal(get(list_name, tag).status, 304);
    assert_int_equal(get(list_name, several).status, 304);
    assert_int_equal(get(list_name, weak).status, 304);
    assert_int_equal(get(list_name, "*").status, 304);
    assert_int_equal(get(list_name, "\"a\"").status, 200);
    assert_int_equal(get(list_name, ",").status, 200);
    assert_int_equal(get("/no.crl", "*").status, 404);
    publish();
    struct fr_crl_answer fresh = get(list_name, tag);
    assert_int_equal(fresh.status, 200);
    assert_string_not_equal(fresh.etag, tag);
}

static void what_is_given_is_the_file(void **state)
{
    struct fr_buf file = FR_BUF_INIT(FR_CRL_MAX);
    char away[80];

    (void)state;
    (void)snprintf(away, sizeof away, "%s/away", root);
    assert_int_equal(fr_file_read(list_path, NULL, &file), FR_OK);
    for (int i = 0; i < 2; i++) { /* read, then kept */
        struct fr_crl_answer answer = get(list_name, NULL);
        assert_true(fr_span_equal(answer.content, fr_buf_span(&file)));
    }
    fr_buf_deinit(&file);
    assert_int_equal(rename(list_path, away), 0);
    assert_int_equal(get(list_name, NULL).status, 404);
    assert_int_equal(rename(away, list_path), 0);
    assert_int_equal(get(list_name, NULL).status, 200);
}

static void the_name_says_the_federation(void **state)
{
    static const struct {
        const char *authority;
        bool is_named;
    } rows[] = {{"crl.fed.test", true},       {"CRL.Fed.Test:8080", true},
                {"fed.test", false},          {"ca.fed.test", false},
                {"crl.other.test", false},    {"", false},
                {"crl.fed.test.evil", false}, {"crl.", false},
                {"[::1]:80", false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(fr_crl_shelf_is_named(shelf, fr_span_str(rows[i].authority)),
                         rows[i].is_named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_and_what_is_not),
        cmocka_unit_test(a_held_list_is_not_sent_again),
        cmocka_unit_test(what_is_given_is_the_file),
        cmocka_unit_test(the_name_says_the_federation),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
