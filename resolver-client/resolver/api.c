#include "resolver/host_loop.h"
#include "resolver/lookup.h"
#include "resolver/text.h"
#include "resolver/turns.h"

/* The public look-up functions: three that call back, three that block. */

static enum fedroam_err start(struct fedroam *f, enum fedroam_kind kind, uint64_t id,
                              const char *federation, uint32_t timeout_ms, fedroam_answer_cb done,
                              void *data, struct fedroam_lookup **out)
{
    if (!done || (kind == FEDROAM_NETWORK && id > 0xffffff)) return FEDROAM_E_ARGUMENT;
    struct fr_question q = {.kind = kind, .id = id};
    fr_enter(f);
    const struct fr_lookup_rule rule = fr_lookup_rule(f);
    enum fr_err err = fr_lookup_start(f, q, federation, &rule, timeout_ms, done, data, out);
    fr_leave(f);
    return fr_public_err(err);
}

enum fedroam_err fedroam_lookup_device(struct fedroam *f, const char *federation, uint64_t deveui,
                                       uint32_t timeout_ms, fedroam_answer_cb done, void *data,
                                       struct fedroam_lookup **out)
{
    return start(f, FEDROAM_DEVICE, deveui, federation, timeout_ms, done, data, out);
}

enum fedroam_err fedroam_lookup_network(struct fedroam *f, const char *federation, uint32_t netid,
                                        uint32_t timeout_ms, fedroam_answer_cb done, void *data,
                                        struct fedroam_lookup **out)
{
    return start(f, FEDROAM_NETWORK, netid, federation, timeout_ms, done, data, out);
}

enum fedroam_err fedroam_lookup_join_server(struct fedroam *f, const char *federation,
                                            uint64_t joineui, uint32_t timeout_ms,
                                            fedroam_answer_cb done, void *data,
                                            struct fedroam_lookup **out)
{
    return start(f, FEDROAM_JOIN_SERVER, joineui, federation, timeout_ms, done, data, out);
}

void fedroam_process_fd(struct fedroam *f, int fd, unsigned events)
{
    if (f->host_loop) fr_host_loop_fd(f->host_loop, fd, events);
}

void fedroam_process_timer(struct fedroam *f)
{
    if (f->host_loop) fr_host_loop_timer(f->host_loop);
}

struct waiting {
    bool is_done;
    struct fedroam_answer *answer; /* NULL when done: no memory for the copy */
};

static void on_answer(void *data, const struct fedroam_answer *answer)
{
    struct waiting *w = data;
    w->is_done = true;
    w->answer = fedroam_answer_dup(answer);
}

static enum fedroam_err wait_inside(struct fedroam *f, enum fedroam_kind kind, uint64_t id,
                                    const char *federation, uint32_t timeout_ms,
                                    struct fedroam_answer **out)
{
    struct waiting w = {0};
    if (fr_turns_is_calling_back(f)) return FEDROAM_E_STATE;
    enum fedroam_err err = start(f, kind, id, federation, timeout_ms, on_answer, &w, NULL);
    if (err) return err;
    while (!w.is_done) fr_turns_wait(f, &w.is_done); /* the handle's timers end the look-up */
    if (!w.answer) return FEDROAM_E_MEMORY;
    *out = w.answer;
    return FEDROAM_OK;
}

static enum fedroam_err wait_for(struct fedroam *f, enum fedroam_kind kind, uint64_t id,
                                 const char *federation, uint32_t timeout_ms,
                                 struct fedroam_answer **out)
{
    if (!f->own_loop) return FEDROAM_E_STATE;
    fr_enter(f);
    enum fedroam_err err = wait_inside(f, kind, id, federation, timeout_ms, out);
    fr_leave(f);
    return err;
}

enum fedroam_err fedroam_wait_device(struct fedroam *f, const char *federation, uint64_t deveui,
                                     uint32_t timeout_ms, struct fedroam_answer **out)
{
    return wait_for(f, FEDROAM_DEVICE, deveui, federation, timeout_ms, out);
}

enum fedroam_err fedroam_wait_network(struct fedroam *f, const char *federation, uint32_t netid,
                                      uint32_t timeout_ms, struct fedroam_answer **out)
{
    return wait_for(f, FEDROAM_NETWORK, netid, federation, timeout_ms, out);
}

enum fedroam_err fedroam_wait_join_server(struct fedroam *f, const char *federation,
                                          uint64_t joineui, uint32_t timeout_ms,
                                          struct fedroam_answer **out)
{
    return wait_for(f, FEDROAM_JOIN_SERVER, joineui, federation, timeout_ms, out);
}
