/* Rows of csvlog and jsonlog of plain shape into columns.
 *
 * Reading stops before the first row whose shape is not sure, or that is not whole (`is_short`): the careful reader goes on from there. A row of sure
 * shape whose content needs more than this knows has class ODD: the careful reader is asked for that row alone.
 */
#define _GNU_SOURCE
#include "audit.h"

#include <stdlib.h>
#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { ODD, STATEMENT, NOISE, PGAUDIT, FAILURE, SESSION_EVENT };
enum { USER, DATABASE, CLIENT, SESSION, SEVERITY, STATE, PROGRAM, ACTION, KIND, SCHEMA, OBJECT, STATEMENT_ID, ENTRY_ID, POLICY, METHOD, COLUMNS };
enum { MOST_CELLS = 26, LONGEST_ZONE = 32, LONGEST_CSV = 131072, LONGEST_SHAPED = 4096, LONGEST_FREE = 20, FEW_SHAPES = 4096 };
/* Places of csvlog. */
enum { C_TIME = 0, C_USER = 1, C_DATABASE = 2, C_FROM = 4, C_SESSION = 5, C_LINE = 6, C_TAG = 7, C_SEVERITY = 11, C_STATE = 12, C_MESSAGE = 13, C_QUERY = 19, C_PROGRAM = 22 };

typedef struct {
    const uint8_t *at;
    size_t size;
} cell;

/* Different texts, each with a number. */
typedef struct {
    da_bytes bytes;
    int64_t *ends; /* n + 1 */
    unsigned *hashes;
    int32_t n, room, slots;
    int32_t *slot; /* by hash; -1 empty */
} texts;

/* A column of texts: the numbers of the rows' values; 0 is the empty text. */
typedef struct {
    texts values;
    int32_t *numbers;
} column;

typedef struct {
    int64_t rows, room, consumed, lines;
    int32_t is_short;
    column columns[COLUMNS];
    texts forms, samples, minutes, shapes;
    int32_t *shape_form, shape_room; /* of each shape */
    uint8_t *shape_seen;
    int64_t shapes_asked;
    int64_t *line, *begin, *size, *told;
    double *duration;
    int32_t *form, *minute, *micro;
    uint8_t *class, *seen;
    da_bytes scratch, made, shape; /* cells without their escapes; the form or the word at hand; the shape at hand */
    cell cells[MOST_CELLS];
    const da_words *words;
    int no_memory;
} da_log;

typedef struct {
    const uint8_t *data;
    size_t size, at;
    int is_last;
    int64_t lines; /* line ends passed in this row */
    int is_short; /* the row may be whole once more of the file is there */
} source;

/* ---- room */

static void *more(da_log *g, void *at, size_t bytes) {
    void *made = realloc(at, bytes);
    if (made == NULL)
        g->no_memory = 1;
    return made == NULL ? at : made;
}

static int room_for_row(da_log *g) {
    if (g->rows + 1 < g->room)
        return 0;
    size_t n = (size_t)g->room * 2 + 4096;
    for (int i = 0; i < COLUMNS; i++)
        g->columns[i].numbers = more(g, g->columns[i].numbers, n * 4);
    g->line = more(g, g->line, n * 8);
    g->begin = more(g, g->begin, n * 8);
    g->size = more(g, g->size, n * 8);
    g->told = more(g, g->told, n * 8);
    g->duration = more(g, g->duration, n * 8);
    g->form = more(g, g->form, n * 4);
    g->minute = more(g, g->minute, n * 4);
    g->micro = more(g, g->micro, n * 4);
    g->class = more(g, g->class, n);
    g->seen = more(g, g->seen, n);
    g->room = (int64_t)n;
    return g->no_memory ? -1 : 0;
}

/* Add a text under the next number; -1 where there is no memory. */
static int32_t add_text(da_log *g, texts *t, const uint8_t *at, size_t size) {
    if (t->n + 1 >= t->room) {
        int is_new = t->ends == NULL;
        t->room = t->room * 2 + 64;
        t->ends = more(g, t->ends, ((size_t)t->room + 1) * 8);
        t->hashes = more(g, t->hashes, (size_t)t->room * sizeof *t->hashes);
        if (is_new && !g->no_memory)
            t->ends[0] = 0;
    }
    if (g->no_memory || da_grow(&t->bytes, size) != 0) {
        g->no_memory = 1;
        return -1;
    }
    if (size > 0)
        memcpy(t->bytes.at + t->bytes.used, at, size);
    t->bytes.used += size;
    t->ends[t->n + 1] = (int64_t)t->bytes.used;
    return t->n++;
}

/* The first and the last eight bytes of a text of at most sixteen, which say all of it. */
static void ends_of(const uint8_t *t, size_t n, uint64_t *first, uint64_t *last) {
    uint32_t a = 0, b = 0;
    if (n >= 8) {
        memcpy(first, t, 8);
        memcpy(last, t + n - 8, 8);
    } else if (n >= 4) {
        memcpy(&a, t, 4);
        memcpy(&b, t + n - 4, 4);
        *first = a;
        *last = b;
    } else {
        *first = n > 0 ? (uint64_t)t[0] << 16 | (uint64_t)t[n / 2] << 8 | t[n - 1] : 0;
        *last = 0;
    }
}

static unsigned hash_of(const uint8_t *t, size_t n) {
    uint64_t h = 0x9E3779B97F4A7C15u ^ n, first, last;
    size_t i = 0;
    for (; i + 16 < n; i += 8) {
        memcpy(&first, t + i, 8);
        h = (h ^ first) * 0xFF51AFD7ED558CCDu;
        h ^= h >> 32;
    }
    ends_of(t + i, n - i, &first, &last);
    h = (h ^ first) * 0xFF51AFD7ED558CCDu;
    h = (h ^ (h >> 32) ^ last) * 0xC4CEB9FE1A85EC53u;
    return (unsigned)(h ^ (h >> 32));
}

