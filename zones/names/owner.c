#include "names/owner.h"

#include "base/hex.h"
#include "base/parse.h"
#include "base/wire.h"

#include <stdio.h>

enum { MAX_LABELS = 127, NIBBLES = 16 };

static const char *const services[] = {[FR_OWNER_LWNS] = "_lwns", [FR_OWNER_LWN] = "_lwn"};

/* The `n` leading nibbles of an EUI, the last of them first, dotted: n digits and n - 1 dots and
 * a terminator. */
static void reverse_nibbles(uint64_t eui, unsigned n, char *out)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned nibble = (unsigned)(eui >> (60 - 4 * (n - 1 - i)) & 15);
        out[2 * i] = (char)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
        out[2 * i + 1] = i + 1 < n ? '.' : '\0';
    }
}

static enum fr_err print_joineui(uint64_t eui, unsigned n, const char *before, char out[64])
{
    char nibbles[2 * NIBBLES + 1];

    reverse_nibbles(eui, n, nibbles);
    (void)snprintf(out, 64, "%s%s.joineui", before, nibbles);
    return FR_OK;
}

static enum fr_err print_nibbles(const struct fr_owner *o, char out[64])
{
    bool is_within = o->kind != FR_OWNER_JOINEUI_PART && o->kind != FR_OWNER_JOINEUI_ANY;
    char before[16] = "";

    if (o->nibbles < 1 || o->nibbles > (is_within ? NIBBLES : NIBBLES - 1)) return FR_E_RANGE;
    if (o->kind == FR_OWNER_JOINEUI_SERVICE && o->number > FR_OWNER_LWN) return FR_E_RANGE;
    if (o->kind == FR_OWNER_JOINEUI_ANY)
        (void)snprintf(before, sizeof before, "*.");
    else if (o->kind == FR_OWNER_JOINEUI_TCP)
        (void)snprintf(before, sizeof before, "_tcp.");
    else if (o->kind == FR_OWNER_JOINEUI_SERVICE)
        (void)snprintf(before, sizeof before, "%s._tcp.", services[o->number]);
    else if (o->kind == FR_OWNER_JOINEUI_HOST)
        (void)snprintf(before, sizeof before, "e%u.", (unsigned)o->number);
    return print_joineui(o->eui, o->nibbles, before, out);
}

struct fr_owner fr_owner_joineui(uint64_t eui, uint8_t nibbles)
{
    if (nibbles == NIBBLES) return (struct fr_owner){.kind = FR_OWNER_JOINEUI, .eui = eui};
    return (struct fr_owner){.kind = FR_OWNER_JOINEUI_PART, .eui = eui, .nibbles = nibbles};
}

/* What stands before the federation's name, as text; empty for the apex. */
static enum fr_err print_prefix(const struct fr_owner *o, char out[64])
{
    unsigned long long eui = o->eui;
    unsigned netid = o->netid & 0xffffff, number = o->number;

    if (o->is_below) return FR_E_RANGE;
    switch (o->kind) {
    case FR_OWNER_APEX: out[0] = '\0'; return FR_OK;
    case FR_OWNER_DEVEUI: (void)snprintf(out, 64, "%016llx.deveui", eui); return FR_OK;
    case FR_OWNER_NETID: (void)snprintf(out, 64, "%06x.netid", netid); return FR_OK;
    case FR_OWNER_SERVICE: (void)snprintf(out, 64, "_fedroam._tcp.%06x.netid", netid); return FR_OK;
    case FR_OWNER_TLSA: (void)snprintf(out, 64, "_ns.%06x.netid", netid); return FR_OK;
    case FR_OWNER_PORT: (void)snprintf(out, 64, "_%u._tcp.%06x.netid", number, netid); return FR_OK;
    case FR_OWNER_ENDPOINT: (void)snprintf(out, 64, "e%u.%06x.netid", number, netid); return FR_OK;
    case FR_OWNER_NETID_TCP: (void)snprintf(out, 64, "_tcp.%06x.netid", netid); return FR_OK;
    case FR_OWNER_BROKER: (void)snprintf(out, 64, "broker"); return FR_OK;
    case FR_OWNER_CA: (void)snprintf(out, 64, "ca"); return FR_OK;
    case FR_OWNER_DEVEUI_ROOT: (void)snprintf(out, 64, "deveui"); return FR_OK;
    case FR_OWNER_NETID_ROOT: (void)snprintf(out, 64, "netid"); return FR_OK;
    case FR_OWNER_JOINEUI_ROOT: (void)snprintf(out, 64, "joineui"); return FR_OK;
    case FR_OWNER_JOINEUI: return print_joineui(o->eui, NIBBLES, "", out);
    case FR_OWNER_JOINEUI_PART:
    case FR_OWNER_JOINEUI_ANY:
    case FR_OWNER_JOINEUI_TCP:
    case FR_OWNER_JOINEUI_SERVICE:
    case FR_OWNER_JOINEUI_HOST: return print_nibbles(o, out);
    }
    return FR_E_RANGE;
}

