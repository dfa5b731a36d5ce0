/* AES-256 by the processor's instructions, and FF1's network over whole numbers (feistel.py), eight or 32 at a time.
 *
 * Where the processor has no such instructions the programs of texts.c, words.c and figures.c are not used at all.
 */
#include "kernel.h"

#include <string.h>

/* The square root, rounded down. */
static uint64_t root(uint64_t n) {
    uint64_t low = 0, high = UINT64_C(1) << 32;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (middle * middle <= n) low = middle;
        else high = middle;
    }
    return low;
}

dk_cut dk_make_cut(const dk_cipher *cipher, uint64_t size) {
    dk_cut cut = {.size = size};
    int length = size <= UINT64_C(1) << 32 ? 2 : 4;
    uint64_t radix = root((size < 2 ? 2 : size) - 1) + 1;
    if (length == 4) radix = root(radix - 1) + 1;
    cut.half = length == 2 ? radix : radix * radix;
    int bits = 0;
    while (bits < 63 && UINT64_C(1) << bits < cut.half) bits++;
    cut.shift = 8 * ((bits + 7) / 8);
    cut.rounds = size >= 1000000 ? 10 : size >= 10000 ? 24 : 36;
    cut.reciprocal = UINT64_MAX / cut.half;
    cut.inverse = 1.0 / (double)cut.half;
    uint8_t block[DK_BLOCK] = {1, 2, 1};
    block[3] = (uint8_t)(radix >> 16);
    block[4] = (uint8_t)(radix >> 8);
    block[5] = (uint8_t)radix;
    block[6] = (uint8_t)cut.rounds;
    block[7] = (uint8_t)(length / 2);
    block[11] = (uint8_t)length;
    block[15] = 8; /* bytes of a tweak */
    dk_encrypt(cipher, block, 1);
    cut.high = dk_get64(block);
    cut.low = dk_get64(block + 8);
    return cut;
}

/* `spare` serves where another size holds the place; it must live as long as the answer. NULL: then the answer is NULL. */
const dk_cut *dk_cut_of(dk_ff1 *ff1, uint64_t size, dk_cut *spare) {
    dk_cut *cut = &ff1->cuts[(size * UINT64_C(0x9e3779b97f4a7c15)) >> 56];
    if (cut->size == size) return cut;
    if (!cut->size) {
        *cut = dk_make_cut(&ff1->cipher, size);
        return cut;
    }
    if (spare) *spare = dk_make_cut(&ff1->cipher, size);
    return spare;
}

#if defined(__x86_64__)

#include <immintrin.h>

#define AES __attribute__((target("aes,sse4.1")))
#define UNROLLED _Pragma("GCC unroll 8")

int dk_has_aes(void) { return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1"); }

AES static __m128i expand(__m128i key, __m128i mixed) {
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    return _mm_xor_si128(key, mixed);
}

#define PAIR(i, constant)                                                                               \
    keys[i] = a = expand(a, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(b, constant), 0xff));           \
    keys[(i) + 1] = b = expand(b, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(a, 0), 0xaa))

AES void dk_cipher_key(dk_cipher *cipher, const uint8_t key[32]) {
    __m128i keys[16];
    __m128i a = keys[0] = _mm_loadu_si128((const __m128i *)key);
    __m128i b = keys[1] = _mm_loadu_si128((const __m128i *)(key + 16));
    PAIR(2, 1);
    PAIR(4, 2);
    PAIR(6, 4);
    PAIR(8, 8);
    PAIR(10, 16);
    PAIR(12, 32);
    keys[14] = expand(a, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(b, 64), 0xff));
    memcpy(cipher->round_keys, keys, sizeof cipher->round_keys);
}

/* FIPS 197; eight blocks keep the pipeline full. */
AES static inline void eight(const __m128i *keys, __m128i b[8]) {
    UNROLLED for (int k = 0; k < 8; k++) b[k] = _mm_xor_si128(b[k], keys[0]);
    for (int round = 1; round < 14; round++) {
        __m128i key = keys[round];
        UNROLLED for (int k = 0; k < 8; k++) b[k] = _mm_aesenc_si128(b[k], key);
    }
    UNROLLED for (int k = 0; k < 8; k++) b[k] = _mm_aesenclast_si128(b[k], keys[14]);
}

