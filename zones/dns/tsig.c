#include "dns/tsig.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/wire.h"
#include "dns/name.h"
#include "dns/types.h"

static const struct {
    const char *text, *digest;
    uint8_t mac_size;
} ALGORITHMS[FR_TSIG_ALGORITHMS] = {
    [FR_TSIG_SHA224] = {"hmac-sha224", "SHA224", 28},
    [FR_TSIG_SHA256] = {"hmac-sha256", "SHA256", 32},
    [FR_TSIG_SHA384] = {"hmac-sha384", "SHA384", 48},
    [FR_TSIG_SHA512] = {"hmac-sha512", "SHA512", 64},
};

const char *fr_tsig_algorithm_text(enum fr_tsig_algorithm algorithm)
{
    return ALGORITHMS[algorithm].text;
}

bool fr_tsig_algorithm_parse(const char *text, enum fr_tsig_algorithm *out)
{
    size_t n = strlen(text);

    if (n > 0 && text[n - 1] == '.') n--;
    for (unsigned i = 0; i < FR_TSIG_ALGORITHMS; i++) {
        if (strlen(ALGORITHMS[i].text) != n || strncasecmp(ALGORITHMS[i].text, text, n) != 0)
            continue;
        *out = (enum fr_tsig_algorithm)i;
        return true;
    }
    return false;
}

const char *fr_tsig_error_text(unsigned error)
{
    switch (error) {
    case FR_TSIG_NOERROR: return "NOERROR";
    case FR_TSIG_BADSIG: return "BADSIG";
    case FR_TSIG_BADKEY: return "BADKEY";
    case FR_TSIG_BADTIME: return "BADTIME";
    case FR_TSIG_BADTRUNC: return "BADTRUNC";
    default: return "an unknown TSIG error";
    }
}

/* --- reading --- */

static void skip_question(struct fr_rd *r)
{
    struct fr_dname name;

    fr_dns_name_read(r, &name);
    fr_rd_skip(r, 4);
}

/* Class, TTL and RDATA of the record; the cursor stands behind its type. */
static void rdata_read(struct fr_rd *r, struct fr_tsig *out)
{
    uint16_t class = fr_rd_u16(r);
    uint32_t ttl = fr_rd_u32(r);
    size_t length = fr_rd_u16(r), end = r->at + length;

    if (class != FR_DNS_CLASS_ANY || ttl != 0) fr_rd_fail(r, FR_E_MALFORMED);
    fr_dns_name_read(r, &out->algorithm);
    out->time_s = (uint64_t)fr_rd_u16(r) << 32;
    out->time_s |= fr_rd_u32(r);
    out->fudge_s = fr_rd_u16(r);
    out->mac = fr_rd_span(r, fr_rd_u16(r));
    out->original_id = fr_rd_u16(r);
    out->error = fr_rd_u16(r);
    out->other = fr_rd_span(r, fr_rd_u16(r));
    if (fr_rd_err(r) == FR_OK && r->at != end) fr_rd_fail(r, FR_E_MALFORMED);
}

enum fr_err fr_tsig_find(struct fr_span message, struct fr_tsig *out)
{
    struct fr_rd r = fr_rd(message);
    struct fr_tsig tsig = {0};
    bool is_found = false;

    fr_rd_skip(&r, 4);
    unsigned questions = fr_rd_u16(&r), before = fr_rd_u16(&r);
    before += fr_rd_u16(&r);
    unsigned additional = fr_rd_u16(&r), total = before + additional;
    for (unsigned i = 0; i < questions && fr_rd_err(&r) == FR_OK; i++) skip_question(&r);
    for (unsigned i = 0; i < total && fr_rd_err(&r) == FR_OK; i++) {
        size_t at = r.at;
        fr_dns_name_read(&r, &tsig.name);
        if (fr_rd_u16(&r) == FR_DNS_TSIG) {
            tsig.at = at;
            is_found = true;
            rdata_read(&r, &tsig);
            if (i < before || i + 1 != total) fr_rd_fail(&r, FR_E_MALFORMED);
        } else {
            fr_rd_skip(&r, 6);
            fr_rd_skip(&r, fr_rd_u16(&r));
        }
    }
    enum fr_err err = fr_rd_end(&r);
    if (err) return err;
    if (!is_found) return FR_E_NOT_FOUND;
    *out = tsig;
    return FR_OK;
}

/* --- digests --- */

static EVP_MAC_CTX *digest_new(void)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *digest = mac ? EVP_MAC_CTX_new(mac) : NULL;

    EVP_MAC_free(mac);
    if (!digest) ERR_clear_error();
    return digest;
}

