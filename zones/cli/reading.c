#include "zones_cli/reading.h"

#include "base/clock.h"
#include "names/eui.h"
#include "names/netid.h"

#include <stdarg.h>
#include <stdio.h>

enum fr_err fr_arg_netid(const char *text, struct fr_diag *diag, uint32_t *out)
{
    if (fr_netid_parse(fr_span_str(text), out) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_USAGE, "\"%s\" is not a NetID (6 hex digits)", text);
}

enum fr_err fr_arg_time(const char *text, struct fr_diag *diag, int64_t *out)
{
    if (fr_time_parse(fr_span_str(text), out) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_USAGE, "\"%s\" is not a time (2026-11-20T06:52:19Z)", text);
}

enum fr_err fr_arg_eui(const char *text, struct fr_diag *diag, uint64_t *out)
{
    if (fr_eui_parse(fr_span_str(text), out) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_USAGE, "\"%s\" is not an EUI (16 hex digits)", text);
}

void fr_cell_netid(struct fr_table *table, uint32_t netid)
{
    char text[FR_NETID_TEXT];

    fr_netid_print(netid, text);
    fr_table_text(table, text);
}

void fr_cell_eui(struct fr_table *table, uint64_t eui)
{
    char text[FR_EUI_TEXT];

    fr_eui_print(eui, text);
    fr_table_text(table, text);
}

void fr_cell_endpoints(struct fr_table *table, const struct fr_addr *endpoints, size_t n)
{
    char texts[FR_ENDPOINTS_MAX][FR_ADDR_TEXT];
    const char *items[FR_ENDPOINTS_MAX];

    for (size_t i = 0; i < n; i++) {
        fr_addr_print(&endpoints[i], texts[i]);
        items[i] = texts[i];
    }
    fr_table_texts(table, items, n);
}

enum fr_exit fr_print_change(const struct fr_cli *cli, const struct fr_admin_reply *reply,
                             const char *fmt, ...)
{
    va_list args;

    fr_session_note_dry_run(cli);
    if (fr_cli_output(cli) == FR_OUTPUT_JSON) return fr_session_print_json(cli, reply);
    va_start(args, fmt);
    int n = vfprintf(fr_cli_out(cli), fmt, args);
    va_end(args);
    return n < 0 ? FR_EXIT_IO : FR_EXIT_OK;
}
