#include "resolver/public_session.h"

#include "base/mem.h"
#include "transport/loop.h"
#include <sys/queue.h>

struct watched {
    LIST_ENTRY(watched) link;
    struct fr_public_session *session;
    struct fr_watch watch;
};

struct fr_public_session {
    struct fr_loop *loop;
    struct fedroam_public_dns ops;
    struct fedroam_host host; /* what the implementation sees of the loop */
    void *theirs;
    struct fr_timer timer;
    LIST_HEAD(, watched) watches;
    size_t n_watches;
};

static void on_ready(struct fr_watch *w, unsigned events)
{
    struct fr_public_session *s = ((const struct watched *)w->data)->session;
    s->ops.process_fd(s->theirs, w->fd, events);
}

static void on_timer(struct fr_timer *t)
{
    struct fr_public_session *s = t->data;
    s->ops.process_timer(s->theirs);
}

static void forget(struct watched *at)
{
    fr_watch_stop(&at->watch);
    LIST_REMOVE(at, link);
    at->session->n_watches--;
    fr_free(at);
}

static struct watched *watched_new(struct fr_public_session *s, int fd)
{
    if (s->n_watches == FR_PUBLIC_WATCHES_MAX) return NULL;
    struct watched *at = fr_calloc(1, sizeof *at);
    if (!at) return NULL;
    at->session = s;
    fr_watch_init(&at->watch, fd, on_ready, at);
    LIST_INSERT_HEAD(&s->watches, at, link);
    s->n_watches++;
    return at;
}

static int host_watch(void *data, int fd, unsigned events)
{
    struct fr_public_session *s = data;
    struct watched *at;
    LIST_FOREACH(at, &s->watches, link)
    if (at->watch.fd == fd) break;
    if (events == 0) {
        if (at) forget(at);
        return 0;
    }
    if (!at) at = watched_new(s, fd);
    if (!at) return -1;
    if (fr_watch_start(s->loop, &at->watch, events) == FR_OK) return 0;
    if (at->watch.want == 0) forget(at);
    return -1;
}

static void host_timer(void *data, int64_t delay_ms)
{
    struct fr_public_session *s = data;
    if (delay_ms < 0)
        fr_timer_stop(&s->timer);
    else
        fr_timer_start(s->loop, &s->timer, delay_ms);
}

enum fr_err fr_public_session_open(struct fr_loop *loop, const struct fedroam_public_dns *dns,
                                   void *data, struct fr_public_session **out)
{
    struct fr_public_session *s = fr_calloc(1, sizeof *s);
    if (!s) return FR_E_NOMEM;
    s->loop = loop;
    s->ops = *dns;
    s->host =
        (struct fedroam_host){.size = sizeof s->host, .watch = host_watch, .timer = host_timer};
    fr_timer_init(&s->timer, on_timer, s);
    LIST_INIT(&s->watches);
    enum fedroam_err err = s->ops.open(data, &s->host, s, &s->theirs);
    if (err == FEDROAM_OK) {
        *out = s;
        return FR_OK;
    }
    fr_timer_stop(&s->timer);
    fr_free(s);
    return err == FEDROAM_E_MEMORY ? FR_E_NOMEM : FR_E_IO;
}

void fr_public_session_close(struct fr_public_session *s)
{
    struct watched *at;
    if (!s) return;
    s->ops.close(s->theirs);
    while ((at = LIST_FIRST(&s->watches)) != NULL) forget(at);
    fr_timer_stop(&s->timer);
    fr_free(s);
}

enum fedroam_err fr_public_session_ask(struct fr_public_session *s, const char *name, uint16_t type,
                                       fedroam_dns_done done, void *question, void **handle)
{
    return s->ops.ask(s->theirs, name, type, done, question, handle);
}

void fr_public_session_cancel(struct fr_public_session *s, void *handle)
{
    s->ops.cancel(s->theirs, handle);
}
