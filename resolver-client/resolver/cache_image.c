#include "resolver/cache_image.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "base/wire.h"
#include "names/netid.h"
#include "resolver/options.h"
#include <fedroam/answer.h>
#include <string.h>

/* "FRCACHE2", when (s), number of federations and their names; records: kind, federation, id, flags,
 * three times (s), a NetID or a place; a zero; a hash of it all. */

enum {
    RECORD_MAX = 16384, /* the largest place is below that */
    HASH_N = 8,
    NEGATIVE = 1,
    END = 0,               /* a record's first byte is its kind + 1 */
    LONGEST_S = 4 * 86400, /* a TTL of a day, and three days stale */
};

static const char MAGIC[8] = {'F', 'R', 'C', 'A', 'C', 'H', 'E', '2'};

static uint64_t hash(struct fr_span bytes)
{
    static const struct fr_siphash_key key = {"fedroam cache 1"};
    return fr_siphash(&key, bytes);
}

/* ---- a place ---- */

static void write_place(struct fr_wr *w, const struct fr_place *p)
{
    fr_wr_u32(w, p->ttl_s);
    fr_wr_u8(w, (uint8_t)p->n_endpoints);
    fr_wr_u8(w, (uint8_t)p->n_pins);
    fr_wr_u16(w, (uint16_t)p->text_n);
    fr_wr_u16(w, p->tree_at);
    fr_wr_u16(w, p->why_at);
    for (size_t i = 0; i < p->n_endpoints; i++) {
        const struct fr_place_endpoint *e = &p->endpoints[i];
        fr_wr_u8(w, e->addr.ip.family);
        fr_wr_bytes(w, e->addr.ip.b, sizeof e->addr.ip.b);
        fr_wr_u16(w, e->addr.port);
        fr_wr_u16(w, e->host_at);
        fr_wr_u16(w, e->path_at);
        fr_wr_u8(w, e->service);
        fr_wr_u16(w, e->group);
        fr_wr_u16(w, e->weight);
    }
    fr_wr_bytes(w, p->pins, p->n_pins * sizeof p->pins[0]);
    fr_wr_bytes(w, p->text, p->text_n);
}

/* A Join Server may have no more than a name. */
static bool endpoint_is_usable(const struct fr_place_endpoint *e, size_t text_n)
{
    bool is_address = e->addr.ip.family == 4 || e->addr.ip.family == 6;
    return (is_address || (e->addr.ip.family == 0 && e->service != FEDROAM_SERVICE_NONE)) &&
           e->addr.port != 0 && e->host_at < text_n && e->path_at < text_n &&
           e->service <= FEDROAM_SERVICE_LWNS;
}

static void read_endpoint(struct fr_rd *r, struct fr_place_endpoint *e)
{
    e->addr.ip.family = fr_rd_u8(r);
    fr_rd_bytes(r, e->addr.ip.b, sizeof e->addr.ip.b);
    e->addr.port = fr_rd_u16(r);
    e->host_at = fr_rd_u16(r);
    e->path_at = fr_rd_u16(r);
    e->service = fr_rd_u8(r);
    e->group = fr_rd_u16(r);
    e->weight = fr_rd_u16(r);
}

/* The first text is empty, the last one ends. */
static bool texts_are_usable(const struct fr_place *p)
{
    return p->text[0] == 0 && p->text[p->text_n - 1] == 0 && p->tree_at < p->text_n &&
           p->why_at < p->text_n;
}

