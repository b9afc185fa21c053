#pragma once

#include <fedroam/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a call of this library gives back. This is about the call; what became of a look-up is an
 * enum fedroam_result (answer.h). New values may be added at the end.
 */
enum FEDROAM_NODISCARD fedroam_err {
    FEDROAM_OK = 0,
    FEDROAM_E_MEMORY,     /* out of memory; nothing changed */
    FEDROAM_E_ARGUMENT,   /* an argument is out of range, or names something that is not there */
    FEDROAM_E_FEDERATION, /* no federation of that name is configured */
    FEDROAM_E_LIMIT,      /* a limit of the options is reached (look-ups in flight, list sizes) */
    FEDROAM_E_STATE,      /* not possible now: a blocking call on a handle with a host's loop */
    FEDROAM_E_SYSTEM      /* the operating system or the TLS library refused a resource */
};

/* One English sentence without a full stop. Static text, never NULL. */
FEDROAM_API const char *fedroam_err_text(enum fedroam_err err);

#ifdef __cplusplus
}
#endif
