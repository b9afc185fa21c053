#include "x509/sealed.h"

#include "base/mem.h"
#include "base/wire.h"
#include "x509/openssl.h"
#include "x509/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#define LOG2_N 17
#define LOG2_N_MAX 20
#define SCRYPT_R 8
#define SCRYPT_P 1
#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define LENGTH_SIZE 4
#define LAST 0x80000000u

static const uint8_t magic[8] = "FRSEAL1";

/* What both directions have. */
struct stream {
    int fd;
    uint8_t head[FR_SEALED_HEAD];
    uint8_t key[KEY_SIZE];
    uint64_t number; /* of the next chunk */
    EVP_CIPHER_CTX *cipher;
    EVP_MD_CTX *digest;
    uint64_t bytes;
    size_t n; /* of plain bytes in `plain` */
    uint8_t plain[FR_SEALED_CHUNK];
    uint8_t sealed[LENGTH_SIZE + FR_SEALED_CHUNK + TAG_SIZE];
};

struct fr_sealer {
    struct stream s;
};

struct fr_opener {
    struct stream s;
    size_t at; /* of plain bytes that were given out */
    bool is_last;
};

/* --- key --- */

static enum fr_err derive(struct fr_span passphrase, const struct fr_sealed_head *head,
                          uint8_t key[KEY_SIZE])
{
    const uint64_t n = UINT64_C(1) << head->log2_n;
    const uint64_t memory = 128 * n * SCRYPT_R + (UINT64_C(1) << 20);

    return EVP_PBE_scrypt((const char *)passphrase.p, passphrase.n, head->salt, sizeof head->salt,
                          n, SCRYPT_R, SCRYPT_P, memory, key, KEY_SIZE) == 1
               ? FR_OK
               : fr_x509_fault(FR_E_NOMEM);
}

enum fr_err fr_sealed_head_read(struct fr_span bytes, struct fr_sealed_head *out)
{
    struct fr_rd r = fr_rd(bytes);
    struct fr_sealed_head head;
    uint8_t name[sizeof magic];

    fr_rd_bytes(&r, name, sizeof name);
    head.log2_n = fr_rd_u8(&r);
    const uint8_t block = fr_rd_u8(&r), lanes = fr_rd_u8(&r), zero = fr_rd_u8(&r);
    fr_rd_bytes(&r, head.salt, sizeof head.salt);
    enum fr_err err = fr_rd_end(&r);
    if (!err && memcmp(name, magic, sizeof name) != 0) err = FR_E_MALFORMED;
    if (!err && (head.log2_n < 10 || head.log2_n > LOG2_N_MAX || block != SCRYPT_R ||
                 lanes != SCRYPT_P || zero != 0))
        err = FR_E_UNSUPPORTED;
    if (!err) *out = head;
    return err;
}

static void write_head(const struct fr_sealed_head *head, uint8_t out[FR_SEALED_HEAD])
{
    struct fr_wr w = fr_wr(out, FR_SEALED_HEAD);

    fr_wr_bytes(&w, magic, sizeof magic);
    fr_wr_u8(&w, head->log2_n);
    fr_wr_u8(&w, SCRYPT_R);
    fr_wr_u8(&w, SCRYPT_P);
    fr_wr_u8(&w, 0);
    fr_wr_bytes(&w, head->salt, sizeof head->salt);
}

static enum fr_err stream_begin(struct stream *s, int fd)
{
    s->fd = fd;
    s->cipher = EVP_CIPHER_CTX_new();
    s->digest = EVP_MD_CTX_new();
    if (s->cipher == NULL || s->digest == NULL) return FR_E_NOMEM;
    return EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL) == 1 ? FR_OK
                                                                 : fr_x509_fault(FR_E_INTERNAL);
}

static void stream_end(struct stream *s)
{
    EVP_CIPHER_CTX_free(s->cipher);
    EVP_MD_CTX_free(s->digest);
    OPENSSL_cleanse(s, sizeof *s);
}

static enum fr_err count(struct stream *s, const uint8_t *p, size_t n)
{
    s->bytes += n;
    return EVP_DigestUpdate(s->digest, p, n) == 1 ? FR_OK : fr_x509_fault(FR_E_INTERNAL);
}

static void take_sum(struct stream *s, struct fr_sealed_sum *out)
{
    out->bytes = s->bytes;
    if (EVP_DigestFinal_ex(s->digest, out->sha256, NULL) != 1)
        memset(out->sha256, 0, sizeof out->sha256);
}