static enum fr_err read_place(struct fr_rd *r, struct fr_place **out)
{
    uint32_t ttl_s = fr_rd_u32(r);
    size_t n_endpoints = fr_rd_u8(r), n_pins = fr_rd_u8(r), text_n = fr_rd_u16(r);
    if (fr_rd_err(r)) return fr_rd_err(r);
    if (ttl_s > FR_TTL_MAX_S || n_endpoints > FR_PLACE_ENDPOINTS_MAX ||
        n_pins > FR_PLACE_PINS_MAX || text_n == 0 || text_n > fr_rd_left(r))
        return FR_E_MALFORMED;
    struct fr_place *p = fr_calloc(1, sizeof *p + text_n);
    if (!p) return FR_E_NOMEM;
    p->ttl_s = ttl_s;
    p->n_endpoints = n_endpoints;
    p->n_pins = n_pins;
    p->text_n = text_n;
    p->tree_at = fr_rd_u16(r);
    p->why_at = fr_rd_u16(r);
    bool is_usable = true;
    for (size_t i = 0; i < n_endpoints; i++) {
        read_endpoint(r, &p->endpoints[i]);
        is_usable = is_usable && endpoint_is_usable(&p->endpoints[i], text_n);
    }
    fr_rd_bytes(r, p->pins, n_pins * sizeof p->pins[0]);
    fr_rd_bytes(r, p->text, text_n);
    if (fr_rd_err(r) || !is_usable || !texts_are_usable(p)) {
        fr_place_free(p);
        return FR_E_MALFORMED;
    }
    *out = p;
    return FR_OK;
}

/* ---- writing ---- */

struct writing {
    int64_t now_ms;
    struct fr_buf *out;
};

static uint32_t seconds(int64_t ms)
{
    if (ms <= 0) return 0;
    return ms / 1000 < UINT32_MAX ? (uint32_t)(ms / 1000) : UINT32_MAX;
}

