/* Names, companies and addresses from word lists by key: what techniques/dictionaries.py draws, character for character. */
#include "kernel.h"

#include <string.h>

#if DK_LANES
#include <immintrin.h>
#endif

#define LONGEST 96 /* characters */
#define MOST_TRIES 8
#define TOGETHER DK_CHAINS
#define WORD_SLOT_BITS 8
#define GROUP 16 /* characters of one register */
#define MESSAGE (DK_BLOCK + LONGEST * 4 + 4 * GROUP)
#define STREAM_BLOCKS (LONGEST / 4 + 1) /* a word more than there are characters */
#define MOST_CLASSES 32
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
    const uint8_t *place_known; /* a bit for each value of the highest 16 bits of their hash: most texts end here */
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
    int32_t class_count;
} dk_words;

DK_LAYOUT(words, dk_words, class_count)
void dk_words_key(dk_words *p, const uint8_t key[32]) { dk_cipher_key(&p->cipher, key); }

typedef struct {
    int length, is_plain, has_letters; /* is_plain: nothing was folded */
    uint32_t given[LONGEST], folded[LONGEST]; /* as it stood; in half-width capitals */
    uint8_t class[LONGEST], stays[LONGEST];
    uint32_t words[LONGEST + 2 * GROUP];
    int64_t row;
    int blanks; /* after it */
    uint8_t message[MESSAGE], state[DK_BLOCK];
} value;

static inline uint32_t below(uint32_t word, uint32_t size) { return (uint32_t)((uint64_t)word * size >> 32); }

#if DK_LANES

static inline __mmask16 first_of(int count) { return (__mmask16)(count < GROUP ? (1u << count) - 1 : 0xffff); }
static inline __m512i in_order(void) { return _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3)); }

static inline int is_same(const uint32_t *one, const uint32_t *other, int size) {
    for (int i = 0; i < size; i += GROUP) {
        __mmask16 here = first_of(size - i);
        if (_mm512_mask_cmpneq_epi32_mask(here, _mm512_maskz_loadu_epi32(here, one + i), _mm512_maskz_loadu_epi32(here, other + i))) return 0;
    }
    return 1;
}

#else

/* Short texts: no call is worth it. */
static inline int is_same(const uint32_t *one, const uint32_t *other, int size) {
    int i = 0;
    while (i < size && one[i] == other[i]) i++;
    return i == size;
}

#endif

static int is_han(int class) { return class >= FIRST_HAN && class <= LAST_HAN; }

#if DK_LANES

static inline __m512i without_width(__m512i c, __mmask16 *wide) {
    *wide = _mm512_cmple_epu32_mask(_mm512_sub_epi32(c, _mm512_set1_epi32(0xff01)), _mm512_set1_epi32(0xff5e - 0xff01));
    return _mm512_mask_sub_epi32(c, *wide, c, _mm512_set1_epi32(0xfee0));
}
static inline __mmask16 is_small(__m512i c) {
    return _mm512_cmple_epu32_mask(_mm512_sub_epi32(c, _mm512_set1_epi32('a')), _mm512_set1_epi32('z' - 'a'));
}

/* Also the message that words are drawn from, with nothing but zeros after it. */
static void fold(const dk_words *p, value *v) {
    uint32_t folds = 0, letters = 0;
    for (int i = 0; i < v->length; i += GROUP) {
        __mmask16 here = first_of(v->length - i), wide;
        __m512i c = without_width(_mm512_maskz_loadu_epi32(here, v->given + i), &wide);
        __mmask16 small = is_small(c);
        c = _mm512_mask_sub_epi32(c, small, c, _mm512_set1_epi32(0x20));
        folds |= wide | small;
        _mm512_storeu_si512(v->folded + i, c);
        _mm512_storeu_si512(v->message + DK_BLOCK + 4 * i, _mm512_shuffle_epi8(c, in_order()));
        __m512i class = _mm512_and_si512(_mm512_mask_i32gather_epi32(c, here, c, p->class_of, 1), _mm512_set1_epi32(0xff));
        letters |= _mm512_mask_cmpeq_epi32_mask(here, class, _mm512_set1_epi32(LETTER));
        _mm_storeu_si128((__m128i *)(v->class + i), _mm512_cvtepi32_epi8(class));
        _mm_storeu_si128((__m128i *)(v->stays + i), _mm_setzero_si128());
    }
    v->is_plain = !folds;
    v->has_letters = letters != 0;
}

