/* fedroam device list --broker: a member's own devices, as the broker's API lists them */
#include "zones_cli/cmds.h"

#include "session/remote.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>

#define PAGE 1000

struct listing {
    struct fr_cli *cli;
    FILE *out;
    bool is_json;
    uint64_t printed, limit;
};

static enum fr_err print_row(struct listing *l, const struct fr_admin_reply *reply, size_t i)
{
    char path[64];
    (void)snprintf(path, sizeof path, "devices.%zu.deveui", i);
    const char *eui = fr_admin_reply_text(reply, path);
    (void)snprintf(path, sizeof path, "devices.%zu.netid", i);
    const char *netid = fr_admin_reply_text(reply, path);
    (void)snprintf(path, sizeof path, "devices.%zu.hidden", i);
    const bool is_hidden = fr_admin_reply_bool(reply, path);
    if (!eui || !netid) return FR_E_MALFORMED;
    const int done =
        l->is_json
            ? fprintf(l->out, "%s{\"deveui\":\"%s\",\"netid\":\"%s\"%s}", l->printed ? ",\n" : "",
                      eui, netid, is_hidden ? ",\"hidden\":true" : "")
            : fprintf(l->out, "%s  %s%s\n", eui, netid, is_hidden ? "  hidden" : "");
    l->printed++;
    return done < 0 ? FR_E_IO : FR_OK;
}

/* The API goes on behind an EUI; --from names the first one. */
static void first_target(const char *netid, uint64_t from, char *out, size_t size)
{
    int n = snprintf(out, size, FR_PUBLISH_API "/devices?limit=%d", PAGE);
    if (netid) n += snprintf(out + n, size - (size_t)n, "&netid=%s", netid);
    if (from > 0) (void)snprintf(out + n, size - (size_t)n, "&after=%016" PRIx64, from - 1);
}

static enum fr_err list_pages(struct listing *l, const char *netid, uint64_t from,
                              struct fr_diag *diag)
{
    struct fr_publisher *publisher = NULL;
    char target[160];
    bool is_last = false;
    first_target(netid, from, target, sizeof target);
    enum fr_err err = fr_remote_open(l->cli, diag, &publisher);
    while (!err && !is_last) {
        struct fr_admin_reply *reply = NULL;
        err = fr_remote_get(publisher, target, diag, &reply);
        if (err) break;
        const size_t n = fr_admin_reply_count(reply, "devices");
        for (size_t i = 0; !err && i < n && l->printed < l->limit; i++)
            err = print_row(l, reply, i);
        const char *next = fr_admin_reply_text(reply, "next");
        is_last = !next || l->printed == l->limit;
        if (next)
            (void)snprintf(target, sizeof target, FR_PUBLISH_API "/devices?limit=%d%s%s&after=%s",
                           PAGE, netid ? "&netid=" : "", netid ? netid : "", next);
        fr_admin_reply_free(reply);
    }
    fr_publisher_close(publisher);
    return err;
}

enum fr_exit fr_list_remote_devices(struct fr_cli *cli, uint32_t netid, uint64_t from,
                                    uint64_t limit)
{
    struct fr_diag diag = {0};
    char text[16];
    struct listing l = {
        .cli = cli,
        .out = fr_cli_out(cli),
        .is_json = fr_cli_output(cli) == FR_OUTPUT_JSON,
        .limit = limit ? limit : UINT64_MAX,
    };
    (void)snprintf(text, sizeof text, "%06x", (unsigned)netid);
    if (l.is_json) fputc('[', l.out);
    enum fr_err err = list_pages(&l, netid ? text : NULL, from, &diag);
    if (l.is_json) fputs("]\n", l.out);
    if (!err && fflush(l.out) != 0) err = FR_E_IO;
    return fr_cli_fail(cli, err, &diag);
}
