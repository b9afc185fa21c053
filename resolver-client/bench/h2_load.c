#include "bench/h2_load.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/wire.h"

#define FRAME_HEAD 9
#define FRAME_MAX 16384 /* we never allow more */
#define SLOTS (4 * FR_H2_LOAD_STREAMS)
#define WINDOW 0x7fffffff
#define WINDOW_TOP_UP 0x20000000 /* taken since the last WINDOW_UPDATE */
#define TABLE_MAX 4096
#define LAST_STREAM 0x7ffffff0
#define OUT_MAX (1u << 20)

enum {
    SETTING_TABLE = NGHTTP2_SETTINGS_HEADER_TABLE_SIZE,
    SETTING_STREAMS = NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
    DNS_FLAGS_LOW = 3, /* octet of a DNS message with the RCODE */
};

struct slot {
    uint32_t id; /* 0: free */
    unsigned status;
    int rcode;
    size_t body_n;
    int64_t asked_us;
};

struct fr_h2_load {
    struct fr_h2_load_conf conf;
    fr_h2_answered answered;
    void *data;
    nghttp2_hd_deflater *deflater;
    nghttp2_hd_inflater *inflater;
    struct fr_buf out, in, path;
    struct fr_buf ask_block; /* the last request's header block */
    struct fr_buf head;      /* the last answer's, when the same octets mean the same again */
    bool is_ask_lasting;
    unsigned head_status;
    unsigned open, streams; /* streams: what the server allows */
    uint32_t next_id;
    int64_t send_window;
    uint32_t taken; /* of our own window */
    bool is_over;
    struct slot slots[SLOTS];
};

static struct slot *slot_of(struct fr_h2_load *h, uint32_t id)
{
    return &h->slots[id / 2 % SLOTS];
}

static void put_frame(struct fr_h2_load *h, size_t n, uint8_t type, uint8_t flags, uint32_t id)
{
    uint8_t *p = fr_buf_reserve(&h->out, FRAME_HEAD);
    struct fr_wr w;

    if (p == NULL) return;
    w = fr_wr(p, FRAME_HEAD);
    fr_wr_u24(&w, (uint32_t)n);
    fr_wr_u8(&w, type);
    fr_wr_u8(&w, flags);
    fr_wr_u32(&w, id);
    fr_buf_commit(&h->out, FRAME_HEAD);
}

static void put_u32(struct fr_h2_load *h, uint32_t v)
{
    const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    fr_buf_add(&h->out, b, sizeof b);
}

static void put_preface(struct fr_h2_load *h)
{
    static const uint8_t settings[] = {
        0, NGHTTP2_SETTINGS_ENABLE_PUSH,         0,    0,    0,    0,
        0, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7f, 0xff, 0xff, 0xff};

    fr_buf_add_str(&h->out, NGHTTP2_CLIENT_MAGIC);
    put_frame(h, sizeof settings, NGHTTP2_SETTINGS, 0, 0);
    fr_buf_add(&h->out, settings, sizeof settings);
    put_frame(h, 4, NGHTTP2_WINDOW_UPDATE, 0, 0);
    put_u32(h, WINDOW - NGHTTP2_INITIAL_CONNECTION_WINDOW_SIZE);
}

enum fr_err fr_h2_load_new(const struct fr_h2_load_conf *conf, fr_h2_answered answered, void *data,
                           struct fr_h2_load **out)
{
    struct fr_h2_load *h = fr_calloc(1, sizeof *h);

    if (h == NULL) return FR_E_NOMEM;
    h->conf = *conf;
    h->answered = answered;
    h->data = data;
    h->streams = conf->streams;
    h->next_id = 1;
    h->send_window = NGHTTP2_INITIAL_CONNECTION_WINDOW_SIZE;
    fr_buf_init(&h->out, OUT_MAX);
    fr_buf_init(&h->in, FRAME_HEAD + FRAME_MAX);
    fr_buf_init(&h->path, FRAME_MAX);
    fr_buf_init(&h->ask_block, FRAME_MAX);
    fr_buf_init(&h->head, FRAME_MAX);
    put_preface(h);
    if (nghttp2_hd_deflate_new(&h->deflater, TABLE_MAX) != 0 ||
        nghttp2_hd_inflate_new(&h->inflater) != 0 || fr_buf_err(&h->out) != FR_OK) {
        fr_h2_load_free(h);
        return FR_E_NOMEM;
    }
    *out = h;
    return FR_OK;
}

