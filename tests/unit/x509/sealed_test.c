/* Sealed streams: what comes back, and that no change of one goes unnoticed. */
#include "x509/sealed.h"

#include "support/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EASY 10 /* log2 of scrypt's N, for tests */

static const struct fr_span secret = FR_SPAN_LIT("secret");

static int seal(const uint8_t *plain, size_t n, struct fr_sealed_sum *sum)
{
    int fd = memfd_create("sealed", 0);
    struct fr_sealer *sealer = NULL;

    assert_int_equal(fr_sealer_new(fd, secret, EASY, NULL, &sealer), FR_OK);
    /* In odd pieces. */
    for (size_t at = 0; at < n;) {
        size_t piece = at + 70001 < n ? 70001 : n - at;
        assert_int_equal(fr_sealer_write(sealer, fr_span(plain + at, piece), NULL), FR_OK);
        at += piece;
    }
    assert_int_equal(fr_sealer_finish(sealer, NULL, sum), FR_OK);
    fr_sealer_free(sealer);
    return fd;
}

/* How much came before the end or the fault. */
static enum fr_err open_all(int fd, struct fr_span passphrase, uint8_t *out, size_t *n,
                            struct fr_sealed_sum *sum)
{
    struct fr_opener *opener = NULL;
    size_t got = 0;

    *n = 0;
    assert_true(lseek(fd, 0, SEEK_SET) == 0);
    enum fr_err err = fr_opener_new(fd, passphrase, NULL, &opener);
    if (err) return err;
    do {
        err = fr_opener_read(opener, out + *n, 65536, &got, NULL);
        if (!err) *n += got;
    } while (!err && got > 0);
    if (!err) fr_opener_sum(opener, sum);
    fr_opener_free(opener);
    return err;
}

static void what_was_sealed_comes_back(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   FR_SEALED_CHUNK - 1,
                                   FR_SEALED_CHUNK,
                                   FR_SEALED_CHUNK + 1,
                                   2 * FR_SEALED_CHUNK,
                                   3 * FR_SEALED_CHUNK + 17};
    const size_t room = 4 * FR_SEALED_CHUNK;
    uint8_t *plain = malloc(room), *back = malloc(room);
    (void)state;

    for (size_t i = 0; i < room; i++) plain[i] = (uint8_t)(i * 31 + i / 251);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct fr_sealed_sum made, read;
        size_t n = 0;
        int fd = seal(plain, sizes[i], &made);
        assert_int_equal(open_all(fd, secret, back, &n, &read), FR_OK);
        assert_int_equal(n, sizes[i]);
        if (n > 0) assert_memory_equal(back, plain, n);
        assert_true(made.bytes == read.bytes && (off_t)made.bytes == lseek(fd, 0, SEEK_END));
        assert_memory_equal(made.sha256, read.sha256, sizeof made.sha256);
        assert_int_equal(open_all(fd, fr_span_str("Secret"), back, &n, &read), FR_E_CRYPTO);
        close(fd);
    }
    free(plain);
    free(back);
}

static void every_change_is_found(void **state)
{
    const size_t n = 2 * FR_SEALED_CHUNK + 100, chunk = 4 + FR_SEALED_CHUNK + 16;
    uint8_t *plain = calloc(1, n), *back = malloc(n + 65536), *bytes = NULL;
    struct fr_sealed_sum sum;
    size_t got = 0;
    int fd = seal(plain, n, &sum);
    const size_t size = (size_t)sum.bytes;
    const size_t flips[] = {0, 8, 9, 11, 12, 27, 28, 31, 32, 28 + chunk - 1, 28 + chunk, size - 1};
    (void)state;

    bytes = malloc(size);
    assert_true(pread(fd, bytes, size, 0) == (ssize_t)size);
    for (size_t i = 0; i < COUNT(flips); i++) {
        uint8_t other = bytes[flips[i]] ^ 1;
        assert_true(pwrite(fd, &other, 1, (off_t)flips[i]) == 1);
        if (open_all(fd, secret, back, &got, &sum) == FR_OK) fail_msg("byte %zu", flips[i]);
        assert_true(pwrite(fd, &bytes[flips[i]], 1, (off_t)flips[i]) == 1);
    }
    assert_int_equal(open_all(fd, secret, back, &got, &sum), FR_OK);
    /* Chunks in another order, and one twice. */
    assert_true(pwrite(fd, bytes + 28 + chunk, chunk, 28) == (ssize_t)chunk);
    assert_int_equal(open_all(fd, secret, back, &got, &sum), FR_E_CRYPTO);
    assert_true(pwrite(fd, bytes, size, 0) == (ssize_t)size);
    /* More behind its end, and an end that is missing: also where a chunk ends. */
    assert_true(pwrite(fd, "x", 1, (off_t)size) == 1);
    assert_int_equal(open_all(fd, secret, back, &got, &sum), FR_E_MALFORMED);
    const size_t cuts[] = {size - 1, 28 + 2 * chunk, 28 + chunk, 28, 27, 0};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        assert_int_equal(ftruncate(fd, (off_t)cuts[i]), 0);
        assert_int_equal(open_all(fd, secret, back, &got, &sum), FR_E_TRUNCATED);
    }
    close(fd);
    free(bytes);
    free(back);
    free(plain);
}

static void heads(void **state)
{
    uint8_t bytes[FR_SEALED_HEAD + 1] = "FRSEAL1\0\x11\x08\x01\0saltsaltsaltsalt";
    struct fr_sealed_head head;
    (void)state;

    assert_int_equal(fr_sealed_head_read(fr_span(bytes, FR_SEALED_HEAD), &head), FR_OK);
    assert_int_equal(head.log2_n, 17);
    for (size_t n = 0; n < FR_SEALED_HEAD; n++)
        assert_int_equal(fr_sealed_head_read(fr_span(bytes, n), &head), FR_E_TRUNCATED);
    bytes[8] = 21; /* more memory than anybody should be asked for */
    assert_int_equal(fr_sealed_head_read(fr_span(bytes, FR_SEALED_HEAD), &head), FR_E_UNSUPPORTED);
    bytes[8] = 17;
    bytes[0] = 'G';
    assert_int_equal(fr_sealed_head_read(fr_span(bytes, FR_SEALED_HEAD), &head), FR_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_comes_back),
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
