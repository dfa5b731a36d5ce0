/* Format-preserving pseudonyms of ASCII texts: the shapes of techniques/ (templates, resident ids, e-mail addresses, any text).
 *
 * A value is left to Python where its first shape is not known here or does not fit it, or where it is not plain ASCII.
 */
#include "texts.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_VALUE 512
#define ITEMS 64
#define WIDE_ROUNDS 12

DK_LAYOUT(template, dk_template, check)
DK_LAYOUT(residents, dk_residents, count)
DK_LAYOUT(texts, dk_texts, unknown)

void dk_texts_key(dk_texts *p, const uint8_t key[32]) {
    memset(&p->ff1, 0, sizeof p->ff1);
    dk_cipher_key(&p->ff1.cipher, key);
    p->lanes = dk_lanes_open();
}

/* What the program holds beside itself. */
void dk_texts_end(dk_texts *p) {
    dk_lanes_close(p->lanes);
    p->lanes = NULL;
}

/* For checks: numbers below a size in place, as values are moved, in so many turns at most. */
void dk_permute(dk_texts *p, uint64_t size, uint64_t tweak, uint64_t *numbers, int64_t count, int64_t turns) {
    const dk_cut cut = dk_make_cut(&p->ff1.cipher, size);
    for (int64_t first = 0; first < count; first += DK_TOGETHER) {
        dk_job jobs[DK_TOGETHER], *left[DK_TOGETHER];
        int used = (int)(count - first < DK_TOGETHER ? count - first : DK_TOGETHER);
        for (int k = 0; k < used; k++) {
            jobs[k] = (dk_job){numbers[first + k], tweak, &cut};
            left[k] = &jobs[k];
        }
        int64_t left_turns = turns;
        for (int still = used; still && left_turns--; ) {
            dk_network(&p->ff1.cipher, left, still);
            int now = 0;
            for (int k = 0; k < still; k++)
                if (left[k]->number >= size) left[now++] = left[k];
            still = now;
        }
        for (int k = 0; k < used; k++) numbers[first + k] = jobs[k].number;
    }
}

typedef struct {
    dk_job job;
    dk_cut spare;
    const dk_template *shape;        /* NULL: any text, or a resident id */
    const dk_residents *residents;
    int32_t length, serials, start, day_count, ends_x;
    int32_t off[2];
    uint8_t *out;
    uint8_t core[LONGEST];
    uint8_t fresh[LONGEST];
    uint16_t at[LONGEST];
    uint8_t small[LONGEST];
} item;

/* Never below 0; the usual ones as constants, since the compiler then multiplies where it would divide. */
static inline int modulo(int value, int modulus) {
    int out = modulus == 11 ? value % 11 : modulus == 10 ? value % 10 : modulus == 31 ? value % 31 : value % modulus;
    return out < 0 ? out + modulus : out;
}

/* Digits and capital letters from 0 on. */
static inline int at_code(uint8_t c) { return c - '0'; }

static int right_value(const dk_check *check, const uint8_t *core, int length) {
    int sum = 0;
    for (int j = 0; j < length; j++) sum += check->terms[j][at_code(core[j])];
    int value = modulo(check->constant + check->sign * sum, check->modulus);
    return check->then ? modulo(value, check->then) : value;
}

static int off_by(const dk_check *check, const uint8_t *core, int length) {
    uint8_t value = check->values[at_code(core[check->at])];
    return value == 255 ? -1 : modulo(value - right_value(check, core, length), check->count);
}

/* Sets the check character; 1 where its class stayed. */
static int put_check(const dk_check *check, uint8_t *core, int length, int off, const uint8_t *old) {
    if (off >= 0) core[check->at] = check->symbols[modulo(right_value(check, core, length) + off, check->count)];
    return dk_is_digit(old[check->at]) == dk_is_digit(core[check->at]);
}

/* Division by a constant is a multiplication. */
static inline uint64_t divided(uint64_t number, uint64_t radix) {
    return radix == 10 ? number / 10 : radix == 26 ? number / 26 : number <= UINT32_MAX ? (uint32_t)number / (uint32_t)radix : number / radix;
}

/* ---- templates */

