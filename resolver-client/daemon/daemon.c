#include "daemon/daemon.h"

#include "base/mem.h"
#include "transport/loop_ev.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGHUP};
#define N_SIGNALS (sizeof SIGNALS / sizeof *SIGNALS)

struct fr_daemon {
    struct fr_daemon_options options;
    struct fr_loop *loop;
    struct fr_ev_signal *signals[N_SIGNALS];
    bool is_stopping, was_ready;
};

static const char *event(const struct fr_daemon *s, const char *what, char text[static 32])
{
    (void)snprintf(text, 32, "%s.%s", s->options.name, what);
    return text;
}

static void stop(struct fr_daemon *s, int signum)
{
    char text[32];

    if (s->is_stopping) return; /* told twice */
    s->is_stopping = true;
    FR_LOG(s->options.log, FR_LOG_INFO, event(s, "stopping", text),
           FR_STR("signal", strsignal(signum)));
    (void)sd_notify(0, "STOPPING=1");
    s->options.stop(s->options.data);
}

static void reload(struct fr_daemon *s)
{
    struct fr_diag diag = {0};
    char name[32], why[sizeof diag];
    struct timespec now;

    if (s->is_stopping) return;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
                     (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    enum fr_err err = s->options.reload(s->options.data, &diag);
    if (err == FR_OK) {
        FR_LOG(s->options.log, FR_LOG_INFO, event(s, "reloaded", name));
    } else {
        fr_diag_print(&diag, err, why, sizeof why);
        FR_LOG(s->options.log, FR_LOG_ERROR, event(s, "reload_failed", name), FR_STR("why", why));
    }
    (void)sd_notify(0, "READY=1");
}

static void on_signal(void *data, int signum)
{
    if (signum == SIGHUP)
        reload(data);
    else
        stop(data, signum);
}

enum fr_err fr_daemon_new(const struct fr_daemon_options *options, struct fr_daemon **out)
{
    struct fr_daemon *s = fr_calloc(1, sizeof *s);

    if (s == NULL) return FR_E_NOMEM;
    s->options = *options;
    enum fr_err err = fr_loop_ev_new(&s->loop);
    if (err) {
        fr_free(s);
        return err;
    }
    *out = s;
    return FR_OK;
}

struct fr_loop *fr_daemon_loop(struct fr_daemon *daemon)
{
    return daemon->loop;
}

static void hold_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < N_SIGNALS; i++) (void)sigaddset(&set, SIGNALS[i]);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

enum fr_err fr_daemon_run(struct fr_daemon *s)
{
    for (size_t i = 0; i < N_SIGNALS; i++) {
        enum fr_err err = fr_loop_ev_signal(s->loop, SIGNALS[i], on_signal, s, &s->signals[i]);
        if (err) return err;
    }
    s->was_ready = true;
    (void)sd_notify(0, "READY=1");
    fr_loop_ev_run(s->loop);
    hold_signals();
    return FR_OK;
}

void fr_daemon_over(void *daemon)
{
    struct fr_daemon *s = daemon;

    fr_loop_ev_stop(s->loop);
}

void fr_daemon_free(struct fr_daemon *daemon)
{
    char text[32];

    if (daemon == NULL) return;
    if (daemon->was_ready) FR_LOG(daemon->options.log, FR_LOG_INFO, event(daemon, "stopped", text));
    for (size_t i = 0; i < N_SIGNALS; i++) fr_loop_ev_signal_free(daemon->signals[i]);
    fr_loop_ev_free(daemon->loop);
    fr_free(daemon);
}
