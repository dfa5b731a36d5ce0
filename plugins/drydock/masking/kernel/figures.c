/* Dates moved by a number of days for each subject (techniques/shift.py), amounts by noise for each row (techniques/noise.py).
 *
 * Subjects and rows are named by texts or whole numbers; what is named otherwise is left to Python.
 */
#include "kernel.h"

#include <string.h>

#define LONGEST_NAME 256
#define MOST_GROUPS 8

enum { NAME_NONE = 0, NAME_TEXT = 1, NAME_WHOLE = 2 };

typedef struct {
    int32_t sort, column;
} dk_name;

#define MESSAGE (DK_BLOCK * (2 + (LONGEST_NAME + 64) / DK_BLOCK))
#define TOGETHER DK_CHAINS

/* A row whose draw is waited for: its name as a message, and what it moves. */
typedef struct {
    int64_t row, number;
    int scale, size; /* of the name */
    uint8_t message[MESSAGE], state[DK_BLOCK];
} waiting;

static inline uint8_t *name_of(waiting *w) { return w->message + DK_BLOCK; }

/* The first 64 bits of the CBC-MAC over the length and the text of each name (draws.py). */
static void draw(const dk_cipher *cipher, waiting *some, int count, uint64_t *draws) {
    const uint8_t *messages[TOGETHER] = {0};
    uint8_t *states[TOGETHER] = {0};
    size_t blocks[TOGETHER] = {0};
    for (int k = 0; k < count; k++) {
        waiting *w = &some[k];
        dk_put64(w->message, 0);
        dk_put64(w->message + 8, (uint64_t)w->size);
        memset(name_of(w) + w->size, 0, DK_BLOCK);
        messages[k] = w->message;
        states[k] = w->state;
        blocks[k] = 1 + ((size_t)w->size + DK_BLOCK - 1) / DK_BLOCK;
    }
    dk_chains(cipher, messages, blocks, states, count);
    for (int k = 0; k < count; k++) draws[k] = dk_get64(states[k]);
}

/* Decimal digits of a whole number, at least `least` of them; how many bytes with the sign. */
static int digits_of(int64_t number, int least, uint8_t *out) {
    uint8_t text[24];
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    int at = 24, sign = number < 0;
    while (size || least > 0 || at == 24) {
        text[--at] = (uint8_t)('0' + size % 10);
        size /= 10;
        least--;
    }
    if (sign) *out++ = '-';
    memcpy(out, text + at, (size_t)(24 - at));
    return 24 - at + sign;
}

static int64_t whole(const uint8_t *at, int size) {
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < size; i++) value = value << 8 | at[i];
    return (int64_t)value;
}

/* The name of a row behind its mark; the size of both, 0 where there is no name, -1 where Python must read it. */
static int named(const dk_stream *s, int64_t r, const dk_name *name, uint8_t mark, uint8_t *out) {
    if (name->sort == NAME_NONE) return 0;
    const dk_field *field = &s->fields[r * s->columns + name->column];
    uint32_t codes[LONGEST_NAME];
    if (field->size < 0) return 0;
    out[0] = mark;
    if (name->sort == NAME_WHOLE) {
        if (field->size != 2 && field->size != 4 && field->size != 8) return -1;
        return 1 + digits_of(whole(field->at, (int)field->size), 1, out + 1);
    }
    int64_t size = field->size;
    while (size && field->at[size - 1] == ' ') size--;
    if (size < 0 || size > LONGEST_NAME) return -1;
    uint8_t seen = 0;
    for (int64_t i = 0; i < size; i++) seen |= field->at[i];
    if (seen >= 0x80 && dk_code_points(field->at, size, codes, LONGEST_NAME) < 0) return -1;
    memcpy(out + 1, field->at, (size_t)size);
    return size ? (int)size + 1 : 0;
}

/* ---- dates */

typedef struct {
    dk_cipher cipher;
    dk_name subject;
    int32_t width;                  /* bytes: 4 for days, 8 for microseconds */
    int64_t reach, per_day, since;  /* days; units of a day; units from 1970 to 2000 */
    int64_t first, last;            /* units since 2000 that dates are held to at first */
    int64_t first_day, last_day;    /* days since 1970 that they are held to when moved */
    int64_t kept[2];                /* days since 1970 that stay */
} dk_shift;

DK_LAYOUT(shift, dk_shift, kept)
void dk_shift_key(dk_shift *p, const uint8_t key[32]) { dk_cipher_key(&p->cipher, key); }

static int64_t days_down(int64_t number, int64_t per_day) {
    int64_t days = number / per_day;
    return days * per_day > number ? days - 1 : days;
}

/* A date counted from 1970 and held to what can be moved; a date without a subject names itself. */
static void prepare_date(const dk_shift *p, waiting *w) {
    w->number = (w->number < p->first ? p->first : w->number > p->last ? p->last : w->number) + p->since;
    if (w->size) return;
    *name_of(w) = 'v';
    w->size = 1 + digits_of(w->number, 1, name_of(w) + 1);
}