void fr_h2_load_free(struct fr_h2_load *h)
{
    if (h == NULL) return;
    nghttp2_hd_deflate_del(h->deflater);
    nghttp2_hd_inflate_del(h->inflater);
    fr_buf_deinit(&h->out);
    fr_buf_deinit(&h->in);
    fr_buf_deinit(&h->path);
    fr_buf_deinit(&h->ask_block);
    fr_buf_deinit(&h->head);
    fr_free(h);
}

/* Behind an integer of RFC 7541 5.1 that began in `first`; its value where that is below 127. */
static unsigned read_number(struct fr_rd *r, unsigned first, unsigned mask)
{
    unsigned n = first & mask;

    if (n == mask)
        while (fr_rd_u8(r) >= 0x80) {
        }
    return n;
}

static void skip_text(struct fr_rd *r)
{
    unsigned n = read_number(r, fr_rd_u8(r), 0x7f);

    if (n == 0x7f)
        fr_rd_fail(r, FR_E_UNSUPPORTED); /* too long to matter here */
    else
        fr_rd_skip(r, n);
}

/* A header block of indexed fields and of literals that are not to be indexed leaves the tables as
 * they are, so the same octets mean the same again. RFC 7541 6.1, 6.2.2, 6.2.3 */
static bool is_lasting(struct fr_span block)
{
    struct fr_rd r = fr_rd(block);

    while (fr_rd_left(&r) > 0) {
        unsigned first = fr_rd_u8(&r);

        if (first & 0x80) {
            (void)read_number(&r, first, 0x7f);
        } else if (first & 0x60) {
            return false; /* to be indexed, or the table's size */
        } else {
            if (read_number(&r, first, 0x0f) == 0) skip_text(&r);
            skip_text(&r);
        }
    }
    return block.n > 0 && fr_rd_err(&r) == FR_OK;
}

/* --- asking --- */

static nghttp2_nv nv(const char *name, struct fr_span value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name, /* read only; its type lacks the const */
        .value = (uint8_t *)(uintptr_t)value.p,
        .namelen = strlen(name),
        .valuelen = value.n,
    };
}

static struct fr_span request_path(struct fr_h2_load *h, struct fr_span message)
{
    if (h->conf.is_post || h->conf.is_plain_get) return fr_span_str(h->conf.path);
    fr_buf_reset(&h->path);
    fr_buf_add_str(&h->path, h->conf.path);
    fr_buf_add_str(&h->path, "?dns=");
    (void)fr_base64url_print(message, &h->path); /* the buffer remembers a fault */
    return fr_buf_span(&h->path);
}

/* The header block of one request, made or used again. */
static enum fr_err make_block(struct fr_h2_load *h, struct fr_span message)
{
    const struct fr_span type = FR_SPAN_LIT("application/dns-message");
    char length[24];
    nghttp2_nv fields[8];
    size_t n = 0;

    if (h->is_ask_lasting) return FR_OK;
    fields[n++] = nv(":method", h->conf.is_post ? FR_SPAN_LIT("POST") : FR_SPAN_LIT("GET"));
    fields[n++] = nv(":scheme", FR_SPAN_LIT("https"));
    fields[n++] = nv(":authority", fr_span_str(h->conf.authority));
    fields[n++] = nv(":path", request_path(h, message));
    if (!h->conf.is_plain_get) fields[n++] = nv("accept", type);
    if (h->conf.is_post) {
        int length_n = snprintf(length, sizeof length, "%zu", message.n);
        fields[n++] = nv("content-type", type);
        fields[n++] = nv("content-length", fr_span((uint8_t *)length, (size_t)length_n));
    }
    fr_buf_reset(&h->ask_block);
    uint8_t *p = fr_buf_reserve(&h->ask_block, FRAME_MAX);
    if (p == NULL || fr_buf_err(&h->path) != FR_OK) return FR_E_NOMEM;
    ssize_t made = nghttp2_hd_deflate_hd(h->deflater, p, FRAME_MAX, fields, n);
    if (made < 0) return FR_E_NOMEM;
    fr_buf_commit(&h->ask_block, (size_t)made);
    h->is_ask_lasting =
        (h->conf.is_post || h->conf.is_plain_get) && is_lasting(fr_buf_span(&h->ask_block));
    return FR_OK;
}

bool fr_h2_load_can_ask(const struct fr_h2_load *h)
{
    return !h->is_over && h->open < h->streams && h->out.n < FRAME_MAX &&
           h->next_id < LAST_STREAM && (!h->conf.is_post || h->send_window >= FRAME_MAX);
}

