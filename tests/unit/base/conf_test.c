#include "base/conf.h"
#include "base/mem.h"
#include "support/unit.h"
#include "unit/base/conf_example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fr_err parse(const char *text, struct fr_diag *diag, struct example *out)
{
    return fr_conf_parse(&example_schema, "d/e.yaml", fr_span_str(text), diag, out);
}

static void every_type(void **state)
{
    static const char text[] = "on: off\n"
                               "workers: 7\n"
                               "cache: 1GiB\n"
                               "patience: 250ms\n"
                               "name: \"0013\"\n"
                               "file: keys/a.pem\n"
                               "peer: \"[::1]:9\"\n"
                               "words: [a, b]   # a comment\n"
                               "custom: xyz\n"
                               "front: {port: 80, colour: red}\n"
                               "doors:\n"
                               "  - port: 443\n"
                               "  - {address: 127.0.0.1, port: 65535}\n"
                               "servers:\n"
                               "  - https://a/\n"
                               "  - url: https://b/\n"
                               "    addresses: 192.0.2.1\n";
    struct example e;
    struct fr_diag diag = {0};
    char ip[FR_IP_TEXT];

    (void)state;
    if (parse(text, &diag, &e) != FR_OK) fail_msg("%s: %s", diag.where, diag.what);
    assert_false(e.is_on);
    assert_int_equal(e.workers, 7);
    assert_true(e.cache == 1ull << 30);
    assert_int_equal(e.patience_ms, 250);
    assert_string_equal(e.name, "0013");
    assert_string_equal(e.file, "d/keys/a.pem");
    assert_int_equal(e.peer.port, 9);
    assert_int_equal(e.n_words, 2);
    assert_string_equal(e.words[1], "b");
    assert_string_equal(e.custom, "xyz");
    assert_int_equal(e.front.port, 80);
    assert_int_equal(e.front.colour, RED);
    fr_ip_print(&e.front.address, ip);
    assert_string_equal(ip, "::");
    assert_int_equal(e.n_doors, 2);
    assert_int_equal(e.doors[0].colour, GREEN);
    assert_int_equal(e.doors[1].port, 65535);
    assert_int_equal(e.doors[0].line, 12);
    assert_int_equal(e.doors[1].line, 13);
    assert_int_equal(e.n_servers, 2);
    assert_string_equal(e.servers[0].url, "https://a/");
    assert_int_equal(e.servers[0].n_addresses, 0);
    assert_int_equal(e.servers[1].n_addresses, 1);
    assert_string_equal(e.servers[1].addresses[0], "192.0.2.1");
    fr_conf_free(&example_schema, &e);
    fr_conf_free(&example_schema, &e); /* zeroed, so legal again */
}

static void what_is_left_out_has_its_default(void **state)
{
    static const char *const empties[] = {"",   "# nothing\n", "---\n...\n",
                                          "{}", "~",           "words: []\nname:\nfront:\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(empties); i++) {
        struct example e;
        memset(&e, 0xee, sizeof e);
        CHECK_ROW(empties[i], parse(empties[i], NULL, &e) == FR_OK);
        CHECK_ROW(empties[i],
                  e.is_on && e.workers == 2 && e.cache == 64 << 20 && e.patience_ms == 2000);
        CHECK_ROW(empties[i],
                  e.name == NULL && e.n_words == 0 && e.words == NULL && e.doors == NULL);
        CHECK_ROW(empties[i],
                  e.front.port == 0 &&
                      e.front.colour == GREEN); /* required, but its group is not there */
        fr_conf_free(&example_schema, &e);
    }
    struct example e;
    assert_int_equal(fr_conf_defaults(&example_schema, &e), FR_OK);
    assert_int_equal(e.workers, 2);
    fr_conf_free(&example_schema, &e);
}

