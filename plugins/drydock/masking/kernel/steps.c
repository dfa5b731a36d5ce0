/* Whole batches without Python between them: read, each ruled column masked, written. */
#include "kernel.h"

/* One ruled column: its program, or one constant for all that is not NULL. */
typedef struct {
    int64_t (*mask)(dk_stream *s, int column, void *program, uint8_t *left); /* NULL: the constant */
    void *program;
    const uint8_t *constant;
    int64_t size; /* of the constant; -1: NULL */
    int64_t column;
    int64_t masked, nulls; /* counted here */
} dk_step;

DK_LAYOUT(step, dk_step, nulls)
DK_LAYOUT(sides, dk_sides, put)

/* How many rows it left to Python, or an error. */
static int64_t take_step(dk_stream *s, dk_step *step, uint8_t *left) {
    int64_t answer = step->mask ? step->mask(s, (int)step->column, step->program, left)
                                : dk_constant(s, (int)step->column, step->constant, step->size);
    if (answer < 0) return answer;
    int64_t nulls = answer & 0xffffffff, left_count = answer >> 32;
    step->nulls += nulls;
    step->masked += s->rows - nulls - left_count;
    return left_count;
}

/* Batches from source to target until at least `most` rows came, or the last batch went; how many rows came, or an error.
 *
 * `at`: -1 to begin with a new batch, else the step that the batch goes on with. Afterwards -1, or the step that left rows
 * to Python: `left` tells which, and the batch waits for the call that goes on with the step after it.
 */
int64_t dk_pass(dk_stream *s, const dk_sides *sides, dk_step *steps, int count, int64_t most, uint8_t *left, int32_t *at) {
    int64_t came = 0;
    int next = *at;
    *at = -1;
    for (;;) {
        if (next < 0) {
            int64_t rows = dk_read(s, sides->source, sides->get, sides->release);
            if (rows < 0) return rows;
            came += rows;
            next = 0;
        }
        for (; next < count; next++) {
            int64_t left_count = take_step(s, &steps[next], left);
            if (left_count < 0) return left_count;
            if (left_count) {
                *at = next;
                return came;
            }
        }
        int error = dk_write(s, sides->target, sides->put);
        if (error) return error;
        if (s->at_end || came >= most) return came;
        next = -1;
    }
}