static int more_slots(da_log *g, texts *t) {
    int32_t slots = t->slots == 0 ? 256 : t->slots * 4;
    t->slot = more(g, t->slot, (size_t)slots * 4);
    if (g->no_memory)
        return -1;
    memset(t->slot, 0xFF, (size_t)slots * 4);
    t->slots = slots;
    for (int32_t n = 0; n < t->n; n++) {
        unsigned s = t->hashes[n] & (unsigned)(slots - 1);
        while (t->slot[s] >= 0)
            s = (s + 1) & (unsigned)(slots - 1);
        t->slot[s] = n;
    }
    return 0;
}

static int is_text(const texts *t, int32_t n, const uint8_t *at, size_t size) {
    int64_t *ends = t->ends + n;
    const uint8_t *known = t->bytes.at + ends[0];
    uint64_t first, last, known_first, known_last;
    if ((size_t)(ends[1] - ends[0]) != size)
        return 0;
    if (size > 16)
        return memcmp(known, at, size) == 0;
    ends_of(at, size, &first, &last);
    ends_of(known, size, &known_first, &known_last);
    return first == known_first && last == known_last;
}

/* The number of a text, a new one where it was not there before; -1 where there is no memory. */
static int32_t number_of(da_log *g, texts *t, const uint8_t *at, size_t size) {
    if (t->n * 2 >= t->slots && more_slots(g, t) != 0)
        return -1;
    unsigned hash = hash_of(at, size), s = hash & (unsigned)(t->slots - 1);
    for (; t->slot[s] >= 0; s = (s + 1) & (unsigned)(t->slots - 1))
        if (t->hashes[t->slot[s]] == hash && is_text(t, t->slot[s], at, size))
            return t->slot[s];
    int32_t n = add_text(g, t, at, size);
    if (n >= 0) {
        t->hashes[n] = hash;
        t->slot[s] = n;
    }
    return n;
}

/* ---- bytes */

static int is_utf8(const uint8_t *t, size_t n) {
    for (size_t i = 0; i < n;) {
        uint8_t c = t[i];
        size_t size = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
        if (size == 0 || i + size > n)
            return 0;
        for (size_t j = 1; j < size; j++)
            if ((t[i + j] & 0xC0) != 0x80)
                return 0;
        if ((c == 0xE0 && t[i + 1] < 0xA0) || (c == 0xED && t[i + 1] > 0x9F) || (c == 0xF0 && t[i + 1] < 0x90) ||
            (c == 0xF4 && t[i + 1] > 0x8F))
            return 0;
        i += size;
    }
    return 1;
}

#ifdef __AVX2__
#define EACH(v, c) _mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)(c)))
#define BITS(v) ((uint32_t)_mm256_movemask_epi8(v))
static __m256i load(const uint8_t *t) { return _mm256_loadu_si256((const __m256i *)t); }
#endif

static int is_ascii(const uint8_t *t, size_t n) {
    size_t i = 0;
#ifdef __AVX2__
    for (; i + 32 <= n; i += 32)
        if (BITS(load(t + i)))
            return 0;
#endif
    for (uint64_t word; i + 8 <= n; i += 8) {
        memcpy(&word, t + i, 8);
        if (word & 0x8080808080808080u)
            return 0;
    }
    for (; i < n; i++)
        if (t[i] & 0x80)
            return 0;
    return 1;
}

/* The next quote from `at` on, or `size`; line ends before it are counted. */
static size_t quote_from(const uint8_t *t, size_t at, size_t size, int64_t *lines) {
#ifdef __AVX2__
    for (; at + 32 <= size; at += 32) {
        __m256i v = load(t + at);
        uint32_t quotes = BITS(EACH(v, '"')), ends = BITS(EACH(v, '\n'));
        if (quotes) {
            *lines += __builtin_popcount(ends & (quotes ^ (quotes - 1)));
            return at + (size_t)__builtin_ctz(quotes);
        }
        *lines += __builtin_popcount(ends);
    }
#endif
    for (; at < size && t[at] != '"'; at++)
        *lines += t[at] == '\n';
    return at;
}

/* The end of a cell without quotes from `at` on: a comma, a line end, a quote or the end. */
static size_t stop_from(const uint8_t *t, size_t at, size_t size) {
#ifdef __AVX2__
    for (; at + 32 <= size; at += 32) {
        __m256i v = load(t + at), commas = _mm256_or_si256(EACH(v, ','), EACH(v, '"'));
        uint32_t stops = BITS(_mm256_or_si256(commas, _mm256_or_si256(EACH(v, '\n'), EACH(v, '\r'))));
        if (stops)
            return at + (size_t)__builtin_ctz(stops);
    }
#endif
    while (at < size && t[at] != ',' && t[at] != '\n' && t[at] != '"' && t[at] != '\r')
        at++;
    return at;
}

static int equals(cell c, const char *word) { return c.size == strlen(word) && memcmp(c.at, word, c.size) == 0; }

static int begins(cell c, const char *word) { return c.size >= strlen(word) && memcmp(c.at, word, strlen(word)) == 0; }

static cell after(cell c, size_t n) { return (cell){c.at + n, c.size - n}; }

static int is_graphic(cell c) { return c.size > 0 && c.at[0] > 0x20 && c.at[0] < 0x7F; }

