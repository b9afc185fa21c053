#include "main/transfer_doors.h"

#include "access/access.h"
#include "base/mem.h"

#include <string.h>

/* One door, and which federation it is for when a client names none. */
struct place {
    struct fr_transfer_doors *doors;
    char *federation; /* NULL: none is named */
    struct fr_transfer_door *door;
};

struct fr_transfer_doors {
    struct fr_loop *loop;
    struct fr_fed ***feds;
    const size_t *n_feds;
    struct fr_tls_acceptor *acceptor; /* without sessions: transfers are rare */
    struct place **places;
    size_t n;
    uint64_t dropped; /* by doors that are closed now */
};

/* --- which federation --- */

static struct fr_outlet *find(void *data, void *tag, const struct fr_dname *zone)
{
    const struct place *place = data;
    const struct fr_transfer_doors *doors = place->doors;

    for (size_t i = 0; i < *doors->n_feds; i++) {
        struct fr_fed *fed = (*doors->feds)[i];
        if ((tag && tag != fed->outlet) || !fed->outlet) continue;
        if (fr_dname_equal(fr_dname_span(fr_outlet_zone(fed->outlet)), fr_dname_span(zone)))
            return fed->outlet;
    }
    return NULL;
}

/* BIND sends no server name: then the listener's federation, or the only one, is meant. */
static bool is_meant(const struct place *place, const struct fr_fed *fed, const char *sni)
{
    if (fr_service_of(fed->name, sni) != FR_SERVICE_BROKER) return false;
    if (sni && sni[0]) return true;
    return place->federation ? strcmp(place->federation, fed->name) == 0
                             : *place->doors->n_feds == 1;
}

static bool choose(void *data, const char *sni, struct fr_tls_choice *out)
{
    const struct place *place = data;
    const struct fr_transfer_doors *doors = place->doors;

    for (size_t i = 0; i < *doors->n_feds; i++) {
        struct fr_fed *fed = (*doors->feds)[i];
        if (!fed->outlet || !is_meant(place, fed, sni)) continue;
        fr_ident_choose(fed->ident, FR_SERVICE_BROKER, out);
        out->tag = fed->outlet;
        return true;
    }
    return false;
}

/* --- doors --- */

static void place_free(struct place *place)
{
    if (!place) return;
    fr_transfer_door_close(place->door);
    fr_free(place->federation);
    fr_free(place);
}

static bool is_same(const struct place *place, const struct fr_broker_listen_conf *listen)
{
    const struct fr_addr at = {listen->address, listen->port};
    const char *federation = listen->federation ? listen->federation : "";

    return fr_addr_equal(fr_transfer_door_at(place->door), &at) &&
           fr_transfer_door_is_tls(place->door) == (listen->serve == FR_SERVE_XOT) &&
           strcmp(place->federation ? place->federation : "", federation) == 0;
}

static struct place *place_find(const struct fr_transfer_doors *doors,
                                const struct fr_broker_listen_conf *listen)
{
    for (size_t i = 0; i < doors->n; i++)
        if (is_same(doors->places[i], listen)) return doors->places[i];
    return NULL;
}

static enum fr_err place_for(struct fr_transfer_doors *doors,
                             const struct fr_broker_listen_conf *listen, struct fr_diag *diag,
                             struct place **out)
{
    struct place *place = place_find(doors, listen);

    *out = place;
    if (place) return FR_OK;
    place = fr_calloc(1, sizeof *place);
    if (!place) return FR_E_NOMEM;
    place->doors = doors;
    place->federation = listen->federation ? fr_strdup(listen->federation) : NULL;
    const struct fr_transfer_door_options options = {
        .loop = doors->loop,
        .at = {listen->address, listen->port},
        .acceptor = listen->serve == FR_SERVE_XOT ? doors->acceptor : NULL,
        .select = choose,
        .select_data = place,
        .find = find,
        .data = place,
    };
    enum fr_err err = listen->federation && !place->federation
                          ? FR_E_NOMEM
                          : fr_transfer_door_open(&options, diag, &place->door);
    if (err)
        place_free(place);
    else
        *out = place;
    return err;
}

/* Closes those of `list` that are not among `kept`. */
static void close_others(struct fr_transfer_doors *doors, struct place **list, size_t n,
                         struct place *const *kept, size_t n_kept)
{
    for (size_t i = 0; i < n; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < n_kept; k++) is_kept = is_kept || kept[k] == list[i];
        if (is_kept) continue;
        doors->dropped += fr_transfer_door_dropped(list[i]->door);
        place_free(list[i]);
    }
}

enum fr_err fr_transfer_doors_set(struct fr_transfer_doors *doors,
                                  const struct fr_broker_conf *conf, struct fr_diag *diag)
{
    struct place **next = fr_calloc(conf->n_listen, sizeof(struct place *));
    size_t n = 0;
    enum fr_err err = next ? FR_OK : FR_E_NOMEM;

    for (size_t i = 0; !err && i < conf->n_listen; i++) {
        const struct fr_broker_listen_conf *listen = &conf->listen[i];
        if (listen->serve != FR_SERVE_XFR && listen->serve != FR_SERVE_XOT) continue;
        err = place_for(doors, listen, diag, &next[n]);
        if (!err) n++;
    }
    if (err) {
        close_others(doors, next, n, doors->places, doors->n);
        fr_free(next);
        return err;
    }
    close_others(doors, doors->places, doors->n, next, n);
    fr_free(doors->places);
    doors->places = next;
    doors->n = n;
    return FR_OK;
}

void fr_transfer_doors_leave(struct fr_transfer_doors *doors, const struct fr_fed *fed)
{
    for (size_t i = 0; doors && i < doors->n; i++)
        fr_transfer_door_leave(doors->places[i]->door, fed->outlet);
}

uint64_t fr_transfer_doors_dropped(const struct fr_transfer_doors *doors)
{
    uint64_t dropped = doors->dropped;

    for (size_t i = 0; i < doors->n; i++)
        dropped += fr_transfer_door_dropped(doors->places[i]->door);
    return dropped;
}

/* --- handle --- */

enum fr_err fr_transfer_doors_new(struct fr_loop *loop, struct fr_fed ***feds, const size_t *n_feds,
                                  struct fr_transfer_doors **out)
{
    struct fr_transfer_doors *doors = fr_calloc(1, sizeof *doors);

    if (!doors) return FR_E_NOMEM;
    *doors = (struct fr_transfer_doors){.loop = loop, .feds = feds, .n_feds = n_feds};
    enum fr_err err = fr_tls_acceptor_new(0, 0, &doors->acceptor);
    if (err)
        fr_transfer_doors_free(doors);
    else
        *out = doors;
    return err;
}

void fr_transfer_doors_free(struct fr_transfer_doors *doors)
{
    if (!doors) return;
    close_others(doors, doors->places, doors->n, NULL, 0);
    fr_free(doors->places);
    fr_tls_acceptor_unref(doors->acceptor);
    fr_free(doors);
}
