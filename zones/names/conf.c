#include "names/conf.h"

#include "names/eui.h"
#include "names/netid.h"

enum fr_err fr_conf_parse_netid(struct fr_span text, void *member, struct fr_diag *diag)
{
    uint32_t netid;

    enum fr_err err = fr_netid_parse(text, &netid);
    if (err) return fr_diag_fail(diag, err, "not a NetID: 6 hex digits are wanted");
    err = fr_netid_check(netid, diag);
    if (err == FR_OK) *(uint32_t *)member = netid;
    return err;
}

enum fr_err fr_conf_parse_eui(struct fr_span text, void *member, struct fr_diag *diag)
{
    enum fr_err err = fr_eui_parse(text, member);

    return err ? fr_diag_fail(diag, err, "not an EUI: 16 hex digits are wanted") : FR_OK;
}
