/* A statement's form: one pass, no grammar. Each step is that of normalising.py and stands in the same order. */
#define _GNU_SOURCE
#include "audit.h"

#include <stdlib.h>
#include <string.h>

enum { SPACE = 1, DIGIT = 2, FIRST = 4, WORD = 8, HEXA = 16 };
enum { START, VALUE, NAME, KEYWORD, OPEN, CLOSE, COMMA, DOT, SEMICOLON, OPERATOR };
enum { MOST_DEPTH = 64, LONGEST_NAME = 128, SLOTS = 1024, LONGEST_WORD = 10 };

struct da_words {
    uint8_t kinds[256];
    char *text;
    const char *slots[SLOTS];
    uint8_t sizes[SLOTS];
};

typedef struct {
    size_t begin, start, end;
    int is_plain, has_before;
} group;

typedef struct {
    const da_words *words;
    const uint8_t *text;
    size_t size;
    da_bytes *out;
    size_t base; /* where this form begins in `out` */
    int last, seen, no_memory;
    char waiting;
    group open[MOST_DEPTH];
    int64_t depth;
    size_t group_begin, group_end, before_start, before_end;
    int has_group, has_before, is_plain;
    int is_lowered; /* the word at hand stands in a place of its own, with room behind it */
} pass;

int da_grow_now(da_bytes *b, size_t more) {
    size_t room = (b->used + more) * 2 + 256;
    uint8_t *at = realloc(b->at, room);
    if (at == NULL)
        return -1;
    b->at = at;
    b->room = room;
    return 0;
}

static unsigned slot_of(const uint8_t *word, size_t size) {
    unsigned h = word[0] * 31u + word[size - 1] * 7u + (unsigned)size * 131u + word[size / 2] * 61u;
    return (h ^ (h >> 6)) % SLOTS;
}