AES static inline __m128i one(const __m128i *keys, __m128i b) {
    b = _mm_xor_si128(b, keys[0]);
    for (int round = 1; round < 14; round++) b = _mm_aesenc_si128(b, keys[round]);
    return _mm_aesenclast_si128(b, keys[14]);
}

#if DK_LANES
/* Sixteen blocks in four registers. */
static inline void sixteen(const __m128i *keys, uint8_t *blocks) {
    __m512i b[4];
    for (int n = 0; n < 4; n++) b[n] = _mm512_xor_si512(_mm512_loadu_si512(blocks + 64 * n), _mm512_broadcast_i32x4(keys[0]));
    for (int k = 1; k < 14; k++)
        UNROLLED for (int n = 0; n < 4; n++) b[n] = _mm512_aesenc_epi128(b[n], _mm512_broadcast_i32x4(keys[k]));
    for (int n = 0; n < 4; n++)
        _mm512_storeu_si512(blocks + 64 * n, _mm512_aesenclast_epi128(b[n], _mm512_broadcast_i32x4(keys[14])));
}
#endif

AES void dk_encrypt(const dk_cipher *cipher, uint8_t *blocks, size_t count) {
    const __m128i *keys = (const __m128i *)cipher->round_keys;
    __m128i b[8];
#if DK_LANES
    for (; count >= 16; count -= 16, blocks += 16 * DK_BLOCK) sixteen(keys, blocks);
#endif
    for (; count >= 8; count -= 8, blocks += 8 * DK_BLOCK) {
        memcpy(b, blocks, sizeof b);
        eight(keys, b);
        memcpy(blocks, b, sizeof b);
    }
    for (; count; count--, blocks += DK_BLOCK)
        _mm_storeu_si128((__m128i *)blocks, one(keys, _mm_loadu_si128((const __m128i *)blocks)));
}

/* CBC-MAC from a zero start over whole blocks. */
AES void dk_chain(const dk_cipher *cipher, const uint8_t *message, size_t blocks, uint8_t state[DK_BLOCK]) {
    const __m128i *keys = (const __m128i *)cipher->round_keys;
    __m128i b = _mm_setzero_si128();
    for (size_t i = 0; i < blocks; i++)
        b = one(keys, _mm_xor_si128(b, _mm_loadu_si128((const __m128i *)(message + i * DK_BLOCK))));
    _mm_storeu_si128((__m128i *)state, b);
}

#if DK_LANES

/* The next block of four messages; of those that have ended nothing. */
static inline __m512i four_of(const uint8_t *const *messages, const size_t *blocks, size_t i) {
    __m512i out = _mm512_setzero_si512();
    if (i < blocks[0]) out = _mm512_zextsi128_si512(_mm_loadu_si128((const __m128i *)(messages[0] + i * DK_BLOCK)));
    if (i < blocks[1]) out = _mm512_inserti32x4(out, _mm_loadu_si128((const __m128i *)(messages[1] + i * DK_BLOCK)), 1);
    if (i < blocks[2]) out = _mm512_inserti32x4(out, _mm_loadu_si128((const __m128i *)(messages[2] + i * DK_BLOCK)), 2);
    if (i < blocks[3]) out = _mm512_inserti32x4(out, _mm_loadu_si128((const __m128i *)(messages[3] + i * DK_BLOCK)), 3);
    return out;
}

