#pragma once
/* Sizes of what a federation's rows hold, without the terminating NUL. */
#define FR_FEDERATION_MAX 200
#define FR_URL_MAX 512
#define FR_POOL_MAX 13
#define FR_MEMBER_ID_MAX 32
#define FR_ORG_MAX 128
#define FR_CONTACT_MAX 254
#define FR_ENDPOINTS_MAX 8
#define FR_HOST_MAX 63
#define FR_DNS_NAME_MAX 253
#define FR_ROW_NAMES_MAX 4
#define FR_SERIAL_SIZE 16
#define FR_PINS_MAX 16 /* keys published for one NetID; a certificate for another is not issued */
#define FR_DIGEST_SIZE 32
#define FR_ACTOR_MAX 64
#define FR_REASON_MAX 512
