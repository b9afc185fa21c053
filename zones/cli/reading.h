#pragma once
/* What the commands of this folder share in reading arguments and writing results. */
#include "base/table.h"
#include "store/network.h"
#include "zones_cli/cmds.h"

/* Arguments that are numbers in hex; FR_E_USAGE with a diag that says what was expected. */
enum fr_err fr_arg_netid(const char *text, struct fr_diag *diag, uint32_t *out);
/* "2026-11-20" or "2026-11-20T06:52:19Z". */
enum fr_err fr_arg_time(const char *text, struct fr_diag *diag, int64_t *out);
enum fr_err fr_arg_eui(const char *text, struct fr_diag *diag, uint64_t *out);

/* Cells of a table. */
void fr_cell_netid(struct fr_table *table, uint32_t netid);
void fr_cell_eui(struct fr_table *table, uint64_t eui);
void fr_cell_endpoints(struct fr_table *table, const struct fr_addr *endpoints, size_t n);

/* Prints a change's reply: JSON as it is, text by the format given. */
enum fr_exit fr_print_change(const struct fr_cli *cli, const struct fr_admin_reply *reply,
                             const char *fmt, ...) __attribute__((format(printf, 3, 4)));
