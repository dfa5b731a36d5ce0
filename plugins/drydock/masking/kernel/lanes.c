/* Values of letters and digits alone, up to 64 bytes, and plain e-mail addresses: read in one register, moved sixteen at a time.
 *
 * It does what texts.c does value by value, for the values that columns are full of; what it does not take goes there. Texts
 * of one shape whose letters stand in the same places share a plan: radices, symbols, and what each symbol adds to a check.
 */
#include "texts.h"

#include <stdlib.h>
#include <string.h>

#if DK_LANES

#include <immintrin.h>

#define CHUNK 256
#define PLANS 64
#define MOST_PLANS 48
#define MOST_MOVED 20
#define PAIR (26 * 26)
#define RESERVE 2 /* jobs of one value */
#define SETS 4
#define ROUND_SORTS 3
#define BLOCK 32 /* jobs that are looked at together */
#define EIGHT 8  /* jobs of one register */
#define CODE_X ('X' - '0')
#define CODE_AT ('@' - '0')
#define CODE_DOT ((uint8_t)('.' - '0'))

/* A template, as its places are asked of a whole register. */
typedef struct {
    const dk_template *t;
    int usable, sets, told; /* told: places that stay and are part of the tweak */
    uint8_t told_at[LONGEST];
    uint64_t places[SETS], moved;
    uint8_t ranks[SETS][64];
    uint32_t reciprocal[2], then_reciprocal[2];
    uint8_t kept[2][LONGEST], kept_count[2]; /* places of each check that stay and count */
} shape;

typedef struct {
    const shape *shape; /* NULL: any text */
    uint64_t letters;   /* key, with the length: where letters are moved */
    int length, count, first; /* first: where the moved places are digits in a row, else -1 */
    uint8_t order[16];        /* where all moved places are digits: the last place last */
    uint64_t used;            /* bytes of `order`; 0: there are letters, or too many digits */
    dk_cut cut;
    uint8_t at[MOST_MOVED], radix[MOST_MOVED];
    uint64_t weight[MOST_MOVED];
    /* two places at once (the first one alone where they are odd): what each two symbols are, and add to both checks */
    int pairs;
    uint64_t pair_radix[MOST_MOVED / 2], pair_reciprocal[MOST_MOVED / 2], pair_share[MOST_MOVED / 2]; /* share: of 2^52 */
    uint8_t pair_at[MOST_MOVED / 2][2];
    uint16_t symbols[MOST_MOVED / 2][PAIR];
    uint32_t terms[MOST_MOVED / 2][PAIR];
} plan;

typedef struct {
    const plan *plan; /* NULL: a resident id */
    uint8_t *out;
    uint64_t small;
    int32_t off[2], kept[2], start, ends_x;
    uint8_t digit_at[2];
} rest;

struct dk_lanes {
    shape *shapes[LONGEST + 1][4];
    int plan_count, spare_count, in_vain, endless;
    int listed[ROUND_SORTS];
    uint16_t spare[CHUNK]; /* jobs that are free */
    dk_job *lists[ROUND_SORTS][CHUNK];
    dk_job jobs[CHUNK];
    rest rests[CHUNK];
    plan plans[PLANS];
};

dk_lanes *dk_lanes_open(void) {
    dk_lanes *lanes = calloc(1, sizeof *lanes);
    for (int k = 0; lanes && k < CHUNK; k++) lanes->spare[lanes->spare_count++] = (uint16_t)k;
    return lanes;
}

void dk_lanes_close(dk_lanes *lanes) {
    if (!lanes) return;
    for (int n = 0; n <= LONGEST; n++)
        for (int k = 0; k < 4; k++) free(lanes->shapes[n][k]);
    volatile uint8_t *bytes = (volatile uint8_t *)lanes; /* what the key made of sizes */
    for (size_t i = 0; i < sizeof *lanes; i++) bytes[i] = 0;
    free(lanes);
}

/* ---- small arithmetic */

/* Of numbers below 2^16, by what `reciprocal_of` gives. */
static inline uint32_t reciprocal_of(int modulus) { return (uint32_t)((UINT64_C(1) << 32) / (uint64_t)modulus) + 1; }
static inline int small_rest(int value, int modulus, uint32_t reciprocal) {
    return value - (int)((uint64_t)(uint32_t)value * reciprocal >> 32) * modulus;
}

/* Sixteen digits of a number below 10^16, the first lowest in memory. */
static inline uint64_t eight_digits(uint32_t number) {
    uint64_t both = number / 10000 | (uint64_t)(number % 10000) << 32;
    uint64_t high = both * 10486 >> 20 & UINT64_C(0x7f0000007f);
    both = (both - 100 * high) << 16 | high;
    uint64_t tens = both * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    return tens + ((both - 10 * tens) << 8);
}

/* The number that the last `count` (1 to 16) of sixteen bytes spell; the others are 0. */
static inline uint64_t number_of(__m128i digits) {
    __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
    __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
    __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710));
    return (uint64_t)(uint32_t)_mm_cvtsi128_si32(eights) * 100000000 + (uint32_t)_mm_extract_epi32(eights, 1);
}

/* ---- shapes and plans */

