/* Names, companies and addresses from word lists by key: what techniques/dictionaries.py draws, character for character. */
#include "kernel.h"

#include <string.h>

#define LONGEST 96 /* characters */
#define MOST_TRIES 8
#define TOGETHER 8
#define WORD_SLOT_BITS 8
#define MESSAGE (DK_BLOCK + LONGEST * 4 + DK_BLOCK)
#define STREAM_BLOCKS (LONGEST / 4 + 1) /* a word more than there are characters */
#define KEPT 0
#define LETTER 2
#define FIRST_HAN 3
#define LAST_HAN 5

enum { NAMES = 0, COMPANIES = 1, ADDRESSES = 2 };

typedef struct {
    dk_cipher cipher;
    int32_t sort, blanks;
    const uint8_t *class_of;   /* of each code point */
    const uint32_t *sizes;     /* of each class */
    const int64_t *class_at;   /* where its symbols begin */
    const uint32_t *symbols;
    const uint32_t *han, *vowels, *consonants, *surnames, *compounds;
    int32_t han_count, vowel_count, consonant_count, surname_count, compound_count;
    /* names of divisions: hashed by their first two characters, of one hash the longest first */
    const int32_t *place_slots; /* slot -> first name, ends at that of the next slot */
    const int32_t *place_at;    /* name -> where its characters begin, ends at that of the next name */
    const uint32_t *place_text;
    int32_t slot_bits;
    /* companies: words of their form, and the characters that these begin with; addresses: characters of their structure
     * (a bit for each below 0x10000) */
    const int32_t *word_slots; /* by the hash of their first character */
    const int32_t *word_at;
    const uint32_t *word_text;
    const uint8_t *structure;
} dk_words;

DK_LAYOUT(words, dk_words, structure)
void dk_words_key(dk_words *p, const uint8_t key[32]) { dk_cipher_key(&p->cipher, key); }

typedef struct {
    int length;
    uint32_t given[LONGEST], folded[LONGEST]; /* as it stood; in half-width capitals */
    uint8_t class[LONGEST], stays[LONGEST];
    uint32_t words[LONGEST + 8];
    int64_t row;
    int blanks; /* after it */
    uint8_t message[MESSAGE], state[DK_BLOCK];
} value;

static inline uint32_t below(uint32_t word, uint32_t size) { return (uint32_t)((uint64_t)word * size >> 32); }

/* Short texts: no call is worth it. */
static inline int is_same(const uint32_t *one, const uint32_t *other, int size) {
    int i = 0;
    while (i < size && one[i] == other[i]) i++;
    return i == size;
}

static int is_han(int class) { return class >= FIRST_HAN && class <= LAST_HAN; }

static void fold(const dk_words *p, value *v) {
    for (int i = 0; i < v->length; i++) {
        uint32_t c = v->given[i];
        c -= c - 0xff01 <= 0xff5e - 0xff01 ? 0xfee0 : 0;
        v->folded[i] = c - (c - 'a' <= 'z' - 'a' ? 0x20 : 0);
    }
    for (int i = 0; i < v->length; i++) v->class[i] = p->class_of[v->folded[i]];
    memset(v->stays, 0, (size_t)v->length);
}

static inline size_t stream_blocks(const value *v) { return ((size_t)v->length + 1 + 3) / 4; }