static void short_forms(void **state)
{
    struct example e;

    (void)state;
    assert_int_equal(parse("servers: https://a/\nwords: one\n", NULL, &e), FR_OK);
    assert_int_equal(e.n_servers, 1);
    assert_string_equal(e.servers[0].url, "https://a/");
    assert_int_equal(e.n_words, 1);
    fr_conf_free(&example_schema, &e);
    assert_int_equal(parse("servers: {url: https://b/, addresses: [a, b]}\n", NULL, &e), FR_OK);
    assert_int_equal(e.n_servers, 1);
    assert_int_equal(e.servers[0].n_addresses, 2);
    fr_conf_free(&example_schema, &e);
}

static void faults_say_where_and_what(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"worker: 1\n", "d/e.yaml:1:1: unknown key worker (did you mean workers?)"},
        {"on: yes\nzzzzz: 1\n", "d/e.yaml:2:1: unknown key zzzzz"},
        {"on: maybe\n", "d/e.yaml:1:5: on: \"maybe\" is not true or false (write true or false)"},
        {"workers: 65\n", "d/e.yaml:1:10: workers: \"65\" is not between 1 and 64"},
        {"workers: -1\n", "d/e.yaml:1:10: workers: \"-1\" is not a number"},
        {"patience: 2m\n", "d/e.yaml:1:11: patience: \"2m\" is not between 0 ms and 60000 ms"},
        {"patience: 2\n",
         "d/e.yaml:1:11: patience: \"2\" is not a duration (a number with ms, s, m, h or d)"},
        {"cache: 1KB\n", "d/e.yaml:1:8: cache: \"1KB\" is not a size (a number of bytes, or with "
                         "KiB, MiB, GiB, TiB)"},
        {"name: 123456789\n", "d/e.yaml:1:7: name is longer than 8 bytes"},
        {"name: \"a\\0b\"\n", "d/e.yaml:1:7: name holds a zero byte"},
        {"name: [a]\n", "d/e.yaml:1:7: name must be text"},
        {"name: {a: b}\n", "d/e.yaml:1:7: name must be text"},
        {"file: ''\n", "d/e.yaml:1:7: file is empty"},
        {"pin: 123456\n", "d/e.yaml:1:6: pin is not between 0 and 65535"},
        {"pin: hunter2\n", "d/e.yaml:1:6: pin is not a number"}, /* a secret is not quoted */
        {"peer: host:1\n", "d/e.yaml:1:7: peer: \"host:1\" is not an address and port (as "
                           "192.0.2.1:8005 or [2001:db8::1]:8005)"},
        {"words: [a, b, c, d]\n", "d/e.yaml:1:8: words has more than 3 items"},
        {"words: [a, [b]]\n", "d/e.yaml:1:12: words must be a list of texts"},
        {"words: {a: b}\n", "d/e.yaml:1:8: words must be a list of texts"},
        {"custom: y\n", "d/e.yaml:1:9: custom: must start with x"},
        {"front: 80\n", "d/e.yaml:1:8: front must be a mapping"},
        {"front: {colour: red}\n", "d/e.yaml:1:8: port is missing (Its port.)"},
        {"front: {port: 1, colour: gren}\n",
         "d/e.yaml:1:26: colour: \"gren\" is not one of red|green (did you mean green?)"},
        {"front: {prt: 1}\n", "d/e.yaml:1:9: unknown key prt (did you mean port?)"},
        {"doors: {port: 1}\n", "d/e.yaml:1:8: doors must be a list of mappings"},
        {"doors: [{port: 1}, 5]\n", "d/e.yaml:1:20: doors must be a list of mappings"},
        {"doors: [{port: 1}, {port: 2}, {port: 3}, {port: 4}, {port: 5}]\n",
         "d/e.yaml:1:8: doors has more than 4 items"},
        {"on: yes\non: no\n",
         "d/e.yaml:2:1: the key on stands twice in one mapping (the first is in line 1)"},
        {"- a\n", "d/e.yaml:1:1: the file must be a mapping, \"key: value\" lines"},
        {"hello\n", "d/e.yaml:1:1: the file must be a mapping, \"key: value\" lines"},
        {"on: &a yes\n", "d/e.yaml:1:5: anchors are not accepted"},
        {"front: &a {port: 1}\n", "d/e.yaml:1:8: anchors are not accepted"},
        {"on: *a\n", "d/e.yaml:1:5: aliases are not accepted"},
        {"on: !!bool yes\n", "d/e.yaml:1:5: tags are not accepted"},
        {"words: !x [a]\n", "d/e.yaml:1:8: tags are not accepted"},
        {"[a]: b\n", "d/e.yaml:1:1: a key is a word"},
        {"on: yes\n---\non: no\n", "d/e.yaml:2:1: a second document is not accepted"},
        {"words: [[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]\n", "d/e.yaml:1:23: nested too deeply"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct example e;
        struct fr_diag diag = {0};
        char got[1200];
        memset(&e, 0x55, sizeof e);
        CHECK_ROW(rows[i].text, parse(rows[i].text, &diag, &e) == FR_E_CONFIG);
        fr_diag_print(&diag, FR_E_CONFIG, got, sizeof got);
        assert_string_equal(got, rows[i].message);
        CHECK_ROW(rows[i].text, e.workers == 0x55555555); /* untouched */
        CHECK_ROW(rows[i].text, parse(rows[i].text, NULL, &e) == FR_E_CONFIG);
    }
}

