#include "admin/audit_line.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "store/limits.h"
#include "x509/secret.h"

#include <jansson.h>
#include <string.h>

#define HASH_KEY ",\"hash\":\""
#define HASH_TAIL "\"}"

enum { HASH_DIGITS = 2 * FR_SHA256_SIZE };

/* --- writing --- */

static void put_hash(struct fr_json *j, const char *key, const uint8_t hash[FR_SHA256_SIZE])
{
    char text[HASH_DIGITS + 1];
    fr_hex_print(hash, FR_SHA256_SIZE, text);
    fr_json_put_str(j, key, text);
}

/* What is too long, or nobody's to read, is told by its length and digest. */
static enum fr_err put_digest(struct fr_json *j, struct fr_span bytes, const char *size_key,
                              const char *digest_key)
{
    uint8_t digest[FR_SHA256_SIZE];
    enum fr_err err = fr_sha256(bytes, digest);
    if (err) return err;
    fr_json_put_uint(j, size_key, bytes.n);
    put_hash(j, digest_key, digest);
    return FR_OK;
}

static void put_who(struct fr_json *j, const struct fr_audit_entry *entry)
{
    char serial[2 * FR_SERIAL_SIZE + 1];
    fr_json_put_str(j, "actor", entry->actor);
    if (entry->has_uid) fr_json_put_uint(j, "uid", entry->uid);
    if (!entry->certificate) return;
    fr_hex_print(entry->certificate, FR_SERIAL_SIZE, serial);
    fr_json_put_str(j, "certificate", serial);
}

static const char *outcome_of(const struct fr_audit_entry *entry)
{
    if (entry->is_intent) return "intent";
    return entry->err ? fr_err_text(entry->err) : "done";
}

static enum fr_err put_facts(struct fr_json *j, const struct fr_audit_entry *entry, bool is_whole)
{
    enum fr_err err = FR_OK;
    char when[FR_TIME_TEXT];
    fr_time_print(entry->when_s, when);
    fr_json_put_str(j, "time", when);
    put_who(j, entry);
    fr_json_put_str(j, "op", entry->op);
    if (entry->dry_run) fr_json_put_bool(j, "dry_run", true);
    fr_json_put_str(j, "outcome", outcome_of(entry));
    if (entry->what) fr_json_put_str(j, "why", entry->what);
    if (entry->sequence) fr_json_put_uint(j, "sequence", entry->sequence);
    if (entry->reason) fr_json_put_str(j, "reason", entry->reason);
    if (entry->args && is_whole) fr_json_put_str(j, "args", entry->args);
    if (entry->args && !is_whole)
        err = put_digest(j, fr_span_str(entry->args), "args_bytes", "args_sha256");
    if (!err && entry->body.n) err = put_digest(j, entry->body, "body_bytes", "body_sha256");
    if (!err && entry->result && is_whole) {
        fr_json_key(j, "result");
        fr_json_number(j, entry->result);
    } else if (!err && entry->result) {
        err = put_digest(j, fr_span_str(entry->result), "result_bytes", "result_sha256");
    }
    return err;
}

static enum fr_err line_write(const struct fr_audit_entry *entry, bool is_whole,
                              const struct fr_audit_link *after, struct fr_buf *line,
                              struct fr_audit_link *out)
{
    const size_t start = line->n;
    struct fr_audit_link link = {.seq = after->seq + 1};
    char text[HASH_DIGITS + 1];
    struct fr_json j = fr_json(line);
    fr_json_object(&j);
    fr_json_put_uint(&j, "seq", link.seq);
    enum fr_err err = put_facts(&j, entry, is_whole);
    if (err) return err;
    put_hash(&j, "prev", after->hash);
    err = fr_buf_err(line);
    if (err) return err;
    err = fr_sha256(fr_span(line->p + start, line->n - start), link.hash);
    if (err) return err;
    fr_hex_print(link.hash, sizeof link.hash, text);
    fr_buf_printf(line, HASH_KEY "%s" HASH_TAIL "\n", text);
    err = fr_buf_err(line);
    if (!err) *out = link;
    return err;
}

