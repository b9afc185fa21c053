#pragma once
/* For programs whose memory holds private keys: no core file, no debugger of the same user.
 *
 * Threads: for main(), once at the start, and with false at the end, when every key is gone, so
 * that leak checkers may look. That no core file is written stays. */
#include <stdbool.h>

void fr_process_seal(bool is_sealed);
