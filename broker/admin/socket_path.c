#include "admin/socket_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "control.sock"

enum fr_err fr_socket_path_open(const char *state, struct fr_diag *diag, struct fr_socket_path *out)
{
    struct fr_socket_path path = {.dir_fd = -1};
    int n = snprintf(path.text, sizeof path.text, "%s/" NAME, state);
    if (n < 0 || (size_t)n >= sizeof path.text) {
        path.dir_fd = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (path.dir_fd < 0)
            return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot open %s: %s", state,
                                strerror(errno));
        (void)snprintf(path.text, sizeof path.text, "/proc/self/fd/%d/" NAME, path.dir_fd);
    }
    *out = path;
    return FR_OK;
}

void fr_socket_path_close(struct fr_socket_path *path)
{
    if (path->dir_fd >= 0) close(path->dir_fd);
    path->dir_fd = -1;
}
