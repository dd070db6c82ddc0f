/* upload.h - one file on its way in: from the HTTP thread, bounded, onto the disk, looked into, kept or removed. */
#ifndef REC_UPLOAD_UPLOAD_H
#define REC_UPLOAD_UPLOAD_H

#include "base/json.h"
#include "base/types.h"
#include "upload/inspection.h"
#include "upload/tokens.h"

#include <glib.h>

typedef struct RecUpload RecUpload;

typedef struct {
  const char *folder;
  RecInspector inspector;
  int64_t max_bytes, min_free_bytes;
  int64_t idle_timeout_us;  /* with too little coming in for this long it is given up */
  int64_t min_window_bytes; /* what must come in that time, at least 1 */
} RecUploadLimits;

typedef struct {
  /* [any] There is room again for what rec_upload_wait_for_room was told to wait for. */
  void (*resume) (void *data);
  /* [its thread] The outcome is known; rec_upload_take_outcome has it. Called once, last of all. */
  void (*finished) (RecUpload *upload, void *data);
} RecUploadEvents;

/* Makes its file. Takes owner and token (NULL when the server's secret was shown); borrows limits and events, which
 * must outlive it. n_announced: the bytes that shall come, or 0. [any] */
RecUpload *rec_upload_new (const RecUploadLimits *limits, RecUploadOwner *owner, char *token,
    int64_t n_announced, const RecUploadEvents *events, void *data, GError **error);
/* [any] One of the two, once: its thread begins, or its file goes again. */
void rec_upload_start (RecUpload *upload);
void rec_upload_discard (RecUpload *upload);
RecUpload *rec_upload_ref (RecUpload *upload);
void rec_upload_unref (RecUpload *upload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecUpload, rec_upload_unref)

const char *rec_upload_get_id (const RecUpload *upload);
const char *rec_upload_get_token (const RecUpload *upload); /* or NULL */
/* [any] What was announced and is not on the disk yet. */
int64_t rec_upload_get_missing_bytes (RecUpload *upload);

/* --- [http] ------------------------------------------------------------------------------------------------------- */

bool rec_upload_is_full (RecUpload *upload);
/* resume will be called with data; false: there is room already. */
bool rec_upload_wait_for_room (RecUpload *upload, void *data);
/* False: it is lost already (the disk is full, it is too large), nothing more is wanted. */
bool rec_upload_push (RecUpload *upload, const char *bytes, size_t n_bytes);
/* All of it was pushed. */
void rec_upload_end (RecUpload *upload);
/* The rest will not come. Does nothing after the end. */
void rec_upload_abandon (RecUpload *upload);

/* --- [main] ------------------------------------------------------------------------------------------------------- */

/* Gives up at once, waits for the thread. */
void rec_upload_cancel (RecUpload *upload);
/* After `finished`: the entity of the file that is kept now, or NULL and why; both borrowed. Settled from then on. */
RecJson *rec_upload_settle (RecUpload *upload, const GError **why);
bool rec_upload_is_settled (const RecUpload *upload);

#endif
