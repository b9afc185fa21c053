#include "resolver/doh.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *fr_ede_text(int ede)
{
    static const char *const texts[] = {
        [0] = "Other",
        [3] = "Stale Answer",
        [13] = "Cached Error",
        [14] = "Not Ready",
        [15] = "Blocked",
        [16] = "Censored",
        [17] = "Filtered",
        [18] = "Prohibited",
        [19] = "Stale NXDOMAIN Answer",
        [20] = "Not Authoritative",
        [21] = "Not Supported",
        [22] = "No Reachable Authority",
        [23] = "Network Error",
        [24] = "Invalid Data",
    };
    if (ede < 0 || (size_t)ede >= sizeof texts / sizeof *texts || !texts[ede]) return "";
    return texts[ede];
}

__attribute__((format(printf, 4, 5))) static void
end(struct fr_judgement *j, enum fedroam_result result, const char *broker, const char *fmt, ...)
{
    j->result = result;
    int n = snprintf(j->reason, sizeof j->reason, "%s: ", broker);
    if (n < 0 || (size_t)n >= sizeof j->reason) return;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(j->reason + n, sizeof j->reason - (size_t)n, fmt, args); /* cut when too long */
    va_end(args);
}

static const char *status_word(unsigned status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "";
    }
}

/* The first line of a text body, as plain ASCII: a broker says there why it refuses. */
static void quote(const struct fr_link_result *r, char out[static 160])
{
    size_t n = 0;
    if (fr_span_starts(r->content_type, "text/plain")) {
        for (size_t i = 0; i < r->body.n && n + 1 < 160; i++) {
            uint8_t c = r->body.p[i];
            if (c == '\r' || c == '\n') break;
            out[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
        }
    }
    out[n] = 0;
}

static void judge_status(const struct fr_link_result *r, const char *broker, struct fr_judgement *j)
{
    char said[160];
    const char *word = status_word(r->status);
    quote(r, said);
    const char *colon = said[0] ? ": " : "";
    const char *space = word[0] ? " " : "";
    if (r->status == 401 || r->status == 403) {
        end(j, FEDROAM_REFUSED, broker, "HTTP %u %s%s%s", r->status, word, colon, said);
    } else if (r->status == 429) {
        j->retry_after_s = r->retry_after_s;
        end(j, FEDROAM_OVER_BUDGET, broker, "HTTP 429 %s%s%s", word, colon, said);
    } else if (r->status >= 500) {
        j->may_ask_another = true;
        end(j, FEDROAM_NO_BROKER, broker, "HTTP %u%s%s%s%s", r->status, space, word, colon, said);
    } else if (r->status == 404) {
        end(j, FEDROAM_BAD_ANSWER, broker,
            "HTTP 404 Not Found: is the path of the broker's URL right?");
    } else {
        end(j, FEDROAM_BAD_ANSWER, broker, "HTTP %u%s%s%s%s", r->status, space, word, colon, said);
    }
}

static void judge_reply(const char *broker, struct fr_judgement *j)
{
    j->ede = j->reply.ede;
    const char *ede = fr_ede_text(j->ede);
    char code[24] = "";
    if (j->ede >= 0) (void)snprintf(code, sizeof code, " (EDE %d", j->ede);
    const char *space = code[0] && ede[0] ? " " : "";
    const char *close = code[0] ? ")" : "";
    switch (j->reply.verdict) {
    case FR_VERDICT_DATA:
    case FR_VERDICT_NODATA:
    case FR_VERDICT_NONE: j->result = FEDROAM_FOUND; break;
    case FR_VERDICT_REFUSED:
        end(j, FEDROAM_REFUSED, broker, "REFUSED%s%s%s%s", code, space, ede, close);
        break;
    case FR_VERDICT_FAILED:
        j->may_ask_another = true;
        end(j, FEDROAM_NO_BROKER, broker, "SERVFAIL%s%s%s%s", code, space, ede, close);
        break;
    case FR_VERDICT_BAD: end(j, FEDROAM_BAD_ANSWER, broker, "%s", j->reply.why); break;
    }
}

static void judge_transport(const struct fr_link_result *r, struct fr_judgement *j)
{
    (void)snprintf(j->reason, sizeof j->reason, "%s", r->text); /* cut when too long, as the next */
    if (r->end == FR_LINK_ALERT) (void)snprintf(j->alert, sizeof j->alert, "%s", r->alert);
    j->may_ask_another = r->end == FR_LINK_DOWN;
    j->result = r->end == FR_LINK_ALERT  ? FEDROAM_REFUSED
                : r->end == FR_LINK_DOWN ? FEDROAM_NO_BROKER
                                         : FEDROAM_FAILED;
}

void fr_doh_judge(const struct fr_link_result *r, const char *broker, const struct fr_dname *name,
                  uint16_t type, struct fr_judgement *out)
{
    *out = (struct fr_judgement){.ede = FR_DNS_EDE_NONE};
    if (r->end != FR_LINK_ANSWERED) {
        judge_transport(r, out);
        return;
    }
    out->status = r->status;
    if (r->status != 200) {
        judge_status(r, broker, out);
        return;
    }
    struct fr_span type_only, parameters;
    (void)fr_span_cut(r->content_type, ';', &type_only, &parameters); /* parameters do not matter */
    if (!fr_span_equal_nocase(fr_span_trim(type_only), FR_SPAN_LIT("application/dns-message"))) {
        end(out, FEDROAM_BAD_ANSWER, broker, "the answer is not application/dns-message");
        return;
    }
    fr_reply_read(r->body, r->age_s, name, type, &out->reply);
    judge_reply(broker, out);
}
