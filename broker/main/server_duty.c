#include "main/server_duty.h"

#include "base/mem.h"
#include "ca/ca.h"

/* Without the key, as after a promotion, every renewal would be refused. */
static bool can_issue(const char *state, struct fr_store *store)
{
    char name[FR_HOST_MAX + 1];
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (!err) err = fr_ca_find_active(snap, NULL, name);
    fr_snap_end(snap);
    return !err && fr_ca_has_key(state, name);
}

void fr_server_duty_look(struct fr_server_watch *watch, const char *state, struct fr_store *store,
                         struct fr_writer *writer, const struct fr_clock *clock)
{
    static const struct fr_admin_request request = {.op = "server.renew"};
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "broker"};
    struct fr_task *task = NULL;
    char *path = fr_path_join(state, "server.chain.pem");
    if (!path) return;
    const bool is_due = fr_server_watch_is_due(watch, path, store, clock);
    fr_free(path);
    if (!is_due || !can_issue(state, store)) return;
    if (fr_task_new(&request, &actor, NULL, &task)) return;
    if (fr_writer_submit(writer, task, NULL, NULL, NULL))
        fr_task_free(task); /* busy: the next look asks again */
    else
        fr_server_watch_asked(watch, clock);
}
