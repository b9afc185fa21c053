#include "ca/subject.h"

#include "names/netid.h"
#include "store/joineui.h"
#include "store/member.h"
#include "store/network.h"

#include <string.h>

static enum fr_err check_member(struct fr_snap *snap, const char *id, struct fr_diag *diag)
{
    struct fr_member_row member;
    enum fr_err err = id == NULL ? FR_E_INVALID : fr_member_get(snap, id, &member);

    if (err == FR_E_INVALID) return fr_diag_fail(diag, err, "this profile needs a member");
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", id);
    if (err) return err;
    if (member.state != FR_MEMBER_ACTIVE)
        return fr_diag_fail(diag, FR_E_DENIED, "member %s is %s", id,
                            fr_member_state_text(member.state));
    return FR_OK;
}

static enum fr_err check_netid(struct fr_snap *snap, const struct fr_subject *s,
                               struct fr_diag *diag)
{
    struct fr_network_row network;
    char text[FR_NETID_TEXT];
    enum fr_err err = fr_network_get(snap, s->netid, &network);

    fr_netid_print(s->netid, text);
    if (err == FR_E_NOT_FOUND) {
        (void)fr_diag_fail(diag, err, "nobody holds NetID %s", text);
        fr_diag_hint(diag, "fedroam member set %s --netid %s", s->member, text);
        return err;
    }
    if (err) return err;
    if (strcmp(network.member, s->member) != 0)
        return fr_diag_fail(diag, FR_E_CONFLICT, "NetID %s belongs to member %s", text,
                            network.member);
    if (network.state != FR_NETWORK_ACTIVE)
        return fr_diag_fail(diag, FR_E_DENIED, "NetID %s is %s", text,
                            fr_network_state_text(network.state));
    return FR_OK;
}

/* A join server's name is claimed by the first certificate for it, as a NetID is by member add; in a block of the member's it is its
 * already. */
static enum fr_err claim_joineui(struct fr_change *change, const struct fr_subject *s,
                                 struct fr_diag *diag)
{
    struct fr_joineui_row holder, row = {.base = s->joineui, .nibbles = FR_JOINEUI_NIBBLES};
    enum fr_err err = fr_joineui_holder(fr_change_snap(change), s->joineui, FR_JOINEUI_NIBBLES,
                                        s->member, &holder);

    if (err && err != FR_E_NOT_FOUND) return err;
    if (err == FR_OK && strcmp(holder.member, s->member) == 0) return FR_OK;
    (void)fr_span_copy(fr_span_str(s->member), row.member, sizeof row.member);
    return fr_joineui_put(change, &row, diag); /* which says whose it is */
}

enum fr_err fr_subject_check(struct fr_change *change, const struct fr_subject *s,
                             struct fr_diag *diag)
{
    struct fr_snap *snap = fr_change_snap(change);
    enum fr_err err = FR_OK;

    if (s->profile == FR_PROFILE_BROKER) return FR_OK;
    err = check_member(snap, s->member, diag);
    if (!err && s->profile == FR_PROFILE_NS) err = check_netid(snap, s, diag);
    if (!err && s->profile == FR_PROFILE_JS) err = claim_joineui(change, s, diag);
    return err;
}

struct search {
    uint32_t netid;
    size_t n;
};

static enum fr_err note_network(void *data, const struct fr_network_row *row)
{
    struct search *s = data;

    if (row->state != FR_NETWORK_ACTIVE) return FR_OK;
    s->netid = row->netid;
    s->n++;
    return FR_OK;
}

enum fr_err fr_subject_only_netid(struct fr_snap *snap, const char *member, struct fr_diag *diag,
                                  uint32_t *out)
{
    struct search s = {0};
    enum fr_err err = fr_network_each_of(snap, member, note_network, &s);

    if (err) return err;
    if (s.n == 0) return fr_diag_fail(diag, FR_E_INVALID, "member %s has no NetID", member);
    if (s.n > 1)
        return fr_diag_fail(diag, FR_E_INVALID, "member %s has %zu NetIDs: name one", member, s.n);
    *out = s.netid;
    return FR_OK;
}
