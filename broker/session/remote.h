/* Commands of members: what is done on the federation's host with --state is done from a member's own
 * machine with --broker, by the broker's HTTPS API and the member's certificate.
 *
 * Owns     A publisher is the caller's.
 * Errors   Those of publish/, and of the operation as the broker refuses it. */
#pragma once

#include "admin/admin.h"
#include "base/cli.h"
#include "publish/client.h"

/* Rows of a command's options. */
#define FR_REMOTE_OPTIONS                                                                          \
    {.name = "broker",                                                                             \
     .value = "URL",                                                                               \
     .help = "ask this broker, as the member whose certificate it is"},                            \
        {.name = "config",                                                                         \
         .value = "FILE",                                                                          \
         .help = "with --broker: where certificate and addresses are (" FR_RESOLVER_YAML ")"},     \
        {.name = "certificate", .value = "FILE", .help = "instead of the file's"},                 \
        {.name = "key", .value = "FILE", .help = "instead of the file's"},                         \
        {.name = "ca", .value = "FILE", .help = "instead of the file's"},                          \
    {                                                                                              \
        .name = "address", .value = "IP", .help = "instead of the file's"                          \
    }

bool fr_remote_is_meant(const struct fr_cli *cli);
enum fr_err fr_remote_open(const struct fr_cli *cli, struct fr_diag *diag,
                           struct fr_publisher **out);

/* One operation. */
enum fr_err fr_remote_change(const struct fr_cli *cli, const struct fr_admin_request *request,
                             struct fr_diag *diag, struct fr_admin_reply **out);

/* A resource, as a reply. */
enum fr_err fr_remote_get(struct fr_publisher *publisher, const char *target, struct fr_diag *diag,
                          struct fr_admin_reply **out);
