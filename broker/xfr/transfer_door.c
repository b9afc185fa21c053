#include "xfr/transfer_door.h"

#include "base/mem.h"
#include "base/rate.h"
#include "dns/tsig.h"
#include "transport/accept.h"
#include "transport/socket.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_TURN 32
#define MESSAGES_PER_TURN 4
#define WAITING_MAX (256 * 1024) /* more is not made before the peer took some */
#define MESSAGE_ROOM (FR_OUTLET_MESSAGE_MAX + FR_TSIG_RECORD_MAX)

struct guest {
    struct fr_transfer_door *door;
    struct fr_frames *frames;
    char from[FR_ADDR_TEXT];
    struct fr_outlet *outlet; /* of its last question */
    struct fr_outlet_transfer *transfer;
    struct fr_defer more;
    bool is_used;
};

struct fr_transfer_door {
    struct fr_transfer_door_options options;
    struct fr_watch udp;
    struct fr_accept tcp;
    struct fr_rate rate;
    uint64_t dropped;
    struct guest guests[FR_TRANSFER_CONNECTIONS];
    uint8_t message[MESSAGE_ROOM];
};

static void leave(struct guest *guest, const char *why)
{
    fr_defer_cancel(&guest->more);
    fr_outlet_end(guest->transfer, why);
    fr_frames_free(guest->frames);
    *guest = (struct guest){0};
}

/* --- sending --- */

static void pump(struct guest *guest)
{
    struct fr_transfer_door *door = guest->door;

    for (int i = 0; i < MESSAGES_PER_TURN && guest->transfer; i++) {
        size_t n = 0;
        bool done = false;
        if (fr_frames_pending(guest->frames) > WAITING_MAX) return; /* `room` comes back */
        enum fr_err err =
            fr_outlet_next(guest->transfer, door->message, sizeof door->message, &n, &done);
        if (!err) err = fr_frames_send(guest->frames, fr_span(door->message, n));
        if (err) {
            leave(guest,
                  err == FR_E_CONFLICT ? "the zone was replaced meanwhile" : fr_err_text(err));
            return;
        }
        fr_frames_keep(guest->frames);
        if (!done) continue;
        fr_outlet_end(guest->transfer, NULL);
        guest->transfer = NULL;
    }
    if (guest->transfer) fr_loop_defer(door->options.loop, &guest->more);
}

static void on_more(struct fr_defer *d)
{
    pump(d->data);
}

static void on_room(void *data)
{
    struct guest *guest = data;

    if (guest->transfer) fr_loop_defer(guest->door->options.loop, &guest->more);
}

/* --- questions --- */

/* False: nothing to say; the connection may as well end. */
static bool ask(struct fr_transfer_door *door, const struct fr_outlet_asker *asker, void *tag,
                struct fr_span message, struct fr_outlet **outlet, size_t *n,
                struct fr_outlet_transfer **transfer)
{
    struct fr_xfr_ask question;

    *transfer = NULL;
    if (fr_xfr_ask_read(message, &question)) return false;
    *outlet =
        question.has_question ? door->options.find(door->options.data, tag, &question.zone) : NULL;
    if (*outlet)
        return fr_outlet_ask(*outlet, asker, &question, message, door->message,
                             sizeof door->message, n, transfer) == FR_OK;
    if (question.rcode == FR_DNS_NOERROR) question.rcode = FR_DNS_REFUSED;
    return fr_xfr_answer_write(&question, question.rcode, NULL, door->message, sizeof door->message,
                               n) == FR_OK;
}

static void on_message(void *data, struct fr_span message)
{
    struct guest *guest = data;
    struct fr_transfer_door *door = guest->door;
    const struct fr_outlet_asker asker = {.is_tls = door->options.acceptor != NULL,
                                          .cert = fr_frames_peer(guest->frames),
                                          .from = guest->from};
    struct fr_outlet_transfer *transfer = NULL;
    size_t n = 0;

    if (guest->transfer) { /* a client that does not wait may connect again */
        leave(guest, "another question before the end");
        return;
    }
    if (!ask(door, &asker, fr_frames_tag(guest->frames), message, &guest->outlet, &n, &transfer)) {
        leave(guest, NULL);
    } else if (transfer) {
        guest->transfer = transfer;
        fr_loop_defer(door->options.loop, &guest->more);
    } else if (fr_frames_send(guest->frames, fr_span(door->message, n))) {
        leave(guest, NULL);
    }
}

static void on_end(void *data, const char *why)
{
    leave(data, why ? why : "the secondary closed the connection");
}

/* --- sockets --- */

