#include "notify/child.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT_RUN 127 /* as shells say it */
#define FILES 1024
#define AFTERWARDS_READS 16 /* what is left in the pipe of one that has ended */

struct fr_child {
    pid_t pid; /* 0: it was waited for */
    int pid_fd, out_fd;
    struct fr_watch end, out;
    struct fr_timer late;
    uint32_t limit_ms;
    bool is_late;
    fr_child_done_fn done;
    void *data;
    size_t n;
    uint8_t output[FR_CHILD_OUTPUT_MAX];
};

/* --- in the new process: only what is safe beside other threads --- */

static void become(char *const *argv, int in, int out) __attribute__((noreturn));

static void become(char *const *argv, int in, int out)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8";
    char *const environment[] = {path, locale, NULL};
    const struct rlimit files = {FILES, FILES};
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setsid();
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
                0); /* ports below 1024 are the broker's */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && dup2(in, STDIN_FILENO) >= 0 &&
        dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 &&
        close_range(STDERR_FILENO + 1, ~0U, 0) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0 &&
        chdir("/") == 0)
        (void)execve(argv[0], argv, environment);
    _exit(CANNOT_RUN);
}

/* --- in this one --- */

static void take_output(struct fr_child *child)
{
    uint8_t drop[1024];
    ssize_t n = 0;

    for (int i = 0; i < AFTERWARDS_READS; i++) {
        const size_t room = sizeof child->output - child->n;
        n = room > 0 ? read(child->out_fd, child->output + child->n, room)
                     : read(child->out_fd, drop, sizeof drop);
        if (n <= 0) break;
        if (room > 0) child->n += (size_t)n;
    }
    if (n == 0) fr_watch_stop(&child->out); /* it has closed its end */
}

static void on_output(struct fr_watch *watch, unsigned events)
{
    (void)events;
    take_output(watch->data);
}

static void on_late(struct fr_timer *timer)
{
    struct fr_child *child = timer->data;

    child->is_late = true;
    (void)kill(-child->pid, SIGKILL);
    (void)kill(child->pid, SIGKILL); /* when it has not got its session yet */
}

static void print_end(const struct fr_child *child, int status, char *out, size_t size)
{
    if (child->is_late)
        (void)snprintf(out, size, "it was not done after %u ms and was killed", child->limit_ms);
    else if (WIFSIGNALED(status))
        (void)snprintf(out, size, "it was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == CANNOT_RUN)
        (void)snprintf(out, size, "it cannot be run, or says so (exit code %d)", CANNOT_RUN);
    else if (WEXITSTATUS(status) != 0)
        (void)snprintf(out, size, "it failed (exit code %d)", WEXITSTATUS(status));
    else
        out[0] = '\0';
}

static void on_end(struct fr_watch *watch, unsigned events)
{
    struct fr_child *child = watch->data;
    int status = 0;
    char why[80];

    (void)events;
    if (waitpid(child->pid, &status, WNOHANG) != child->pid) return;
    child->pid = 0;
    fr_timer_stop(&child->late);
    fr_watch_stop(&child->end);
    take_output(child);
    fr_watch_stop(&child->out);
    print_end(child, status, why, sizeof why);
    child->done(child->data, why, fr_span(child->output, child->n));
}

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0) (void)close(pair[i]);
}

static enum fr_err watch_it(struct fr_child *child, struct fr_loop *loop)
{
    child->pid_fd = pidfd_open(child->pid, 0);
    if (child->pid_fd < 0) return FR_E_IO;
    fr_watch_init(&child->end, child->pid_fd, on_end, child);
    fr_watch_init(&child->out, child->out_fd, on_output, child);
    fr_timer_init(&child->late, on_late, child);
    enum fr_err err = fr_watch_start(loop, &child->end, FR_LOOP_READ);
    if (!err) err = fr_watch_start(loop, &child->out, FR_LOOP_READ);
    if (!err) fr_timer_start(loop, &child->late, child->limit_ms);
    return err;
}

enum fr_err fr_child_start(struct fr_loop *loop, char *const *argv, struct fr_span input,
                           uint32_t limit_ms, fr_child_done_fn done, void *data,
                           struct fr_diag *diag, struct fr_child **out)
{
    int in_pair[2] = {-1, -1}, out_pair[2] = {-1, -1};
    enum fr_err err = FR_OK;
    struct fr_child *child = NULL;

    if (input.n > FR_CHILD_INPUT_MAX) return FR_E_LIMIT;
    child = fr_calloc(1, sizeof *child);
    if (!child) return FR_E_NOMEM;
    *child = (struct fr_child){
        .pid_fd = -1, .out_fd = -1, .limit_ms = limit_ms, .done = done, .data = data};
    if (pipe2(in_pair, O_CLOEXEC) != 0 || pipe2(out_pair, O_CLOEXEC) != 0 ||
        fcntl(out_pair[0], F_SETFL, O_NONBLOCK) != 0 ||
        write(in_pair[1], input.p, input.n) != (ssize_t)input.n) {
        err = fr_diag_fail(diag, FR_E_IO, "no pipe to %s: %s", argv[0], strerror(errno));
        goto out;
    }
    child->pid = fork();
    if (child->pid == 0) become(argv, in_pair[0], out_pair[1]);
    if (child->pid < 0) {
        child->pid = 0;
        err = fr_diag_fail(diag, FR_E_IO, "cannot start %s: %s", argv[0], strerror(errno));
        goto out;
    }
    child->out_fd = out_pair[0];
    out_pair[0] = -1;
    err = watch_it(child, loop);
    if (err) {
        (void)fr_diag_fail(diag, err, "cannot watch %s: %s", argv[0], strerror(errno));
        goto out;
    }
    *out = child;
    child = NULL;
out:
    close_pair(in_pair);
    close_pair(out_pair);
    fr_child_free(child);
    return err;
}

void fr_child_free(struct fr_child *child)
{
    if (!child) return;
    fr_timer_stop(&child->late);
    fr_watch_stop(&child->end);
    fr_watch_stop(&child->out);
    if (child->pid > 0) {
        (void)kill(-child->pid, SIGKILL);
        (void)kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    if (child->pid_fd >= 0) (void)close(child->pid_fd);
    if (child->out_fd >= 0) (void)close(child->out_fd);
    fr_free(child);
}
