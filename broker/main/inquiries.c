#include "main/inquiries.h"

#include "admin/args.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "dns/types.h"
#include "main/copies.h"
#include "main/notice_inquiry.h"
#include "names/netid.h"
#include "store/member.h"
#include "store/network.h"

#include <stdlib.h>
#include <string.h>

#define REPLY_MAX (32u * 1024 * 1024)
#define MEMBERS_MAX FR_PROBE_RUNS
#define LOOKUPS_MAX 20

static void refuse(const struct fr_inquiry *inquiry, enum fr_err err, const struct fr_diag *diag)
{
    inquiry->done(inquiry->to, err, diag, (struct fr_span){0});
}

/* Decodes, hands `args` on, and answers what is wrong with them. */
static bool decode(const struct fr_inquiry *inquiry, const struct fr_arg *rows, void *args)
{
    struct fr_diag diag = {0};
    json_t *object = json_loads(inquiry->args && inquiry->args[0] ? inquiry->args : "{}",
                                JSON_REJECT_DUPLICATES, NULL);
    enum fr_err err = json_is_object(object)
                          ? FR_OK
                          : fr_diag_fail(&diag, FR_E_INVALID, "args must be an object");
    if (!err) err = fr_args_decode(rows, object, &diag, args);
    /* Texts are the object's: it lives as long as they are needed. */
    if (err) {
        fr_args_free(rows, args);
        json_decref(object);
        refuse(inquiry, err, &diag);
        return false;
    }
    *(json_t **)args = object;
    return true;
}

/* --- member.probe --- */

struct probe_args {
    json_t *object; /* first, see decode */
    struct fr_arg_texts members;
};

static const struct fr_arg probe_rows[] = {
    {"members", FR_ARG_TEXTS, offsetof(struct probe_args, members), false, 0, MEMBERS_MAX},
    {0},
};

struct probing {
    const struct fr_inquiry *inquiry;
    size_t n, room, over;
    struct fr_probe_ask *asks;
};

static enum fr_err add_member(struct probing *p, const char *member)
{
    if (p->n == p->room) {
        const size_t room = p->room ? 2 * p->room : 16;
        struct fr_probe_ask *asks = fr_reallocarray(p->asks, room, sizeof *asks);
        if (!asks) return FR_E_NOMEM;
        p->asks = asks;
        p->room = room;
    }
    struct fr_probe_ask *ask = &p->asks[p->n];
    *ask = (struct fr_probe_ask){.json = FR_BUF_INIT(FR_RUN_JSON_MAX)};
    if (!fr_span_copy(fr_span_str(member), ask->member, sizeof ask->member))
        return FR_E_NOT_FOUND; /* too long for one */
    p->n++;
    return FR_OK;
}

static void probing_free(struct probing *p)
{
    for (size_t i = 0; i < p->n; i++) fr_buf_deinit(&p->asks[i].json);
    fr_free(p->asks);
    fr_free(p);
}

static void write_failure(struct fr_buf *out, const struct fr_probe_ask *ask)
{
    struct fr_json j = fr_json(out);
    fr_json_object(&j);
    fr_json_put_str(&j, "member", ask->member);
    fr_json_put_str(&j, "result", "failed");
    fr_json_put_str(&j, "error", ask->diag.what[0] ? ask->diag.what : fr_err_text(ask->err));
    fr_json_end(&j);
}

static void answer_probes(struct probing *p)
{
    struct fr_buf out = FR_BUF_INIT(REPLY_MAX);
    fr_buf_add_str(&out, "{\"probes\":[");
    for (size_t i = 0; i < p->n; i++) {
        if (i > 0) fr_buf_add_str(&out, ",");
        if (p->asks[i].err)
            write_failure(&out, &p->asks[i]);
        else
            fr_buf_add_span(&out, fr_buf_span(&p->asks[i].json));
    }
    fr_buf_add_str(&out, "]}");
    enum fr_err err = fr_buf_err(&out);
    p->inquiry->done(p->inquiry->to, err, &(struct fr_diag){0}, fr_buf_span(&out));
    fr_buf_deinit(&out);
    probing_free(p);
}

static void on_probed(struct fr_probe_ask *ask)
{
    struct probing *p = ask->data;
    if (++p->over == p->n) answer_probes(p);
}

