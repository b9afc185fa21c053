#include "transport/socket.h"

#include <errno.h>
#include <linux/tcp.h> /* its tcp_info has the segment counts that netinet/tcp.h lacks */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024

static enum fr_err fail(struct fr_diag *diag, int errnum, const char *doing, const char *where)
{
    return fr_diag_fail(diag, fr_err_from_errno(errnum), "cannot %s %s: %s", doing, where,
                        strerror(errnum));
}

static void set_on(int fd, int level, int option)
{
    const int on = 1;

    (void)setsockopt(fd, level, option, &on, sizeof on); /* an optimisation, never a need */
}

/* How it is done for streams and for datagrams: reused ports are of no use to the latter. */
static enum fr_err bind_at(const struct fr_addr *at, int type, bool reuse_port,
                           struct fr_diag *diag, int *out_fd)
{
    struct sockaddr_storage ss;
    socklen_t len = (socklen_t)fr_addr_to_sockaddr(at, &ss);
    char text[FR_ADDR_TEXT + sizeof "UDP "], *print = text;

    if (type == SOCK_DGRAM) print = stpcpy(text, "UDP ");
    fr_addr_print(at, print);
    int fd = socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(diag, errno, "open a socket for", text);

    if (type == SOCK_STREAM) set_on(fd, SOL_SOCKET, SO_REUSEADDR);
    if (reuse_port) set_on(fd, SOL_SOCKET, SO_REUSEPORT);
    if (ss.ss_family == AF_INET6) set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    if (bind(fd, (struct sockaddr *)&ss, len) < 0 ||
        (type == SOCK_STREAM && listen(fd, LISTEN_BACKLOG) < 0)) {
        int errnum = errno;

        close(fd);
        enum fr_err err = fail(diag, errnum, "listen on", text);
        if (errnum == EADDRINUSE) fr_diag_hint(diag, "another program listens there");
        if (errnum == EACCES) fr_diag_hint(diag, "ports below 1024 need CAP_NET_BIND_SERVICE");
        return err;
    }
    *out_fd = fd;
    return FR_OK;
}

enum fr_err fr_socket_listen(const struct fr_addr *at, bool reuse_port, struct fr_diag *diag,
                             int *out_fd)
{
    return bind_at(at, SOCK_STREAM, reuse_port, diag, out_fd);
}

enum fr_err fr_socket_bind_udp(const struct fr_addr *at, struct fr_diag *diag, int *out_fd)
{
    return bind_at(at, SOCK_DGRAM, false, diag, out_fd);
}

static enum fr_err unix_addr(const char *path, struct sockaddr_un *out)
{
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof out->sun_path) return FR_E_INVALID;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, n);
    return FR_OK;
}

/* A socket file that refuses connections belongs to nobody. */
static bool is_stale(const char *path, const struct sockaddr_un *at)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode)) return false;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool stale = connect(fd, (const struct sockaddr *)at, sizeof *at) < 0 && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

enum fr_err fr_socket_listen_unix(const char *path, mode_t mode, struct fr_diag *diag, int *out_fd)
{
    struct sockaddr_un at;

    if (unix_addr(path, &at) != FR_OK)
        return fr_diag_fail(diag, FR_E_INVALID, "the path of a Unix socket has 1 to %zu bytes: %s",
                            sizeof at.sun_path - 1, path);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(diag, errno, "open a socket for", path);

    /* fchmod before bind gives the file its mode from the start: no moment with a wider one. */
    int rc = fchmod(fd, mode);
    if (rc == 0) rc = bind(fd, (struct sockaddr *)&at, sizeof at);
    if (rc < 0 && errno == EADDRINUSE && is_stale(path, &at) && unlink(path) == 0)
        rc = bind(fd, (struct sockaddr *)&at, sizeof at);
    if (rc == 0) rc = chmod(path, mode);
    if (rc == 0) rc = listen(fd, LISTEN_BACKLOG);
    if (rc < 0) {
        int errnum = errno;

        close(fd);
        if (errnum == EADDRINUSE)
            return fr_diag_fail(diag, FR_E_EXISTS, "%s is in use, or is not a socket", path);
        return fail(diag, errnum, "listen on", path);
    }
    *out_fd = fd;
    return FR_OK;
}

enum fr_err fr_socket_accept(int listen_fd, int *out_fd, struct fr_addr *out_peer)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;
    struct fr_addr peer = {0};
    int fd;

    do fd = accept4(listen_fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            *out_fd = -1;
            return FR_OK;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return FR_E_LIMIT;
        return fr_err_from_errno(errno);
    }
    if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6) {
        set_on(fd, IPPROTO_TCP, TCP_NODELAY);
        if (fr_addr_from_sockaddr((struct sockaddr *)&ss, &peer) != FR_OK)
            peer = (struct fr_addr){0}; /* both families are known to it */
    }
    *out_fd = fd;
    *out_peer = peer;
    return FR_OK;
}

static enum fr_err start_connect(const struct sockaddr *to, socklen_t len, int *out_fd,
                                 int *out_errno)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        *out_errno = errno;
        return fr_err_from_errno(errno);
    }
    if (to->sa_family != AF_UNIX) set_on(fd, IPPROTO_TCP, TCP_NODELAY);
    if (connect(fd, to, len) < 0 && errno != EINPROGRESS) {
        int errnum = errno;

        close(fd);
        *out_errno = errnum;
        return fr_err_from_errno(errnum);
    }
    *out_fd = fd;
    return FR_OK;
}

enum fr_err fr_socket_connect(const struct fr_addr *to, int *out_fd, int *out_errno)
{
    struct sockaddr_storage ss;
    socklen_t len = (socklen_t)fr_addr_to_sockaddr(to, &ss);

    return start_connect((struct sockaddr *)&ss, len, out_fd, out_errno);
}

enum fr_err fr_socket_connect_unix(const char *path, int *out_fd, int *out_errno)
{
    struct sockaddr_un to;

    if (unix_addr(path, &to) != FR_OK) {
        *out_errno = ENAMETOOLONG;
        return FR_E_INVALID;
    }
    return start_connect((struct sockaddr *)&to, sizeof to, out_fd, out_errno);
}

int fr_socket_error(int fd)
{
    int errnum = 0;
    socklen_t len = sizeof errnum;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0) return errno;
    return errnum;
}

enum fr_err fr_socket_local(int fd, struct fr_addr *out)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;

    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0) return fr_err_from_errno(errno);
    return fr_addr_from_sockaddr((struct sockaddr *)&ss, out);
}

enum fr_err fr_socket_cred(int fd, struct fr_socket_cred *out)
{
    struct ucred cred = {0};
    socklen_t len = sizeof cred;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) return fr_err_from_errno(errno);
    *out = (struct fr_socket_cred){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
    return FR_OK;
}

void fr_socket_counts(int fd, struct fr_socket_counts *out)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    *out = (struct fr_socket_counts){0};
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0) return;
    *out = (struct fr_socket_counts){
        .segments_in = info.tcpi_segs_in,
        .segments_out = info.tcpi_segs_out,
        .retransmits = info.tcpi_total_retrans,
        .rtt_us = info.tcpi_rtt,
    };
}
