#include "agent/udp.h"

#include "base/mem.h"
#include "transport/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 2048, DATAGRAMS_PER_TURN = 64, CONTROL_MAX = 64 };

struct fr_udp {
    struct fr_loop *loop;
    struct fr_desk *desk;
    const struct fr_guests *guests;
    struct fr_watch watch;
    int fd;
    struct fr_addr addr;
    struct fr_udp_counters counters;
    struct ask *asks;
};

/* A question, and the way back. */
struct ask {
    struct fr_job job;
    struct fr_udp *udp;
    struct ask *next, **at;
    struct sockaddr_storage peer;
    socklen_t n_peer;
    /* The address that was asked, as the kernel said it and wants to hear it again. */
    size_t n_control;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_MAX];
};

static void free_ask(struct ask *ask)
{
    *ask->at = ask->next;
    if (ask->next != NULL) ask->next->at = ask->at;
    fr_free(ask);
}

static void on_reply(struct fr_job *job, struct fr_span message)
{
    struct ask *ask = (struct ask *)job;
    struct iovec bytes = {.iov_base = (void *)(uintptr_t)message.p, .iov_len = message.n};
    const struct msghdr m = {.msg_name = &ask->peer,
                             .msg_namelen = ask->n_peer,
                             .msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = ask->n_control > 0 ? ask->control : NULL,
                             .msg_controllen = ask->n_control};

    if (message.n > 0) (void)sendmsg(ask->udp->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    free_ask(ask);
}

/* Keeps the one control message that names our own address. The interface it came in by is left
 * to routing. */
static void keep_address(struct ask *ask, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        size_t n = 0;
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            n = CMSG_SPACE(sizeof(struct in_pktinfo));
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
            n = CMSG_SPACE(sizeof(struct in6_pktinfo));
        if (n == 0 || n > CONTROL_MAX) continue;
        memcpy(ask->control, c, n);
        ask->n_control = n;
        if (c->cmsg_level == IPPROTO_IP) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            info.ipi_ifindex = 0;
            memcpy(CMSG_DATA((struct cmsghdr *)ask->control), &info, sizeof info);
        }
        return;
    }
}

static void take(struct fr_udp *udp, struct fr_span datagram, struct msghdr *m)
{
    struct ask *ask = fr_calloc(1, sizeof *ask);

    if (ask == NULL) return; /* lost, as a datagram may be */
    ask->job.reply = on_reply;
    ask->udp = udp;
    memcpy(&ask->peer, m->msg_name, m->msg_namelen);
    ask->n_peer = m->msg_namelen;
    keep_address(ask, m);
    ask->next = udp->asks;
    ask->at = &udp->asks;
    if (ask->next != NULL) ask->next->at = &ask->next;
    udp->asks = ask;
    fr_desk_take(udp->desk, &ask->job, datagram, false);
}

/* False when none waits. */
static bool read_one(struct fr_udp *udp)
{
    uint8_t bytes[DATAGRAM_MAX];
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_MAX];
    struct sockaddr_storage sa;
    struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr m = {.msg_name = &sa,
                       .msg_namelen = sizeof sa,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    struct fr_addr peer;

    ssize_t got = recvmsg(udp->fd, &m, MSG_DONTWAIT);
    if (got < 0) return errno == EINTR || errno == ECONNREFUSED;
    udp->counters.datagrams++;
    if (fr_addr_from_sockaddr((struct sockaddr *)&sa, &peer) != FR_OK ||
        !fr_guests_has(udp->guests, &peer))
        udp->counters.strangers++;
    else if ((m.msg_flags & MSG_TRUNC) != 0)
        udp->counters.too_long++;
    else
        take(udp, fr_span(bytes, (size_t)got), &m);
    return true;
}

static void on_readable(struct fr_watch *w, unsigned events)
{
    struct fr_udp *udp = w->data;

    (void)events;
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN && read_one(udp); i++) continue;
}

/* Bound, and told by the kernel to which address of ours each question came. */
static enum fr_err bind_socket(struct fr_udp *udp, const struct fr_addr *at, struct fr_diag *diag)
{
    const int on = 1;

    enum fr_err err = fr_socket_bind_udp(at, diag, &udp->fd);
    if (err) return err;
    int status = at->ip.family == 6
                     ? setsockopt(udp->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)
                     : setsockopt(udp->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    return status < 0 ? fr_err_from_errno(errno) : fr_socket_local(udp->fd, &udp->addr);
}

enum fr_err fr_udp_open(struct fr_loop *loop, const struct fr_addr *at, struct fr_desk *desk,
                        const struct fr_guests *guests, struct fr_diag *diag, struct fr_udp **out)
{
    struct fr_udp *udp = fr_calloc(1, sizeof *udp);

    if (udp == NULL) return FR_E_NOMEM;
    udp->loop = loop;
    udp->desk = desk;
    udp->guests = guests;
    udp->fd = -1;
    enum fr_err err = bind_socket(udp, at, diag);
    if (err) goto out;
    fr_watch_init(&udp->watch, udp->fd, on_readable, udp);
    err = fr_watch_start(loop, &udp->watch, FR_LOOP_READ);
    if (err) goto out;
    *out = udp;
    udp = NULL;
out:
    fr_udp_close(udp);
    return err;
}

void fr_udp_close(struct fr_udp *udp)
{
    if (udp == NULL) return;
    while (udp->asks != NULL) {
        fr_desk_drop(&udp->asks->job);
        free_ask(udp->asks);
    }
    if (udp->watch.loop != NULL) fr_watch_stop(&udp->watch);
    if (udp->fd >= 0) (void)close(udp->fd);
    fr_free(udp);
}

const struct fr_addr *fr_udp_addr(const struct fr_udp *udp)
{
    return &udp->addr;
}

const struct fr_udp_counters *fr_udp_counters(const struct fr_udp *udp)
{
    return &udp->counters;
}
