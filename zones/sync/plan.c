#include "sync/plan.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct stream {
    fr_sync_stream_fn next;
    void *data;
    const char *name;
    uint64_t eui, n;
    bool is_over;
};

struct fr_sync_plan {
    FILE *file;
    struct fr_sync_report report;
};

void fr_sync_plan_free(struct fr_sync_plan *plan)
{
    if (!plan) return;
    if (plan->file) (void)fclose(plan->file);
    fr_free(plan);
}

const struct fr_sync_report *fr_sync_plan_report(const struct fr_sync_plan *plan)
{
    return &plan->report;
}

bool fr_sync_plan_is_held(const struct fr_sync_plan *plan, uint32_t max_percent)
{
    return plan->report.withdrawn >
           plan->report.had / 100 * max_percent + plan->report.had % 100 * max_percent / 100;
}

static enum fr_err advance(struct stream *s, struct fr_diag *diag)
{
    uint64_t eui = 0;
    if (s->is_over) return FR_OK;
    enum fr_err err = s->next(s->data, diag, &eui);
    if (err == FR_E_CLOSED) {
        s->is_over = true;
        return FR_OK;
    }
    if (err) return err;
    if (s->n > 0 && eui <= s->eui)
        return fr_diag_fail(diag, FR_E_MALFORMED, "%s does not list in order: %016" PRIx64, s->name,
                            eui);
    s->eui = eui;
    s->n++;
    return FR_OK;
}

static enum fr_err note(struct fr_sync_plan *plan, bool is_put, uint64_t eui, struct fr_diag *diag)
{
    struct fr_sync_report *r = &plan->report;
    uint8_t record[1 + sizeof eui];
    uint64_t *count = is_put ? &r->put : &r->withdrawn;
    if (*count < FR_SYNC_EXAMPLES) (is_put ? r->put_examples : r->withdrawn_examples)[*count] = eui;
    ++*count;
    record[0] = is_put;
    memcpy(record + 1, &eui, sizeof eui);
    if (fwrite(record, sizeof record, 1, plan->file) == 1) return FR_OK;
    return fr_diag_fail(diag, FR_E_IO, "the list of differences cannot be written (disk full?)");
}

static enum fr_err compare(struct fr_sync_plan *plan, struct stream *wanted, struct stream *had,
                           struct fr_diag *diag)
{
    enum fr_err err = advance(wanted, diag);
    if (!err) err = advance(had, diag);
    while (!err && !(wanted->is_over && had->is_over)) {
        const bool is_new = had->is_over || (!wanted->is_over && wanted->eui < had->eui);
        const bool is_gone = wanted->is_over || (!had->is_over && had->eui < wanted->eui);
        if (is_new || is_gone) err = note(plan, is_new, is_new ? wanted->eui : had->eui, diag);
        if (!err && !is_gone) err = advance(wanted, diag);
        if (!err && !is_new) err = advance(had, diag);
    }
    plan->report.wanted = wanted->n;
    plan->report.had = had->n;
    return err;
}

enum fr_err fr_sync_plan_make(fr_sync_stream_fn wanted, void *wanted_data, fr_sync_stream_fn had,
                              void *had_data, struct fr_diag *diag, struct fr_sync_plan **out)
{
    struct stream w = {.next = wanted, .data = wanted_data, .name = "the database"};
    struct stream h = {.next = had, .data = had_data, .name = "the broker"};
    struct fr_sync_plan *plan = fr_calloc(1, sizeof *plan);
    if (!plan) return FR_E_NOMEM;
    plan->file = tmpfile();
    enum fr_err err =
        plan->file ? FR_OK : fr_diag_fail(diag, FR_E_CREATE, "no temporary file can be made");
    if (!err) err = compare(plan, &w, &h, diag);
    if (!err && (fflush(plan->file) != 0 || fseek(plan->file, 0, SEEK_SET) != 0)) err = FR_E_IO;
    if (err) {
        fr_sync_plan_free(plan);
        return err;
    }
    *out = plan;
    return FR_OK;
}

enum fr_err fr_sync_plan_next(struct fr_sync_plan *plan, bool *is_put, uint64_t *deveui)
{
    uint8_t record[1 + sizeof *deveui];
    if (fread(record, sizeof record, 1, plan->file) != 1)
        return ferror(plan->file) ? FR_E_IO : FR_E_CLOSED;
    *is_put = record[0];
    memcpy(deveui, record + 1, sizeof *deveui);
    return FR_OK;
}
