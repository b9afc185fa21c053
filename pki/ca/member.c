#include "ca/member.h"

#include "names/member.h"
#include "names/netid.h"

#include <stdio.h>
#include <string.h>

/* The NetIDs of one member, in order. */
struct held {
    size_t count;
    uint32_t netids[FR_MEMBER_NETIDS_MAX];
};

static enum fr_err note_held(void *data, const struct fr_network_row *row)
{
    struct held *held = data;

    if (held->count == FR_MEMBER_NETIDS_MAX) return FR_E_LIMIT;
    held->netids[held->count++] = row->netid;
    return FR_OK;
}

static bool has(const uint32_t *netids, size_t count, uint32_t netid)
{
    for (size_t i = 0; i < count; i++) {
        if (netids[i] == netid) return true;
    }
    return false;
}

static enum fr_err find_member(struct fr_change *change, const char *id, struct fr_diag *diag,
                               struct fr_member_row *out)
{
    enum fr_err err = fr_member_get(fr_change_snap(change), id, out);

    if (err == FR_E_NOT_FOUND || (!err && out->state == FR_MEMBER_REMOVED))
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no member %s", id);
    return err;
}

static enum fr_err set_text(char *field, size_t size, const char *text, const char *what,
                            struct fr_diag *diag)
{
    if (text == NULL) return FR_OK;
    if (strlen(text) >= size)
        return fr_diag_fail(diag, FR_E_LIMIT, "%s is longer than %zu bytes", what, size - 1);
    (void)snprintf(field, size, "%s", text);
    return FR_OK;
}

static enum fr_err set_texts(struct fr_member_row *row, const struct fr_member_request *request,
                             struct fr_diag *diag)
{
    enum fr_err err = set_text(row->org, sizeof row->org, request->org, "the organisation", diag);

    if (!err) err = set_text(row->noc, sizeof row->noc, request->noc, "the NOC contact", diag);
    if (!err)
        err = set_text(row->security, sizeof row->security, request->security,
                       "the security contact", diag);
    return err;
}

/* One NetID for the member, with these endpoints when there are any. */
static enum fr_err give_netid(struct fr_change *change, const struct fr_member_request *request,
                              uint32_t netid, struct fr_diag *diag)
{
    enum fr_err err = fr_netid_check(netid, diag);

    if (!err) err = fr_network_add(change, netid, request->id, diag);
    if (err || request->endpoint_count == 0) return err;
    return fr_network_set_endpoints(change, netid, request->endpoints, request->endpoint_count,
                                    diag);
}

static enum fr_err give_netids(struct fr_change *change, const struct fr_member_request *request,
                               struct fr_diag *diag)
{
    uint32_t free_one = 0;
    enum fr_err err = FR_OK;

    if (request->netid_count + request->wants_free_netid > FR_MEMBER_NETIDS_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "a member has %d NetIDs at most",
                            FR_MEMBER_NETIDS_MAX);
    for (size_t i = 0; i < request->netid_count && !err; i++)
        err = give_netid(change, request, request->netids[i], diag);
    if (err || !request->wants_free_netid) return err;
    err = fr_network_next_free(fr_change_snap(change), diag, &free_one);
    return err ? err : give_netid(change, request, free_one, diag);
}

static enum fr_err has_endpoints(struct fr_snap *snap, const struct held *held,
                                 const struct fr_member_request *request, bool *out)
{
    struct fr_network_row row;

    *out = true;
    for (size_t i = 0; i < held->count && request->endpoint_count > 0; i++) {
        enum fr_err err = fr_network_get(snap, held->netids[i], &row);
        if (err) return err;
        if (row.n_endpoints != request->endpoint_count) *out = false;
        for (size_t e = 0; *out && e < row.n_endpoints; e++)
            *out = fr_addr_equal(&row.endpoints[e], &request->endpoints[e]);
    }
    return FR_OK;
}

/* Each one asked for is held, and nothing else is, but the one that "auto" gave. */
static bool has_netids(const struct held *held, const struct fr_member_request *request)
{
    size_t others = 0;

    if (request->netid_count == 0 && !request->wants_free_netid) return true;
    for (size_t i = 0; i < request->netid_count; i++) {
        if (!has(held->netids, held->count, request->netids[i])) return false;
    }
    for (size_t i = 0; i < held->count; i++) {
        if (!has(request->netids, request->netid_count, held->netids[i])) others++;
    }
    return others == (request->wants_free_netid ? 1 : 0);
}