static int template_fits(const dk_template *t, const uint8_t *core) {
    for (int j = 0; j < t->length; j++)
        if (t->rank[j][at_code(core[j])] == NOT_HERE) return 0;
    if (t->also_check >= 0 && off_by(&t->check[t->also_check], core, t->length)) return 0;
    if (t->also_province && !t->provinces[(core[2] - '0') * 10 + core[3] - '0']) return 0;
    return 1;
}

/* 0 where the domain passes 2^63. */
static int template_counted(const dk_template *t, dk_ff1 *ff1, item *it) {
    uint64_t number = 0, size = 1, tweak = t->label;
    for (int j = 0; j < t->length; j++) {
        if (t->mode[j] == KEPT) tweak = tweak * FOLD + it->core[j];
        if (t->mode[j] != MOVED) continue;
        uint64_t radix = dk_is_digit(it->core[j]) ? t->digits[j] : t->letters[j];
        if (size > (UINT64_C(1) << 63) / radix) return 0;
        number = number * radix + t->rank[j][at_code(it->core[j])];
        size *= radix;
    }
    for (int c = 0; c < t->checks; c++) it->off[c] = off_by(&t->check[c], it->core, t->length);
    it->job.number = number;
    it->job.tweak = tweak;
    it->job.cut = dk_cut_of(ff1, size, &it->spare);
    return 1;
}

static int template_spelled(const dk_template *t, item *it) {
    uint64_t number = it->job.number;
    memcpy(it->fresh, it->core, (size_t)t->length);
    for (int j = t->length - 1; j >= 0; j--) {
        if (t->mode[j] != MOVED) continue;
        int digit = dk_is_digit(it->core[j]);
        uint64_t radix = digit ? t->digits[j] : t->letters[j];
        uint64_t rest = divided(number, radix);
        uint64_t rank = number - rest * radix;
        it->fresh[j] = digit ? t->digit_symbols[j][rank] : t->letter_symbols[j][rank];
        number = rest;
    }
    int fine = 1;
    for (int c = 0; c < t->checks; c++) fine &= put_check(&t->check[c], it->fresh, t->length, it->off[c], it->core);
    return fine;
}

/* ---- any text: digits and letters as one number */

static int any_counted(const dk_texts *p, dk_ff1 *ff1, item *it, uint64_t tweak) {
    uint64_t number = 0, size = 1;
    int bits = 0;
    if (it->length > LONGEST_NUMBER) return 0;
    for (int j = 0; j < it->length; j++) bits += dk_is_digit(it->core[j]) ? p->digit_bits : p->letter_bits;
    if (bits > p->most_bits) return 0;
    for (int j = 0; j < it->length; j++) {
        int digit = dk_is_digit(it->core[j]);
        uint64_t radix = digit ? 10 : 26;
        number = number * radix + (uint64_t)(it->core[j] - (digit ? '0' : 'A'));
        size *= radix;
    }
    it->job.number = number;
    it->job.tweak = tweak;
    it->job.cut = dk_cut_of(ff1, size, &it->spare);
    return 1;
}

static int any_spelled(item *it) {
    uint64_t number = it->job.number;
    for (int j = it->length - 1; j >= 0; j--) {
        int digit = dk_is_digit(it->core[j]);
        uint64_t radix = digit ? 10 : 26, rest = divided(number, radix);
        it->fresh[j] = (uint8_t)(number - rest * radix + (digit ? '0' : 'A'));
        number = rest;
    }
    return 1;
}

