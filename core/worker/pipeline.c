/* pipeline.c - a chain of GStreamer elements between two pads of ours. */
#define G_LOG_DOMAIN "rec.worker.pipeline"
#include "worker/pipeline.h"

#include "base/error.h"
#include "worker/vp9.h"

#include <gst/video/video.h>

struct RecPipeline {
  char *name;
  GstElement *bin;
  GstBus *bus;
  GstPad *input, *output;
  bool is_vp9;        /* what the decoder gets */
  char *refusal;      /* why the decoder got nothing */
  GstSegment segment; /* of the output */
  RecPipelineEvents events;
  void *data;
};

static int64_t
to_running_time (const RecPipeline *pipeline, GstClockTime time)
{
  guint64 running = 0;
  int sign;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return -1;
  sign = gst_segment_to_running_time_full (&pipeline->segment, GST_FORMAT_TIME, time, &running);
  return sign < 0 ? -(int64_t) running : (int64_t) running;
}

static GstFlowReturn
on_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  RecPipeline *pipeline = gst_pad_get_element_private (pad);
  GstCaps *caps = gst_pad_get_current_caps (pad);
  const int64_t pts_ns = to_running_time (pipeline, GST_BUFFER_PTS (buffer));

  (void) parent;
  pipeline->events.output (buffer, caps, pts_ns,
      GST_BUFFER_DTS_IS_VALID (buffer) ? to_running_time (pipeline, GST_BUFFER_DTS (buffer))
                                       : pts_ns,
      pipeline->data);
  gst_clear_caps (&caps);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
on_output_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  RecPipeline *pipeline = gst_pad_get_element_private (pad);

  (void) parent;
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    gst_event_copy_segment (event, &pipeline->segment);
  gst_event_unref (event);
  return TRUE;
}

static gboolean
on_input_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  RecPipeline *pipeline = gst_pad_get_element_private (pad);

  (void) parent;
  if (gst_video_event_is_force_key_unit (event) && pipeline->events.keyframe_wanted != NULL)
    pipeline->events.keyframe_wanted (pipeline->data);
  gst_event_unref (event);
  return TRUE;
}

/* A live source makes decoders hand out each picture at once. */
static gboolean
on_input_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

/* Anything goes, also another format than the last one: pictures change their size. */
static gboolean
on_output_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  g_autoptr (GstCaps) any = NULL;

  switch (GST_QUERY_TYPE (query)) {
  case GST_QUERY_ACCEPT_CAPS:
    gst_query_set_accept_caps_result (query, TRUE);
    return TRUE;
  case GST_QUERY_CAPS:
    gst_query_parse_caps (query, &any);
    any = any != NULL ? gst_caps_ref (any) : gst_caps_new_any ();
    gst_query_set_caps_result (query, any);
    return TRUE;
  default:
    return gst_pad_query_default (pad, parent, query);
  }
}

static void
check_pixels (RecPipeline *pipeline, int width, int height)
{
  if (pipeline->refusal == NULL && (int64_t) width * height > REC_PIPELINE_MAX_PIXELS)
    pipeline->refusal = g_strdup_printf ("%s: pictures of %dx%d pixels are too large",
        pipeline->name, width, height);
}

/* Caps say how large VP9 is to be shown, and only of keyframes. */
static void
check_vp9_frame (RecPipeline *pipeline, GstBuffer *buffer)
{
  int width, height;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  if (rec_vp9_read_size (map.data, map.size, &width, &height))
    check_pixels (pipeline, width, height);
  if (pipeline->refusal == NULL && rec_vp9_has_more (map.data, map.size))
    pipeline->refusal = g_strdup_printf ("%s: a frame of VP9 hides others", pipeline->name);
  gst_buffer_unmap (buffer, &map);
}

static void
check_size (RecPipeline *pipeline, GstEvent *event)
{
  int width = 0, height = 0;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "width", &width);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "height", &height);
  check_pixels (pipeline, width, height);
  pipeline->is_vp9 = gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-vp9");
}

/* Before the decoder makes room for such pictures: a few bytes may ask for gigabytes. */
static GstPadProbeReturn
on_decoder_input (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  RecPipeline *pipeline = data;

  (void) pad;
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_CAPS)
      return GST_PAD_PROBE_OK;
    check_size (pipeline, GST_PAD_PROBE_INFO_EVENT (info));
  } else if (pipeline->is_vp9) {
    check_vp9_frame (pipeline, GST_PAD_PROBE_INFO_BUFFER (info));
  }
  return pipeline->refusal != NULL ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void
guard_decoder (RecPipeline *pipeline)
{
  g_autoptr (GstElement) decoder = gst_bin_get_by_name (GST_BIN (pipeline->bin), "decoder");
  g_autoptr (GstPad) pad = NULL;

  if (decoder == NULL)
    return;
  pad = gst_element_get_static_pad (decoder, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER,
      on_decoder_input, pipeline, NULL);
}

static bool
take_bus_error (RecPipeline *pipeline, GError **error)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (pipeline->bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) cause = NULL;
  g_autofree char *debug = NULL;

  if (message == NULL)
    return false;
  gst_message_parse_error (message, &cause, &debug);
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "%s: %s: %s", pipeline->name,
      GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), cause->message);
  return true;
}

