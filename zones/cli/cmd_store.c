/* fedroam store info, upgrade */
#include "zones_cli/cmds.h"

#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>

static const struct fr_column columns[] = {
    {.key = "federation"},   {.key = "url"},      {.key = "directory"},
    {.key = "schema"},       {.key = "sequence"}, {.key = "devices"},
    {.key = "networks"},     {.key = "members"},  {.key = "joineuis"},
    {.key = "certificates"}, {.key = "journal"},  {.key = "bytes_used"},
    {.key = "map_size"},     {.key = "readers"},  {0}};

static void fill(struct fr_table *table, const char *dir, const struct fr_store_info *info)
{
    fr_table_text(table, info->federation);
    fr_table_text(table, info->url[0] != '\0' ? info->url : NULL);
    fr_table_text(table, dir);
    fr_table_uint(table, info->schema);
    fr_table_uint(table, info->sequence);
    fr_table_uint(table, info->devices);
    fr_table_uint(table, info->networks);
    fr_table_uint(table, info->members);
    fr_table_uint(table, info->joineuis);
    fr_table_uint(table, info->certs);
    fr_table_uint(table, info->journal);
    fr_table_uint(table, info->used);
    fr_table_uint(table, info->map_size);
    fr_table_uint(table, info->readers);
}

enum fr_exit fr_cmd_store_info(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_store_info info;
    struct fr_diag diag = {0};

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_store_read_info(session.store, &info);
    if (err == FR_OK) err = fr_table_new(columns, &table);
    if (err) goto out;
    fill(table, session.dir, &info);
    err = fr_table_print_record(table, fr_cli_output(cli), fr_cli_out(cli));
out:
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* Works on the files themselves, as their owner: no broker of this release can have them open, and one of the older release
 * would be refused by the schema the next time it opens them. */
static enum fr_err upgrade(struct fr_cli *cli, struct fr_diag *diag, uint32_t *from)
{
    char dir[FR_STATE_DIR_MAX];
    struct fr_admin_identity identity = {0};
    struct fr_store_options options = {.dir = dir};

    enum fr_err err = fr_session_find(cli, diag, dir);
    if (err == FR_OK) err = fr_admin_identity_enter(dir, diag, &identity);
    if (err) return err;
    err = fr_store_upgrade(&options, diag, from);
    fr_admin_identity_leave(&identity);
    return err;
}

enum fr_exit fr_cmd_store_upgrade(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    uint32_t from = 0;

    enum fr_err err = upgrade(cli, &diag, &from);
    if (err) return fr_cli_fail(cli, err, &diag);
    FILE *out = fr_cli_out(cli);
    int n = 0;
    if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        n = fprintf(out, "{\"from\":%" PRIu32 ",\"to\":%d}\n", from, FR_STORE_SCHEMA);
    else if (from == FR_STORE_SCHEMA)
        n = fprintf(out, "schema %d already\n", FR_STORE_SCHEMA);
    else
        n = fprintf(out, "schema %" PRIu32 " is now %d\n", from, FR_STORE_SCHEMA);
    return n < 0 ? FR_EXIT_IO : FR_EXIT_OK;
}

/* Works on the files themselves, as their owner, like an upgrade. */
static enum fr_err compact(struct fr_cli *cli, struct fr_diag *diag, uint64_t *before,
                           uint64_t *after)
{
    char dir[FR_STATE_DIR_MAX];
    struct fr_admin_identity identity = {0};

    enum fr_err err = fr_session_find(cli, diag, dir);
    if (err == FR_OK) err = fr_admin_identity_enter(dir, diag, &identity);
    if (err) return err;
    err = fr_store_compact(dir, diag, before, after);
    fr_admin_identity_leave(&identity);
    return err;
}

enum fr_exit fr_cmd_store_compact(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    uint64_t before = 0, after = 0;

    enum fr_err err = compact(cli, &diag, &before, &after);
    if (err) return fr_cli_fail(cli, err, &diag);
    FILE *out = fr_cli_out(cli);
    int n = fr_cli_output(cli) == FR_OUTPUT_JSON
                ? fprintf(out, "{\"before\":%" PRIu64 ",\"after\":%" PRIu64 "}\n", before, after)
                : fprintf(out, "%" PRIu64 " bytes are now %" PRIu64 "\n", before, after);
    return n < 0 ? FR_EXIT_IO : FR_EXIT_OK;
}