static void nonce_of(uint64_t number, uint8_t out[NONCE_SIZE])
{
    struct fr_wr w = fr_wr(out, NONCE_SIZE);

    fr_wr_u32(&w, 0);
    fr_wr_u64(&w, number);
}

/* --- writing --- */

static enum fr_err write_all(struct stream *s, const uint8_t *p, size_t n, struct fr_diag *diag)
{
    enum fr_err err = count(s, p, n);

    for (size_t at = 0; !err && at < n;) {
        ssize_t put = write(s->fd, p + at, n - at);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0)
            err = fr_diag_fail(diag, fr_err_from_errno(errno), "writing: %s", strerror(errno));
        else
            at += (size_t)put;
    }
    return err;
}

static bool encrypt(struct stream *s, size_t n)
{
    uint8_t nonce[NONCE_SIZE];
    uint8_t *cipher_text = s->sealed + LENGTH_SIZE;
    int got = 0;

    nonce_of(s->number, nonce);
    return EVP_EncryptInit_ex(s->cipher, EVP_aes_256_gcm(), NULL, s->key, nonce) == 1 &&
           EVP_EncryptUpdate(s->cipher, NULL, &got, s->head, sizeof s->head) == 1 &&
           EVP_EncryptUpdate(s->cipher, NULL, &got, s->sealed, LENGTH_SIZE) == 1 &&
           EVP_EncryptUpdate(s->cipher, cipher_text, &got, s->plain, (int)n) == 1 &&
           EVP_EncryptFinal_ex(s->cipher, cipher_text + n, &got) == 1 &&
           EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, cipher_text + n) == 1;
}

static enum fr_err flush(struct fr_sealer *sealer, uint32_t mark, struct fr_diag *diag)
{
    struct stream *s = &sealer->s;
    struct fr_wr w = fr_wr(s->sealed, LENGTH_SIZE);
    const size_t n = s->n;

    fr_wr_u32(&w, (uint32_t)n | mark);
    if (!encrypt(s, n)) return fr_x509_fault(FR_E_INTERNAL);
    s->number++;
    s->n = 0;
    return write_all(s, s->sealed, LENGTH_SIZE + n + TAG_SIZE, diag);
}

enum fr_err fr_sealer_new(int fd, struct fr_span passphrase, uint8_t log2_n, struct fr_diag *diag,
                          struct fr_sealer **out)
{
    struct fr_sealed_head head = {.log2_n = log2_n != 0 ? log2_n : LOG2_N};
    struct fr_sealer *sealer = fr_calloc(1, sizeof *sealer);

    if (sealer == NULL) return FR_E_NOMEM;
    enum fr_err err = stream_begin(&sealer->s, fd);
    if (!err) err = fr_secret_make(head.salt, sizeof head.salt);
    if (!err) err = derive(passphrase, &head, sealer->s.key);
    write_head(&head, sealer->s.head);
    if (!err) err = write_all(&sealer->s, sealer->s.head, sizeof sealer->s.head, diag);
    if (err)
        fr_sealer_free(sealer);
    else
        *out = sealer;
    return err;
}

enum fr_err fr_sealer_write(struct fr_sealer *sealer, struct fr_span bytes, struct fr_diag *diag)
{
    struct stream *s = &sealer->s;
    enum fr_err err = FR_OK;

    while (!err && bytes.n > 0) {
        const size_t room = FR_SEALED_CHUNK - s->n;
        const size_t n = bytes.n < room ? bytes.n : room;
        memcpy(s->plain + s->n, bytes.p, n);
        s->n += n;
        bytes = fr_span(bytes.p + n, bytes.n - n);
        if (s->n == FR_SEALED_CHUNK) err = flush(sealer, 0, diag);
    }
    return err;
}

enum fr_err fr_sealer_finish(struct fr_sealer *sealer, struct fr_diag *diag,
                             struct fr_sealed_sum *out)
{
    enum fr_err err = flush(sealer, LAST, diag);

    if (!err) take_sum(&sealer->s, out);
    return err;
}

void fr_sealer_free(struct fr_sealer *sealer)
{
    if (sealer == NULL) return;
    stream_end(&sealer->s);
    fr_free(sealer);
}

/* --- reading --- */

static enum fr_err read_all(struct stream *s, uint8_t *out, size_t n, struct fr_diag *diag)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(s->fd, out + at, n - at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return fr_diag_fail(diag, fr_err_from_errno(errno), "reading: %s", strerror(errno));
        if (got == 0) return fr_diag_fail(diag, FR_E_TRUNCATED, "it is cut off");
        at += (size_t)got;
    }
    return count(s, out, n);
}