/* A word of 32 bits for each character and one more, from the whole of each value: CBC-MAC, then a stream. */
static void draw(const dk_words *p, value *const *values, int count, int again) {
    const uint8_t *messages[TOGETHER] = {0};
    uint8_t *states[TOGETHER] = {0};
    size_t blocks[TOGETHER] = {0};
    for (int k = 0; k < count; k++) {
        value *v = values[k];
        const uint8_t head[8] = {'w', 'o', 'r', 'd', 's', 0, 0, (uint8_t)again};
        memcpy(v->message, head, 8);
        dk_put64(v->message + 8, (uint64_t)v->length);
        for (int i = 0; i < v->length; i++) dk_put32(v->message + DK_BLOCK + 4 * i, v->folded[i]);
        memset(v->message + DK_BLOCK + 4 * v->length, 0, DK_BLOCK); /* to the end of its last block at least */
        messages[k] = v->message;
        states[k] = v->state;
        blocks[k] = 1 + ((size_t)v->length * 4 + DK_BLOCK - 1) / DK_BLOCK;
    }
    dk_chains(&p->cipher, messages, blocks, states, count);
    uint8_t stream[TOGETHER * STREAM_BLOCKS * DK_BLOCK], *end = stream;
    for (int k = 0; k < count; k++) {
        uint64_t low = dk_get64(values[k]->state + 8);
        for (size_t b = 0; b < stream_blocks(values[k]); b++, end += DK_BLOCK) {
            memcpy(end, values[k]->state, 8);
            dk_put64(end + 8, low ^ b);
        }
    }
    dk_encrypt(&p->cipher, stream, (size_t)(end - stream) / DK_BLOCK);
    const uint8_t *at = stream;
    for (int k = 0; k < count; at += stream_blocks(values[k++]) * DK_BLOCK)
        for (int i = 0; i <= values[k]->length; i++) values[k]->words[i] = dk_get32(at + 4 * i);
}

/* ---- what stays */

static int place_end(const dk_words *p, const value *v) {
    int end = 0;
    for (int time = 0; time < 3 && end + 1 < v->length; time++) {
        uint32_t slot = (v->given[end] * 0x9e3779b1u ^ v->given[end + 1] * 0x85ebca6bu) >> (32 - p->slot_bits);
        int found = 0;
        for (int n = p->place_slots[slot]; n < p->place_slots[slot + 1] && !found; n++) {
            int size = p->place_at[n + 1] - p->place_at[n];
            if (size <= v->length - end && is_same(p->place_text + p->place_at[n], v->given + end, size)) found = size;
        }
        if (!found) break;
        end += found;
    }
    return end;
}

static int is_structure(const dk_words *p, uint32_t c) { return c < 0x10000 && p->structure[c >> 3] >> (c & 7) & 1; }

static void keep_of_address(const dk_words *p, value *v) {
    int end = place_end(p, v), all = 1;
    for (int i = 0; i < v->length; i++) all &= v->class[i] == KEPT || is_structure(p, v->folded[i]);
    for (int i = 0; i < v->length; i++) v->stays[i] = i < end || (!all && is_structure(p, v->folded[i]));
}

static void keep_of_company(const dk_words *p, value *v) {
    int start = place_end(p, v), all = 1;
    for (int i = 0; i < start; i++) v->stays[i] = 1;
    for (int i = start; i < v->length; i++) {
        if (!is_structure(p, v->given[i])) continue; /* no word begins so */
        uint32_t slot = v->given[i] * 0x9e3779b1u >> (32 - WORD_SLOT_BITS);
        for (int w = p->word_slots[slot]; w < p->word_slots[slot + 1]; w++) {
            const uint32_t *word = p->word_text + p->word_at[w];
            int size = p->word_at[w + 1] - p->word_at[w];
            if (size <= v->length - i && is_same(word, v->given + i, size))
                memset(v->stays + i, 1, (size_t)size);
        }
    }
    for (int i = 0; i < v->length; i++) all &= v->stays[i] || v->class[i] == KEPT;
    if (all) memset(v->stays, 0, (size_t)v->length);
}

/* ---- what is drawn */

static void put_family_name(const dk_words *p, const value *v, uint32_t *fresh) {
    int han = 0, others = 0, seen = 0;
    for (int i = 0; i < v->length; i++) {
        han += is_han(v->class[i]);
        others += v->class[i] != KEPT && !is_han(v->class[i]);
    }
    if (han < 1 || han > 4 || others) return;
    uint32_t last = v->words[v->length];
    const uint32_t *compound = p->compounds + 2 * (size_t)below(last, (uint32_t)p->compound_count);
    for (int i = 0; i < v->length && seen < (han == 4 ? 2 : 1); i++) {
        if (!is_han(v->class[i])) continue;
        fresh[i] = han == 4 ? compound[seen] : p->surnames[below(last, (uint32_t)p->surname_count)];
        seen++;
    }
}

