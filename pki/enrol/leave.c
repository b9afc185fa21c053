#include "enrol/leave.h"

#include "enrol/exchange.h"
#include "transport/tls.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MAX = 65536 };

static enum fr_err read_result(const struct fr_exchange_answer *answer, struct fr_diag *diag,
                               struct fr_leave_result *out)
{
    json_t *body =
        json_loadb((const char *)answer->body.p, answer->body.n, JSON_REJECT_DUPLICATES, NULL);
    const json_int_t devices = json_integer_value(json_object_get(body, "withdrawn"));
    const size_t certificates = json_array_size(json_object_get(body, "revoked"));
    const bool is_whole = json_is_object(body) && devices >= 0;

    json_decref(body);
    if (!is_whole) return fr_diag_fail(diag, FR_E_MALFORMED, "the broker's answer is no answer");
    *out = (struct fr_leave_result){.devices = (uint64_t)devices, .certificates = certificates};
    return FR_OK;
}

/* Problem details (RFC 9457): what for people is in "detail". */
static enum fr_err refused(const struct fr_exchange_answer *answer, struct fr_diag *diag)
{
    json_t *body = answer->body.n > 0
                       ? json_loadb((const char *)answer->body.p, answer->body.n, 0, NULL)
                       : NULL;
    const char *detail = json_string_value(json_object_get(body, "detail"));
    const enum fr_err err = answer->status == 403   ? FR_E_DENIED
                            : answer->status == 429 ? FR_E_BUSY
                            : answer->status == 503 ? FR_E_BUSY
                                                    : FR_E_UNAVAILABLE;

    (void)fr_diag_fail(diag, err, "the broker refuses (HTTP %u)%s%s", answer->status,
                       detail ? ": " : "", detail ? detail : "");
    fr_diag_hint(diag, "fedroam leave --local takes it out of this machine alone");
    json_decref(body);
    return err;
}

enum fr_err fr_leave_ask(const char *folder, const struct fr_wallet_entry *entry,
                         const struct fr_pair *pair, bool is_dry, struct fr_diag *diag,
                         struct fr_leave_result *out)
{
    static const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "application/json")};
    struct fr_exchange_answer answer = FR_EXCHANGE_ANSWER_INIT(ANSWER_MAX);
    char root[FR_WALLET_PATH];
    struct fr_est_place place;
    struct fr_tls_ctx *tls = NULL;
    struct fr_exchange_request request = {.place = &place,
                                          .method = "POST",
                                          .target = is_dry ? "/api/v1/leave?dry_run=true"
                                                           : "/api/v1/leave",
                                          .fields = fields,
                                          .n_fields = 1};
    enum fr_err err = fr_wallet_path(root, diag, "%s/root.pem", folder);
    const struct fr_tls_files files = {.chain = pair->chain, .key = pair->key, .ca = root};

    if (!err && entry->broker == NULL)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "the wallet does not say where %s's broker is",
                           entry->name);
    if (!err)
        err = fr_est_place_find(entry->broker, (const char *const *)entry->addresses,
                                entry->n_addresses, diag, &place);
    if (!err) err = fr_tls_client_load(&files, diag, &tls);
    request.tls = tls;
    if (!err) err = fr_exchange(&request, diag, &answer);
    if (!err) err = answer.status == 200 ? read_result(&answer, diag, out) : refused(&answer, diag);
    fr_buf_deinit(&answer.body);
    fr_tls_ctx_unref(tls);
    return err;
}

void fr_leave_forget(const char *folder)
{
    char path[FR_WALLET_PATH];

    if (fr_wallet_path(path, NULL, "%s/" FR_LEAVE_NOTE, folder) == FR_OK)
        (void)unlink(path); /* mostly it is not there */
}