void dk_chains(const dk_cipher *cipher, const uint8_t *const *messages, const size_t *blocks, uint8_t *const *states, int count) {
    const __m128i *keys = (const __m128i *)cipher->round_keys;
    __m512i b[4] = {0};
    size_t most = 0, sizes[DK_CHAINS] = {0};
    const uint8_t *at[DK_CHAINS] = {0};
    for (int k = 0; k < count; k++) {
        sizes[k] = blocks[k];
        at[k] = messages[k];
        most = blocks[k] > most ? blocks[k] : most;
    }
    for (size_t i = 0; i < most; i++) {
        UNROLLED for (int n = 0; n < 4; n++)
            b[n] = _mm512_xor_si512(_mm512_xor_si512(b[n], four_of(at + 4 * n, sizes + 4 * n, i)), _mm512_broadcast_i32x4(keys[0]));
        for (int k = 1; k < 14; k++)
            UNROLLED for (int n = 0; n < 4; n++) b[n] = _mm512_aesenc_epi128(b[n], _mm512_broadcast_i32x4(keys[k]));
        _Alignas(64) uint8_t ends[DK_CHAINS * DK_BLOCK];
        UNROLLED for (int n = 0; n < 4; n++) {
            b[n] = _mm512_aesenclast_epi128(b[n], _mm512_broadcast_i32x4(keys[14]));
            _mm512_store_si512(ends + 64 * n, b[n]);
        }
        for (int k = 0; k < count; k++)
            if (i + 1 == sizes[k]) memcpy(states[k], ends + DK_BLOCK * k, DK_BLOCK);
    }
}

#else

AES void dk_chains(const dk_cipher *cipher, const uint8_t *const *messages, const size_t *blocks, uint8_t *const *states, int count) {
    const __m128i *keys = (const __m128i *)cipher->round_keys;
    __m128i b[8] = {0};
    size_t most = 0;
    for (int k = 0; k < count; k++) most = blocks[k] > most ? blocks[k] : most;
    for (size_t i = 0; i < most; i++) {
        UNROLLED for (int k = 0; k < 8; k++)
            if (k < count && i < blocks[k]) b[k] = _mm_xor_si128(b[k], _mm_loadu_si128((const __m128i *)(messages[k] + i * DK_BLOCK)));
        eight(keys, b);
        for (int k = 0; k < count; k++)
            if (i + 1 == blocks[k]) _mm_storeu_si128((__m128i *)states[k], b[k]);
    }
}

#endif

#if DK_LANES

/* Numbers of 64 bits by a half below 2^32: quotients by floating point, wrong by few, mended by what is left.
 *
 * The product is off by less than 3 * 2^11 / half (three roundings of 2^-53 of 2^64 / half): from SURE on by less than one,
 * so that the rest is off by the half once at most; below it the rest, which a double holds exactly, is divided once more.
 */
#define SURE 8192

