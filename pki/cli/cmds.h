/* The run functions of this folder's commands; their table is in commands.c. */
#pragma once

#include "session/session.h"

enum fr_exit fr_cmd_ca_init(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_show(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_crl_show(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_crl_publish(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_crl_install(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_list(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_intermediate_prepare(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_intermediate_install(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_intermediate_activate(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_intermediate_taint(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_intermediate_retire(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_root_sign(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_root_crl(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_server_renew(struct fr_cli *cli);
enum fr_exit fr_cmd_member_add(struct fr_cli *cli);
enum fr_exit fr_cmd_member_set(struct fr_cli *cli);
enum fr_exit fr_cmd_member_suspend(struct fr_cli *cli);
enum fr_exit fr_cmd_member_resume(struct fr_cli *cli);
enum fr_exit fr_cmd_member_remove(struct fr_cli *cli);
enum fr_exit fr_cmd_member_list(struct fr_cli *cli);
enum fr_exit fr_cmd_member_probe(struct fr_cli *cli);
enum fr_exit fr_cmd_member_show(struct fr_cli *cli);
enum fr_exit fr_cmd_cert_request(struct fr_cli *cli);
enum fr_exit fr_cmd_cert_issue(struct fr_cli *cli);
enum fr_exit fr_cmd_cert_list(struct fr_cli *cli);
enum fr_exit fr_cmd_cert_show(struct fr_cli *cli);
enum fr_exit fr_cmd_cert_revoke(struct fr_cli *cli);
enum fr_exit fr_cmd_audit_verify(struct fr_cli *cli);
enum fr_exit fr_cmd_audit_tail(struct fr_cli *cli);
enum fr_exit fr_cmd_audit_export(struct fr_cli *cli);
enum fr_exit fr_cmd_audit_rotate(struct fr_cli *cli);
enum fr_exit fr_cmd_approval_list(struct fr_cli *cli);
enum fr_exit fr_cmd_approval_show(struct fr_cli *cli);
enum fr_exit fr_cmd_approval_approve(struct fr_cli *cli);
enum fr_exit fr_cmd_approval_refuse(struct fr_cli *cli);
enum fr_exit fr_cmd_grace_open(struct fr_cli *cli);
enum fr_exit fr_cmd_grace_list(struct fr_cli *cli);
enum fr_exit fr_cmd_grace_close(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_clock_show(struct fr_cli *cli);
enum fr_exit fr_cmd_ca_clock_accept(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_public(struct fr_cli *cli);
enum fr_exit fr_cmd_cert_set(struct fr_cli *cli);
enum fr_exit fr_cmd_cert_adopt(struct fr_cli *cli);
enum fr_exit fr_cert_list_unknown(struct fr_cli *cli); /* cert list --unknown */
enum fr_exit fr_cmd_backup_create(struct fr_cli *cli);
enum fr_exit fr_cmd_backup_verify(struct fr_cli *cli);
enum fr_exit fr_cmd_restore(struct fr_cli *cli);
enum fr_exit fr_cmd_doctor(struct fr_cli *cli);
enum fr_exit fr_cmd_notify_list(struct fr_cli *cli);
enum fr_exit fr_cmd_notify_ack(struct fr_cli *cli);
enum fr_exit fr_cmd_notify_test(struct fr_cli *cli);
enum fr_exit fr_cmd_token_create(struct fr_cli *cli);
enum fr_exit fr_cmd_token_list(struct fr_cli *cli);
enum fr_exit fr_cmd_token_revoke(struct fr_cli *cli);
enum fr_exit fr_cmd_token_approve(struct fr_cli *cli);