static enum fr_err print_under(const char *prefix, const char *suffix, char out[FR_OWNER_TEXT])
{
    struct fr_span whole = fr_span_str(prefix);
    struct fr_span zone = fr_span_str(suffix);
    size_t n = whole.n + (whole.n > 0) + zone.n;

    /* 255 on the wire: a length byte before the first label, and the root */
    if (n > 253) return FR_E_LIMIT;
    (void)snprintf(out, FR_OWNER_TEXT, "%s%s%s", prefix, whole.n > 0 ? "." : "", suffix);
    return FR_OK;
}

enum fr_err fr_owner_print(const struct fr_owner *owner, const char *fed, char out[FR_OWNER_TEXT])
{
    char prefix[64];
    enum fr_err err = print_prefix(owner, prefix);

    return err ? err : print_under(prefix, fed, out);
}

enum fr_err fr_owner_write(const struct fr_owner *owner, const struct fr_dname *zone,
                           struct fr_dname *out)
{
    char prefix[64];
    struct fr_dname name = {0};
    struct fr_wr w = fr_wr(name.b, sizeof name.b);
    enum fr_err err = print_prefix(owner, prefix);
    struct fr_span label, rest = fr_span_str(prefix);

    if (err) return err;
    while (rest.n > 0) {
        (void)fr_span_cut(rest, '.', &label, &rest);
        fr_wr_u8(&w, (uint8_t)label.n);
        fr_wr_span(&w, label);
    }
    fr_wr_bytes(&w, zone->b, zone->n);
    if (fr_wr_err(&w)) return fr_wr_err(&w);
    name.n = (uint8_t)w.at;
    *out = name;
    return FR_OK;
}

static bool label_is(struct fr_span label, const char *word)
{
    return fr_span_equal_nocase(label, fr_span_str(word));
}

/* One character, either case, and a decimal number without leading zeros. */
static bool read_number(struct fr_span label, const char *prefix, uint16_t *out)
{
    uint64_t v;

    if (label.n < 2 || !label_is(fr_span(label.p, 1), prefix) || label.p[1] == '0') return false;
    if (fr_parse_u64(fr_span(label.p + 1, label.n - 1), 1, UINT16_MAX, &v) != FR_OK) return false;
    *out = (uint16_t)v;
    return true;
}

/* labels[0..n) stand before "netid"; the last of them is the NetID. */
static enum fr_err read_netid(const struct fr_span *labels, size_t n, struct fr_owner *out)
{
    uint64_t netid;

    if (n == 0) {
        out->kind = FR_OWNER_NETID_ROOT;
        return FR_OK;
    }
    if (fr_hex_parse_u64(labels[n - 1], 6, &netid) != FR_OK) return FR_E_NOT_FOUND;
    out->netid = (uint32_t)netid;
    if (n == 1) {
        out->kind = FR_OWNER_NETID;
    } else if (n == 2 && label_is(labels[0], "_ns")) {
        out->kind = FR_OWNER_TLSA;
    } else if (n == 2 && label_is(labels[0], "_tcp")) {
        out->kind = FR_OWNER_NETID_TCP;
    } else if (n == 2 && read_number(labels[0], "e", &out->number)) {
        out->kind = FR_OWNER_ENDPOINT;
    } else if (n == 3 && label_is(labels[1], "_tcp") && label_is(labels[0], "_fedroam")) {
        out->kind = FR_OWNER_SERVICE;
    } else if (n == 3 && label_is(labels[1], "_tcp") && read_number(labels[0], "_", &out->number)) {
        out->kind = FR_OWNER_PORT;
    } else {
        return FR_E_NOT_FOUND;
    }
    return FR_OK;
}

