/* Every row of the API. */
#include "api/rows.h"

#include "store/cert.h"

const struct fr_api_route fr_api_routes[] = {
    {"POST", FR_API_ROOT "/devices:batch", FR_RIGHT_PUBLISH, fr_api_batch_post},
    {"GET", FR_API_ROOT "/devices/{eui}", FR_RIGHT_PUBLISH, fr_api_device_get},
    {"PUT", FR_API_ROOT "/devices/{eui}", FR_RIGHT_PUBLISH, fr_api_device_put},
    {"DELETE", FR_API_ROOT "/devices/{eui}", FR_RIGHT_PUBLISH, fr_api_device_delete},
    {"GET", FR_API_ROOT "/certificates", 0, fr_api_certificates_get},
    {"GET", FR_API_ROOT "/feed", FR_RIGHT_REPLICA, fr_api_feed},
    {"POST", FR_API_ROOT "/leave", 0, fr_api_leave},
    {NULL, NULL, 0, NULL},
};
