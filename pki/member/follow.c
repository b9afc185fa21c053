#include "member_cli/follow.h"

#include "member_cli/join_server.h"
#include "names/netid.h"

#include <string.h>

enum { TOLD_MAX = 20, TEXT_MAX = 4096 };

static const struct fr_pair *network_of(const struct fr_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (pairs->list[i].subject.profile == FR_WALLET_NS) return &pairs->list[i];
    return NULL;
}

bool fr_follow_has_list(const struct fr_follow *follow)
{
    return follow->entry->broker != NULL && network_of(follow->pairs) != NULL &&
           (follow->entry->lns == FR_LNS_CHIRPSTACK_V3 ||
            follow->entry->lns == FR_LNS_CHIRPSTACK_V4);
}

/* --- asking --- */

static enum fr_err open_broker(struct fr_follow *follow, struct fr_diag *diag)
{
    const struct fr_pair *pair = fr_member_api_pair(follow->pairs);

    if (follow->publisher != NULL) return FR_OK;
    if (pair == NULL)
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no certificate of %s",
                            follow->entry->name);
    return fr_member_api_open(follow->folder, follow->entry, pair, diag, &follow->publisher);
}

void fr_follow_close(struct fr_follow *follow)
{
    fr_publisher_close(follow->publisher);
    follow->publisher = NULL;
}

enum fr_err fr_follow_renewal(struct fr_follow *follow, struct fr_diag *diag,
                              struct fr_renew_facts *out)
{
    enum fr_err err = open_broker(follow, diag);
    return err ? err : fr_renew_facts_ask(follow->publisher, diag, out);
}

/* --- the list --- */

struct told {
    struct fr_buf text;
    size_t n;
};

static void tell(struct told *told, const char *network, const char *what)
{
    if (told->n++ < TOLD_MAX)
        fr_buf_printf(&told->text, "%s%s %s", told->n > 1 ? ", " : "", network, what);
}

/* Both are ascending; what follows the NetID is the port. */
static void tell_difference(const struct fr_listed *was, const struct fr_listed *is,
                            struct told *told)
{
    size_t i = 0, k = 0;

    while (i < was->n || k < is->n) {
        const char *a = i < was->n ? was->list[i] : NULL, *b = k < is->n ? is->list[k] : NULL;
        const int order = a == NULL ? 1 : b == NULL ? -1 : memcmp(a, b, FR_NETID_TEXT - 1);
        if (order < 0)
            tell(told, a, "left");
        else if (order > 0)
            tell(told, b, "joined");
        else if (strcmp(a, b) != 0)
            tell(told, b, "moved");
        i += order <= 0;
        k += order >= 0;
    }
}

static void report_difference(const struct fr_follow *follow, const struct fr_listed *was,
                              const struct fr_listed *is)
{
    struct told told = {.text = FR_BUF_INIT(TEXT_MAX)};

    tell_difference(was, is, &told);
    if (told.n > TOLD_MAX) fr_buf_printf(&told.text, " and %zu more", told.n - TOLD_MAX);
    fr_report_add(follow->report, "peers", "%s: %s; %zu listed", follow->entry->name,
                  fr_buf_str(&told.text), is->n);
    fr_buf_deinit(&told.text);
}

static enum fr_err choose(struct fr_follow *follow, struct fr_diag *diag, struct fr_listed *out)
{
    struct fr_roster peers = {0};
    uint32_t own = 0;
    enum fr_err err = fr_netid_parse(fr_span_str(network_of(follow->pairs)->subject.id), &own);

    if (!err) err = open_broker(follow, diag);
    if (!err) err = fr_roster_ask(follow->publisher, NULL, diag, &peers);
    if (!err) err = fr_listed_choose(follow->entry, &peers, own, diag, out);
    fr_roster_free(&peers);
    return err;
}

enum fr_err fr_follow_list(struct fr_follow *follow, struct fr_diag *diag, bool *changed)
{
    struct fr_listed was = {0}, is = {0};
    enum fr_err err = fr_listed_load(follow->folder, diag, &was);

    if (!err) err = choose(follow, diag, &is);
    if (!err) err = fr_listed_save(follow->folder, &is, diag, changed);
    if (!err && !fr_listed_is_same(&was, &is)) report_difference(follow, &was, &is);
    fr_listed_free(&was);
    fr_listed_free(&is);
    return err;
}

/* --- the server's part --- */

enum fr_err fr_follow_server(const struct fr_follow *follow, bool is_new, struct fr_diag *diag,
                             bool *changed)
{
    const struct fr_wallet_entry *e = follow->entry;
    struct fr_server server = {0};
    struct fr_buf text = FR_BUF_INIT(FR_CHIRPSTACK_MAX);
    bool is_changed = false;

    if (e->lns == FR_LNS_CHIRPSTACK_V3 && !is_new) return FR_OK;
    enum fr_err err = fr_server_open(follow->dir, e->lns, e->lns_dir, NULL, diag, &server);
    if (!err && server.view.n > 0 && e->lns == FR_LNS_CHIRPSTACK_V4) {
        err = fr_chirpstack_write_v4(e->lns_dir, &server.view, diag, &is_changed);
        if (is_changed)
            fr_report_add(follow->report, "file", "%s/" FR_CHIRPSTACK_V4_FILE, e->lns_dir);
    } else if (!err && server.view.n > 0) {
        err = fr_chirpstack_print_v3(&server.view, &text);
        if (!err) fr_report_add(follow->report, "block", "\n%s", fr_buf_str(&text));
    }
    fr_buf_deinit(&text);
    fr_server_close(&server);
    if (!err) *changed = is_changed;
    return err;
}
