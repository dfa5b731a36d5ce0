/* The compiled kernel of masking: COPY binary into fields, fields masked, fields into COPY binary.
 *
 * The reference is Python: rows.py for the stream, techniques/ for what a value becomes; tests hold both to the same bytes.
 * What a program here does not know it leaves to Python, row by row (`left`). No value is ever printed or kept.
 */
#ifndef DRYDOCK_KERNEL_H
#define DRYDOCK_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DK_OK = 0,
    DK_NO_MEMORY = -1,
    DK_NOT_BINARY = -2,
    DK_UNKNOWN_SORT = -3,
    DK_OTHER_COLUMNS = -4,
    DK_BAD_LENGTH = -5,
    DK_AFTER_END = -6,
    DK_CUT = -7,
    DK_SOURCE = -8,
    DK_TARGET = -9,
    DK_ENDLESS = -10,
};

/* So many turns in which no value comes to rest: the network or a check is not what it should be, or a walk would end. */
#ifndef DK_LONGEST_WALK
#define DK_LONGEST_WALK 100000
#endif

/* One field: its bytes, -1 for NULL. */
typedef struct {
    const uint8_t *at;
    int64_t size;
} dk_field;

typedef int (*dk_get)(void *connection, char **buffer, int asynchronous);
typedef int (*dk_put)(void *connection, const char *buffer, int size);
typedef void (*dk_free)(void *buffer);

typedef struct dk_block {
    struct dk_block *next;
    size_t used, room;
    uint8_t bytes[];
} dk_block;

typedef struct {
    int columns;
    int64_t most_rows, most_bytes; /* a batch ends with the row that reaches one of them */
    uint8_t *in;
    size_t place, filled, room; /* parsed up to, filled up to */
    int at_head, ended, at_end;
    int64_t rows, row_room, batch_bytes;
    dk_field *fields, *masked; /* rows x columns: as they came, and as they go */
    dk_block *blocks;          /* bytes of masked fields, until the next batch */
    uint8_t *out;
    size_t out_room;
    int64_t bytes_in, bytes_out;
} dk_stream;

/* What a mask answers for a column: how many were NULL, and how many of `left` are 1. */
static inline int64_t dk_answer(int64_t nulls, int64_t left) { return left << 32 | nulls; }

/* Two connections of libpq, and its functions. */
typedef struct {
    void *source, *target;
    dk_get get;
    dk_free release;
    dk_put put;
} dk_sides;

int64_t dk_read(dk_stream *s, void *connection, dk_get get, dk_free release);
int dk_write(dk_stream *s, void *connection, dk_put put);
int64_t dk_constant(dk_stream *s, int column, const uint8_t *bytes, int64_t size);

/* A field some rows on will be wanted soon. */
#define DK_AHEAD 6
static inline const dk_field *dk_field_of(const dk_stream *s, int64_t row, int column) {
    if (row + DK_AHEAD < s->rows) __builtin_prefetch(s->fields[(row + DK_AHEAD) * s->columns + column].at);
    return &s->fields[row * s->columns + column];
}

/* Bytes that live until the next batch; NULL where there is no memory. */
uint8_t *dk_more_bytes(dk_stream *s, size_t size);
static inline uint8_t *dk_bytes(dk_stream *s, size_t size) {
    dk_block *block = s->blocks;
    if (!block || block->room - block->used < size) return dk_more_bytes(s, size);
    block->used += size;
    return block->bytes + block->used - size;
}

/* ---- the block cipher and what is made of it (cipher.c) */

#define DK_BLOCK 16

typedef struct {
    _Alignas(16) uint8_t round_keys[15][DK_BLOCK];
} dk_cipher;

typedef struct {
    uint64_t size, half, reciprocal, high, low;
    double inverse; /* of the half */
    int shift, rounds;
} dk_cut; /* how numbers below a size go through the network: feistel.py, Layout */

typedef struct {
    dk_cipher cipher;
    dk_cut cuts[256]; /* by size, made when first asked for */
} dk_ff1;

typedef struct {
    uint64_t number, tweak;
    const dk_cut *cut;
} dk_job;

/* AES on 32 blocks in eight registers, and tables of 64 bytes in one; libraries are built on the machine that they run on. */
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__) && \
    defined(__AVX512VBMI__) && defined(__AVX512IFMA__) && defined(__VAES__)
#define DK_LANES 1
#define DK_TOGETHER 32
#define DK_CHAINS 16
#else
#define DK_LANES 0
#define DK_TOGETHER 8
#define DK_CHAINS 8
#endif

#if DK_LANES
#include <immintrin.h>
#endif

/* A few bytes, without a call. */
static inline void dk_put_bytes(uint8_t *out, const uint8_t *at, size_t size) {
#if DK_LANES
    if (size <= 64) {
        __mmask64 here = _bzhi_u64(~UINT64_C(0), (unsigned)size);
        _mm512_mask_storeu_epi8(out, here, _mm512_maskz_loadu_epi8(here, at));
        return;
    }
#endif
    if (size) memcpy(out, at, size);
}

int dk_has_aes(void);
void dk_cipher_key(dk_cipher *cipher, const uint8_t key[32]);
void dk_encrypt(const dk_cipher *cipher, uint8_t *blocks, size_t count);
void dk_chain(const dk_cipher *cipher, const uint8_t *message, size_t blocks, uint8_t state[DK_BLOCK]);
/* The same of up to DK_CHAINS messages of any lengths at once. */
void dk_chains(const dk_cipher *cipher, const uint8_t *const *messages, const size_t *blocks, uint8_t *const *states, int count);
dk_cut dk_make_cut(const dk_cipher *cipher, uint64_t size);
const dk_cut *dk_cut_of(dk_ff1 *ff1, uint64_t size, dk_cut *spare);
/* Once through the network, each in place, of any sizes. */
void dk_network(const dk_cipher *cipher, dk_job *const *jobs, int count);

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define DK_SWAP64(value) (value)
#define DK_SWAP32(value) (value)
#else
#define DK_SWAP64 __builtin_bswap64
#define DK_SWAP32 __builtin_bswap32
#endif

static inline uint64_t dk_get64(const uint8_t *at) {
    uint64_t out;
    memcpy(&out, at, 8);
    return DK_SWAP64(out);
}

static inline void dk_put64(uint8_t *at, uint64_t value) {
    value = DK_SWAP64(value);
    memcpy(at, &value, 8);
}

static inline uint32_t dk_get32(const uint8_t *at) {
    uint32_t out;
    memcpy(&out, at, 4);
    return DK_SWAP32(out);
}

static inline void dk_put32(uint8_t *at, uint32_t value) {
    value = DK_SWAP32(value);
    memcpy(at, &value, 4);
}

/* How many bytes a program takes, and where its last member lies: Python compares that with its own picture of it. */
#define DK_LAYOUT(name, type, last)                                  \
    size_t dk_size_of_##name(void) { return sizeof(type); }          \
    size_t dk_last_of_##name(void) { return offsetof(type, last); }

/* Strict UTF-8 into code points, at most `most`; -1 where it is none or longer. */
int64_t dk_code_points(const uint8_t *at, int64_t size, uint32_t *out, int64_t most);
/* The bytes of code points; how many. As many as DK_BEYOND bytes after them may be written too. */
#define DK_BEYOND 64
size_t dk_utf8_of(const uint32_t *codes, int count, uint8_t *out);

#endif
