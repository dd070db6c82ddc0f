/* fuzz.h - what a fuzz target offers, and what it may use. A target is fuzz-NAME.c; its seeds lie in corpus/NAME/.
 *
 * The same target is linked twice: with libFuzzer (`make fuzz`), and with replay.c, which feeds it the corpus as a unit
 * test. A target asserts with g_assert what must be true of every input. */
#ifndef RECTO_TESTS_FUZZ_H
#define RECTO_TESTS_FUZZ_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before the first input. */
int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Our own log is quiet from now on, and a critical message of a library, which always tells of a bug of ours, aborts.
 * The calling thread is the main one. */
void fuzz_begin (void);

/* Whatever waits in the main loop, without waiting for more. */
void fuzz_run_loop (void);

/* Takes the next line, or all that is left, as text without its newline and without NUL bytes; NULL at the end. Free it. */
char *fuzz_take_line (const uint8_t **data, size_t *size);

/* A folder that is removed with all in it when the program ends as it should. */
const char *fuzz_get_folder (void);

#endif