static uint8_t lowered(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static int is_letter(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* ---- secrets: whether texts.mask_secrets may change a text; more often yes than it does */

static int word_at(cell c, size_t at, const char *word) {
    for (; *word; word++, at++)
        if (at >= c.size || lowered(c.at[at]) != (uint8_t)*word)
            return 0;
    return 1;
}

static int is_assigned(cell c, size_t at) {
    size_t start = at;
    while (at < c.size && (c.at[at] <= ' ' || c.at[at] == '\'' || c.at[at] == '"'))
        if (c.at[at++] > ' ')
            return 1;
    if (at >= c.size)
        return 0;
    uint8_t n = lowered(c.at[at]);
    return n == '=' || n == ':' || n == '$' || n == '-' || n == '/' || n >= 0x80 || (at > start && (n == 'e' || n == 'n' || n == 'u')) ||
           (at == start && (n == 'e' || n == 'n' || n == 'u') && at + 1 < c.size && (c.at[at + 1] == '\'' || c.at[at + 1] == '&'));
}

static int is_after_by(cell c, size_t at) {
    while (at > 0 && c.at[at - 1] <= ' ')
        at--;
    return at > 0 && (lowered(c.at[at - 1]) == 'y' || c.at[at - 1] == '/' || c.at[at - 1] >= 0x80 || memmem(c.at, at, "--", 2) != NULL);
}

static int is_address(cell c, size_t at) {
    size_t i = at + 3;
    for (; i < c.size && c.at[i] > ' ' && c.at[i] < 0x80; i++) {
        if (c.at[i] == '/' || c.at[i] == '@')
            return 0;
        if (c.at[i] == ':')
            return 1;
    }
    return i < c.size && c.at[i] >= 0x80;
}

/* Second letters, by the first in lower case, of the words that are looked for; 1 where any may follow. */
static const uint8_t seconds[256] = {['i'] = 'd', ['I'] = 'd', ['s'] = 'e', ['S'] = 'e', ['c'] = 'o', ['C'] = 'o', ['v'] = 'a',
    ['V'] = 'a', ['p'] = 1, ['P'] = 1, [':'] = '/', [0xE5] = 1, [0xC5] = 1, [0xE2] = 1, [0xC4] = 1};

/* The next place from `i` on where one of those words may begin. */
static size_t hint_from(cell c, size_t i) {
    (void)c;
#ifdef __AVX2__
    for (; i + 34 <= c.size; i += 32) {
        __m256i v = load(c.at + i), small = _mm256_set1_epi8(32), a = _mm256_or_si256(v, small);
        __m256i b = _mm256_or_si256(load(c.at + i + 1), small), d = _mm256_or_si256(load(c.at + i + 2), small);
#define WORD3(x, y, z) _mm256_and_si256(EACH(a, x), _mm256_and_si256(EACH(b, y), EACH(d, z)))
        __m256i hits = _mm256_or_si256(_mm256_or_si256(WORD3('i', 'd', 'e'), WORD3('s', 'e', 'c')), WORD3('c', 'o', 'n'));
        hits = _mm256_or_si256(_mm256_or_si256(hits, WORD3('v', 'a', 'l')), _mm256_or_si256(WORD3('p', 'a', 's'), WORD3('p', 'w', 'd')));
        uint32_t bits = BITS(_mm256_or_si256(_mm256_or_si256(hits, WORD3(':', '/', '/')), v));
        if (bits)
            return i + (size_t)__builtin_ctz(bits);
    }
#endif
    return i;
}

static int may_be_secret(cell c) {
    for (size_t i = hint_from(c, 0); i + 1 < c.size; i = hint_from(c, i + 1)) {
        uint8_t second = seconds[c.at[i]];
        if (second == 0 || (second > 1 && (c.at[i + 1] | 32) != (second | 32)))
            continue;
        switch (c.at[i]) {
        case 'i': case 'I':
            if (word_at(c, i, "identified"))
                return 1;
            break;
        case 'p': case 'P':
            if (word_at(c, i, "password") || word_at(c, i, "passwort")) {
                if (is_assigned(c, i + 8))
                    return 1;
            } else if ((word_at(c, i, "passwd") && is_assigned(c, i + 6)) || (word_at(c, i, "pwd") && is_assigned(c, i + 3)))
                return 1;
            break;
        case 's': case 'S':
            if (word_at(c, i, "secret") && is_assigned(c, i + 6))
                return 1;
            break;
        case 'c': case 'C':
            if (word_at(c, i, "conn")) {
                size_t end = i + (word_at(c, i, "connect") ? 7 : 4);
                if (end < c.size && (c.at[end] <= ' ' || c.at[end] >= 0x80))
                    return 1;
            }
            break;
        case 'v': case 'V':
            if (word_at(c, i, "values") && is_after_by(c, i))
                return 1;
            break;
        case ':':
            if (word_at(c, i, "://") && is_address(c, i))
                return 1;
            break;
        case 0xE5: /* 口令, 密码 */
            if (i + 2 < c.size && ((c.at[i + 1] == 0x8F && c.at[i + 2] == 0xA3) || (c.at[i + 1] == 0xAF && c.at[i + 2] == 0x86)))
                return 1;
            break;
        case 0xC5: case 0xE2: case 0xC4: /* letters that Python takes for s, k and i whatever their case */
            if (i + 1 < c.size && ((c.at[i] == 0xC5 && c.at[i + 1] == 0xBF) || (c.at[i] == 0xC4 && (c.at[i + 1] | 1) == 0xB1) ||
                                   (c.at[i] == 0xE2 && c.at[i + 1] == 0x84)))
                return 1;
            break;
        default: break;
        }
    }
    return 0;
}

/* ---- the statement of a row */

static int32_t form_number(da_log *g, cell text) {
    int32_t before = g->forms.n, n = number_of(g, &g->forms, g->made.at, g->made.used);
    if (n == before)
        add_text(g, &g->samples, text.at, text.size);
    return n;
}

static int is_blank(cell c) {
    for (size_t i = 0; i < c.size; i++)
        if (c.at[i] != ' ' && c.at[i] != 0 && (c.at[i] < '\t' || c.at[i] > '\r'))
            return 0;
    return 1;
}

/* ---- shapes: a text with each free number as one digit. Texts of one shape have one form, and the same is seen in them.
 *
 * A number is free where it touches no word: names and numbers of other bases are kept, and so are long ones, which may be
 * hexadecimal, and what follows a quote with a word before it: x'12', q'1 … 1'. Texts with quoted names have no shape.
 */

static int is_of_word(uint8_t c) { return is_letter(c) || is_digit(c) || c == '$' || c == '#' || c >= 0x80; }

static size_t digit_from(cell c, size_t at) {
#ifdef __AVX2__
    for (; at + 32 <= c.size; at += 32) {
        __m256i v = _mm256_sub_epi8(load(c.at + at), _mm256_set1_epi8('0'));
        uint32_t digits = BITS(_mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(9)), v));
        if (digits)
            return at + (size_t)__builtin_ctz(digits);
    }
#endif
    while (at < c.size && !is_digit(c.at[at]))
        at++;
    return at;
}

