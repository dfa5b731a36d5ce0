/* The programs of ASCII texts: tables that Python writes (structures.py), and what lanes.c makes of them. */
#ifndef DRYDOCK_TEXTS_H
#define DRYDOCK_TEXTS_H

#include "kernel.h"

#define LONGEST 64      /* characters beside the marks */
#define LONGEST_NUMBER 18
#define CODES 64 /* digits and capital letters, counted from 0 */
#define NOT_HERE 255
#define FOLD UINT64_C(0x100000001B3)

/* A check character: the right value is ((constant + sign * sum of terms) mod modulus) mod then. */
typedef struct {
    int32_t at, count, constant, sign, modulus, then;
    uint8_t symbols[64];
    uint8_t values[CODES];          /* 255: no symbol of it */
    int16_t terms[LONGEST][CODES];
} dk_check;

enum { KEPT = 'k', FIXED = 'f', MOVED = 'p', CHECKED = 'c' };

typedef struct {
    int32_t length, checks, also_check; /* also_check: -1, or a check that must be right */
    int32_t also_province;
    uint64_t label;
    uint8_t mode[LONGEST];
    uint8_t rank[LONGEST][CODES]; /* among those of its class that may stand there; NOT_HERE: it may not */
    uint8_t digits[LONGEST], letters[LONGEST]; /* how many of each class may stand there */
    uint8_t digit_symbols[LONGEST][16], letter_symbols[LONGEST][32];
    uint8_t provinces[100];
    dk_check check[2];
} dk_template;

/* Resident ids of 18 characters whose area stays and whose sex may change (resident_ids.py). */
typedef struct {
    uint64_t label;
    int32_t first_year, years, days, bands;
    const int32_t *month_first; /* the number of the first day of each month, and the end */
    const uint8_t *month_text;  /* months x 8: year and month in six digits */
    const int32_t *band_of;     /* of each month */
    const int32_t *first, *count; /* of each band */
} dk_residents;

typedef struct dk_lanes dk_lanes; /* lanes.c */

enum { FORM_ANY = 0, FORM_BARE = 1, FORM_EMAIL = 2 };

typedef struct {
    dk_ff1 ff1;
    uint64_t any_label, domain_label, local_label;
    int32_t form, blanks, keeps_domain, digit_bits, letter_bits, most_bits;
    const dk_template *templates[LONGEST + 1][4];
    const dk_residents *residents;   /* of 18 characters */
    uint8_t any[LONGEST + 1];        /* 1: a text of this length has no shape and is masked by its classes */
    uint8_t counts_any;              /* such a text is of no known shape */
    int64_t unknown; /* the last that Python knows */
    dk_lanes *lanes;
} dk_texts;


static inline int dk_is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static inline uint64_t dk_tweak_of(uint64_t start, const uint8_t *codes, int count) {
    for (int j = 0; j < count; j++) start = start * FOLD + codes[j];
    return start;
}

/* The number of a day, its month counted from the first one; -1 where there is no such day. Tables of months stay in the cache. */
static inline int dk_day_number(const dk_residents *r, int month, int day) {
    int number = r->month_first[month] + day - 1;
    return day >= 1 && number < r->month_first[month + 1] ? number : -1;
}

/* The eight digits of a day. Months have 30.44 days: the guess is off by one at most. */
static inline void dk_put_day(const dk_residents *r, int number, uint8_t *out) {
    int month = (int)((uint64_t)(uint32_t)number * 141110653u >> 32), last = r->years * 12 - 1;
    month = month > last ? last : month;
    month -= number < r->month_first[month];
    month += number >= r->month_first[month + 1];
    int day = number - r->month_first[month] + 1;
    memcpy(out, r->month_text + 8 * (size_t)month, 6);
    out[6] = (uint8_t)(day / 10 + '0');
    out[7] = (uint8_t)(day % 10 + '0');
}

/* ---- lanes.c: values of letters and digits alone, many at a time */

/* Room for them; NULL where this processor has no such lanes or there is no memory: all then go one by one. */
dk_lanes *dk_lanes_open(void);
void dk_lanes_close(dk_lanes *lanes);
/* One value, to be masked in `out`: 1 taken, 0 to be tried by texts.c. */
int dk_lanes_take(dk_texts *p, const uint8_t *at, uint8_t *out, int size);
/* Mask all that was taken: DK_OK, or DK_ENDLESS where some of it came to no rest. */
int dk_lanes_end(dk_texts *p);

#endif
