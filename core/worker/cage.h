/* cage.h - a control group around one browser: the kernel holds all its processes to their memory and CPU time. [main] */
#ifndef REC_WORKER_CAGE_H
#define REC_WORKER_CAGE_H

#include <glib.h>
#include <stdint.h>

typedef struct RecCage RecCage;

/* folder: of a control group that may be divided. Limits: bytes, and percent of one core; 0: none. What workers that were
 * killed left in the folder is removed on the way. */
RecCage *rec_cage_new (const char *folder, int64_t max_memory_bytes, int64_t max_cpu_percent,
    GError **error);
/* Kills what is in it and removes it. */
void rec_cage_free (RecCage *cage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecCage, rec_cage_free)

/* A process that writes "0" there is in it, and so is all that it starts. */
int rec_cage_get_entrance (const RecCage *cage);
/* NULL, or that the kernel has killed it for its memory, in words. Free it. */
char *rec_cage_dup_excess (const RecCage *cage);
/* Asked about once a second: NULL, or that it was held back most of the last REC_USAGE_WINDOW_S seconds, in words. Free it. */
char *rec_cage_dup_shortage (RecCage *cage);

#endif