enum fr_err fr_h2_load_ask(struct fr_h2_load *h, struct fr_span message, int64_t now_us)
{
    struct slot *slot = slot_of(h, h->next_id);

    while (slot->id != 0) { /* a slow answer is still owed there; streams may be left out */
        h->next_id += 2;
        slot = slot_of(h, h->next_id);
    }
    enum fr_err err = make_block(h, message);
    if (err != FR_OK) return err;
    *slot = (struct slot){.id = h->next_id, .rcode = -1, .asked_us = now_us};
    uint8_t end = h->conf.is_post ? 0 : NGHTTP2_FLAG_END_STREAM;
    put_frame(h, h->ask_block.n, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | end, h->next_id);
    fr_buf_add_span(&h->out, fr_buf_span(&h->ask_block));
    if (h->conf.is_post) {
        put_frame(h, message.n, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, h->next_id);
        fr_buf_add_span(&h->out, message);
        h->send_window -= (int64_t)message.n;
    }
    h->next_id += 2;
    h->open++;
    return fr_buf_err(&h->out);
}

/* --- answers --- */

/* The stream's slot, or NULL for one that is not open. */
static struct slot *find(struct fr_h2_load *h, uint32_t id)
{
    struct slot *slot = slot_of(h, id);

    return id != 0 && slot->id == id ? slot : NULL;
}

static void finish(struct fr_h2_load *h, struct slot *slot, int64_t now_us)
{
    const struct fr_h2_answer answer = {slot->status, slot->rcode, now_us - slot->asked_us};

    slot->id = 0;
    h->open--;
    h->answered(h->data, &answer);
}

static enum fr_err inflate_status(struct fr_h2_load *h, struct fr_span block, unsigned *status)
{
    uint64_t value = 0;
    int flags = 0;

    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv field;
        ssize_t n = nghttp2_hd_inflate_hd2(h->inflater, &field, &flags, block.p, block.n, 1);

        if (n < 0 || (n == 0 && flags == 0)) return FR_E_MALFORMED;
        block = fr_span(block.p + n, block.n - (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT &&
            fr_span_is(fr_span(field.name, field.namelen), ":status") &&
            fr_parse_u64(fr_span(field.value, field.valuelen), 100, 999, &value) != FR_OK)
            return FR_E_MALFORMED;
    }
    (void)nghttp2_hd_inflate_end_headers(h->inflater); /* always 0 */
    *status = (unsigned)value;
    return FR_OK;
}

static enum fr_err take_head(struct fr_h2_load *h, uint32_t id, uint8_t flags, struct fr_span block)
{
    struct slot *slot = find(h, id);
    unsigned status = h->head_status;

    if (!(flags & NGHTTP2_FLAG_END_HEADERS)) return FR_E_UNSUPPORTED;
    if (flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY)) return FR_E_UNSUPPORTED;
    if (h->head.n == 0 || !fr_span_equal(block, fr_buf_span(&h->head))) {
        enum fr_err err = inflate_status(h, block, &status);
        if (err != FR_OK) return err;
        fr_buf_reset(&h->head);
        if (is_lasting(block)) fr_buf_add_span(&h->head, block);
        if (fr_buf_err(&h->head) != FR_OK) return fr_buf_err(&h->head);
        h->head_status = status;
    }
    if (slot != NULL && status >= 200) slot->status = status;
    return FR_OK;
}

static void take_data(struct fr_h2_load *h, uint32_t id, struct fr_span data)
{
    struct slot *slot = find(h, id);

    h->taken += (uint32_t)data.n;
    if (h->taken >= WINDOW_TOP_UP) {
        put_frame(h, 4, NGHTTP2_WINDOW_UPDATE, 0, 0);
        put_u32(h, h->taken);
        h->taken = 0;
    }
    if (slot == NULL) return;
    if (slot->body_n <= DNS_FLAGS_LOW && slot->body_n + data.n > DNS_FLAGS_LOW)
        slot->rcode = data.p[DNS_FLAGS_LOW - slot->body_n] & 15;
    slot->body_n += data.n;
}

static enum fr_err take_settings(struct fr_h2_load *h, uint8_t flags, struct fr_span payload)
{
    struct fr_rd r = fr_rd(payload);

