/* spool.h - texts on their way, in order, in a bounded folder that survives the process. [one thread]
 *
 * A text is in the folder until it is said to be delivered. After a crash one that was delivered last may come a second
 * time; none is lost but those that rec_spool_take_loss tells of. */
#ifndef REC_EVENTS_SPOOL_H
#define REC_EVENTS_SPOOL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct RecSpool RecSpool;

typedef struct {
  uint64_t first, last; /* numbers */
  uint64_t count;
} RecSpoolLoss;

/* Opens the folder, which is made if missing, and takes up what an earlier process left. At most max_bytes are kept: the oldest go. */
RecSpool *rec_spool_new (const char *folder, int64_t max_bytes, GError **error);
void rec_spool_free (RecSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecSpool, rec_spool_free)

/* text: one line. It survives the process from here on; whether the last seconds survive a loss of power is up to the
 * file system, because waiting for the disk would keep the next texts in memory. */
bool rec_spool_append (RecSpool *spool, const char *text, GError **error);

/* The oldest text, borrowed until the next call that gets the spool, or NULL. Numbers go up by one, over restarts too. */
const char *rec_spool_peek (RecSpool *spool, uint64_t *number);
/* This one and all before it are delivered, or given up. */
void rec_spool_pop (RecSpool *spool, uint64_t number);

uint64_t rec_spool_count (const RecSpool *spool);
int64_t rec_spool_get_bytes (const RecSpool *spool); /* on the disk */
/* What had to go since the last call, because of the bound or a damaged disk. False: nothing. */
bool rec_spool_take_loss (RecSpool *spool, RecSpoolLoss *loss);

#endif