static int add_set(shape *s, const uint8_t *ranks, int place) {
    for (int k = 0; k < s->sets; k++)
        if (!memcmp(s->ranks[k], ranks, 64)) {
            s->places[k] |= UINT64_C(1) << place;
            return 1;
        }
    if (s->sets == SETS) return 0;
    memcpy(s->ranks[s->sets], ranks, 64);
    s->places[s->sets++] = UINT64_C(1) << place;
    return 1;
}

/* What a check asks: digits alone where its class is always kept; nothing of itself; the second may count the first's. */
static int add_check(shape *s, int c) {
    const dk_check *check = &s->t->check[c];
    if (check->sign != 1 || s->t->mode[check->at] != CHECKED) return 0;
    s->reciprocal[c] = reciprocal_of(check->modulus);
    s->then_reciprocal[c] = reciprocal_of(check->then ? check->then : 1);
    for (int j = 0; j < s->t->length; j++) {
        int counts = 0;
        for (int code = 0; code < CODES; code++) counts |= check->terms[j][code];
        if (!counts || s->t->mode[j] == MOVED) continue;
        int earlier = c == 1 && j == s->t->check[0].at;
        if (s->t->mode[j] == CHECKED && !earlier) return 0;
        if (!earlier) s->kept[c][s->kept_count[c]++] = (uint8_t)j;
    }
    return 1;
}

static shape *shape_of(dk_lanes *l, const dk_template *t, int k) {
    shape **place = &l->shapes[t->length][k];
    if (*place) return *place;
    shape *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->t = t;
    s->usable = 1;
    for (int j = 0; j < t->length; j++) {
        if (t->mode[j] == KEPT) s->told_at[s->told++] = (uint8_t)j;
        s->usable &= add_set(s, t->rank[j], j);
        s->moved |= (uint64_t)(t->mode[j] == MOVED) << j;
    }
    for (int c = 0; c < t->checks; c++) s->usable &= add_check(s, c);
    return *place = s;
}

static int add_moved(plan *made, int j) {
    const dk_template *t = made->shape ? made->shape->t : NULL;
    int is_letter = (int)(made->letters >> j & 1), n = made->count;
    if (n == MOST_MOVED) return 0;
    made->at[n] = (uint8_t)j;
    made->radix[n] = t ? (is_letter ? t->letters[j] : t->digits[j]) : is_letter ? 26 : 10;
    made->count = n + 1;
    return made->radix[n] > 0;
}

static uint8_t symbol_of(const plan *made, int n, int rank) {
    int j = made->at[n], is_letter = (int)(made->letters >> j & 1);
    if (!made->shape) return (uint8_t)(rank + (is_letter ? 'A' : '0'));
    return is_letter ? made->shape->t->letter_symbols[j][rank] : made->shape->t->digit_symbols[j][rank];
}

/* What a symbol adds to the sums of both checks. */
static uint32_t adds(const plan *made, int n, uint8_t symbol) {
    const dk_template *t = made->shape ? made->shape->t : NULL;
    uint32_t out = 0;
    for (int c = 0; t && c < t->checks; c++) out |= (uint32_t)t->check[c].terms[made->at[n]][symbol - '0'] << 16 * c;
    return out;
}

/* Places `n - 1` and `n`; of -1 and 0 the latter alone, whose symbol then stands for both. */
static void add_pair(plan *made, int n) {
    int k = made->pairs++, before = n ? n - 1 : 0, radix = made->radix[n], size = n ? made->radix[before] * radix : radix;
    made->pair_radix[k] = (uint64_t)size;
    made->pair_reciprocal[k] = UINT64_MAX / (uint64_t)size;
    made->pair_share[k] = size > 1 ? (UINT64_C(1) << 52) / (uint64_t)size : (UINT64_C(1) << 52) - 1;
    made->pair_at[k][0] = made->at[before];
    made->pair_at[k][1] = made->at[n];
    for (int both = 0; both < size; both++) {
        uint8_t second = symbol_of(made, n, both % radix), first = n ? symbol_of(made, before, both / radix) : second;
        made->symbols[k][both] = (uint16_t)(first | second << 8);
        made->terms[k][both] = adds(made, n, second) + (n ? adds(made, before, first) : 0);
    }
}

/* Whether the moved places are the digits 0 to 9 in a row, few enough for sixteen bytes. */
static int in_a_row(const plan *made) {
    if (!made->count || made->count > 16 || made->letters) return 0;
    for (int n = 0; n < made->count; n++)
        if (made->at[n] != made->at[0] + n || made->radix[n] != 10 || symbol_of(made, n, 0) != '0') return 0;
    return 1;
}

/* Where sixteen bytes take the moved places from, if each of them counts ten. */
static void add_order(plan *made) {
    for (int n = 0; n < made->count; n++)
        if (made->radix[n] != 10) return;
    if (made->count > 16) return;
    memcpy(made->order + 16 - made->count, made->at, (size_t)made->count);
    made->used = 0xffffu << (16 - made->count) & 0xffffu;
}

