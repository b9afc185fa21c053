/* Real programs on a loop of poll(2). */
#include "notify/child.h"

#include "support/unit.h"
#include "transport/loop_poll.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct ended {
    bool is_over;
    char why[200], output[FR_CHILD_OUTPUT_MAX + 1];
    size_t n;
};

static void on_done(void *data, const char *why, struct fr_span output)
{
    struct ended *e = data;

    e->is_over = true;
    (void)snprintf(e->why, sizeof e->why, "%s", why);
    memcpy(e->output, output.p, output.n);
    e->output[output.n] = '\0';
    e->n = output.n;
}

static void run(const char *script, const char *input, uint32_t limit_ms, struct ended *e)
{
    char sh[] = "/bin/sh", c[] = "-c", text[2000];
    char *const argv[] = {sh, c, text, NULL};
    struct fr_loop *loop = NULL;
    struct fr_child *child = NULL;

    *e = (struct ended){0};
    (void)snprintf(text, sizeof text, "%s", script);
    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    assert_int_equal(
        fr_child_start(loop, argv, fr_span_str(input), limit_ms, on_done, e, NULL, &child), FR_OK);
    while (!e->is_over) (void)fr_loop_poll_turn(loop, 60000);
    fr_child_free(child);
    fr_loop_poll_free(loop);
}

static void programs_and_what_became_of_them(void **state)
{
    static const struct {
        const char *label, *script, *why, *output;
    } rows[] = {
        {"takes it", "cat", "", "{\"id\":1}"},
        {"does not read it", "exit 0", "", ""},
        {"fails", "echo no route >&2; exit 3", "it failed (exit code 3)", "no route\n"},
        {"is ended", "kill -9 $$", "it was ended by signal 9", ""},
        {"closes its end at once", "exec >&- 2>&-; exit 0", "", ""},
        {"has nothing of ours", "env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort; pwd",
         "", "LC_ALL=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n/\n"},
        {"has three descriptors", "ls /proc/self/fd | tr '\\n' ' '", "", "0 1 2 3 "}, /* 3: of ls */
        {"gets no privileges", "grep NoNewPrivs /proc/self/status", "", "NoNewPrivs:\t1\n"},
        {"may be ended by a broken pipe", "grep SigIgn /proc/self/status", "",
         "SigIgn:\t0000000000000000\n"},
        {"is no part of our session", "test $(cut -d' ' -f6 /proc/$$/stat) = $$", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ended e;
        run(rows[i].script, "{\"id\":1}", 60000, &e);
        if (strcmp(e.why, rows[i].why) != 0) fail_msg("%s: %s", rows[i].label, e.why);
        if (strcmp(e.output, rows[i].output) != 0) fail_msg("%s: %s", rows[i].label, e.output);
    }
}

static void one_that_is_late_is_killed_with_all_it_began(void **state)
{
    struct ended e;

    (void)state;
    run("sleep 1000 & sleep 1000", "", 200, &e);
    assert_string_equal(e.why, "it was not done after 200 ms and was killed");
}

static void much_output_is_read_and_the_beginning_kept(void **state)
{
    struct ended e;

    (void)state;
    run("head -c 1000000 /dev/zero | tr '\\0' x", "", 60000, &e);
    assert_string_equal(e.why, "");
    assert_int_equal(e.n, FR_CHILD_OUTPUT_MAX);
}

static void what_cannot_be_run_and_what_is_too_long(void **state)
{
    static uint8_t much[FR_CHILD_INPUT_MAX + 1];
    char none[] = "/no/such/program";
    char *const argv[] = {none, NULL};
    struct fr_loop *loop = NULL;
    struct fr_child *child = NULL;
    struct ended e = {0};

    (void)state;
    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    assert_int_equal(
        fr_child_start(loop, argv, fr_span(much, sizeof much), 1000, on_done, &e, NULL, &child),
        FR_E_LIMIT);
    assert_int_equal(fr_child_start(loop, argv, fr_span(much, sizeof much - 1), 60000, on_done, &e,
                                    NULL, &child),
                     FR_OK);
    while (!e.is_over) (void)fr_loop_poll_turn(loop, 60000);
    assert_non_null(strstr(e.why, "cannot be run"));
    fr_child_free(child);
    fr_loop_poll_free(loop);
}

static void freed_while_it_runs(void **state)
{
    char sleep[] = "/bin/sleep", long_time[] = "1000";
    char *const argv[] = {sleep, long_time, NULL};
    struct fr_loop *loop = NULL;
    struct fr_child *child = NULL;
    struct ended e = {0};

    (void)state;
    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    assert_int_equal(
        fr_child_start(loop, argv, (struct fr_span){0}, 60000, on_done, &e, NULL, &child), FR_OK);
    fr_child_free(child); /* waits until it is dead */
    (void)fr_loop_poll_turn(loop, 0);
    assert_false(e.is_over);
    fr_loop_poll_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_and_what_became_of_them),
        cmocka_unit_test(one_that_is_late_is_killed_with_all_it_began),
        cmocka_unit_test(much_output_is_read_and_the_beginning_kept),
        cmocka_unit_test(what_cannot_be_run_and_what_is_too_long),
        cmocka_unit_test(freed_while_it_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