/* Past 2^63: characters by words of a stream (wide.py). */
static void any_wide(const dk_cipher *cipher, item *it, uint64_t tweak) {
    int length = it->length, middle = length / 2;
    uint8_t ranks[2][LONGEST], radices[2][LONGEST];
    int counts[2] = {middle, length - middle};
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < counts[h]; j++) {
            uint8_t c = it->core[h * middle + j];
            radices[h][j] = dk_is_digit(c) ? 10 : 26;
            ranks[h][j] = (uint8_t)(c - (dk_is_digit(c) ? '0' : 'A'));
        }
    for (int i = 0; i < WIDE_ROUNDS; i++) {
        int moved = i % 2, source = 1 - moved;
        uint8_t message[DK_BLOCK * (2 + LONGEST * 3 / DK_BLOCK)] = {3, WIDE_ROUNDS, (uint8_t)i, 0};
        uint8_t state[DK_BLOCK], stream[DK_BLOCK * (LONGEST / 2 + 1)];
        dk_put32(message + 4, (uint32_t)length);
        dk_put64(message + 8, tweak);
        for (int j = 0; j < counts[source]; j++) message[DK_BLOCK + 3 * j + 2] = ranks[source][j];
        dk_chain(cipher, message, 1 + (size_t)(3 * counts[source] + DK_BLOCK - 1) / DK_BLOCK, state);
        size_t blocks = (size_t)(counts[moved] + 1) / 2;
        for (size_t b = 0; b < blocks; b++) {
            memcpy(stream + b * DK_BLOCK, state, DK_BLOCK);
            dk_put64(stream + b * DK_BLOCK + 8, dk_get64(state + 8) ^ b);
        }
        dk_encrypt(cipher, stream, blocks);
        for (int j = 0; j < counts[moved]; j++) {
            unsigned radix = radices[moved][j];
            ranks[moved][j] = (uint8_t)((ranks[moved][j] + dk_get64(stream + 8 * j) % radix) % radix);
        }
    }
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < counts[h]; j++)
            it->fresh[h * middle + j] = (uint8_t)(ranks[h][j] + (radices[h][j] == 10 ? '0' : 'A'));
}

/* ---- resident ids */