static int64_t moved(const dk_shift *p, int64_t number, uint64_t draw) {
    int64_t offset = (int64_t)(draw % (uint64_t)(2 * p->reach)) - p->reach;
    if (offset >= 0) offset++;
    int64_t old = days_down(number, p->per_day), day = old + offset;
    if (old == p->kept[0] || old == p->kept[1]) day = old;
    else day = day < p->first_day ? p->first_day : day > p->last_day ? p->last_day : day;
    return number + (day - old) * p->per_day - p->since;
}

static int put_dates(dk_stream *s, int column, const dk_shift *p, waiting *some, int count) {
    uint64_t draws[TOGETHER];
    uint8_t *out = dk_bytes(s, (size_t)count * (size_t)p->width);
    if (!out) return DK_NO_MEMORY;
    draw(&p->cipher, some, count, draws);
    for (int k = 0; k < count; k++, out += p->width) {
        int64_t number = moved(p, some[k].number, draws[k]);
        if (p->width == 4) dk_put32(out, (uint32_t)number);
        else dk_put64(out, (uint64_t)number);
        s->masked[some[k].row * s->columns + column].at = out;
    }
    return DK_OK;
}

/* One column of dates or times; `left[row]` is 1 for what Python must mask. dk_answer, or an error. */
int64_t dk_mask_dates(dk_stream *s, int column, dk_shift *p, uint8_t *left) {
    waiting some[TOGETHER];
    int64_t nulls = 0, left_count = 0, infinite = p->width == 4 ? INT32_MAX : INT64_MAX;
    int count = 0, error = DK_OK;
    for (int64_t r = 0; r < s->rows && !error; r++) {
        const dk_field *field = dk_field_of(s, r, column);
        waiting *w = &some[count];
        left[r] = 0;
        if (field->size < 0) {
            nulls++;
            continue;
        }
        w->size = field->size == p->width ? named(s, r, &p->subject, 's', name_of(w)) : -1;
        if (w->size < 0) {
            left_count += left[r] = 1;
            continue;
        }
        w->number = whole(field->at, p->width);
        if (w->number == infinite || w->number == -infinite - 1) continue; /* it stands for never or always */
        w->row = r;
        prepare_date(p, w);
        if (++count == TOGETHER) {
            error = put_dates(s, column, p, some, count);
            count = 0;
        }
    }
    if (!error) error = put_dates(s, column, p, some, count);
    return error ? error : dk_answer(nulls, left_count);
}

/* ---- amounts */

typedef struct {
    dk_cipher cipher;
    dk_name row;
    int32_t width, places;    /* width 0: numeric; else bytes of a whole number. places -1: those of each amount */
    int64_t share, of;        /* an amount moves by share / of at most */
    int64_t most;             /* units that the type holds, 0: any */
} dk_noise;

DK_LAYOUT(noise, dk_noise, most)
void dk_noise_key(dk_noise *p, const uint8_t key[32]) { dk_cipher_key(&p->cipher, key); }

#define MOST_UNITS (INT64_C(1) << 60)

/* Units of the smallest place; 0 where it is no amount that is known here. */
static int read_amount(const dk_field *field, int places, int64_t *units, int *scale) {
    const uint8_t *at = field->at;
    if (field->size < 8 || field->size > 8 + 2 * MOST_GROUPS || field->size % 2) return 0;
    int count = at[0] << 8 | at[1], weight = (int16_t)(at[2] << 8 | at[3]), sign = at[4] << 8 | at[5];
    *scale = at[6] << 8 | at[7];
    if (count * 2 + 8 != field->size || (sign != 0 && sign != 0x4000) || *scale > 6 || weight > 4 || weight < -2) return 0;
    if (places >= 0 && *scale != places) return 0;
    uint64_t number = 0;
    for (int i = 0; i < count; i++) {
        int digit = at[8 + 2 * i] << 8 | at[9 + 2 * i];
        if (digit > 9999) return 0;
        if (number > (UINT64_MAX - 9999) / 10000) return 0;
        number = number * 10000 + (uint64_t)digit;
    }
    int shift = 4 * (weight - count + 1) + *scale;
    for (; shift > 0 && number < MOST_UNITS; shift--) number *= 10; /* below 2^60, so ten times that is no wrap */
    for (; shift < 0 && shift > -4; shift++) {
        if (number % 10) return 0;
        number /= 10;
    }
    if ((shift && number) || number >= MOST_UNITS) return 0;
    *units = sign ? -(int64_t)number : (int64_t)number;
    return 1;
}