static void what_is_not_yaml(void **state)
{
    static const char *const rows[] = {"on: [\n",        "on: \"x\n", "\ton: 1\n", "a: b: c\n",
                                       "on: \xff\xfe\n", "{on: yes",  "on\n: - x"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct example e;
        struct fr_diag diag = {0};
        CHECK_ROW(rows[i], parse(rows[i], &diag, &e) == FR_E_CONFIG);
        CHECK_ROW(rows[i], strncmp(diag.where, "d/e.yaml", 8) == 0 && diag.what[0] != '\0');
    }
}

static void from_a_file(void **state)
{
    char path[] = "/tmp/fr_conf_test.XXXXXX";
    int fd = mkstemp(path);
    struct fr_conf_schema private_schema = example_schema;
    struct example e;
    struct fr_diag diag = {0};

    (void)state;
    assert_true(fd >= 0 && write(fd, "file: x\n", 8) == 8);
    assert_int_equal(fr_conf_load(&example_schema, path, &diag, &e), FR_OK);
    assert_string_equal(e.file, "/tmp/x");
    fr_conf_free(&example_schema, &e);
    private_schema.is_private = true;
    assert_int_equal(fr_conf_load(&private_schema, path, &diag, &e), FR_OK);
    fr_conf_free(&private_schema, &e);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(fr_conf_load(&private_schema, path, &diag, &e), FR_E_CONFIG);
    assert_int_equal(close(fd) | unlink(path), 0);
    assert_int_equal(fr_conf_load(&example_schema, path, &diag, &e), FR_E_NOT_FOUND);
}

static void the_reference_comes_from_the_rows(void **state)
{
    struct fr_buf page = FR_BUF_INIT(100000);

    (void)state;
    assert_int_equal(fr_conf_reference(&example_schema, &page), FR_OK);
    assert_non_null(strstr(fr_buf_str(&page), "# example.yaml\n"));
    assert_non_null(
        strstr(fr_buf_str(&page), "| `workers` | a number, 1 to 64 | `2` | Threads. |\n"));
    assert_non_null(
        strstr(fr_buf_str(&page), "| `cache` | a size, 1KiB or more | `64MiB` | Memory. |\n"));
    assert_non_null(
        strstr(fr_buf_str(&page), "| `patience` | a duration, 0ms to 1m | `2s` | Time. |\n"));
    assert_non_null(strstr(fr_buf_str(&page),
                           "| `front.colour` | `red` or `green` | `green` | Its colour. |\n"));
    assert_non_null(strstr(fr_buf_str(&page),
                           "| `doors[].port` | a number, 1 or more | required | Its port. |\n"));
    fr_buf_deinit(&page);
    struct fr_buf small = FR_BUF_INIT(100);
    assert_int_equal(fr_conf_reference(&example_schema, &small), FR_E_LIMIT);
    fr_buf_deinit(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(short_forms),
        cmocka_unit_test(faults_say_where_and_what),
        cmocka_unit_test(what_is_not_yaml),
        cmocka_unit_test(from_a_file),
        cmocka_unit_test(the_reference_comes_from_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