enum fr_err fr_audit_line_write(const struct fr_audit_entry *entry,
                                const struct fr_audit_link *after, struct fr_buf *line,
                                struct fr_audit_link *out)
{
    struct fr_buf one = FR_BUF_INIT(FR_AUDIT_LINE_MAX);
    enum fr_err err = line_write(entry, true, after, &one, out);
    if (err == FR_E_LIMIT) {
        fr_buf_reset(&one);
        err = line_write(entry, false, after, &one, out);
    }
    if (!err) {
        fr_buf_add_span(line, fr_buf_span(&one));
        err = fr_buf_err(line);
    }
    fr_buf_deinit(&one);
    return err;
}

/* --- reading --- */

/* Takes `,"hash":"…"}` off the end. */
static bool cut_hash(struct fr_span text, struct fr_span *covered, uint8_t hash[FR_SHA256_SIZE])
{
    const size_t key = strlen(HASH_KEY), tail = strlen(HASH_TAIL), n = key + HASH_DIGITS + tail;
    if (text.n <= n) return false;
    const uint8_t *at = text.p + text.n - n;
    if (memcmp(at, HASH_KEY, key) != 0 || memcmp(text.p + text.n - tail, HASH_TAIL, tail) != 0)
        return false;
    if (fr_hex_parse(fr_span(at + key, HASH_DIGITS), hash, FR_SHA256_SIZE)) return false;
    *covered = fr_span(text.p, text.n - n);
    return true;
}

static bool read_facts(const json_t *object, struct fr_audit_line *line)
{
    const char *prev = json_string_value(json_object_get(object, "prev"));
    const char *when = json_string_value(json_object_get(object, "time"));
    const char *op = json_string_value(json_object_get(object, "op"));
    const json_int_t seq = json_integer_value(json_object_get(object, "seq"));
    const json_int_t sequence = json_integer_value(json_object_get(object, "sequence"));
    if (!prev || !when || !op || seq < 1 || sequence < 0) return false;
    if (strlen(prev) != HASH_DIGITS ||
        fr_hex_parse(fr_span_str(prev), line->prev, sizeof line->prev) ||
        fr_time_parse(fr_span_str(when), &line->when_s) ||
        !fr_span_copy(fr_span_str(op), line->op, sizeof line->op))
        return false;
    line->link.seq = (uint64_t)seq;
    line->sequence = (uint64_t)sequence;
    return true;
}

enum fr_err fr_audit_line_parse(struct fr_span text, struct fr_audit_line *out)
{
    struct fr_audit_line line = {0};
    struct fr_span covered;
    uint8_t digest[FR_SHA256_SIZE];
    if (text.n >= FR_AUDIT_LINE_MAX || !cut_hash(text, &covered, line.link.hash))
        return FR_E_MALFORMED;
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    bool is_line = json_is_object(object) && read_facts(object, &line);
    json_decref(object);
    if (!is_line) return FR_E_MALFORMED;
    enum fr_err err = fr_sha256(covered, digest);
    if (err) return err;
    line.is_intact = memcmp(digest, line.link.hash, sizeof digest) == 0;
    *out = line;
    return FR_OK;
}

static void print_member(const json_t *object, const char *key, const char *before,
                         struct fr_buf *out)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || !text[0]) return;
    fr_buf_add_str(out, before);
    for (; *text; text++)
        fr_buf_add_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

enum fr_err fr_audit_line_print(struct fr_span text, struct fr_buf *out)
{
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        fr_buf_add_str(out, "(not a line of the audit trail)");
        return fr_buf_err(out);
    }
    fr_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(object, "seq")));
    print_member(object, "time", " ", out);
    print_member(object, "actor", " ", out);
    print_member(object, "op", " ", out);
    print_member(object, "outcome", " ", out);
    if (json_is_true(json_object_get(object, "dry_run"))) fr_buf_add_str(out, " (dry run)");
    print_member(object, "args", " ", out);
    print_member(object, "why", ": ", out);
    print_member(object, "reason", " # ", out);
    json_decref(object);
    return fr_buf_err(out);
}
