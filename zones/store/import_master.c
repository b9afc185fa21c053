#include "store/import_state.h"

#include "base/hex.h"
#include "base/parse.h"
#include "names/dname.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/network.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Master files, RFC 1035 section 5.1: enough of it to find devices, and every rule of quoting and grouping, so that what is
 * passed over is passed over rightly. */

#define DEPTH_MAX 1 /* parentheses group lines, they do not nest */

/* Ends the token that has been collected from `start`. */
static enum fr_err end_token(struct fr_import *import, size_t start, struct fr_import_fault *fault)
{
    if (import->n_text >= sizeof import->text)
        return fr_import_fault(fault, FR_E_MALFORMED, "a record of more than %d bytes",
                               FR_IMPORT_LINE_MAX);
    import->text[import->n_text++] = '\0';
    if (import->n_tokens < FR_IMPORT_TOKENS_MAX)
        import->tokens[import->n_tokens] = import->text + start;
    import->n_tokens++;
    return FR_OK;
}

/* Keeps what stands behind the owner as it was written. */
static enum fr_err keep_raw(struct fr_import *import, struct fr_span written,
                            struct fr_import_fault *fault)
{
    if (import->has_owner && import->n_tokens == 0) return FR_OK;
    if (import->n_raw + written.n + 1 >= sizeof import->raw)
        return fr_import_fault(fault, FR_E_MALFORMED, "a record of more than %d bytes",
                               FR_IMPORT_LINE_MAX);
    import->raw[import->n_raw++] = ' ';
    memcpy(import->raw + import->n_raw, written.p, written.n);
    import->n_raw += written.n;
    import->raw[import->n_raw] = '\0';
    return FR_OK;
}

/* One word or quoted string starting at line.p[*at]; escapes are kept as written (no name we look for has one). */
static enum fr_err take_token(struct fr_import *import, struct fr_span line, size_t *at,
                              struct fr_import_fault *fault)
{
    size_t start = import->n_text, i = *at;
    bool is_quoted = line.p[i] == '"', is_closed = false;

    for (i += is_quoted; i < line.n; i++) {
        uint8_t c = line.p[i];
        if (is_quoted && c == '"') {
            is_closed = true;
            i++;
            break;
        }
        if (!is_quoted && strchr(" \t;()\"", c) != NULL) break;
        if (import->n_text + 2 >= sizeof import->text)
            return fr_import_fault(fault, FR_E_MALFORMED, "a record of more than %d bytes",
                                   FR_IMPORT_LINE_MAX);
        import->text[import->n_text++] = (char)c;
        if (c == '\\') {
            if (++i == line.n) return fr_import_fault(fault, FR_E_MALFORMED, "nothing after \\");
            import->text[import->n_text++] = (char)line.p[i];
        }
    }
    if (is_quoted && !is_closed)
        return fr_import_fault(fault, FR_E_MALFORMED, "a quote is not closed");
    enum fr_err err = keep_raw(import, fr_span(line.p + *at, i - *at), fault);
    *at = i;
    return err ? err : end_token(import, start, fault);
}

static enum fr_err take_tokens(struct fr_import *import, struct fr_span line,
                               struct fr_import_fault *fault)
{
    for (size_t i = 0; i < line.n;) {
        uint8_t c = line.p[i];
        enum fr_err err = FR_OK;
        if (c == ';') break;
        if (c == ' ' || c == '\t') {
            i++;
        } else if (c == '(') {
            if (import->depth == DEPTH_MAX)
                return fr_import_fault(fault, FR_E_MALFORMED, "( inside of (");
            import->depth++;
            i++;
        } else if (c == ')') {
            if (import->depth == 0) return fr_import_fault(fault, FR_E_MALFORMED, ") without (");
            import->depth--;
            i++;
        } else {
            err = take_token(import, line, &i, fault);
        }
        if (err) return err;
    }
    return FR_OK;
}

/* The name made absolute, lower case, without the dot at its end. */
static enum fr_err complete(const struct fr_import *import, const char *name,
                            char out[FR_DNS_NAME_MAX + 2], struct fr_import_fault *fault)
{
    struct fr_dname checked;
    size_t n = strlen(name);
    bool is_relative = n == 0 || name[n - 1] != '.';
    int size;

    if (strcmp(name, "@") == 0 && import->origin[0] != '\0')
        size = snprintf(out, FR_DNS_NAME_MAX + 2, "%s", import->origin);
    else if (strcmp(name, ".") == 0) /* a name of no interest, kept as written */
        size = snprintf(out, FR_DNS_NAME_MAX + 2, "@");
    else if (is_relative && import->origin[0] != '\0')
        size = snprintf(out, FR_DNS_NAME_MAX + 2, "%s.%s", name, import->origin);
    else
        size = snprintf(out, FR_DNS_NAME_MAX + 2, "%.*s", (int)(is_relative ? n : n - 1), name);
    if (size > FR_DNS_NAME_MAX ||
        (out[0] != '\0' && fr_dname_parse(fr_span_str(out), &checked) != FR_OK))
        return fr_import_fault(fault, FR_E_MALFORMED, "\"%.60s\" is not a name", name);
    for (char *p = out; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 'a' - 'A');
    return FR_OK;
}

