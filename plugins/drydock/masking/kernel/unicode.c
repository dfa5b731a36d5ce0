/* UTF-8 into code points and back: sixteen characters at once where they are Han (three bytes each) or ASCII. */
#include "kernel.h"

#if DK_LANES
#include <immintrin.h>
#endif

/* The next character, or -1; where the one after it begins. */
static int64_t next(const uint8_t *at, int64_t size, int64_t *place) {
    int64_t i = *place;
    uint32_t lead = at[i];
    int more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
    if (more < 0 || size - i - 1 < more) return -1;
    uint32_t code = more == 0 ? lead : lead & (0x3fu >> more);
    for (int k = 1; k <= more; k++) {
        if ((at[i + k] & 0xc0) != 0x80) return -1;
        code = code << 6 | (at[i + k] & 0x3fu);
    }
    if ((more == 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) || (more == 3 && (code < 0x10000 || code > 0x10ffff)))
        return -1;
    *place = i + more + 1;
    return code;
}

static int bytes_of(uint32_t code, uint8_t *out) {
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

#if DK_LANES

/* Characters of three bytes at the beginning of `size` bytes, at most sixteen; how many. */
static inline int threes(const uint8_t *at, int64_t size, uint32_t *out, int64_t most) {
    int room = (int)(most < 16 ? most : 16), whole = (int)(size / 3 < room ? size / 3 : room);
    const __m512i spread = _mm512_setr_epi32(0x02010080, 0x05040380, 0x08070680, 0x0b0a0980, 0x0e0d0c80, 0x11100f80, 0x14131280, 0x17161580,
                                             0x1a191880, 0x1d1c1b80, 0x201f1e80, 0x23222180, 0x26252480, 0x29282780, 0x2c2b2a80, 0x2f2e2d80);
    __mmask64 used = whole ? ~UINT64_C(0) >> (64 - 3 * whole) : 0;
    __m512i bytes = _mm512_permutexvar_epi8(spread, _mm512_maskz_loadu_epi8(used, at)); /* the last, second, first from the top */
    __m512i lead = _mm512_and_si512(_mm512_srli_epi32(bytes, 8), _mm512_set1_epi32(0xff));
    __m512i second = _mm512_and_si512(_mm512_srli_epi32(bytes, 16), _mm512_set1_epi32(0xff)), third = _mm512_srli_epi32(bytes, 24);
    const __m512i low = _mm512_set1_epi32(0x3f), top = _mm512_set1_epi32(0xc0), after = _mm512_set1_epi32(0x80);
    __mmask16 fine = _mm512_cmpeq_epi32_mask(_mm512_and_si512(lead, _mm512_set1_epi32(0xf0)), _mm512_set1_epi32(0xe0));
    fine &= _mm512_cmpeq_epi32_mask(_mm512_and_si512(second, top), after) & _mm512_cmpeq_epi32_mask(_mm512_and_si512(third, top), after);
    __m512i code = _mm512_or_si512(_mm512_slli_epi32(_mm512_and_si512(lead, _mm512_set1_epi32(0xf)), 12),
                                   _mm512_or_si512(_mm512_slli_epi32(_mm512_and_si512(second, low), 6), _mm512_and_si512(third, low)));
    fine &= _mm512_cmpge_epu32_mask(code, _mm512_set1_epi32(0x800));
    fine &= ~_mm512_cmplt_epu32_mask(_mm512_sub_epi32(code, _mm512_set1_epi32(0xd800)), _mm512_set1_epi32(0x800));
    int found = __builtin_ctz(~(uint32_t)(fine & ((1u << whole) - 1)));
    _mm512_mask_storeu_epi32(out, (__mmask16)((1u << found) - 1), code);
    return found;
}

/* The bytes of sixteen characters, of which `count` count and are of three bytes each. */
static inline void put_threes(__m512i code, uint8_t *out, int count) {
    const __m512i low = _mm512_set1_epi32(0x3f), tight = _mm512_set_epi32(0, 0, 0, 0, 0x3e3d3c3a, 0x39383635, 0x34323130, 0x2e2d2c2a, 0x29282625,
                                                                         0x24222120, 0x1e1d1c1a, 0x19181615, 0x14121110, 0x0e0d0c0a, 0x09080605, 0x04020100);
    __m512i bytes = _mm512_or_si512(_mm512_srli_epi32(code, 12), _mm512_slli_epi32(_mm512_and_si512(_mm512_srli_epi32(code, 6), low), 8));
    bytes = _mm512_or_si512(bytes, _mm512_slli_epi32(_mm512_and_si512(code, low), 16));
    bytes = _mm512_or_si512(bytes, _mm512_set1_epi32(0x8080e0));
    _mm512_mask_storeu_epi8(out, ~UINT64_C(0) >> (64 - 3 * count), _mm512_permutexvar_epi8(tight, bytes));
}

/* As many of the next sixteen as are of three bytes; the bytes of those. */
static inline int three_of(const uint32_t *codes, int count, uint8_t *out) {
    if (codes[0] < 0x800) return 0;
    int some = count < 16 ? count : 16;
    __m512i code = _mm512_maskz_loadu_epi32((__mmask16)((1u << some) - 1), codes);
    __mmask16 fine = _mm512_cmplt_epu32_mask(_mm512_sub_epi32(code, _mm512_set1_epi32(0x800)), _mm512_set1_epi32(0x10000 - 0x800));
    some = __builtin_ctz(~(uint32_t)fine);
    if (some) put_threes(code, out, some);
    return some;
}

#else

static inline int threes(const uint8_t *at, int64_t size, uint32_t *out, int64_t most) {
    (void)at, (void)size, (void)out, (void)most;
    return 0;
}
static inline int three_of(const uint32_t *codes, int count, uint8_t *out) {
    (void)codes, (void)count, (void)out;
    return 0;
}

#endif

int64_t dk_code_points(const uint8_t *at, int64_t size, uint32_t *out, int64_t most) {
    int64_t count = 0, i = 0;
    while (i < size) {
        int some = at[i] >= 0xe0 && at[i] < 0xf0 ? threes(at + i, size - i, out + count, most - count) : 0;
        count += some;
        i += 3 * some;
        if (some) continue;
        int64_t code = count < most ? next(at, size, &i) : -1;
        if (code < 0) return -1;
        out[count++] = (uint32_t)code;
    }
    return count;
}

size_t dk_utf8_of(const uint32_t *codes, int count, uint8_t *out) {
    uint8_t *at = out;
    for (int i = 0; i < count;) {
        int some = three_of(codes + i, count - i, at);
        at += 3 * some;
        i += some;
        if (!some) at += bytes_of(codes[i++], at);
    }
    return (size_t)(at - out);
}
