#pragma once
/* The run functions of this folder's commands; their table is in commands.c. */

#include "base/cli.h"

#define FR_RESOLVER_CONFIG "/etc/fedroam/resolver.yaml"

enum fr_exit fr_cmd_resolve(struct fr_cli *cli);
enum fr_exit fr_cmd_why(struct fr_cli *cli);
enum fr_exit fr_cmd_test_dns(struct fr_cli *cli);
enum fr_exit fr_cmd_test_doh(struct fr_cli *cli);
enum fr_exit fr_cmd_test_peer(struct fr_cli *cli);
