/* COPY's binary format (PostgreSQL manual, "COPY"): what rows.py does, without an object for each field. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (1u << 20)
#define OUT_BYTES (1u << 16)
#define MOST_COLUMNS 1664 /* MaxTupleAttributeNumber */

static const uint8_t SIGNATURE[11] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', 0};

dk_stream *dk_open(int columns, int64_t most_rows, int64_t most_bytes) {
    if (columns < 0 || columns > MOST_COLUMNS || most_rows < 1) return NULL;
    dk_stream *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->columns = columns;
    s->most_rows = most_rows;
    s->most_bytes = most_bytes;
    s->at_head = 1;
    s->fields = calloc((size_t)most_rows * (size_t)(columns + 1), sizeof *s->fields);
    s->masked = calloc((size_t)most_rows * (size_t)(columns + 1), sizeof *s->masked);
    s->out = malloc(OUT_BYTES);
    s->out_room = OUT_BYTES;
    return s;
}

/* Room for a program, of nothing but zeros, aligned as the cipher's keys must be; released by dk_release. */
void *dk_room(size_t size) {
    size = (size + 63) / 64 * 64;
    void *at = aligned_alloc(64, size);
    if (at) memset(at, 0, size);
    return at;
}

/* Keys do not stay in memory that others may get. */
void dk_release(void *at, size_t size) {
    if (!at) return;
    volatile uint8_t *bytes = at;
    for (size_t i = 0; i < size; i++) bytes[i] = 0;
    free(at);
}

void dk_close(dk_stream *s) {
    if (!s) return;
    while (s->blocks) {
        dk_block *next = s->blocks->next;
        free(s->blocks);
        s->blocks = next;
    }
    free(s->in);
    free(s->fields);
    free(s->masked);
    free(s->out);
    free(s);
}

uint8_t *dk_more_bytes(dk_stream *s, size_t size) {
    size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    dk_block *block = malloc(sizeof *block + room);
    if (!block) return NULL;
    block->next = s->blocks;
    block->used = size;
    block->room = room;
    s->blocks = block;
    return block->bytes;
}

/* Bytes of masked fields are of no use any more: one block of the usual size stays. */
static void forget(dk_stream *s) {
    while (s->blocks && (s->blocks->next || s->blocks->room > BLOCK_BYTES)) {
        dk_block *next = s->blocks->next;
        free(s->blocks);
        s->blocks = next;
    }
    if (s->blocks) s->blocks->used = 0;
}

int dk_feed(dk_stream *s, const uint8_t *bytes, size_t size) {
    if (s->room - s->filled < size) {
        size_t room = s->room ? s->room : BLOCK_BYTES;
        while (room - s->filled < size) {
            if (room > SIZE_MAX / 2) return DK_NO_MEMORY;
            room *= 2;
        }
        uint8_t *in = realloc(s->in, room);
        if (!in) return DK_NO_MEMORY;
        s->in = in;
        s->room = room;
    }
    if (size) memcpy(s->in + s->filled, bytes, size);
    s->filled += size;
    s->bytes_in += (int64_t)size;
    return DK_OK;
}

static int head(dk_stream *s) {
    size_t have = s->filled - s->place;
    const uint8_t *at = s->in + s->place;
    if (!have) return DK_OK;
    if (memcmp(at, SIGNATURE, have < sizeof SIGNATURE ? have : sizeof SIGNATURE)) return DK_NOT_BINARY;
    if (have < 19) return DK_OK;
    uint32_t extension = dk_get32(at + 15);
    if (dk_get32(at + 11) || extension > INT32_MAX) return DK_UNKNOWN_SORT;
    if (have - 19 < extension) return DK_OK;
    s->place += 19 + (size_t)extension;
    s->at_head = 0;
    return DK_OK;
}

