#include <fedroam/ares.h>

#include "base/addr.h"
#include "base/mem.h"
#include <ares.h>
#include <fedroam/public_dns.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* One c-ares channel for each handle, on the loop that the library plays. This file uses the
 * library's public interface alone, as any other host would. */

enum { SERVERS_MAX = 8, TRY_MS = 1000, TRIES = 2, UDP_SIZE = 1232, DNS_IN = 1 };

static const char RESOLV_CONF[] = "/etc/resolv.conf";

/* What the options hold. */
struct servers {
    size_t n; /* 0: the system's */
    struct fr_addr list[SERVERS_MAX];
};

struct session {
    ares_channel channel;
    const struct fedroam_host *loop;
    void *loop_data;
    struct servers servers;
    struct stat conf; /* of resolv.conf when the channel was made */
    size_t n_open;    /* questions that c-ares has */
    bool is_closing;
};

struct question {
    struct session *session;
    fedroam_dns_done done; /* NULL: given up, which c-ares cannot do for one alone */
    void *data;
};

static enum fedroam_err from_ares(int status)
{
    if (status == ARES_SUCCESS) return FEDROAM_OK;
    return status == ARES_ENOMEM ? FEDROAM_E_MEMORY : FEDROAM_E_SYSTEM;
}

/* ---- the channel ---- */

static void on_socket(void *data, ares_socket_t fd, int readable, int writable)
{
    struct session *s = data;
    unsigned events = (readable ? FEDROAM_READ : 0u) | (writable ? FEDROAM_WRITE : 0u);
    /* A descriptor that cannot be watched ends as a question without an answer. */
    (void)s->loop->watch(s->loop_data, fd, events);
}

static void arm(struct session *s)
{
    struct timeval tv, *left = ares_timeout(s->channel, NULL, &tv);
    s->loop->timer(s->loop_data,
                   left ? (int64_t)left->tv_sec * 1000 + (left->tv_usec + 999) / 1000 : -1);
}

static int set_servers(ares_channel channel, const struct servers *servers)
{
    struct ares_addr_port_node nodes[SERVERS_MAX];
    if (servers->n == 0) return ARES_SUCCESS;
    memset(nodes, 0, sizeof nodes);
    for (size_t i = 0; i < servers->n; i++) {
        const struct fr_addr *a = &servers->list[i];
        nodes[i].next = i + 1 < servers->n ? &nodes[i + 1] : NULL;
        nodes[i].family = a->ip.family == 4 ? AF_INET : AF_INET6;
        memcpy(&nodes[i].addr, a->ip.b, a->ip.family == 4 ? 4 : 16);
        nodes[i].udp_port = nodes[i].tcp_port = a->port;
    }
    return ares_set_servers_ports(channel, nodes);
}

/* Everything that RES_OPTIONS, LOCALDOMAIN or resolv.conf could say but the servers is said here. There
 * is nothing for ares_library_init() to do on this system. */
static int channel_new(struct session *s, ares_channel *out)
{
    struct ares_options o = {.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
                             .timeout = TRY_MS,
                             .tries = TRIES,
                             .ndots = 1,
                             .ednspsz = UDP_SIZE,
                             .sock_state_cb = on_socket,
                             .sock_state_cb_data = s};
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
               ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS | ARES_OPT_NOROTATE;
    ares_channel channel = NULL;
    int status = ares_init_options(&channel, &o, mask);
    if (status == ARES_SUCCESS) status = set_servers(channel, &s->servers);
    if (status != ARES_SUCCESS) {
        if (channel) ares_destroy(channel);
        return status;
    }
    *out = channel;
    return ARES_SUCCESS;
}

/* Other name servers in resolv.conf since: a new channel, when nothing is under way on the old one. */
static void follow_system(struct session *s)
{
    struct stat now;
    ares_channel channel;
    if (s->servers.n > 0 || s->n_open > 0 || stat(RESOLV_CONF, &now) != 0) return;
    if (now.st_ino == s->conf.st_ino && now.st_size == s->conf.st_size &&
        now.st_mtim.tv_sec == s->conf.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == s->conf.st_mtim.tv_nsec)
        return;
    if (channel_new(s, &channel) != ARES_SUCCESS) return; /* with the old one, until next time */
    ares_destroy(s->channel);
    s->channel = channel;
    s->conf = now;
}

