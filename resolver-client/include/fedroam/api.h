#pragma once

/* Attributes of the public functions: exported from the shared library, results not to be
 * dropped. */

#if defined(__GNUC__)
#define FEDROAM_API __attribute__((visibility("default")))
#else
#define FEDROAM_API
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201703L
#define FEDROAM_NODISCARD [[nodiscard]]
#endif
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ > 201710L
#define FEDROAM_NODISCARD [[nodiscard]]
#endif
#ifndef FEDROAM_NODISCARD
#define FEDROAM_NODISCARD
#endif
