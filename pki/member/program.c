#include "member_cli/program.h"

#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum fr_err fr_program_run(const char *const *argv, struct fr_diag *diag)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    int status = 0;

    if (posix_spawn_file_actions_init(&actions) != 0) return FR_E_NOMEM;
    int rc = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    /* posix_spawnp() does not write to its arguments, it only says so less clearly */
    if (rc == 0)
        rc = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */

    if (rc == ENOENT) return fr_diag_fail(diag, FR_E_NOT_FOUND, "%s is not installed", argv[0]);
    if (rc != 0) return fr_diag_fail(diag, FR_E_IO, "cannot run %s: %s", argv[0], strerror(rc));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fr_diag_fail(diag, FR_E_IO, "cannot wait for %s: %s", argv[0], strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return FR_OK;
    if (WIFEXITED(status))
        return fr_diag_fail(diag, FR_E_IO, "%s failed (exit code %d)", argv[0],
                            WEXITSTATUS(status));
    return fr_diag_fail(diag, FR_E_IO, "%s was ended by signal %d", argv[0], WTERMSIG(status));
}

enum fr_err fr_program_shell(const char *line, struct fr_diag *diag)
{
    const char *const argv[] = {"/bin/sh", "-c", line, NULL};
    enum fr_err err = fr_program_run(argv, diag);

    if (err && diag) {
        char why[sizeof diag->what];
        memcpy(why, diag->what, sizeof why);
        err = fr_diag_fail(diag, err, "%s: %s", line, why);
    }
    return err;
}

bool fr_program_find(const char *name, char *out, size_t size)
{
    char own[1024];
    const ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);

    if (n > 0) {
        own[n] = '\0';
        char *slash = strrchr(own, '/');
        if (slash != NULL) *slash = '\0';
        if (snprintf(out, size, "%s/%s", own, name) < (int)size && access(out, X_OK) == 0)
            return true;
        if (snprintf(out, size, "%s/../sbin/%s", own, name) < (int)size && access(out, X_OK) == 0)
            return true;
    }
    return snprintf(out, size, "/usr/sbin/%s", name) < (int)size && access(out, X_OK) == 0;
}
