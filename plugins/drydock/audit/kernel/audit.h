/* The compiled kernel of the audit: rows of csvlog into columns, statements into forms without values.
 *
 * The reference is Python: normalising.py for a statement's form, reading.py for a row. What is not of plain shape here is left
 * to Python, row by row. Tests hold both to the same answers. Nothing is ever printed or kept between calls.
 */
#ifndef DRYDOCK_AUDIT_H
#define DRYDOCK_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#define DA_EXPORT __attribute__((visibility("default")))

/* What goes with literals and comments: the bits of normalising.Seen. */
enum { DA_LINE_TAIL = 1, DA_OPEN_COMMENT = 2, DA_HEX = 4, DA_NESTED = 8, DA_OPEN_QUOTE = 16 };

/* Bytes that grow. */
typedef struct {
    uint8_t *at;
    size_t used, room;
} da_bytes;

#define DA_HIDDEN __attribute__((visibility("hidden")))

DA_HIDDEN int da_grow_now(da_bytes *b, size_t more);

/* 0, or -1 where there is no memory. */
static inline int da_grow(da_bytes *b, size_t more) { return b->used + more <= b->room ? 0 : da_grow_now(b, more); }

/* Words in lower case that are no operands, from Python: one list for both. */
typedef struct da_words da_words;
DA_EXPORT da_words *da_words_open(const char *spaced);
DA_EXPORT void da_words_close(da_words *w);

/* The form of one text, appended to `out`; what was seen, or -1 where there is no memory. */
DA_HIDDEN int da_form(const da_words *w, const uint8_t *text, size_t size, da_bytes *out);

/* Many texts: offsets are n + 1; the forms and their offsets go to memory that `da_forms_close` frees. */
typedef struct {
    da_bytes bytes;
    int64_t *offsets;
    uint8_t *seen;
} da_forms;
DA_EXPORT da_forms *da_forms_open(const da_words *w, const uint8_t *texts, const int64_t *offsets, int64_t n);
DA_EXPORT void da_forms_close(da_forms *f);
DA_EXPORT const uint8_t *da_forms_bytes(const da_forms *f);
DA_EXPORT const int64_t *da_forms_offsets(const da_forms *f);
DA_EXPORT const uint8_t *da_forms_seen(const da_forms *f);

#endif