struct choosing {
    struct fr_snap *snap;
    struct probing *p;
};

static enum fr_err note_endpoint(void *data, const struct fr_network_row *row)
{
    bool *has_endpoint = data;
    if (row->n_endpoints > 0) *has_endpoint = true;
    return FR_OK;
}

static enum fr_err choose(void *data, const struct fr_member_row *row)
{
    const struct choosing *c = data;
    bool has_endpoint = false;
    if (row->state != FR_MEMBER_ACTIVE) return FR_OK;
    enum fr_err err = fr_network_each_of(c->snap, row->id, note_endpoint, &has_endpoint);
    return err || !has_endpoint ? err : add_member(c->p, row->id);
}

static enum fr_err choose_all(struct fr_store *store, struct probing *p)
{
    struct choosing c = {.p = p};
    enum fr_err err = fr_snap_begin(store, &c.snap);
    if (!err) err = fr_member_each_sound(c.snap, choose, NULL, &c);
    fr_snap_end(c.snap);
    return err;
}

static void run_probe(void *data, const struct fr_inquiry *inquiry)
{
    struct fr_fed *fed = data;
    struct probe_args args = {0};
    struct probing *p = NULL;
    enum fr_err err = FR_OK;
    if (!decode(inquiry, probe_rows, &args)) return;
    p = fr_calloc(1, sizeof *p);
    if (!p) err = FR_E_NOMEM;
    for (size_t i = 0; !err && i < args.members.n; i++) err = add_member(p, args.members.items[i]);
    if (!err && args.members.n == 0) err = choose_all(fed->store, p);
    fr_args_free(probe_rows, &args);
    json_decref(args.object);
    if (err) {
        if (p) probing_free(p);
        refuse(inquiry, err, &(struct fr_diag){0});
        return;
    }
    p->inquiry = inquiry;
    if (p->n == 0) answer_probes(p);
    /* p goes with the last answer, which may come from inside of the last ask. */
    for (size_t i = 0, n = p->n; i < n; i++) {
        struct fr_probe_ask *ask = &p->asks[i];
        ask->loop = fed->loop;
        ask->done = on_probed;
        ask->data = p;
        fr_prober_ask(fed->prober, ask);
    }
}

/* --- member.activity --- */

struct activity {
    struct fr_fed *fed;
    struct fr_snap *snap;
    struct fr_json j;
    const struct fr_usage_row *usage; /* of all */
    size_t n;
};

struct usages {
    struct fr_usage_row *rows;
    size_t n, room;
    bool is_out_of_memory;
};

static void add_usage(void *data, const struct fr_usage_row *row)
{
    struct usages *u = data;
    if (u->n == u->room) {
        const size_t room = u->room ? 2 * u->room : 64;
        void *rows = fr_reallocarray(u->rows, room, sizeof *u->rows);
        u->is_out_of_memory = u->is_out_of_memory || !rows;
        if (!rows) return;
        u->rows = rows;
        u->room = room;
    }
    u->rows[u->n++] = *row; /* its name is the account's, which stays */
}

static void put_time(struct fr_json *j, const char *key, int64_t when_s)
{
    char text[FR_TIME_TEXT];
    if (when_s == 0) return;
    fr_time_print(when_s, text);
    fr_json_put_str(j, key, text);
}

struct latest {
    const struct fr_board *board;
    int64_t when_s;
};

static enum fr_err note_latest(void *data, const struct fr_network_row *row)
{
    struct latest *l = data;
    const int64_t when_s = fr_board_changed_s(l->board, row->netid);
    if (when_s > l->when_s) l->when_s = when_s;
    return FR_OK;
}

static uint64_t refused_of(const struct fr_usage_row *row)
{
    uint64_t sum = row->turned_away;
    for (int b = 0; b < FR_BUDGETS; b++) sum += row->refused[b];
    return sum;
}

static void write_probe(struct fr_json *j, const struct fr_run *run)
{
    char why[400];
    fr_run_print(run, why, sizeof why);
    fr_json_key(j, "probe");
    fr_json_object(j);
    put_time(j, "when", run->when_s);
    fr_json_put_str(j, "result", fr_run_result(run));
    if (why[0]) fr_json_put_str(j, "why", why);
    fr_json_end(j);
}

