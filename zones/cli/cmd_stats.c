/* fedroam stats roaming */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "store/lookups.h"
#include "zones_cli/reading.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static const struct fr_column columns[] = {{.key = "day"},
                                           {.key = "visited"},
                                           {.key = "home"},
                                           {.key = "netid"},
                                           {.key = "lookups", .is_right = true},
                                           {0}};

/* "2026-11" → its first and last day since 1970. */
static enum fr_err read_month(const char *text, struct fr_diag *diag, uint32_t *first,
                              uint32_t *last)
{
    char date[16];
    int64_t start_s = 0, end_s = 0;
    int year = 0, month = 0;

    if (strlen(text) == 7) {
        (void)snprintf(date, sizeof date, "%s-01", text);
        if (fr_time_parse(fr_span_str(date), &start_s) == FR_OK) {
            year = (date[0] - '0') * 1000 + (date[1] - '0') * 100 + (date[2] - '0') * 10 +
                   (date[3] - '0');
            month = (date[5] - '0') * 10 + (date[6] - '0');
        }
    }
    if (month == 0) return fr_diag_fail(diag, FR_E_USAGE, "--month %s is not YYYY-MM", text);
    (void)snprintf(date, sizeof date, "%04d-%02d-01", (year + month / 12) % 10000, month % 12 + 1);
    enum fr_err err = fr_time_parse(fr_span_str(date), &end_s);
    if (err) return fr_diag_fail(diag, FR_E_USAGE, "--month %s is too far away", text);
    *first = (uint32_t)(start_s / DAY_S);
    *last = (uint32_t)(end_s / DAY_S) - 1;
    return FR_OK;
}

struct listing {
    struct fr_snap *snap;
    struct fr_table *table;
};

static enum fr_err add_row(void *data, const struct fr_lookup_row *row)
{
    const struct listing *l = data;
    struct fr_network_row network;
    char day[FR_TIME_TEXT];

    enum fr_err err = fr_network_get(l->snap, row->netid, &network);
    if (err && err != FR_E_NOT_FOUND) return err;
    fr_time_print((int64_t)row->day * DAY_S, day);
    fr_table_textf(l->table, "%.10s", day);
    fr_table_text(l->table, row->visited);
    if (err == FR_OK)
        fr_table_text(l->table, network.member);
    else
        fr_table_none(l->table); /* it has left since */
    fr_cell_netid(l->table, row->netid);
    fr_table_uint(l->table, row->count);
    return FR_OK;
}

enum fr_exit fr_cmd_stats_roaming(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct listing l = {0};
    struct fr_diag diag = {0};
    uint32_t first = 0, last = 0;

    enum fr_err err = read_month(fr_cli_opt(cli, "month"), &diag, &first, &last);
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(columns, &l.table);
    l.snap = session.snap;
    if (err == FR_OK) err = fr_lookups_each(session.snap, first, last, add_row, &l);
    fr_session_close(&session);
    if (err == FR_OK) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    return fr_cli_fail(cli, err, &diag);
}
