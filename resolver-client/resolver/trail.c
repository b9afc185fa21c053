#include "resolver/trail.h"

#include "base/buf.h"
#include "base/mem.h"
#include "resolver/draw.h"
#include "resolver/rule.h"
#include <string.h>

enum kind { NAPTR, SRV, ADDRESS };
enum { NONE = -1 };

struct step {
    enum kind kind;
    int next;        /* in the list; NONE */
    bool is_settled; /* ADDRESS: it is a server, or dead; others: not in the list any more */
    bool is_plain;   /* it stands for the records at the start itself */
    bool is_public;
    bool is_unresolved; /* ADDRESS: nobody here can say where the name is */
    unsigned depth;     /* NAPTRs before it */
    uint32_t rank;      /* among those that came with it */
    enum fedroam_service service;
    uint16_t port, group, weight;
    bool is_asked4;
    uint8_t n4, n6;
    uint8_t v4[FR_PLACE_ADDRESSES_MAX][4], v6[FR_PLACE_ADDRESSES_MAX][16];
    struct fr_dname name; /* of an address from a URI: the root */
    char path[256];
};

struct fr_trail {
    bool has_zone, has_public;
    struct fr_dname zone;
    char tree[FR_DNAME_TEXT];
    unsigned services;
    enum fedroam_service plain;
    uint16_t port;
    uint64_t draws;
    bool is_unknown; /* there is no such name, or nothing at it */
    bool has_missed;
    const char *why;
    uint32_t ttl_s;
    unsigned asks;
    uint16_t groups;
    int first, current; /* the step asked about, NONE */
    uint16_t type;      /* the question under way */
    size_t n_steps;
    struct step steps[FR_TRAIL_STEPS_MAX];
};

static bool is_name(const struct fr_dname *a, const struct fr_dname *b)
{
    return fr_dname_equal(fr_dname_span(a), fr_dname_span(b));
}

static void use_ttl(struct fr_trail *t, uint32_t ttl_s)
{
    if (ttl_s < t->ttl_s) t->ttl_s = ttl_s;
}

/* A reply that says "not there" without an SOA does not say for how long. */
static void use_negative(struct fr_trail *t, const struct fr_reply *reply)
{
    use_ttl(t, reply->negative_ttl_s > 0 ? reply->negative_ttl_s : FR_TRAIL_PART_TTL_S);
}

/* ---- steps ---- */

static bool is_host_name(const struct fr_dname *name)
{
    char text[FR_DNAME_TEXT];
    fr_dname_print(fr_dname_span(name), text);
    return !strchr(text, '\\'); /* letters, digits, '-', '_' and dots, or it would be escaped */
}

static bool has_been(const struct fr_trail *t, const struct step *s)
{
    for (size_t i = 0; i < t->n_steps; i++) {
        const struct step *old = &t->steps[i];
        bool is_same_ip = s->name.n > 1 || (memcmp(old->v4, s->v4, sizeof s->v4) == 0 &&
                                            memcmp(old->v6, s->v6, sizeof s->v6) == 0);
        if (old->kind == s->kind && old->service == s->service && old->port == s->port &&
            is_same_ip && is_name(&old->name, &s->name) && strcmp(old->path, s->path) == 0)
            return true;
    }
    return false;
}

/* What nobody here can ask: a server's name is passed on as it is, another step is a dead end. */
static bool settle_outside(struct fr_trail *t, struct step *s)
{
    s->is_public =
        !t->has_zone || !fr_dname_is_under(fr_dname_span(&s->name), fr_dname_span(&t->zone));
    if (!s->is_public || t->has_public || s->is_settled) return true;
    t->why = "it leads out of the federation's zone, where public DNS would be needed";
    s->is_settled = s->is_unresolved = s->kind == ADDRESS;
    return s->is_settled;
}

/* Its place in the steps, not yet in the list; NONE: left out. */
static int add_step(struct fr_trail *t, const struct step *s)
{
    if (t->n_steps == FR_TRAIL_STEPS_MAX || !is_host_name(&s->name) || has_been(t, s)) return NONE;
    struct step *made = &t->steps[t->n_steps];
    *made = *s;
    made->next = NONE;
    if (!settle_outside(t, made)) return NONE;
    return (int)t->n_steps++;
}

/* Steps that came together, to stand where one stood. */
struct together {
    size_t n;
    uint8_t at[FR_TRAIL_RULES_MAX];
};