static void spell(const dk_words *p, const value *v, uint32_t *fresh) {
    int before = -1; /* the last place that is no letter */
    for (int i = 0; i < v->length; i++) {
        int class = v->class[i];
        uint32_t word = v->words[i];
        if (class != LETTER) before = i;
        if (class == KEPT) fresh[i] = v->folded[i];
        else if (is_han(class)) fresh[i] = p->han[below(word, (uint32_t)p->han_count)];
        else if (class == LETTER && (i - before) % 2 == 0) fresh[i] = p->vowels[below(word, (uint32_t)p->vowel_count)];
        else if (class == LETTER) fresh[i] = p->consonants[below(word, (uint32_t)p->consonant_count)];
        else fresh[i] = p->symbols[p->class_at[class] + below(word, p->sizes[class])];
    }
    if (p->sort == NAMES) put_family_name(p, v, fresh);
    for (int i = 0; i < v->length; i++)
        if (v->stays[i]) fresh[i] = v->folded[i];
}

/* In the width and case of what stood there. */
static uint32_t restored(uint32_t fresh, uint32_t given) {
    int wide = given >= 0xff01 && given <= 0xff5e;
    uint32_t narrow = wide ? given - 0xfee0 : given;
    return fresh + (narrow >= 'a' && narrow <= 'z' ? 0x20 : 0) + (wide ? 0xfee0 : 0);
}

/* Draw for all, again for those that came out as they were. */
static void redraw(const dk_words *p, value *const *values, int count, uint32_t (*fresh)[LONGEST]) {
    value *left[TOGETHER];
    uint32_t *into[TOGETHER];
    for (int k = 0; k < count; k++) left[k] = values[k], into[k] = fresh[k];
    for (int again = 0; again < MOST_TRIES && count; again++) {
        int still = 0;
        draw(p, left, count, again);
        for (int k = 0; k < count; k++) {
            value *v = left[k];
            uint32_t *at = into[k];
            spell(p, v, at);
            left[still] = v;
            into[still] = at;
            still += is_same(at, v->folded, v->length);
        }
        count = still;
    }
}

static int mask_some(dk_stream *s, int column, const dk_words *p, value *values, int count) {
    uint32_t fresh[TOGETHER][LONGEST];
    value *all[TOGETHER];
    for (int k = 0; k < count; k++) {
        all[k] = &values[k];
        fold(p, all[k]);
        if (p->sort == COMPANIES) keep_of_company(p, all[k]);
        if (p->sort == ADDRESSES) keep_of_address(p, all[k]);
    }
    redraw(p, all, count, fresh);
    for (int k = 0; k < count; k++) {
        const value *v = all[k];
        size_t room = 4 * (size_t)v->length + (size_t)v->blanks + DK_BEYOND;
        uint8_t *out = dk_bytes(s, room), *at = out;
        if (!out) return DK_NO_MEMORY;
        for (int i = 0; i < v->length; i++) fresh[k][i] = restored(fresh[k][i], v->given[i]);
        at += dk_utf8_of(fresh[k], v->length, at);
        memset(at, ' ', (size_t)v->blanks);
        s->masked[v->row * s->columns + column] = (dk_field){out, at - out + v->blanks};
        s->blocks->used -= room - (size_t)(at - out + v->blanks); /* given back */
    }
    return DK_OK;
}

/* One column of the batch; `left[row]` is 1 for what Python must mask. dk_answer, or an error. */
int64_t dk_mask_words(dk_stream *s, int column, dk_words *p, uint8_t *left) {
    value values[TOGETHER];
    int64_t nulls = 0, left_count = 0;
    int count = 0, error = DK_OK;
    for (int64_t r = 0; r < s->rows && !error; r++) {
        const dk_field *field = dk_field_of(s, r, column);
        left[r] = 0;
        if (field->size < 0) nulls++;
        if (field->size <= 0) continue;
        int64_t size = field->size;
        if (p->blanks)
            while (size && field->at[size - 1] == ' ') size--;
        if (!size) continue;
        value *v = &values[count];
        int64_t length = dk_code_points(field->at, size, v->given, LONGEST);
        if (length < 0 || field->size - size > INT32_MAX) {
            left_count += left[r] = 1;
            continue;
        }
        v->length = (int)length;
        v->row = r;
        v->blanks = (int)(field->size - size);
        if (++count == TOGETHER) {
            error = mask_some(s, column, p, values, count);
            count = 0;
        }
    }
    if (!error) error = mask_some(s, column, p, values, count);
    return error ? error : dk_answer(nulls, left_count);
}