/* 0 where the domain passes 2^63 or nothing is moved. Pairs that there are not are of one symbol that adds nothing. */
static int make_plan(const dk_cipher *cipher, plan *made) {
    for (int k = 0; k < MOST_MOVED / 2; k++) made->pair_radix[k] = 1;
    for (int j = 0; j < made->length; j++)
        if (!made->shape || made->shape->moved >> j & 1)
            if (!add_moved(made, j)) return 0;
    uint64_t size = 1;
    for (int n = made->count - 1; n >= 0; n--) {
        made->weight[n] = size;
        if (size > (UINT64_C(1) << 63) / made->radix[n]) return 0;
        size *= made->radix[n];
    }
    for (int n = made->count - 1; n >= 0; n -= 2) add_pair(made, n);
    made->first = in_a_row(made) ? made->at[0] : -1;
    add_order(made);
    made->cut = dk_make_cut(cipher, size);
    return made->count > 0;
}

/* Made when first seen; no plan is replaced, since jobs point to it. */
static __attribute__((noinline)) const plan *new_plan(dk_texts *p, plan *at, const shape *s, int length, uint64_t letters) {
    if (p->lanes->plan_count == MOST_PLANS) return NULL;
    p->lanes->plan_count++;
    at->shape = s;
    at->length = length;
    at->letters = letters;
    if (!make_plan(&p->ff1.cipher, at)) at->count = 0;
    return at->count ? at : NULL;
}

/* The plan of these letters; NULL where there is none or there are too many. Inline, since a call would spill registers. */
static inline __attribute__((always_inline)) const plan *plan_of(dk_texts *p, const shape *s, int length, uint64_t letters) {
    dk_lanes *l = p->lanes;
    uint64_t mixed = (letters ^ (uintptr_t)s >> 4 ^ (uint64_t)length << 57) * UINT64_C(0x9e3779b97f4a7c15);
    plan *at = &l->plans[mixed >> 58];
    while (at->length && (at->letters != letters || at->shape != s || at->length != length))
        at = at + 1 == l->plans + PLANS ? l->plans : at + 1;
    if (__builtin_expect(!at->length, 0)) return new_plan(p, at, s, length, letters);
    return at->count ? at : NULL;
}

/* ---- jobs */

static inline int sort_of(const dk_cut *cut) { return cut->rounds == 10 ? 0 : cut->rounds == 24 ? 1 : 2; }

static rest *add_job(dk_lanes *l, uint64_t number, uint64_t tweak, const dk_cut *cut) {
    int place = l->spare[--l->spare_count], sort = sort_of(cut);
    l->jobs[place] = (dk_job){number, tweak, cut};
    l->lists[sort][l->listed[sort]++] = &l->jobs[place];
    return &l->rests[place];
}

/* The job that was added last; its list is that of its rounds. */
static void take_back(dk_lanes *l, const dk_cut *cut) {
    dk_job *job = l->lists[sort_of(cut)][--l->listed[sort_of(cut)]];
    l->spare[l->spare_count++] = (uint16_t)(job - l->jobs);
}

/* The number that ranks spell from a place on. */
static inline uint64_t counted(const plan *pl, __m512i ranks, int first) {
    if (pl->used) {
        __m128i order = _mm_add_epi8(_mm_loadu_si128((const __m128i *)pl->order), _mm_set1_epi8((char)first));
        return number_of(_mm512_castsi512_si128(_mm512_maskz_permutexvar_epi8(pl->used, _mm512_castsi128_si512(order), ranks)));
    }
    _Alignas(64) uint8_t each[LONGEST];
    uint64_t number = 0;
    _mm512_store_si512(each, ranks);
    for (int n = 0; n < pl->count; n++) number += each[first + pl->at[n]] * pl->weight[n];
    return number;
}

/* The digits of a number in a row, and what stands in the bytes after them. */
static inline void put_row(const plan *pl, uint64_t number, uint8_t *out) {
    uint64_t high = number / 100000000;
    uint64_t low = eight_digits((uint32_t)(number - high * 100000000));
    __m128i all = _mm_set_epi64x((long long)low, (long long)eight_digits((uint32_t)high));
    const __m128i places = _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    all = _mm_permutexvar_epi8(_mm_add_epi8(places, _mm_set1_epi8((char)(16 - pl->count))), all);
    _mm_mask_storeu_epi8(out + pl->first, (__mmask16)((1u << pl->count) - 1), _mm_add_epi8(all, _mm_set1_epi8('0')));
}

/* Eight numbers as they would be written: two places at a time, and what these add to the checks. */
typedef struct {
    uint16_t pairs[MOST_MOVED / 2][EIGHT];
    _Alignas(32) uint32_t sums[EIGHT];
    uint8_t symbols[2][EIGHT]; /* the check characters */
} spellings;

static inline int has_checks(const plan *pl) { return pl->shape && pl->shape->t->checks; }
static inline int needs_pairs(const plan *pl) { return pl->first < 0 || has_checks(pl); }

/* Of one number, the last places first. */
static inline void in_pairs(const plan *pl, uint64_t number, spellings *as, int lane) {
    as->sums[lane] = 0;
    for (int k = 0; k < pl->pairs; k++) {
        uint64_t radix = pl->pair_radix[k], q = (uint64_t)((unsigned __int128)number * pl->pair_reciprocal[k] >> 64), r = number - q * radix;
        uint64_t more = r >= radix; /* the quotient is right or one too low */
        r -= more ? radix : 0;
        as->pairs[k][lane] = (uint16_t)r;
        as->sums[lane] += pl->terms[k][r];
        number = q + more;
    }
}

