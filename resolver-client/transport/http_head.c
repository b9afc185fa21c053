#include "transport/http_head.h"

#define KEEP_BYTES 4096 /* a head's text above this is not kept for the next message */

void fr_head_init(struct fr_head *h, size_t max)
{
    h->n = 0;
    fr_buf_init(&h->text, max);
}

void fr_head_deinit(struct fr_head *h)
{
    fr_buf_deinit(&h->text);
}

void fr_head_reset(struct fr_head *h, size_t max)
{
    h->n = 0;
    if (h->text.cap > KEEP_BYTES)
        fr_buf_deinit(&h->text);
    else
        fr_buf_reset(&h->text);
    h->text.max = max;
}

enum fr_err fr_head_text(struct fr_head *h, struct fr_span text, struct fr_head_mark *out)
{
    struct fr_head_mark mark = {.at = (uint32_t)h->text.n, .n = (uint32_t)text.n};

    fr_buf_add_span(&h->text, text);
    if (fr_buf_err(&h->text)) return fr_buf_err(&h->text);
    *out = mark;
    return FR_OK;
}

static void lower(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (uint8_t)(p[i] + ('a' - 'A'));
}

enum fr_err fr_head_add(struct fr_head *h, struct fr_span name, struct fr_span value)
{
    struct fr_head_mark name_mark, value_mark;

    if (h->n == FR_HEAD_FIELDS) return FR_E_LIMIT;

    enum fr_err err = fr_head_text(h, name, &name_mark);
    if (err) return err;
    err = fr_head_text(h, value, &value_mark);
    if (err) return err;
    if (name_mark.n > 0) lower(h->text.p + name_mark.at, name_mark.n);
    h->names[h->n] = name_mark;
    h->values[h->n] = value_mark;
    h->n++;
    return FR_OK;
}

struct fr_span fr_head_span(const struct fr_head *h, struct fr_head_mark mark)
{
    return (struct fr_span){h->text.p ? h->text.p + mark.at : NULL, mark.n};
}

void fr_head_seal(struct fr_head *h)
{
    for (size_t i = 0; i < h->n; i++)
        h->fields[i] =
            (struct fr_http_field){fr_head_span(h, h->names[i]), fr_head_span(h, h->values[i])};
}