static int is_free(cell c, size_t begin, size_t end) {
    uint8_t before = begin > 0 ? c.at[begin - 1] : ' ', behind = end < c.size ? c.at[end] : ' ';
    if (is_of_word(before) || is_of_word(behind) || end - begin > LONGEST_FREE)
        return 0;
    return before != '\'' || begin < 2 || !is_of_word(c.at[begin - 2]);
}

static int make_shape(da_log *g, cell text) {
    if (text.size > LONGEST_SHAPED || memchr(text.at, '"', text.size) != NULL)
        return 0;
    g->shape.used = 0;
    if (da_grow(&g->shape, text.size) != 0) {
        g->no_memory = 1;
        return 0;
    }
    uint8_t *to = g->shape.at;
    size_t from = 0;
    for (size_t at = digit_from(text, 0), end; at < text.size; at = digit_from(text, end)) {
        for (end = at; end < text.size && is_digit(text.at[end]); end++)
            ;
        if (!is_free(text, at, end))
            continue;
        memcpy(to, text.at + from, at - from);
        to += at - from;
        *to++ = '0';
        from = end;
    }
    memcpy(to, text.at + from, text.size - from);
    g->shape.used = (size_t)(to - g->shape.at) + text.size - from;
    return 1;
}

/* The number of the text's shape, or -1 where it has none, or where shapes hardly repeat; `is_new`: its form is not known yet. */
static int32_t shape_number(da_log *g, cell text, int *is_new) {
    if (g->shapes_asked > FEW_SHAPES && g->shapes.n > g->shapes_asked / 2)
        return -1;
    if (!make_shape(g, text))
        return -1;
    g->shapes_asked++;
    int32_t before = g->shapes.n, n = number_of(g, &g->shapes, g->shape.at, g->shape.used);
    *is_new = n == before;
    if (n >= g->shape_room) {
        g->shape_room = g->shape_room * 2 + 1024;
        g->shape_form = more(g, g->shape_form, (size_t)g->shape_room * 4);
        g->shape_seen = more(g, g->shape_seen, (size_t)g->shape_room);
    }
    return g->no_memory ? -1 : n;
}

/* The form of a statement into the row; 0 where the careful reader must look at it. */
static int take_statement(da_log *g, cell text) {
    if (is_blank(text))
        return 1;
    if (may_be_secret(text))
        return 0;
    int is_new = 1, seen;
    int32_t shape = shape_number(g, text, &is_new), form = -1;
    if (is_new) {
        g->made.used = 0;
        seen = da_form(g->words, text.at, text.size, &g->made);
        if (seen < 0)
            g->no_memory = 1;
        else if (!(seen & DA_LINE_TAIL))
            form = form_number(g, text);
    } else {
        seen = g->shape_seen[shape];
        form = g->shape_form[shape];
    }
    if (g->no_memory)
        return 0;
    if (shape >= 0) {
        g->shape_seen[shape] = (uint8_t)seen;
        g->shape_form[shape] = form;
    }
    g->seen[g->rows] = (uint8_t)seen;
    g->form[g->rows] = form;
    return form >= 0;
}

/* The value of the row at hand in a column. */
static void put(da_log *g, int which, cell c) {
    g->columns[which].numbers[g->rows] = c.size == 0 ? 0 : number_of(g, &g->columns[which].values, c.at, c.size);
}

/* In upper case; 0 where more than ASCII must be known. */
static int put_upper(da_log *g, int which, cell c) {
    if (!is_ascii(c.at, c.size))
        return 0;
    g->made.used = 0;
    if (da_grow(&g->made, c.size) != 0) {
        g->no_memory = 1;
        return 0;
    }
    for (size_t i = 0; i < c.size; i++)
        g->made.at[i] = c.at[i] >= 'a' && c.at[i] <= 'z' ? c.at[i] - 32 : c.at[i];
    put(g, which, (cell){g->made.at, c.size});
    return 1;
}

static int is_idle(cell tag) {
    switch (tag.size) {
    case 0: return 1;
    case 4: return equals(tag, "idle") || equals(tag, "BIND");
    case 5: return equals(tag, "PARSE");
    case 7: return equals(tag, "startup");
    case 12: return equals(tag, "initializing");
    case 14: return equals(tag, "authentication");
    case 19: return equals(tag, "idle in transaction");
    default: return 0;
    }
}

static int put_action(da_log *g, cell tag, cell text) {
    static const char *two[] = {"create", "alter", "drop", "truncate", "refresh"};
    if (!is_idle(tag))
        return put_upper(g, ACTION, tag);
    if (text.size == 0)
        return 1;
    size_t size = 0;
    while (size < text.size && size < 100 && is_letter(text.at[size]))
        size++;
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (size == strlen(two[i]) && word_at(text, 0, two[i]))
            return 0;
    return size > 0 && size < 100 && put_upper(g, ACTION, (cell){text.at, size});
}

/* `statement: …` and `execute name: …`; the statement, or nothing where it is not surely one. */
static cell behind_word(cell m) {
    size_t at = 0;
    if (begins(m, "statement:"))
        at = 10;
    else if (begins(m, "execute ") || begins(m, "bind ") || begins(m, "parse ")) {
        at = m.at[0] == 'e' ? 8 : m.at[0] == 'b' ? 5 : 6;
        if (at < m.size && m.at[at] == '<') {
            if (!begins(after(m, at), "<unnamed>"))
                return (cell){NULL, 0};
            at += 9;
        }
        while (at < m.size && m.at[at] > ' ' && m.at[at] < 0x7F && m.at[at] != ':')
            at++;
        if (at >= m.size || m.at[at] != ':')
            return (cell){NULL, 0};
        at++;
    } else
        return (cell){NULL, 0};
    size_t start = at;
    while (at < m.size && m.at[at] == ' ')
        at++;
    m = after(m, at);
    return at > start && is_graphic(m) ? m : (cell){NULL, 0};
}