#else

static void fold(const dk_words *p, value *v) {
    v->is_plain = 0;
    v->has_letters = 1;
    for (int i = 0; i < v->length; i++) {
        uint32_t c = v->given[i];
        c -= c - 0xff01 <= 0xff5e - 0xff01 ? 0xfee0 : 0;
        v->folded[i] = c - (c - 'a' <= 'z' - 'a' ? 0x20 : 0);
    }
    for (int i = 0; i < v->length; i++) v->class[i] = p->class_of[v->folded[i]];
    memset(v->stays, 0, sizeof v->stays);
    for (int i = 0; i < v->length; i++) dk_put32(v->message + DK_BLOCK + 4 * i, v->folded[i]);
    memset(v->message + DK_BLOCK + 4 * v->length, 0, DK_BLOCK); /* to the end of its last block at least */
}

#endif

static inline size_t stream_blocks(const value *v) { return ((size_t)v->length + 1 + 3) / 4; }

#if DK_LANES

/* As many blocks as are asked for, and up to three after them: the state with its last bits counted. */
static inline void put_counters(const uint8_t *state, size_t blocks, uint8_t *out) {
    __m512i base = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)state));
    __m512i count = _mm512_set_epi64(3ll << 56, 0, 2ll << 56, 0, 1ll << 56, 0, 0, 0);
    for (size_t b = 0; b < blocks; b += 4, out += 4 * DK_BLOCK, count = _mm512_add_epi64(count, _mm512_maskz_set1_epi64(0xaa, 4ll << 56)))
        _mm512_storeu_si512(out, _mm512_xor_si512(base, count));
}

static inline void take_words(const uint8_t *at, uint32_t *words, int count) {
    for (int i = 0; i < count; i += GROUP)
        _mm512_storeu_si512(words + i, _mm512_shuffle_epi8(_mm512_maskz_loadu_epi32(first_of(count - i), at + 4 * i), in_order()));
}

#else

static inline void put_counters(const uint8_t *state, size_t blocks, uint8_t *out) {
    uint64_t low = dk_get64(state + 8);
    for (size_t b = 0; b < blocks; b++, out += DK_BLOCK) {
        memcpy(out, state, 8);
        dk_put64(out + 8, low ^ b);
    }
}

static inline void take_words(const uint8_t *at, uint32_t *words, int count) {
    for (int i = 0; i < count; i++) words[i] = dk_get32(at + 4 * i);
}

#endif

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
        messages[k] = v->message;
        states[k] = v->state;
        blocks[k] = 1 + ((size_t)v->length * 4 + DK_BLOCK - 1) / DK_BLOCK;
    }
    dk_chains(&p->cipher, messages, blocks, states, count);
    uint8_t stream[TOGETHER * STREAM_BLOCKS * DK_BLOCK + 4 * DK_BLOCK], *end = stream;
    for (int k = 0; k < count; end += stream_blocks(values[k++]) * DK_BLOCK) put_counters(values[k]->state, stream_blocks(values[k]), end);
    dk_encrypt(&p->cipher, stream, (size_t)(end - stream) / DK_BLOCK);
    const uint8_t *at = stream;
    for (int k = 0; k < count; at += stream_blocks(values[k++]) * DK_BLOCK) take_words(at, values[k]->words, values[k]->length + 1);
}

/* ---- what stays */

static int place_end(const dk_words *p, const value *v) {
    int end = 0;
    for (int time = 0; time < 3 && end + 1 < v->length; time++) {
        uint32_t mixed = v->given[end] * 0x9e3779b1u ^ v->given[end + 1] * 0x85ebca6bu, slot = mixed >> (32 - p->slot_bits);
        int found = 0;
        if (!(p->place_known[mixed >> 19] >> (mixed >> 16 & 7) & 1)) break;
        for (int n = p->place_slots[slot]; n < p->place_slots[slot + 1] && !found; n++) {
            int size = p->place_at[n + 1] - p->place_at[n];
            if (size <= v->length - end && is_same(p->place_text + p->place_at[n], v->given + end, size)) found = size;
        }
        if (!found) break;
        end += found;
    }
    return end;
}

#if DK_LANES

