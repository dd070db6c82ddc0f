/* cdr.h - the CDR file: one JSON object per line, turned over when it is large. [one thread] */
#ifndef REC_EVENTS_CDR_H
#define REC_EVENTS_CDR_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define REC_CDR_FILE "CDR.log"

typedef struct RecCdr RecCdr;

/* Appends to REC_CDR_FILE in the folder, which is made if missing. A file of max_bytes (0: no bound) is renamed to
 * CDR-TIME.log, and of those the newest `keep` stay. */
RecCdr *rec_cdr_new (const char *folder, int64_t max_bytes, unsigned keep, GError **error);
void rec_cdr_free (RecCdr *cdr);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecCdr, rec_cdr_free)

/* line: without its newline. */
bool rec_cdr_write (RecCdr *cdr, const char *line, GError **error);
/* Whether it is a name of the CDR's: of the file that is written, or of one that was. [any] */
bool rec_cdr_is_name (const char *name);
/* For when somebody else has renamed the file. */
bool rec_cdr_reopen (RecCdr *cdr, GError **error);

#endif