static void gather(struct fr_trail *t, struct together *g, const struct step *s)
{
    if (g->n == FR_TRAIL_RULES_MAX) return;
    int at = add_step(t, s);
    if (at != NONE) g->at[g->n++] = (uint8_t)at;
}

static void sort(const struct fr_trail *t, struct together *g)
{
    for (size_t i = 1; i < g->n; i++) {
        uint8_t moved = g->at[i];
        size_t at = i;
        for (; at > 0 && t->steps[g->at[at - 1]].rank > t->steps[moved].rank; at--)
            g->at[at] = g->at[at - 1];
        g->at[at] = moved;
    }
}

static void replace(struct fr_trail *t, int which, const struct together *g)
{
    int *link = &t->first;
    while (*link != which) link = &t->steps[*link].next;
    int behind = t->steps[which].next;
    t->steps[which].is_settled = true;
    for (size_t i = 0; i < g->n; i++) {
        *link = g->at[i];
        link = &t->steps[g->at[i]].next;
    }
    *link = behind;
}

/* ---- what answers say ---- */

/* The records of a step in a reply: of its name in Answer, of a broker's also in Additional. */
struct records {
    struct fr_dns_walk walk;
    const struct fr_dname *owner;
    uint16_t type;
    bool takes_additional;
};

static struct records records_of(const struct step *s, const struct fr_reply *reply,
                                 const struct fr_dname *owner, uint16_t type)
{
    struct records r = {.owner = owner, .type = type, .takes_additional = !s->is_public};
    fr_dns_walk_init(&r.walk, &reply->message);
    return r;
}

static bool next_record(struct records *r, struct fr_rr *rr)
{
    while (fr_dns_walk_next(&r->walk, rr)) {
        bool is_there = r->walk.section == FR_DNS_ANSWER ||
                        (r->takes_additional && r->walk.section == FR_DNS_ADDITIONAL);
        if (is_there && rr->class == FR_DNS_IN && rr->type == r->type &&
            is_name(&rr->owner, r->owner))
            return true;
    }
    return false;
}

static struct step step_of_rule(const struct fr_rule *rule, const struct step *from)
{
    static const enum kind KINDS[] = {[FR_RULE_SRV] = SRV,
                                      [FR_RULE_ADDRESS] = ADDRESS,
                                      [FR_RULE_URI] = ADDRESS,
                                      [FR_RULE_NAPTR] = NAPTR};
    struct step s = {.kind = KINDS[rule->next],
                     .depth = from->depth + 1,
                     .rank = (uint32_t)rule->order << 16 | rule->preference,
                     .name = rule->name};
    struct fr_ip ip;
    /* The rules behind a NAPTR name their services themselves. */
    if (rule->next != FR_RULE_NAPTR) s.service = rule->service;
    if (rule->next == FR_RULE_ADDRESS) s.port = rule->service == FEDROAM_SERVICE_LWNS ? 443 : 80;
    if (rule->next != FR_RULE_URI) return s;
    s.port = rule->uri.port;
    (void)fr_span_copy(fr_span_str(rule->uri.path), s.path, sizeof s.path); /* a string of 255 */
    if (!rule->uri.is_ip || fr_ip_parse(fr_span_str(rule->uri.host), &ip) != FR_OK) return s;
    s.is_settled = true;
    if (ip.family == 4)
        memcpy(s.v4[s.n4++], ip.b, 4);
    else
        memcpy(s.v6[s.n6++], ip.b, 16);
    return s;
}

static bool takes(const struct fr_trail *t, const struct fr_rule *rule)
{
    return rule->service == FEDROAM_SERVICE_NONE || (rule->service & t->services) != 0;
}

