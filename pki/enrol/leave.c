#include "enrol/leave.h"

#include "enrol/member_api.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum fr_err read_result(const struct fr_publish_answer *answer, struct fr_diag *diag,
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

enum fr_err fr_leave_ask(const char *folder, const struct fr_wallet_entry *entry,
                         const struct fr_pair *pair, bool is_dry, struct fr_diag *diag,
                         struct fr_leave_result *out)
{
    struct fr_publish_answer answer = FR_PUBLISH_ANSWER_INIT;
    struct fr_publisher *publisher = NULL;
    enum fr_err err = fr_member_api_open(folder, entry, pair, diag, &publisher);

    if (!err)
        err =
            fr_member_api_post(publisher, is_dry ? "/leave?dry_run=true" : "/leave", diag, &answer);
    if (err && answer.status != 0)
        fr_diag_hint(diag, "fedroam leave --local takes it out of this machine alone");
    if (!err) err = read_result(&answer, diag, out);
    fr_publish_answer_deinit(&answer);
    fr_publisher_close(publisher);
    return err;
}

void fr_leave_forget(const char *folder)
{
    char path[FR_WALLET_PATH];

    if (fr_wallet_path(path, NULL, "%s/" FR_WALLET_LEAVING, folder) == FR_OK)
        (void)unlink(path); /* mostly it is not there */
}
