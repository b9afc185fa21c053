/* store/block.h: blocks of EUIs, and what they allow. */
#include "support/unit.h"

#include "fixture.h"
#include "store/block.h"

static const struct {
    const char *text;
    enum fr_err err;
    uint64_t base;
    uint8_t bits;
} texts[] = {
    {"70b3d57ed0000000/36", FR_OK, 0x70b3d57ed0000000, 36},
    {"70B3D57ED0000001/64", FR_OK, 0x70b3d57ed0000001, 64},
    {"8000000000000000/1", FR_OK, 0x8000000000000000, 1},
    {"0000000000000000/1", FR_OK, 0, 1},
    {"70b3d57ed0000001/36", FR_E_INVALID, 0, 0},
    {"70b3d57ed0000000/0", FR_E_RANGE, 0, 0},
    {"70b3d57ed0000000/65", FR_E_RANGE, 0, 0},
    {"70b3d57ed0000000", FR_E_MALFORMED, 0, 0},
    {"70b3d57ed000000/36", FR_E_MALFORMED, 0, 0},
    {"70b3d57ed0000000/", FR_E_MALFORMED, 0, 0},
    {"/36", FR_E_MALFORMED, 0, 0},
    {"", FR_E_MALFORMED, 0, 0},
};

static void texts_are_read_and_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fr_diag diag = {0};
        uint64_t base = 0;
        uint8_t bits = 0, again_bits = 0;
        char text[FR_BLOCK_TEXT];
        enum fr_err err = fr_block_parse(fr_span_str(texts[i].text), &diag, &base, &bits);
        if (err != texts[i].err) fail_msg("%s: %s", texts[i].text, fr_err_text(err));
        assert_int_equal(base, texts[i].base);
        assert_int_equal(bits, texts[i].bits);
        if (err) {
            assert_true(diag.what[0] != '\0');
            continue;
        }
        fr_block_print(base, bits, text);
        assert_int_equal(fr_block_parse(fr_span_str(text), NULL, &base, &again_bits), FR_OK);
        assert_int_equal(again_bits, bits);
    }
}

static enum fr_err add(struct fixture *f, const char *member, const char *text)
{
    struct fr_change *change = begin_change(f->store);
    uint64_t base = 0;
    uint8_t bits = 0;

    assert_int_equal(fr_block_parse(fr_span_str(text), NULL, &base, &bits), FR_OK);
    enum fr_err err = fr_block_add(change, member, base, bits, NULL);
    if (err)
        fr_change_cancel(change);
    else
        commit_change(change);
    return err;
}

static void blocks_never_overlap(void **state)
{
    static const struct {
        const char *member, *text;
        enum fr_err err;
    } rows[] = {
        {"acme", "70b3d57ed0000000/36", FR_OK},
        {"acme", "70b3d57ed0000000/36", FR_OK}, /* again: nothing */
        {"bolt", "70b3d57ed0000000/36", FR_E_CONFLICT},
        {"bolt", "70b3d57ed0000000/40", FR_E_CONFLICT}, /* inside */
        {"bolt", "70b3d57edfffffff/64", FR_E_CONFLICT},
        {"bolt", "70b3d57e00000000/32", FR_E_CONFLICT}, /* around */
        {"acme", "70b3d57ed0000000/37", FR_E_CONFLICT}, /* one's own too */
        {"bolt", "0000000000000000/1", FR_E_CONFLICT},
        {"bolt", "8000000000000000/1", FR_OK},
        {"bolt", "70b3d57ee0000000/36", FR_OK}, /* the neighbour */
        {"acme", "70b3d57ec0000000/36", FR_OK},
        {"nobody", "0000000000000000/8", FR_E_NOT_FOUND},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum fr_err err = add(f, rows[i].member, rows[i].text);
        if (err != rows[i].err)
            fail_msg("%s %s: %s", rows[i].member, rows[i].text, fr_err_text(err));
    }
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_block_remove(change, "bolt", 0x70b3d57ed0000000, 36, NULL), FR_E_NOT_FOUND);
    assert_int_equal(fr_block_remove(change, "acme", 0x70b3d57ed0000000, 36, NULL), FR_OK);
    assert_int_equal(fr_block_remove(change, "acme", 0x70b3d57ed0000000, 36, NULL), FR_E_NOT_FOUND);
    assert_int_equal(fr_block_add(change, "bolt", 0x70b3d57ed0000000, 36, NULL), FR_OK);
    assert_int_equal(fr_block_forget(change, "bolt"), FR_OK);
    assert_int_equal(fr_block_add(change, "acme", 0x70b3d57ed0000000, 36, NULL), FR_OK);
    commit_change(change);
}

