#pragma once
/*
 * The life of a daemon: one loop, the signals, and what the service manager and the log are told of them.
 *
 * Model:   a main program makes one, opens what it serves on its loop, calls fr_daemon_run() and closes what it
 *          opened. SIGHUP calls `reload`; SIGTERM and SIGINT call `stop`, once, however often they come. `stop` ends in
 *          fr_daemon_over(), at once or when the last request is answered. Events are `<name>.reloaded`, `.reload_failed`,
 *          `.stopping` and, when it is freed, `.stopped`; what is said of being ready is the program's.
 * Owns:    the loop. Borrows the options' name, log and data.
 * Threads: main's.
 * See:     sd_notify(3), systemd.service(5) Type=notify-reload.
 */
#include "base/diag.h"
#include "base/log.h"
#include "transport/loop.h"

struct fr_daemon;

struct fr_daemon_options {
    const char *name; /* at most 15 characters */
    const struct fr_log *log;
    enum fr_err (*reload)(void *data, struct fr_diag *diag);
    void (*stop)(void *data);
    void *data;
};

/* FR_E_NOMEM, FR_E_IO. */
enum fr_err fr_daemon_new(const struct fr_daemon_options *options, struct fr_daemon **out);

struct fr_loop *fr_daemon_loop(struct fr_daemon *daemon);

/* Says READY=1 and serves until it is over. From then on the three signals are held back, so that being told again cannot cut the
 * end short. FR_E_NOMEM: never began. */
enum fr_err fr_daemon_run(struct fr_daemon *daemon);

/* Ends fr_daemon_run(). The argument is void, so that it fits where something that drains calls back. */
void fr_daemon_over(void *daemon);

/* After all that was opened on its loop is closed. NULL is legal. */
void fr_daemon_free(struct fr_daemon *daemon);