/* Milliseconds and the rest of `duration: 1.234 ms…`; nothing where it is not of that shape. */
static cell behind_duration(cell m, double *duration) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    char figure[32];
    uint64_t digits = 0;
    size_t at = 10, n = 0, whole = 0, part = 0;
    for (; at < m.size && n < 30 && (is_digit(m.at[at]) || (m.at[at] == '.' && whole > 0 && part == 0)); at++) {
        if (m.at[at] == '.')
            part = 1;
        else if (part > 0)
            part++;
        else
            whole++;
        if (m.at[at] != '.')
            digits = digits * 10 + (m.at[at] - '0');
        figure[n++] = (char)m.at[at];
    }
    if (whole == 0 || whole > 15 || part == 1 || part > 10 || !begins(after(m, at), " ms"))
        return (cell){NULL, 0};
    figure[n] = 0;
    /* up to fifteen digits and these powers are exact, and so is what one division rounds */
    *duration = n <= 15 ? (double)digits / powers[part > 0 ? part - 1 : 0] : strtod(figure, NULL);
    at += 3;
    while (at < m.size && m.at[at] == ' ')
        at++;
    return after(m, at);
}

/* One `name=value` at the beginning; the rest behind its space, or nothing where there is none of plain shape. */
static cell pair(cell m, cell *name, cell *value) {
    size_t at = 0;
    while (at < m.size && (is_letter(m.at[at])))
        at++;
    *name = (cell){m.at, at};
    if (at == 0 || at >= m.size || m.at[at] != '=')
        return (cell){NULL, 0};
    size_t start = ++at, is_quoted = at < m.size && m.at[at] == '"';
    at += is_quoted;
    while (at < m.size && m.at[at] != '"' && m.at[at] != '=' && (is_quoted ? m.at[at] >= ' ' : m.at[at] > ' ') && m.at[at] < 0x7F)
        at++;
    *value = (cell){m.at + start + is_quoted, at - start - is_quoted};
    if (is_quoted && (at >= m.size || m.at[at++] != '"'))
        return (cell){NULL, 0};
    if (at < m.size && m.at[at] != ' ')
        return (cell){NULL, 0};
    return at < m.size ? after(m, at + 1) : after(m, at);
}

/* Who came how, as far as the row's own cells do not tell it: the first of each name counts. */
static int take_pairs(da_log *g, cell m, cell *told) {
    static const struct {
        const char *name;
        int place;
    } known[] = {{"user", C_USER}, {"db", C_DATABASE}, {"database", C_DATABASE}, {"host", C_FROM}, {"application_name", C_PROGRAM}};
    cell name, value, rest, method = {m.at, 0}, identity = {m.at, 0};
    int has_method = 0, has_identity = 0;
    while (m.size > 0 && (rest = pair(m, &name, &value)).at != NULL) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (equals(name, known[i].name) && told[known[i].place].size == 0)
                told[known[i].place] = value;
        if (equals(name, "method") && !has_method++)
            method = value;
        if (equals(name, "identity") && !has_identity++)
            identity = value;
        m = rest;
    }
    if (memchr(m.at, '=', m.size) != NULL)
        return 0;
    if (identity.size > 0)
        put(g, METHOD, method);
    return 1;
}

static int session_time(da_log *g, cell *m) {
    char seconds[24];
    double parts[3] = {0, 0, 0};
    size_t at = 0, n = 0;
    for (int part = 0; part < 3; part++) {
        for (n = 0; at < m->size && n < 20 && (is_digit(m->at[at]) || (m->at[at] == '.' && part == 2)); at++)
            seconds[n++] = (char)m->at[at];
        seconds[n] = 0;
        const char *dot = strchr(seconds, '.');
        if (n == 0 || at >= m->size || m->at[at++] != (part < 2 ? ':' : ' ') || (part < 2 && n > 9) || *seconds == '.' ||
            (part == 2 && (dot == NULL || dot - seconds > 9 || strlen(dot) > 10 || strchr(dot + 1, '.') != NULL)))
            return 0;
        parts[part] = strtod(seconds, NULL);
    }
    g->duration[g->rows] = (parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1000;
    *m = after(*m, at);
    return 1;
}

static int session(da_log *g, cell m, cell *c) {
    static const char *actions[] = {"CONNECTION", "AUTHENTICATE", "LOGON", "LOGOFF"};
    int which = 3;
    if (begins(m, "disconnection: session time: ")) {
        m = after(m, 29);
        if (!session_time(g, &m))
            return ODD;
    } else {
        static const char *starts[] = {"connection received: ", "connection authenticated: ", "connection authorized: "};
        for (which = 0; which < 3 && !begins(m, starts[which]); which++)
            ;
        if (which == 3)
            return ODD;
        m = after(m, strlen(starts[which]));
    }
    put(g, ACTION, (cell){(const uint8_t *)actions[which], strlen(actions[which])});
    return take_pairs(g, m, c) ? SESSION_EVENT : ODD;
}

/* True for a message of the server whose first word begins nothing that is recorded. */
static int is_chatter(cell m) {
    static const char *words[] = {"duration", "statement", "execute", "bind", "parse", "connection", "replication", "disconnection", "parameter", "audit"};
    if (m.size == 0 || !is_letter(m.at[0]))
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word_at(m, 0, words[i]))
            return 0;
    return 1;
}

static int event(da_log *g, cell *c) {
    cell m = c[C_MESSAGE];
    double duration = -1;
    if (is_chatter(m))
        return NOISE;
    if (begins(m, "connection ") || begins(m, "disconnection: "))
        return session(g, m, c);
    if (begins(m, "duration: ")) {
        m = behind_duration(m, &duration);
        if (m.at == NULL)
            return ODD;
        if (m.size == 0)
            return NOISE;
    }
    m = behind_word(m);
    if (m.at == NULL || !put_action(g, c[C_TAG], m) || !take_statement(g, m))
        return ODD;
    g->duration[g->rows] = duration;
    return STATEMENT;
}

static int failure(da_log *g, const cell *c) {
    if (c[C_STATE].size == 0 || (equals(c[C_SEVERITY], "FATAL") && c[C_QUERY].size == 0))
        return ODD;
    put(g, STATE, c[C_STATE]);
    return put_action(g, c[C_TAG], c[C_QUERY]) && take_statement(g, c[C_QUERY]) ? FAILURE : ODD;
}

