/* The run functions of this folder's commands; their table is in commands.c. */
#pragma once

#include "base/cli.h"

enum fr_exit fr_cmd_join(struct fr_cli *cli);
enum fr_exit fr_cmd_renew(struct fr_cli *cli);
enum fr_exit fr_cmd_wallet_list(struct fr_cli *cli);
enum fr_exit fr_cmd_wallet_show(struct fr_cli *cli);
enum fr_exit fr_cmd_peers_list(struct fr_cli *cli);
enum fr_exit fr_cmd_peers_watch(struct fr_cli *cli);
enum fr_exit fr_cmd_leave(struct fr_cli *cli);
enum fr_exit fr_cmd_export_pem(struct fr_cli *cli);
enum fr_exit fr_cmd_export_p12(struct fr_cli *cli);
enum fr_exit fr_cmd_export_chirpstack_v3(struct fr_cli *cli);
enum fr_exit fr_cmd_export_chirpstack_v4(struct fr_cli *cli);
enum fr_exit fr_cmd_export_curl(struct fr_cli *cli);
enum fr_exit fr_cmd_test_inbound(struct fr_cli *cli);