static enum fr_err take_directive(struct fr_import *import, struct fr_import_fault *fault)
{
    char origin[FR_DNS_NAME_MAX + 2];
    uint64_t ttl;

    if (strcasecmp(import->tokens[0], "$TTL") == 0 && import->n_tokens == 2) {
        /* A TTL may carry units (1h, 2d); its value does not matter here, only that it is one. */
        const char *text = import->tokens[1];
        bool is_ttl = fr_parse_u64(fr_span_str(text), 0, INT32_MAX, &ttl) == FR_OK ||
                      (text[0] != '\0' && strspn(text, "0123456789smhdwSMHDW") == strlen(text));
        return is_ttl ? FR_OK
                      : fr_import_fault(fault, FR_E_MALFORMED, "\"%.40s\" is not a TTL", text);
    }
    if (strcasecmp(import->tokens[0], "$ORIGIN") == 0 && import->n_tokens == 2) {
        enum fr_err err = complete(import, import->tokens[1], origin, fault);
        if (err == FR_OK) memcpy(import->origin, origin, sizeof import->origin);
        return err;
    }
    return fr_import_fault(fault, FR_E_MALFORMED,
                           "\"%.40s\": only $ORIGIN NAME and $TTL TIME are understood",
                           import->tokens[0]);
}

static bool is_ttl(const char *token)
{
    size_t n = strspn(token, "0123456789smhdwSMHDW");

    return token[0] >= '0' && token[0] <= '9' && token[n] == '\0';
}

static bool is_type(const char *token)
{
    size_t n = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n <= 16 && token[n] == '\0' && !(token[0] >= '0' && token[0] <= '9');
}

/* A name of ours, taken apart: first label and what follows it. */
static struct fr_span labels(const char *name, struct fr_span *rest)
{
    struct fr_span first;

    (void)fr_span_cut(fr_span_str(name), '.', &first, rest);
    return first;
}

static bool is_below(struct fr_span rest, const char *label)
{
    struct fr_span second, more;

    (void)fr_span_cut(rest, '.', &second, &more);
    return fr_span_is(second, label);
}

static enum fr_err check_target(const struct fr_import *import, const char *token,
                                struct fr_import_fault *fault)
{
    char target[FR_DNS_NAME_MAX + 2];
    struct fr_span rest;
    uint64_t netid;

    enum fr_err err = complete(import, token, target, fault);
    if (err) return err;
    struct fr_span first = labels(target, &rest);
    if (fr_hex_parse_u64(first, 6, &netid) != FR_OK || !is_below(rest, "netid"))
        return fr_import_fault(fault, FR_E_MALFORMED, "the target \"%.80s\" is not NETID.netid.…",
                               token);
    if (netid != import->options.netid)
        return fr_import_fault(fault, FR_E_CONFLICT, "the target is NetID %06x, not %06x",
                               (unsigned)netid, (unsigned)import->options.netid);
    return FR_OK;
}

static enum fr_err take_address(struct fr_import *import, const char *token, uint8_t family,
                                struct fr_import_fault *fault)
{
    struct fr_addr addr = {.port = FR_ENDPOINT_PORT_DEFAULT};

    if (fr_ip_parse(fr_span_str(token), &addr.ip) != FR_OK || addr.ip.family != family)
        return fr_import_fault(fault, FR_E_MALFORMED, "\"%.60s\" is not an IPv%d address", token,
                               family);
    if (!import->options.records) return FR_OK;
    for (size_t i = 0; i < import->n_addrs; i++)
        if (fr_addr_equal(&import->addrs[i], &addr)) return FR_OK;
    if (import->n_addrs == FR_ENDPOINTS_MAX)
        return fr_import_fault(fault, FR_E_LIMIT, "more than %d different addresses",
                               FR_ENDPOINTS_MAX);
    import->addrs[import->n_addrs++] = addr;
    return FR_OK;
}

