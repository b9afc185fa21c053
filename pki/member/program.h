/* Other programs, run and waited for.
 *
 * Threads  One. Errors: FR_E_NOT_FOUND (no such program), FR_E_IO (it cannot be run, or says that it
 *          failed); diag says how it ended.
 * Trust    What is run is the administrator's. */
#pragma once

#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A line for the shell. */
enum fr_err fr_program_shell(const char *line, struct fr_diag *diag);

/* argv ends with NULL; what it prints is talk, and goes to our standard error. */
enum fr_err fr_program_run(const char *const *argv, struct fr_diag *diag);

/* The path of a program of this house: beside this one, or where the system keeps them. False: it is
 * not there. */
bool fr_program_find(const char *name, char *out, size_t size);
