#include "transport/h2_repeat.h"

#include <string.h>

#include "base/wire.h"

#define PATH_INDEX                                                                                 \
    4 /* ":path", RFC 7541 appendix A; 5 has the same name, and is never used for a literal */
#define HUFFMAN 0x80

/* An integer, RFC 7541 §5.1. More than anything here may be long is an error. */
static size_t read_number(struct fr_rd *r, uint8_t first, uint8_t mask)
{
    size_t v = first & mask, more;
    unsigned shift = 0;

    if (v < mask) return v;
    do {
        more = fr_rd_u8(r);
        if (shift > 14) fr_rd_fail(r, FR_E_LIMIT);
        if (fr_rd_err(r)) return 0;
        v += (more & 0x7f) << shift;
        shift += 7;
    } while (more & 0x80);
    return v;
}

static void skip_text(struct fr_rd *r)
{
    uint8_t first = fr_rd_u8(r);

    fr_rd_skip(r, read_number(r, first, 0x7f));
}

struct fr_h2_block fr_h2_block_scan(struct fr_span block)
{
    struct fr_h2_block found = {0};
    struct fr_rd r = fr_rd(block);

    while (fr_rd_left(&r) > 0) {
        uint8_t first = fr_rd_u8(&r);

        if (first & 0x80) { /* indexed */
            (void)read_number(&r, first, 0x7f);
            continue;
        }
        if (first & 0x60) return found; /* to be indexed, or the table's size */
        size_t name = read_number(&r, first, 0x0f);
        if (name == 0) skip_text(&r);
        size_t at = r.at;
        skip_text(&r);
        if (name != PATH_INDEX) continue;
        found.has_path = true;
        found.before = at;
        found.end = r.at;
    }
    found.is_lasting = block.n > 0 && !fr_rd_err(&r);
    return found;
}

/* Where in the kept text the mark stands, when the `without` is cut out of it. */
static struct fr_head_mark shifted(struct fr_head_mark mark, struct fr_head_mark without)
{
    if (mark.at >= without.at + without.n) mark.at -= without.n;
    return mark;
}

static struct fr_head_mark mark_of(const struct fr_exchange *x, struct fr_span span)
{
    if (span.n == 0) return (struct fr_head_mark){0};
    return (struct fr_head_mark){(uint32_t)(span.p - x->head.text.p), (uint32_t)span.n};
}

void fr_h2_repeat_keep(struct fr_h2_repeat *r, struct fr_span block,
                       const struct fr_h2_fields *fields, const struct fr_exchange *x)
{
    const struct fr_h2_block scan = fr_h2_block_scan(block);
    const struct fr_head *head = &x->head;
    struct fr_head_mark cut = scan.has_path ? x->path : (struct fr_head_mark){0};
    size_t before = scan.has_path ? scan.before : block.n;
    size_t behind = scan.has_path ? block.n - scan.end : 0;

    r->is_kept = false;
    if (!scan.is_lasting || before + behind > sizeof r->block || head->n > FR_H2_REPEAT_FIELDS ||
        head->text.n - cut.n > sizeof r->text)
        return;
    r->is_kept = true;
    r->has_path = scan.has_path;
    r->before = (uint16_t)before;
    r->behind = (uint16_t)behind;
    memcpy(r->block, block.p, before);
    memcpy(r->block + before, block.p + block.n - behind, behind);
    r->text_n = (uint16_t)(head->text.n - cut.n);
    memcpy(r->text, head->text.p, cut.at);
    memcpy(r->text + cut.at, head->text.p + cut.at + cut.n, r->text_n - cut.at);
    r->fields = *fields;
    r->method = shifted(x->method, cut);
    r->path = scan.has_path ? (struct fr_head_mark){0} : x->path;
    r->authority = shifted(mark_of(x, x->pub.authority), cut);
    r->n = (uint16_t)head->n;
    r->octets_n = r->path_n = 0;
    if (scan.has_path && scan.end - scan.before <= sizeof r->octets &&
        cut.n <= sizeof r->path_text) {
        r->octets_n = (uint16_t)(scan.end - scan.before);
        r->path_n = (uint16_t)cut.n;
        memcpy(r->octets, block.p + scan.before, r->octets_n);
        memcpy(r->path_text, head->text.p + cut.at, cut.n);
    }
    for (size_t i = 0; i < head->n; i++) {
        r->names[i] = shifted(head->names[i], cut);
        r->values[i] = shifted(head->values[i], cut);
    }
}

