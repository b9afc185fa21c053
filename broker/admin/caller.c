/* Who asks for an operation, and what of it is his. */
#include "admin/op.h"

#include "base/hex.h"
#include "store/cert.h"
#include "store/device.h"
#include "store/member.h"
#include "store/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct fr_admin_actor fr_admin_actor_member(const struct fr_cert_row *row)
{
    struct fr_admin_actor actor = {.kind = FR_ACTOR_MEMBER, .rights = row->rights};
    char serial[2 * FR_SERIAL_SIZE + 1];
    fr_hex_print(row->serial, sizeof row->serial, serial);
    (void)snprintf(actor.name, sizeof actor.name, "cert:%s", serial);
    memcpy(actor.member, row->member, sizeof actor.member);
    memcpy(actor.serial, row->serial, sizeof actor.serial);
    return actor;
}

const char *fr_op_member(const struct fr_op_ctx *ctx)
{
    return ctx->caller->kind == FR_ACTOR_MEMBER ? ctx->caller->member : NULL;
}

enum fr_err fr_op_check_netid(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t netid)
{
    const char *member = fr_op_member(ctx);
    struct fr_network_row row;
    if (!member) return FR_OK;
    enum fr_err err = fr_network_get(snap, netid, &row);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (!err && strcmp(row.member, member) == 0) return FR_OK;
    return fr_diag_fail(ctx->diag, FR_E_DENIED, "the NetID %06x is not one of %s", (unsigned)netid,
                        member);
}

enum fr_err fr_op_check_devices(const struct fr_op_ctx *ctx, const uint64_t *euis, size_t n)
{
    struct fr_snap *snap = fr_change_snap(ctx->change);
    struct fr_device_row row;
    enum fr_err err = FR_OK;
    for (size_t i = 0; !err && fr_op_member(ctx) && i < n; i++) {
        err = fr_device_get(snap, euis[i], &row);
        if (!err) err = fr_op_check_netid(ctx, snap, row.netid);
        if (err == FR_E_NOT_FOUND || err == FR_E_DENIED)
            err = fr_diag_fail(ctx->diag, FR_E_NOT_FOUND, "%s has no device %016" PRIx64,
                               fr_op_member(ctx), euis[i]);
    }
    return err;
}

/* Which one is missing, and who gives it. */
static enum fr_err refuse_right(const struct fr_op_ctx *ctx, uint32_t missing)
{
    const enum fr_right right = (enum fr_right)(missing & -missing);
    (void)fr_diag_fail(ctx->diag, FR_E_DENIED, "%s does not have the right %s, which this needs",
                       ctx->caller->name, fr_right_text(right));
    fr_diag_hint(ctx->diag, "the operator gives it: fedroam cert set SERIAL --right %s …",
                 fr_right_text(right));
    return FR_E_DENIED;
}

enum fr_err fr_op_check_caller(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t rights)
{
    const struct fr_admin_actor *caller = ctx->caller;
    struct fr_cert_row cert;
    struct fr_member_row member = {.state = FR_MEMBER_ACTIVE}; /* a broker's has none */
    if (caller->kind != FR_ACTOR_MEMBER) return FR_OK;
    enum fr_err err = fr_cert_row_get(snap, caller->serial, &cert);
    if (!err && caller->member[0]) err = fr_member_get(snap, caller->member, &member);
    if (err && err != FR_E_NOT_FOUND) return err;
    const bool is_standing = !err && cert.status == FR_CERT_ISSUED &&
                             strcmp(cert.member, caller->member) == 0 &&
                             ctx->by.now_s >= cert.not_before_s &&
                             ctx->by.now_s <= cert.not_after_s && member.state == FR_MEMBER_ACTIVE;
    if (!is_standing)
        return fr_diag_fail(ctx->diag, FR_E_DENIED, "%s is not in good standing any more",
                            caller->name);
    return rights & ~cert.rights ? refuse_right(ctx, rights & ~cert.rights) : FR_OK;
}