/* ---- the session ---- */

static void session_close(void *session)
{
    struct session *s = session;
    s->is_closing = true;
    if (s->channel) ares_destroy(s->channel); /* ends the questions */
    s->loop->timer(s->loop_data, -1);
    fr_free(s);
}

static enum fedroam_err session_open(void *data, const struct fedroam_host *loop, void *loop_data,
                                     void **out)
{
    const struct servers *servers = data;
    struct session *s = fr_calloc(1, sizeof *s);
    if (!s) return FEDROAM_E_MEMORY;
    s->loop = loop;
    s->loop_data = loop_data;
    s->servers = *servers;
    if (stat(RESOLV_CONF, &s->conf) != 0) memset(&s->conf, 0, sizeof s->conf);
    enum fedroam_err err = from_ares(channel_new(s, &s->channel));
    if (err != FEDROAM_OK) {
        fr_free(s);
        return err;
    }
    *out = s;
    return FEDROAM_OK;
}

/* NXDOMAIN and an empty answer are responses too; c-ares says which it was by the status besides. */
static void on_answer(void *data, int status, int timeouts, unsigned char *message, int n)
{
    struct question *q = data;
    struct session *s = q->session;
    (void)timeouts;
    s->n_open--;
    if (q->done && !s->is_closing) {
        if (message && n > 0)
            q->done(q->data, message, (size_t)n, "");
        else
            q->done(q->data, NULL, 0, ares_strerror(status));
    }
    fr_free(q);
}

static enum fedroam_err session_ask(void *session, const char *name, uint16_t type,
                                    fedroam_dns_done done, void *data, void **handle)
{
    struct session *s = session;
    struct question *q = fr_calloc(1, sizeof *q);
    if (!q) return FEDROAM_E_MEMORY;
    *q = (struct question){.session = s, .done = done, .data = data};
    follow_system(s);
    *handle = q; /* before the question may be over, and freed */
    s->n_open++;
    ares_query(s->channel, name, DNS_IN, type, on_answer, q);
    arm(s);
    return FEDROAM_OK;
}

static void session_cancel(void *session, void *handle)
{
    struct question *q = handle;
    (void)session;
    q->done = NULL;
}

static void session_fd(void *session, int fd, unsigned events)
{
    struct session *s = session;
    ares_process_fd(s->channel, events & FEDROAM_READ ? fd : ARES_SOCKET_BAD,
                    events & FEDROAM_WRITE ? fd : ARES_SOCKET_BAD);
    arm(s);
}

static void session_timer(void *session)
{
    struct session *s = session;
    ares_process_fd(s->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(s);
}

static void release(void *data)
{
    fr_free(data);
}

enum fedroam_err fedroam_ares_use(struct fedroam_options *options, const char *const *servers,
                                  size_t count)
{
    static const struct fedroam_public_dns dns = {.size = sizeof dns,
                                                  .open = session_open,
                                                  .close = session_close,
                                                  .ask = session_ask,
                                                  .cancel = session_cancel,
                                                  .process_fd = session_fd,
                                                  .process_timer = session_timer,
                                                  .release = release};
    if (count > SERVERS_MAX) return FEDROAM_E_ARGUMENT;
    struct servers *s = fr_calloc(1, sizeof *s);
    if (!s) return FEDROAM_E_MEMORY;
    enum fedroam_err err = FEDROAM_OK;
    for (; s->n < count && err == FEDROAM_OK; s->n++)
        if (!servers[s->n] ||
            fr_addr_parse(fr_span_str(servers[s->n]), 53, &s->list[s->n]) != FR_OK)
            err = FEDROAM_E_ARGUMENT;
    if (err == FEDROAM_OK) err = fedroam_options_set_public_dns(options, &dns, s);
    if (err != FEDROAM_OK) fr_free(s);
    return err;
}