static bool text_is(const char *wanted, const char *field)
{
    return wanted == NULL || strcmp(wanted, field) == 0;
}

/* What the request names is so already, else it is another member of the same name. */
static enum fr_err expect_same(struct fr_change *change, const struct fr_member_request *request,
                               const struct fr_member_row *row, struct fr_diag *diag)
{
    struct held held = {0};
    bool same_endpoints = false;
    enum fr_err err = fr_network_each_of(fr_change_snap(change), request->id, note_held, &held);

    if (!err) err = has_endpoints(fr_change_snap(change), &held, request, &same_endpoints);
    if (err) return err;
    const char *difference = !text_is(request->org, row->org)             ? "organisation"
                             : !text_is(request->noc, row->noc)           ? "NOC contact"
                             : !text_is(request->security, row->security) ? "security contact"
                             : !has_netids(&held, request)                ? "NetIDs"
                             : !same_endpoints                            ? "endpoints"
                                                                          : NULL;
    if (difference == NULL) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_EXISTS, "member %s is there already, with other %s", request->id,
                       difference);
    fr_diag_hint(diag, "fedroam member set %s …", request->id);
    return FR_E_EXISTS;
}

enum fr_err fr_member_create(struct fr_change *change, const struct fr_member_request *request,
                             struct fr_diag *diag)
{
    struct fr_member_row row = {.state = FR_MEMBER_ACTIVE};
    enum fr_err err = fr_member_check(fr_span_str(request->id), diag);

    if (err) return err;
    err = fr_member_get(fr_change_snap(change), request->id, &row);
    if (!err && row.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_EXISTS, "%s was a member once: its id is not used again",
                            request->id);
    if (!err) return expect_same(change, request, &row, diag);
    if (err != FR_E_NOT_FOUND) return err;
    (void)snprintf(row.id, sizeof row.id, "%s", request->id);
    err = set_texts(&row, request, diag);
    if (!err) err = fr_member_add(change, &row, diag);
    if (!err) err = give_netids(change, request, diag);
    return err;
}

static enum fr_err take_netid(struct fr_change *change, const char *id, uint32_t netid,
                              struct fr_diag *diag)
{
    struct fr_network_row network;
    enum fr_err err = fr_network_get(fr_change_snap(change), netid, &network);

    if (err == FR_E_NOT_FOUND || (!err && strcmp(network.member, id) != 0))
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "member %s does not hold NetID %06x", id, netid);
    return err ? err : fr_network_remove(change, netid, diag);
}

/* Endpoints without a NetID beside them are for every network of the member. */
static enum fr_err set_all_endpoints(struct fr_change *change,
                                     const struct fr_member_request *request, struct fr_diag *diag)
{
    struct held held = {0};
    enum fr_err err = fr_network_each_of(fr_change_snap(change), request->id, note_held, &held);

    if (!err && held.count == 0)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s has no NetID to give an endpoint to",
                            request->id);
    for (size_t i = 0; i < held.count && !err; i++)
        err = fr_network_set_endpoints(change, held.netids[i], request->endpoints,
                                       request->endpoint_count, diag);
    return err;
}

enum fr_err fr_member_update(struct fr_change *change, const struct fr_member_request *request,
                             struct fr_diag *diag)
{
    struct fr_member_row row;
    bool names_netids = request->netid_count > 0 || request->wants_free_netid;
    enum fr_err err = find_member(change, request->id, diag, &row);

    if (!err) err = set_texts(&row, request, diag);
    if (!err) err = fr_member_set(change, &row, diag);
    for (size_t i = 0; i < request->removed_netid_count && !err; i++)
        err = take_netid(change, request->id, request->removed_netids[i], diag);
    if (!err) err = give_netids(change, request, diag);
    if (!err && !names_netids && request->endpoint_count > 0)
        err = set_all_endpoints(change, request, diag);
    return err;
}

static enum fr_err set_state(struct fr_change *change, const char *id, enum fr_member_state state,
                             struct fr_diag *diag)
{
    struct fr_member_row row;
    enum fr_err err = find_member(change, id, diag, &row);

    if (err) return err;
    row.state = state;
    return fr_member_set(change, &row, diag);
}

enum fr_err fr_member_suspend(struct fr_change *change, const char *id, struct fr_diag *diag)
{
    return set_state(change, id, FR_MEMBER_SUSPENDED, diag);
}

enum fr_err fr_member_resume(struct fr_change *change, const char *id, struct fr_diag *diag)
{
    return set_state(change, id, FR_MEMBER_ACTIVE, diag);
}
