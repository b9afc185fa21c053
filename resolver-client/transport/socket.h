#pragma once
/* Non-blocking, close-on-exec stream sockets: listen, accept, connect, and what the kernel tells
 * about them.
 *
 * Model:  a socket address is an IP address and port (base/addr.h) or the path of a Unix socket.
 * Owns:   descriptors are the caller's.
 * Errors: as fr_err_from_errno(); where a diag is taken it says what failed and where.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/err.h"

struct fr_socket_counts { /* TCP_INFO; zeros for Unix sockets */
    uint32_t segments_in, segments_out;
    uint32_t retransmits;
    uint32_t rtt_us;
};

struct fr_socket_cred { /* SO_PEERCRED of a Unix socket, as it was at connect time */
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* Binds and listens on TCP. reuse_port: several listeners share the address (one for each worker).
 * IPv6 sockets are v6 only, so 0.0.0.0 and :: can both be listened on. */
enum fr_err fr_socket_listen(const struct fr_addr *at, bool reuse_port, struct fr_diag *diag,
                             int *out_fd);

/* Binds and listens on a Unix socket whose file gets `mode`. A stale socket file that nobody
 * answers on is replaced; one in use is FR_E_EXISTS; anything that is not a socket is left alone.
 */
enum fr_err fr_socket_listen_unix(const char *path, mode_t mode, struct fr_diag *diag, int *out_fd);

/* A bound datagram socket. */
enum fr_err fr_socket_bind_udp(const struct fr_addr *at, struct fr_diag *diag, int *out_fd);

/* One waiting connection, with TCP_NODELAY; *out_fd is -1 when none waits. out_peer is zero for a
 * Unix socket. FR_E_LIMIT: out of descriptors. */
enum fr_err fr_socket_accept(int listen_fd, int *out_fd, struct fr_addr *out_peer);

/* Starts connecting; the descriptor becomes writable when it is decided, and fr_socket_error()
 * tells how. A failure at once gives the errno in *out_errno. */
enum fr_err fr_socket_connect(const struct fr_addr *to, int *out_fd, int *out_errno);
enum fr_err fr_socket_connect_unix(const char *path, int *out_fd, int *out_errno);

/* Pending SO_ERROR as an errno value; 0: none. */
int fr_socket_error(int fd);

/* The address it is bound to. FR_E_UNSUPPORTED for a Unix socket. */
enum fr_err fr_socket_local(int fd, struct fr_addr *out);

enum fr_err fr_socket_cred(int fd, struct fr_socket_cred *out);
void fr_socket_counts(int fd, struct fr_socket_counts *out);
