#include "resolver_cli/why.h"

#include "base/addr.h"
#include "base/clock.h"
#include "names/eui.h"
#include "names/netid.h"
#include "session/session.h"
#include "store/cert.h"
#include "store/device.h"
#include "store/member.h"
#include "store/network.h"
#include "store/visibility.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct at {
    struct fr_walk *walk;
    struct fr_snap *snap;
    const char *member; /* who asks */
    uint64_t deveui;
    int64_t now_s;
    struct fr_network_row network; /* the device's home, once known */
};

static void fail(struct at *at, const char *step, enum fr_err err)
{
    fr_walk_fail(at->walk, step, err, &(struct fr_diag){0});
}

static void check_member(struct at *at)
{
    static const char STEP[] = "member";
    struct fr_member_row row;

    enum fr_err err = fr_member_get(at->snap, at->member, &row);
    if (err == FR_E_NOT_FOUND) {
        fr_walk_wrong(at->walk, FR_EXIT_NOT_FOUND, STEP, "there is no member %s", at->member);
        fr_walk_todo(at->walk, "fedroam member list shows those there are");
    } else if (err) {
        fail(at, STEP, err);
    } else if (row.state != FR_MEMBER_ACTIVE) {
        fr_walk_wrong(at->walk, FR_EXIT_DENIED, STEP, "%s is %s", at->member,
                      fr_member_state_text(row.state));
        if (row.state == FR_MEMBER_SUSPENDED)
            fr_walk_todo(at->walk, "fedroam member resume %s", at->member);
    } else {
        fr_walk_right(at->walk, STEP, "%s is active", at->member);
    }
}

/* The certificate of the member that could ask: the best there is, and why others cannot. */
struct asking {
    int64_t now_s;
    size_t n, n_revoked, n_over, n_without;
    int64_t until_s; /* of the one that ends last; 0: none may ask */
    enum fr_profile profile;
};

static enum fr_err weigh_cert(void *data, const struct fr_cert_row *row)
{
    struct asking *a = data;

    if (row->status == FR_CERT_INTENT) return FR_OK;
    a->n++;
    if (row->status == FR_CERT_REVOKED) {
        a->n_revoked++;
    } else if (row->not_after_s < a->now_s) {
        a->n_over++;
    } else if ((row->rights & FR_RIGHT_LOOKUP) == 0) {
        a->n_without++;
    } else if (row->not_after_s > a->until_s) {
        a->until_s = row->not_after_s;
        a->profile = row->profile;
    }
    return FR_OK;
}

static void check_certificates(struct at *at)
{
    static const char STEP[] = "certificate";
    struct asking a = {.now_s = at->now_s};
    char until[FR_TIME_TEXT];

    if (fr_walk_is_over(at->walk)) return;
    enum fr_err err = fr_cert_row_each_of(at->snap, at->member, weigh_cert, &a);
    if (err) {
        fail(at, STEP, err);
    } else if (a.until_s == 0) {
        fr_walk_wrong(at->walk, FR_EXIT_DENIED, STEP,
                      "%s has no certificate to ask with: %zu issued, of which %zu revoked, %zu "
                      "over, %zu without the right lookup",
                      at->member, a.n, a.n_revoked, a.n_over, a.n_without);
        fr_walk_todo(at->walk,
                     "fedroam cert list --member %s; fedroam cert issue --member %s "
                     "--profile doh",
                     at->member, at->member);
    } else {
        fr_time_print(a.until_s, until);
        fr_walk_right(at->walk, STEP, "profile %s with the right lookup, until %s",
                      fr_profile_text(a.profile), until);
    }
}

static void check_device(struct at *at)
{
    static const char STEP[] = "device";
    char eui[FR_EUI_TEXT], netid[FR_NETID_TEXT];
    struct fr_device_row device;

    if (fr_walk_is_over(at->walk)) return;
    fr_eui_print(at->deveui, eui);
    enum fr_err err = fr_device_get(at->snap, at->deveui, &device);
    if (err == FR_E_NOT_FOUND) {
        fr_walk_wrong(at->walk, FR_EXIT_NOT_FOUND, STEP, "nobody publishes %s", eui);
        fr_walk_todo(at->walk, "fedroam device add --netid NETID %s", eui);
        return;
    }
    if (err == FR_OK) err = fr_network_get(at->snap, device.netid, &at->network);
    if (err) {
        fail(at, STEP, err);
        return;
    }
    fr_netid_print(device.netid, netid);
    fr_walk_right(at->walk, STEP, "%s is published by %s in network %s", eui, at->network.member,
                  netid);
}