static inline __m512i rest_of(__m512i y, __m512i half, __m512d inverse, int sure) {
    __m512i q = _mm512_cvttpd_epu64(_mm512_mul_pd(_mm512_cvtepu64_pd(y), inverse));
    if (sure) { /* the quotient is below 2^52, the rest within a half: its lowest 52 bits tell it */
        y = _mm512_sub_epi64(y, _mm512_madd52lo_epu64(_mm512_setzero_si512(), q, half));
        y = _mm512_srai_epi64(_mm512_slli_epi64(y, 12), 12);
    } else {
        y = _mm512_sub_epi64(y, _mm512_mullo_epi64(q, half));
        __m512d down = _mm512_roundscale_pd(_mm512_mul_pd(_mm512_cvtepi64_pd(y), inverse), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
        y = _mm512_sub_epi64(y, _mm512_mullo_epi64(_mm512_cvtpd_epi64(down), half));
    }
    y = _mm512_min_epu64(y, _mm512_add_epi64(y, half));
    return _mm512_min_epu64(y, _mm512_sub_epi64(y, half));
}

typedef struct {
    _Alignas(64) uint64_t number[DK_TOGETHER], high[DK_TOGETHER], low[DK_TOGETHER], half[DK_TOGETHER], shift[DK_TOGETHER];
    _Alignas(64) double inverse[DK_TOGETHER];
} lanes;

/* The quotient of numbers below 2^63, exactly: its estimate is off by one at most. */
static inline __m512i parted(__m512i number, __m512i half, __m512d inverse, __m512i *rest) {
    __m512i q = _mm512_cvttpd_epi64(_mm512_mul_pd(_mm512_cvtepi64_pd(number), inverse));
    __m512i r = _mm512_sub_epi64(number, _mm512_mullo_epi64(q, half)), one = _mm512_set1_epi64(1);
    __mmask8 over = _mm512_cmpge_epi64_mask(r, half), under = _mm512_movepi64_mask(r);
    q = _mm512_mask_add_epi64(_mm512_mask_sub_epi64(q, under, q, one), over, q, one);
    *rest = _mm512_mask_add_epi64(_mm512_mask_sub_epi64(r, over, r, half), under, r, half);
    return q;
}

static inline __m512i swapped(__m512i words) {
    const __m512i order = _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    return _mm512_shuffle_epi8(words, order);
}

/* Jobs of as many rounds, eight to a group, whose blocks lie crosswise in two registers: four groups hide what each waits for. */
static inline __attribute__((always_inline)) void lanes_through(const dk_cipher *cipher, lanes *l, int rounds, int sure, int groups) {
    __m512i keys[15], left[4], right[4], high[4], low[4], half[4], shift[4], b[8];
    __m512d inverse[4];
    for (int k = 0; k < 15; k++) keys[k] = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)cipher->round_keys[k]));
    UNROLLED for (int g = 0; g < groups; g++) {
        high[g] = swapped(_mm512_load_si512(l->high + 8 * g));
        low[g] = _mm512_load_si512(l->low + 8 * g);
        half[g] = _mm512_load_si512(l->half + 8 * g);
        shift[g] = _mm512_load_si512(l->shift + 8 * g);
        inverse[g] = _mm512_load_pd(l->inverse + 8 * g);
        left[g] = parted(_mm512_load_si512(l->number + 8 * g), half[g], inverse[g], &right[g]);
    }
    for (int i = 0; i < rounds; i++) {
        UNROLLED for (int g = 0; g < groups; g++) {
            __m512i word = _mm512_ternarylogic_epi64(_mm512_sllv_epi64(_mm512_set1_epi64(i), shift[g]), low[g], right[g], 0x96);
            word = swapped(word);
            b[2 * g] = _mm512_xor_si512(_mm512_unpacklo_epi64(high[g], word), keys[0]);
            b[2 * g + 1] = _mm512_xor_si512(_mm512_unpackhi_epi64(high[g], word), keys[0]);
        }
        for (int k = 1; k < 14; k++)
            UNROLLED for (int n = 0; n < 2 * groups; n++) b[n] = _mm512_aesenc_epi128(b[n], keys[k]);
        UNROLLED for (int n = 0; n < 2 * groups; n++) b[n] = _mm512_aesenclast_epi128(b[n], keys[14]);
        UNROLLED for (int g = 0; g < groups; g++) {
            __m512i y = rest_of(swapped(_mm512_unpacklo_epi64(b[2 * g], b[2 * g + 1])), half[g], inverse[g], sure);
            y = _mm512_add_epi64(y, left[g]);
            left[g] = right[g];
            right[g] = _mm512_min_epu64(y, _mm512_sub_epi64(y, half[g]));
        }
    }
    UNROLLED for (int g = 0; g < groups; g++)
        _mm512_store_si512(l->number + 8 * g, _mm512_add_epi64(_mm512_mullo_epi64(left[g], half[g]), right[g]));
}

static void lanes_sure(const dk_cipher *cipher, lanes *l, int rounds) { lanes_through(cipher, l, rounds, 1, 4); }
static void lanes_any(const dk_cipher *cipher, lanes *l, int rounds) { lanes_through(cipher, l, rounds, 0, 4); }
static void half_sure(const dk_cipher *cipher, lanes *l, int rounds) { lanes_through(cipher, l, rounds, 1, 2); }
static void half_any(const dk_cipher *cipher, lanes *l, int rounds) { lanes_through(cipher, l, rounds, 0, 2); }

