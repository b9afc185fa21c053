#include "main/notify_doors.h"

#include "base/mem.h"

struct fr_notify_doors {
    struct fr_loop *loop;
    const struct fr_clock *clock;
    struct fr_fed ***feds;
    const size_t *n_feds;
    struct fr_notify_door **doors;
    size_t n;
    uint64_t dropped; /* by doors that are closed now */
};

/* The first federation that knows server and zone answers. */
static enum fr_dns_rcode notified(void *data, const struct fr_ip *from,
                                  const struct fr_notify *notify, struct fr_span message,
                                  struct fr_notify_proof *proof)
{
    const struct fr_notify_doors *doors = data;
    enum fr_dns_rcode rcode = FR_DNS_REFUSED;

    for (size_t i = 0; i < *doors->n_feds && rcode == FR_DNS_REFUSED; i++) {
        struct fr_secondary *secondary = (*doors->feds)[i]->secondary;
        if (secondary) rcode = fr_secondary_notified(secondary, from, notify, message, proof);
    }
    return rcode;
}

enum fr_err fr_notify_doors_new(struct fr_loop *loop, const struct fr_clock *clock,
                                struct fr_fed ***feds, const size_t *n_feds,
                                struct fr_notify_doors **out)
{
    struct fr_notify_doors *doors = fr_calloc(1, sizeof *doors);

    if (!doors) return FR_E_NOMEM;
    *doors = (struct fr_notify_doors){.loop = loop, .clock = clock, .feds = feds, .n_feds = n_feds};
    *out = doors;
    return FR_OK;
}

static struct fr_notify_door *door_find(const struct fr_notify_doors *doors,
                                        const struct fr_addr *at)
{
    for (size_t i = 0; i < doors->n; i++)
        if (doors->doors[i] && fr_addr_equal(fr_notify_door_at(doors->doors[i]), at))
            return doors->doors[i];
    return NULL;
}

static enum fr_err door_for(struct fr_notify_doors *doors, const struct fr_addr *at,
                            struct fr_diag *diag, struct fr_notify_door **out)
{
    const struct fr_notify_door_options options = {
        .loop = doors->loop, .clock = doors->clock, .at = *at, .notified = notified, .data = doors};

    *out = door_find(doors, at);
    return *out ? FR_OK : fr_notify_door_open(&options, diag, out);
}

/* Closes those of `list` that are not among `kept`. */
static void close_others(struct fr_notify_doors *doors, struct fr_notify_door **list, size_t n,
                         struct fr_notify_door *const *kept, size_t n_kept)
{
    for (size_t i = 0; i < n; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < n_kept; k++) is_kept = is_kept || kept[k] == list[i];
        if (is_kept) continue;
        doors->dropped += fr_notify_door_dropped(list[i]);
        fr_notify_door_close(list[i]);
    }
}

enum fr_err fr_notify_doors_set(struct fr_notify_doors *doors, const struct fr_broker_conf *conf,
                                struct fr_diag *diag)
{
    struct fr_notify_door **next = fr_calloc(conf->n_listen, sizeof *next);
    size_t n = 0;
    enum fr_err err = next ? FR_OK : FR_E_NOMEM;

    for (size_t i = 0; !err && i < conf->n_listen; i++) {
        const struct fr_addr at = {conf->listen[i].address, conf->listen[i].port};
        if (conf->listen[i].serve != FR_SERVE_NOTIFY) continue;
        err = door_for(doors, &at, diag, &next[n]);
        if (!err) n++;
    }
    if (err) {
        close_others(doors, next, n, doors->doors, doors->n);
        fr_free(next);
        return err;
    }
    close_others(doors, doors->doors, doors->n, next, n);
    fr_free(doors->doors);
    doors->doors = next;
    doors->n = n;
    return FR_OK;
}

uint64_t fr_notify_doors_dropped(const struct fr_notify_doors *doors)
{
    uint64_t dropped = doors->dropped;

    for (size_t i = 0; i < doors->n; i++) dropped += fr_notify_door_dropped(doors->doors[i]);
    return dropped;
}

void fr_notify_doors_free(struct fr_notify_doors *doors)
{
    if (!doors) return;
    close_others(doors, doors->doors, doors->n, NULL, 0);
    fr_free(doors->doors);
    fr_free(doors);
}
