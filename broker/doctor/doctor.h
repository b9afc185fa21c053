#pragma once
/*
 * What is wrong with a federation on this machine, and what to type to mend it.
 *
 * Model: an examination looks at the state directory and at one snapshot of its store, and tells *symptoms*, each with the name
 *   of its check, how bad it is, a sentence, and a command. Nothing is changed. A *deep* one also reads every row and the whole
 *   audit trail. *Figures* are measured beside that, for those who draw curves.
 *   Levels: what is to be *planned* needs nothing today; a *warning* wants somebody's attention in working hours; *critical* is what
 *   fails now, or will within days. Ends of life and what the broker has noted are those of alarm/survey.h, in the same stages, with
 *   who acknowledged the notice about it (store/notice.h).
 * Owns: nothing; borrows store and snap. Threads: one; blocks.
 * Errors: what keeps it from looking at all; everything else is a symptom.
 * Units and limits: Unix seconds; -1 in a figure: not known.
 * Trust: our own files.
 */
#include "base/diag.h"
#include "store/store.h"

#include <stdbool.h>

enum fr_symptom_level { FR_SYMPTOM_PLAN, FR_SYMPTOM_WARNING, FR_SYMPTOM_CRITICAL };
const char *fr_symptom_level_text(enum fr_symptom_level level); /* "plan", "warning", "critical" */

#define FR_SYMPTOM_WHAT 400
#define FR_SYMPTOM_MEND 301
#define FR_SYMPTOM_ACKED 600

struct fr_symptom {
    enum fr_symptom_level level;
    const char *check; /* "clock", "root-key", …; static */
    char what[FR_SYMPTOM_WHAT];
    char mend[FR_SYMPTOM_MEND]; /* a command, or what to do; "": the sentence says it */
    char acked
        [FR_SYMPTOM_ACKED]; /* "local:ada: they renew on Monday"; "": nobody has acknowledged it */
};
typedef void (*fr_symptom_fn)(void *data, const struct fr_symptom *symptom);

struct fr_doctor_figures {
    int64_t root_left_s, issuing_left_s, server_left_s; /* to their ends */
    int64_t list_left_s;                                /* of the list that ends first */
    int64_t disk_free_percent, backup_age_s, unknown, overdue;
};

struct fr_doctor_options {
    const char *state;
    struct fr_store *store;
    struct fr_snap *snap;
    int64_t now_s;
    bool is_deep;
};
enum fr_err fr_doctor_examine(const struct fr_doctor_options *options, fr_symptom_fn fn, void *data,
                              struct fr_diag *diag, struct fr_doctor_figures *figures);
