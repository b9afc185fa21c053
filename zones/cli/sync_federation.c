#include "zones_cli/sync_federation.h"

#include "base/json_out.h"
#include "names/eui.h"
#include "names/netid.h"
#include "zones_cli/sync_target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUT_MAX 65536

struct count {
    uint64_t n, examples[FR_SYNC_EXAMPLES];
};

struct reading {
    const struct fr_sync_run *run;
    uint64_t read;
    struct count left_out[FR_SYNC_FATES];
};

struct result {
    const struct fr_sync_run *run;
    const struct reading *reading;
    const struct fr_sync_report *report;
    struct fr_sync_outcome outcome;
    bool is_held;
};

void fr_sync_outcome_refuse(struct fr_sync_outcome *outcome, uint64_t deveui, struct fr_span why)
{
    if (outcome->refused < FR_SYNC_EXAMPLES) {
        struct fr_sync_refusal *refusal = &outcome->examples[outcome->refused];
        refusal->deveui = deveui;
        if (!fr_span_copy(why, refusal->why, sizeof refusal->why)) refusal->why[0] = '\0';
    }
    outcome->refused++;
}

/* The next device that is to be published. */
static enum fr_err next_wanted(void *data, struct fr_diag *diag, uint64_t *deveui)
{
    struct reading *r = data;
    for (;;) {
        struct fr_sync_device device;
        enum fr_err err = fr_sync_source_next(r->run->source, diag, &device);
        if (err) return err;
        const enum fr_sync_fate fate = fr_sync_choose(r->run->fed, &device);
        struct count *count = &r->left_out[fate];
        r->read++;
        if (count->n < FR_SYNC_EXAMPLES) count->examples[count->n] = device.deveui;
        count->n++;
        if (fate != FR_SYNC_TAKEN) continue;
        *deveui = device.deveui;
        return FR_OK;
    }
}

/* --- what is said about it --- */

static void put_examples(struct fr_json *json, const char *key, const uint64_t *euis, uint64_t n)
{
    char text[FR_EUI_TEXT];
    fr_json_key(json, key);
    fr_json_array(json);
    for (uint64_t i = 0; i < n && i < FR_SYNC_EXAMPLES; i++) {
        fr_eui_print(euis[i], text);
        fr_json_str(json, text);
    }
    fr_json_end(json);
}

static void put_left_out(struct fr_json *json, const struct reading *reading)
{
    fr_json_key(json, "left_out");
    fr_json_object(json);
    for (unsigned i = FR_SYNC_TAKEN + 1; i < FR_SYNC_FATES; i++) {
        const struct count *count = &reading->left_out[i];
        if (!count->n) continue;
        fr_json_key(json, fr_sync_fate_key((enum fr_sync_fate)i));
        fr_json_object(json);
        fr_json_put_uint(json, "count", count->n);
        put_examples(json, "examples", count->examples, count->n);
        fr_json_end(json);
    }
    fr_json_end(json);
}

static void put_refusals(struct fr_json *json, const struct fr_sync_outcome *outcome)
{
    char text[FR_EUI_TEXT];
    fr_json_key(json, "refusals");
    fr_json_array(json);
    for (uint64_t i = 0; i < outcome->refused && i < FR_SYNC_EXAMPLES; i++) {
        fr_eui_print(outcome->examples[i].deveui, text);
        fr_json_object(json);
        fr_json_put_str(json, "deveui", text);
        fr_json_put_str(json, "why", outcome->examples[i].why);
        fr_json_end(json);
    }
    fr_json_end(json);
}

static void write_json(const struct result *r, struct fr_buf *out)
{
    struct fr_json json = fr_json(out);
    char netid[FR_NETID_TEXT];
    fr_netid_print(r->run->fed->netid, netid);
    fr_json_object(&json);
    fr_json_put_str(&json, "federation", r->run->fed->name);
    fr_json_put_str(&json, "netid", netid);
    fr_json_put_uint(&json, "read", r->reading->read);
    fr_json_put_uint(&json, "chosen", r->report->wanted);
    fr_json_put_uint(&json, "published", r->report->had);
    fr_json_put_uint(&json, "add", r->report->put);
    put_examples(&json, "add_examples", r->report->put_examples, r->report->put);
    fr_json_put_uint(&json, "withdraw", r->report->withdrawn);
    put_examples(&json, "withdraw_examples", r->report->withdrawn_examples, r->report->withdrawn);
    put_left_out(&json, r->reading);
    fr_json_put_bool(&json, "held", r->is_held);
    fr_json_put_uint(&json, "done", r->outcome.done);
    fr_json_put_uint(&json, "refused", r->outcome.refused);
    put_refusals(&json, &r->outcome);
    fr_json_end(&json);
    fr_buf_add_char(out, '\n');
}

