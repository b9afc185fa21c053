#pragma once
/* Inside of broker/doctor: an examination on its way. */
#include "doctor/doctor.h"
#include "store/feed.h"
#include "store/notice.h"

struct fr_doctor {
    struct fr_doctor_options o;
    fr_symptom_fn fn;
    void *data;
    struct fr_feed_state feed; /* what this broker is among the federation's */
    struct fr_doctor_figures figures;
    char trail[FR_NOTICE_WHAT_MAX + 1]; /* why the audit trail cannot be written; "": it can */
};

/* Tells a symptom; `mend` is text of its own, "" for none. */
void fr_doctor_tell(struct fr_doctor *d, enum fr_symptom_level level, const char *check,
                    const char *mend, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

enum fr_err
fr_doctor_look_notices(struct fr_doctor *d); /* what alarm/survey.h finds, and figures of ends */
enum fr_err fr_doctor_look_files(struct fr_doctor *d); /* owners, modes, disk, root's key, socket */
enum fr_err fr_doctor_look_state(struct fr_doctor *d, struct fr_diag *diag); /* store and trail */
