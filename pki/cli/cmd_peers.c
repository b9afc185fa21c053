/* fedroam peers list: the networks of a federation, as a member may see them. */
#include "pki_cli/cmds.h"

#include "base/table.h"
#include "pki_cli/remote.h"
#include "store/limits.h"

#include <stdio.h>

enum { PAGE = 500 };

static const struct fr_column COLUMNS[] = {
    {.key = "netid"},
    {.key = "member"},
    {.key = "org"},
    {.key = "noc"},
    {.key = "endpoints"},
    {.key = "since"},
    {0},
};

static const char *text_at(const struct fr_admin_reply *reply, size_t i, const char *key)
{
    char path[64];

    (void)snprintf(path, sizeof path, "networks.%zu.%s", i, key);
    return fr_admin_reply_text(reply, path);
}

static void put_endpoints(struct fr_table *table, const struct fr_admin_reply *reply, size_t i)
{
    const char *list[FR_ENDPOINTS_MAX];
    char path[64];
    size_t n = 0;

    while (n < FR_ENDPOINTS_MAX) {
        (void)snprintf(path, sizeof path, "networks.%zu.endpoints.%zu", i, n);
        list[n] = fr_admin_reply_text(reply, path);
        if (!list[n]) break;
        n++;
    }
    fr_table_texts(table, list, n);
}

static enum fr_err list_pages(const struct fr_cli *cli, struct fr_table *table,
                              struct fr_diag *diag)
{
    struct fr_publisher *publisher = NULL;
    char target[96];
    bool is_last = false;
    enum fr_err err = fr_remote_open(cli, diag, &publisher);

    (void)snprintf(target, sizeof target, FR_PUBLISH_API "/networks?limit=%d", PAGE);
    while (!err && !is_last) {
        struct fr_admin_reply *reply = NULL;
        err = fr_remote_get(publisher, target, diag, &reply);
        if (err) break;
        const size_t n = fr_admin_reply_count(reply, "networks");
        for (size_t i = 0; i < n; i++) {
            fr_table_text(table, text_at(reply, i, "netid"));
            fr_table_text(table, text_at(reply, i, "member"));
            fr_table_text(table, text_at(reply, i, "org"));
            fr_table_text(table, text_at(reply, i, "noc"));
            put_endpoints(table, reply, i);
            fr_table_text(table, text_at(reply, i, "since"));
        }
        const char *next = fr_admin_reply_text(reply, "next");
        is_last = !next || n == 0;
        if (next)
            (void)snprintf(target, sizeof target, FR_PUBLISH_API "/networks?limit=%d&after=%.6s",
                           PAGE, next);
        fr_admin_reply_free(reply);
    }
    fr_publisher_close(publisher);
    return err;
}

enum fr_exit fr_cmd_peers_list(struct fr_cli *cli)
{
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};

    if (!fr_remote_is_meant(cli)) return fr_cli_usage(cli, "give --broker URL");
    enum fr_err err = fr_table_new(COLUMNS, &table);
    if (!err) err = list_pages(cli, table, &diag);
    if (!err) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    return fr_cli_fail(cli, err, &diag);
}