/* Which of some characters are structure. */
static inline __mmask16 structures(const dk_words *p, __m512i codes, __mmask16 here) {
    here = _mm512_mask_cmplt_epu32_mask(here, codes, _mm512_set1_epi32(0x10000));
    __m512i bits = _mm512_mask_i32gather_epi32(codes, here, _mm512_srli_epi32(codes, 5), p->structure, 4);
    __m512i one = _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(codes, _mm512_set1_epi32(31)));
    return _mm512_mask_test_epi32_mask(here, bits, one);
}

static void keep_of_address(const dk_words *p, value *v) {
    int end = place_end(p, v), all = 1;
    __mmask16 of[LONGEST / GROUP];
    for (int i = 0; i < v->length; i += GROUP) {
        __mmask16 here = first_of(v->length - i);
        of[i / GROUP] = structures(p, _mm512_maskz_loadu_epi32(here, v->folded + i), here);
        __mmask16 kept = _mm_mask_testn_epi8_mask(here, _mm_loadu_si128((const __m128i *)(v->class + i)), _mm_set1_epi8(-1));
        all &= (of[i / GROUP] | kept) == here;
    }
    for (int i = 0; i < v->length; i += GROUP) {
        __mmask16 stays = (__mmask16)((all ? 0 : of[i / GROUP]) | (end > i ? first_of(end - i) : 0));
        _mm_storeu_si128((__m128i *)(v->stays + i), _mm_maskz_set1_epi8(stays, 1));
    }
}

static inline void keep_word(const dk_words *p, value *v, int i) {
    uint32_t slot = v->given[i] * 0x9e3779b1u >> (32 - WORD_SLOT_BITS);
    for (int w = p->word_slots[slot]; w < p->word_slots[slot + 1]; w++) {
        const uint32_t *word = p->word_text + p->word_at[w];
        int size = p->word_at[w + 1] - p->word_at[w];
        if (size <= v->length - i && is_same(word, v->given + i, size)) memset(v->stays + i, 1, (size_t)size);
    }
}

static void keep_of_company(const dk_words *p, value *v) {
    int start = place_end(p, v), all = 1;
    for (int i = 0; i < start; i++) v->stays[i] = 1;
    for (int i = start; i < v->length; i += GROUP) {
        __mmask16 here = first_of(v->length - i);
        uint32_t begins = structures(p, _mm512_maskz_loadu_epi32(here, v->given + i), here);
        for (; begins; begins &= begins - 1) keep_word(p, v, i + __builtin_ctz(begins));
    }
    for (int i = 0; i < v->length; i += GROUP) {
        __mmask16 here = first_of(v->length - i);
        __m128i zero = _mm_setzero_si128(), stays = _mm_maskz_loadu_epi8(here, v->stays + i);
        __mmask16 kept = _mm_mask_cmpeq_epi8_mask(here, _mm_maskz_loadu_epi8(here, v->class + i), zero);
        all &= (kept | _mm_mask_cmpneq_epi8_mask(here, stays, zero)) == here;
    }
    if (all) memset(v->stays, 0, (size_t)v->length);
}

#else

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

#endif

/* ---- what is drawn */

typedef struct {
    int fit;
    int32_t sizes[MOST_CLASSES], at[MOST_CLASSES];
} tables;

static tables tables_of(const dk_words *p) {
    tables t = {.fit = p->class_count <= MOST_CLASSES};
    for (int c = 0; t.fit && c < p->class_count; c++) {
        t.sizes[c] = is_han(c) ? p->han_count : (int32_t)p->sizes[c];
        t.at[c] = is_han(c) ? 0 : (int32_t)p->class_at[c];
    }
    return t;
}

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
}

#if DK_LANES

static inline __m512i below_each(__m512i words, __m512i sizes) {
    __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(words, sizes), 32);
    __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(words, 32), _mm512_srli_epi64(sizes, 32));
    return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

/* What a class is drawn from: sizes and places of Han are those of the list in use. */
static inline __m512i of_class(__m512i class, const int32_t *table) {
    return _mm512_permutex2var_epi32(_mm512_loadu_si512(table), class, _mm512_loadu_si512(table + 16));
}