/* What is left of eight numbers below 2^52 when one pair is taken off each; its quotient too is right or one too low. */
static inline __m512i take_pair(__m512i *numbers, __m512i radix, __m512i share, uint16_t *pair) {
    __m512i zero = _mm512_setzero_si512(), q = _mm512_madd52hi_epu64(zero, *numbers, share);
    __m512i r = _mm512_sub_epi64(*numbers, _mm512_madd52lo_epu64(zero, q, radix));
    __mmask8 more = _mm512_cmpge_epu64_mask(r, radix);
    r = _mm512_mask_sub_epi64(r, more, r, radix);
    *numbers = _mm512_mask_add_epi64(q, more, q, _mm512_set1_epi64(1));
    _mm_storeu_si128((__m128i *)pair, _mm512_cvtepi64_epi16(r));
    return r;
}

/* The same of eight numbers of one plan, each below 2^52. */
static inline void eight_alike(const plan *pl, __m512i numbers, spellings *as) {
    __m256i sums = _mm256_setzero_si256();
    int checks = has_checks(pl);
    for (int k = 0; k < pl->pairs; k++) {
        __m512i r = take_pair(&numbers, _mm512_set1_epi64((long long)pl->pair_radix[k]), _mm512_set1_epi64((long long)pl->pair_share[k]), as->pairs[k]);
        if (checks) sums = _mm256_add_epi32(sums, _mm512_i64gather_epi32(r, pl->terms[k], 4));
    }
    _mm256_store_si256((__m256i *)as->sums, sums);
}

/* Of eight numbers of several plans of these lanes, each below 2^52. */
static inline void eight_mixed(const dk_lanes *l, const plan *const *plans, __m512i numbers, spellings *as) {
    _Alignas(64) int64_t at[EIGHT];
    __m256i sums = _mm256_setzero_si256();
    int most = 0;
    for (int n = 0; n < EIGHT; n++) {
        at[n] = (const char *)plans[n] - (const char *)l->plans;
        most = plans[n]->pairs > most ? plans[n]->pairs : most;
    }
    __m512i where = _mm512_load_si512(at);
    for (int k = 0; k < most; k++) {
        __m512i radix = _mm512_i64gather_epi64(where, &l->plans->pair_radix[k], 1), share = _mm512_i64gather_epi64(where, &l->plans->pair_share[k], 1);
        __m512i r = take_pair(&numbers, radix, share, as->pairs[k]);
        sums = _mm256_add_epi32(sums, _mm512_i64gather_epi32(_mm512_add_epi64(where, _mm512_slli_epi64(r, 2)), l->plans->terms[k], 1));
    }
    _mm256_store_si256((__m256i *)as->sums, sums);
}

/* The character that a check asks for, of a sum; the value of `off` more. */
static inline uint8_t check_symbol(const shape *s, int c, int sum, int off) {
    const dk_check *check = &s->t->check[c];
    int value = small_rest(check->constant + sum, check->modulus, s->reciprocal[c]);
    if (check->then) value = small_rest(value, check->then, s->then_reciprocal[c]);
    value += off;
    return check->symbols[value - (value >= check->count ? check->count : 0)];
}

static inline uint8_t as_small(const rest *it, int place) { return (uint8_t)(it->small >> place << 5 & 0x20); }

/* Both check characters, of what the moved places add to them; 0 where one changes its class. */
static inline int checked(const rest *it, uint32_t sums, uint8_t symbols[2]) {
    const dk_template *t = it->plan->shape->t;
    int fine = 1;
    for (int c = 0; c < t->checks; c++, sums >>= 16) {
        int sum = it->kept[c] + (int)(sums & 0xffff);
        if (c == 1) sum += t->check[1].terms[t->check[0].at][symbols[0] - '0'];
        if (it->off[c] < 0) symbols[c] = (uint8_t)(it->out[t->check[c].at] - as_small(it, t->check[c].at));
        else symbols[c] = check_symbol(it->plan->shape, c, sum, it->off[c]);
        fine &= dk_is_digit(symbols[c]) == it->digit_at[c];
    }
    return fine;
}

/* What of eight numbers below 2^16 is left by a modulus; each in 64 bits. */
static inline __m512i eight_rests(__m512i values, int modulus, uint32_t reciprocal) {
    __m512i q = _mm512_srli_epi64(_mm512_mul_epu32(values, _mm512_set1_epi64(reciprocal)), 32);
    return _mm512_sub_epi64(values, _mm512_mul_epu32(q, _mm512_set1_epi64(modulus)));
}

/* Figures of eight jobs, from where their rests lie. */
static inline __m512i figures(const int32_t *of_first, __m512i at) { return _mm512_cvtepi32_epi64(_mm512_i64gather_epi32(at, of_first, 1)); }

/* What the first check character adds to the second check. */
static inline __m512i added(const int16_t *terms, __m512i codes) {
    __m512i found = _mm512_permutex2var_epi16(_mm512_loadu_si512(terms), codes, _mm512_loadu_si512(terms + 32));
    return _mm512_srai_epi64(_mm512_slli_epi64(found, 48), 48);
}