static bool add(EVP_MAC_CTX *digest, struct fr_span bytes)
{
    return bytes.n == 0 || EVP_MAC_update(digest, bytes.p, bytes.n) == 1;
}

/* A new digest under the key, over the MAC that came before (none: n is 0). */
static bool digest_begin(EVP_MAC_CTX *digest, const struct fr_tsig_key *key,
                         const struct fr_tsig_mac *prior)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         (char *)ALGORITHMS[key->algorithm].digest, 0),
        OSSL_PARAM_construct_end(),
    };
    uint8_t length[2] = {0, prior->n};

    if (EVP_MAC_init(digest, key->secret, key->n, params) != 1) return false;
    return prior->n == 0 || (add(digest, fr_span(length, sizeof length)) &&
                             add(digest, fr_span(prior->b, prior->n)));
}

/* The message without its TSIG record: one additional record less, the ID it was signed with. */
static bool add_signed(EVP_MAC_CTX *digest, struct fr_span message, const struct fr_tsig *tsig)
{
    uint8_t head[FR_DNS_HEADER_SIZE];
    struct fr_rd r = fr_rd(message);
    struct fr_wr w = fr_wr(head, sizeof head);

    fr_rd_skip(&r, 2);
    fr_wr_u16(&w, tsig->original_id);
    fr_wr_span(&w, fr_rd_span(&r, 8));
    fr_wr_u16(&w, (uint16_t)(fr_rd_u16(&r) - 1));
    return add(digest, fr_wr_done(&w)) &&
           add(digest, fr_span(message.p + sizeof head, tsig->at - sizeof head));
}

static void write_lower(struct fr_wr *w, const struct fr_dname *name)
{
    for (unsigned i = 0; i < name->n; i++) {
        uint8_t c = name->b[i]; /* length octets are below 'A' */
        fr_wr_u8(w, c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c);
    }
}

static void write_time(struct fr_wr *w, const struct fr_tsig *tsig)
{
    fr_wr_u16(w, (uint16_t)(tsig->time_s >> 32));
    fr_wr_u32(w, (uint32_t)tsig->time_s);
    fr_wr_u16(w, tsig->fudge_s);
}