    if (flags & NGHTTP2_FLAG_ACK) return FR_OK;
    while (fr_rd_left(&r) > 0 && fr_rd_err(&r) == FR_OK) {
        unsigned id = fr_rd_u16(&r);
        uint32_t value = fr_rd_u32(&r);

        if (id == SETTING_STREAMS) h->streams = value < h->conf.streams ? value : h->conf.streams;
        if (id == SETTING_TABLE) h->is_ask_lasting = false;
        if (id == SETTING_TABLE && nghttp2_hd_deflate_change_table_size(
                                       h->deflater, value < TABLE_MAX ? value : TABLE_MAX) != 0)
            return FR_E_NOMEM;
    }
    put_frame(h, 0, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
    return fr_rd_err(&r) == FR_OK ? FR_OK : FR_E_MALFORMED;
}

static enum fr_err take_frame(struct fr_h2_load *h, uint8_t type, uint8_t flags, uint32_t id,
                              struct fr_span payload, int64_t now_us)
{
    struct slot *slot = find(h, id);
    enum fr_err err = FR_OK;

    switch (type) {
    case NGHTTP2_HEADERS: err = take_head(h, id, flags, payload); break;
    case NGHTTP2_DATA:
        if (flags & NGHTTP2_FLAG_PADDED) return FR_E_UNSUPPORTED;
        take_data(h, id, payload);
        break;
    case NGHTTP2_SETTINGS: return take_settings(h, flags, payload);
    case NGHTTP2_PING:
        if (flags & NGHTTP2_FLAG_ACK) return FR_OK;
        put_frame(h, payload.n, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0);
        fr_buf_add_span(&h->out, payload);
        return FR_OK;
    case NGHTTP2_WINDOW_UPDATE:
        if (payload.n != 4) return FR_E_MALFORMED;
        if (id == 0) {
            struct fr_rd r = fr_rd(payload);
            h->send_window += fr_rd_u32(&r) & WINDOW;
        }
        return FR_OK;
    case NGHTTP2_GOAWAY: h->is_over = true; return FR_OK;
    case NGHTTP2_RST_STREAM:
        if (slot == NULL) return FR_OK;
        slot->status = 0;
        finish(h, slot, now_us);
        return FR_OK;
    case NGHTTP2_CONTINUATION: return FR_E_UNSUPPORTED;
    default: return FR_OK; /* PRIORITY and what we do not know, RFC 9113 4.1 */
    }
    if (err == FR_OK && flags & NGHTTP2_FLAG_END_STREAM && slot != NULL) finish(h, slot, now_us);
    return err;
}

/* Takes the whole frames at the start of *in and leaves the rest. */
static enum fr_err take_frames(struct fr_h2_load *h, struct fr_span *in, int64_t now_us)
{
    while (in->n >= FRAME_HEAD) {
        struct fr_rd r = fr_rd(*in);
        size_t n = fr_rd_u24(&r);
        uint8_t type = fr_rd_u8(&r), flags = fr_rd_u8(&r);
        uint32_t id = fr_rd_u32(&r) & WINDOW;

        if (n > FRAME_MAX) return FR_E_MALFORMED;
        if (fr_rd_left(&r) < n) break;
        enum fr_err err = take_frame(h, type, flags, id, fr_rd_span(&r, n), now_us);
        if (err != FR_OK) return err;
        *in = fr_span(in->p + FRAME_HEAD + n, in->n - FRAME_HEAD - n);
    }
    return fr_buf_err(&h->out);
}

enum fr_err fr_h2_load_feed(struct fr_h2_load *h, struct fr_span in, int64_t now_us)
{
    enum fr_err err = FR_OK;

    /* A frame whose start came before: add to it only as much as may complete it. */
    while (err == FR_OK && h->in.n > 0 && in.n > 0) {
        size_t room = FRAME_HEAD + FRAME_MAX - h->in.n, n = in.n < room ? in.n : room;
        fr_buf_add(&h->in, in.p, n);
        if (fr_buf_err(&h->in) != FR_OK) return fr_buf_err(&h->in);
        in = fr_span(in.p + n, in.n - n);
        struct fr_span whole = fr_buf_span(&h->in);
        err = take_frames(h, &whole, now_us);
        fr_buf_drop(&h->in, h->in.n - whole.n);
    }
    if (err == FR_OK) err = take_frames(h, &in, now_us);
    if (err == FR_OK && in.n > 0) fr_buf_add_span(&h->in, in);
    return err != FR_OK ? err : fr_buf_err(&h->in);
}

struct fr_buf *fr_h2_load_out(struct fr_h2_load *h)
{
    return &h->out;
}

unsigned fr_h2_load_open(const struct fr_h2_load *h)
{
    return h->open;
}

bool fr_h2_load_is_over(const struct fr_h2_load *h)
{
    return h->is_over;
}