/* One cell of a row of pgaudit; the rest behind its comma, or at its end. `is_sure` falls where its shape is not. */
static cell audit_cell(da_log *g, cell m, cell *found, int may_be_quoted, int *is_sure) {
    size_t at = 0;
    if (m.size > 0 && m.at[0] == '"' && may_be_quoted) {
        size_t start = g->scratch.used;
        int is_closed = 0;
        for (at = 1; at < m.size && !is_closed; at++) {
            is_closed = m.at[at] == '"' && (at + 1 >= m.size || m.at[at + 1] != '"');
            at += m.at[at] == '"' && !is_closed;
            if (!is_closed)
                g->scratch.at[g->scratch.used++] = m.at[at]; /* there is room for the whole row twice */
        }
        *found = (cell){g->scratch.at + start, g->scratch.used - start};
        *is_sure &= is_closed;
    } else {
        while (at < m.size && m.at[at] != ',') {
            if (m.at[at] == '"' || m.at[at] == '\n' || m.at[at] == '\r')
                *is_sure = 0;
            at++;
        }
        *found = (cell){m.at, at};
        if (at > 0 && m.at[0] <= ' ')
            *is_sure = 0;
    }
    if (found->size > LONGEST_CSV / 4 || (at < m.size && m.at[at] != ','))
        *is_sure = 0;
    return at < m.size ? after(m, at + 1) : (cell){NULL, 0};
}

static int put_object(da_log *g, cell name) {
    size_t dot = name.size;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t k = name.at[i];
        if (k == '.') {
            if (i == 0 || i + 1 == name.size || name.at[i - 1] == '.')
                return 0;
            dot = i;
        } else if (!is_letter(k) && !is_digit(k) && k != '$' && k != '#' && k < 0x80)
            return 0;
    }
    int is_dotted = dot < name.size;
    put(g, SCHEMA, (cell){name.at, is_dotted ? dot : 0});
    put(g, OBJECT, is_dotted ? after(name, dot + 1) : name);
    return 1;
}

static int pgaudit(da_log *g, cell m) {
    cell found[10], rest = after(m, 7);
    int is_sure = 1, n = 0;
    for (; n < 10 && rest.at != NULL; n++)
        rest = audit_cell(g, rest, &found[n], n >= 7, &is_sure);
    if (!is_sure || rest.at != NULL || n < 9 || !is_ascii(found[4].at, found[4].size))
        return ODD;
    cell command = found[4];
    for (size_t i = 0; i < command.size; i++)
        if (!is_letter(command.at[i]) && (command.at[i] != ' ' || i + 1 == command.size || command.at[i + 1] == ' '))
            return ODD;
    for (size_t i = 0; n == 10 && i < found[9].size; i++)
        if (!is_digit(found[9].at[i]))
            return ODD;
    if (n == 10 && (found[9].size == 0 || found[9].size > 15))
        return ODD;
    cell text = equals(found[7], "<previously logged>") || equals(found[7], "<not logged>") ? (cell){m.at, 0} : found[7];
    if (!put_object(g, found[6]) || !take_statement(g, text))
        return ODD;
    put(g, POLICY, found[0]);
    put(g, STATEMENT_ID, found[1]);
    put(g, ENTRY_ID, found[2]);
    put(g, KIND, found[3]);
    put_upper(g, ACTION, command);
    for (size_t i = 0; n == 10 && i < found[9].size; i++)
        g->told[g->rows] = (i == 0 ? 0 : g->told[g->rows]) * 10 + (found[9].at[i] - '0');
    return PGAUDIT;
}

static int classify(da_log *g, cell *c) {
    cell m = c[C_MESSAGE], severity = c[C_SEVERITY];
    const uint8_t *audit = NULL;
    for (size_t i = 0; i < 3 && i + 7 <= m.size && audit == NULL; i++)
        audit = memcmp(m.at + i, "AUDIT: ", 7) == 0 ? m.at + i : NULL;
    if (!is_ascii(severity.at, severity.size))
        return ODD;
    if (audit != NULL)
        return audit == m.at ? pgaudit(g, m) : ODD;
    if (equals(severity, "ERROR") || equals(severity, "FATAL") || equals(severity, "PANIC"))
        return failure(g, c);
    return event(g, c);
}

/* ---- a row */

static int is_time(cell t) {
    static const char shape[] = "dddd-dd-dd dd:dd:dd.ddd ";
    if (t.size < sizeof shape || t.size > sizeof shape - 1 + LONGEST_ZONE)
        return 0;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == 'd' ? !is_digit(t.at[i]) : t.at[i] != (uint8_t)shape[i])
            return 0;
    for (size_t i = sizeof shape - 1; i < t.size; i++) {
        uint8_t k = t.at[i];
        if (!is_letter(k) && !is_digit(k) && k != '+' && k != ':' && k != '/' && k != '-')
            return 0;
    }
    return t.at[11] < '3' && t.at[14] < '6' && t.at[17] < '6';
}

static int take_time(da_log *g, cell t) {
    uint8_t told[64];
    memcpy(told, t.at, 16);
    memcpy(told + 16, t.at + 23, t.size - 23);
    size_t size = 16 + t.size - 23;
    if (g->minutes.n == 0 || !is_text(&g->minutes, g->minutes.n - 1, told, size))
        add_text(g, &g->minutes, told, size);
    g->minute[g->rows] = g->minutes.n - 1;
    g->micro[g->rows] = ((t.at[17] - '0') * 10 + t.at[18] - '0') * 1000000 +
                        ((t.at[20] - '0') * 100 + (t.at[21] - '0') * 10 + t.at[22] - '0') * 1000;
    return !g->no_memory;
}

static void no_values(da_log *g) {
    for (int i = 0; i < COLUMNS; i++)
        g->columns[i].numbers[g->rows] = 0;
    g->told[g->rows] = -1;
    g->duration[g->rows] = -1;
    g->form[g->rows] = -1;
    g->seen[g->rows] = 0;
}