static enum fr_err write_activity(void *data, const struct fr_member_row *row)
{
    struct activity *a = data;
    struct latest latest = {.board = a->fed->board};
    struct fr_usage_row none = {0};
    const struct fr_usage_row *usage = &none;
    const struct fr_run *run = fr_prober_last(a->fed->prober, row->id);
    enum fr_err err = fr_network_each_of(a->snap, row->id, note_latest, &latest);
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->usage[i].member, row->id) == 0) usage = &a->usage[i];
    fr_json_object(&a->j);
    fr_json_put_str(&a->j, "id", row->id);
    put_time(&a->j, "last_lookup", usage->looked_up_s);
    put_time(&a->j, "last_publish", latest.when_s);
    fr_json_put_uint(&a->j, "refused_24h", refused_of(usage));
    fr_json_put_uint(&a->j, "unknown_today", usage->unknown_today);
    fr_json_put_uint(&a->j, "connections", usage->connections);
    if (run) write_probe(&a->j, run);
    fr_json_end(&a->j);
    return err;
}

struct no_args {
    json_t *object;
};

static const struct fr_arg no_rows[] = {{0}};

static void run_activity(void *data, const struct fr_inquiry *inquiry)
{
    struct fr_fed *fed = data;
    struct no_args args = {0};
    struct fr_buf out = FR_BUF_INIT(REPLY_MAX);
    struct activity a = {.fed = fed, .j = fr_json(&out)};
    struct usages usages = {0};
    if (!decode(inquiry, no_rows, &args)) return;
    json_decref(args.object);
    fr_usage_each(fed->usage, add_usage, &usages);
    a.usage = usages.rows;
    a.n = usages.n;
    fr_json_object(&a.j);
    put_time(&a.j, "since", fed->started_s);
    fr_json_key(&a.j, "members");
    fr_json_array(&a.j);
    enum fr_err err = usages.is_out_of_memory ? FR_E_NOMEM : fr_snap_begin(fed->store, &a.snap);
    if (!err) err = fr_member_each_sound(a.snap, write_activity, NULL, &a);
    fr_snap_end(a.snap);
    fr_json_end(&a.j);
    fr_json_end(&a.j);
    if (!err) err = fr_buf_err(&out);
    inquiry->done(inquiry->to, err, &(struct fr_diag){0}, fr_buf_span(&out));
    fr_buf_deinit(&out);
    fr_free(usages.rows);
}

/* --- device.lookups --- */

struct lookups_args {
    json_t *object;
    struct fr_arg_number deveui;
    const char *member;
};

static const struct fr_arg lookups_rows[] = {
    {"deveui", FR_ARG_EUI, offsetof(struct lookups_args, deveui), true, 0, 0},
    {"member", FR_ARG_TEXT, offsetof(struct lookups_args, member), true, 0, FR_MEMBER_ID_MAX},
    {0},
};

struct found_lookups {
    uint64_t deveui;
    size_t n;
    struct fr_recent_lookup list[LOOKUPS_MAX];
};

/* The newest of all workers' stay, newest first. */
static bool add_lookup(void *data, const struct fr_recent_lookup *lookup)
{
    struct found_lookups *f = data;
    size_t at = 0;
    if (lookup->deveui != f->deveui) return true;
    while (at < f->n && f->list[at].when_ms >= lookup->when_ms) at++;
    if (at == LOOKUPS_MAX) return false;
    const size_t behind = (f->n < LOOKUPS_MAX ? f->n : LOOKUPS_MAX - 1) - at;
    memmove(&f->list[at + 1], &f->list[at], behind * sizeof f->list[0]);
    f->list[at] = *lookup;
    if (f->n < LOOKUPS_MAX) f->n++;
    return true;
}

