/* The trail of a Join Server over any answers: the first byte chooses where it begins, then come messages,
 * each behind its length, as the replies to the questions in turn. It must end, within its bounds, in
 * places that can be used. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "resolver/trail.h"

static void check_text(const struct fr_place *p, size_t at)
{
    if (at >= p->text_n || !memchr(p->text + at, 0, p->text_n - at)) abort();
}

static void check_place(const struct fr_trail *t, uint32_t ttl_s)
{
    struct fr_place *p = NULL;
    uint8_t order[FR_PLACE_ENDPOINTS_MAX];
    uint64_t draws = 1;
    unsigned seen = 0;
    if (fr_trail_place(t, &p) != FR_OK) return;
    if (p->ttl_s != ttl_s || ttl_s > FR_TTL_MAX_S) abort();
    check_text(p, p->tree_at);
    check_text(p, p->why_at);
    if ((p->n_endpoints == 0) != (p->text[p->why_at] != 0)) abort();
    for (size_t i = 0; i < p->n_endpoints; i++) {
        const struct fr_place_endpoint *e = &p->endpoints[i];
        if (e->addr.port == 0) abort();
        if (e->service != FEDROAM_SERVICE_LWN && e->service != FEDROAM_SERVICE_LWNS) abort();
        check_text(p, e->host_at);
        check_text(p, e->path_at);
        if (p->text[e->path_at] != '/') abort();
    }
    fr_place_order(p, &draws, order);
    for (size_t i = 0; i < p->n_endpoints; i++) seen |= 1u << order[i];
    if (seen != (1u << p->n_endpoints) - 1) abort();
    fr_place_free(p);
}

/* The next message, made an answer to the question; false: there is none. */
static bool next_reply(struct fr_rd *r, const struct fr_trail_question *q, struct fr_reply *out)
{
    struct fr_dns_response response;
    struct fr_span message = fr_rd_span(r, fr_rd_u16(r));
    if (fr_rd_err(r) || fr_dns_response_read(message, &response) != FR_OK) return false;
    response.name = q->name;
    response.type = q->type;
    fr_reply_take(&response, out);
    return out->verdict != FR_VERDICT_BAD;
}

static struct fr_trail *begin(uint8_t choice, const struct fr_dname *zone)
{
    struct fr_trail_start start = {.zone = choice & 1 ? zone : NULL,
                                   .tree = choice & 1 ? "" : "tree.example",
                                   .has_public = !(choice & 1) || choice & 2,
                                   .services = choice & 4 ? FEDROAM_SERVICE_LWN : 0,
                                   .plain = FEDROAM_SERVICE_LWNS,
                                   .port = 8005,
                                   .seed = choice};
    struct fr_trail *t = NULL;
    start.services |= choice & 8 ? 0 : FEDROAM_SERVICE_LWNS;
    if (fr_dname_parse(choice & 1 ? FR_SPAN_LIT("8.7.joineui.fed.test")
                                  : FR_SPAN_LIT("8.7.tree.example"),
                       &start.name) != FR_OK ||
        fr_trail_new(&start, &t) != FR_OK)
        abort();
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_dname zone;
    struct fr_trail_question q;
    uint32_t ttl_s = 0;
    unsigned asked = 0;
    const char *why = NULL;
    if (size < 1 || fr_dname_parse(FR_SPAN_LIT("fed.test"), &zone) != FR_OK) return 0;
    struct fr_trail *t = begin(data[0], &zone);
    struct fr_rd r = fr_rd(fr_span(data + 1, size - 1));
    while (fr_trail_next(t, &q)) {
        struct fr_reply reply;
        if (++asked > FR_TRAIL_ASKS_MAX) abort();
        if (!next_reply(&r, &q, &reply)) {
            fr_trail_miss(t, "no answer");
        } else if (fr_trail_learn(t, &reply, &why) != FR_OK) {
            if (!why || !(data[0] & 1)) abort();
            fr_trail_free(t);
            return 0;
        }
    }
    if (fr_trail_end(t, &ttl_s, &why) == FR_TRAIL_FOUND) check_place(t, ttl_s);
    if (!why) abort();
    fr_trail_free(t);
    return 0;
}