/* One row from `place` on: 1 where it is whole, 0 where it is not yet, else an error. */
static int row(dk_stream *s) {
    size_t place = s->place, filled = s->filled;
    const uint8_t *in = s->in;
    if (filled - place < 2) return 0;
    int count = (int16_t)((uint16_t)in[place] << 8 | in[place + 1]);
    place += 2;
    if (count == -1) {
        s->ended = 1;
        s->place = place;
        return 0;
    }
    if (count != s->columns) return DK_OTHER_COLUMNS;
    dk_field *field = s->fields + s->rows * s->columns;
    for (int i = 0; i < count; i++, field++) {
        if (filled - place < 4) return 0;
        int32_t size = (int32_t)dk_get32(in + place);
        place += 4;
        if (size < -1) return DK_BAD_LENGTH;
        if (size > 0 && filled - place < (size_t)size) return 0;
        field->at = (const uint8_t *)place; /* an offset until the batch is whole, since the bytes may move */
        field->size = size;
        if (size > 0) place += (size_t)size;
    }
    s->batch_bytes += (int64_t)(place - s->place);
    s->place = place;
    s->rows++;
    return 1;
}

static int is_full(const dk_stream *s) { return s->rows >= s->most_rows || s->batch_bytes >= s->most_bytes; }

/* As many rows as there are, until the batch is full. */
static int parse(dk_stream *s) {
    if (s->at_head) {
        int error = head(s);
        if (error) return error;
    }
    while (!s->at_head && !s->ended && !is_full(s)) {
        int got = row(s);
        if (got < 0) return got;
        if (!got) break;
    }
    return s->ended && s->place < s->filled ? DK_AFTER_END : DK_OK;
}

/* Forget the batch before; what was not parsed yet moves to the front. */
static void begin(dk_stream *s) {
    forget(s);
    if (s->place) memmove(s->in, s->in + s->place, s->filled - s->place);
    s->filled -= s->place;
    s->place = 0;
    s->rows = s->batch_bytes = 0;
}

static void settle(dk_stream *s) {
    size_t fields = (size_t)s->rows * (size_t)s->columns;
    for (size_t i = 0; i < fields; i++) {
        s->fields[i].at = s->in + (size_t)s->fields[i].at;
        s->masked[i] = s->fields[i];
    }
}

/* For tests: the batch that these bytes fill, with those before; rows, or an error. `last`: nothing comes after them. */
int64_t dk_batch_of(dk_stream *s, const uint8_t *bytes, size_t size, int last) {
    if (!s->fields || !s->masked || !s->out) return DK_NO_MEMORY;
    begin(s);
    int error = dk_feed(s, bytes, size);
    if (!error) error = parse(s);
    if (error) return error;
    if (last && !is_full(s) && (!s->ended || s->place < s->filled)) return DK_CUT;
    settle(s);
    return s->rows;
}

/* The next batch of the source; rows, or an error. `at_end` tells whether it is the last one. */
int64_t dk_read(dk_stream *s, void *connection, dk_get get, dk_free release) {
    if (!s->fields || !s->masked || !s->out) return DK_NO_MEMORY;
    begin(s);
    for (;;) {
        int error = parse(s);
        if (error) return error;
        if (is_full(s)) break;
        char *buffer = NULL;
        int size = get(connection, &buffer, 0);
        if (size == -1) {
            s->at_end = 1;
            if (!s->ended) return DK_CUT;
            break;
        }
        if (size < 0) return DK_SOURCE;
        error = dk_feed(s, (const uint8_t *)buffer, (size_t)size);
        release(buffer);
        if (error) return error;
    }
    settle(s);
    return s->rows;
}

static int send(dk_stream *s, void *connection, dk_put put, const uint8_t *bytes, size_t size) {
    while (size) {
        int part = size > (1 << 30) ? 1 << 30 : (int)size;
        if (put(connection, (const char *)bytes, part) != 1) return DK_TARGET;
        s->bytes_out += part;
        bytes += part;
        size -= (size_t)part;
    }
    return DK_OK;
}

