/* A request on control.sock: first byte = operation and form, then its content. Operations run as
 * dry runs on a small store. */
#include "admin/message.h"
#include "admin/op.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fr_admin_fed *fed;

static void run(const char *op, const char *args, struct fr_span body, bool dry_run)
{
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "local:fuzz"};
    const struct fr_admin_request request = {
        .op = op, .args = args, .body = body, .dry_run = dry_run};
    struct fr_admin_reply *reply = NULL;
    struct fr_task *task = NULL;
    struct fr_diag diag = {0};
    if (fr_task_new(&request, &actor, &diag, &task)) return;
    fr_admin_run(fed, task);
    (void)!fr_task_take_reply(task, &diag, &reply);
    fr_admin_reply_free(reply);
    fr_task_free(task);
}

static void start(void)
{
    char dir[] = "/tmp/fedroam-fuzz-XXXXXX", path[64];
    const struct rlimit size = {256u << 20, 256u << 20}; /* the audit file must not fill the disk */
    struct fr_store *store = NULL;
    struct fr_diag diag = {0};
    if (!mkdtemp(dir)) abort();
    if (fr_store_create(&(struct fr_store_options){.dir = dir, .map_size = 1u << 26},
                        &(struct fr_store_new){.federation = "fed.test"}, &diag, &store))
        abort();
    const struct fr_admin_fed_options options = {
        .state = dir, .store = store, .clock = fr_clock_system()};
    if (fr_admin_fed_new(&options, &diag, &fed)) abort();
    run("member.add", "{\"id\":\"acme\",\"netids\":[\"000013\"]}", (struct fr_span){0}, false);
    static const char *const files[] = {"data.mdb", "lock.mdb", "audit.jsonl"};
    for (size_t i = 0; i < 3; i++) { /* they live on as long as they are open */
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_admin_message message = {0};
    struct fr_diag diag = {0};
    size_t n = 0;
    if (!fed) start();
    if (size == 0) return 0;
    while (fr_ops[n].name) n++;
    if (fr_admin_message_read(data[0] & 0x80, fr_span(data + 1, size - 1), &diag, &message))
        return 0;
    run(fr_ops[(data[0] & 0x7f) % n].name, message.request.args, message.request.body, true);
    fr_admin_message_free(&message);
    return 0;
}