/* True: there were records, of whatever use. */
static bool take_rules(struct fr_trail *t, int which, const struct fr_reply *reply,
                       const struct fr_dname *owner)
{
    const struct step *from = &t->steps[which];
    struct records records = records_of(from, reply, owner, FR_DNS_NAPTR);
    struct together found = {0}, ordered = {0};
    struct fr_rr rr;
    struct fr_rule rule;
    uint8_t lots[FR_TRAIL_RULES_MAX];
    bool is_any = false;
    while (next_record(&records, &rr)) {
        is_any = true;
        use_ttl(t, fr_reply_ttl(reply, rr.ttl));
        if (!fr_rule_read(&rr.data.naptr, &rule) || !takes(t, &rule)) continue;
        struct step s = step_of_rule(&rule, from);
        if (s.kind == NAPTR && s.depth >= FR_TRAIL_DEPTH_MAX) continue;
        gather(t, &found, &s);
    }
    if (!is_any) return false;
    if (found.n == 0) t->why = "none of its NAPTR records offers a service that is taken";
    fr_draw_shuffle(&t->draws, lots,
                    found.n); /* before the sort, which keeps the order of equals */
    for (size_t i = 0; i < found.n; i++) ordered.at[ordered.n++] = found.at[lots[i]];
    sort(t, &ordered);
    replace(t, which, &ordered);
    return true;
}

static bool take_services(struct fr_trail *t, int which, const struct fr_reply *reply,
                          const struct fr_dname *owner)
{
    const struct step *from = &t->steps[which];
    struct records records = records_of(from, reply, owner, FR_DNS_SRV);
    struct together found = {0};
    struct fr_rr rr;
    bool is_any = false;
    while (next_record(&records, &rr)) {
        const struct fr_srv *srv = &rr.data.srv;
        is_any = true;
        use_ttl(t, fr_reply_ttl(reply, rr.ttl));
        if (srv->target.n <= 1 || srv->port == 0) continue; /* ".": the service is not offered */
        const struct step s = {.kind = ADDRESS,
                               .depth = from->depth,
                               .rank = srv->priority,
                               .service = from->service,
                               .port = srv->port,
                               .weight = srv->weight,
                               .name = srv->target};
        gather(t, &found, &s);
    }
    if (!is_any) return false;
    sort(t, &found);
    for (size_t i = 0; i < found.n; i++) {
        bool is_new = i == 0 || t->steps[found.at[i]].rank != t->steps[found.at[i - 1]].rank;
        t->groups = (uint16_t)(t->groups + is_new);
        t->steps[found.at[i]].group = t->groups;
    }
    replace(t, which, &found);
    return true;
}

static void add4(struct step *s, const uint8_t bytes[4])
{
    for (unsigned i = 0; i < s->n4; i++)
        if (memcmp(s->v4[i], bytes, 4) == 0) return;
    if (s->n4 < FR_PLACE_ADDRESSES_MAX) memcpy(s->v4[s->n4++], bytes, 4);
}

static void add6(struct step *s, const uint8_t bytes[16])
{
    for (unsigned i = 0; i < s->n6; i++)
        if (memcmp(s->v6[i], bytes, 16) == 0) return;
    if (s->n6 < FR_PLACE_ADDRESSES_MAX) memcpy(s->v6[s->n6++], bytes, 16);
}

static void take_addresses(struct fr_trail *t, struct step *s, const struct fr_reply *reply,
                           const struct fr_dname *owner, uint16_t type)
{
    struct records records = records_of(s, reply, owner, type);
    struct fr_rr rr;
    while (next_record(&records, &rr)) {
        use_ttl(t, fr_reply_ttl(reply, rr.ttl));
        if (type == FR_DNS_A)
            add4(s, rr.data.a);
        else
            add6(s, rr.data.aaaa);
    }
}

/* What a broker sent along about a step that is still open. True: it is settled or replaced. */
static bool take_along(struct fr_trail *t, int which, const struct fr_reply *reply)
{
    struct step *s = &t->steps[which];
    if (s->is_settled || s->is_public || s->is_asked4) return false;
    if (s->kind == SRV) return take_services(t, which, reply, &s->name);
    if (s->kind != ADDRESS) return false;
    take_addresses(t, s, reply, &s->name, FR_DNS_A);
    take_addresses(t, s, reply, &s->name, FR_DNS_AAAA);
    s->is_settled = s->n4 + s->n6 > 0; /* who sends one family along sends both */
    return s->is_settled;
}

static void take_all_along(struct fr_trail *t, const struct fr_reply *reply)
{
    for (int at = t->first; at != NONE;)
        at = take_along(t, at, reply) ? t->first : t->steps[at].next;
}

/* ---- questions and replies ---- */

