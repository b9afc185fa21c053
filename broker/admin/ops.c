#include "admin/approval.h"

#include "base/clock.h"
#include "base/hex.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/cert.h"

#include <string.h>

const struct fr_op fr_ops[] = {
    {.name = "member.add", .run = fr_op_member_add, .persons = fr_persons_for_member},
    {.name = "member.set", .run = fr_op_member_set, .persons = fr_persons_for_networks},
    {.name = "member.suspend", .run = fr_op_member_suspend, .is_protective = true},
    {.name = "member.resume", .run = fr_op_member_resume},
    {.name = "member.remove",
     .begin = fr_op_member_remove_begin,
     .step = fr_op_member_remove_step,
     .end = fr_op_member_remove_end,
     .is_protective = true,
     .is_bulk = true,
     .persons = fr_persons_for_removal},
    {.name = "member.leave",
     .begin = fr_op_member_leave_begin,
     .step = fr_op_member_leave_step,
     .end = fr_op_member_leave_end,
     .is_protective = true,
     .is_bulk = true,
     .by = FR_BY_MEMBER},
    {.name = "network.set",
     .run = fr_op_network_set,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "network.suspend", .run = fr_op_network_suspend, .is_protective = true},
    {.name = "network.resume", .run = fr_op_network_resume},
    {.name = "joineui.set", .run = fr_op_joineui_set},
    {.name = "joineui.remove", .run = fr_op_joineui_remove},
    {.name = "device.add",
     .run = fr_op_device_add,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "device.remove",
     .run = fr_op_device_remove,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "device.release",
     .run = fr_op_device_release,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "device.claim",
     .run = fr_op_device_claim,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "device.move", .run = fr_op_device_move},
    {.name = "block.add", .run = fr_op_block_add},
    {.name = "block.remove", .run = fr_op_block_remove},
    {.name = "device.batch",
     .begin = fr_op_batch_begin,
     .step = fr_op_batch_step,
     .end = fr_op_batch_end,
     .has_body = true,
     .is_batch = true,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "device.set",
     .run = fr_op_device_set,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "visibility.set",
     .run = fr_op_visibility_set,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "zone.import",
     .begin = fr_op_import_begin,
     .step = fr_op_import_step,
     .end = fr_op_import_end,
     .has_body = true,
     .is_bulk = true},
    {.name = "zone.primary.set", .run = fr_op_primary_set, .has_body = true},
    {.name = "zone.primary.remove", .run = fr_op_primary_remove},
    {.name = "zone.primary.refresh",
     .run = fr_op_primary_refresh,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "zone.secondary.set", .run = fr_op_secondary_set, .has_body = true},
    {.name = "zone.secondary.remove", .run = fr_op_secondary_remove, .is_protective = true},
    {.name = "zone.accept",
     .run = fr_op_zone_accept,
     .by = FR_BY_OPERATOR | FR_BY_MEMBER,
     .rights = FR_RIGHT_PUBLISH},
    {.name = "zone.change", .run = fr_op_zone_change, .has_body = true},
    {.name = "zone.note", .run = fr_op_zone_note, .has_body = true},
    {.name = "zone.transfer",
     .begin = fr_op_zone_transfer_begin,
     .step = fr_op_zone_transfer_step,
     .end = fr_op_zone_transfer_end,
     .has_body = true,
     .is_bulk = true},
    {.name = "zone.rollback",
     .begin = fr_op_rollback_begin,
     .step = fr_op_rollback_step,
     .end = fr_op_rollback_end,
     .is_bulk = true},
    {.name = "device.erase",
     .begin = fr_op_device_erase_begin,
     .step = fr_op_erase_step,
     .end = fr_op_erase_end},
    {.name = "member.erase",
     .begin = fr_op_member_erase_begin,
     .step = fr_op_erase_step,
     .end = fr_op_erase_end},
    {.name = "journal.trim",
     .begin = fr_op_journal_trim_begin,
     .step = fr_op_journal_trim_step,
     .end = fr_op_journal_trim_end},
    {.name = "policy.set", .run = fr_op_policy_set, .persons = fr_persons_for_policy},
    {.name = "cert.issue",
     .intend = fr_op_cert_issue_intend,
     .sign = fr_op_cert_issue_sign,
     .finish = fr_op_cert_issue_finish,
     .end = fr_op_cert_issue_end,
     .has_body = true,
     .persons = fr_persons_for_rights,
     .is_collected = true},
    {.name = "cert.revoke",
     .begin = fr_op_cert_revoke_begin,
     .step = fr_op_cert_revoke_step,
     .end = fr_op_cert_revoke_end,
     .is_protective = true,
     .persons = fr_persons_for_revocation},
    {.name = "cert.set", .run = fr_op_cert_set, .persons = fr_persons_for_more_rights},
    {.name = "cert.adopt",
     .run = fr_op_cert_adopt,
     .has_body = true,
     .persons = fr_persons_for_more_rights,
     .is_collected = true},
    {.name = "cert.note", .run = fr_op_cert_note, .has_body = true},
    {.name = "cert.bar", .run = fr_op_cert_bar, .has_body = true, .is_protective = true},
    {.name = "restore.begin",
     .begin = fr_op_restore_begin,
     .step = fr_op_restore_step,
     .end = fr_op_restore_end,
     .is_protective = true},
    {.name = "token.create",
     .run = fr_op_token_create,
     .persons = fr_persons_for_rights,
     .is_collected = true},
    {.name = "token.revoke", .run = fr_op_token_revoke, .is_protective = true},
    {.name = "token.approve", .run = fr_op_token_approve},
    {.name = "enrol.token",
     .intend = fr_op_enrol_token_intend,
     .sign = fr_op_enrol_sign,
     .finish = fr_op_enrol_finish,
     .end = fr_op_enrol_end,
     .has_body = true,
     .by = FR_BY_ENROLLEE},
    {.name = "enrol.renew",
     .intend = fr_op_enrol_renew_intend,
     .sign = fr_op_enrol_sign,
     .finish = fr_op_enrol_finish,
     .end = fr_op_enrol_end,
     .has_body = true,
     .by = FR_BY_ENROLLEE},
    {.name = "enrol.extend",
     .intend = fr_op_enrol_extend_intend,
     .sign = fr_op_enrol_sign,
     .finish = fr_op_enrol_finish,
     .end = fr_op_enrol_end,
     .has_body = true,
     .by = FR_BY_ENROLLEE},
    {.name = "ca.prepare",
     .run = fr_op_ca_prepare,
     .persons = fr_persons_for_authority,
     .is_collected = true},
    {.name = "ca.install", .run = fr_op_ca_install, .has_body = true},
    {.name = "ca.activate", .run = fr_op_ca_activate, .persons = fr_persons_for_authority},
    {.name = "ca.taint", .run = fr_op_ca_taint, .is_protective = true},
    {.name = "ca.retire",
     .begin = fr_op_ca_retire_begin,
     .step = fr_op_ca_sweep_step,
     .end = fr_op_ca_sweep_end,
     .is_protective = true,
     .persons = fr_persons_for_authority},
    {.name = "ca.list.install",
     .begin = fr_op_ca_list_begin,
     .step = fr_op_ca_sweep_step,
     .end = fr_op_ca_sweep_end,
     .has_body = true,
     .is_protective = true},
    {.name = "server.renew",
     .begin = fr_op_server_renew_begin,
     .step = fr_op_server_renew_step,
     .signs = true},
    {.name = "crl.publish",
     .begin = fr_op_crl_publish_begin,
     .step = fr_op_crl_publish_step,
     .signs = true,
     .has_own_clock = true,
     .is_local = true},
    {.name = "notice.look",
     .begin = fr_op_notice_look_begin,
     .step = fr_op_notice_look_step,
     .end = fr_op_notice_look_end,
     .is_protective = true,
     .is_quiet = true,
     .is_local = true},
    {.name = "notice.told",
     .run = fr_op_notice_told,
     .is_protective = true,
     .is_quiet = true,
     .is_local = true},
    {.name = "notice.ack", .run = fr_op_notice_ack},
    {.name = "clock.accept", .run = fr_op_clock_accept},
    {.name = "grace.open", .run = fr_op_grace_open},
    {.name = "grace.close", .run = fr_op_grace_close, .is_protective = true},
    {.name = "approval.approve",
     .begin = fr_op_approve_begin,
     .step = fr_op_approve_step,
     .end = fr_op_approve_end},
    {.name = "approval.refuse", .run = fr_op_approval_refuse, .is_protective = true},
    {.name = "audit.rotate", .run = fr_op_audit_rotate},
    {.name = "replica.promote",
     .begin = fr_op_promote_begin,
     .step = fr_op_promote_step,
     .is_local = true},
    {.name = "replica.reapply", .run = fr_op_reapply},
    {.name = NULL},
};

const struct fr_op *fr_op_find(const char *name)
{
    for (const struct fr_op *op = fr_ops; op->name; op++)
        if (strcmp(op->name, name) == 0) return op;
    return NULL;
}

json_t *fr_op_netid(uint32_t netid)
{
    char text[FR_NETID_TEXT];
    fr_netid_print(netid, text);
    return json_string(text);
}

json_t *fr_op_eui(uint64_t eui)
{
    char text[FR_EUI_TEXT];
    fr_eui_print(eui, text);
    return json_string(text);
}

json_t *fr_op_hex(const uint8_t *p, size_t n)
{
    char text[2 * 64 + 1];
    if (n > 64) return NULL;
    fr_hex_print(p, n, text);
    return json_string(text);
}

json_t *fr_op_time(int64_t real_s)
{
    char text[FR_TIME_TEXT];
    fr_time_print(real_s, text);
    return json_string(text);
}

json_t *fr_op_uint(uint64_t value)
{
    return json_integer((json_int_t)value);
}
