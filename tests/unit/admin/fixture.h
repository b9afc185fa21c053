#pragma once
/* A store in a temporary folder with a federation open for changes; member acme with network
 * 000013. */

#include "admin/engine.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    char dir[64];
    struct fr_store *store;
    struct fr_admin_fed *fed;
};

static struct fr_task *task_make(const char *op, const char *args, struct fr_span body,
                                 bool dry_run)
{
    const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "local:tester"};
    const struct fr_admin_request request = {
        .op = op, .args = args, .body = body, .reason = "test", .dry_run = dry_run};
    struct fr_task *task = NULL;
    struct fr_diag diag = {0};
    if (fr_task_new(&request, &actor, &diag, &task)) fail_msg("%s %s: %s", op, args, diag.what);
    return task;
}

/* Runs one and gives its code; the reply's JSON goes to `out`, the sentence when it was refused. */
static enum fr_err run_one(struct fixture *f, const char *op, const char *args, struct fr_span body,
                           bool dry_run, char out[4096])
{
    struct fr_task *task = task_make(op, args, body, dry_run);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    fr_admin_run(f->fed, task);
    enum fr_err err = fr_task_take_reply(task, &diag, &reply);
    (void)snprintf(out, 4096, "%s", err ? diag.what : fr_admin_reply_json(reply));
    fr_admin_reply_free(reply);
    fr_task_free(task);
    return err;
}

static int fixture_setup(void **state)
{
    static const struct fr_span none = {0};
    struct fixture *f = calloc(1, sizeof *f);
    struct fr_diag diag = {0};
    char out[4096];
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/fedroam-admin-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    const struct fr_store_options options = {.dir = f->dir, .map_size = 1u << 26};
    const struct fr_store_new fresh = {.federation = "fed.test"};
    if (fr_store_create(&options, &fresh, &diag, &f->store)) fail_msg("%s", diag.what);
    const struct fr_admin_fed_options fed = {
        .state = f->dir, .store = f->store, .clock = fr_clock_system()};
    if (fr_admin_fed_new(&fed, &diag, &f->fed)) fail_msg("%s", diag.what);
    if (run_one(f, "member.add",
                "{\"id\":\"acme\",\"netids\":[\"000013\"],\"endpoints\":[\"192.0.2.1:8005\"]}",
                none, false, out))
        fail_msg("%s", out);
    *state = f;
    return 0;
}

static int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    fr_admin_fed_free(f->fed);
    fr_store_close(f->store);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}