enum fr_err fr_trail_new(const struct fr_trail_start *start, struct fr_trail **out)
{
    struct fr_trail *t = fr_calloc(1, sizeof *t);
    if (!t) return FR_E_NOMEM;
    t->has_zone = start->zone != NULL;
    if (start->zone) t->zone = *start->zone;
    t->has_public = start->has_public;
    t->services = start->services;
    t->plain = start->plain;
    t->port = start->port;
    t->draws = start->seed;
    t->why = "";
    t->ttl_s = FR_TTL_MAX_S;
    (void)fr_span_copy(fr_span_str(start->tree), t->tree, sizeof t->tree); /* checked: a name */
    t->first = t->current = NONE;
    t->first = add_step(t, &(struct step){.kind = NAPTR, .is_plain = true, .name = start->name});
    *out = t;
    return FR_OK;
}

void fr_trail_free(struct fr_trail *t)
{
    fr_free(t);
}

static bool is_server(const struct step *s)
{
    return s->kind == ADDRESS && s->is_settled && (s->is_unresolved || s->n4 + s->n6 > 0);
}

/* The first step that is open, as long as more servers are wanted. */
static int find_open(const struct fr_trail *t)
{
    size_t servers = 0;
    for (int at = t->first; at != NONE; at = t->steps[at].next) {
        if (!t->steps[at].is_settled) return at;
        servers += is_server(&t->steps[at]);
        if (servers == FR_TRAIL_HOSTS_MAX) break;
    }
    return NONE;
}

bool fr_trail_next(struct fr_trail *t, struct fr_trail_question *out)
{
    if (t->current == NONE) {
        if (t->asks == FR_TRAIL_ASKS_MAX) return false;
        t->current = find_open(t);
        if (t->current == NONE) return false;
        t->asks++;
    }
    const struct step *s = &t->steps[t->current];
    t->type = s->kind == NAPTR ? FR_DNS_NAPTR
              : s->kind == SRV ? FR_DNS_SRV
              : s->is_asked4   ? FR_DNS_AAAA
                               : FR_DNS_A;
    *out = (struct fr_trail_question){.name = s->name, .type = t->type, .is_public = s->is_public};
    return true;
}

/* Nothing of that kind at the name. At the start, the records at the name itself are next. */
static void go_plain(struct fr_trail *t, int which)
{
    const struct step *from = &t->steps[which];
    struct together next = {0};
    if (from->is_plain) {
        struct step s = {.kind = from->kind == NAPTR ? SRV : ADDRESS,
                         .is_plain = true,
                         .service = t->plain,
                         .port = from->kind == NAPTR ? 0 : t->port,
                         .name = from->name};
        gather(t, &next, &s);
    }
    replace(t, which, &next);
}

static void learn_addresses(struct fr_trail *t, struct step *s, const struct fr_reply *reply)
{
    take_addresses(t, s, reply, s->is_public ? &reply->target : &s->name, t->type);
    /* A broker sends the other family along. */
    bool is_first = !s->is_asked4;
    s->is_asked4 = true;
    if (!s->is_public && is_first) take_addresses(t, s, reply, &s->name, FR_DNS_AAAA);
    s->is_settled =
        !is_first || reply->verdict == FR_VERDICT_NONE || (!s->is_public && s->n4 + s->n6 > 0);
    if (!s->is_settled || s->n4 + s->n6 > 0) return;
    t->why = "a server's name has no address";
    if (s->is_plain) t->is_unknown = true; /* neither NAPTR nor SRV nor addresses */
}

enum fr_err fr_trail_learn(struct fr_trail *t, const struct fr_reply *reply, const char **why)
{
    int which = t->current;
    struct step *s = &t->steps[which];
    bool is_start = which == 0;
    t->current = NONE;
    if (is_start && t->has_zone && reply->has_chain) {
        *why = "the Join Server's name is an alias of another name";
        return FR_E_MALFORMED;
    }
    if (reply->verdict != FR_VERDICT_DATA) use_negative(t, reply);
    if (s->is_public && reply->has_chain) use_ttl(t, reply->target_ttl_s);
    if (is_start && reply->verdict == FR_VERDICT_NONE) {
        t->is_unknown = true;
        t->ttl_s = reply->negative_ttl_s;
        t->first = NONE;
        return FR_OK;
    }
    const struct fr_dname *owner = s->is_public ? &reply->target : &s->name;
    if (s->kind == ADDRESS)
        learn_addresses(t, s, reply);
    else if (!(s->kind == NAPTR ? take_rules(t, which, reply, owner)
                                : take_services(t, which, reply, owner)))
        go_plain(t, which);
    take_all_along(t, reply);
    return FR_OK;
}

