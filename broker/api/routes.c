/* Every row of the API. */
#include "api/rows.h"

#include "store/cert.h"

const struct fr_api_route fr_api_routes[] = {
    {"GET", FR_API_ROOT "/changes", FR_RIGHT_PUBLISH, fr_api_changes_get},
    {"GET", FR_API_ROOT "/devices", FR_RIGHT_PUBLISH, fr_api_devices_get},
    {"POST", FR_API_ROOT "/devices:batch", FR_RIGHT_PUBLISH, fr_api_batch_post},
    {"GET", FR_API_ROOT "/devices/{eui}", FR_RIGHT_PUBLISH, fr_api_device_get},
    {"PUT", FR_API_ROOT "/devices/{eui}", FR_RIGHT_PUBLISH, fr_api_device_put},
    {"DELETE", FR_API_ROOT "/devices/{eui}", FR_RIGHT_PUBLISH, fr_api_device_delete},
    {"POST", FR_API_ROOT "/devices/{eui}/claim", FR_RIGHT_PUBLISH, fr_api_device_claim},
    {"PUT", FR_API_ROOT "/devices/{eui}/hidden", FR_RIGHT_PUBLISH, fr_api_device_hide},
    {"PUT", FR_API_ROOT "/devices/{eui}/release", FR_RIGHT_PUBLISH, fr_api_device_release},
    {"DELETE", FR_API_ROOT "/devices/{eui}/release", FR_RIGHT_PUBLISH, fr_api_device_withdraw},
    {"GET", FR_API_ROOT "/conflicts", FR_RIGHT_PUBLISH, fr_api_conflicts_get},
    {"GET", FR_API_ROOT "/releases", FR_RIGHT_PUBLISH, fr_api_releases_get},
    {"GET", FR_API_ROOT "/zones", FR_RIGHT_PUBLISH, fr_api_zones_get},
    {"POST", FR_API_ROOT "/zones/{zone}/accept", FR_RIGHT_PUBLISH, fr_api_zone_accept},
    {"POST", FR_API_ROOT "/zones/{zone}/refresh", FR_RIGHT_PUBLISH, fr_api_zone_refresh},
    {"GET", FR_API_ROOT "/certificates", 0, fr_api_certificates_get},
    {"GET", FR_API_FEED, FR_RIGHT_REPLICA, fr_api_feed},
    {"POST", FR_API_ROOT "/leave", 0, fr_api_leave},
    {"GET", FR_API_ROOT "/networks", FR_RIGHT_LOOKUP, fr_api_networks_get},
    {"PUT", FR_API_ROOT "/networks/{netid}", FR_RIGHT_PUBLISH, fr_api_network_put},
    {"POST", FR_API_ROOT "/operations/{op}", 0, fr_api_operation_post},
    {"POST", FR_API_ROOT "/probe", 0, fr_api_probe_post},
    {"GET", FR_API_ROOT "/renewal", 0, fr_api_renewal_get},
    {"GET", FR_API_ROOT "/visibility", FR_RIGHT_PUBLISH, fr_api_grants_get},
    {"GET", FR_API_ROOT "/visibility/{visited}", FR_RIGHT_PUBLISH, fr_api_grant_get},
    {"PUT", FR_API_ROOT "/visibility/{visited}", FR_RIGHT_PUBLISH, fr_api_grant_put},
    {"DELETE", FR_API_ROOT "/visibility/{visited}", FR_RIGHT_PUBLISH, fr_api_grant_delete},
    {NULL, NULL, 0, NULL},
};
