/* How a run is told: as a word, a line, and JSON. */
#include "probe/run.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "names/netid.h"
#include "names/owner.h"

#include <stdio.h>

const char *fr_run_result(const struct fr_run *run)
{
    if (run->n == 0) return "none";
    return run->n_wrong > 0 ? "wrong" : "right";
}

void fr_run_print(const struct fr_run *run, char *out, size_t size)
{
    char netid[FR_NETID_TEXT], at[FR_ADDR_TEXT];

    out[0] = '\0';
    for (size_t i = 0; i < run->n; i++) {
        const struct fr_run_target *t = &run->targets[i];
        if (t->finding.wrong == FR_CHECK_STEPS) continue;
        fr_netid_print(t->netid, netid);
        fr_addr_print(&t->at, at);
        (void)snprintf(out, size, "%s %s %s: %s", netid, at, fr_check_step_text(t->finding.wrong),
                       t->finding.seen); /* a long one is cut */
        return;
    }
}

static void write_steps(const struct fr_check_finding *f, struct fr_json *j)
{
    fr_json_key(j, "steps");
    fr_json_array(j);
    for (int i = 0; i < FR_CHECK_STEPS; i++) {
        const enum fr_check_step step = (enum fr_check_step)i;
        fr_json_object(j);
        fr_json_put_str(j, "step", fr_check_step_text(step));
        fr_json_put_str(j, "state",
                        step < f->wrong    ? "right"
                        : step == f->wrong ? "wrong"
                                           : "untried");
        if (step == f->wrong) {
            fr_json_put_str(j, "seen", f->seen);
            fr_json_put_str(j, "todo", f->todo);
        }
        fr_json_end(j);
    }
    fr_json_end(j);
}

static enum fr_err write_target(const struct fr_run_target *t, const char *federation,
                                struct fr_json *j)
{
    char netid[FR_NETID_TEXT], at[FR_ADDR_TEXT], name[FR_OWNER_TEXT];
    const struct fr_owner owner = {.kind = FR_OWNER_NETID, .netid = t->netid};
    enum fr_err err = fr_owner_print(&owner, federation, name);

    fr_netid_print(t->netid, netid);
    fr_addr_print(&t->at, at);
    if (err) return err;
    fr_json_object(j);
    fr_json_put_str(j, "netid", netid);
    fr_json_put_str(j, "name", name);
    fr_json_put_str(j, "endpoint", at);
    fr_json_put_str(j, "result", t->finding.wrong == FR_CHECK_STEPS ? "right" : "wrong");
    fr_json_put_uint(j, "ms", t->finding.ms);
    write_steps(&t->finding, j);
    fr_json_end(j);
    return FR_OK;
}

enum fr_err fr_run_write(const struct fr_run *run, const char *federation, struct fr_buf *out)
{
    struct fr_json json = fr_json(out), *j = &json;
    char when[FR_TIME_TEXT];
    enum fr_err err = FR_OK;

    fr_time_print(run->when_s, when);
    fr_json_object(j);
    fr_json_put_str(j, "member", run->member);
    fr_json_put_str(j, "when", when);
    fr_json_put_str(j, "result", fr_run_result(run));
    if (run->left_out > 0) fr_json_put_uint(j, "left_out", run->left_out);
    fr_json_key(j, "endpoints");
    fr_json_array(j);
    for (size_t i = 0; !err && i < run->n; i++) err = write_target(&run->targets[i], federation, j);
    fr_json_end(j);
    fr_json_end(j);
    return err ? err : fr_buf_err(out);
}