/* Without letters every character is a symbol of its class, whatever stands beside it. */
static void spell_each(const dk_words *p, const tables *t, const value *v, uint32_t *fresh) {
    for (int i = 0; i < v->length; i += GROUP) {
        __mmask16 here = first_of(v->length - i);
        __m512i folded = _mm512_maskz_loadu_epi32(here, v->folded + i), words = _mm512_maskz_loadu_epi32(here, v->words + i);
        __m512i class = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(here, v->class + i));
        __m512i at = _mm512_add_epi32(below_each(words, of_class(class, t->sizes)), of_class(class, t->at));
        __mmask16 drawn = _mm512_test_epi32_mask(class, class);
        __mmask16 han = _mm512_cmple_epu32_mask(_mm512_sub_epi32(class, _mm512_set1_epi32(FIRST_HAN)), _mm512_set1_epi32(LAST_HAN - FIRST_HAN));
        folded = _mm512_mask_i32gather_epi32(folded, drawn & han, at, p->han, 4);
        if (drawn & ~han) folded = _mm512_mask_i32gather_epi32(folded, drawn & ~han, at, p->symbols, 4);
        _mm512_mask_storeu_epi32(fresh + i, here, folded);
    }
}

static void keep(const value *v, uint32_t *fresh) {
    for (int i = 0; i < v->length; i += GROUP) {
        __mmask16 here = first_of(v->length - i), stays = _mm_mask_test_epi8_mask(here, _mm_maskz_loadu_epi8(here, v->stays + i), _mm_set1_epi8(-1));
        _mm512_mask_storeu_epi32(fresh + i, stays, _mm512_maskz_loadu_epi32(stays, v->folded + i));
    }
}

#else

static void spell_each(const dk_words *p, const tables *t, const value *v, uint32_t *fresh) {
    (void)t;
    spell(p, v, fresh);
}

static void keep(const value *v, uint32_t *fresh) {
    for (int i = 0; i < v->length; i++)
        if (v->stays[i]) fresh[i] = v->folded[i];
}

#endif

/* Characters of classes beyond the tables go one by one, as letters do. */
static void renew(const dk_words *p, const tables *t, const value *v, uint32_t *fresh) {
    if (v->has_letters || !t->fit) spell(p, v, fresh);
    else spell_each(p, t, v, fresh);
    if (p->sort == NAMES) put_family_name(p, v, fresh);
    keep(v, fresh);
}

/* In the width and case of what stood there. */
static uint32_t restored(uint32_t fresh, uint32_t given) {
    int wide = given >= 0xff01 && given <= 0xff5e;
    uint32_t narrow = wide ? given - 0xfee0 : given;
    return fresh + (narrow >= 'a' && narrow <= 'z' ? 0x20 : 0) + (wide ? 0xfee0 : 0);
}

/* Draw for all, again for those that came out as they were. */
static void redraw(const dk_words *p, const tables *t, value *const *values, int count, uint32_t (*fresh)[LONGEST]) {
    value *left[TOGETHER];
    uint32_t *into[TOGETHER];
    for (int k = 0; k < count; k++) left[k] = values[k], into[k] = fresh[k];
    for (int again = 0; again < MOST_TRIES && count; again++) {
        int still = 0;
        draw(p, left, count, again);
        for (int k = 0; k < count; k++) {
            value *v = left[k];
            uint32_t *at = into[k];
            renew(p, t, v, at);
            left[still] = v;
            into[still] = at;
            still += is_same(at, v->folded, v->length);
        }
        count = still;
    }
}

static int mask_some(dk_stream *s, int column, const dk_words *p, const tables *t, value *values, int count) {
    uint32_t fresh[TOGETHER][LONGEST];
    value *all[TOGETHER];
    for (int k = 0; k < count; k++) {
        all[k] = &values[k];
        fold(p, all[k]);
        if (p->sort == COMPANIES) keep_of_company(p, all[k]);
        if (p->sort == ADDRESSES) keep_of_address(p, all[k]);
    }
    redraw(p, t, all, count, fresh);
    for (int k = 0; k < count; k++) {
        const value *v = all[k];
        size_t room = 4 * (size_t)v->length + (size_t)v->blanks + DK_BEYOND;
        uint8_t *out = dk_bytes(s, room), *at = out;
        if (!out) return DK_NO_MEMORY;
        for (int i = 0; !v->is_plain && i < v->length; i++) fresh[k][i] = restored(fresh[k][i], v->given[i]);
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
    const tables t = tables_of(p);
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
            error = mask_some(s, column, p, &t, values, count);
            count = 0;
        }
    }
    if (!error) error = mask_some(s, column, p, &t, values, count);
    return error ? error : dk_answer(nulls, left_count);
}