enum fr_err fr_opener_new(int fd, struct fr_span passphrase, struct fr_diag *diag,
                          struct fr_opener **out)
{
    struct fr_sealed_head head;
    struct fr_opener *opener = fr_calloc(1, sizeof *opener);

    if (opener == NULL) return FR_E_NOMEM;
    enum fr_err err = stream_begin(&opener->s, fd);
    if (!err) err = read_all(&opener->s, opener->s.head, sizeof opener->s.head, diag);
    if (!err) {
        err = fr_sealed_head_read(fr_span(opener->s.head, sizeof opener->s.head), &head);
        if (err)
            (void)fr_diag_fail(diag, err,
                               err == FR_E_UNSUPPORTED ? "a later program made it"
                                                       : "it is no sealed file");
    }
    if (!err) err = derive(passphrase, &head, opener->s.key);
    if (err)
        fr_opener_free(opener);
    else
        *out = opener;
    return err;
}

static bool decrypt(struct stream *s, size_t n)
{
    uint8_t nonce[NONCE_SIZE];
    uint8_t *cipher_text = s->sealed + LENGTH_SIZE;
    int got = 0;

    nonce_of(s->number, nonce);
    return EVP_DecryptInit_ex(s->cipher, EVP_aes_256_gcm(), NULL, s->key, nonce) == 1 &&
           EVP_DecryptUpdate(s->cipher, NULL, &got, s->head, sizeof s->head) == 1 &&
           EVP_DecryptUpdate(s->cipher, NULL, &got, s->sealed, LENGTH_SIZE) == 1 &&
           EVP_DecryptUpdate(s->cipher, s->plain, &got, cipher_text, (int)n) == 1 &&
           EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, cipher_text + n) == 1 &&
           EVP_DecryptFinal_ex(s->cipher, s->plain + n, &got) == 1;
}

/* A stream ends where its last chunk says so, and nowhere else. */
static enum fr_err expect_end(struct stream *s, struct fr_diag *diag)
{
    uint8_t more;
    ssize_t got = read(s->fd, &more, 1);

    return got > 0 ? fr_diag_fail(diag, FR_E_MALFORMED, "there is something behind its end")
                   : FR_OK;
}

static enum fr_err next_chunk(struct fr_opener *opener, struct fr_diag *diag)
{
    struct stream *s = &opener->s;
    enum fr_err err = read_all(s, s->sealed, LENGTH_SIZE, diag);

    if (err) return err;
    struct fr_rd r = fr_rd(fr_span(s->sealed, LENGTH_SIZE));
    const uint32_t length = fr_rd_u32(&r);
    const size_t n = length & ~LAST;
    if (n > FR_SEALED_CHUNK || (n < FR_SEALED_CHUNK && (length & LAST) == 0))
        return fr_diag_fail(diag, FR_E_MALFORMED, "part %llu has an odd length",
                            (unsigned long long)s->number + 1);
    err = read_all(s, s->sealed + LENGTH_SIZE, n + TAG_SIZE, diag);
    if (err) return err;
    if (!decrypt(s, n)) {
        err = fr_x509_fault(FR_E_CRYPTO);
        return fr_diag_fail(diag, err,
                            s->number == 0 ? "the passphrase is another one, or it was changed"
                                           : "it was changed after it was made");
    }
    s->number++;
    s->n = n;
    opener->at = 0;
    opener->is_last = (length & LAST) != 0;
    return opener->is_last ? expect_end(s, diag) : FR_OK;
}

enum fr_err fr_opener_read(struct fr_opener *opener, void *out, size_t n, size_t *got,
                           struct fr_diag *diag)
{
    struct stream *s = &opener->s;
    enum fr_err err = FR_OK;

    while (!err && opener->at == s->n && !opener->is_last) err = next_chunk(opener, diag);
    if (err) return err;
    const size_t left = s->n - opener->at;
    if (n > left) n = left;
    if (n > 0) memcpy(out, s->plain + opener->at, n);
    opener->at += n;
    *got = n;
    return FR_OK;
}

void fr_opener_sum(struct fr_opener *opener, struct fr_sealed_sum *out)
{
    take_sum(&opener->s, out);
}

void fr_opener_free(struct fr_opener *opener)
{
    if (opener == NULL) return;
    stream_end(&opener->s);
    fr_free(opener);
}
