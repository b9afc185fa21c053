#pragma once
/* Random bytes from the kernel; never blocks after boot. */

#include "base/err.h"
#include <stddef.h>

enum fr_err fr_random(void *out, size_t n);
