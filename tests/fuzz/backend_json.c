/* A body as a peer sends it: opened, checked, read; what is well formed is written and read again and must be the same. */
#include "backend/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct fr_bi_message *m)
{
    struct fr_buf out = FR_BUF_INIT(64 * 1024);
    struct fr_bi_message again;
    bool answerable;

    /* AS-IDs and names we do not know have no written form here; long tokens and frames are never ours to write. */
    if (m->sender.kind == FR_BI_ID_OTHER || m->receiver.kind == FR_BI_ID_OTHER) return;
    if (fr_bi_write(m, &out) == FR_OK && out.n <= FR_BI_BODY_MAX) {
        if (fr_bi_open(fr_buf_span(&out), &again, &answerable) != FR_OK) abort();
        if (again.transaction_id != m->transaction_id || again.type != m->type) abort();
        if (!fr_bi_id_equal(again.sender, m->sender)) abort();
        fr_bi_message_deinit(&again);
    }
    fr_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_bi_message m, answer;
    struct fr_bi_facts facts = {.is_receiver_us = true, .is_sender_peer = true};

    facts.open_err = fr_bi_open(fr_span(data, size), &m, &facts.is_answerable);
    struct fr_bi_verdict verdict = fr_bi_check_envelope(&m, &facts);
    if (verdict.status == 0 && fr_bi_is_request(m.type)) {
        verdict = fr_bi_check_members(&m, fr_bi_read_members(&m));
    } else if (verdict.status == 0) {
        (void)!fr_bi_read_members(&m); /* an answer: any outcome will do */
    }
    if (verdict.has_result) {
        fr_bi_answer_init(&answer, &m, verdict.result);
        if (answer.type_text[0] == '\0') abort();
    }
    if (facts.open_err == FR_OK) check_round_trip(&m);
    fr_bi_message_deinit(&m);
    return 0;
}
