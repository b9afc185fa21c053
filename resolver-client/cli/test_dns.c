#include "resolver_cli/test_dns.h"

#include "base/buf.h"
#include "base/wire.h"
#include "dns/query.h"
#include "names/netid.h"
#include "names/owner.h"
#include "resolver/options.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WAIT_MS = 10000,
    QUERY_MAX = 512,
    ANSWER_MAX = 4096,
    NXDOMAIN = 3,
    SERVFAIL = 2,
    REFUSED = 5
};
#define NOBODYS_EUI 0xffffffffffffffffu

static enum fr_err put_question(const struct fr_federation_opt *f, struct fr_buf *out)
{
    const struct fr_owner owner = {.kind = FR_OWNER_DEVEUI, .eui = NOBODYS_EUI};
    struct fr_dname name;
    enum fr_err err = fr_owner_write(&owner, &f->zone, &name);

    return err ? err : fr_dns_query_write(&name, FR_DNS_A, 0, out);
}

/* Over UDP; -1: nothing came. Else how many bytes. */
static ssize_t ask(const struct fr_addr *server, struct fr_span query, uint8_t *answer, size_t size,
                   int *errnum)
{
    struct sockaddr_storage sa;
    const socklen_t n = (socklen_t)fr_addr_to_sockaddr(server, &sa);
    ssize_t got = -1;
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    *errnum = ETIMEDOUT;
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&sa, n) == 0 &&
        send(fd, query.p, query.n, 0) == (ssize_t)query.n) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, WAIT_MS) == 1) {
            got = recv(fd, answer, size, 0);
            if (got < 0) *errnum = errno;
        }
    } else {
        *errnum = errno;
    }
    if (fd >= 0) (void)close(fd); /* nothing was written to a file */
    return got;
}

static void judge(struct fr_walk *walk, const struct fr_federation_opt *f, const char *at,
                  struct fr_span answer)
{
    static const char STEP[] = "agent";
    struct fr_rd r = fr_rd(answer);

    fr_rd_skip(&r, 2);
    const unsigned flags = fr_rd_u16(&r), rcode = flags & 15;
    if (fr_rd_err(&r) || !(flags & 0x8000)) {
        fr_walk_wrong(walk, FR_EXIT_DOWN, STEP, "%s answers no DNS", at);
        fr_walk_todo(walk, "does another program have that port?");
    } else if (rcode == NXDOMAIN) {
        fr_walk_right(walk, STEP, "%s answers for %s", at, f->name);
    } else if (rcode == REFUSED) {
        fr_walk_wrong(walk, FR_EXIT_CONFIG, STEP, "%s refuses: %s is none of its federations", at,
                      f->name);
        fr_walk_todo(walk,
                     "put the federation into agent.yaml, and systemctl reload fedroam-agent");
    } else {
        fr_walk_wrong(walk, FR_EXIT_TEMPORARY, STEP, "%s cannot tell (%s)", at,
                      rcode == SERVFAIL ? "SERVFAIL" : "an answer that is none");
        fr_walk_todo(walk, "fedroam test doh says what is between the agent and the broker");
    }
}

void fr_test_dns_agent(struct fr_walk *walk, const struct fr_federation_opt *federation,
                       const struct fr_addr *server)
{
    struct fr_buf query = FR_BUF_INIT(QUERY_MAX);
    uint8_t answer[ANSWER_MAX];
    char at[FR_ADDR_TEXT];
    int errnum = 0;

    if (fr_walk_is_over(walk)) return;
    fr_addr_print(server, at);
    enum fr_err err = put_question(federation, &query);
    if (err) {
        fr_walk_fail(walk, "agent", err, NULL);
    } else {
        const ssize_t n = ask(server, fr_buf_span(&query), answer, sizeof answer, &errnum);
        if (n >= 0) {
            judge(walk, federation, at, fr_span(answer, (size_t)n));
        } else {
            fr_walk_wrong(walk, FR_EXIT_TEMPORARY, "agent", "%s: %s", at, strerror(errnum));
            fr_walk_todo(walk, "does fedroam-agent run: systemctl status fedroam-agent");
        }
    }
    fr_buf_deinit(&query);
}

void fr_test_dns_system(struct fr_walk *walk, const struct fr_federation_opt *federation,
                        uint32_t netid)
{
    static const char STEP[] = "machine";
    char host[FR_DNAME_TEXT], text[FR_NETID_TEXT];
    struct addrinfo *list = NULL;

    if (fr_walk_is_over(walk)) return;
    fr_netid_print(netid, text);
    (void)snprintf(host, sizeof host, "%s.netid.%s", text, federation->name);
    const int rc = getaddrinfo(host, NULL, NULL, &list);
    if (rc == 0) {
        freeaddrinfo(list);
        fr_walk_right(walk, STEP, "%s has an address here", host);
        return;
    }
    fr_walk_doubt(walk, STEP, "%s has no address here: %s", host, gai_strerror(rc));
    fr_walk_todo(walk, "let this machine's resolver ask the agent for %s: see docs/agent.md",
                 federation->name);
}
