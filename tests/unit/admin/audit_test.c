#include "admin/audit.h"

#include "admin/audit_read.h"
#include "support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64], file[96], head[96], copy[96];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/fedroam-audit-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->file, sizeof p->file, "%s/audit.jsonl", p->dir);
    (void)snprintf(p->head, sizeof p->head, "%s/audit.head", p->dir);
    (void)snprintf(p->copy, sizeof p->copy, "%s/copy.jsonl", p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static struct fr_audit *open_trail(const struct place *p, const char *also)
{
    const struct fr_audit_options options = {.state = p->dir, .also = also};
    struct fr_audit *audit = NULL;
    assert_int_equal(fr_audit_open(&options, &audit), FR_OK);
    return audit;
}

static enum fr_err add(struct fr_audit *audit, const char *op)
{
    const struct fr_audit_entry entry = {.when_s = 1795157000,
                                         .actor = "local:tester",
                                         .has_uid = true,
                                         .uid = 7,
                                         .op = op,
                                         .args = "{\"id\":\"acme\"}",
                                         .result = "{\"serial\":\"41\"}"};
    struct fr_diag diag = {0};
    return fr_audit_add(audit, &entry, &diag);
}

static void add_some(struct fr_audit *audit, unsigned n)
{
    for (unsigned i = 0; i < n; i++) assert_int_equal(add(audit, "member.add"), FR_OK);
    assert_int_equal(fr_audit_sync(audit, NULL), FR_OK);
}

struct faults {
    unsigned n;
    uint64_t first;
    char what[256];
};

static void note_fault(void *data, uint64_t number, const char *what)
{
    struct faults *faults = data;
    if (faults->n++) return;
    faults->first = number;
    (void)snprintf(faults->what, sizeof faults->what, "%s", what);
}

static struct faults check(const struct place *p)
{
    struct faults faults = {0};
    struct fr_audit_verdict verdict;
    assert_int_equal(fr_audit_check(p->file, p->head, note_fault, &faults, NULL, &verdict), FR_OK);
    return faults;
}

/* --- the file as text --- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 20);
    assert_non_null(file);
    size_t n = fread(text, 1, (1 << 20) - 1, file);
    text[n] = 0;
    (void)fclose(file);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    (void)fclose(file);
}

#define LINES 6

/* The file with its lines in this order; -1 ends it. */
static void reorder(const struct place *p, const int *order)
{
    char *text = read_file(p->file), *lines[LINES], *out = calloc(1, 1 << 20), *rest = text;
    for (int i = 0; i < LINES; i++) lines[i] = strsep(&rest, "\n");
    for (; *order >= 0; order++) {
        (void)strcat(out, lines[*order]);
        (void)strcat(out, "\n");
    }
    write_file(p->file, out);
    free(out);
    free(text);
}

static void every_way_of_editing_is_found(void **state)
{
    const struct place *p = *state;
    static const struct {
        const char *label;
        int order[LINES + 2];
        uint64_t line; /* that the fault is told of */
        const char *what;
    } rows[] = {
        {"untouched", {0, 1, 2, 3, 4, 5, -1}, 0, ""},
        {"one dropped", {0, 1, 3, 4, 5, -1}, 3, "dropped"},
        {"the first dropped", {1, 2, 3, 4, 5, -1}, 0, ""}, /* moved away, for all one can see */
        {"the last dropped", {0, 1, 2, 3, 4, -1}, 6, "the end is missing"},
        {"two changed places", {0, 2, 1, 3, 4, 5, -1}, 2, "moved"},
        {"one twice", {0, 1, 1, 2, 3, 4, 5, -1}, 3, "put in"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_audit *audit = open_trail(p, NULL);
        add_some(audit, LINES);
        fr_audit_close(audit);
        reorder(p, rows[i].order);
        struct faults faults = check(p);
        CHECK_ROW(rows[i].label, (faults.n > 0) == (rows[i].line > 0));
        CHECK_ROW(rows[i].label, faults.first == rows[i].line);
        CHECK_ROW(rows[i].label, strstr(faults.what, rows[i].what) != NULL);
        (void)unlink(p->file);
        (void)unlink(p->head);
    }
}

static void every_changed_byte_is_found(void **state)
{
    const struct place *p = *state;
    struct fr_audit *audit = open_trail(p, NULL);
    add_some(audit, 3);
    fr_audit_close(audit);
    char *text = read_file(p->file);
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        text[i] ^= 1;
        write_file(p->file, text);
        if (check(p).n == 0) fail_msg("byte %zu", i);
        text[i] ^= 1;
    }
    write_file(p->file, text);
    assert_int_equal(check(p).n, 0);
    free(text);
}

/* A crash may cut the last line anywhere. */
static void a_torn_line_is_kept_aside_and_noted(void **state)
{
    const struct place *p = *state;
    char torn[96];
    (void)snprintf(torn, sizeof torn, "%s/audit.torn-3", p->dir);
    struct fr_audit *audit = open_trail(p, NULL);
    add_some(audit, 3);
    fr_audit_close(audit);
    char *text = read_file(p->file);
    const size_t n = strlen(text), last = (size_t)(strstr(text, "\"seq\":3") - text) - 1;
    for (size_t cut = last + 1; cut < n; cut += 17) {
        char *part = strndup(text, cut);
        write_file(p->file, part);
        (void)unlink(p->head);
        audit = open_trail(p, NULL);
        add_some(audit, 1);
        fr_audit_close(audit);
        char *now = read_file(p->file), *aside = read_file(torn);
        if (check(p).n) fail_msg("cut at %zu: %s", cut, check(p).what);
        assert_string_equal(aside, part + last);
        assert_non_null(strstr(now, "\"op\":\"audit.torn\""));
        free(aside);
        free(now);
        free(part);
    }
    free(text);
}

static void two_writers_make_one_chain(void **state)
{
    const struct place *p = *state;
    struct fr_audit *a = open_trail(p, NULL), *b = open_trail(p, NULL);
    for (int i = 0; i < 5; i++) {
        add_some(a, 1);
        add_some(b, 2);
    }
    fr_audit_close(a);
    fr_audit_close(b);
    struct faults faults = check(p);
    if (faults.n) fail_msg("%s", faults.what);
}

/* What cannot be opened is a folder: root may write to anything else. */
static void what_cannot_be_written_is_refused_counted_and_noted(void **state)
{
    const struct place *p = *state;
    struct fr_diag diag = {0};
    assert_int_equal(mkdir(p->file, 0700), 0);
    struct fr_audit *audit = open_trail(p, NULL);
    assert_int_equal(fr_audit_ready(audit, 1795157000, &diag), FR_E_UNAVAILABLE);
    assert_non_null(strstr(diag.what, "audit.jsonl"));
    assert_non_null(strstr(diag.hint, "look-ups go on"));
    assert_int_equal(add(audit, "member.add"), FR_E_UNAVAILABLE);
    assert_int_equal(add(audit, "member.add"), FR_E_UNAVAILABLE);
    assert_false(fr_audit_counters(audit).is_ready);
    assert_int_equal(rmdir(p->file), 0);
    assert_int_equal(fr_audit_ready(audit, 1795157000, &diag), FR_OK);
    add_some(audit, 1);
    assert_true(fr_audit_counters(audit).is_ready);
    fr_audit_close(audit);
    char *text = read_file(p->file);
    assert_non_null(strstr(text, "\"op\":\"audit.gap\""));
    assert_non_null(strstr(text, "\"lost\":2"));
    assert_int_equal(check(p).n, 0);
    free(text);
}

static void the_copy_catches_up(void **state)
{
    const struct place *p = *state;
    struct fr_audit *audit = open_trail(p, NULL);
    add_some(audit, 3);
    fr_audit_close(audit);
    audit = open_trail(p, p->copy); /* it begins with what was before */
    add_some(audit, 2);
    assert_int_equal(unlink(p->copy), 0);
    assert_int_equal(mkdir(p->copy, 0700), 0);
    add_some(audit, 2); /* its failure stops nothing */
    assert_true(fr_audit_counters(audit).copy_failures > 0);
    assert_int_equal(rmdir(p->copy), 0);
    add_some(audit, 1);
    fr_audit_close(audit);
    char *text = read_file(p->file), *copy = read_file(p->copy);
    assert_string_equal(text, copy);
    free(text);
    free(copy);
}

static void a_new_file_goes_on_with_the_chain(void **state)
{
    const struct place *p = *state;
    char name[FR_AUDIT_NAME_MAX], old[160];
    struct faults faults = {0};
    struct fr_audit_verdict verdict;
    struct fr_diag diag = {0};
    struct fr_audit *audit = open_trail(p, NULL), *other = open_trail(p, NULL);
    assert_int_equal(fr_audit_rotate(audit, 1795157000, "x", &diag, name), FR_E_NOT_FOUND);
    add_some(audit, 3);
    add_some(other, 1);
    assert_int_equal(fr_audit_rotate(audit, 1795157000, "x", &diag, name), FR_OK);
    assert_string_equal(name, "audit-1-4.jsonl");
    add_some(other, 1); /* has the old file open, and notices */
    add_some(audit, 1);
    fr_audit_close(audit);
    fr_audit_close(other);
    faults = check(p);
    if (faults.n) fail_msg("%s", faults.what);
    (void)snprintf(old, sizeof old, "%s/%s", p->dir, name);
    assert_int_equal(fr_audit_check(old, NULL, note_fault, &faults, NULL, &verdict), FR_OK);
    assert_int_equal(faults.n, 0);
    assert_int_equal(verdict.last_seq, 4);
    char *text = read_file(p->file);
    assert_true(strncmp(text, "{\"seq\":5,", 9) == 0);
    assert_non_null(strstr(text, "\"op\":\"audit.begin\""));
    free(text);
}

static void what_is_too_long_is_told_by_its_digest(void **state)
{
    (void)state;
    char *args = calloc(1, FR_AUDIT_LINE_MAX + 100);
    memset(args, 'x', FR_AUDIT_LINE_MAX);
    const struct fr_audit_entry entry = {.when_s = 1, .actor = "a", .op = "o", .args = args};
    const struct fr_audit_link start = {0};
    struct fr_audit_link next;
    struct fr_audit_line line;
    struct fr_buf text = FR_BUF_INIT(FR_AUDIT_LINE_MAX);
    assert_int_equal(fr_audit_line_write(&entry, &start, &text, &next), FR_OK);
    assert_non_null(strstr(fr_buf_str(&text), "\"args_bytes\":65536,\"args_sha256\":\""));
    assert_int_equal(fr_audit_line_parse(fr_span(text.p, text.n - 1), &line), FR_OK);
    assert_true(line.is_intact);
    assert_int_equal(line.link.seq, 1);
    assert_int_equal(line.when_s, 1);
    assert_string_equal(line.op, "o");
    /* every truncation is no line */
    for (size_t n = 0; n < text.n - 1; n++)
        assert_int_equal(fr_audit_line_parse(fr_span(text.p, n), &line), FR_E_MALFORMED);
    fr_buf_deinit(&text);
    free(args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_way_of_editing_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(every_changed_byte_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_torn_line_is_kept_aside_and_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(two_writers_make_one_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_refused_counted_and_noted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_copy_catches_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_file_goes_on_with_the_chain, setup, teardown),
        cmocka_unit_test(what_is_too_long_is_told_by_its_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
