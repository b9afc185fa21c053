#pragma once
/* Error codes of the house as those of the public interface. */

#include "base/err.h"
#include <fedroam/error.h>

/* The nearest public code; FEDROAM_OK for FR_OK. */
enum fedroam_err fr_public_err(enum fr_err err);