static void network(const dk_cipher *cipher, dk_job *const *jobs, int count) {
    lanes l;
    int sure = 1, rounds = jobs[0]->cut->rounds, few = count <= DK_TOGETHER / 2, used = few ? DK_TOGETHER / 2 : DK_TOGETHER;
    for (int k = 0; k < used; k++) {
        const dk_job *job = jobs[k < count ? k : 0];
        const dk_cut *cut = job->cut;
        l.number[k] = job->number;
        l.high[k] = job->tweak ^ cut->high;
        l.low[k] = cut->low;
        l.half[k] = cut->half;
        l.shift[k] = (uint64_t)cut->shift;
        l.inverse[k] = cut->inverse;
        sure &= cut->half >= SURE;
    }
    if (few) (sure ? half_sure : half_any)(cipher, &l, rounds);
    else (sure ? lanes_sure : lanes_any)(cipher, &l, rounds);
    for (int k = 0; k < count; k++) jobs[k]->number = l.number[k];
}

#else

/* Jobs of as many rounds each. `same`: all of one size, whose figures then stay in registers. */
AES static inline __attribute__((always_inline)) void rounds_of(const dk_cipher *cipher, dk_job *const *jobs, int count, int same) {
    const __m128i *keys = (const __m128i *)cipher->round_keys;
    const dk_cut cut = *jobs[0]->cut;
    uint64_t left[8], right[8], high[8];
    const dk_cut *cuts[8];
    __m128i b[8];
    for (int k = 0; k < 8; k++) {
        const dk_job *job = jobs[k < count ? k : 0];
        cuts[k] = job->cut;
        left[k] = job->number / job->cut->half;
        right[k] = job->number - left[k] * job->cut->half;
        high[k] = __builtin_bswap64(job->tweak ^ job->cut->high);
    }
    for (int i = 0; i < cut.rounds; i++) {
        uint64_t mixed = ((uint64_t)i << cut.shift) ^ cut.low;
        UNROLLED for (int k = 0; k < 8; k++) {
            uint64_t low = right[k] ^ (same ? mixed : ((uint64_t)i << cuts[k]->shift) ^ cuts[k]->low);
            b[k] = _mm_set_epi64x((long long)__builtin_bswap64(low), (long long)high[k]);
        }
        eight(keys, b);
        UNROLLED for (int k = 0; k < 8; k++) {
            uint64_t half = same ? cut.half : cuts[k]->half, reciprocal = same ? cut.reciprocal : cuts[k]->reciprocal;
            uint64_t y = __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(b[k]));
            y -= (uint64_t)(((unsigned __int128)y * reciprocal) >> 64) * half;
            y -= y >= half ? half : 0;
            y -= y >= half ? half : 0;
            y += left[k];
            left[k] = right[k];
            right[k] = y - (y >= half ? half : 0);
        }
    }
    for (int k = 0; k < count; k++) jobs[k]->number = left[k] * cuts[k]->half + right[k];
}

AES static void network(const dk_cipher *cipher, dk_job *const *jobs, int count) {
    int same = 1;
    for (int k = 1; k < count; k++) same &= jobs[k]->cut->size == jobs[0]->cut->size;
    if (same) rounds_of(cipher, jobs, count, 1);
    else rounds_of(cipher, jobs, count, 0);
}

#endif

/* As many at once as go together, of like rounds. */
void dk_network(const dk_cipher *cipher, dk_job *const *jobs, int count) {
    int first = 0;
    while (first < count) {
        int end = first + 1;
        while (end < count && end - first < DK_TOGETHER && jobs[end]->cut->rounds == jobs[first]->cut->rounds) end++;
        network(cipher, jobs + first, end - first);
        first = end;
    }
}

#else

int dk_has_aes(void) { return 0; }
void dk_cipher_key(dk_cipher *cipher, const uint8_t key[32]) { (void)cipher, (void)key; }
void dk_encrypt(const dk_cipher *cipher, uint8_t *blocks, size_t count) { (void)cipher, (void)blocks, (void)count; }
void dk_chain(const dk_cipher *cipher, const uint8_t *message, size_t blocks, uint8_t state[DK_BLOCK]) {
    (void)cipher, (void)message, (void)blocks, (void)state;
}
void dk_chains(const dk_cipher *cipher, const uint8_t *const *messages, const size_t *blocks, uint8_t *const *states, int count) {
    (void)cipher, (void)messages, (void)blocks, (void)states, (void)count;
}
void dk_network(const dk_cipher *cipher, dk_job *const *jobs, int count) { (void)cipher, (void)jobs, (void)count; }

#endif
