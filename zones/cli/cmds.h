#pragma once
/* The run functions of this folder's commands; their table is in commands.c. */
#include "session/session.h"

enum fr_exit fr_cmd_zone_import(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_export(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_check(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_stats(struct fr_cli *cli);
enum fr_exit fr_cmd_device_add(struct fr_cli *cli);
enum fr_exit fr_cmd_device_batch(struct fr_cli *cli);

/* device list with --broker. netid, from, limit: 0 when not given. */
enum fr_exit fr_list_remote_devices(struct fr_cli *cli, uint32_t netid, uint64_t from,
                                    uint64_t limit);
enum fr_exit fr_cmd_device_remove(struct fr_cli *cli);
enum fr_exit fr_cmd_device_list(struct fr_cli *cli);
enum fr_exit fr_cmd_device_show(struct fr_cli *cli);
enum fr_exit fr_cmd_device_set(struct fr_cli *cli);
enum fr_exit fr_cmd_device_release(struct fr_cli *cli);
enum fr_exit fr_cmd_device_claim(struct fr_cli *cli);
enum fr_exit fr_cmd_device_move(struct fr_cli *cli);
enum fr_exit fr_cmd_device_releases(struct fr_cli *cli);
enum fr_exit fr_cmd_device_conflicts(struct fr_cli *cli);
enum fr_exit fr_cmd_device_erase(struct fr_cli *cli);
enum fr_exit fr_cmd_member_export(struct fr_cli *cli);
enum fr_exit fr_cmd_member_erase(struct fr_cli *cli);
enum fr_exit fr_cmd_block_add(struct fr_cli *cli);
enum fr_exit fr_cmd_block_remove(struct fr_cli *cli);
enum fr_exit fr_cmd_block_list(struct fr_cli *cli);
enum fr_exit fr_cmd_journal_tail(struct fr_cli *cli);
enum fr_exit fr_cmd_journal_show(struct fr_cli *cli);
enum fr_exit fr_cmd_journal_export(struct fr_cli *cli);
enum fr_exit fr_cmd_journal_trim(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_rollback(struct fr_cli *cli);
enum fr_exit fr_cmd_visibility_allow(struct fr_cli *cli);
enum fr_exit fr_cmd_visibility_deny(struct fr_cli *cli);
enum fr_exit fr_cmd_visibility_list(struct fr_cli *cli);
enum fr_exit fr_cmd_network_set(struct fr_cli *cli);
enum fr_exit fr_cmd_network_suspend(struct fr_cli *cli);
enum fr_exit fr_cmd_network_resume(struct fr_cli *cli);
enum fr_exit fr_cmd_network_show(struct fr_cli *cli);
enum fr_exit fr_cmd_network_list(struct fr_cli *cli);
enum fr_exit fr_cmd_joineui_add(struct fr_cli *cli);
enum fr_exit fr_cmd_joineui_remove(struct fr_cli *cli);
enum fr_exit fr_cmd_joineui_list(struct fr_cli *cli);
enum fr_exit fr_cmd_joineui_show(struct fr_cli *cli);
enum fr_exit fr_cmd_joineui_conflicts(struct fr_cli *cli);
enum fr_exit fr_cmd_policy_show(struct fr_cli *cli);
enum fr_exit fr_cmd_policy_set(struct fr_cli *cli);
enum fr_exit fr_cmd_stats_roaming(struct fr_cli *cli);
enum fr_exit fr_cmd_replica_init(struct fr_cli *cli);
enum fr_exit fr_cmd_replica_status(struct fr_cli *cli);
enum fr_exit fr_cmd_replica_list(struct fr_cli *cli);
enum fr_exit fr_cmd_promote(struct fr_cli *cli);
enum fr_exit fr_cmd_diverged_list(struct fr_cli *cli);
enum fr_exit fr_cmd_diverged_apply(struct fr_cli *cli);
enum fr_exit fr_cmd_diverged_drop(struct fr_cli *cli);
enum fr_exit fr_cmd_store_digest(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_primary_set(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_primary_list(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_primary_show(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_primary_refresh(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_primary_remove(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_secondary_add(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_secondary_list(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_secondary_remove(struct fr_cli *cli);
enum fr_exit fr_cmd_zone_accept(struct fr_cli *cli);
enum fr_exit fr_cmd_sync_chirpstack_v4(struct fr_cli *cli);
enum fr_exit fr_cmd_sync_chirpstack_v3(struct fr_cli *cli);
enum fr_exit fr_cmd_store_info(struct fr_cli *cli);
enum fr_exit fr_cmd_store_compact(struct fr_cli *cli);
enum fr_exit fr_cmd_store_upgrade(struct fr_cli *cli);
