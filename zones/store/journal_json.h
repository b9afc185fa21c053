#pragma once
/* A journal record as JSON, for people and programs that read the journal. Errors: the store's for a fact that does not decode. */
#include "base/json_out.h"
#include "store/journal.h"

/* One object: sequence, time, actor, certificate?, reason?, changes: [{kind, key…, what it is now; gone: true when it is not}].
 * Secrets are not in the journal; of certificates, keys, tokens and authorities only the identity is told. */
enum fr_err fr_journal_put_json(struct fr_json *json, const struct fr_journal_record *record);

/* One line of words for one fact: "device 70b3d57ed0000001 000013 (was 00002a)". */
#define FR_FACT_TEXT 256
enum fr_err fr_fact_print(const struct fr_fact *fact, char out[FR_FACT_TEXT]);
