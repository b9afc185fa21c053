#include "enrol/member_api.h"

#include "publish/batch.h"

#include <stdio.h>

const struct fr_pair *fr_member_api_pair(const struct fr_pairs *pairs)
{
    const struct fr_pair *best = NULL;

    for (size_t i = 0; i < pairs->n; i++) {
        const struct fr_pair *p = &pairs->list[i];
        if (p->subject.profile == FR_WALLET_DOH) return p;
        if (best == NULL || p->subject.profile == FR_WALLET_NS) best = p;
    }
    return best;
}

enum fr_err fr_member_api_open(const char *folder, const struct fr_wallet_entry *entry,
                               const struct fr_pair *pair, struct fr_diag *diag,
                               struct fr_publisher **out)
{
    struct fr_publish_place place = FR_PUBLISH_PLACE_INIT;
    char root[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(root, diag, "%s/root.pem", folder);

    if (!err && entry->broker == NULL)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "the wallet does not say where %s's broker is",
                           entry->name);
    const struct fr_publish_named named = {.url = entry->broker,
                                           .ca = root,
                                           .certificate = pair->chain,
                                           .key = pair->key,
                                           .addresses = (const char *const *)entry->addresses,
                                           .n_addresses = entry->n_addresses};
    if (!err) err = fr_publish_place_find(&named, diag, &place);
    if (!err) err = fr_publisher_open(&place, diag, out);
    fr_publish_place_deinit(&place);
    return err;
}

static enum fr_err ask(struct fr_publisher *publisher, struct fr_publish_request *request,
                       const char *path, struct fr_diag *diag, struct fr_publish_answer *answer)
{
    char target[128];

    (void)snprintf(target, sizeof target, FR_PUBLISH_API "%s", path);
    request->target = target;
    request->within_ms = FR_MEMBER_API_MS;
    enum fr_err err = fr_publisher_ask(publisher, request, diag, answer);
    if (err || (request->tag != NULL && answer->status == 304)) return err;
    return fr_publish_fault(answer, diag);
}

enum fr_err fr_member_api_get(struct fr_publisher *publisher, const char *path, const char *tag,
                              struct fr_diag *diag, struct fr_publish_answer *answer)
{
    struct fr_publish_request request = {.method = "GET", .tag = tag};
    return ask(publisher, &request, path, diag, answer);
}

enum fr_err fr_member_api_post(struct fr_publisher *publisher, const char *path,
                               struct fr_diag *diag, struct fr_publish_answer *answer)
{
    struct fr_publish_request request = {.method = "POST"};
    return ask(publisher, &request, path, diag, answer);
}