static const int ID_WEIGHTS[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
static const char ID_SYMBOLS[] = "0123456789X";

static int id_sum(const uint8_t *core, int count) {
    int sum = 0;
    for (int j = 0; j < count; j++) sum += (core[j] - '0') * ID_WEIGHTS[j];
    return sum;
}

static int number_at(const uint8_t *core, int first, int count) {
    int out = 0;
    for (int j = first; j < first + count; j++) out = out * 10 + core[j] - '0';
    return out;
}

static int resident_counted(const dk_residents *r, dk_ff1 *ff1, item *it) {
    const uint8_t *core = it->core;
    for (int j = 0; j < 17; j++)
        if (!dk_is_digit(core[j])) return 0;
    if (core[0] == '0' || !(dk_is_digit(core[17]) || core[17] == 'X')) return 0;
    int year = number_at(core, 6, 4) - r->first_year, month = number_at(core, 10, 2), day = number_at(core, 12, 2);
    if (year < 0 || year >= r->years || month < 1 || month > 12) return 0;
    int number = dk_day_number(r, year * 12 + month - 1, day);
    if (number < 0) return 0;
    int band = r->band_of[year * 12 + month - 1];
    it->ends_x = core[17] == 'X';
    it->serials = it->ends_x ? 100 : 1000;
    it->start = r->first[band];
    it->day_count = r->count[band];
    int serial = number_at(core, 14, 3);
    it->off[0] = modulo((it->ends_x ? 10 : core[17] - '0') - modulo(12 - id_sum(core, 17) % 11, 11), 11);
    it->job.number = (uint64_t)(number - it->start) * (uint64_t)it->serials + (uint64_t)(it->ends_x ? serial / 10 : serial);
    it->job.tweak = dk_tweak_of(r->label, core, 6) + (uint64_t)it->start * 2 + (uint64_t)it->ends_x;
    it->job.cut = dk_cut_of(ff1, (uint64_t)it->day_count * (uint64_t)it->serials, &it->spare);
    return 1;
}

static int resident_spelled(const dk_residents *r, item *it) {
    uint8_t *fresh = it->fresh;
    memcpy(fresh, it->core, 18);
    int days = (int)(it->job.number / (uint64_t)it->serials), serial = (int)(it->job.number % (uint64_t)it->serials);
    dk_put_day(r, it->start + days, fresh + 6);
    if (it->ends_x) serial *= 10;
    for (int j = 16; j >= 14; j--) {
        fresh[j] = (uint8_t)(serial % 10 + '0');
        serial /= 10;
    }
    int fine = 1;
    if (it->ends_x) { /* the digit that makes the check character X; none where it would be 10 */
        int last = 6 * modulo(2 + it->off[0] - id_sum(fresh, 16), 11) % 11;
        fresh[16] = (uint8_t)(last % 10 + '0');
        fine = last < 10;
    }
    fresh[17] = (uint8_t)ID_SYMBOLS[(modulo(12 - id_sum(fresh, 17) % 11, 11) + it->off[0]) % 11];
    return fine && dk_is_digit(fresh[17]) == !it->ends_x;
}

/* ---- walking: eight at a time, a new one wherever one has come to rest */

static int spelled(item *it) {
    if (it->job.number >= it->job.cut->size) return 0;
    if (it->shape) return template_spelled(it->shape, it);
    return it->residents ? resident_spelled(it->residents, it) : any_spelled(it);
}

static void put_out(const item *it) {
    for (int j = 0; j < it->length; j++) it->out[it->at[j]] = (uint8_t)(it->fresh[j] + it->small[j]);
}

static int walk(const dk_cipher *cipher, item *items, int count) {
    item *slots[DK_TOGETHER];
    dk_job *jobs[DK_TOGETHER];
    int used = 0, next = 0, in_vain = 0;
    for (;;) {
        while (used < DK_TOGETHER && next < count) slots[used++] = &items[next++];
        if (!used) return DK_OK;
        if (in_vain++ > DK_LONGEST_WALK) return DK_ENDLESS;
        for (int k = 0; k < used; k++) jobs[k] = &slots[k]->job;
        dk_network(cipher, jobs, used);
        int still = 0;
        for (int k = 0; k < used; k++) {
            if (spelled(slots[k])) put_out(slots[k]);
            else slots[still++] = slots[k];
        }
        if (still < used) in_vain = 0;
        used = still;
    }
}

/* ---- values */

/* Digits and letters of a plain ASCII text into the item, capital; how many marks, -1 where it is no such text. */
static int taken(item *it, const uint8_t *at, int size) {
    int marks = 0;
    it->length = 0;
    for (int i = 0; i < size; i++) {
        uint8_t c = at[i];
        if (c >= 0x80) return -1;
        uint8_t small = c >= 'a' && c <= 'z' ? 0x20 : 0;
        c = (uint8_t)(c - small);
        if (!dk_is_digit(c) && !(c >= 'A' && c <= 'Z')) {
            marks++;
            continue;
        }
        if (it->length == LONGEST) return -1;
        it->core[it->length] = c;
        it->small[it->length] = small;
        it->at[it->length++] = (uint16_t)i;
    }
    return marks;
}

static void part_of(item *part, const item *whole, int first, int count) {
    part->shape = NULL;
    part->residents = NULL;
    part->length = count;
    part->out = whole->out;
    memcpy(part->core, whole->core + first, (size_t)count);
    memcpy(part->small, whole->small + first, (size_t)count);
    memcpy(part->at, whole->at + first, (size_t)count * sizeof *part->at);
}

/* Moved within its classes: later with the others, or at once where it is wide. How many items were added. */
static int add_any(dk_texts *p, item *it, uint64_t tweak) {
    it->shape = NULL;
    it->residents = NULL;
    if (any_counted(p, &p->ff1, it, tweak)) return 1;
    any_wide(&p->ff1.cipher, it, tweak);
    put_out(it);
    return 0;
}

/* Labels of a plain address: local part, then labels of letters and digits; the last of letters alone. How many; 0: no such. */
static int labels_of(const uint8_t *at, int size, int *local, int *last) {
    int i = 0, labels = 0, in_label = 0;
    *local = 0;
    if (size && at[0] == '.') return 0;
    for (; i < size && at[i] != '@'; i++) {
        uint8_t c = (uint8_t)(at[i] >= 'a' && at[i] <= 'z' ? at[i] - 0x20 : at[i]);
        if (dk_is_digit(c) || (c >= 'A' && c <= 'Z')) ++*local;
        else if (!strchr("._%+-", c) || !c || (c == '.' && i + 1 < size && at[i + 1] == '.')) return 0;
    }
    if (i == size || !*local) return 0;
    int has_digit = 0;
    for (i++; i <= size; i++) {
        uint8_t c = i < size ? at[i] : '.';
        if (c == '.') {
            if (!in_label) return 0;
            labels++;
            *last = in_label;
            if (i < size) has_digit = 0;
            in_label = 0;
            continue;
        }
        uint8_t capital = (uint8_t)(c >= 'a' && c <= 'z' ? c - 0x20 : c);
        if (!dk_is_digit(capital) && !(capital >= 'A' && capital <= 'Z')) return 0;
        has_digit |= dk_is_digit(capital);
        in_label++;
    }
    return has_digit || *last < 2 || *last > 24 ? 0 : labels;
}

/* How many items an address gave; -1: left to Python. */
static int add_email(dk_texts *p, item *items, const item *whole, const uint8_t *at, int size) {
    int local = 0, last = 0, labels = labels_of(at, size, &local, &last);
    if (labels < 2 || (labels > 2 && last == 2)) return -1; /* a public suffix like com.cn is not known here */
    int domain = whole->length - local - last, added = 0;
    if (domain < 1) return -1;
    if (!p->keeps_domain) {
        part_of(&items[0], whole, local, domain);
        added += add_any(p, &items[0], dk_tweak_of(p->domain_label, whole->core + whole->length - last, last));
    }
    part_of(&items[added], whole, 0, local);
    return added + add_any(p, &items[added], dk_tweak_of(p->local_label, whole->core + local, whole->length - local));
}

/* How many items a value gave; -1: left to Python. The bytes that stay are already in `it->out`. */
static int add_value(dk_texts *p, item *it, const uint8_t *at, int size) {
    int marks = taken(it, at, size);
    if (marks < 0) return -1;
    if (p->form == FORM_EMAIL && marks) {
        item whole = *it;
        return add_email(p, it, &whole, at, size);
    }
    if (p->form != FORM_ANY && marks) return -1;
    if (!it->length) return 0;
    it->shape = NULL;
    it->residents = NULL;
    if (p->any[it->length]) {
        p->unknown += p->counts_any;
        return add_any(p, it, p->any_label);
    }
    if (it->length == 18 && p->residents) {
        it->residents = p->residents;
        return resident_counted(p->residents, &p->ff1, it) ? 1 : -1;
    }
    for (int k = 0; k < 4 && p->templates[it->length][k]; k++) {
        const dk_template *t = p->templates[it->length][k];
        if (!template_fits(t, it->core)) continue;
        it->shape = t;
        return template_counted(t, &p->ff1, it) ? 1 : -1;
    }
    return -1;
}

/* One column of the batch; `left[row]` is 1 for what Python must mask. dk_answer, or an error. */
int64_t dk_mask_texts(dk_stream *s, int column, dk_texts *p, uint8_t *left) {
    item items[ITEMS + 2];
    int64_t nulls = 0, left_count = 0;
    int count = 0, error = DK_OK;
    for (int64_t r = 0; r < s->rows && !error; r++) {
        const dk_field *field = dk_field_of(s, r, column);
        left[r] = 0;
        if (field->size < 0) nulls++;
        if (field->size <= 0) continue;
        int size = field->size > LONGEST_VALUE ? -1 : (int)field->size;
        uint8_t *out = size < 0 ? NULL : dk_bytes(s, (size_t)size);
        if (size >= 0 && !out) return DK_NO_MEMORY;
        if (size >= 0) {
            int whole = size;
            if (p->blanks)
                while (size && field->at[size - 1] == ' ') size--;
            memset(out + size, ' ', (size_t)(whole - size));
            if (dk_lanes_take(p, field->at, out, size)) {
                s->masked[r * s->columns + column].at = out;
                continue;
            }
            memcpy(out, field->at, (size_t)size);
            items[count].out = out;
        }
        int added = size < 0 ? -1 : add_value(p, &items[count], field->at, size);
        if (added < 0) {
            left_count += left[r] = 1;
            continue;
        }
        s->masked[r * s->columns + column].at = out;
        count += added;
        if (count >= ITEMS) {
            error = walk(&p->ff1.cipher, items, count);
            count = 0;
        }
    }
    if (!error) error = walk(&p->ff1.cipher, items, count);
    if (dk_lanes_end(p)) error = DK_ENDLESS;
    return error ? error : dk_answer(nulls, left_count);
}
