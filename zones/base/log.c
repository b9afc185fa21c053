#include "base/log.h"

#include "base/buf.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum fr_err fr_log_init(struct fr_log *log, const struct fr_log_options *options)
{
    struct fr_log fresh = {.options = *options};
    enum fr_err err = fr_random(fresh.key.b, sizeof fresh.key.b);

    if (err) return err;
    if (fresh.options.clock == NULL) fresh.options.clock = fr_clock_system();
    *log = fresh;
    return FR_OK;
}

void fr_log_stderr_sink(void *data, enum fr_log_level level, const char *line, size_t n)
{
    struct iovec parts[2] = {{(void *)line, n}, {(void *)"\n", 1}};

    (void)data;
    (void)level;
    if (writev(STDERR_FILENO, parts, 2) < 0) return; /* nowhere to tell it */
}

bool fr_log_is_on(const struct fr_log *log, enum fr_log_level level)
{
    return log != NULL && log->options.sink != NULL && level <= log->options.level;
}

void fr_log_eui(const struct fr_log *log, uint64_t eui, char out[FR_EUI_SHOWN])
{
    char full[17];
    enum fr_log_ids ids = log != NULL ? log->options.identifiers : FR_IDS_SHORT;

    fr_hex_print_u64(eui, 16, full);
    switch (ids) {
    case FR_IDS_FULL: memcpy(out, full, sizeof full); break;
    /* the maker's part, and enough of the end to tell devices of one maker apart */
    case FR_IDS_SHORT: (void)snprintf(out, FR_EUI_SHOWN, "%.6s..%.4s", full, full + 12); break;
    case FR_IDS_HASH:
        out[0] = '#';
        fr_hex_print_u64(fr_siphash(&log->key, fr_span(full, 16)), 12, out + 1);
        break;
    }
}

static const char *level_word(enum fr_log_level level)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    return words[level];
}

/* The value as text. Numbers and switches go out bare, the others through the quoting of each
 * format. */
static struct fr_span value_text(const struct fr_log *log, const struct fr_field *f, char *scratch,
                                 size_t size)
{
    size_t n = 0;

    switch (f->type) {
    case FR_FIELD_STR: return fr_span_str(f->str);
    case FR_FIELD_SPAN: return f->span;
    case FR_FIELD_ERR: return fr_span_str(fr_err_text(f->err));
    case FR_FIELD_BOOL: return fr_span_str(f->b ? "true" : "false");
    case FR_FIELD_HEX:
        n = f->span.n < (size - 1) / 2 ? f->span.n : (size - 1) / 2;
        fr_hex_print(f->span.p, n, scratch);
        break;
    case FR_FIELD_UINT: (void)snprintf(scratch, size, "%" PRIu64, f->u); break;
    case FR_FIELD_INT: (void)snprintf(scratch, size, "%" PRId64, f->i); break;
    case FR_FIELD_EUI: fr_log_eui(log, f->u, scratch); break;
    case FR_FIELD_NETID: fr_hex_print_u64(f->u, 6, scratch); break;
    case FR_FIELD_DEVADDR: fr_hex_print_u64(f->u, 8, scratch); break;
    }
    return fr_span_str(scratch);
}

static bool is_bare(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

/* key=value; values with anything but plain characters are quoted, other bytes become \xNN: one
 * record stays one line. */
static void put_text(struct fr_buf *line, const char *key, struct fr_span value)
{
    bool is_plain = value.n > 0;

    for (size_t i = 0; i < value.n && is_plain; i++) is_plain = is_bare(value.p[i]);
    fr_buf_printf(line, " %s=", key);
    if (is_plain) {
        fr_buf_add_span(line, value);
        return;
    }
    fr_buf_add_char(line, '"');
    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = value.p[i];
        if (c == '"' || c == '\\') {
            fr_buf_printf(line, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            fr_buf_printf(line, "\\x%02x", c);
        } else {
            fr_buf_add_char(line, (char)c);
        }
    }
    fr_buf_add_char(line, '"');
}

static bool is_left_out(const struct fr_field *f)
{
    return f->type == FR_FIELD_STR && f->str == NULL;
}

static void put_record_text(const struct fr_log *log, struct fr_buf *line, const char *time,
                            enum fr_log_level level, const char *event,
                            const struct fr_field *fields, size_t n)
{
    char scratch[513];

    fr_buf_printf(line, "%s level=%s event=%s", time, level_word(level), event);
    for (size_t i = 0; i < n; i++) {
        if (is_left_out(&fields[i])) continue;
        put_text(line, fields[i].key, value_text(log, &fields[i], scratch, sizeof scratch));
    }
}

static void put_record_json(const struct fr_log *log, struct fr_buf *line, const char *time,
                            enum fr_log_level level, const char *event,
                            const struct fr_field *fields, size_t n)
{
    char scratch[513];
    struct fr_json j = fr_json(line);

    fr_json_object(&j);
    fr_json_put_str(&j, "time", time);
    fr_json_put_str(&j, "level", level_word(level));
    fr_json_put_str(&j, "event", event);
    for (size_t i = 0; i < n; i++) {
        const struct fr_field *f = &fields[i];
        if (is_left_out(f)) continue;
        fr_json_key(&j, f->key);
        if (f->type == FR_FIELD_UINT) {
            fr_json_uint(&j, f->u);
        } else if (f->type == FR_FIELD_INT) {
            fr_json_int(&j, f->i);
        } else if (f->type == FR_FIELD_BOOL) {
            fr_json_bool(&j, f->b);
        } else {
            fr_json_span(&j, value_text(log, f, scratch, sizeof scratch));
        }
    }
    fr_json_end(&j);
}

void fr_log_event(const struct fr_log *log, enum fr_log_level level, const char *event,
                  const struct fr_field *fields, size_t n)
{
    /* Every value fits when it is a name of ours; what a peer sent may be long, and then the
     * whole record is cut to the fields before it rather than losing the event. */
    struct fr_buf line = FR_BUF_INIT(FR_LOG_LINE);
    char time[FR_TIME_MS_TEXT];

    if (!fr_log_is_on(log, level)) return;
    fr_time_print_ms(fr_clock_real_ms(log->options.clock), time);
    do {
        fr_buf_reset(&line);
        if (log->options.format == FR_LOG_JSON) {
            put_record_json(log, &line, time, level, event, fields, n);
        } else {
            put_record_text(log, &line, time, level, event, fields, n);
        }
    } while (fr_buf_err(&line) == FR_E_LIMIT && n-- > 0);
    if (fr_buf_err(&line) == FR_OK) {
        log->options.sink(log->options.sink_data, level, fr_buf_str(&line), line.n);
    }
    fr_buf_deinit(&line);
}
