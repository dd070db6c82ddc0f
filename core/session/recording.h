/* recording.h - what was asked for and what became of it; the state machine is a table. [main] */
#ifndef REC_SESSION_RECORDING_H
#define REC_SESSION_RECORDING_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>

/* Which generation of OpenVidu a caller speaks: OLD is 2.0 and 2.1 (paths below /api), NEW is 2.16 to 2.32. */
typedef enum {
  REC_ERA_INVALID = 0,
  REC_ERA_OLD,
  REC_ERA_NEW,
} RecEra;

typedef enum {
  REC_OUTPUT_INVALID = 0,
  REC_OUTPUT_COMPOSED,
  REC_OUTPUT_COMPOSED_QUICK_START,
  REC_OUTPUT_INDIVIDUAL,
} RecOutputMode;

typedef enum {
  REC_RECORDING_INVALID = 0,
  REC_RECORDING_STARTING,
  REC_RECORDING_STARTED,
  REC_RECORDING_STOPPED, /* the end was ordered, the file is being completed */
  REC_RECORDING_READY,
  REC_RECORDING_FAILED,
} RecRecordingStatus;

/* What a recording was asked to be: a start request laid over its session's defaults. */
struct RecRecordingProperties {
  char *name; /* NULL: the recording's id */
  RecOutputMode output_mode;
  char *recording_layout; /* an OpenVidu name ("BEST_FIT") or a layout plugin's id */
  char *custom_layout;    /* NULL when none */
  int width, height;      /* as asked; the file's sides are lowered to even numbers */
  int frame_rate;
  int64_t shm_size; /* bytes; stored and told, means nothing here */
  bool has_audio, has_video;
  bool ignore_failed_streams;
  int64_t max_duration_s,
      max_size;         /* it ends by itself then; seconds, bytes; 0: what the ini says */
  char **sinks;         /* NULL-terminated ids; NULL: the ini's default */
  json_object *options; /* {"plugin id": {"key": value}} or NULL */
};

/* Returns the documented defaults (1280x720, 25 fps, BEST_FIT, COMPOSED, audio and video); in the OLD era, 1920x1080. */
RecRecordingProperties *rec_recording_properties_new (void);
RecRecordingProperties *rec_recording_properties_new_of_era (RecEra era);
RecRecordingProperties *rec_recording_properties_dup (const RecRecordingProperties *properties);
void rec_recording_properties_free (RecRecordingProperties *properties);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecRecordingProperties, rec_recording_properties_free)

/* Fields are written by core/recording alone; everybody else reads. Reference-counted, main thread only. */
struct RecRecording {
  int n_references;
  char *id;
  char *name;
  char *session_id;
  char *unique_session_id; /* sessionId_sessionStartMs */
  RecSession *session;     /* borrowed; NULL when the session is gone or after a restart */
  RecRecordingProperties *properties;
  RecEra era; /* of whoever started it: decides folder, URL form and status words on disk */
  RecRecordingStatus status;
  char *reason;     /* OpenVidu's word for why it ended ("recordingStoppedByServer"), or NULL */
  char *message;    /* what went wrong, in words for an operator; NULL when nothing did */
  GPtrArray *notes; /* of char *: detached sinks, salvage, repeated pictures */
  int64_t created_at_ms; /* wall clock of the request */
  int64_t size;          /* bytes of the final file */
  double duration_s;
  bool has_audio, has_video; /* of the file once it is complete */
  char *directory;   /* where its files are: the recordings folder, or PATH/ID in the NEW era */
  char *file_name;   /* "NAME.mp4", NULL until known */
  char *page_secret; /* lets the page that is recorded join as RECORDER; NULL: no page. Never
                             written anywhere */
  GPtrArray *other_files; /* of char *: plain names in directory, of what further sinks wrote */
};

RecRecording *rec_recording_new (const char *id, const char *session_id, RecEra era,
    const RecRecordingProperties *properties, int64_t created_at_ms);
RecRecording *rec_recording_ref (RecRecording *recording);
void rec_recording_unref (RecRecording *recording);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecRecording, rec_recording_unref)

/* Says whether the state table has this transition. */
bool rec_recording_can_become (RecRecordingStatus from, RecRecordingStatus to);

/* True from STARTING until the file is complete or given up. */
bool rec_recording_is_active (const RecRecording *recording);

/* A new one, random. */
void rec_recording_make_page_secret (RecRecording *recording);
/* Whether a page that shows this secret may join the recording's session, which ends with the recording. */
bool rec_recording_admits_page (const RecRecording *recording, const char *secret);

const char *rec_output_mode_to_string (RecOutputMode mode);
RecOutputMode rec_output_mode_from_string (const char *text); /* INVALID for an unknown word */

#endif
