#include "doctor/doctor.h"

#include "doctor/doctor_priv.h"

#include <stdarg.h>
#include <stdio.h>

void fr_doctor_tell(struct fr_doctor *d, enum fr_symptom_level level, const char *check,
                    const char *mend, const char *fmt, ...)
{
    struct fr_symptom symptom = {.level = level, .check = check};
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(symptom.what, sizeof symptom.what, fmt, args);
    va_end(args);
    (void)snprintf(symptom.mend, sizeof symptom.mend, "%s", mend);
    d->fn(d->data, &symptom);
}

const char *fr_symptom_level_text(enum fr_symptom_level level)
{
    static const char *const words[] = {[FR_SYMPTOM_PLAN] = "plan",
                                        [FR_SYMPTOM_WARNING] = "warning",
                                        [FR_SYMPTOM_CRITICAL] = "critical"};
    return words[level];
}

enum fr_err fr_doctor_examine(const struct fr_doctor_options *options, fr_symptom_fn fn, void *data,
                              struct fr_diag *diag, struct fr_doctor_figures *figures)
{
    struct fr_doctor d = {
        .o = *options, .fn = fn, .data = data, .figures = {-1, -1, -1, -1, -1, -1, 0, 0}};
    enum fr_err err = fr_feed_get(options->snap, &d.feed);
    if (!err) err = fr_doctor_look_files(&d);
    if (!err) err = fr_doctor_look_notices(&d);
    if (!err) err = fr_doctor_look_state(&d, diag);
    if (!err) *figures = d.figures;
    return err;
}