/* A record of no interest is still a record, or the file is not what it seems. */
static enum fr_err check_other(const struct fr_import *import, struct fr_import_fault *fault)
{
    const struct fr_import_options *options = &import->options;
    char record[sizeof import->owner + sizeof import->raw + 2];
    const char *why = "";

    if (options->other == NULL) return FR_OK;
    snprintf(record, sizeof record, "%s%s%s", import->owner,
             strcmp(import->owner, "@") == 0 ? "" : ".", import->raw);
    enum fr_err err = options->other(options->data, record, import->origin, &why);
    return err ? fr_import_fault(fault, err == FR_E_NOMEM ? err : FR_E_MALFORMED, "%s", why)
               : FR_OK;
}

/* What a record says about a device, or about the network's addresses. */
static enum fr_err take_record(struct fr_import *import, const char *type, const char *rdata,
                               struct fr_import_fault *fault)
{
    bool is_cname = strcasecmp(type, "CNAME") == 0;
    uint8_t family = strcasecmp(type, "A") == 0 ? 4 : strcasecmp(type, "AAAA") == 0 ? 6 : 0;
    struct fr_span rest, first = labels(import->owner, &rest);
    uint64_t eui, netid;
    enum fr_err err = FR_OK;

    if (!is_cname && family == 0) return check_other(import, fault);
    if (rdata == NULL) return fr_import_fault(fault, FR_E_MALFORMED, "%s without its value", type);
    if (fr_hex_parse_u64(first, 16, &eui) == FR_OK) {
        err = is_cname ? check_target(import, rdata, fault)
                       : take_address(import, rdata, family, fault);
        return err ? err : fr_import_add(import, eui, import->record_line, fault);
    }
    if (is_below(rest, "deveui"))
        return fr_import_fault(fault, FR_E_MALFORMED, "\"%.*s\" is not a DevEUI (16 hex digits)",
                               (int)(first.n > 40 ? 40 : first.n), (const char *)first.p);
    if (family != 0 && is_below(rest, "netid") && fr_hex_parse_u64(first, 6, &netid) == FR_OK &&
        netid == import->options.netid)
        return take_address(import, rdata, family, fault);
    return check_other(import, fault);
}

static enum fr_err take_whole(struct fr_import *import, struct fr_import_fault *fault)
{
    size_t n = import->n_tokens < FR_IMPORT_TOKENS_MAX ? import->n_tokens : FR_IMPORT_TOKENS_MAX;
    size_t at = 0;
    enum fr_err err = FR_OK;

    if (import->has_owner && import->tokens[0][0] == '$') return take_directive(import, fault);
    if (import->has_owner) {
        char owner[FR_DNS_NAME_MAX + 2];
        err = complete(import, import->tokens[at++], owner, fault);
        if (err) return err;
        memcpy(import->owner, owner, sizeof import->owner);
    } else if (import->owner[0] == '\0') {
        return fr_import_fault(fault, FR_E_MALFORMED,
                               "a record without a name, and none before it");
    }
    /* TTL and class, each at most once, in either order. */
    bool has_ttl = false, has_class = false;
    for (; at < n; at++) {
        if (!has_ttl && is_ttl(import->tokens[at]))
            has_ttl = true;
        else if (!has_class && strcasecmp(import->tokens[at], "IN") == 0)
            has_class = true;
        else
            break;
    }
    if (at == n || !is_type(import->tokens[at]))
        return fr_import_fault(fault, FR_E_MALFORMED,
                               "not a record: NAME [TTL] [IN] TYPE VALUE expected");
    return take_record(import, import->tokens[at], at + 1 < n ? import->tokens[at + 1] : NULL,
                       fault);
}

static void start_record(struct fr_import *import)
{
    import->n_text = 0;
    import->n_tokens = 0;
    import->n_raw = 0;
    import->raw[0] = '\0';
    import->depth = 0;
}

enum fr_err fr_import_master_line(struct fr_import *import, struct fr_span line,
                                  struct fr_import_fault *fault)
{
    if (import->depth == 0) {
        start_record(import);
        import->has_owner = line.p[0] != ' ' && line.p[0] != '\t';
        import->record_line = import->line;
    }
    enum fr_err err = take_tokens(import, line, fault);
    if (err == FR_OK && import->depth > 0) return FR_OK;
    if (err == FR_OK && import->n_tokens > 0) err = take_whole(import, fault);
    if (err) fault->line = import->record_line;
    start_record(import);
    return err;
}

enum fr_err fr_import_master_end(struct fr_import *import, struct fr_import_fault *fault)
{
    if (import->depth == 0) return FR_OK;
    fault->line = import->record_line;
    return fr_import_fault(fault, FR_E_MALFORMED, "a ( is not closed");
}