/* Write the row that the cells are, if it is no noise. `client` is there already where the format tells it apart. */
static void take_row(da_log *g, cell *c, const source *s, size_t begin) {
    if (room_for_row(g) != 0)
        return;
    int64_t n = g->rows;
    no_values(g);
    int class = classify(g, c);
    if (class == ODD)
        no_values(g);
    else if (class != NOISE) {
        put(g, USER, c[C_USER]);
        put(g, DATABASE, c[C_DATABASE]);
        put(g, CLIENT, c[C_FROM]);
        put(g, SESSION, c[C_SESSION]);
        if (class != PGAUDIT) /* which numbers its own */
            put(g, ENTRY_ID, c[C_LINE]);
        put(g, SEVERITY, c[C_SEVERITY]);
        put(g, PROGRAM, c[C_PROGRAM]);
    }
    if (class != NOISE) {
        g->line[n] = g->lines + 1;
        g->begin[n] = (int64_t)begin;
        g->size[n] = (int64_t)(s->at - begin);
        g->class[n] = (uint8_t)class;
        take_time(g, c[C_TIME]);
    }
    if (!g->no_memory) {
        g->rows += class != NOISE;
        g->lines += s->lines;
        g->consumed = (int64_t)s->at;
    }
}

/* One quoted cell whose quote is at `at`; the position behind its closing quote, or 0 where it does not close here. */
static size_t quoted(da_log *g, source *s, size_t at, cell *found) {
    size_t start = at + 1, from = start, out = g->scratch.used;
    int is_escaped = 0;
    for (at = start;; at++) {
        at = quote_from(s->data, at, s->size, &s->lines);
        s->is_short = at + 1 >= s->size && !s->is_last;
        if (at == s->size || s->is_short)
            return 0;
        if (at + 1 >= s->size || s->data[at + 1] != '"')
            break;
        is_escaped = 1;
        memcpy(g->scratch.at + g->scratch.used, s->data + from, at + 1 - from);
        g->scratch.used += at + 1 - from;
        from = at + 2;
        at++;
    }
    if (is_escaped) {
        memcpy(g->scratch.at + g->scratch.used, s->data + from, at - from);
        g->scratch.used += at - from;
        *found = (cell){g->scratch.at + out, g->scratch.used - out};
    } else
        *found = (cell){s->data + start, at - start};
    return at + 1;
}

static size_t bare(const source *s, size_t at, cell *found) {
    size_t start = at;
    at = stop_from(s->data, at, s->size);
    if (at < s->size && (s->data[at] == '"' || s->data[at] == '\r'))
        return 0;
    *found = (cell){s->data + start, at - start};
    return at;
}

/* The cells of the row of csvlog at s->at, which moves behind it: their number, or 0 where it is not sure or not whole. */
static int csv_cells(da_log *g, source *s) {
    size_t at = s->at;
    s->lines = 0;
    g->scratch.used = 0;
    for (int n = 0; n < MOST_CELLS; n++) {
        int is_quoted = at < s->size && s->data[at] == '"';
        if (is_quoted && n == 0)
            return 0;
        at = is_quoted ? quoted(g, s, at, &g->cells[n]) : at > s->size ? 0 : bare(s, at, &g->cells[n]);
        if (at == s->size && !s->is_last)
            s->is_short = 1;
        if (at == 0 || s->is_short)
            return 0;
        if (n == 0 && !is_time(g->cells[0]))
            return 0;
        if (at == s->size || s->data[at] == '\n') {
            s->lines++;
            s->at = at < s->size ? at + 1 : at;
            return n + 1;
        }
        if (s->data[at] != ',')
            return 0;
        at++;
    }
    return 0;
}

static void only_host(cell *c) {
    const uint8_t *colon = memrchr(c->at, ':', c->size);
    if (colon != NULL && colon > c->at)
        c->size = (size_t)(colon - c->at);
    else if (colon != NULL)
        *c = after(*c, 1);
}

static int csv_row(da_log *g, source *s) {
    size_t begin = s->at;
    int n = csv_cells(g, s);
    if (n != 22 && n != 23 && n != 24 && n != 26) {
        s->at = begin;
        return 0;
    }
    if (!is_ascii(s->data + begin, s->at - begin) && !is_utf8(s->data + begin, s->at - begin)) {
        s->at = begin;
        return 0;
    }
    if (n == 22)
        g->cells[C_PROGRAM] = (cell){s->data, 0};
    only_host(&g->cells[C_FROM]);
    take_row(g, g->cells, s, begin);
    return !g->no_memory;
}

/* ---- jsonlog */

static size_t json_text(da_log *g, const source *s, size_t at, size_t end, cell *found) {
    size_t start = at, out = g->scratch.used;
    int is_escaped = 0;
    for (; at < end && s->data[at] != '"'; at++) {
        uint8_t c = s->data[at];
        if (c == '\\') {
            if (!is_escaped) {
                memcpy(g->scratch.at + out, s->data + start, at - start);
                g->scratch.used = out + at - start;
                is_escaped = 1;
            }
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            const char *escape = ++at < end && s->data[at] ? strchr(from, s->data[at]) : NULL;
            if (escape == NULL)
                return 0;
            c = (uint8_t)to[escape - from];
        }
        if (is_escaped)
            g->scratch.at[g->scratch.used++] = c;
    }
    *found = is_escaped ? (cell){g->scratch.at + out, g->scratch.used - out} : (cell){s->data + start, at - start};
    return at < end ? at + 1 : 0;
}

static size_t json_number(const source *s, size_t at, size_t end) {
    size_t start = at;
    if (at < end && s->data[at] == '-')
        at++;
    if (at < end && s->data[at] == '0')
        at++;
    else
        while (at < end && is_digit(s->data[at]))
            at++;
    return at > start && is_digit(s->data[at - 1]) && at - start < 20 ? at : 0;
}

enum { NAMES = 28, REMOTE = 1, IGNORED = 30 };
static const struct {
    const char *name;
    int place, is_number;
} names[NAMES] = {{"timestamp", C_TIME, 0}, {"user", C_USER, 0}, {"dbname", C_DATABASE, 0}, {"pid", IGNORED, 1},
    {"remote_host", C_FROM, 0}, {"remote_port", IGNORED, 1}, {"session_id", C_SESSION, 0}, {"line_num", C_LINE, 1},
    {"ps", C_TAG, 0}, {"session_start", IGNORED, 0}, {"vxid", IGNORED, 0}, {"txid", IGNORED, 1}, {"error_severity", C_SEVERITY, 0},
    {"state_code", C_STATE, 0}, {"message", C_MESSAGE, 0}, {"detail", IGNORED, 0}, {"hint", IGNORED, 0}, {"internal_query", IGNORED, 0},
    {"internal_position", IGNORED, 1}, {"context", IGNORED, 0}, {"statement", C_QUERY, 0}, {"cursor_position", IGNORED, 1},
    {"func_name", IGNORED, 0}, {"file_name", IGNORED, 0}, {"file_line_num", IGNORED, 1}, {"application_name", C_PROGRAM, 0},
    {"backend_type", IGNORED, 0}, {"query_id", IGNORED, 1}};

