#pragma once
/*
 * Another program, run once beside the loop: given some bytes, a time, and nothing else.
 *
 * Model: the program gets the bytes on standard input, an environment of PATH and LC_ALL, the folder / and a session of its own; what it
 *   writes to standard output and error is read and the beginning kept. No shell, no descriptor of this process, no privilege that this
 *   process lacks (setuid bits do nothing), and it ends with this process. When it is late, it and its session's group are killed.
 * Owns: copies of nothing: argv and input are used up by the start. Threads: the loop's; the process may have others.
 * Errors: of starting: FR_E_IO, FR_E_NOMEM, FR_E_LIMIT (input above FR_CHILD_INPUT_MAX). Afterwards: a sentence.
 * Units and limits: FR_CHILD_OUTPUT_MAX bytes of output are kept, the rest is read and dropped.
 * Trust: what it writes is the program's.
 */
#include "base/diag.h"
#include "base/span.h"
#include "transport/loop.h"

#define FR_CHILD_INPUT_MAX 32768 /* fits into a pipe at once */
#define FR_CHILD_OUTPUT_MAX 4096

struct fr_child;

/* From the loop, once; may free the child. why "": it ended with 0. */
typedef void (*fr_child_done_fn)(void *data, const char *why, struct fr_span output);

enum fr_err fr_child_start(struct fr_loop *loop, char *const *argv, struct fr_span input,
                           uint32_t limit_ms, fr_child_done_fn done, void *data,
                           struct fr_diag *diag, struct fr_child **out);

/* Kills it if it still runs; done is not called any more. NULL is legal. */
void fr_child_free(struct fr_child *child);
