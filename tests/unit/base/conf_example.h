#pragma once
/* A schema with one row of every type, for the tests of base/conf.h. */

#include "base/conf.h"
#include "base/mem.h"

enum colour { RED = 3, GREEN = 5 };

struct door {
    struct fr_ip address;
    uint16_t port;
    enum colour colour;
    uint32_t line;
};

struct server {
    char *url;
    char **addresses;
    size_t n_addresses;
};

struct example {
    bool is_on;
    uint32_t workers;
    uint64_t cache;
    uint64_t patience_ms;
    char *name;
    char *file;
    uint16_t pin;
    struct fr_addr peer;
    char **words;
    size_t n_words;
    char *custom;
    struct door front;
    struct door *doors;
    size_t n_doors;
    struct server *servers;
    size_t n_servers;
};

/* Accepts texts that start with an x. */
static inline enum fr_err example_parse(struct fr_span text, void *member, struct fr_diag *diag)
{
    if (!fr_span_starts(text, "x"))
        return fr_diag_fail(diag, FR_E_MALFORMED, "custom: must start with x");
    char *copy = fr_strndup((const char *)text.p, text.n);
    if (copy == NULL) return FR_E_NOMEM;
    *(char **)member = copy;
    return FR_OK;
}

static inline void example_release(void *member)
{
    fr_free(*(char **)member);
}

static const struct fr_conf_word colours[] = {{"red", RED}, {"green", GREEN}, {0}};

static const struct fr_conf_row door_rows[] = {
    {.key = "address",
     .type = FR_T_IP,
     FR_CONF_AT(struct door, address),
     .def = "::",
     .help = "Where it is."},
    {.key = "port",
     .type = FR_T_UINT,
     FR_CONF_AT(struct door, port),
     .min = 1,
     .flags = FR_CONF_REQUIRED,
     .help = "Its port."},
    {.key = "colour",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct door, colour),
     .def = "green",
     .words = colours,
     .help = "Its colour."},
    {0},
};

static const struct fr_conf_row server_rows[] = {
    {.key = "url",
     .type = FR_T_STRING,
     FR_CONF_AT(struct server, url),
     .flags = FR_CONF_REQUIRED,
     .help = "Where it is."},
    {.key = "addresses",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct server, addresses, n_addresses),
     .max = 2,
     .help = "Its addresses."},
    {0},
};

static const struct fr_conf_row example_rows[] = {
    {.key = "on",
     .type = FR_T_BOOL,
     FR_CONF_AT(struct example, is_on),
     .def = "yes",
     .help = "A switch."},
    {.key = "workers",
     .type = FR_T_UINT,
     FR_CONF_AT(struct example, workers),
     .def = "2",
     .min = 1,
     .max = 64,
     .help = "Threads."},
    {.key = "cache",
     .type = FR_T_SIZE,
     FR_CONF_AT(struct example, cache),
     .def = "64MiB",
     .min = 1024,
     .help = "Memory."},
    {.key = "patience",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct example, patience_ms),
     .def = "2s",
     .max = 60000,
     .help = "Time."},
    {.key = "name",
     .type = FR_T_STRING,
     FR_CONF_AT(struct example, name),
     .max = 8,
     .help = "A name."},
    {.key = "file", .type = FR_T_PATH, FR_CONF_AT(struct example, file), .help = "A file."},
    {.key = "pin",
     .type = FR_T_UINT,
     FR_CONF_AT(struct example, pin),
     .flags = FR_CONF_SECRET,
     .help = "A PIN."},
    {.key = "peer",
     .type = FR_T_ADDR,
     FR_CONF_AT(struct example, peer),
     .min = 8005,
     .help = "A peer."},
    {.key = "words",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct example, words, n_words),
     .max = 3,
     .help = "Words."},
    {.key = "custom",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct example, custom),
     .parse = example_parse,
     .release = example_release,
     .help = "Anything with x."},
    {.key = "front",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct example, front),
     .rows = door_rows,
     .help = "The front door."},
    {.key = "doors",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct example, doors, n_doors),
     .flags = FR_CONF_LINE,
     .line_at = offsetof(struct door, line),
     .rows = door_rows,
     .max = 4,
     .help = "Other doors."},
    {.key = "servers",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct example, servers, n_servers),
     .rows = server_rows,
     .flags = FR_CONF_SHORT,
     .help = "Servers."},
    {0},
};

static const struct fr_conf_schema example_schema = {
    .title = "example.yaml", .size = sizeof(struct example), .rows = example_rows};