/* RFC 8945 4.3.3: all the variables, or in the further messages of a stream only the timers. */
static bool add_variables(EVP_MAC_CTX *digest, const struct fr_tsig *tsig, bool only_timers)
{
    uint8_t bytes[FR_TSIG_RECORD_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    if (!only_timers) {
        write_lower(&w, &tsig->name);
        fr_wr_u16(&w, FR_DNS_CLASS_ANY);
        fr_wr_u32(&w, 0);
        write_lower(&w, &tsig->algorithm);
    }
    write_time(&w, tsig);
    if (!only_timers) {
        fr_wr_u16(&w, tsig->error);
        fr_wr_u16(&w, (uint16_t)tsig->other.n);
        fr_wr_span(&w, tsig->other);
    }
    return fr_wr_err(&w) == FR_OK && add(digest, fr_wr_done(&w));
}

static enum fr_err digest_end(EVP_MAC_CTX *digest, struct fr_tsig_mac *out)
{
    size_t n = 0;

    if (EVP_MAC_final(digest, out->b, &n, sizeof out->b) != 1) return FR_E_NOMEM;
    out->n = (uint8_t)n;
    return FR_OK;
}

static enum fr_err out_of_memory(void)
{
    ERR_clear_error();
    return FR_E_NOMEM;
}

/* --- signing --- */

static enum fr_err tsig_for(const struct fr_tsig_key *key, int64_t now_s, struct fr_span message,
                            struct fr_tsig *out)
{
    struct fr_rd r = fr_rd(message);
    const char *algorithm = ALGORITHMS[key->algorithm].text;

    *out = (struct fr_tsig){
        .name = key->name,
        .time_s = (uint64_t)now_s & 0xffffffffffff,
        .fudge_s = FR_TSIG_FUDGE_S,
        .original_id = fr_rd_u16(&r),
        .at = message.n,
    };
    if (message.n < FR_DNS_HEADER_SIZE) return FR_E_TRUNCATED;
    return fr_dname_parse(fr_span_str(algorithm), &out->algorithm);
}

/* Puts the record behind the message and counts it. */
static enum fr_err append(const struct fr_tsig *tsig, uint8_t *message, size_t max, size_t *n)
{
    struct fr_wr w = fr_wr(message + *n, max - *n), head = fr_wr(message, FR_DNS_HEADER_SIZE);
    struct fr_rd r = fr_rd(fr_span(message, *n));

    fr_wr_bytes(&w, tsig->name.b, tsig->name.n);
    fr_wr_u16(&w, FR_DNS_TSIG);
    fr_wr_u16(&w, FR_DNS_CLASS_ANY);
    fr_wr_u32(&w, 0);
    size_t length_at = w.at;
    fr_wr_u16(&w, 0);
    fr_wr_bytes(&w, tsig->algorithm.b, tsig->algorithm.n);
    write_time(&w, tsig);
    fr_wr_u16(&w, (uint16_t)tsig->mac.n);
    fr_wr_span(&w, tsig->mac);
    fr_wr_u16(&w, tsig->original_id);
    fr_wr_u16(&w, tsig->error);
    fr_wr_u16(&w, (uint16_t)tsig->other.n);
    fr_wr_span(&w, tsig->other);
    if (fr_wr_err(&w)) return fr_wr_err(&w);
    fr_wr_put_u16(&w, length_at, (uint16_t)(w.at - length_at - 2));
    fr_rd_seek(&r, 10);
    unsigned additional = fr_rd_u16(&r) + 1u;
    if (additional > UINT16_MAX) return FR_E_LIMIT;
    head.at = FR_DNS_HEADER_SIZE; /* written long ago; the count changes in place */
    fr_wr_put_u16(&head, 10, (uint16_t)additional);
    *n += w.at;
    return FR_OK;
}

enum fr_err fr_tsig_sign(const struct fr_tsig_key *key, enum fr_tsig_role role,
                         const struct fr_tsig_mac *prior, enum fr_tsig_error error, int64_t now_s,
                         uint8_t *message, size_t max, size_t *n, struct fr_tsig_mac *out)
{
    static const struct fr_tsig_mac none;
    struct fr_tsig tsig;
    struct fr_tsig_mac mac = {0};
    uint8_t other[6];
    struct fr_wr w = fr_wr(other, sizeof other);

    enum fr_err err = tsig_for(key, now_s, fr_span(message, *n), &tsig);
    if (err) return err;
    tsig.error = (uint16_t)error;
    if (error == FR_TSIG_BADTIME) {
        fr_wr_u16(&w, (uint16_t)(tsig.time_s >> 32));
        fr_wr_u32(&w, (uint32_t)tsig.time_s);
        tsig.other = fr_wr_done(&w);
    }
    if (error == FR_TSIG_NOERROR || error == FR_TSIG_BADTIME) {
        EVP_MAC_CTX *digest = digest_new();
        if (!digest) return FR_E_NOMEM;
        bool is_good = digest_begin(digest, key, role == FR_TSIG_REQUEST ? &none : prior) &&
                       add(digest, fr_span(message, *n)) && add_variables(digest, &tsig, false);
        err = is_good ? digest_end(digest, &mac) : out_of_memory();
        EVP_MAC_CTX_free(digest);
        if (err) return err;
        tsig.mac = fr_span(mac.b, mac.n);
    }
    err = append(&tsig, message, max, n);
    if (err == FR_OK) *out = mac;
    return err;
}

/* --- checking --- */

/* The checks of RFC 8945 5.2 in its order; the digest holds all that the MAC covers. */
static enum fr_err check_mac(EVP_MAC_CTX *digest, int64_t now_s, const struct fr_tsig *tsig,
                             enum fr_tsig_error *error, struct fr_tsig_mac *out)
{
    struct fr_tsig_mac mac;
    uint64_t now = (uint64_t)now_s;

    enum fr_err err = digest_end(digest, &mac);
    if (err) return err;
    if (tsig->mac.n != mac.n) {
        *error = tsig->mac.n < mac.n ? FR_TSIG_BADTRUNC : FR_TSIG_BADSIG;
        return FR_E_AUTH;
    }
    if (!fr_secret_equal(tsig->mac.p, mac.b, mac.n)) {
        *error = FR_TSIG_BADSIG;
        return FR_E_AUTH;
    }
    if ((now > tsig->time_s ? now - tsig->time_s : tsig->time_s - now) > tsig->fudge_s) {
        *error = FR_TSIG_BADTIME;
        return FR_E_AUTH;
    }
    *out = mac;
    return FR_OK;
}

static bool is_key(const struct fr_tsig_key *key, const struct fr_tsig *tsig)
{
    struct fr_dname algorithm;

    return fr_dname_equal(fr_dname_span(&key->name), fr_dname_span(&tsig->name)) &&
           fr_dname_parse(fr_span_str(ALGORITHMS[key->algorithm].text), &algorithm) == FR_OK &&
           fr_dname_equal(fr_dname_span(&algorithm), fr_dname_span(&tsig->algorithm));
}

enum fr_err fr_tsig_check(const struct fr_tsig_key *key, enum fr_tsig_role role,
                          const struct fr_tsig_mac *prior, int64_t now_s, struct fr_span message,
                          const struct fr_tsig *tsig, enum fr_tsig_error *error,
                          struct fr_tsig_mac *mac)
{
    static const struct fr_tsig_mac none;

    *error = FR_TSIG_NOERROR;
    if (!is_key(key, tsig)) {
        *error = FR_TSIG_BADKEY;
        return FR_E_AUTH;
    }
    EVP_MAC_CTX *digest = digest_new();
    if (!digest) return FR_E_NOMEM;
    bool is_good = digest_begin(digest, key, role == FR_TSIG_REQUEST ? &none : prior) &&
                   add_signed(digest, message, tsig) && add_variables(digest, tsig, false);
    enum fr_err err = is_good ? check_mac(digest, now_s, tsig, error, mac) : out_of_memory();
    EVP_MAC_CTX_free(digest);
    return err;
}

/* --- streams --- */

enum fr_err fr_tsig_stream_init(struct fr_tsig_stream *stream, const struct fr_tsig_key *key,
                                const struct fr_tsig_mac *request)
{
    EVP_MAC_CTX *digest = digest_new();

    if (!digest) return FR_E_NOMEM;
    if (!digest_begin(digest, key, request)) {
        EVP_MAC_CTX_free(digest);
        return out_of_memory();
    }
    *stream = (struct fr_tsig_stream){.key = key, .digest = digest, .prior = *request};
    return FR_OK;
}

void fr_tsig_stream_deinit(struct fr_tsig_stream *stream)
{
    EVP_MAC_CTX_free(stream->digest);
    *stream = (struct fr_tsig_stream){0};
}

/* The next MAC covers this one. */
static enum fr_err stream_closed(struct fr_tsig_stream *stream, const struct fr_tsig_mac *mac)
{
    stream->prior = *mac;
    stream->unsigned_since = 0;
    stream->has_begun = stream->is_last_signed = true;
    return digest_begin(stream->digest, stream->key, mac) ? FR_OK : out_of_memory();
}

enum fr_err fr_tsig_stream_sign(struct fr_tsig_stream *stream, int64_t now_s, uint8_t *message,
                                size_t max, size_t *n)
{
    struct fr_tsig tsig;
    struct fr_tsig_mac mac = {0};

    enum fr_err err = tsig_for(stream->key, now_s, fr_span(message, *n), &tsig);
    if (err) return err;
    if (!add(stream->digest, fr_span(message, *n)) ||
        !add_variables(stream->digest, &tsig, stream->has_begun))
        return out_of_memory();
    err = digest_end(stream->digest, &mac);
    if (err) return err;
    tsig.mac = fr_span(mac.b, mac.n);
    err = append(&tsig, message, max, n);
    return err ? err : stream_closed(stream, &mac);
}

static enum fr_err take_unsigned(struct fr_tsig_stream *stream, struct fr_span message,
                                 unsigned *error)
{
    stream->is_last_signed = false;
    if (!stream->has_begun || ++stream->unsigned_since > FR_TSIG_UNSIGNED_MAX) {
        *error = FR_TSIG_BADSIG;
        return FR_E_AUTH;
    }
    return add(stream->digest, message) ? FR_OK : out_of_memory();
}

enum fr_err fr_tsig_stream_take(struct fr_tsig_stream *stream, int64_t now_s,
                                struct fr_span message, unsigned *error)
{
    struct fr_tsig tsig;
    struct fr_tsig_mac mac;
    enum fr_tsig_error found = FR_TSIG_NOERROR;

    enum fr_err err = fr_tsig_find(message, &tsig);
    if (err == FR_E_NOT_FOUND) return take_unsigned(stream, message, error);
    if (err) return err;
    if (!is_key(stream->key, &tsig)) {
        *error = FR_TSIG_BADKEY;
        return FR_E_AUTH;
    }
    /* a refusal carries no MAC: all it can do is to end the transfer */
    if (tsig.error != 0 && tsig.mac.n == 0) {
        *error = tsig.error;
        return FR_E_AUTH;
    }
    if (!add_signed(stream->digest, message, &tsig) ||
        !add_variables(stream->digest, &tsig, stream->has_begun))
        return out_of_memory();
    err = check_mac(stream->digest, now_s, &tsig, &found, &mac);
    *error = found;
    if (err) return err;
    if (tsig.error != 0) {
        *error = tsig.error;
        return FR_E_AUTH;
    }
    return stream_closed(stream, &mac);
}

bool fr_tsig_stream_is_closed(const struct fr_tsig_stream *stream)
{
    return stream->has_begun && stream->is_last_signed;
}