/* The step under way has no answer. */
static struct step *leave(struct fr_trail *t, const char *why)
{
    int which = t->current;
    struct step *s = &t->steps[which];
    const struct together nothing = {0};
    t->current = NONE;
    t->why = why;
    if (s->kind == ADDRESS)
        s->is_settled = true;
    else
        replace(t, which, &nothing);
    return s;
}

void fr_trail_refuse(struct fr_trail *t, const char *why)
{
    (void)leave(t, why);
}

void fr_trail_miss(struct fr_trail *t, const char *why)
{
    struct step *s = leave(t, why);
    t->has_missed = true;
    s->is_unresolved = s->kind == ADDRESS && s->n4 + s->n6 == 0 && s->is_public && !s->is_plain;
}

/* ---- the end ---- */

static size_t count_servers(const struct fr_trail *t)
{
    size_t n = 0;
    for (int at = t->first; at != NONE; at = t->steps[at].next) n += is_server(&t->steps[at]);
    return n;
}

static uint32_t ttl_of(const struct fr_trail *t)
{
    bool is_short = t->has_missed && t->ttl_s > FR_TRAIL_PART_TTL_S;
    return is_short ? FR_TRAIL_PART_TTL_S : t->ttl_s;
}

/* Why it has no server. */
static const char *why_of(const struct fr_trail *t)
{
    return t->why[0] ? t->why : "its records lead to no server";
}

enum fr_trail_end fr_trail_end(const struct fr_trail *t, uint32_t *ttl_s, const char **why)
{
    size_t n = count_servers(t);
    *ttl_s = ttl_of(t);
    *why = "";
    if (t->is_unknown) return FR_TRAIL_UNKNOWN;
    if (n == 0) *why = why_of(t);
    if (n > 0 || !t->has_missed) return FR_TRAIL_FOUND;
    *ttl_s = 0;
    return FR_TRAIL_FAILED;
}

static void put_endpoint(struct fr_place *place, const struct fr_place_endpoint *like,
                         uint8_t family, const uint8_t *bytes)
{
    if (place->n_endpoints == FR_PLACE_ENDPOINTS_MAX) return;
    struct fr_place_endpoint *e = &place->endpoints[place->n_endpoints++];
    *e = *like;
    e->addr.ip.family = family;
    if (family) memcpy(e->addr.ip.b, bytes, family == 4 ? 4 : 16);
}

static void put_server(const struct step *s, struct fr_place *place, struct fr_buf *texts)
{
    struct fr_place_endpoint like = {.addr.port = s->port,
                                     .service = (uint8_t)s->service,
                                     .group = s->group,
                                     .weight = s->weight};
    char text[FR_DNAME_TEXT];
    if (s->name.n > 1) {
        fr_dname_print(fr_dname_span(&s->name), text);
    } else {
        struct fr_ip ip = {.family = s->n4 ? 4 : 6};
        memcpy(ip.b, s->n4 ? s->v4[0] : s->v6[0], s->n4 ? 4 : 16);
        fr_ip_print(&ip, text);
    }
    like.host_at = fr_place_add_text(texts, text);
    like.path_at = fr_place_add_text(texts, s->path[0] ? s->path : "/");
    for (unsigned k = 0; k < s->n4; k++) put_endpoint(place, &like, 4, s->v4[k]);
    for (unsigned k = 0; k < s->n6; k++) put_endpoint(place, &like, 6, s->v6[k]);
    if (s->is_unresolved) put_endpoint(place, &like, 0, NULL);
}

enum fr_err fr_trail_place(const struct fr_trail *t, struct fr_place **out)
{
    struct fr_buf texts;
    struct fr_place head = {.ttl_s = ttl_of(t)};
    size_t n = 0;
    fr_place_texts_init(&texts);
    head.tree_at = fr_place_add_text(&texts, t->tree);
    if (count_servers(t) == 0) head.why_at = fr_place_add_text(&texts, why_of(t));
    for (int at = t->first; at != NONE && n < FR_TRAIL_HOSTS_MAX; at = t->steps[at].next) {
        if (!is_server(&t->steps[at])) continue;
        put_server(&t->steps[at], &head, &texts);
        n++;
    }
    return fr_place_seal(&head, &texts, out);
}
