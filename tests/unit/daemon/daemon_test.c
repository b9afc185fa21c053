#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "support/unit.h"

/* The service manager, the log, and a daemon that drains for a turn of its loop before it is over. */
struct life {
    struct fr_daemon *daemon;
    struct fr_timer next;
    const char *script; /* signals to come: H(up), T(erm), I(nt) */
    enum fr_err reload_result;
    unsigned reloads, stops;
    char events[512];
};

static void on_line(void *data, enum fr_log_level level, const char *line, size_t n)
{
    struct life *life = data;
    const char *at = strstr(line, "event=");

    (void)level;
    (void)n;
    assert_non_null(at);
    at += strlen("event=");
    (void)strncat(life->events, at, strcspn(at, " \n"));
    (void)strcat(life->events, strstr(at, "why=") != NULL ? "(why) " : " ");
}

static void on_next(struct fr_timer *t)
{
    struct life *life = t->data;

    switch (*life->script) {
    case '\0': fr_daemon_over(life->daemon); return;
    case 'H': (void)raise(SIGHUP); break;
    case 'T': (void)raise(SIGTERM); break;
    case 'I': (void)raise(SIGINT); break;
    default: fail();
    }
    life->script++;
    fr_timer_start(t->loop, t, 5);
}

static enum fr_err reload(void *data, struct fr_diag *diag)
{
    struct life *life = data;

    life->reloads++;
    return life->reload_result ? fr_diag_fail(diag, life->reload_result, "line 3 is no good")
                               : FR_OK;
}

static void stop(void *data)
{
    struct life *life = data;

    life->stops++;
}

static int manager(struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    *addr = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(addr->sun_path, sizeof addr->sun_path, "/tmp/fr-daemon-%d", getpid());
    assert_int_equal(bind(fd, (struct sockaddr *)addr, sizeof *addr), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", addr->sun_path, 1), 0);
    return fd;
}

/* What the manager was told, the first word of each message. */
static void told(int fd, char *out, size_t size)
{
    char message[256];
    ssize_t n;

    *out = '\0';
    while ((n = recv(fd, message, sizeof message - 1, 0)) > 0) {
        message[n] = '\0';
        message[strcspn(message, "=")] = '\0';
        (void)strncat(out, message, size - strlen(out) - 2);
        (void)strcat(out, " ");
    }
}

static const struct {
    const char *script;
    enum fr_err reload_result;
    unsigned reloads, stops;
    const char *events, *told;
} LIVES[] = {
    {"T", FR_OK, 0, 1, "t.stopping t.stopped ", "READY STOPPING "},
    {"I", FR_OK, 0, 1, "t.stopping t.stopped ", "READY STOPPING "},
    {"HT", FR_OK, 1, 1, "t.reloaded t.stopping t.stopped ", "READY RELOADING READY STOPPING "},
    {"HT", FR_E_CONFIG, 1, 1, "t.reload_failed(why) t.stopping t.stopped ",
     "READY RELOADING READY STOPPING "},
    /* told twice, and told to reload while it ends: nothing more happens */
    {"TITH", FR_OK, 0, 1, "t.stopping t.stopped ", "READY STOPPING "},
};

static void test_what_is_done_and_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LIVES / sizeof *LIVES; i++) {
        struct life life = {.script = LIVES[i].script, .reload_result = LIVES[i].reload_result};
        struct fr_log log;
        const struct fr_log_options sink = {
            .level = FR_LOG_INFO, .sink = on_line, .sink_data = &life};
        const struct fr_daemon_options options = {
            .name = "t", .log = &log, .reload = reload, .stop = stop, .data = &life};
        struct sockaddr_un addr;
        char messages[256];
        sigset_t set;

        int fd = manager(&addr);
        assert_int_equal(fr_log_init(&log, &sink), FR_OK);
        assert_int_equal(fr_daemon_new(&options, &life.daemon), FR_OK);
        fr_timer_init(&life.next, on_next, &life);
        fr_timer_start(fr_daemon_loop(life.daemon), &life.next, 1);
        assert_int_equal(fr_daemon_run(life.daemon), FR_OK);
        (void)raise(SIGTERM); /* held back */
        fr_daemon_free(life.daemon);
        told(fd, messages, sizeof messages);
        assert_int_equal(life.reloads, LIVES[i].reloads);
        assert_int_equal(life.stops, LIVES[i].stops);
        assert_string_equal(life.events, LIVES[i].events);
        assert_string_equal(messages, LIVES[i].told);
        assert_int_equal(close(fd), 0);
        assert_int_equal(unlink(addr.sun_path), 0);

        /* For the next life: the one that waits is taken, then all are let in again. */
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGTERM);
        assert_int_equal(sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = 5}), SIGTERM);
        (void)sigaddset(&set, SIGINT);
        (void)sigaddset(&set, SIGHUP);
        assert_int_equal(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_done_and_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