/* One field of the object; the position behind it, or 0 where it is not one that PostgreSQL writes. */
static size_t json_field(da_log *g, const source *s, size_t at, size_t end, unsigned *met) {
    cell name, value;
    if (at >= end || s->data[at] != '"' || (at = json_text(g, s, at + 1, end, &name)) == 0 || at >= end || s->data[at] != ':')
        return 0;
    int which = 0;
    while (which < NAMES && !equals(name, names[which].name))
        which++;
    if (which == NAMES || (*met & (1u << which)) || ++at >= end || (s->data[at] == '"') == names[which].is_number)
        return 0;
    *met |= 1u << which;
    size_t start = at;
    at = names[which].is_number ? json_number(s, at, end) : json_text(g, s, at + 1, end, &value);
    if (at != 0 && names[which].is_number)
        value = (cell){s->data + start, at - start};
    if (at != 0 && names[which].place == C_LINE && s->data[start] == '-')
        return 0;
    if (at != 0 && names[which].place < MOST_CELLS)
        g->cells[names[which].place] = value;
    return at;
}

static int json_row(da_log *g, source *s) {
    size_t begin = s->at, at = begin + 1;
    const uint8_t *line = memchr(s->data + begin, '\n', s->size - begin);
    size_t end = line != NULL ? (size_t)(line - s->data) : s->size;
    s->is_short = line == NULL && !s->is_last;
    if (s->is_short || s->data[begin] != '{' || end < begin + 2 || s->data[end - 1] != '}')
        return 0;
    unsigned met = 0;
    g->scratch.used = 0;
    for (int i = 0; i < MOST_CELLS; i++)
        g->cells[i] = (cell){s->data, 0};
    do
        at = json_field(g, s, at, end - 1, &met);
    while (at != 0 && at < end - 1 && s->data[at++] == ',');
    unsigned needed = 1u << 0 | 1u << 12 | 1u << 14;
    if (at != end - 1 || (met & needed) != needed || !is_time(g->cells[C_TIME]) ||
        (!is_ascii(s->data + begin, end - begin) && !is_utf8(s->data + begin, end - begin)))
        return 0;
    s->at = line != NULL ? end + 1 : end;
    s->lines = 1;
    take_row(g, g->cells, s, begin);
    return !g->no_memory;
}

/* ---- what Python calls */

static void forget(texts *t, int is_whole) {
    free(t->hashes);
    free(t->slot);
    t->hashes = NULL;
    t->slot = NULL;
    if (is_whole) {
        free(t->bytes.at);
        free(t->ends);
    }
}

static texts *texts_of(da_log *g, int which) {
    texts *others[] = {&g->forms, &g->samples, &g->minutes};
    return which < COLUMNS ? &g->columns[which].values : others[which - COLUMNS];
}

DA_EXPORT void da_log_close(da_log *g) {
    if (g == NULL)
        return;
    for (int i = 0; i < COLUMNS + 3; i++)
        forget(texts_of(g, i), 1);
    forget(&g->shapes, 1);
    for (int i = 0; i < COLUMNS; i++)
        free(g->columns[i].numbers);
    void *arrays[] = {g->line, g->begin, g->size, g->told, g->duration, g->form, g->minute, g->micro, g->class, g->seen, g->scratch.at, g->made.at, g->shape.at, g->shape_form, g->shape_seen};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    free(g);
}

/* Read rows from the beginning of `data`: as many as are sure and whole. NULL where there is no memory. */
DA_EXPORT da_log *da_log_read(const da_words *w, const uint8_t *data, int64_t size, int is_last, int is_json) {
    da_log *g = calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    g->words = w;
    source s = {data, (size_t)size, 0, is_last, 0, 0};
    if (da_grow(&g->scratch, 2 * (size_t)size + 64) != 0 || room_for_row(g) != 0)
        g->no_memory = 1;
    for (int i = 0; i < COLUMNS && !g->no_memory; i++)
        number_of(g, &g->columns[i].values, data, 0);
    while (!g->no_memory && s.at < s.size && (is_json ? json_row(g, &s) : csv_row(g, &s)))
        ;
    if (g->no_memory) {
        da_log_close(g);
        return NULL;
    }
    g->is_short = s.is_short;
    da_bytes *passing[] = {&g->scratch, &g->made, &g->shape, &g->shapes.bytes};
    for (int i = 0; i < 4; i++) {
        free(passing[i]->at);
        passing[i]->at = NULL;
    }
    forget(&g->shapes, 0);
    for (int i = 0; i < COLUMNS + 3; i++)
        forget(texts_of(g, i), 0);
    return g;
}

DA_EXPORT int64_t da_log_figure(const da_log *g, int which) {
    int64_t figures[] = {g->rows, g->consumed, g->lines, g->is_short};
    return figures[which];
}

/* Texts of a column; after the columns of rows come forms, samples and minutes. */
DA_EXPORT int64_t da_log_count(da_log *g, int which) { return texts_of(g, which)->n; }
DA_EXPORT const uint8_t *da_log_bytes(da_log *g, int which) { return texts_of(g, which)->bytes.at; }
DA_EXPORT const int64_t *da_log_ends(da_log *g, int which) { return texts_of(g, which)->ends; }
DA_EXPORT const int32_t *da_log_numbers(const da_log *g, int which) { return g->columns[which].numbers; }

DA_EXPORT const void *da_log_array(const da_log *g, int which) {
    const void *arrays[] = {g->line, g->begin, g->size, g->told, g->duration, g->form, g->minute, g->micro, g->class, g->seen};
    return arrays[which];
}
