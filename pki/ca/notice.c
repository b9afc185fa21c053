#include "ca/member.h"

static enum fr_err note_shared(void *data, const struct fr_network_row *row)
{
    struct fr_netid_notice *notice = data;

    if (row->netid == notice->netid || !fr_netid_same_prefix(row->netid, notice->netid))
        return FR_OK;
    if (notice->shared_count < FR_SHARED_MAX)
        notice->shared_with[notice->shared_count] = row->netid;
    notice->shared_count++;
    return FR_OK;
}

enum fr_err fr_netid_notice_read(struct fr_snap *snap, uint32_t netid, struct fr_netid_notice *out)
{
    struct fr_netid_notice notice = {
        .netid = netid,
        .prefix = fr_devaddr_prefix(netid),
        .can_be_shared = fr_netid_prefix_is_shared(netid),
    };
    enum fr_err err = FR_OK;

    notice.address_count = fr_devaddr_count(notice.prefix);
    err = fr_network_each(snap, note_shared, &notice);
    if (!err) *out = notice;
    return err;
}
