#include "xfr/form.h"

#include "base/hex.h"
#include "names/eui.h"
#include "names/netid.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The label at `at`; its length, 0 at the root. */
static unsigned label(const struct fr_dname *name, unsigned at, const char **text)
{
    *text = (const char *)name->b + at + 1;
    return at < name->n ? name->b[at] : 0;
}

static bool is_label(const struct fr_dname *name, unsigned at, const char *word)
{
    const char *text;
    unsigned n = label(name, at, &text);

    return n == strlen(word) && strncasecmp(text, word, n) == 0;
}

/* Where in the zone the rest of an owner is. */
enum place { AT_APEX, BELOW_DEVEUI, ELSEWHERE };

static enum place place_of(const struct fr_dname *owner, unsigned at, const struct fr_dname *zone)
{
    struct fr_span rest = fr_span(owner->b + at, (size_t)owner->n - at);

    if (fr_dname_equal(rest, fr_dname_span(zone))) return AT_APEX;
    if (!is_label(owner, at, "deveui")) return ELSEWHERE;
    rest = fr_span(rest.p + 7, rest.n - 7);
    return fr_dname_equal(rest, fr_dname_span(zone)) ? BELOW_DEVEUI : ELSEWHERE;
}

static bool is_filled(const struct fr_primary_row *row, uint32_t netid)
{
    for (uint8_t i = 0; i < row->n_netids; i++)
        if (row->netids[i] == netid) return true;
    return false;
}

static enum fr_form leave(struct fr_form_device *out, const char *why)
{
    out->why = why;
    return FR_FORM_LEFT_OUT;
}

/* The NetID is read from the target's shape as a whole, never from its first label alone. */
static enum fr_form read_target(const struct fr_primary_row *row, const struct fr_dname *target,
                                struct fr_form_device *out)
{
    const char *text;
    unsigned n = label(target, 0, &text);
    uint64_t netid = 0;

    if (n != 6 || !is_label(target, 7, "netid") ||
        fr_hex_parse_u64(fr_span(text, n), 6, &netid) != FR_OK)
        return leave(out, "the target is no <NetID>.netid name");
    out->netid = (uint32_t)netid;
    if (!is_filled(row, out->netid)) return leave(out, "a NetID that the zone may not fill");
    return FR_FORM_DEVICE;
}

enum fr_form fr_form_read(const struct fr_primary_row *row, const struct fr_dname *zone,
                          const struct fr_xfr_record *record, struct fr_form_device *out)
{
    const bool is_alias = record->type == FR_DNS_CNAME;
    const bool is_address = record->type == FR_DNS_A || record->type == FR_DNS_AAAA;
    const char *text;
    unsigned n = label(&record->owner, 0, &text);

    *out = (struct fr_form_device){0};
    if ((!is_alias && !is_address) || record->class != FR_DNS_IN || n == 0) return FR_FORM_OTHER;
    const enum place place = place_of(&record->owner, n + 1, zone);
    if (n != 16 || fr_hex_parse_u64(fr_span(text, n), 16, &out->eui) != FR_OK)
        return place == BELOW_DEVEUI ? leave(out, "the name is no DevEUI") : FR_FORM_OTHER;
    if (place == ELSEWHERE) return leave(out, "not at the zone's apex or below deveui");
    if (fr_eui_check(out->eui, NULL)) return leave(out, "a reserved EUI");
    if (is_alias) return read_target(row, &record->target, out);
    if (row->n_netids != 1) return leave(out, "an address does not say which NetID");
    out->netid = row->netids[0];
    return FR_FORM_DEVICE;
}

void fr_form_print(const struct fr_xfr_record *record, char out[FR_PRIMARY_LEFT_TEXT + 1])
{
    char owner[FR_DNAME_TEXT], target[FR_DNAME_TEXT] = "", type[FR_DNS_TYPE_TEXT_SIZE];

    fr_dname_print(fr_dname_span(&record->owner), owner);
    if (record->type == FR_DNS_CNAME) fr_dname_print(fr_dname_span(&record->target), target);
    int n = snprintf(out, FR_PRIMARY_LEFT_TEXT + 1, "%s %s%s%s", owner,
                     fr_dns_type_print(record->type, type), target[0] ? " " : "", target);
    if (n < 0) out[0] = '\0'; /* longer ones are cut, which is what is wanted */
}