/* As `checked`, of eight jobs of one shape whose check characters are all of their check: those that keep their classes. */
static inline __mmask8 eight_checked(const dk_lanes *l, const shape *s, __m512i at, const spellings *as, uint8_t (*symbols)[EIGHT]) {
    const dk_template *t = s->t;
    __m512i sums = _mm512_cvtepu32_epi64(_mm256_load_si256((const __m256i *)as->sums)), symbol = _mm512_setzero_si512();
    __m512i digits = _mm512_cvtepi32_epi64(_mm512_i64gather_epi32(at, l->rests->digit_at, 1));
    __mmask8 fine = 0xff;
    for (int c = 0; c < t->checks; c++, sums = _mm512_srli_epi64(sums, 16), digits = _mm512_srli_epi64(digits, 8)) {
        const dk_check *check = &t->check[c];
        __m512i sum = _mm512_add_epi64(figures(&l->rests->kept[c], at), _mm512_and_si512(sums, _mm512_set1_epi64(0xffff)));
        if (c == 1) sum = _mm512_add_epi64(sum, added(check->terms[t->check[0].at], _mm512_sub_epi64(symbol, _mm512_set1_epi64('0'))));
        __m512i value = eight_rests(_mm512_add_epi64(sum, _mm512_set1_epi64(check->constant)), check->modulus, s->reciprocal[c]);
        if (check->then) value = eight_rests(value, check->then, s->then_reciprocal[c]);
        value = _mm512_add_epi64(value, figures(&l->rests->off[c], at));
        value = _mm512_min_epu64(value, _mm512_sub_epi64(value, _mm512_set1_epi64(check->count)));
        symbol = _mm512_maskz_permutexvar_epi8(0x0101010101010101, value, _mm512_loadu_si512(check->symbols));
        __mmask8 is_digit = _mm512_cmplt_epu64_mask(_mm512_sub_epi64(symbol, _mm512_set1_epi64('0')), _mm512_set1_epi64(10));
        fine &= (__mmask8)~(is_digit ^ _mm512_test_epi64_mask(digits, _mm512_set1_epi64(0xff)));
        _mm_storel_epi64((__m128i *)symbols[c], _mm512_cvtepi64_epi8(symbol));
    }
    return fine;
}

/* Some jobs that have plans, at most eight, spelled; what lies outside its domain as if it were 0. */
static inline void spell(const dk_lanes *l, dk_job *const *jobs, int count, const plan **plans, spellings *as) {
    _Alignas(64) uint64_t numbers[EIGHT];
    int alike = 1, small = 1, needed = 0;
    for (int n = 0; n < EIGHT; n++) {
        const dk_job *job = jobs[n < count ? n : 0];
        const plan *pl = plans[n] = l->rests[job - l->jobs].plan;
        numbers[n] = job->number < pl->cut.size ? job->number : 0;
        alike &= pl == plans[0];
        small &= pl->cut.size <= UINT64_C(1) << 52;
        needed |= needs_pairs(pl);
    }
    if (!needed) return;
    if (!small)
        for (int n = 0; n < count; n++) in_pairs(plans[n], numbers[n], as, n);
    else if (alike) eight_alike(plans[0], _mm512_load_si512(numbers), as);
    else eight_mixed(l, plans, _mm512_load_si512(numbers), as);
}

/* Which of some jobs have come to rest, and their check characters then; no branch asks that, since nobody could guess it. */
static inline uint32_t at_rest(const dk_lanes *l, dk_job *const *jobs, int count, const plan *const *plans, spellings *as) {
    _Alignas(64) int64_t at[EIGHT];
    const shape *s = plans[0]->shape;
    uint32_t inside = 0, fine = 0;
    int alike = 1, checks = 0, is_off = 1;
    for (int n = 0; n < EIGHT; n++) {
        const dk_job *job = jobs[n < count ? n : 0];
        const rest *it = &l->rests[job - l->jobs];
        at[n] = (const char *)it - (const char *)l->rests;
        inside |= (uint32_t)(n < count && job->number < plans[n]->cut.size) << n;
        alike &= plans[n]->shape == s;
        checks |= has_checks(plans[n]);
        is_off &= it->off[0] >= 0 && (!s || s->t->checks < 2 || it->off[1] >= 0);
    }
    if (!checks) return inside;
    if (alike && is_off) return inside & eight_checked(l, s, _mm512_load_si512(at), as, as->symbols);
    for (int n = 0; n < count; n++) {
        uint8_t symbols[2] = {0};
        fine |= (uint32_t)(!has_checks(plans[n]) || checked(&l->rests[jobs[n] - l->jobs], as->sums[n], symbols)) << n;
        as->symbols[0][n] = symbols[0];
        as->symbols[1][n] = symbols[1];
    }
    return inside & fine;
}

