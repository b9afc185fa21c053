#pragma once
/*
 * Where a federation's control socket is. A Unix socket's name holds 107 bytes at most; behind a
 * longer directory the socket is named through an open descriptor of it.
 *
 * Owns: the descriptor, until fr_socket_path_close.
 */

#include "base/diag.h"
#include "base/err.h"

#include <sys/un.h>

struct fr_socket_path {
    char text[sizeof((struct sockaddr_un *)0)->sun_path];
    int dir_fd; /* -1: not needed */
};

/* FR_E_NOT_FOUND, FR_E_PERM, FR_E_IO: the directory cannot be opened. */
enum fr_err fr_socket_path_open(const char *state, struct fr_diag *diag,
                                struct fr_socket_path *out);
void fr_socket_path_close(struct fr_socket_path *path);