/* The octets of the block's own path; false: it is another list. */
static bool find_path(const struct fr_h2_repeat *r, struct fr_span block, struct fr_span *path)
{
    size_t around = (size_t)r->before + r->behind;

    if (!r->is_kept || block.n < around || (!r->has_path && block.n != around)) return false;
    *path = fr_span(block.p + r->before, block.n - around);
    return memcmp(block.p, r->block, r->before) == 0 &&
           memcmp(path->p + path->n, r->block + r->before, r->behind) == 0;
}

/* One string, and nothing behind it: else the block was not cut where we think. */
static enum fr_err read_path(const struct fr_h2_repeat *kept, struct fr_span octets,
                             const struct fr_h2_huffman *huffman, struct fr_buf *out)
{
    struct fr_rd r = fr_rd(octets);
    uint8_t first = fr_rd_u8(&r);
    struct fr_span text = fr_rd_span(&r, read_number(&r, first, 0x7f));

    if (fr_rd_end(&r) != FR_OK) return fr_rd_end(&r);
    if (fr_span_equal(octets, fr_span(kept->octets, kept->octets_n))) {
        fr_buf_add(out, kept->path_text, kept->path_n);
        return fr_buf_err(out);
    }
    if (first & HUFFMAN) return fr_h2_huffman_read(huffman, text, out);
    fr_buf_add_span(out, text);
    return fr_buf_err(out);
}

static bool is_target(struct fr_span target, const struct fr_http_server_conf *conf)
{
    return fr_h1_is_target(target) && target.n <= conf->target_bytes && target.p[0] == '/';
}

static bool take(const struct fr_h2_repeat *r, struct fr_span octets,
                 const struct fr_h2_huffman *huffman, const struct fr_http_server_conf *conf,
                 struct fr_exchange *x)
{
    struct fr_head *head = &x->head;

    fr_buf_add(&head->text, r->text, r->text_n);
    x->path = r->path;
    if (r->has_path) {
        x->path.at = (uint32_t)head->text.n;
        if (read_path(r, octets, huffman, &head->text) != FR_OK) return false;
        x->path.n = (uint32_t)head->text.n - x->path.at;
    }
    if (fr_buf_err(&head->text)) return false;
    head->n = r->n;
    memcpy(head->names, r->names, r->n * sizeof *r->names);
    memcpy(head->values, r->values, r->n * sizeof *r->values);
    fr_head_seal(head);
    const struct fr_span target = fr_head_span(head, x->path);
    if (!is_target(target, conf)) return false;
    x->method = r->method;
    x->authority = r->authority;
    x->pub.method = fr_head_span(head, r->method);
    x->pub.authority = fr_head_span(head, r->authority);
    x->is_head = fr_span_is(x->pub.method, "HEAD");
    fr_h1_split_target(target, &x->pub.path, &x->pub.query, &x->pub.has_query);
    return true;
}

bool fr_h2_repeat_take(const struct fr_h2_repeat *r, struct fr_span block,
                       const struct fr_h2_huffman *huffman, const struct fr_http_server_conf *conf,
                       struct fr_exchange *x)
{
    struct fr_span octets;

    if (!find_path(r, block, &octets)) return false;
    if (take(r, octets, huffman, conf, x)) return true;
    fr_head_reset(&x->head, x->head.text.max);
    x->path = (struct fr_head_mark){0};
    return false;
}