da_words *da_words_open(const char *spaced) {
    da_words *w = calloc(1, sizeof *w);
    if (w == NULL || (w->text = strdup(spaced)) == NULL) {
        free(w);
        return NULL;
    }
    for (int c = 0; c < 256; c++) {
        int is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 128;
        int is_digit = c >= '0' && c <= '9';
        w->kinds[c] = (uint8_t)((is_letter ? FIRST | WORD : 0) | (is_digit ? DIGIT | WORD : 0) | (c == '$' || c == '#' ? WORD : 0));
        if (is_digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            w->kinds[c] |= HEXA;
    }
    for (const char *c = " \t\n\r\f\v"; *c; c++)
        w->kinds[(uint8_t)*c] |= SPACE;
    w->kinds[0] |= SPACE;
    for (char *word = strtok(w->text, " "); word != NULL; word = strtok(NULL, " ")) {
        unsigned slot = slot_of((const uint8_t *)word, strlen(word));
        while (w->slots[slot] != NULL)
            slot = (slot + 1) % SLOTS;
        w->slots[slot] = word;
        w->sizes[slot] = (uint8_t)strlen(word);
    }
    return w;
}

void da_words_close(da_words *w) {
    if (w != NULL)
        free(w->text);
    free(w);
}

static int is_keyword(const da_words *w, const uint8_t *word, size_t size) {
    if (size > LONGEST_WORD)
        return 0;
    for (unsigned slot = slot_of(word, size); w->slots[slot] != NULL; slot = (slot + 1) % SLOTS)
        if (w->sizes[slot] == size && memcmp(w->slots[slot], word, size) == 0)
            return 1;
    return 0;
}

/* ---- what is written */

static int previous(const pass *p) {
    return p->waiting == ',' ? COMMA : p->waiting == ';' ? SEMICOLON : p->last;
}

static void lay(pass *p, int kind, const uint8_t *text, size_t size) {
    int is_tight = p->last == START || p->last == OPEN || p->last == DOT || (kind >= OPEN && kind <= SEMICOLON) ||
                   (kind == OPERATOR && p->last == OPERATOR);
    if (da_grow(p->out, size + 17) != 0) {
        p->no_memory = 1;
        return;
    }
    uint8_t *to = p->out->at + p->out->used;
    *to = ' ';
    to += !is_tight;
    if (size == 1)
        *to = *text;
    else if (size <= 16 && kind <= KEYWORD && kind >= NAME && p->is_lowered)
        memcpy(to, text, 16);
    else
        memcpy(to, text, size);
    p->out->used += size + (size_t)!is_tight;
    p->last = kind;
}

static void put(pass *p, int kind, const uint8_t *text, size_t size) {
    if (p->waiting) {
        uint8_t waiting = (uint8_t)p->waiting;
        p->waiting = 0;
        lay(p, waiting == ',' ? COMMA : SEMICOLON, &waiting, 1);
    }
    lay(p, kind, text, size);
}

static void put_value(pass *p) {
    if (p->last == VALUE && p->waiting != ';') {
        p->waiting = 0;
        return;
    }
    put(p, VALUE, (const uint8_t *)"?", 1);
}

static void put_semicolon(pass *p) {
    if (p->waiting == ',')
        put(p, SEMICOLON, (const uint8_t *)";", 1);
    else if (p->last != START && p->last != SEMICOLON)
        p->waiting = ';';
}

static void put_comma(pass *p) {
    int is_after_group = p->last == CLOSE && p->has_group && p->group_end == p->out->used && p->is_plain;
    p->has_before = is_after_group && !p->waiting;
    p->before_start = p->group_begin;
    p->before_end = p->group_end;
    if (p->last == VALUE && !p->waiting)
        p->waiting = ',';
    else
        put(p, COMMA, (const uint8_t *)",", 1);
}

static void put_open(pass *p, const uint8_t *text) {
    int is_plain = previous(p) != NAME, has_before = previous(p) == COMMA && p->has_before;
    put(p, OPEN, text, 1);
    if (p->depth++ < MOST_DEPTH)
        p->open[p->depth - 1] = (group){p->out->used - 1, p->before_start, p->before_end, is_plain, has_before};
}

static void put_close(pass *p, const uint8_t *text) {
    put(p, CLOSE, text, 1);
    p->has_group = 0;
    if (p->depth > 0 && p->depth <= MOST_DEPTH && !p->no_memory) {
        group g = p->open[p->depth - 1];
        size_t size = p->out->used - g.begin;
        p->is_plain = g.is_plain;
        p->has_group = 1;
        p->group_begin = g.begin;
        p->group_end = p->out->used;
        if (g.has_before && g.end - g.start == size && memcmp(p->out->at + g.start, p->out->at + g.begin, size) == 0) {
            p->out->used = g.end;
            p->group_begin = g.start;
            p->group_end = g.end;
            p->is_plain = 1;
        }
    }
    if (p->depth > 0)
        p->depth--;
}

static void put_other(pass *p, const uint8_t *text, size_t size) {
    switch (size == 1 ? *text : 0) {
    case ';': put_semicolon(p); break;
    case ',': put_comma(p); break;
    case '(': case '[': case '{': put_open(p, text); break;
    case ')': case ']': case '}': put_close(p, text); break;
    case '.': put(p, DOT, text, 1); break;
    default: put(p, OPERATOR, text, size);
    }
}

static int is_word(const uint8_t *lower, size_t size, const char *word) {
    return strlen(word) == size && memcmp(lower, word, size) == 0;
}

static void put_word(pass *p, const uint8_t *text, size_t size) {
    uint8_t lower[256 + 16];
    if (size <= 256) {
        p->is_lowered = 1;
        for (size_t i = 0; i < size; i++)
            lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (uint8_t)(text[i] + 32) : text[i];
        if (is_keyword(p->words, lower, size)) {
            put(p, KEYWORD, lower, size);
            p->is_lowered = 0;
            return;
        }
        int before = previous(p);
        int is_value = (before == OPEN || before == COMMA || before == OPERATOR) && size <= 7 &&
                       (is_word(lower, size, "null") || is_word(lower, size, "true") || is_word(lower, size, "false") ||
                        is_word(lower, size, "default"));
        if (is_value || (p->seen & DA_NESTED))
            put_value(p);
        else
            put(p, NAME, lower, size);
        p->is_lowered = 0;
        return;
    }
    if (p->seen & DA_NESTED) {
        put_value(p);
        return;
    }
    put(p, NAME, text, size);
    if (!p->no_memory)
        for (uint8_t *c = p->out->at + p->out->used - size; c < p->out->at + p->out->used; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c += 32;
}

/* ---- what is read: each answers the position behind its token, or the position itself where there is none */

static size_t behind(const pass *p, size_t from, const uint8_t *wanted, size_t size, int *is_closed) {
    const uint8_t *found = from <= p->size ? memmem(p->text + from, p->size - from, wanted, size) : NULL;
    *is_closed = found != NULL;
    return found == NULL ? p->size : (size_t)(found - p->text) + size;
}

static size_t oracle_quote(const pass *p, size_t at, int *is_closed) {
    const uint8_t *t = p->text;
    size_t q = at + (t[at] == 'n' || t[at] == 'N');
    if (q + 2 >= p->size || (t[q] | 32) != 'q' || t[q + 1] != '\'' || (p->words->kinds[t[q + 2]] & SPACE))
        return at;
    uint8_t close[5];
    size_t size = 1;
    close[0] = t[q + 2] == '[' ? ']' : t[q + 2] == '{' ? '}' : t[q + 2] == '(' ? ')' : t[q + 2] == '<' ? '>' : t[q + 2];
    while (size < 4 && q + 2 + size < p->size && t[q + 2] >= 0xC0 && (t[q + 2 + size] & 0xC0) == 0x80) {
        close[size] = t[q + 2 + size];
        size++;
    }
    close[size] = '\'';
    return behind(p, q + 2 + size, close, size + 1, is_closed);
}

static size_t escaped_quote(const pass *p, size_t at, int *is_closed) {
    const uint8_t *t = p->text;
    *is_closed = 0;
    for (at += 2; at < p->size; at++) {
        if (t[at] == '\\')
            at++;
        else if (t[at] == '\'') {
            if (at + 1 < p->size && t[at + 1] == '\'')
                at++;
            else {
                *is_closed = 1;
                return at + 1;
            }
        }
    }
    return p->size;
}

static size_t plain_quote(const pass *p, size_t at, uint8_t quote, int *is_closed) {
    *is_closed = 0;
    while (at < p->size) {
        const uint8_t *found = memchr(p->text + at, quote, p->size - at);
        if (found == NULL)
            break;
        at = (size_t)(found - p->text) + 1;
        if (at >= p->size || p->text[at] != quote) {
            *is_closed = 1;
            return at;
        }
        at++;
    }
    return p->size;
}

static size_t dollar_quote(const pass *p, size_t at, int *is_closed) {
    const uint8_t *t = p->text, *kinds = p->words->kinds;
    size_t end = at + 1;
    if (end < p->size && (kinds[t[end]] & FIRST))
        while (end < p->size && (kinds[t[end]] & (FIRST | DIGIT)))
            end++;
    if (end >= p->size || t[end] != '$')
        return at;
    end++;
    return behind(p, end, t + at, end - at, is_closed);
}

static size_t text_token(const pass *p, size_t at, int *is_closed) {
    const uint8_t *t = p->text;
    uint8_t c = t[at], next = at + 1 < p->size ? t[at + 1] : 0;
    size_t end = at;
    switch (c) {
    case '\'': return plain_quote(p, at + 1, '\'', is_closed);
    case '$': return dollar_quote(p, at, is_closed);
    case 'q': case 'Q': return oracle_quote(p, at, is_closed);
    case 'e': case 'E': return next == '\'' ? escaped_quote(p, at, is_closed) : at;
    case 'n': case 'N':
        if ((next | 32) == 'q')
            end = oracle_quote(p, at, is_closed);
        return end > at || next != '\'' ? end : plain_quote(p, at + 2, '\'', is_closed);
    case 'b': case 'B': case 'x': case 'X': return next == '\'' ? plain_quote(p, at + 2, '\'', is_closed) : at;
    case 'u': case 'U':
        return next == '&' && at + 2 < p->size && t[at + 2] == '\'' ? plain_quote(p, at + 3, '\'', is_closed) : at;
    default: return at;
    }
}

static size_t run(const pass *p, size_t at, int kinds) {
    while (at < p->size && (p->words->kinds[p->text[at]] & kinds))
        at++;
    return at;
}

static size_t digits(const pass *p, size_t at) {
    while (at < p->size && ((p->text[at] >= '0' && p->text[at] <= '9') || p->text[at] == '_'))
        at++;
    return at;
}

static size_t based(const pass *p, size_t at) {
    uint8_t base = (uint8_t)(p->text[at] | 32);
    size_t end = at + 1;
    for (; end < p->size; end++) {
        uint8_t c = p->text[end];
        int is_digit = base == 'x' ? (p->words->kinds[c] & HEXA) != 0 : base == 'o' ? c >= '0' && c <= '7' : c == '0' || c == '1';
        if (!is_digit && c != '_')
            break;
    }
    return end > at + 1 ? end : at;
}

static size_t number_token(const pass *p, size_t at) {
    const uint8_t *t = p->text;
    size_t n = p->size, end;
    if (t[at] == '0' && at + 1 < n && ((t[at + 1] | 32) == 'x' || (t[at + 1] | 32) == 'o' || (t[at + 1] | 32) == 'b') &&
        (end = based(p, at + 1)) > at + 1)
        return end;
    if (t[at] == '.')
        end = digits(p, at + 1);
    else {
        end = digits(p, at);
        if (end < n && t[end] == '.')
            end = digits(p, end + 1);
    }
    if (end < n && (t[end] | 32) == 'e') {
        size_t power = end + 1;
        if (power < n && (t[power] == '+' || t[power] == '-'))
            power++;
        size_t behind_power = run(p, power, DIGIT);
        if (behind_power > power)
            end = behind_power;
    }
    if (end < n && ((t[end] | 32) == 'f' || (t[end] | 32) == 'd') && !(end + 1 < n && (p->words->kinds[t[end + 1]] & WORD)))
        end++;
    return end;
}

static size_t bind_token(const pass *p, size_t at) {
    const uint8_t *t = p->text;
    size_t n = p->size;
    if (t[at] == '?')
        return at + 1;
    if (at + 1 >= n)
        return at;
    if (t[at] == '$') {
        size_t end = run(p, at + 1, DIGIT);
        return end > at + 1 ? end : at;
    }
    if (t[at] == ':')
        return p->words->kinds[t[at + 1]] & (FIRST | DIGIT) ? run(p, at + 1, WORD) : at;
    return t[at] == '*' && at + 2 < n && t[at + 1] == '*' && t[at + 2] == '*' ? at + 3 : at;
}

static int is_hexadecimal(const pass *p, size_t at, size_t end) {
    const uint8_t *t = p->text;
    if (end - at < 34)
        return 0;
    if (t[at] == '0' && (t[at + 1] | 32) == 'x')
        at += 2;
    else if ((t[at] | 32) == 'x' && t[at + 1] == '\'')
        at += 2;
    else {
        at += (t[at] | 32) == 'e';
        if (t[at] != '\'')
            return 0;
        at++;
        if (t[at] == '0')
            at++;
        else if (t[at] == '\\')
            at += t[at + 1] == '\\' ? 2 : 1;
        else
            return 0;
        if ((t[at] | 32) != 'x')
            return 0;
        at++;
    }
    if (at + 32 > end)
        return 0;
    for (size_t i = at; i < at + 32; i++)
        if (!(p->words->kinds[t[i]] & HEXA))
            return 0;
    return 1;
}

static size_t comment_token(pass *p, size_t at) {
    const uint8_t *t = p->text;
    if (t[at] == '-') {
        const uint8_t *end = memchr(t + at, '\n', p->size - at);
        if (end == NULL)
            p->seen |= DA_LINE_TAIL;
        return end == NULL ? p->size : (size_t)(end - t);
    }
    int is_closed;
    size_t end = behind(p, at + 2, (const uint8_t *)"*/", 2, &is_closed);
    if (!is_closed)
        p->seen |= DA_OPEN_COMMENT;
    if (memmem(t + at + 2, end - at - 2, "/*", 2) != NULL)
        p->seen |= DA_NESTED;
    return end;
}

static size_t quoted_token(pass *p, size_t at) {
    int is_closed;
    size_t end = plain_quote(p, at + 1, '"', &is_closed), size = end - at;
    if (!is_closed)
        p->seen |= DA_OPEN_QUOTE;
    if (is_closed && !(p->seen & DA_NESTED) && size <= LONGEST_NAME + 2 && memchr(p->text + at, '\n', size) == NULL)
        put(p, NAME, p->text + at, size);
    else
        put_value(p);
    return end;
}

static int is_sign(const pass *p, size_t at) {
    size_t next = run(p, at + 1, SPACE);
    if (next < p->size && p->text[next] == '.')
        next++;
    return next < p->size && (p->words->kinds[p->text[next]] & DIGIT);
}

/* Text, number and bind; the position itself where none begins here. */
static size_t value_token(pass *p, size_t at) {
    const uint8_t *t = p->text;
    int is_closed = 1, is_number = (p->words->kinds[t[at]] & DIGIT) ||
                                   (t[at] == '.' && at + 1 < p->size && (p->words->kinds[t[at + 1]] & DIGIT));
    size_t end = is_number ? number_token(p, at) : text_token(p, at, &is_closed);
    if (end == at)
        end = bind_token(p, at);
    if (end == at)
        return at;
    put_value(p);
    if (!is_closed)
        p->seen |= DA_OPEN_QUOTE;
    if (is_hexadecimal(p, at, end))
        p->seen |= DA_HEX;
    return end;
}

static size_t step(pass *p, size_t at) {
    const uint8_t *t = p->text;
    uint8_t c = t[at], next = at + 1 < p->size ? t[at + 1] : 0, kind = p->words->kinds[c];
    if (kind & SPACE)
        return run(p, at, SPACE);
    if ((c == '-' && next == '-') || (c == '/' && next == '*'))
        return comment_token(p, at);
    size_t end = value_token(p, at);
    if (end > at)
        return end;
    if (kind & FIRST) {
        end = run(p, at, WORD);
        put_word(p, t + at, end - at);
        return end;
    }
    if (c == '"')
        return quoted_token(p, at);
    if ((c == '+' || c == '-') && is_sign(p, at)) {
        int before = previous(p);
        if (before == VALUE || before == NAME || before == CLOSE)
            put(p, OPERATOR, t + at, 1);
        return at + 1;
    }
    size_t size = c == ':' && next == ':' ? 2 : 1;
    put_other(p, t + at, size);
    return at + size;
}

int da_form(const da_words *w, const uint8_t *text, size_t size, da_bytes *out) {
    pass p;
    memset(&p, 0, offsetof(pass, open));
    p.words = w;
    p.text = text;
    p.size = size;
    p.out = out;
    p.base = out->used;
    p.depth = 0;
    p.has_group = p.has_before = p.is_plain = p.is_lowered = 0;
    p.group_begin = p.group_end = p.before_start = p.before_end = 0;
    for (size_t at = 0; at < size && !p.no_memory;)
        at = step(&p, at);
    if (p.waiting == ',')
        put(&p, COMMA, (const uint8_t *)"", 0);
    return p.no_memory ? -1 : p.seen;
}

/* ---- many texts */

da_forms *da_forms_open(const da_words *w, const uint8_t *texts, const int64_t *offsets, int64_t n) {
    da_forms *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->offsets = malloc(((size_t)n + 1) * sizeof *f->offsets);
    f->seen = malloc((size_t)n + 1);
    int seen = f->offsets == NULL || f->seen == NULL || da_grow(&f->bytes, 64) != 0 ? -1 : 0;
    if (seen == 0)
        f->offsets[0] = 0;
    for (int64_t i = 0; i < n && seen >= 0; i++) {
        seen = da_form(w, texts + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), &f->bytes);
        f->seen[i] = (uint8_t)seen;
        f->offsets[i + 1] = (int64_t)f->bytes.used;
    }
    if (seen < 0) {
        da_forms_close(f);
        return NULL;
    }
    return f;
}

void da_forms_close(da_forms *f) {
    if (f == NULL)
        return;
    free(f->bytes.at);
    free(f->offsets);
    free(f->seen);
    free(f);
}

const uint8_t *da_forms_bytes(const da_forms *f) { return f->bytes.at; }
const int64_t *da_forms_offsets(const da_forms *f) { return f->offsets; }
const uint8_t *da_forms_seen(const da_forms *f) { return f->seen; }
