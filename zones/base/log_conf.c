#include "base/log_conf.h"

static const struct fr_conf_word levels[] = {{"error", FR_LOG_ERROR},
                                             {"warn", FR_LOG_WARN},
                                             {"info", FR_LOG_INFO},
                                             {"debug", FR_LOG_DEBUG},
                                             {NULL, 0}};
static const struct fr_conf_word formats[] = {
    {"text", FR_LOG_TEXT}, {"json", FR_LOG_JSON}, {NULL, 0}};
static const struct fr_conf_word identifiers[] = {
    {"short", FR_IDS_SHORT}, {"full", FR_IDS_FULL}, {"hash", FR_IDS_HASH}, {NULL, 0}};

const struct fr_conf_row fr_log_rows[] = {
    {.key = "level",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_log_options, level),
     .def = "info",
     .words = levels,
     .help = "Least important records that are written."},
    {.key = "format",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_log_options, format),
     .def = "text",
     .words = formats,
     .help = "key=value text or JSON."},
    {.key = "identifiers",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_log_options, identifiers),
     .def = "short",
     .words = identifiers,
     .help = "How device identifiers are shown."},
    {.key = NULL},
};