static inline void put_value(const dk_job *job, const rest *it, const spellings *as, int lane) {
    const plan *pl = it->plan;
    const dk_template *t = pl->shape ? pl->shape->t : NULL;
    for (int c = 0; t && c < t->checks; c++) it->out[t->check[c].at] = (uint8_t)(as->symbols[c][lane] + as_small(it, t->check[c].at));
    if (pl->first >= 0) {
        put_row(pl, job->number, it->out);
        return;
    }
    for (int k = 0; k < pl->pairs; k++) {
        uint16_t both = pl->symbols[k][as->pairs[k][lane]];
        it->out[pl->pair_at[k][0]] = (uint8_t)((both & 0xff) + as_small(it, pl->pair_at[k][0]));
        it->out[pl->pair_at[k][1]] = (uint8_t)((both >> 8) + as_small(it, pl->pair_at[k][1]));
    }
}

/* ---- resident ids */

static inline int tens(const uint8_t *codes, int first) { return codes[first] * 10 + codes[first + 1]; }

static inline int area_sum(const uint8_t *c) { return c[0] * 7 + c[1] * 9 + c[2] * 10 + c[3] * 5 + c[4] * 8 + c[5] * 4; }
static inline int day_sum(const uint8_t *c) {
    return c[0] * 2 + c[1] + c[2] * 6 + c[3] * 3 + c[4] * 7 + c[5] * 9 + c[6] * 10 + c[7] * 5;
}
static inline int rest_11(int value) { return value % 11; }

static int take_resident(dk_texts *p, const uint8_t *codes, uint64_t digits, uint64_t small, uint8_t *out) {
    const dk_residents *r = p->residents;
    int ends_x = codes[17] == CODE_X;
    if ((digits & 0x1ffff) != 0x1ffff || !codes[0] || !(digits >> 17 & 1 || ends_x)) return 0;
    int year = tens(codes, 6) * 100 + tens(codes, 8) - r->first_year, month = tens(codes, 10), day = tens(codes, 12);
    if (year < 0 || year >= r->years || month < 1 || month > 12) return 0;
    int number = dk_day_number(r, year * 12 + month - 1, day);
    if (number < 0) return 0;
    int band = r->band_of[year * 12 + month - 1], start = r->first[band], serial = codes[14] * 100 + tens(codes, 15);
    uint64_t per_day = ends_x ? 100 : 1000, tweak = r->label;
    for (int j = 0; j < 6; j++) tweak = tweak * FOLD + codes[j] + '0';
    const dk_cut *cut = dk_cut_of(&p->ff1, (uint64_t)r->count[band] * per_day, NULL);
    if (!cut) return 0;
    uint64_t counted = (uint64_t)(number - start) * per_day + (uint64_t)(ends_x ? serial / 10 : serial);
    rest *it = add_job(p->lanes, counted, tweak + (uint64_t)start * 2 + (uint64_t)ends_x, cut);
    it->plan = NULL;
    it->out = out;
    it->small = small;
    it->start = start;
    it->ends_x = ends_x;
    it->kept[0] = area_sum(codes);
    int sum = it->kept[0] + day_sum(codes + 6) + codes[14] * 8 + codes[15] * 4 + codes[16] * 2;
    int right = rest_11(12 + 11 - rest_11(sum));
    it->off[0] = rest_11((ends_x ? 10 : codes[17]) - right + 11);
    return 1;
}

static int resident_settled(const dk_residents *r, const dk_job *job, const rest *it) {
    if (job->number >= job->cut->size) return 0;
    uint32_t number = (uint32_t)job->number;
    uint32_t days = it->ends_x ? number / 100 : number / 1000;
    uint32_t serial = it->ends_x ? (number - days * 100) * 10 : number - days * 1000;
    uint8_t text[8];
    dk_put_day(r, it->start + (int)days, text);
    uint32_t a = serial / 100, b = serial / 10 - a * 10, c = serial % 10;
    int sum = it->kept[0] + day_sum(text) - 43 * '0' + (int)(a * 8 + b * 4);
    if (it->ends_x) { /* the digit that makes the check character X; none where it would be 10 */
        c = (uint32_t)rest_11(6 * rest_11(2 + it->off[0] + 11 * 64 - sum));
        if (c > 9) return 0;
    }
    int value = rest_11(rest_11(12 + 11 - rest_11(sum + (int)c * 2)) + it->off[0]);
    if ((value == 10) != it->ends_x) return 0;
    memcpy(it->out + 6, text, 8);
    it->out[14] = (uint8_t)(a + '0');
    it->out[15] = (uint8_t)(b + '0');
    it->out[16] = (uint8_t)(c + '0');
    it->out[17] = (uint8_t)(value == 10 ? 'X' + (int)(it->small >> 17 << 5 & 0x20) : '0' + value);
    return 1;
}

/* ---- values */

/* `length` characters from `first` on; letters and small ones counted from there. */
static int take_any(dk_texts *p, __m512i codes, int first, int length, uint64_t letters, uint64_t small, uint64_t tweak, uint8_t *out) {
    int of_letters = __builtin_popcountll(letters);
    if (length > LONGEST_NUMBER || of_letters * p->letter_bits + (length - of_letters) * p->digit_bits > p->most_bits) return 0;
    const plan *pl = plan_of(p, NULL, length, letters);
    if (!pl) return 0;
    __m512i ranks = _mm512_mask_sub_epi8(codes, letters << first, codes, _mm512_set1_epi8('A' - '0'));
    rest *it = add_job(p->lanes, counted(pl, ranks, first), tweak, &pl->cut);
    it->plan = pl;
    it->out = out + first;
    it->small = small;
    return 1;
}

