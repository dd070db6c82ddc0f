/* inspector.c - the child that looks into an uploaded file: what it is, how long it lasts, one picture of it. */
#define _GNU_SOURCE /* setresuid */
#define G_LOG_DOMAIN "rec.upload.inspector"
#include "upload/inspection.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#include <gst/base/gsttypefindhelper.h>
#include <grp.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RESULT_FD 3
#define FILE_FD 4
#define HEAD_BYTES 65536
#define MAX_LIFE_S 900 /* who started us kills us sooner, unless it died itself */
/* It arrives as a descriptor, and is not opened again: who we have become may not. */
#define SOURCE "fdsrc fd=4 "

typedef struct {
  GstElement *pipeline;
  const char *extension;
  const char *refusal;

  GMutex lock; /* guards what follows: pads run on threads of their own */
  bool has_audio, has_video;
  int64_t first_ns, last_ns;
} Inspector;

static const char *
get_extension (const GstCaps *caps)
{
  static const char *const containers[][2] = {
    { "video/webm", ".webm" },
    { "audio/webm", ".webm" },
    { "video/x-matroska", ".mkv" },
    { "audio/x-matroska", ".mkv" },
    { "video/quicktime", ".mp4" },
    { "audio/x-m4a", ".mp4" },
  };
  const char *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));

  for (size_t i = 0; i < G_N_ELEMENTS (containers); i++)
    if (strcmp (containers[i][0], name) == 0)
      return containers[i][1];
  return NULL;
}

static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Inspector *inspector = data;
  const GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

  if (!GST_BUFFER_PTS_IS_VALID (buffer) || caps == NULL)
    return GST_PAD_PROBE_OK;
  const char *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  const int64_t begin = (int64_t) GST_BUFFER_PTS (buffer);
  const int64_t length =
      GST_BUFFER_DURATION_IS_VALID (buffer) ? (int64_t) GST_BUFFER_DURATION (buffer) : 0;
  g_mutex_lock (&inspector->lock);
  inspector->has_audio |= g_str_has_prefix (name, "audio/");
  inspector->has_video |= g_str_has_prefix (name, "video/");
  inspector->first_ns = MIN (inspector->first_ns, begin);
  inspector->last_ns = MAX (inspector->last_ns, begin + length);
  g_mutex_unlock (&inspector->lock);
  return GST_PAD_PROBE_OK;
}

static void
on_pad (GstElement *parser G_GNUC_UNUSED, GstPad *pad, gpointer data)
{
  Inspector *inspector = data;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_packet, inspector, NULL);
  if (gst_pad_is_linked (pad))
    return;
  GstElement *end = gst_element_factory_make ("fakesink", NULL);
  g_object_set (end, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add (GST_BIN (inspector->pipeline), end);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (end, "sink");
  gst_pad_link (pad, sink);
  gst_element_sync_state_with_parent (end);
}

static void
find_type (Inspector *inspector)
{
  g_autofree guint8 *head = g_malloc (HEAD_BYTES);
  const ssize_t size = pread (FILE_FD, head, HEAD_BYTES, 0);
  g_autoptr (GstCaps)
      caps = size > 0 ? gst_type_find_helper_for_data (NULL, head, (gsize) size, NULL) : NULL;

  inspector->extension = caps != NULL ? get_extension (caps) : NULL;
}

/* From the file's beginning. Who started us kills us when this takes too long. */
static bool
run (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  lseek (FILE_FD, 0, SEEK_SET);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
}

static void
look_through (Inspector *inspector, GError **error)
{
  /* The first pad's sink is there from the start: a pipeline without any calls itself finished. */
  inspector->pipeline =
      gst_parse_launch (SOURCE "! parsebin name=parser ! fakesink sync=false async=false", error);
  if (inspector->pipeline == NULL)
    return;
  g_autoptr (GstElement) parser = gst_bin_get_by_name (GST_BIN (inspector->pipeline), "parser");
  g_signal_connect (parser, "pad-added", G_CALLBACK (on_pad), inspector);
  run (inspector->pipeline, error);
  gst_element_set_state (inspector->pipeline, GST_STATE_NULL);
  gst_clear_object (&inspector->pipeline);
}

/* The first picture; a file without one simply gets no thumbnail. */
static void
take_picture (void)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (SOURCE
      "! decodebin ! videoconvert ! videoscale ! video/x-raw,width=320,pixel-aspect-ratio=1/1 "
      "! jpegenc snapshot=true ! fdsink fd=5 sync=false",
      &error);

  if (pipeline == NULL || !run (pipeline, &error))
    g_message ("no picture could be taken: %s", error != NULL ? error->message : "no reason given");
  if (pipeline != NULL)
    gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_clear_object (&pipeline);
}

static const char *
find_refusal (const Inspector *inspector, const GError *error)
{
  if (inspector->extension == NULL)
    return "it is neither WebM nor Matroska nor MP4";
  if (error != NULL)
    return error->message;
  return inspector->has_audio || inspector->has_video ? NULL : "it holds no picture and no sound";
}

static RecJson *
describe (const Inspector *inspector, const GError *error)
{
  RecJson *answer = json_object_new_object ();
  const char *refusal = find_refusal (inspector, error);

  if (refusal != NULL) {
    rec_json_set_string (answer, "refusal", refusal);
    return answer;
  }
  rec_json_set_string (answer, "extension", inspector->extension);
  rec_json_set_int (answer, "durationNs", inspector->last_ns - inspector->first_ns);
  rec_json_set_bool (answer, "hasAudio", inspector->has_audio);
  rec_json_set_bool (answer, "hasVideo", inspector->has_video);
  return answer;
}

static bool
become (const char *user)
{
  unsigned uid, gid;

  if (*user == '\0')
    return true;
  if (sscanf (user, "%u:%u", &uid, &gid) != 2)
    return false;
  return setgroups (1, &gid) == 0 && setresgid (gid, gid, gid) == 0 &&
         setresuid (uid, uid, uid) == 0;
}

void
rec_inspection_serve (const char *user)
{
  Inspector inspector = { .first_ns = INT64_MAX };
  g_autoptr (GError) error = NULL;

  alarm (MAX_LIFE_S);
  /* First, because the registry lies where only who started us may read; no byte of the file was looked at yet. */
  gst_init (NULL, NULL);
  if (!become (user))
    _exit (1);
  g_mutex_init (&inspector.lock);
  find_type (&inspector);
  if (inspector.extension != NULL)
    look_through (&inspector, &error);
  g_autoptr (RecJson) answer = describe (&inspector, error);
  if (!rec_json_has (answer, "refusal") && inspector.has_video)
    take_picture ();
  g_autofree char *text = rec_json_to_text (answer);
  g_clear_error (&error);
  /* At once: what lives as long as one file has nothing to put away, and its libraries have threads that still run. */
  _exit (rec_fd_write_all (RESULT_FD, text, strlen (text), &error) ? 0 : 1);
}