static bool
link_ends (RecPipeline *pipeline, GError **error)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (pipeline->bin, "sink");
  g_autoptr (GstPad) source = gst_element_get_static_pad (pipeline->bin, "src");

  pipeline->input = gst_object_ref_sink (gst_pad_new ("input", GST_PAD_SRC));
  pipeline->output = gst_object_ref_sink (gst_pad_new ("output", GST_PAD_SINK));
  gst_pad_set_element_private (pipeline->input, pipeline);
  gst_pad_set_element_private (pipeline->output, pipeline);
  gst_pad_set_event_function (pipeline->input, on_input_event);
  gst_pad_set_query_function (pipeline->input, on_input_query);
  gst_pad_set_event_function (pipeline->output, on_output_event);
  gst_pad_set_query_function (pipeline->output, on_output_query);
  gst_pad_set_chain_function (pipeline->output, on_buffer);
  gst_pad_set_active (pipeline->output, TRUE);
  gst_pad_set_active (pipeline->input, TRUE);

  if (sink == NULL || source == NULL || gst_pad_link (pipeline->input, sink) != GST_PAD_LINK_OK ||
      gst_pad_link (source, pipeline->output) != GST_PAD_LINK_OK) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "%s: the elements cannot be joined",
        pipeline->name);
    return false;
  }
  return true;
}

static bool
start (RecPipeline *pipeline, GstCaps *caps, GError **error)
{
  GstSegment segment;

  if (gst_element_set_state (pipeline->bin, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    if (!take_bus_error (pipeline, error))
      g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "%s: cannot start", pipeline->name);
    return false;
  }
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pipeline->input, gst_event_new_stream_start (pipeline->name));
  if (!gst_pad_push_event (pipeline->input, gst_event_new_caps (caps))) {
    if (!take_bus_error (pipeline, error))
      g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "%s: the format is not accepted",
          pipeline->name);
    return false;
  }
  gst_pad_push_event (pipeline->input, gst_event_new_segment (&segment));
  return true;
}

RecPipeline *
rec_pipeline_new (const RecPipelineRecipe *recipe, const RecPipelineEvents *events, void *data,
    GError **error)
{
  g_autoptr (RecPipeline) pipeline = g_new0 (RecPipeline, 1);
  g_autoptr (GError) cause = NULL;
  GstElement *bin;

  pipeline->name = g_strdup (recipe->name);
  pipeline->events = *events;
  pipeline->data = data;
  gst_segment_init (&pipeline->segment, GST_FORMAT_TIME);
  bin = gst_parse_bin_from_description_full (recipe->description, TRUE, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS, &cause);
  if (bin == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "%s: %s", recipe->name, cause->message);
    return NULL;
  }
  pipeline->bin = gst_object_ref_sink (bin);
  pipeline->bus = gst_bus_new ();
  gst_element_set_bus (pipeline->bin, pipeline->bus);
  guard_decoder (pipeline);

  if (!link_ends (pipeline, error) || !start (pipeline, recipe->caps, error))
    return NULL;
  return g_steal_pointer (&pipeline);
}

void
rec_pipeline_free (RecPipeline *pipeline)
{
  if (pipeline == NULL)
    return;
  if (pipeline->input != NULL)
    gst_pad_set_active (pipeline->input, FALSE);
  if (pipeline->output != NULL)
    gst_pad_set_active (pipeline->output, FALSE);
  if (pipeline->bin != NULL) {
    gst_element_set_state (pipeline->bin, GST_STATE_NULL);
    gst_element_set_bus (pipeline->bin, NULL);
  }
  gst_clear_object (&pipeline->input);
  gst_clear_object (&pipeline->output);
  gst_clear_object (&pipeline->bin);
  gst_clear_object (&pipeline->bus);
  g_free (pipeline->refusal);
  g_free (pipeline->name);
  g_free (pipeline);
}

/* Nobody else reads the bus: what is not an error is dropped. */
static bool
check_flow (RecPipeline *pipeline, GstFlowReturn flow, GError **error)
{
  if (take_bus_error (pipeline, error))
    return false;
  if (pipeline->refusal != NULL) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_TOO_LARGE, pipeline->refusal);
    return false;
  }
  if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "%s: %s", pipeline->name,
        gst_flow_get_name (flow));
    return false;
  }
  return true;
}

bool
rec_pipeline_push (RecPipeline *pipeline, GstBuffer *buffer, GError **error)
{
  return check_flow (pipeline, gst_pad_push (pipeline->input, buffer), error);
}

bool
rec_pipeline_finish (RecPipeline *pipeline, GError **error)
{
  gst_pad_push_event (pipeline->input, gst_event_new_eos ());
  return check_flow (pipeline, GST_FLOW_OK, error);
}

void
rec_pipeline_force_keyframe (RecPipeline *pipeline)
{
  gst_pad_push_event (pipeline->input,
      gst_video_event_new_downstream_force_key_unit (GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
          GST_CLOCK_TIME_NONE, TRUE, 0));
}
