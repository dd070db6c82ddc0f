/* recording.c - properties and life of a recording: defaults, copies, and the table of its states. */
#define G_LOG_DOMAIN "rec.session.recording"
#include "session/recording.h"

#include "base/json.h"
#include "session/private.h"
#include "session/token.h"

#include <string.h>

#define PAGE_SECRET_CHARACTERS 32

/* next[from] lists what may follow. STARTING to STOPPED: the end was ordered before the first data came. */
static const RecRecordingStatus next[][4] = {
  [REC_RECORDING_INVALID] = { REC_RECORDING_STARTING },
  [REC_RECORDING_STARTING] = { REC_RECORDING_STARTED, REC_RECORDING_STOPPED, REC_RECORDING_FAILED },
  [REC_RECORDING_STARTED] = { REC_RECORDING_STOPPED, REC_RECORDING_FAILED },
  [REC_RECORDING_STOPPED] = { REC_RECORDING_READY, REC_RECORDING_FAILED },
  [REC_RECORDING_READY] = { REC_RECORDING_INVALID },
  [REC_RECORDING_FAILED] = { REC_RECORDING_INVALID },
};

static const char *const output_modes[] = {
  [REC_OUTPUT_INVALID] = NULL,
  [REC_OUTPUT_COMPOSED] = "COMPOSED",
  [REC_OUTPUT_COMPOSED_QUICK_START] = "COMPOSED_QUICK_START",
  [REC_OUTPUT_INDIVIDUAL] = "INDIVIDUAL",
};

bool
rec_recording_can_become (RecRecordingStatus from, RecRecordingStatus to)
{
  if (to == REC_RECORDING_INVALID || (size_t) from >= G_N_ELEMENTS (next))
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS (next[from]); i++)
    if (next[from][i] == to)
      return true;
  return false;
}

bool
rec_recording_is_active (const RecRecording *recording)
{
  switch (recording->status) {
  case REC_RECORDING_STARTING:
  case REC_RECORDING_STARTED:
  case REC_RECORDING_STOPPED:
    return true;
  case REC_RECORDING_INVALID:
  case REC_RECORDING_READY:
  case REC_RECORDING_FAILED:
    break;
  }
  return false;
}

void
rec_recording_make_page_secret (RecRecording *recording)
{
  g_free (recording->page_secret);
  recording->page_secret = rec_make_id ("", PAGE_SECRET_CHARACTERS);
}

bool
rec_recording_admits_page (const RecRecording *recording, const char *secret)
{
  return (recording->status == REC_RECORDING_STARTING ||
             recording->status == REC_RECORDING_STARTED) &&
         rec_secret_equals (secret, recording->page_secret);
}

const char *
rec_output_mode_to_string (RecOutputMode mode)
{
  return (size_t) mode < G_N_ELEMENTS (output_modes) ? output_modes[mode] : NULL;
}

RecOutputMode
rec_output_mode_from_string (const char *text)
{
  for (size_t i = REC_OUTPUT_COMPOSED; i < G_N_ELEMENTS (output_modes); i++)
    if (g_strcmp0 (text, output_modes[i]) == 0)
      return (RecOutputMode) i;
  return REC_OUTPUT_INVALID;
}

RecRecordingProperties *
rec_recording_properties_new (void)
{
  RecRecordingProperties *properties = g_new0 (RecRecordingProperties, 1);

  properties->output_mode = REC_OUTPUT_COMPOSED;
  properties->recording_layout = g_strdup ("BEST_FIT");
  properties->width = 1280;
  properties->height = 720;
  properties->frame_rate = 25;
  properties->shm_size = 536870912;
  properties->has_audio = true;
  properties->has_video = true;
  return properties;
}

RecRecordingProperties *
rec_recording_properties_new_of_era (RecEra era)
{
  RecRecordingProperties *properties = rec_recording_properties_new ();

  if (era == REC_ERA_OLD) {
    properties->width = 1920;
    properties->height = 1080;
  }
  return properties;
}

RecRecordingProperties *
rec_recording_properties_dup (const RecRecordingProperties *properties)
{
  RecRecordingProperties *copy = g_memdup2 (properties, sizeof *properties);

  copy->name = g_strdup (properties->name);
  copy->recording_layout = g_strdup (properties->recording_layout);
  copy->custom_layout = g_strdup (properties->custom_layout);
  copy->sinks = g_strdupv (properties->sinks);
  copy->options = json_object_get (properties->options);
  return copy;
}

void
rec_recording_properties_free (RecRecordingProperties *properties)
{
  if (properties == NULL)
    return;
  g_free (properties->name);
  g_free (properties->recording_layout);
  g_free (properties->custom_layout);
  g_strfreev (properties->sinks);
  json_object_put (properties->options);
  g_free (properties);
}

RecRecording *
rec_recording_new (const char *id, const char *session_id, RecEra era,
    const RecRecordingProperties *properties, int64_t created_at_ms)
{
  RecRecording *recording = g_new0 (RecRecording, 1);
  const char *name = properties->name;

  recording->n_references = 1;
  recording->id = g_strdup (id);
  recording->name = g_strdup (name != NULL && *name != '\0' ? name : id);
  recording->session_id = g_strdup (session_id);
  recording->properties = rec_recording_properties_dup (properties);
  recording->era = era;
  recording->status = REC_RECORDING_STARTING;
  recording->notes = g_ptr_array_new_with_free_func (g_free);
  recording->other_files = g_ptr_array_new_with_free_func (g_free);
  recording->created_at_ms = created_at_ms;
  recording->has_audio = properties->has_audio;
  recording->has_video = properties->has_video;
  return recording;
}

RecRecording *
rec_recording_ref (RecRecording *recording)
{
  recording->n_references++;
  return recording;
}

void
rec_recording_unref (RecRecording *recording)
{
  if (recording == NULL || --recording->n_references > 0)
    return;
  g_free (recording->id);
  g_free (recording->name);
  g_free (recording->session_id);
  g_free (recording->unique_session_id);
  rec_recording_properties_free (recording->properties);
  g_free (recording->reason);
  g_free (recording->message);
  g_ptr_array_unref (recording->notes);
  g_ptr_array_unref (recording->other_files);
  g_free (recording->directory);
  g_free (recording->file_name);
  g_free (recording->page_secret);
  g_free (recording);
}