static void write_lookups(struct fr_json *j, const struct found_lookups *found)
{
    static const char *const answers[] = {
        [FR_NOTE_FOUND] = "found", [FR_NOTE_NONE] = "none", [FR_NOTE_REFUSED] = "refused"};
    char when[FR_TIME_MS_TEXT], netid[FR_NETID_TEXT], type[FR_DNS_TYPE_TEXT_SIZE];
    fr_json_key(j, "lookups");
    fr_json_array(j);
    for (size_t i = 0; i < found->n; i++) {
        const struct fr_recent_lookup *l = &found->list[i];
        fr_time_print_ms(l->when_ms, when);
        (void)fr_dns_type_print(l->type, type);
        fr_json_object(j);
        fr_json_put_str(j, "when", when);
        fr_json_put_str(j, "answer", answers[l->answer]);
        if (l->answer == FR_NOTE_FOUND) {
            fr_netid_print(l->netid, netid);
            fr_json_put_str(j, "netid", netid);
        }
        fr_json_put_str(j, "type", type);
        fr_json_end(j);
    }
    fr_json_end(j);
}

struct finding {
    const char *member;
    struct fr_usage_row row;
};

static void find_usage(void *data, const struct fr_usage_row *row)
{
    struct finding *f = data;
    if (strcmp(row->member, f->member) == 0) f->row = *row;
}

static void write_budgets(struct fr_json *j, const struct fr_policy *policy,
                          const struct fr_usage_row *row)
{
    static const enum fr_policy_key keys[FR_BUDGETS] = {
        [FR_BUDGET_QUERIES] = FR_POLICY_BUDGET_QUERIES,
        [FR_BUDGET_CONNECTIONS] = FR_POLICY_BUDGET_CONNECTIONS,
        [FR_BUDGET_MISSES] = FR_POLICY_BUDGET_MISSES,
        [FR_BUDGET_UNKNOWN] = FR_POLICY_BUDGET_UNKNOWN,
    };
    fr_json_key(j, "budgets");
    fr_json_array(j);
    for (int i = 0; i < FR_BUDGETS; i++) {
        const enum fr_budget budget = (enum fr_budget)i;
        fr_json_object(j);
        fr_json_put_str(j, "budget", fr_budget_text(budget));
        fr_json_put_uint(j, "limit", policy->value[keys[i]]);
        if (budget == FR_BUDGET_UNKNOWN) fr_json_put_uint(j, "used", row->unknown_today);
        if (budget == FR_BUDGET_CONNECTIONS) fr_json_put_uint(j, "used", row->connections);
        fr_json_put_uint(j, "refused_24h", row->refused[i]);
        fr_json_end(j);
    }
    fr_json_end(j);
}

static void run_lookups(void *data, const struct fr_inquiry *inquiry)
{
    struct fr_fed *fed = data;
    struct lookups_args args = {0};
    struct fr_buf out = FR_BUF_INIT(REPLY_MAX);
    struct fr_json j = fr_json(&out);
    struct found_lookups found = {0};
    struct fr_policy policy;
    struct fr_snap *snap = NULL;
    if (!decode(inquiry, lookups_rows, &args)) return;
    struct finding finding = {.member = args.member};
    found.deveui = args.deveui.value;
    fr_usage_each(fed->usage, find_usage, &finding);
    fr_usage_recent(fed->usage, args.member, add_lookup, &found);
    enum fr_err err = fr_snap_begin(fed->store, &snap);
    if (!err) err = fr_policy_read(snap, &policy);
    fr_snap_end(snap);
    if (!err) {
        fr_json_object(&j);
        put_time(&j, "since", fed->started_s);
        write_budgets(&j, &policy, &finding.row);
        fr_json_put_uint(&j, "turned_away_24h", finding.row.turned_away);
        write_lookups(&j, &found);
        fr_json_end(&j);
        err = fr_buf_err(&out);
    }
    fr_args_free(lookups_rows, &args);
    json_decref(args.object);
    inquiry->done(inquiry->to, err, &(struct fr_diag){0}, fr_buf_span(&out));
    fr_buf_deinit(&out);
}

/* --- broker.copies --- */

static void run_copies(void *data, const struct fr_inquiry *inquiry)
{
    struct no_args args = {0};
    if (!decode(inquiry, no_rows, &args)) return;
    json_decref(args.object);
    fr_copies_tell(data, inquiry);
}

const struct fr_inquiry_row fr_inquiries[] = {
    {"member.probe", run_probe},        {"member.activity", run_activity},
    {"notify.test", fr_notice_inquiry}, {"device.lookups", run_lookups},
    {"broker.copies", run_copies},      {NULL, NULL},
};