/* The batch as rows of the target. */
int dk_write(dk_stream *s, void *connection, dk_put put) {
    size_t used = 0;
    for (int64_t r = 0; r < s->rows; r++) {
        const dk_field *field = s->masked + r * s->columns;
        for (int i = -1; i < s->columns; i++) {
            size_t size = i >= 0 && field[i].size > 0 ? (size_t)field[i].size : 0;
            if (s->out_room - used < 4 + (size < OUT_BYTES / 4 ? size : 0)) {
                int error = send(s, connection, put, s->out, used);
                if (error) return error;
                used = 0;
            }
            if (i < 0) {
                s->out[used++] = (uint8_t)(s->columns >> 8);
                s->out[used++] = (uint8_t)s->columns;
                continue;
            }
            dk_put32(s->out + used, (uint32_t)(int32_t)field[i].size);
            used += 4;
            if (size < OUT_BYTES / 4) {
                dk_put_bytes(s->out + used, field[i].at, size);
                used += size;
            } else { /* large fields are not copied once more */
                int error = send(s, connection, put, s->out, used);
                if (!error) error = send(s, connection, put, field[i].at, size);
                if (error) return error;
                used = 0;
            }
        }
    }
    return send(s, connection, put, s->out, used);
}

int dk_at_end(const dk_stream *s) { return s->at_end; }
int64_t dk_rows(const dk_stream *s) { return s->rows; }
int64_t dk_bytes_in(const dk_stream *s) { return s->bytes_in; }
int64_t dk_bytes_out(const dk_stream *s) { return s->bytes_out; }

/* ---- fields for Python: some rows of a column, in one piece */

/* Their sizes (-1: NULL), as they came or as they go; how many bytes they have together. */
int64_t dk_sizes(const dk_stream *s, int masked, int column, const int64_t *rows, int64_t count, int64_t *sizes) {
    const dk_field *fields = masked ? s->masked : s->fields;
    int64_t total = 0;
    for (int64_t i = 0; i < count; i++) {
        sizes[i] = fields[rows[i] * s->columns + column].size;
        total += sizes[i] > 0 ? sizes[i] : 0;
    }
    return total;
}

void dk_copy(const dk_stream *s, int masked, int column, const int64_t *rows, int64_t count, uint8_t *out) {
    const dk_field *fields = masked ? s->masked : s->fields;
    for (int64_t i = 0; i < count; i++) {
        const dk_field *field = &fields[rows[i] * s->columns + column];
        if (field->size > 0) {
            memcpy(out, field->at, (size_t)field->size);
            out += field->size;
        }
    }
}

/* New bytes for some rows of a column. */
int dk_replace(dk_stream *s, int column, const int64_t *rows, int64_t count, const int64_t *sizes, const uint8_t *bytes) {
    size_t total = 0;
    for (int64_t i = 0; i < count; i++) total += sizes[i] > 0 ? (size_t)sizes[i] : 0;
    uint8_t *out = dk_bytes(s, total);
    if (!out) return DK_NO_MEMORY;
    if (total) memcpy(out, bytes, total);
    for (int64_t i = 0; i < count; i++) {
        dk_field *field = &s->masked[rows[i] * s->columns + column];
        field->at = out;
        field->size = sizes[i];
        out += sizes[i] > 0 ? sizes[i] : 0;
    }
    return DK_OK;
}

/* One constant for all that is not NULL; size -1: NULL for all. How many were NULL before. */
int64_t dk_constant(dk_stream *s, int column, const uint8_t *bytes, int64_t size) {
    uint8_t *copy = size > 0 ? dk_bytes(s, (size_t)size) : s->out;
    int64_t nulls = 0;
    if (!copy) return DK_NO_MEMORY;
    if (size > 0) memcpy(copy, bytes, (size_t)size);
    for (int64_t r = 0; r < s->rows; r++) {
        dk_field *field = &s->masked[r * s->columns + column];
        if (field->size < 0) {
            nulls++;
            continue;
        }
        field->at = copy;
        field->size = size;
    }
    return nulls;
}