static enum fr_err put(struct fixture *f, uint32_t netid, uint64_t eui, const char *asker,
                       enum fr_device_mode mode)
{
    struct fr_device_job job = {
        .netid = netid, .member = asker, .mode = mode, .euis = &eui, .n = 1};
    struct fr_device_report report;
    struct fr_change *change = begin_change(f->store);

    enum fr_err err = fr_device_apply(change, &job, NULL, &report);
    if (err)
        fr_change_cancel(change);
    else
        commit_change(change);
    return err;
}

static void outside_is_said_before_anything_is_looked_at(void **state)
{
    const uint64_t in = 0x70b3d57ed0000001, out = 0x70b3d57ee0000001, theirs = 0x70b3d57ee0000002;
    struct fixture *f = *state;

    assert_int_equal(put(f, 0x13, out, NULL, FR_DEVICE_ADD), FR_OK); /* before there is a block */
    assert_int_equal(put(f, 0x2b, theirs, NULL, FR_DEVICE_ADD), FR_OK);
    assert_int_equal(add(f, "acme", "70b3d57ed0000000/36"), FR_OK);
    const char *const askers[] = {NULL, "acme"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(put(f, 0x13, out, askers[i], FR_DEVICE_ADD), FR_E_DENIED);     /* own */
        assert_int_equal(put(f, 0x13, theirs, askers[i], FR_DEVICE_ADD), FR_E_DENIED);  /* other */
        assert_int_equal(put(f, 0x13, out + 5, askers[i], FR_DEVICE_ADD), FR_E_DENIED); /* none */
        assert_int_equal(put(f, 0x13, in, askers[i], FR_DEVICE_ADD), FR_OK);
    }
    assert_int_equal(put(f, 0x2b, 0x70b3d57ee0000003, "bolt", FR_DEVICE_ADD), FR_OK); /* unbound */
    assert_int_equal(put(f, 0x13, theirs, NULL, FR_DEVICE_MOVE), FR_OK); /* the override */
    assert_int_equal(put(f, 0, out, "acme", FR_DEVICE_REMOVE), FR_OK);   /* what is there may go */

    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_policy_set(change, FR_POLICY_BLOCKS, "required", NULL), FR_OK);
    commit_change(change);
    assert_int_equal(put(f, 0x2b, 0x70b3d57ee0000004, "bolt", FR_DEVICE_ADD), FR_E_DENIED);
    assert_int_equal(add(f, "bolt", "70b3d57ee0000000/36"), FR_OK);
    assert_int_equal(put(f, 0x2b, 0x70b3d57ee0000004, "bolt", FR_DEVICE_ADD), FR_OK);
}

static void a_member_writes_its_own_networks_only(void **state)
{
    const uint64_t eui = 0x70b3d57ed0000001;
    struct fixture *f = *state;

    assert_int_equal(put(f, 0x2b, eui, "acme", FR_DEVICE_ADD), FR_E_DENIED);
    assert_int_equal(put(f, 0x99, eui, "acme", FR_DEVICE_ADD),
                     FR_E_DENIED); /* nobody's: the same */
    assert_int_equal(put(f, 0x99, eui, NULL, FR_DEVICE_ADD), FR_E_NOT_FOUND);
    assert_int_equal(put(f, 0x13, eui, "acme", FR_DEVICE_ADD), FR_OK);
    assert_int_equal(put(f, 0x2a, eui, "acme", FR_DEVICE_ADD), FR_OK); /* moving is free */
    assert_int_equal(put(f, 0x2b, eui, "bolt", FR_DEVICE_ADD), FR_E_CONFLICT);
    assert_int_equal(put(f, 0, eui, "bolt", FR_DEVICE_REMOVE), FR_OK); /* absent, as it were */
    assert_int_equal(device_netid(f->store, eui), 0x2a);
    assert_int_equal(put(f, 0, eui, "acme", FR_DEVICE_REMOVE), FR_OK);
    assert_int_equal(device_netid(f->store, eui), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_and_printed),
        STORE_TEST(blocks_never_overlap),
        STORE_TEST(outside_is_said_before_anything_is_looked_at),
        STORE_TEST(a_member_writes_its_own_networks_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
