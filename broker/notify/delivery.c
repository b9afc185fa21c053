#include "notify/delivery.h"

#include "base/mem.h"

#include <stdio.h>

struct fr_delivery {
    struct fr_loop *loop;
    struct fr_child *child;
    struct fr_post_job *post;
    struct fr_defer end;
    char why[400];
    fr_delivery_done_fn done;
    void *data;
};

bool fr_delivery_is_set(const struct fr_notify_conf *conf, enum fr_notice_way way)
{
    return way == FR_NOTICE_BY_EXEC ? conf->n_exec > 0 : conf->post != NULL;
}

const char *fr_notice_way_text(enum fr_notice_way way)
{
    return way == FR_NOTICE_BY_EXEC ? "exec" : "post";
}

static void on_end(struct fr_defer *defer)
{
    struct fr_delivery *d = defer->data;
    d->done(d->data, d->why);
}

/* What has ended may not be freed from inside of its call-back. */
static void end(struct fr_delivery *d, const char *why)
{
    (void)snprintf(d->why, sizeof d->why, "%s", why);
    fr_loop_defer(d->loop, &d->end);
}

/* The first line of what the program wrote says more than its exit code. */
static void on_child(void *data, const char *why, struct fr_span output)
{
    char text[400];
    int n = 0;

    while (n < 200 && (size_t)n < output.n && output.p[n] != '\n') n++;
    if (why[0] == '\0' || n == 0) {
        end(data, why);
        return;
    }
    (void)snprintf(text, sizeof text, "%s: %.*s", why, n, (const char *)output.p);
    end(data, text);
}

static void on_post(void *data, const char *why)
{
    end(data, why);
}

struct fr_delivery *fr_delivery_start(struct fr_loop *loop, const struct fr_notify_conf *conf,
                                      enum fr_notice_way way, struct fr_span json,
                                      fr_delivery_done_fn done, void *data)
{
    struct fr_diag diag = {0};
    struct fr_delivery *d = fr_calloc(1, sizeof *d);
    enum fr_err err = FR_OK;

    if (!d) return NULL;
    *d = (struct fr_delivery){.loop = loop, .done = done, .data = data};
    fr_defer_init(&d->end, on_end, d);
    if (way == FR_NOTICE_BY_EXEC)
        err = fr_child_start(loop, conf->exec, json, conf->exec_ms, on_child, d, &diag, &d->child);
    else
        err = fr_post_start(loop, conf, json, on_post, d, &diag, &d->post);
    if (err) end(d, diag.what[0] ? diag.what : fr_err_text(err));
    return d;
}

void fr_delivery_free(struct fr_delivery *d)
{
    if (!d) return;
    fr_defer_cancel(&d->end);
    fr_child_free(d->child);
    fr_post_free(d->post);
    fr_free(d);
}