static void write_euis(struct fr_buf *out, const uint64_t *euis, uint64_t n)
{
    for (uint64_t i = 0; i < n && i < FR_SYNC_EXAMPLES; i++)
        fr_buf_printf(out, "%s%016" PRIx64, i ? ", " : " (", euis[i]);
    if (n) fr_buf_add_str(out, n > FR_SYNC_EXAMPLES ? ", …)" : ")");
}

static void write_text(const struct result *r, struct fr_buf *out)
{
    fr_buf_printf(out,
                  "%s %06x: %" PRIu64 " devices read, %" PRIu64 " chosen, %" PRIu64 " published\n",
                  r->run->fed->name, (unsigned)r->run->fed->netid, r->reading->read,
                  r->report->wanted, r->report->had);
    fr_buf_printf(out, "  to add: %" PRIu64, r->report->put);
    write_euis(out, r->report->put_examples, r->report->put);
    fr_buf_printf(out, "\n  to withdraw: %" PRIu64, r->report->withdrawn);
    write_euis(out, r->report->withdrawn_examples, r->report->withdrawn);
    fr_buf_add_char(out, '\n');
    for (unsigned i = FR_SYNC_TAKEN + 1; i < FR_SYNC_FATES; i++) {
        const struct count *count = &r->reading->left_out[i];
        if (!count->n) continue;
        fr_buf_printf(out, "  left out, %s: %" PRIu64, fr_sync_fate_text((enum fr_sync_fate)i),
                      count->n);
        write_euis(out, count->examples, count->n);
        fr_buf_add_char(out, '\n');
    }
    if (r->outcome.done)
        fr_buf_printf(out, "  sent: %" PRIu64 ", refused: %" PRIu64 "\n", r->outcome.done,
                      r->outcome.refused);
    for (uint64_t i = 0; i < r->outcome.refused && i < FR_SYNC_EXAMPLES; i++)
        fr_buf_printf(out, "  refused: %016" PRIx64 " %s\n", r->outcome.examples[i].deveui,
                      r->outcome.examples[i].why);
}

static enum fr_err print(const struct result *r)
{
    struct fr_buf text = FR_BUF_INIT(OUT_MAX);
    FILE *out = fr_cli_out(r->run->cli);
    if (fr_cli_output(r->run->cli) == FR_OUTPUT_JSON)
        write_json(r, &text);
    else
        write_text(r, &text);
    enum fr_err err = fr_buf_err(&text);
    if (!err && (fputs(fr_buf_str(&text), out) < 0 || fflush(out) != 0)) err = FR_E_IO;
    fr_buf_deinit(&text);
    return err;
}

/* --- one run --- */

static enum fr_err hold(const struct result *r, struct fr_diag *diag)
{
    (void)fr_diag_fail(
        diag, FR_E_PENDING,
        "%s: %" PRIu64 " of %" PRIu64 " devices would be withdrawn, more than %u %%: "
        "nothing was sent",
        r->run->fed->name, r->report->withdrawn, r->report->had, (unsigned)r->run->max_withdraw);
    fr_diag_hint(diag, "if that is meant, run it once with --max-withdraw 100%%");
    return FR_E_PENDING;
}

static enum fr_err apply(struct result *r, struct fr_sync_target *target, struct fr_sync_plan *plan,
                         struct fr_diag *diag)
{
    r->report = fr_sync_plan_report(plan);
    /* No devices at all is a database that was emptied, or not filled yet; never a wish. */
    if (r->reading->read == 0 && r->report->had > 0)
        return fr_diag_fail(diag, FR_E_UNAVAILABLE,
                            "%s: the database has no devices at all: nothing is withdrawn",
                            r->run->fed->name);
    r->is_held = fr_sync_plan_is_held(plan, r->run->max_withdraw);
    enum fr_err err = FR_OK;
    if (!r->is_held && !r->run->is_dry && r->report->put + r->report->withdrawn > 0)
        err = target->kind->send(target, plan, &r->outcome, diag);
    const enum fr_err printed = print(r);
    if (!err) err = printed;
    return err || !r->is_held ? err : hold(r, diag);
}

enum fr_err fr_sync_federation(const struct fr_sync_run *run, struct fr_diag *diag,
                               uint64_t *refused)
{
    struct reading reading = {.run = run};
    struct result result = {.run = run, .reading = &reading};
    struct fr_sync_target *target = NULL;
    struct fr_sync_plan *plan = NULL;
    enum fr_err err = run->fed->state ? fr_sync_local_open(run->cli, run->fed, diag, &target)
                                      : fr_sync_remote_open(run->cli, run->fed, diag, &target);
    if (!err)
        err = fr_sync_plan_make(next_wanted, &reading, target->kind->next, target, diag, &plan);
    if (!err) err = apply(&result, target, plan, diag);
    fr_sync_plan_free(plan);
    if (target) target->kind->close(target);
    *refused += result.outcome.refused;
    return err;
}
