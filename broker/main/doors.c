#include "main/doors.h"

#include "base/mem.h"
#include "transport/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct door {
    struct fr_addr at;
    int *fds; /* one for each worker; -1: not open */
};

struct fr_doors {
    size_t n_doors;
    unsigned workers;
    struct door *doors;
};

/* Workers share their port, and so would another program of the same user: a socket that shares
 * with nobody finds out. */
static enum fr_err check_free(const struct fr_addr *at, struct fr_diag *diag)
{
    int fd = -1;
    enum fr_err err = fr_socket_listen(at, false, diag, &fd);
    if (!err) (void)close(fd);
    return err;
}

static const struct door *door_find(const struct fr_doors *doors, const struct fr_addr *at)
{
    for (size_t i = 0; doors && i < doors->n_doors; i++)
        if (doors->doors[i].fds[0] >= 0 && fr_addr_equal(&doors->doors[i].at, at))
            return &doors->doors[i];
    return NULL;
}

static enum fr_err door_open(struct door *door, unsigned workers, const struct door *old,
                             unsigned old_workers, struct fr_diag *diag)
{
    enum fr_err err = old ? FR_OK : check_free(&door->at, diag);
    for (unsigned i = 0; !err && i < workers; i++) {
        if (!old || i >= old_workers) {
            err = fr_socket_listen(&door->at, true, diag, &door->fds[i]);
            continue;
        }
        door->fds[i] = fcntl(old->fds[i], F_DUPFD_CLOEXEC, 3);
        if (door->fds[i] < 0) err = fr_err_from_errno(errno);
    }
    return err;
}

enum fr_err fr_doors_open(const struct fr_broker_conf *conf, const struct fr_doors *old,
                          struct fr_diag *diag, struct fr_doors **out)
{
    enum fr_err err = FR_E_NOMEM;
    struct fr_doors *doors = fr_calloc(1, sizeof *doors);
    if (!doors) return err;
    doors->workers = conf->workers;
    doors->doors = fr_calloc(conf->n_listen, sizeof *doors->doors);
    if (!doors->doors) goto out;
    for (size_t i = 0; i < conf->n_listen; i++) {
        struct door *door = &doors->doors[i];
        door->at = (struct fr_addr){conf->listen[i].address, conf->listen[i].port};
        err = FR_E_NOMEM;
        door->fds = fr_calloc(doors->workers, sizeof *door->fds);
        if (!door->fds) goto out;
        for (unsigned w = 0; w < doors->workers; w++) door->fds[w] = -1;
        doors->n_doors++;
        err = FR_OK;
        if (conf->listen[i].serve >= FR_SERVE_NOTIFY) continue; /* main's own */
        err = door_open(door, doors->workers, door_find(old, &door->at), old ? old->workers : 0,
                        diag);
        if (err) goto out;
    }
    *out = doors;
    doors = NULL;
out:
    fr_doors_close(doors);
    return err;
}

int fr_doors_fd(const struct fr_doors *doors, size_t listen, unsigned worker)
{
    return doors->doors[listen].fds[worker];
}

void fr_doors_close(struct fr_doors *doors)
{
    if (!doors) return;
    for (size_t i = 0; i < doors->n_doors; i++) {
        for (unsigned w = 0; w < doors->workers; w++)
            if (doors->doors[i].fds[w] >= 0) (void)close(doors->doors[i].fds[w]);
        fr_free(doors->doors[i].fds);
    }
    fr_free(doors->doors);
    fr_free(doors);
}