static int write_amount(int64_t units, int scale, uint8_t *out) {
    uint16_t groups[MOST_GROUPS + 2];
    int count = 0, below = (scale + 3) / 4;
    uint64_t number = (uint64_t)(units < 0 ? -units : units), lowest = 1;
    for (int i = scale; i % 4; i++) lowest *= 10;
    if (below) { /* the last group may hold fewer places than four */
        groups[count++] = (uint16_t)(number % (10000 / lowest) * lowest);
        number /= 10000 / lowest;
    }
    for (; number; number /= 10000) groups[count++] = (uint16_t)(number % 10000);
    while (count && !groups[count - 1]) count--;
    int weight = count ? count - below - 1 : 0, first = 0;
    while (first < count && !groups[first]) first++;
    uint16_t head[4] = {(uint16_t)(count - first), (uint16_t)weight, units < 0 ? 0x4000 : 0, (uint16_t)scale};
    for (int i = 0; i < 4; i++) {
        out[2 * i] = (uint8_t)(head[i] >> 8);
        out[2 * i + 1] = (uint8_t)head[i];
    }
    int size = 8;
    for (int i = count - 1; i >= first; i--) {
        out[size++] = (uint8_t)(groups[i] >> 8);
        out[size++] = (uint8_t)groups[i];
    }
    return size;
}

/* The amount as Python writes it behind its mark: with its places, never with an exponent. */
static int amount_name(int64_t units, int scale, uint8_t *out) {
    *out = 'v';
    int size = 1 + digits_of(units, scale + 1, out + 1);
    if (!scale) return size;
    memmove(out + size - scale + 1, out + size - scale, (size_t)scale);
    out[size - scale] = '.';
    return size + 1;
}

static int64_t noisy(const dk_noise *p, int64_t units, uint64_t draw) {
    int64_t size = units < 0 ? -units : units;
    int64_t limit = size < INT64_MAX / p->share ? p->share * size / p->of : (int64_t)((__int128)p->share * size / p->of);
    if (limit > size - 1) limit = size - 1;
    if (limit <= 0) return units;
    __int128 numerator = (__int128)limit * (2 * (__int128)(draw >> 1) - ((__int128)1 << 63));
    unsigned __int128 absolute = (unsigned __int128)(numerator < 0 ? -numerator : numerator);
    int64_t noise = (int64_t)((2 * absolute + ((unsigned __int128)1 << 63)) >> 64);
    if (numerator < 0) noise = -noise;
    int64_t out = units + noise;
    return p->most && (out > p->most || out < -p->most) ? units - noise : out;
}

static int put_amounts(dk_stream *s, int column, const dk_noise *p, waiting *some, int count) {
    uint64_t draws[TOGETHER];
    draw(&p->cipher, some, count, draws);
    for (int k = 0; k < count; k++) {
        uint8_t text[8 + 2 * (MOST_GROUPS + 2)];
        int64_t units = noisy(p, some[k].number, draws[k]);
        int size = p->width;
        for (int i = 0; i < p->width; i++) text[i] = (uint8_t)((uint64_t)units >> 8 * (p->width - 1 - i));
        if (!p->width) size = write_amount(units, some[k].scale, text);
        uint8_t *out = dk_bytes(s, (size_t)size);
        if (!out) return DK_NO_MEMORY;
        memcpy(out, text, (size_t)size);
        s->masked[some[k].row * s->columns + column] = (dk_field){out, size};
    }
    return DK_OK;
}

/* The amount of a field and its row's name; 0 where Python must read it. */
static int take_amount(const dk_stream *s, int64_t r, const dk_field *field, const dk_noise *p, waiting *w) {
    w->row = r;
    w->scale = 0;
    if (p->width) {
        if (field->size != p->width) return 0;
        w->number = whole(field->at, p->width);
        if (w->number >= MOST_UNITS || w->number <= -MOST_UNITS) return 0;
    } else if (!read_amount(field, p->places, &w->number, &w->scale)) {
        return 0;
    }
    w->size = named(s, r, &p->row, 'r', name_of(w));
    if (!w->size) w->size = amount_name(w->number, w->scale, name_of(w));
    return w->size > 0;
}

/* One column of amounts; `left[row]` is 1 for what Python must mask. dk_answer, or an error. */
int64_t dk_mask_amounts(dk_stream *s, int column, dk_noise *p, uint8_t *left) {
    waiting some[TOGETHER];
    int64_t nulls = 0, left_count = 0;
    int count = 0, error = DK_OK;
    for (int64_t r = 0; r < s->rows && !error; r++) {
        const dk_field *field = dk_field_of(s, r, column);
        left[r] = field->size >= 0 && !take_amount(s, r, field, p, &some[count]);
        nulls += field->size < 0;
        left_count += left[r];
        if (field->size < 0 || left[r]) continue;
        if (++count == TOGETHER) {
            error = put_amounts(s, column, p, some, count);
            count = 0;
        }
    }
    if (!error) error = put_amounts(s, column, p, some, count);
    return error ? error : dk_answer(nulls, left_count);
}