static bool write_record(void *data, const struct fr_cache_kept *e)
{
    struct writing *to = data;
    uint8_t bytes[RECORD_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    if (e->keep_until_ms <= to->now_ms || e->key.federation == FR_PUBLIC_TREES) return true;
    fr_wr_u8(&w, (uint8_t)(e->key.kind + 1));
    fr_wr_u16(&w, e->key.federation);
    fr_wr_u64(&w, e->key.id);
    fr_wr_u8(&w, e->is_negative ? NEGATIVE : 0);
    fr_wr_u32(&w, seconds(to->now_ms - e->since_ms + 999)); /* never younger than it is */
    fr_wr_u32(&w, seconds(e->fresh_until_ms - e->since_ms));
    fr_wr_u32(&w, seconds(e->keep_until_ms - e->since_ms));
    if (!e->is_negative && e->place)
        write_place(&w, e->place);
    else if (!e->is_negative)
        fr_wr_u24(&w, e->netid);
    fr_buf_add_span(to->out, fr_wr_done(&w));
    return fr_buf_err(to->out) == FR_OK;
}

enum fr_err fr_cache_image_write(const struct fr_cache *c, const struct fedroam_options *names,
                                 struct fr_cache_moment now, struct fr_buf *out)
{
    struct writing to = {.now_ms = now.mono_ms, .out = out};
    uint8_t head[sizeof MAGIC + 8 + 2], tail[HASH_N];
    size_t from = out->n;
    struct fr_wr w = fr_wr(head, sizeof head);
    fr_wr_bytes(&w, MAGIC, sizeof MAGIC);
    fr_wr_u64(&w, (uint64_t)now.real_s);
    fr_wr_u16(&w, (uint16_t)names->n_federations);
    fr_buf_add_span(out, fr_wr_done(&w));
    for (size_t i = 0; i < names->n_federations; i++) {
        const char *name = names->federations[i]->name; /* at most 200 bytes: checked when added */
        fr_buf_add_char(out, (char)(uint8_t)strlen(name));
        fr_buf_add_str(out, name);
    }
    fr_cache_each(c, write_record, &to);
    fr_buf_add_char(out, END);
    if (fr_buf_err(out)) return fr_buf_err(out);
    w = fr_wr(tail, sizeof tail);
    fr_wr_u64(&w, hash(fr_span(out->p + from, out->n - from)));
    fr_buf_add_span(out, fr_wr_done(&w));
    return fr_buf_err(out);
}

/* ---- reading ---- */

struct reading {
    struct fr_cache *c;
    int64_t now_ms, elapsed_s; /* since the image was made */
    size_t n;
    int places[FR_FEDERATIONS_MAX]; /* of the image's federations in the options; -1: gone */
};

static void read_names(struct fr_rd *r, const struct fedroam_options *names, struct reading *to)
{
    to->n = fr_rd_u16(r);
    if (to->n > FR_FEDERATIONS_MAX) fr_rd_fail(r, FR_E_MALFORMED);
    for (size_t i = 0; i < to->n && !fr_rd_err(r); i++) {
        struct fr_span name = fr_rd_span(r, fr_rd_u8(r));
        to->places[i] = -1;
        for (size_t j = 0; j < names->n_federations; j++)
            if (fr_span_is(name, names->federations[j]->name)) to->places[i] = (int)j;
    }
}

static bool kind_fits(const struct fr_cache_kept *e)
{
    if (e->key.kind == FEDROAM_NETWORK) return e->key.id <= 0xffffff;
    return e->key.kind == FEDROAM_DEVICE || e->key.kind == FEDROAM_JOIN_SERVER;
}

/* One record behind its first byte. */
static enum fr_err read_record(struct fr_rd *r, uint8_t kind, struct reading *to)
{
    struct fr_cache_kept e = {.key = {.kind = kind}};
    uint16_t federation = fr_rd_u16(r);
    e.key.id = fr_rd_u64(r);
    uint8_t flags = fr_rd_u8(r);
    int64_t age_s = (int64_t)fr_rd_u32(r) + to->elapsed_s;
    int64_t fresh_s = fr_rd_u32(r), keep_s = fr_rd_u32(r);
    if (fr_rd_err(r)) return fr_rd_err(r);
    if (!kind_fits(&e) || federation >= to->n || flags > NEGATIVE || fresh_s > keep_s ||
        fresh_s > FR_TTL_MAX_S || keep_s > LONGEST_S)
        return FR_E_MALFORMED;
    e.is_negative = flags == NEGATIVE;
    if (!e.is_negative && kind == FEDROAM_DEVICE) {
        e.netid = fr_rd_u24(r);
        if (fr_rd_err(r) || fr_netid_check(e.netid, NULL) != FR_OK) return FR_E_MALFORMED;
    } else if (!e.is_negative) {
        enum fr_err err = read_place(r, &e.place);
        if (err) return err;
    }
    if (to->places[federation] < 0 || age_s >= keep_s) {
        fr_place_free(e.place);
        return FR_OK;
    }
    e.key.federation = (uint16_t)to->places[federation];
    e.since_ms = to->now_ms - age_s * 1000;
    e.fresh_until_ms = e.since_ms + fresh_s * 1000;
    e.keep_until_ms = e.since_ms + keep_s * 1000;
    fr_cache_restore(to->c, &e);
    return FR_OK;
}

static enum fr_err read_records(struct fr_rd *r, struct reading *to)
{
    for (;;) {
        uint8_t kind = fr_rd_u8(r);
        if (fr_rd_err(r)) return fr_rd_err(r);
        if (kind == END) return fr_rd_end(r) == FR_OK ? FR_OK : FR_E_MALFORMED;
        enum fr_err err = read_record(r, (uint8_t)(kind - 1), to);
        if (err) return err;
    }
}

enum fr_err fr_cache_image_read(struct fr_cache *c, const struct fedroam_options *names,
                                struct fr_cache_moment now, struct fr_span image)
{
    struct reading to = {.c = c, .now_ms = now.mono_ms};
    if (image.n < HASH_N) return FR_E_MALFORMED;
    struct fr_span body = fr_span(image.p, image.n - HASH_N);
    struct fr_rd tail = fr_rd(fr_span(image.p + body.n, HASH_N));
    if (fr_rd_u64(&tail) != hash(body)) return FR_E_MALFORMED;
    struct fr_rd r = fr_rd(body);
    struct fr_span magic = fr_rd_span(&r, sizeof MAGIC);
    uint64_t made_s = fr_rd_u64(&r);
    if (fr_rd_err(&r) || memcmp(magic.p, MAGIC, sizeof MAGIC) != 0 || made_s > (uint64_t)now.real_s)
        return FR_E_MALFORMED;
    to.elapsed_s = now.real_s - (int64_t)made_s;
    read_names(&r, names, &to);
    enum fr_err err = fr_rd_err(&r);
    if (!err) err = read_records(&r, &to);
    if (err == FR_OK || err == FR_E_NOMEM) return err;
    for (size_t i = 0; i < names->n_federations; i++) fr_cache_flush(c, (uint16_t)i);
    return FR_E_MALFORMED;
}
