#include "xfr/notifier.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/wire.h"
#include "dns/message.h"
#include "dns/tsig.h"
#include "store/downstream.h"
#include "xfr/credentials.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 1024
#define READS_PER_TURN 64
#define FIRST_WAIT_MS 1000

struct target {
    struct fr_downstream_row row;
    uint8_t addr;
    uint16_t id;
    bool is_due, is_silent; /* told and not answered yet; gave up on the change before */
    unsigned tries;
    int64_t at_ms;
};

struct fr_notifier {
    struct fr_notifier_options options;
    struct fr_watch sockets[2]; /* IPv4, IPv6 */
    struct target *targets;
    size_t n, room;
    uint64_t txn, sequence;
    bool has_seen;
    struct fr_notifier_counts counts;
};

/* --- answers --- */

static void take_answer(struct fr_notifier *notifier, const struct fr_addr *from,
                        struct fr_span message)
{
    struct fr_rd r = fr_rd(message);
    const uint16_t id = fr_rd_u16(&r), flags = fr_rd_u16(&r);

    if (fr_rd_err(&r) || (flags & FR_DNS_QR) == 0 || (flags >> 11 & 15) != FR_DNS_NOTIFY) return;
    for (size_t i = 0; i < notifier->n; i++) {
        struct target *target = &notifier->targets[i];
        if (!target->is_due || target->id != id ||
            !fr_addr_equal(&target->row.addrs[target->addr], from))
            continue;
        target->is_due = target->is_silent = false;
        notifier->counts.answered++;
        if ((flags & 15) != 0)
            FR_LOG(notifier->options.log, FR_LOG_WARN, "notify.refused",
                   FR_STR("federation", fr_store_federation(notifier->options.store)),
                   FR_STR("secondary", target->row.name),
                   FR_STR("why", fr_dns_rcode_text(flags & 15)));
    }
}

static void on_udp(struct fr_watch *w, unsigned events)
{
    (void)events;
    for (int i = 0; i < READS_PER_TURN; i++) {
        uint8_t in[ANSWER_MAX];
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        struct fr_addr from;
        ssize_t n = recvfrom(w->fd, in, sizeof in, 0, (struct sockaddr *)&peer, &size);

        if (n < 0) return; /* nothing more, or the error of an earlier one */
        if (fr_addr_from_sockaddr((const struct sockaddr *)&peer, &from) == FR_OK)
            take_answer(w->data, &from, fr_span(in, (size_t)n));
    }
}

/* --- sending --- */

static struct fr_watch *socket_for(struct fr_notifier *notifier, const struct fr_addr *to)
{
    struct fr_watch *w = &notifier->sockets[to->ip.family == 6];

    if (w->fd >= 0) return w;
    const int fd = socket(to->ip.family == 6 ? AF_INET6 : AF_INET,
                          SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return NULL;
    fr_watch_init(w, fd, on_udp, notifier);
    if (fr_watch_start(notifier->options.loop, w, FR_LOOP_READ) == FR_OK) return w;
    (void)close(fd);
    fr_watch_init(w, -1, on_udp, notifier);
    return NULL;
}

static enum fr_err write_notify(const struct fr_notifier *notifier, const struct target *target,
                                uint8_t *memory, size_t max, size_t *n)
{
    const struct fr_notifier_options *o = &notifier->options;
    struct fr_dns_writer w;
    struct fr_tsig_key key = {0};
    struct fr_tsig_mac mac;
    struct fr_diag diag = {0};

    fr_dns_writer_init(&w, memory, max, target->id, FR_DNS_NOTIFY << 11 | FR_DNS_AA);
    enum fr_err err = fr_dns_write_question(&w, o->zone, FR_DNS_SOA, FR_DNS_IN);
    if (err) return err;
    *n = fr_dns_writer_finish(&w).n;
    if (target->row.key_name[0] == '\0') return FR_OK;
    err = fr_credentials_key(o->state, target->row.key_name, target->row.key_algorithm,
                             target->row.key_id, &diag, &key);
    if (!err)
        err = fr_tsig_sign(&key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, fr_clock_real_s(o->clock),
                           memory, max, n, &mac);
    fr_secret_zero(&key, sizeof key);
    return err;
}

static void send_one(struct fr_notifier *notifier, struct target *target)
{
    const struct fr_addr *to = &target->row.addrs[target->addr];
    uint8_t memory[FR_DNS_HEADER_SIZE + FR_DNAME_WIRE + 4 + FR_TSIG_RECORD_MAX];
    struct sockaddr_storage sa;
    const socklen_t size = (socklen_t)fr_addr_to_sockaddr(to, &sa);
    const struct fr_watch *w = socket_for(notifier, to);
    size_t n = 0;

    target->at_ms =
        fr_loop_now_ms(notifier->options.loop) + ((int64_t)FIRST_WAIT_MS << target->tries);
    target->tries++;
    if (!w || write_notify(notifier, target, memory, sizeof memory, &n)) return;
    if (sendto(w->fd, memory, n, MSG_NOSIGNAL, (const struct sockaddr *)&sa, size) >= 0)
        notifier->counts.sent++;
}

static void give_up(struct fr_notifier *notifier, struct target *target)
{
    char text[FR_ADDR_TEXT];

    target->is_due = false;
    notifier->counts.given_up++;
    if (target->is_silent) return; /* said already */
    target->is_silent = true;
    fr_addr_print(&target->row.addrs[target->addr], text);
    FR_LOG(notifier->options.log, FR_LOG_WARN, "notify.unanswered",
           FR_STR("federation", fr_store_federation(notifier->options.store)),
           FR_STR("secondary", target->row.name), FR_STR("address", text));
}

static void send_due(struct fr_notifier *notifier)
{
    const int64_t now_ms = fr_loop_now_ms(notifier->options.loop);

    for (size_t i = 0; i < notifier->n; i++) {
        struct target *target = &notifier->targets[i];
        if (!target->is_due || target->at_ms > now_ms) continue;
        if (target->tries < FR_NOTIFIER_TRIES)
            send_one(notifier, target);
        else
            give_up(notifier, target);
    }
}

/* --- who --- */

struct listing {
    struct target *targets;
    size_t n, room;
};

static enum fr_err add_row(void *data, const struct fr_downstream_row *row)
{
    struct listing *list = data;