static int sum_of(const shape *s, int c, const uint8_t *codes) {
    int sum = 0;
    for (int n = 0; n < s->kept_count[c]; n++) sum += s->t->check[c].terms[s->kept[c][n]][codes[s->kept[c][n]]];
    return sum;
}

/* By how much the check characters of a value are off, and what stays of their sums; 0 where it is not of the shape. */
static int take_checks(const shape *s, const plan *pl, const uint8_t *codes, int32_t off[2], int32_t kept[2]) {
    const dk_template *t = s->t;
    for (int c = 0; c < t->checks; c++) {
        const dk_check *check = &t->check[c];
        int sum = kept[c] = sum_of(s, c, codes), value = check->values[codes[check->at]];
        for (int n = 0; n < pl->count; n++) sum += check->terms[pl->at[n]][codes[pl->at[n]]];
        if (c == 1) sum += check->terms[t->check[0].at][codes[t->check[0].at]];
        int right = small_rest(check->constant + sum, check->modulus, s->reciprocal[c]);
        if (check->then) right = small_rest(right, check->then, s->then_reciprocal[c]);
        off[c] = value == 255 ? -1 : small_rest(value - right + check->count, check->count, reciprocal_of(check->count));
    }
    if (t->also_check >= 0 && off[t->also_check]) return 0;
    return !t->also_province || t->provinces[codes[2] * 10 + codes[3]];
}

/* 1 taken, 0 not of the shape, -1 not for the lanes. */
static int take_template(dk_texts *p, const shape *s, __m512i codes_, const uint8_t *codes, uint64_t digits, uint64_t small, uint8_t *out) {
    const dk_template *t = s->t;
    uint64_t whole = ~UINT64_C(0) >> (64 - t->length);
    __m512i found = _mm512_setzero_si512();
    for (int k = 0; k < s->sets; k++)
        found = _mm512_mask_permutexvar_epi8(found, s->places[k], codes_, _mm512_loadu_si512(s->ranks[k]));
    if (_mm512_mask_cmpeq_epi8_mask(whole, found, _mm512_set1_epi8((char)NOT_HERE))) return 0;
    const plan *pl = plan_of(p, s, t->length, s->moved & whole & ~digits);
    if (!pl) return -1;
    int32_t off[2] = {-1, -1}, kept[2] = {0, 0};
    if (t->checks && !take_checks(s, pl, codes, off, kept)) return 0;
    uint64_t tweak = t->label;
    for (int n = 0; n < s->told; n++) tweak = tweak * FOLD + codes[s->told_at[n]] + '0';
    rest *it = add_job(p->lanes, counted(pl, found, 0), tweak, &pl->cut);
    *it = (rest){.plan = pl, .out = out, .small = small, .off = {off[0], off[1]}, .kept = {kept[0], kept[1]}};
    for (int c = 0; c < t->checks; c++) it->digit_at[c] = digits >> t->check[c].at & 1;
    return 1;
}

static uint64_t tweak_of_codes(uint64_t start, const uint8_t *codes, int count) {
    for (int j = 0; j < count; j++) start = start * FOLD + codes[j] + '0';
    return start;
}

/* letters and digits, one @, letters and digits, one dot, 2 to 24 letters. */
static int take_email(dk_texts *p, __m512i codes_, const uint8_t *codes, uint64_t digits, uint64_t letters, uint64_t small, int size, uint8_t *out) {
    uint64_t whole = ~UINT64_C(0) >> (64 - size), marks = whole & ~(digits | letters);
    if (__builtin_popcountll(marks) != 2) return 0;
    int local = __builtin_ctzll(marks), dot = 63 - __builtin_clzll(marks), last = size - dot - 1, domain = dot - local - 1;
    if (codes[local] != CODE_AT || codes[dot] != CODE_DOT || !local || !domain || last < 2 || last > 24) return 0;
    if (digits >> dot) return 0;
    uint64_t tweak = tweak_of_codes(p->local_label, codes + local + 1, domain), of_domain = tweak_of_codes(p->domain_label, codes + dot + 1, last);
    tweak = tweak_of_codes(tweak, codes + dot + 1, last);
    int first = local + 1;
    uint64_t of_local = ~UINT64_C(0) >> (64 - local), in_domain = ~UINT64_C(0) >> (64 - domain);
    if (!take_any(p, codes_, 0, local, letters & of_local, small & of_local, tweak, out)) return 0;
    if (p->keeps_domain) return 1;
    if (take_any(p, codes_, first, domain, letters >> first & in_domain, small >> first & in_domain, of_domain, out)) return 1;
    take_back(p->lanes, &plan_of(p, NULL, local, letters & of_local)->cut); /* the local part goes with its domain */
    return 0;
}

/* What does not come to rest is let go of; the column ends with an error. */
static void give_up(dk_lanes *l) {
    l->endless = 1;
    for (int sort = 0; sort < ROUND_SORTS; sort++)
        while (l->listed[sort]) l->spare[l->spare_count++] = (uint16_t)(l->lists[sort][--l->listed[sort]] - l->jobs);
}