/* What stands before the nibbles: labels[0..n), the last of them next to those. */
static void read_before(const struct fr_span *labels, size_t n, struct fr_owner *out)
{
    size_t used = 0;

    if (n > 0 && out->nibbles < NIBBLES && label_is(labels[n - 1], "*")) {
        out->kind = FR_OWNER_JOINEUI_ANY;
        used = 1;
    } else if (n > 0 && read_number(labels[n - 1], "e", &out->number)) {
        out->kind = FR_OWNER_JOINEUI_HOST;
        used = 1;
    } else if (n > 0 && label_is(labels[n - 1], "_tcp")) {
        out->kind = FR_OWNER_JOINEUI_TCP;
        used = 1;
        for (uint16_t i = FR_OWNER_LWNS; n > 1 && used == 1 && i <= FR_OWNER_LWN; i++) {
            if (!label_is(labels[n - 2], services[i])) continue;
            out->kind = FR_OWNER_JOINEUI_SERVICE;
            out->number = i;
            used = 2;
        }
    } else {
        *out = fr_owner_joineui(out->eui, out->nibbles);
    }
    out->is_below = n > used;
}

/* labels[0..n) stand before "joineui": nibbles, the last of them the most significant, and what is below them. */
static enum fr_err read_joineui(const struct fr_span *labels, size_t n, struct fr_owner *out)
{
    for (; n > 0 && out->nibbles < NIBBLES; n--, out->nibbles++) {
        int nibble = labels[n - 1].n == 1 ? fr_hex_digit(labels[n - 1].p[0]) : -1;
        if (nibble < 0) break;
        out->eui |= (uint64_t)nibble << (60 - 4 * out->nibbles);
    }
    if (out->nibbles == 0) {
        out->kind = FR_OWNER_JOINEUI_ROOT;
        return n == 0 ? FR_OK : FR_E_NOT_FOUND;
    }
    read_before(labels, n, out);
    return FR_OK;
}

static enum fr_err read_deveui(const struct fr_span *labels, size_t n, struct fr_owner *out)
{
    if (n == 0) {
        out->kind = FR_OWNER_DEVEUI_ROOT;
        return FR_OK;
    }
    out->kind = FR_OWNER_DEVEUI;
    return n == 1 && fr_hex_parse_u64(labels[0], 16, &out->eui) == FR_OK ? FR_OK : FR_E_NOT_FOUND;
}

static enum fr_err read_labels(const struct fr_span *labels, size_t n, struct fr_owner *out)
{
    if (n == 0) {
        out->kind = FR_OWNER_APEX;
        return FR_OK;
    }
    n--;
    if (label_is(labels[n], "deveui")) return read_deveui(labels, n, out);
    if (label_is(labels[n], "netid")) return read_netid(labels, n, out);
    if (label_is(labels[n], "joineui")) return read_joineui(labels, n, out);
    if (n > 0) return FR_E_NOT_FOUND;
    if (label_is(labels[0], "broker")) {
        out->kind = FR_OWNER_BROKER;
        return FR_OK;
    }
    out->kind = FR_OWNER_CA;
    return label_is(labels[0], "ca") ? FR_OK : FR_E_NOT_FOUND;
}

enum fr_err fr_owner_read(struct fr_span name, const struct fr_dname *zone, struct fr_owner *out)
{
    struct fr_span labels[MAX_LABELS];
    struct fr_owner owner = {0};
    struct fr_rd r = fr_rd(name);
    size_t n = 0;
    enum fr_err err;

    if (!fr_dname_is_under(name, fr_dname_span(zone))) return FR_E_INVALID;
    while (fr_rd_left(&r) > zone->n) {
        if (n == MAX_LABELS) return FR_E_NOT_FOUND;
        labels[n++] = fr_rd_span(&r, fr_rd_u8(&r));
    }
    err = read_labels(labels, n, &owner);
    if (!err) *out = owner;
    return err;
}

enum fr_err fr_owner_parse(struct fr_span text, const char *fed, struct fr_owner *out)
{
    struct fr_dname name, zone;
    enum fr_err err = fr_dname_parse(text, &name);

    if (!err) err = fr_dname_parse(fr_span_str(fed), &zone);
    return err ? err : fr_owner_read(fr_dname_span(&name), &zone, out);
}

enum fr_err fr_deveui_name(uint64_t deveui, const char *suffix, char out[FR_OWNER_TEXT])
{
    char label[17];

    fr_hex_print_u64(deveui, 16, label);
    return print_under(label, suffix, out);
}

enum fr_err fr_netid_name(uint32_t netid, const char *suffix, char out[FR_OWNER_TEXT])
{
    char label[7];

    fr_hex_print_u64(netid, 6, label);
    return print_under(label, suffix, out);
}

enum fr_err fr_joineui_name(uint64_t joineui, const char *suffix, char out[FR_OWNER_TEXT])
{
    char labels[2 * NIBBLES + 1];

    reverse_nibbles(joineui, NIBBLES, labels);
    return print_under(labels, suffix, out);
}
