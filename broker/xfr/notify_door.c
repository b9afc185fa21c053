#include "xfr/notify_door.h"

#include "base/mem.h"
#include "base/rate.h"
#include "dns/tsig.h"
#include "transport/accept.h"
#include "transport/frames.h"
#include "transport/socket.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_TURN 32

struct guest {
    struct fr_notify_door *door;
    struct fr_frames *frames;
    struct fr_ip from;
    bool is_used;
};

struct fr_notify_door {
    struct fr_notify_door_options options;
    struct fr_watch udp;
    struct fr_accept tcp;
    struct fr_rate rate;
    uint64_t dropped;
    struct guest guests[FR_NOTIFY_CONNECTIONS];
};

/* The answer to one message; 0 bytes: none. */
static size_t answer(struct fr_notify_door *door, const struct fr_ip *from, struct fr_span message,
                     uint8_t *reply, size_t max)
{
    const struct fr_notify_door_options *o = &door->options;
    struct fr_notify notify;
    struct fr_notify_proof proof = {0};
    struct fr_tsig_mac mac = {0}, ours;
    size_t n = 0;

    if (!fr_rate_take(&door->rate, fr_loop_now_ms(o->loop), FR_NOTIFY_BURST, FR_NOTIFY_PER_S)) {
        door->dropped++;
        return 0;
    }
    if (fr_notify_read(message, &notify)) return 0;
    enum fr_dns_rcode rcode = notify.rcode;
    if (rcode == FR_DNS_NOERROR) rcode = o->notified(o->data, from, &notify, message, &proof);
    if (fr_notify_answer_write(&notify, rcode, reply, max, &n)) return 0;
    if (!proof.is_signed || !proof.key) return n;
    mac.n = proof.mac_n;
    memcpy(mac.b, proof.mac, sizeof mac.b);
    enum fr_err err = fr_tsig_sign(proof.key, FR_TSIG_ANSWER, &mac, (enum fr_tsig_error)proof.error,
                                   fr_clock_real_s(o->clock), reply, max, &n, &ours);
    return err ? 0 : n;
}

/* --- UDP --- */

static void on_udp(struct fr_watch *w, unsigned events)
{
    struct fr_notify_door *door = w->data;

    (void)events;
    for (int i = 0; i < READS_PER_TURN; i++) {
        uint8_t in[FR_NOTIFY_MAX], out[1024];
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        struct fr_addr from;
        ssize_t n = recvfrom(w->fd, in, sizeof in, 0, (struct sockaddr *)&peer, &size);

        if (n < 0) return; /* nothing more, or an error of an earlier answer */
        if (fr_addr_from_sockaddr((const struct sockaddr *)&peer, &from)) continue;
        size_t length = answer(door, &from.ip, fr_span(in, (size_t)n), out, sizeof out);
        if (length > 0)
            (void)sendto(w->fd, out, length, MSG_NOSIGNAL, (const struct sockaddr *)&peer, size);
    }
}

/* --- TCP --- */

static void on_message(void *data, struct fr_span message)
{
    struct guest *guest = data;
    uint8_t out[1024];

    size_t n = answer(guest->door, &guest->from, message, out, sizeof out);
    if (n == 0 || fr_frames_send(guest->frames, fr_span(out, n)) != FR_OK) {
        fr_frames_free(guest->frames);
        *guest = (struct guest){0};
    }
}

static void on_end(void *data, const char *why)
{
    struct guest *guest = data;

    (void)why;
    fr_frames_free(guest->frames);
    *guest = (struct guest){0};
}

static struct guest *seat(struct fr_notify_door *door)
{
    for (size_t i = 0; i < FR_NOTIFY_CONNECTIONS; i++)
        if (!door->guests[i].is_used) return &door->guests[i];
    return NULL;
}

static void on_accepted(void *data, int fd, const struct fr_addr *from)
{
    struct fr_notify_door *door = data;
    struct guest *guest = seat(door);

    if (!guest) {
        (void)close(fd);
        door->dropped++;
        return;
    }
    *guest = (struct guest){.door = door, .from = from->ip, .is_used = true};
    const struct fr_frames_options options = {.loop = door->options.loop,
                                              .message_max = FR_NOTIFY_MAX,
                                              .idle_ms = FR_NOTIFY_IDLE_MS,
                                              .message = on_message,
                                              .end = on_end,
                                              .data = guest};
    if (fr_frames_accept(&options, fd, &guest->frames) != FR_OK) *guest = (struct guest){0};
}

/* --- handle --- */

enum fr_err fr_notify_door_open(const struct fr_notify_door_options *options, struct fr_diag *diag,
                                struct fr_notify_door **out)
{
    int udp = -1, tcp = -1;
    struct fr_notify_door *door = fr_calloc(1, sizeof *door);

    if (!door) return FR_E_NOMEM;
    door->options = *options;
    fr_watch_init(&door->udp, -1, on_udp, door);
    fr_accept_init(&door->tcp, on_accepted, door);
    enum fr_err err = fr_socket_bind_udp(&options->at, diag, &udp);
    if (!err) {
        fr_watch_init(&door->udp, udp, on_udp, door);
        err = fr_watch_start(options->loop, &door->udp, FR_LOOP_READ);
    }
    if (!err) err = fr_socket_listen(&options->at, false, diag, &tcp);
    if (!err) err = fr_accept_start(&door->tcp, options->loop, tcp);
    if (err)
        fr_notify_door_close(door);
    else
        *out = door;
    return err;
}

const struct fr_addr *fr_notify_door_at(const struct fr_notify_door *door)
{
    return &door->options.at;
}

uint64_t fr_notify_door_dropped(const struct fr_notify_door *door)
{
    return door->dropped;
}

void fr_notify_door_close(struct fr_notify_door *door)
{
    if (!door) return;
    fr_watch_stop(&door->udp);
    if (door->udp.fd >= 0) (void)close(door->udp.fd);
    fr_accept_close(&door->tcp);
    for (size_t i = 0; i < FR_NOTIFY_CONNECTIONS; i++) fr_frames_free(door->guests[i].frames);
    fr_free(door);
}
