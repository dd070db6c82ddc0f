/* uploads.h - the files that browsers recorded themselves (LocalRecorder) and sent here. [main] unless tagged
 *
 * They lie in a folder of their own, each with an entity (ID.json) and, if it has pictures, a thumbnail (ID.jpg). */
#ifndef REC_UPLOAD_UPLOADS_H
#define REC_UPLOAD_UPLOADS_H

#include "base/json.h"
#include "base/types.h"
#include "upload/tokens.h"
#include "upload/upload.h"

#include <glib.h>

typedef struct RecUploads RecUploads;

/* resume: see RecUploadEvents. Finishes what a killed server had left complete, removes what it left incomplete. */
RecUploads *rec_uploads_new (const RecConfig *config, const char *program,
    void (*resume) (void *data), GError **error);
/* Cancels what is still coming in, and lets nothing more in. */
void rec_uploads_stop (RecUploads *uploads);
void rec_uploads_free (RecUploads *uploads);

RecUploadTokens *rec_uploads_get_tokens (RecUploads *uploads); /* [any] */

/* [any] A file begins to come in. token may be NULL, owner not; both are taken. size: what was announced, -1 when nothing
 * was. TOO_LARGE, NO_SPACE, TOO_MANY. The caller gets a reference. */
RecUpload *rec_uploads_begin (RecUploads *uploads, RecUploadOwner *owner, char *token, int64_t size,
    GError **error);

/* Called once: entity (borrowed) or error. */
typedef void (*RecUploadDone) (RecJson *entity, const GError *error, void *data);
void rec_uploads_when_done (RecUploads *uploads, RecUpload *upload, RecUploadDone done, void *data);

/* When no file comes in any more, idle is called, once; the last one who asked is told. False: none does, and idle will not be
 * called. */
bool rec_uploads_wait_for_idle (RecUploads *uploads, void (*idle) (void *data), void *data);

/* Of RecJson, by age; borrowed. */
GPtrArray *rec_uploads_get_all (RecUploads *uploads);
RecJson *rec_uploads_find (RecUploads *uploads, const char *id);
/* Opens the upload's file or thumbnail, if `name` is one of them; -1 otherwise. */
int rec_uploads_open (RecUploads *uploads, RecJson *entity, const char *name);
/* With its files; it stays when one of these resists. */
bool rec_uploads_remove (RecUploads *uploads, const char *id, GError **error);

#endif
