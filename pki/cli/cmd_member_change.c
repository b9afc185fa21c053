/* fedroam member add, set, suspend, resume, remove */
#include "pki_cli/cmds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 65536, PATH_MAX_TEXT = 96 };

/* "networks.<i>.<key>" of a reply, and "networks.<i>.<key>.<item>". */
static const char *network_text(const struct fr_admin_reply *reply, size_t i, const char *key)
{
    char path[PATH_MAX_TEXT];

    (void)snprintf(path, sizeof path, "networks.%zu.%s", i, key);
    return fr_admin_reply_text(reply, path);
}

static size_t network_count(const struct fr_admin_reply *reply, size_t i, const char *key)
{
    char path[PATH_MAX_TEXT];

    (void)snprintf(path, sizeof path, "networks.%zu.%s", i, key);
    return fr_admin_reply_count(reply, path);
}

static const char *network_item(const struct fr_admin_reply *reply, size_t i, const char *key,
                                size_t item)
{
    char path[PATH_MAX_TEXT];

    (void)snprintf(path, sizeof path, "networks.%zu.%s.%zu", i, key, item);
    return fr_admin_reply_text(reply, path);
}

static void print_network(const struct fr_cli *cli, const struct fr_admin_reply *reply, size_t i)
{
    FILE *out = fr_cli_out(cli);
    char path[PATH_MAX_TEXT];

    (void)snprintf(path, sizeof path, "networks.%zu.devaddrs", i);
    fprintf(out, "NetID %s  DevAddr prefix %s, %" PRIu64 " addresses",
            network_text(reply, i, "netid"), network_text(reply, i, "devaddr_prefix"),
            fr_admin_reply_uint(reply, path, 0));
    for (size_t e = 0, n = network_count(reply, i, "endpoints"); e < n; e++)
        fprintf(out, "  %s", network_item(reply, i, "endpoints", e));
    fputc('\n', out);
}

static void warn_shared(const struct fr_cli *cli, const struct fr_admin_reply *reply, size_t i)
{
    const char *netid = network_text(reply, i, "netid");
    size_t n = network_count(reply, i, "shared_with");
    char path[PATH_MAX_TEXT];

    for (size_t s = 0; s < n; s++)
        fr_cli_note(cli, "warning: NetID %s has the same DevAddr prefix as NetID %s", netid,
                    network_item(reply, i, "shared_with", s));
    (void)snprintf(path, sizeof path, "networks.%zu.can_be_shared", i);
    if (n == 0 && fr_admin_reply_bool(reply, path))
        fr_cli_note(cli, "note: other NetIDs of the type of %s can have the same DevAddr prefix",
                    netid);
}

static enum fr_exit print_member(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    size_t n = fr_admin_reply_count(reply, "networks");

    for (size_t i = 0; i < n; i++) warn_shared(cli, reply, i);
    fr_session_note_dry_run(cli);
    if (fr_cli_output(cli) == FR_OUTPUT_JSON) return fr_session_print_json(cli, reply);
    fprintf(fr_cli_out(cli), "member %s  %s, %s\n", fr_admin_reply_text(reply, "id"),
            fr_admin_reply_text(reply, "state"),
            fr_admin_reply_bool(reply, "changed") ? "changed" : "unchanged");
    for (size_t i = 0; i < n; i++) print_network(cli, reply, i);
    return FR_EXIT_OK;
}

static size_t count_auto(const struct fr_cli *cli)
{
    size_t n = 0;

    for (size_t i = 0; i < fr_cli_opt_count(cli, "netid"); i++)
        n += strcmp(fr_cli_opt_at(cli, "netid", i), "auto") == 0;
    return n;
}

/* --netid N … with "auto" taken out: the broker chooses that one. */
static void put_netids(const struct fr_cli *cli, struct fr_json *json)
{
    if (fr_cli_opt_count(cli, "netid") == 0) return;
    fr_json_key(json, "netids");
    fr_json_array(json);
    for (size_t i = 0; i < fr_cli_opt_count(cli, "netid"); i++) {
        const char *netid = fr_cli_opt_at(cli, "netid", i);
        if (strcmp(netid, "auto") != 0) fr_json_str(json, netid);
    }
    fr_json_end(json);
    if (count_auto(cli) > 0) fr_json_put_bool(json, "netid_auto", true);
}

/* Options that a command does not have are never given, so one function does for all five. */
static enum fr_exit change_member(struct fr_cli *cli, const char *op)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    if (count_auto(cli) > 1) return fr_cli_usage(cli, "--netid auto is one NetID: say it once");
    fr_json_object(&json);
    fr_json_put_str(&json, "id", fr_cli_arg(cli, 0));
    put_netids(cli, &json);
    fr_session_put_opts(cli, &json, "remove-netid", "remove_netids");
    fr_session_put_opts(cli, &json, "endpoint", "endpoints");
    fr_session_put_opt(cli, &json, "org", "org");
    fr_session_put_opt(cli, &json, "noc", "noc");
    fr_session_put_opt(cli, &json, "security", "security");
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    result = err ? fr_cli_fail(cli, err, &diag) : print_member(cli, reply);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}

enum fr_exit fr_cmd_member_add(struct fr_cli *cli)
{
    return change_member(cli, "member.add");
}

enum fr_exit fr_cmd_member_set(struct fr_cli *cli)
{
    return change_member(cli, "member.set");
}

enum fr_exit fr_cmd_member_suspend(struct fr_cli *cli)
{
    return change_member(cli, "member.suspend");
}

enum fr_exit fr_cmd_member_resume(struct fr_cli *cli)
{
    return change_member(cli, "member.resume");
}

enum fr_exit fr_cmd_member_remove(struct fr_cli *cli)
{
    const char *id = fr_cli_arg(cli, 0);
    enum fr_exit answer = fr_cli_confirm_name(
        cli, id, "All devices of %s disappear at once and its certificates are revoked, for good.",
        id);

    return answer != FR_EXIT_OK ? answer : change_member(cli, "member.remove");
}
