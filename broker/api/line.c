#include "api/line.h"

#include "names/eui.h"
#include "names/netid.h"

static void skip_blanks(struct fr_span *s)
{
    while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t' || s->p[0] == '\r'))
        *s = fr_span(s->p + 1, s->n - 1);
}

static bool take(struct fr_span *s, char c)
{
    skip_blanks(s);
    if (s->n == 0 || s->p[0] != (uint8_t)c) return false;
    *s = fr_span(s->p + 1, s->n - 1);
    return true;
}

/* A text without escapes. */
static bool take_text(struct fr_span *s, struct fr_span *out)
{
    size_t n = 0;
    if (!take(s, '"')) return false;
    while (n < s->n && s->p[n] != '"') {
        if (s->p[n] == '\\' || s->p[n] < 0x20) return false;
        n++;
    }
    if (n == s->n) return false;
    *out = fr_span(s->p, n);
    *s = fr_span(s->p + n + 1, s->n - n - 1);
    return true;
}

/* The letter of admin/batch.h; 0: there is none. */
static char op_of(struct fr_span word)
{
    return fr_span_is(word, "put")       ? 'p'
           : fr_span_is(word, "delete")  ? 'd'
           : fr_span_is(word, "claim")   ? 'c'
           : fr_span_is(word, "release") ? 'r'
                                         : 0;
}

struct members {
    bool has_op, has_eui, has_netid;
};

static bool note(struct members *seen, struct fr_span key, struct fr_span value,
                 struct fr_api_line *line)
{
    bool *has = fr_span_is(key, "op")      ? &seen->has_op
                : fr_span_is(key, "eui")   ? &seen->has_eui
                : fr_span_is(key, "netid") ? &seen->has_netid
                                           : NULL;
    if (!has || *has) return false;
    *has = true;
    if (has == &seen->has_eui) return fr_eui_parse(value, &line->eui) == FR_OK;
    if (has == &seen->has_netid) return fr_netid_parse(value, &line->netid) == FR_OK;
    line->op = op_of(value);
    return line->op != 0;
}

enum fr_err fr_api_line_read(struct fr_span text, struct fr_api_line *out)
{
    struct fr_api_line line = {0};
    struct members seen = {0};
    if (!take(&text, '{')) return FR_E_MALFORMED;
    do {
        struct fr_span key, value;
        if (!take_text(&text, &key) || !take(&text, ':') || !take_text(&text, &value) ||
            !note(&seen, key, value, &line))
            return FR_E_MALFORMED;
    } while (take(&text, ','));
    if (!take(&text, '}')) return FR_E_MALFORMED;
    skip_blanks(&text);
    if (text.n > 0 || !seen.has_op || !seen.has_eui || (line.op != 'd' && !seen.has_netid))
        return FR_E_MALFORMED;
    *out = line;
    return FR_OK;
}
