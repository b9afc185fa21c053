#include "agent/desk.h"

#include "base/mem.h"

struct fr_desk {
    struct fr_source *source;
    const struct fr_log *log;
    struct fr_desk_counters counters;
    int64_t told_ms; /* when the log last told that no answer was to be had; 0: never */
    uint8_t answer[FR_STUB_ANSWER_MAX];
};

enum { TELL_EVERY_MS = 60000 };

enum fr_err fr_desk_new(struct fr_source *source, const struct fr_log *log, struct fr_desk **out)
{
    struct fr_desk *desk = fr_calloc(1, sizeof *desk);

    if (desk == NULL) return FR_E_NOMEM;
    desk->source = fr_source_ref(source);
    desk->log = log;
    *out = desk;
    return FR_OK;
}

void fr_desk_free(struct fr_desk *desk)
{
    if (desk == NULL) return;
    fr_source_unref(desk->source);
    fr_free(desk);
}

void fr_desk_set_source(struct fr_desk *desk, struct fr_source *source)
{
    fr_source_unref(desk->source);
    desk->source = fr_source_ref(source);
}

struct fr_source *fr_desk_source(const struct fr_desk *desk)
{
    return desk->source;
}

static void end(struct fr_job *job, struct fr_span message)
{
    fr_source_unref(job->source);
    job->source = NULL;
    job->query = NULL;
    job->reply(job, message);
}

static void end_error(struct fr_job *job, enum fr_dns_rcode rcode, int ede)
{
    struct fr_desk *desk = job->desk;

    desk->counters.answers++;
    if (rcode == FR_DNS_SERVFAIL)
        desk->counters.failed++;
    else
        desk->counters.refused++;
    end(job, fr_stub_write_error(&job->question, rcode, ede, desk->answer));
}

/* The code of RFC 8914 that says best why there is no answer. */
static int ede_of(const struct fr_records_answer *a)
{
    if (a->ede != FR_DNS_EDE_NONE) return a->ede; /* the broker's own word */
    switch (a->result) {
    case FEDROAM_NO_BROKER:
        return a->status == 0 ? FR_DNS_EDE_NO_REACHABLE_AUTHORITY : FR_DNS_EDE_NETWORK_ERROR;
    case FEDROAM_BAD_ANSWER: return FR_DNS_EDE_NETWORK_ERROR;
    case FEDROAM_REFUSED: return FR_DNS_EDE_PROHIBITED;
    case FEDROAM_OVER_BUDGET:
    case FEDROAM_FAILED:
    case FEDROAM_FOUND:
    case FEDROAM_UNKNOWN: break;
    }
    return FR_DNS_EDE_OTHER;
}

/* A broker that is down fails every question: it is told once a minute. */
static void tell(struct fr_desk *desk, struct fr_source *source, const struct fr_records_answer *a)
{
    int64_t now_ms = fr_loop_now_ms(fr_source_loop(source));

    if (desk->told_ms != 0 && now_ms - desk->told_ms < TELL_EVERY_MS) return;
    desk->told_ms = now_ms;
    FR_LOG(desk->log, FR_LOG_WARN, "agent.no_answer",
           FR_STR("result", fedroam_result_text(a->result)), FR_STR("why", a->reason));
}

static void on_records(void *data, const struct fr_records_answer *a)
{
    struct fr_job *job = data;
    struct fr_desk *desk = job->desk;
    bool is_cut = false;

    if (a->result == FEDROAM_UNKNOWN) { /* only: or except: says not to ask */
        end_error(job, FR_DNS_NXDOMAIN, FR_DNS_EDE_FILTERED);
        return;
    }
    if (a->result != FEDROAM_FOUND) {
        tell(desk, job->source, a);
        end_error(job, FR_DNS_SERVFAIL, ede_of(a));
        return;
    }
    struct fr_span message = fr_stub_write(&job->question, a, desk->answer, &is_cut);
    desk->counters.answers++;
    desk->counters.cut += is_cut;
    desk->counters.stale += a->freshness == FEDROAM_STALE;
    desk->counters.unknown += a->message.rcode == FR_DNS_NXDOMAIN;
    end(job, message);
}

static void ask(struct fr_job *job)
{
    const struct fr_stub_question *q = &job->question;

    enum fr_err err = fr_records_ask(fr_source_handle(job->source), q->federation, &q->query.name,
                                     q->query.type, 0, on_records, job, &job->query);
    if (err == FR_OK) return;
    job->desk->counters.too_many += err == FR_E_LIMIT;
    end_error(job, FR_DNS_SERVFAIL, FR_DNS_EDE_OTHER);
}

void fr_desk_take(struct fr_desk *desk, struct fr_job *job, struct fr_span message, bool is_stream)
{
    size_t n = 0;
    const struct fr_stub_zone *zones = fr_source_zones(desk->source, &n);

    job->desk = desk;
    job->source = fr_source_ref(desk->source);
    job->query = NULL;
    desk->counters.queries++;
    switch (fr_stub_read(message, zones, n, is_stream, &job->question)) {
    case FR_STUB_DROP:
        desk->counters.dropped++;
        end(job, fr_span(NULL, 0));
        return;
    case FR_STUB_ANSWER: end_error(job, job->question.rcode, job->question.ede); return;
    case FR_STUB_ASK: ask(job); return;
    }
}

void fr_desk_drop(struct fr_job *job)
{
    if (job->query != NULL) fr_records_cancel(job->query);
    fr_source_unref(job->source);
}

const struct fr_desk_counters *fr_desk_counters(const struct fr_desk *desk)
{
    return &desk->counters;
}
