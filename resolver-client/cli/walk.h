#pragma once
/* A walk along everything that must be right, step by step, up to the first thing that is wrong.
 *
 * Model: each step says what was looked at and what was seen: right, worth a look (the way goes
 *   on), or wrong (the walk is over, later steps are not added). A wrong step and one worth a look
 *   say what to do.
 * Owns: its texts. Threads: one. Errors: none; texts are cut at their size. Units and limits:
 *   FR_WALK_STEPS steps, later ones worth nothing but a wrong one are left out.
 * Trust: texts may hold a peer's words; the writers of results escape. */

#include "base/cli.h"
#include "base/diag.h"
#include <stdbool.h>
#include <stdint.h>

enum { FR_WALK_STEPS = 64 };

enum fr_step_state { FR_STEP_RIGHT, FR_STEP_DOUBT, FR_STEP_WRONG };

struct fr_step {
    const char *name; /* a literal: "certificate" */
    enum fr_step_state state;
    char seen[512];
    char todo[512]; /* "" for a right one */
};

struct fr_walk {
    size_t n;
    struct fr_step steps[FR_WALK_STEPS];
    enum fr_exit code; /* of the first wrong step; FR_EXIT_WARNINGS after a doubt */
};

bool fr_walk_is_over(const struct fr_walk *walk);

void fr_walk_right(struct fr_walk *walk, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What to do is said next, with fr_walk_todo(). */
void fr_walk_doubt(struct fr_walk *walk, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void fr_walk_wrong(struct fr_walk *walk, enum fr_exit code, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A failure that brings its own sentence; its hint is what to do. */
void fr_walk_fail(struct fr_walk *walk, const char *name, enum fr_err err,
                  const struct fr_diag *diag);

void fr_walk_todo(struct fr_walk *walk, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same of a walk about something else: {key: value, "result", "steps"}. */
enum fr_err fr_walk_print_of(const struct fr_walk *walk, const char *key, const char *value,
                             enum fr_output output, FILE *out);

/* Text: a line for each step. JSON: {"deveui", "result": "right|doubt|wrong", "steps": [...]}.
 * FR_E_IO, FR_E_NOMEM. */
enum fr_err fr_walk_print(const struct fr_walk *walk, uint64_t deveui, enum fr_output output,
                          FILE *out);