static void say_suspended(struct at *at, const char *step)
{
    char netid[FR_NETID_TEXT];

    fr_netid_print(at->network.netid, netid);
    if (at->network.state == FR_NETWORK_SUSPENDED) {
        fr_walk_wrong(at->walk, FR_EXIT_DENIED, step, "network %s is suspended", netid);
        return;
    }
    fr_walk_wrong(at->walk, FR_EXIT_DENIED, step, "%s, who holds network %s, is not active",
                  at->network.member, netid);
    fr_walk_todo(at->walk, "fedroam member resume %s", at->network.member);
}

static void check_sight(struct at *at)
{
    static const char STEP[] = "visibility";
    enum fr_sighting sighting = FR_SIGHT_NO_DEVICE;
    char eui[FR_EUI_TEXT];

    if (fr_walk_is_over(at->walk)) return;
    fr_eui_print(at->deveui, eui);
    enum fr_err err = fr_visibility_explain(at->snap, at->deveui, at->member, &sighting);
    if (err) {
        fail(at, STEP, err);
        return;
    }
    switch (sighting) {
    case FR_SIGHT_SEEN: fr_walk_right(at->walk, STEP, "%s sees it", at->member); break;
    case FR_SIGHT_NO_DEVICE: fail(at, STEP, FR_E_NOT_FOUND); break;
    case FR_SIGHT_SUSPENDED: say_suspended(at, STEP); break;
    case FR_SIGHT_HIDDEN:
        fr_walk_wrong(at->walk, FR_EXIT_DENIED, STEP, "it is hidden from every look-up");
        fr_walk_todo(at->walk, "fedroam device set --hidden no %s", eui);
        break;
    case FR_SIGHT_NOT_GRANTED:
        fr_walk_wrong(at->walk, FR_EXIT_DENIED, STEP, "%s does not let %s see its devices",
                      at->network.member, at->member);
        fr_walk_todo(at->walk, "fedroam visibility allow --home %s --visited %s",
                     at->network.member, at->member);
        break;
    }
}

static void check_endpoints(struct at *at)
{
    static const char STEP[] = "endpoint";
    const struct fr_network_row *n = &at->network;
    char netid[FR_NETID_TEXT], text[FR_ADDR_TEXT];

    if (fr_walk_is_over(at->walk)) return;
    fr_netid_print(n->netid, netid);
    if (n->n_endpoints == 0) {
        fr_walk_wrong(at->walk, FR_EXIT_NOT_FOUND, STEP, "network %s has no endpoint", netid);
        fr_walk_todo(at->walk, "fedroam network set %s --endpoint ADDRESS:PORT", netid);
        return;
    }
    fr_addr_print(&n->endpoints[0], text);
    fr_walk_right(at->walk, STEP, "%s%s", text, n->n_endpoints > 1 ? " and more" : "");
}

static enum fr_err count_pin(void *data, const uint8_t spki[FR_DIGEST_SIZE], int64_t not_after_s)
{
    size_t *n = data;
    (void)spki;
    (void)not_after_s;
    ++*n;
    return FR_OK;
}

static void check_keys(struct at *at)
{
    static const char STEP[] = "keys";
    char netid[FR_NETID_TEXT];
    size_t n = 0;

    if (fr_walk_is_over(at->walk)) return;
    fr_netid_print(at->network.netid, netid);
    enum fr_err err = fr_pin_each(at->snap, at->network.netid, at->now_s, count_pin, &n);
    if (err) {
        fail(at, STEP, err);
    } else if (n == 0) {
        fr_walk_wrong(at->walk, FR_EXIT_REVOKED, STEP,
                      "network %s has no certificate (profile ns) that is good now", netid);
        fr_walk_todo(at->walk, "fedroam cert issue --member %s --profile ns --netid %s",
                     at->network.member, netid);
    } else {
        fr_walk_right(at->walk, STEP, "network %s may show %zu key%s", netid, n, n == 1 ? "" : "s");
    }
}

void fr_why_for(struct fr_walk *walk, const struct fr_session *session,
                const struct fr_admin_reply *broker, uint64_t deveui, const char *member,
                int64_t now_s)
{
    struct at at = {
        .walk = walk, .snap = session->snap, .member = member, .deveui = deveui, .now_s = now_s};
    check_member(&at);
    check_certificates(&at);
    fr_why_usage(walk, broker, member);
    check_device(&at);
    check_sight(&at);
    check_endpoints(&at);
    check_keys(&at);
}
