#pragma once
/* The handlers of the API, as the table in routes.c names them; each is in the file of its subject.
 * Every one answers its exchange, now or later. See api/call.h. */

#include "api/route.h"

void fr_api_feed(struct fr_api_call *call);
void fr_api_batch_post(struct fr_api_call *call); /* one without a body; see api/batch.h */
void fr_api_device_get(struct fr_api_call *call);
void fr_api_device_put(struct fr_api_call *call);
void fr_api_device_delete(struct fr_api_call *call);
void fr_api_certificates_get(struct fr_api_call *call);
void fr_api_joineui_get(struct fr_api_call *call);
void fr_api_joineui_put(struct fr_api_call *call);
void fr_api_joineui_delete(struct fr_api_call *call);
void fr_api_joineuis_get(struct fr_api_call *call);
void fr_api_leave(struct fr_api_call *call);
void fr_api_device_hide(struct fr_api_call *call);
void fr_api_device_release(struct fr_api_call *call);
void fr_api_device_withdraw(struct fr_api_call *call);
void fr_api_device_claim(struct fr_api_call *call);
void fr_api_devices_get(struct fr_api_call *call);
void fr_api_releases_get(struct fr_api_call *call);
void fr_api_conflicts_get(struct fr_api_call *call);
void fr_api_zones_get(struct fr_api_call *call);
void fr_api_zone_refresh(struct fr_api_call *call);
void fr_api_zone_accept(struct fr_api_call *call);
void fr_api_changes_get(struct fr_api_call *call);
void fr_api_networks_get(struct fr_api_call *call);
void fr_api_network_put(struct fr_api_call *call);
void fr_api_renewal_get(struct fr_api_call *call);
void fr_api_grants_get(struct fr_api_call *call);
void fr_api_grant_get(struct fr_api_call *call);
void fr_api_grant_put(struct fr_api_call *call);
void fr_api_grant_delete(struct fr_api_call *call);
void fr_api_operation_post(struct fr_api_call *call);
void fr_api_probe_post(struct fr_api_call *call);
