#pragma once
/* Log records: an event name and typed key=value pairs, to a sink the program chose.
 *
 * Model: FR_LOG(log, FR_LOG_WARN, "query.refused", FR_STR("peer", peer), FR_UINT("status",
 * 403)). Event names and keys are literals of the program; values are data and are escaped.
 * Device identifiers go through FR_EUI, which prints them in full, shortened or hashed as the
 * operator chose. A NULL log is silent.
 * Threads: fr_log_event may be called from any thread when the sink may; the struct is not
 * changed after fr_log_init.
 * Units and limits: a line has at most FR_LOG_LINE bytes; the last fields are left out where it
 * would be longer. Trust: values may be a peer's bytes. */

#include "base/clock.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/span.h"

#define FR_LOG_LINE 2048

enum fr_log_level { FR_LOG_ERROR, FR_LOG_WARN, FR_LOG_INFO, FR_LOG_DEBUG };
enum fr_log_format { FR_LOG_TEXT, FR_LOG_JSON };
enum fr_log_ids { FR_IDS_SHORT, FR_IDS_FULL, FR_IDS_HASH };

/* Takes one whole line without line end. */
typedef void fr_log_sink(void *data, enum fr_log_level level, const char *line, size_t n);

struct fr_log_options {
    enum fr_log_level level; /* records above it are dropped */
    enum fr_log_format format;
    enum fr_log_ids identifiers;
    fr_log_sink *sink;
    void *sink_data;
    const struct fr_clock *clock; /* NULL = the system's */
};

struct fr_log {
    struct fr_log_options options;
    struct fr_siphash_key key; /* pseudonyms are stable within one run, not beyond */
};

/* Copies the options. FR_E_IO when no random key can be had. */
enum fr_err fr_log_init(struct fr_log *log, const struct fr_log_options *options);

/* Writes each line to standard error; `data` is unused. One write per line, so lines of threads
 * do not mix. */
void fr_log_stderr_sink(void *data, enum fr_log_level level, const char *line, size_t n);

enum fr_field_type {
    FR_FIELD_STR,
    FR_FIELD_SPAN,
    FR_FIELD_HEX,
    FR_FIELD_UINT,
    FR_FIELD_INT,
    FR_FIELD_BOOL,
    FR_FIELD_EUI,
    FR_FIELD_NETID,
    FR_FIELD_DEVADDR,
    FR_FIELD_ERR,
};

struct fr_field {
    const char *key;
    enum fr_field_type type;
    union {
        const char *str;
        struct fr_span span;
        uint64_t u;
        int64_t i;
        bool b;
        enum fr_err err;
    };
};

/* NULL: field left out */
#define FR_STR(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_STR, .str = (v)})
#define FR_SPAN(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_SPAN, .span = (v)})
#define FR_HEX(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_HEX, .span = (v)})
#define FR_UINT(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_UINT, .u = (uint64_t)(v)})
#define FR_INT(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_INT, .i = (int64_t)(v)})
#define FR_BOOL(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_BOOL, .b = (v)})
#define FR_EUI(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_EUI, .u = (v)})
#define FR_NETID(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_NETID, .u = (v)})
#define FR_DEVADDR(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_DEVADDR, .u = (v)})
#define FR_ERR(k, v) ((struct fr_field){.key = (k), .type = FR_FIELD_ERR, .err = (v)})

bool fr_log_is_on(const struct fr_log *log, enum fr_log_level level);
void fr_log_event(const struct fr_log *log, enum fr_log_level level, const char *event,
                  const struct fr_field *fields, size_t n);

/* The first, empty element lets the list of fields be empty. */
#define FR_LOG(log, level, event, ...)                                                             \
    fr_log_event((log), (level), (event), (const struct fr_field[]){{0}, ##__VA_ARGS__} + 1,       \
                 sizeof((const struct fr_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct fr_field) - \
                     1)

/* An identifier as the log would print it, for other places that show one (metrics labels,
 * traces). */
#define FR_EUI_SHOWN 20
void fr_log_eui(const struct fr_log *log, uint64_t eui, char out[FR_EUI_SHOWN]);
