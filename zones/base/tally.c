#include "base/tally.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"

#include <assert.h>
#include <string.h>

#define SLOTS_MIN 64

struct entry {
    struct entry *next;
    uint64_t hash;
    unsigned count;
    uint8_t n;
    uint8_t key[FR_TALLY_KEY];
};

struct fr_tally {
    struct fr_siphash_key hash_key;
    struct entry **slots; /* a power of two of chains */
    size_t n_slots, n_keys;
};

enum fr_err fr_tally_new(struct fr_tally **out)
{
    struct fr_tally *tally = fr_calloc(1, sizeof *tally);
    if (!tally) return FR_E_NOMEM;
    tally->n_slots = SLOTS_MIN;
    tally->slots = fr_calloc(tally->n_slots, sizeof(struct entry *));
    enum fr_err err =
        tally->slots ? fr_random(&tally->hash_key, sizeof tally->hash_key) : FR_E_NOMEM;
    if (err) {
        fr_tally_free(tally);
        return err;
    }
    *out = tally;
    return FR_OK;
}

void fr_tally_free(struct fr_tally *tally)
{
    if (!tally) return;
    for (size_t i = 0; tally->slots && i < tally->n_slots; i++) {
        while (tally->slots[i]) {
            struct entry *entry = tally->slots[i];
            tally->slots[i] = entry->next;
            fr_free(entry);
        }
    }
    fr_free(tally->slots);
    fr_free(tally);
}

/* Where the entry hangs, or would: *place is NULL when the key is not there. */
static struct entry **place_of(const struct fr_tally *tally, struct fr_span key, uint64_t hash)
{
    struct entry **place = &tally->slots[hash & (tally->n_slots - 1)];
    while (*place &&
           !((*place)->hash == hash && fr_span_equal(fr_span((*place)->key, (*place)->n), key)))
        place = &(*place)->next;
    return place;
}

/* Twice the chains. Without memory they just get longer. */
static void grow(struct fr_tally *tally)
{
    size_t n_slots = tally->n_slots * 2;
    struct entry **slots = fr_calloc(n_slots, sizeof(struct entry *));
    if (!slots) return;
    for (size_t i = 0; i < tally->n_slots; i++) {
        while (tally->slots[i]) {
            struct entry *entry = tally->slots[i];
            struct entry **slot = &slots[entry->hash & (n_slots - 1)];
            tally->slots[i] = entry->next;
            entry->next = *slot;
            *slot = entry;
        }
    }
    fr_free(tally->slots);
    tally->slots = slots;
    tally->n_slots = n_slots;
}

enum fr_err fr_tally_take(struct fr_tally *tally, struct fr_span key, unsigned max)
{
    uint64_t hash = fr_siphash(&tally->hash_key, key);
    struct entry **place;
    assert(key.n <= FR_TALLY_KEY);
    place = place_of(tally, key, hash);
    if (*place) {
        if ((*place)->count >= max) return FR_E_LIMIT;
        (*place)->count++;
        return FR_OK;
    }
    if (max == 0) return FR_E_LIMIT;
    struct entry *entry = fr_calloc(1, sizeof *entry);
    if (!entry) return FR_E_NOMEM;
    entry->hash = hash;
    entry->count = 1;
    entry->n = (uint8_t)key.n;
    if (key.n > 0) memcpy(entry->key, key.p, key.n);
    *place = entry;
    if (++tally->n_keys > tally->n_slots) grow(tally);
    return FR_OK;
}

void fr_tally_give(struct fr_tally *tally, struct fr_span key)
{
    struct entry **place = place_of(tally, key, fr_siphash(&tally->hash_key, key));
    struct entry *entry = *place;
    assert(entry);
    if (!entry || --entry->count > 0) return;
    *place = entry->next;
    tally->n_keys--;
    fr_free(entry);
}

unsigned fr_tally_count(const struct fr_tally *tally, struct fr_span key)
{
    const struct entry *entry = *place_of(tally, key, fr_siphash(&tally->hash_key, key));
    return entry ? entry->count : 0;
}

size_t fr_tally_keys(const struct fr_tally *tally)
{
    return tally->n_keys;
}
