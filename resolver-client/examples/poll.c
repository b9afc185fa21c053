/* Looks one device up from a loop of the host's own; built as blocking.c is.
 *     ./poll FEDERATION URL ADDRESS CA CHAIN KEY DEVEUI */
#include <fedroam/fedroam.h>
#include <poll.h>
#include <stdio.h>

struct loop {
    struct pollfd fds[16];
    nfds_t n;
    int delay, is_done;
};

static int watch(void *data, int fd, unsigned events)
{
    struct loop *l = data;
    nfds_t i = 0;
    while (i < l->n && l->fds[i].fd != fd) i++;
    if (i == 16) return -1;
    l->n += i == l->n;
    l->fds[i].fd = events ? fd : -1; /* poll() skips those */
    l->fds[i].events = events & FEDROAM_READ ? POLLIN : 0;
    if (events & FEDROAM_WRITE) l->fds[i].events |= POLLOUT;
    return 0;
}

static void timer(void *data, int64_t delay_ms)
{
    ((struct loop *)data)->delay = (int)delay_ms;
}

static void on_answer(void *data, const struct fedroam_answer *a)
{
    puts(fedroam_answer_endpoint_text(a, 0)); /* "" unless it was found */
    ((struct loop *)data)->is_done = 1;
}

int main(int argc, char **argv)
{
    struct loop l = {.delay = -1};
    struct fedroam_host host = {sizeof host, watch, timer};
    struct fedroam_options *o = fedroam_options_new();
    struct fedroam *f = NULL;
    const char *where = argc == 8 ? argv[3] : NULL;
    uint64_t deveui;
    if (!where || fedroam_parse_eui(argv[7], &deveui) ||
        fedroam_options_add_federation(o, argv[1], argv[4], argv[5], argv[6]) ||
        fedroam_options_add_broker(o, argv[1], argv[2], &where, 1) ||
        fedroam_options_set_host(o, &host, &l) || fedroam_new(o, &f) ||
        fedroam_lookup_device(f, NULL, deveui, 0, on_answer, &l, NULL))
        return 2;
    while (!l.is_done) {
        poll(l.fds, l.n, l.delay);
        fedroam_process_timer(f); /* too early is harmless: it sets the delay anew */
        for (nfds_t i = 0; i < l.n; i++)
            if (l.fds[i].revents) fedroam_process_fd(f, l.fds[i].fd, FEDROAM_READ | FEDROAM_WRITE);
    }
    fedroam_free(f);
    fedroam_options_free(o);
    return 0;
}