/* Write those of at most eight jobs that are at rest; which ones. */
static inline uint32_t settle_eight(const dk_lanes *l, dk_job *const *jobs, int count) {
    spellings as;
    const plan *plans[EIGHT];
    spell(l, jobs, count, plans, &as);
    uint32_t found = at_rest(l, jobs, count, plans, &as);
    for (uint32_t left = found; left; left &= left - 1) {
        int k = __builtin_ctz(left);
        put_value(jobs[k], &l->rests[jobs[k] - l->jobs], &as, k);
    }
    return found;
}

/* Write those of some jobs that are at rest; which ones. */
static uint32_t settle(dk_texts *p, dk_job *const *jobs, int count) {
    const dk_lanes *l = p->lanes;
    uint32_t found = 0;
    for (int k = 0; k < count;) {
        int planned = 0;
        while (planned < EIGHT && k + planned < count && l->rests[jobs[k + planned] - l->jobs].plan) planned++;
        if (planned) found |= settle_eight(l, jobs + k, planned) << k;
        else found |= (uint32_t)resident_settled(p->residents, jobs[k], &l->rests[jobs[k] - l->jobs]) << k;
        k += planned ? planned : 1;
    }
    return found;
}

/* Once through the network, and out of the list what has come to rest. Few of a list wait for more, but at the end. */
static void turn(dk_texts *p, int sort, int all) {
    dk_lanes *l = p->lanes;
    dk_job **list = l->lists[sort];
    int left = l->listed[sort], still = 0, moved = all ? left : left - left % DK_TOGETHER;
    dk_network(&p->ff1.cipher, list, moved);
    for (int first = 0; first < left; first += BLOCK) {
        int count = left - first < BLOCK ? left - first : BLOCK, of_moved = moved - first < count ? moved - first : count;
        uint32_t found = of_moved > 0 ? settle(p, list + first, of_moved) : 0;
        for (int k = 0; k < count; k++, found >>= 1) {
            dk_job *job = list[first + k];
            list[still] = job;
            still += !(found & 1);
            l->spare[l->spare_count] = (uint16_t)(job - l->jobs);
            l->spare_count += found & 1;
        }
    }
    l->in_vain = still < left ? 0 : l->in_vain + (moved > 0);
    l->listed[sort] = still;
    if (l->in_vain > DK_LONGEST_WALK) give_up(l);
}

int dk_lanes_end(dk_texts *p) {
    if (!p->lanes) return DK_OK;
    for (int sort = 0; sort < ROUND_SORTS; sort++)
        while (p->lanes->listed[sort]) turn(p, sort, 1);
    int endless = p->lanes->endless;
    p->lanes->endless = 0;
    return endless ? DK_ENDLESS : DK_OK;
}

int dk_lanes_take(dk_texts *p, const uint8_t *at, uint8_t *out, int size) {
    if (!p->lanes || size < 1 || size > LONGEST) return 0;
    while (p->lanes->spare_count < RESERVE)
        for (int sort = 0; sort < ROUND_SORTS; sort++) turn(p, sort, 0);
    __mmask64 whole = ~UINT64_C(0) >> (64 - size);
    __m512i bytes = _mm512_maskz_loadu_epi8(whole, at), codes_ = _mm512_sub_epi8(bytes, _mm512_set1_epi8('0'));
    uint64_t digits = _mm512_mask_cmplt_epu8_mask(whole, codes_, _mm512_set1_epi8(10));
    uint64_t capital = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8('A')), _mm512_set1_epi8(26));
    uint64_t small = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8('a')), _mm512_set1_epi8(26));
    _Alignas(64) uint8_t codes[LONGEST];
    codes_ = _mm512_mask_sub_epi8(codes_, small, codes_, _mm512_set1_epi8(0x20));
    _mm512_storeu_si512(codes, codes_);
    _mm512_mask_storeu_epi8(out, whole, bytes);
    if ((digits | capital | small) != whole)
        return p->form == FORM_EMAIL && take_email(p, codes_, codes, digits, capital | small, small, size, out);
    if (p->any[size]) {
        if (!take_any(p, codes_, 0, size, capital | small, small, p->any_label, out)) return 0;
        p->unknown += p->counts_any;
        return 1;
    }
    if (size == 18 && p->residents) return take_resident(p, codes, digits, small, out);
    for (int k = 0; k < 4 && p->templates[size][k]; k++) {
        shape *s = shape_of(p->lanes, p->templates[size][k], k);
        int took = s && s->usable ? take_template(p, s, codes_, codes, digits, small, out) : -1;
        if (took) return took > 0;
    }
    return 0;
}

#else

dk_lanes *dk_lanes_open(void) { return NULL; }
void dk_lanes_close(dk_lanes *lanes) { (void)lanes; }
int dk_lanes_take(dk_texts *p, const uint8_t *at, uint8_t *out, int size) {
    (void)p, (void)at, (void)out, (void)size;
    return 0;
}
int dk_lanes_end(dk_texts *p) {
    (void)p;
    return DK_OK;
}

#endif
