/* supervisor.h - starts, watches, stops, then kills the worker of each recording; worker events -> recording state. [main] */
#ifndef REC_RECORDING_SUPERVISOR_H
#define REC_RECORDING_SUPERVISOR_H

#include "base/types.h"
#include "media/router.h"
#include "recording/meter.h"
#include "session/recording.h"

#include <glib.h>

/* Loads the entities on disk into the registry, finishes or fails what an earlier server left (waits, in the background,
 * for workers that are still finishing), and keeps spare workers. program: path of this executable, for exec. */
RecSupervisor *rec_supervisor_new (const RecConfig *config, RecRegistry *registry,
    RecRouter *router, RecCatalogue *catalogue, const char *program, GError **error);
/* No recording may be active (rec_supervisor_stop_all first). */
void rec_supervisor_free (RecSupervisor *supervisor);

/* Tells where layout pages are served: the port listened on, and the hash of the certificate's key (base64 of the SHA-256
 * of its SubjectPublicKeyInfo). Warns when there is no browser to record them with. */
void rec_supervisor_set_page_server (RecSupervisor *supervisor, unsigned port,
    const char *key_hash);

/* Tries out, in the background, whether the browser can be used; recordings of pages are refused while it can't. */
void rec_supervisor_check_browser (RecSupervisor *supervisor);

/* Folder of a control group in which each browser gets one of its own, copied; NULL: there is none. */
void rec_supervisor_set_page_group (RecSupervisor *supervisor, const char *group);

/* Called exactly once. recording is borrowed; error is NULL when what was asked for is done. */
typedef void (*RecRecordingDone) (RecRecording *recording, const GError *error, void *data);

/* Starts recording session. Checks what can be checked at once: module off NOT_IMPLEMENTED; RELAYED or already recorded
 * CONFLICT; unknown layout or sink INVALID_ARGUMENT with the list of what there is;
 * pages without a browser, NOT_IMPLEMENTED. On success returns the recording (borrowed, STARTING), and done comes when its file exists and has
 * data, or with the error. Properties are complete (defaults filled in) and borrowed. */
RecRecording *rec_supervisor_start (RecSupervisor *supervisor, RecSession *session,
    const RecRecordingProperties *properties, RecEra era, RecRecordingDone done, void *data,
    GError **error);

/* Ends it; done comes when the final file is complete (or the deadline made an end of it). False, done not called:
 * NOT_FOUND not an active recording, NOT_ACCEPTABLE still starting, CONFLICT already being stopped. */
bool rec_supervisor_stop (RecSupervisor *supervisor, RecRecording *recording, const char *reason,
    RecRecordingDone done, void *data, GError **error);

/* Ends whatever is being recorded of the session, in any state: one that is still starting has failed. The session may
 * be closed by it, when nobody is in it. */
void rec_supervisor_end (RecSupervisor *supervisor, RecSession *session, const char *reason);

/* Removes files and entity. CONFLICT while it is active. A missing file is not an error. */
bool rec_supervisor_delete (RecSupervisor *supervisor, RecRecording *recording, GError **error);

/* Ends every active recording with reason, refuses new ones, and calls done when all files are complete or given up. */
void rec_supervisor_stop_all (RecSupervisor *supervisor, const char *reason,
    void (*done) (void *data), void *data);

/* Absolute path of a file of the recording, or NULL. Free it. what: "video" (the composed file) or "thumbnail". */
char *rec_supervisor_dup_file_path (RecSupervisor *supervisor, const RecRecording *recording,
    const char *what);

/* --- operations -------------------------------------------------------------------------------------------- */

/* No new recordings; when the last one is complete, those of an earlier server as well, drained is called, from the main
 * loop and perhaps more than once. May be taken back. */
void rec_supervisor_set_draining (RecSupervisor *supervisor, bool is_draining);
bool rec_supervisor_is_draining (const RecSupervisor *supervisor); /* [any] */
void rec_supervisor_set_drained (RecSupervisor *supervisor, void (*drained) (void *data),
    void *data);
/* NULL when recordings are taken. */
const char *rec_supervisor_why_not_ready (const RecSupervisor *supervisor);
/* Those that are not complete, of this server and of earlier ones. */
unsigned rec_supervisor_count_active (const RecSupervisor *supervisor);

/* Those that were measured, of the recordings that run. */
void rec_supervisor_for_each_usage (RecSupervisor *supervisor,
    void (*each) (const char *recording, const RecUsage *usage, void *data), void *data);
void rec_supervisor_for_each_feed (RecSupervisor *supervisor,
    void (*each) (const char *recording, const char *stream, const RecFeedStats *stats, void *data),
    void *data);
/* Of the last measurement, and asks for the next one. False before the first. */
bool rec_supervisor_get_free_bytes (RecSupervisor *supervisor, uint64_t *free_bytes);

#endif