    for (uint8_t i = 0; i < row->n_addrs; i++) {
        if (list->n == list->room) {
            const size_t room = list->room ? list->room * 2 : 8;
            struct target *targets = fr_reallocarray(list->targets, room, sizeof *targets);
            if (!targets) return FR_E_NOMEM;
            list->targets = targets;
            list->room = room;
        }
        list->targets[list->n++] = (struct target){.row = *row, .addr = i, .is_due = true};
    }
    return FR_OK;
}

static bool was_silent(const struct fr_notifier *notifier, const struct target *target)
{
    for (size_t i = 0; i < notifier->n; i++) {
        const struct target *old = &notifier->targets[i];
        if (strcmp(old->row.name, target->row.name) == 0 &&
            fr_addr_equal(&old->row.addrs[old->addr], &target->row.addrs[target->addr]))
            return old->is_silent;
    }
    return false;
}

static enum fr_err take_rows(struct fr_notifier *notifier, struct fr_snap *snap)
{
    struct listing list = {0};

    enum fr_err err = fr_downstream_each(snap, add_row, &list);
    for (size_t i = 0; !err && i < list.n; i++) {
        struct target *target = &list.targets[i];
        target->is_silent = was_silent(notifier, target);
        err = fr_random(&target->id, sizeof target->id);
    }
    if (err) {
        fr_free(list.targets);
        return err;
    }
    fr_free(notifier->targets);
    notifier->targets = list.targets;
    notifier->n = list.n;
    notifier->room = list.room;
    return FR_OK;
}

static void look(struct fr_notifier *notifier)
{
    const uint64_t txn = fr_store_last_txn(notifier->options.store);
    struct fr_snap *snap = NULL;

    if (notifier->has_seen && notifier->txn == txn) return;
    if (fr_snap_begin(notifier->options.store, &snap)) return;
    const uint64_t sequence = fr_snap_sequence(snap);
    enum fr_err err = FR_OK;
    if (!notifier->has_seen || sequence != notifier->sequence) err = take_rows(notifier, snap);
    fr_snap_end(snap);
    if (err) return; /* the next look tries again */
    notifier->sequence = sequence;
    notifier->txn = txn;
    notifier->has_seen = true;
}

void fr_notifier_tend(struct fr_notifier *notifier)
{
    look(notifier);
    send_due(notifier);
}

/* --- handle --- */

enum fr_err fr_notifier_new(const struct fr_notifier_options *options, struct fr_notifier **out)
{
    struct fr_notifier *notifier = fr_calloc(1, sizeof *notifier);

    if (!notifier) return FR_E_NOMEM;
    notifier->options = *options;
    for (size_t i = 0; i < 2; i++) fr_watch_init(&notifier->sockets[i], -1, on_udp, notifier);
    *out = notifier;
    return FR_OK;
}

const struct fr_notifier_counts *fr_notifier_counts(const struct fr_notifier *notifier)
{
    return &notifier->counts;
}

void fr_notifier_free(struct fr_notifier *notifier)
{
    if (!notifier) return;
    for (size_t i = 0; i < 2; i++) {
        fr_watch_stop(&notifier->sockets[i]);
        if (notifier->sockets[i].fd >= 0) (void)close(notifier->sockets[i].fd);
    }
    fr_free(notifier->targets);
    fr_free(notifier);
}
