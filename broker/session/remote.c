#include "session/remote.h"

#include "admin/message.h"
#include "admin/reply.h"
#include "publish/batch.h"

#include <stdio.h>

#define WITHIN_MS 60000

bool fr_remote_is_meant(const struct fr_cli *cli)
{
    return fr_cli_opt(cli, "broker") != NULL;
}

enum fr_err fr_remote_open(const struct fr_cli *cli, struct fr_diag *diag,
                           struct fr_publisher **out)
{
    const char *const address = fr_cli_opt(cli, "address");
    const struct fr_publish_named named = {
        .url = fr_cli_opt(cli, "broker"),
        .config = fr_cli_opt(cli, "config"),
        .ca = fr_cli_opt(cli, "ca"),
        .certificate = fr_cli_opt(cli, "certificate"),
        .key = fr_cli_opt(cli, "key"),
        .addresses = &address,
        .n_addresses = address ? 1 : 0,
    };
    struct fr_publish_place place = FR_PUBLISH_PLACE_INIT;
    if (fr_cli_opt(cli, "state") != NULL)
        return fr_diag_fail(diag, FR_E_USAGE, "give --broker or --state, not both");
    enum fr_err err = fr_publish_place_find(&named, diag, &place);
    if (!err) err = fr_publisher_open(&place, diag, out);
    fr_publish_place_deinit(&place);
    return err;
}

static enum fr_err ask(struct fr_publisher *publisher, const struct fr_publish_request *request,
                       struct fr_diag *diag, struct fr_admin_reply **out)
{
    struct fr_publish_answer answer = FR_PUBLISH_ANSWER_INIT;
    enum fr_err err = fr_publisher_ask(publisher, request, diag, &answer);
    if (!err) err = fr_publish_fault(&answer, diag);
    if (!err) err = fr_admin_reply_parse(fr_buf_span(&answer.body), out);
    if (err == FR_E_MALFORMED)
        err = fr_diag_fail(diag, err, "the broker's answer was not understood");
    fr_publish_answer_deinit(&answer);
    return err;
}

enum fr_err fr_remote_change(const struct fr_cli *cli, const struct fr_admin_request *request,
                             struct fr_diag *diag, struct fr_admin_reply **out)
{
    struct fr_publisher *publisher = NULL;
    struct fr_buf body = FR_BUF_INIT(2 * FR_ADMIN_ARGS_MAX);
    const char *type = NULL;
    char target[128];
    (void)snprintf(target, sizeof target, FR_PUBLISH_API "/operations/%s", request->op);
    if (request->body.n)
        return fr_diag_fail(diag, FR_E_UNSUPPORTED, "this is not done with --broker");
    enum fr_err err = fr_admin_message_write(request, &body, &type);
    if (!err) err = fr_remote_open(cli, diag, &publisher);
    const struct fr_publish_request http = {
        .method = "POST",
        .target = target,
        .type = type,
        .body = fr_buf_span(&body),
        .within_ms = WITHIN_MS,
    };
    if (!err) err = ask(publisher, &http, diag, out);
    fr_publisher_close(publisher);
    fr_buf_deinit(&body);
    return err;
}

enum fr_err fr_remote_get(struct fr_publisher *publisher, const char *target, struct fr_diag *diag,
                          struct fr_admin_reply **out)
{
    const struct fr_publish_request http = {
        .method = "GET", .target = target, .within_ms = WITHIN_MS};
    return ask(publisher, &http, diag, out);
}