static void on_udp(struct fr_watch *w, unsigned events)
{
    struct fr_transfer_door *door = w->data;

    (void)events;
    for (int i = 0; i < READS_PER_TURN; i++) {
        uint8_t in[FR_TRANSFER_ASK_MAX];
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        struct fr_addr from;
        char text[FR_ADDR_TEXT];
        struct fr_outlet_transfer *transfer = NULL;
        struct fr_outlet *outlet = NULL;
        size_t out = 0;
        ssize_t n = recvfrom(w->fd, in, sizeof in, 0, (struct sockaddr *)&peer, &size);

        if (n < 0) return; /* nothing more, or the error of an earlier answer */
        if (!fr_rate_take(&door->rate, fr_loop_now_ms(door->options.loop), FR_TRANSFER_BURST,
                          FR_TRANSFER_PER_S)) {
            door->dropped++;
            continue;
        }
        if (fr_addr_from_sockaddr((const struct sockaddr *)&peer, &from)) continue;
        fr_addr_print(&from, text);
        const struct fr_outlet_asker asker = {.is_datagram = true, .from = text};
        if (ask(door, &asker, NULL, fr_span(in, (size_t)n), &outlet, &out, &transfer) && out > 0)
            (void)sendto(w->fd, door->message, out, MSG_NOSIGNAL, (const struct sockaddr *)&peer,
                         size);
        fr_outlet_end(transfer, "by datagram");
    }
}

static struct guest *seat(struct fr_transfer_door *door)
{
    for (size_t i = 0; i < FR_TRANSFER_CONNECTIONS; i++)
        if (!door->guests[i].is_used) return &door->guests[i];
    return NULL;
}

static void on_accepted(void *data, int fd, const struct fr_addr *from)
{
    struct fr_transfer_door *door = data;
    struct guest *guest = seat(door);

    if (!guest) {
        (void)close(fd);
        door->dropped++;
        return;
    }
    *guest = (struct guest){.door = door, .is_used = true};
    fr_addr_print(from, guest->from);
    fr_defer_init(&guest->more, on_more, guest);
    const struct fr_frames_options options = {.loop = door->options.loop,
                                              .message_max = FR_TRANSFER_ASK_MAX,
                                              .connect_ms = FR_TRANSFER_HANDSHAKE_MS,
                                              .idle_ms = FR_TRANSFER_IDLE_MS,
                                              .message = on_message,
                                              .room = on_room,
                                              .end = on_end,
                                              .acceptor = door->options.acceptor,
                                              .select = door->options.select,
                                              .select_data = door->options.select_data,
                                              .data = guest};
    if (fr_frames_accept(&options, fd, &guest->frames) != FR_OK) *guest = (struct guest){0};
}

/* --- handle --- */

enum fr_err fr_transfer_door_open(const struct fr_transfer_door_options *options,
                                  struct fr_diag *diag, struct fr_transfer_door **out)
{
    int udp = -1, tcp = -1;
    struct fr_transfer_door *door = fr_calloc(1, sizeof *door);

    if (!door) return FR_E_NOMEM;
    door->options = *options;
    if (options->acceptor) door->options.acceptor = fr_tls_acceptor_ref(options->acceptor);
    fr_watch_init(&door->udp, -1, on_udp, door);
    fr_accept_init(&door->tcp, on_accepted, door);
    enum fr_err err = options->acceptor ? FR_OK : fr_socket_bind_udp(&options->at, diag, &udp);
    if (!err && udp >= 0) {
        fr_watch_init(&door->udp, udp, on_udp, door);
        err = fr_watch_start(options->loop, &door->udp, FR_LOOP_READ);
    }
    if (!err) err = fr_socket_listen(&options->at, false, diag, &tcp);
    if (!err) err = fr_accept_start(&door->tcp, options->loop, tcp);
    if (err)
        fr_transfer_door_close(door);
    else
        *out = door;
    return err;
}

const struct fr_addr *fr_transfer_door_at(const struct fr_transfer_door *door)
{
    return &door->options.at;
}

bool fr_transfer_door_is_tls(const struct fr_transfer_door *door)
{
    return door->options.acceptor != NULL;
}

uint64_t fr_transfer_door_dropped(const struct fr_transfer_door *door)
{
    return door->dropped;
}

void fr_transfer_door_leave(struct fr_transfer_door *door, const struct fr_outlet *outlet)
{
    for (size_t i = 0; i < FR_TRANSFER_CONNECTIONS; i++)
        if (door->guests[i].is_used &&
            (door->guests[i].outlet == outlet || fr_frames_tag(door->guests[i].frames) == outlet))
            leave(&door->guests[i], "the federation is no longer served here");
}

void fr_transfer_door_close(struct fr_transfer_door *door)
{
    if (!door) return;
    fr_watch_stop(&door->udp);
    if (door->udp.fd >= 0) (void)close(door->udp.fd);
    fr_accept_close(&door->tcp);
    for (size_t i = 0; i < FR_TRANSFER_CONNECTIONS; i++)
        if (door->guests[i].is_used) leave(&door->guests[i], "the broker closes");
    fr_tls_acceptor_unref(door->options.acceptor);
    fr_free(door);
}
