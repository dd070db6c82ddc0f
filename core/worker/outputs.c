/* outputs.c - joins sinks with equal needs to one encoder each. */
#define G_LOG_DOMAIN "rec.worker.outputs"
#include "worker/outputs.h"

#include "base/error.h"

typedef struct Output {
  RecEncoderRecipe recipe;
  RecEncoder *encoder;
  GPtrArray *sinks; /* of RecSinkRunner, borrowed */
  RecOutputs *outputs;
} Output;

struct RecOutputs {
  GPtrArray *all; /* of Output */
  RecOutputsEvents events;
  void *data;
};

static void
free_output (gpointer data)
{
  Output *output = data;

  rec_encoder_free (output->encoder);
  g_ptr_array_unref (output->sinks);
  g_free (output);
}

/* --- from the encoder's thread --------------------------------------------------------------------- */

static void
on_track (RecEncoder *encoder, const RecTrack *track, void *data)
{
  Output *output = data;

  (void) encoder;
  for (unsigned i = 0; i < output->sinks->len; i++)
    rec_sink_runner_add_track (output->sinks->pdata[i], track);
}

static void
on_packet (RecEncoder *encoder, RecEncodedPacket *packet, void *data)
{
  Output *output = data;

  (void) encoder;
  for (unsigned i = 0; i < output->sinks->len; i++)
    rec_sink_runner_push (output->sinks->pdata[i], packet);
}

static void
on_failed (RecEncoder *encoder, const GError *error, void *data)
{
  Output *output = data;

  (void) encoder;
  output->outputs->events.failed (error->message, output->outputs->data);
}

/* --- needs -> recipes ------------------------------------------------------------------------------ */

static uint32_t
choose (uint32_t offered, uint32_t first, uint32_t second)
{
  if (offered & first)
    return first;
  return offered & second;
}

static int
lower (int ours, uint32_t limit)
{
  return limit > 0 && limit < (uint32_t) ours ? (int) limit : ours;
}

static bool
make_video_recipe (const RecNeeds *needs, const RecEncoderRecipe *base, RecEncoderRecipe *recipe)
{
  *recipe = *base;
  recipe->format = choose (needs->video_formats, REC_FORMAT_H264_AVC, REC_FORMAT_H264_ANNEXB);
  recipe->keyframe_interval_ms = lower (base->keyframe_interval_ms, needs->max_gop_ms);
  recipe->max_bitrate = MAX (lower (base->max_bitrate, needs->max_video_bitrate / 1000), 1);
  return recipe->format != 0;
}

/* Beside pictures AAC, which every player takes in an MP4; alone Opus, which is better. */
static bool
make_audio_recipe (const RecNeeds *needs, const RecEncoderRecipe *base, bool has_video,
    RecEncoderRecipe *recipe)
{
  *recipe = *base;
  recipe->format = has_video ? choose (needs->audio_formats, REC_FORMAT_AAC_RAW, REC_FORMAT_OPUS)
                             : choose (needs->audio_formats, REC_FORMAT_OPUS, REC_FORMAT_AAC_RAW);
  recipe->audio_bitrate = MAX (lower (base->audio_bitrate, needs->max_audio_bitrate / 1000), 1);
  return recipe->format != 0;
}

static Output *
find_output (RecOutputs *outputs, const RecEncoderRecipe *recipe)
{
  for (unsigned i = 0; i < outputs->all->len; i++) {
    Output *output = outputs->all->pdata[i];

    if (rec_encoder_recipe_equal (&output->recipe, recipe))
      return output;
  }
  return NULL;
}

static bool
join (RecOutputs *outputs, RecSinkRunner *sink, const RecEncoderRecipe *recipe, GstCaps *caps,
    GError **error)
{
  static const RecEncoderEvents events = {
    .track = on_track,
    .packet = on_packet,
    .failed = on_failed,
  };
  Output *output = find_output (outputs, recipe);

  if (output == NULL) {
    output = g_new0 (Output, 1);
    output->recipe = *recipe;
    output->outputs = outputs;
    output->sinks = g_ptr_array_new ();
    g_ptr_array_add (outputs->all, output);
    output->encoder = rec_encoder_new (recipe, caps, outputs->all->len, &events, output, error);
    if (output->encoder == NULL)
      return false;
  }
  g_ptr_array_add (output->sinks, sink);
  return true;
}

static bool
join_sink (RecOutputs *outputs, RecSinkRunner *sink, const RecEncoderRecipe *base, GstCaps *video,
    GstCaps *audio, GError **error)
{
  const RecNeeds *needs = rec_sink_runner_get_needs (sink);
  RecEncoderRecipe recipe;

  if (video != NULL && make_video_recipe (needs, base, &recipe) &&
      !join (outputs, sink, &recipe, video, error))
    return false;
  return audio == NULL || !make_audio_recipe (needs, base, video != NULL, &recipe) ||
         join (outputs, sink, &recipe, audio, error);
}

/* --- life ------------------------------------------------------------------------------------------ */

RecOutputs *
rec_outputs_new (GPtrArray *sinks, const RecEncoderRecipe *base, GstCaps *video, GstCaps *audio,
    const RecOutputsEvents *events, void *data, GError **error)
{
  RecOutputs *outputs = g_new0 (RecOutputs, 1);

  outputs->all = g_ptr_array_new_with_free_func (free_output);
  outputs->events = *events;
  outputs->data = data;
  for (unsigned i = 0; i < sinks->len; i++)
    if (rec_sink_runner_get_mode (sinks->pdata[i]) == REC_MODE_COMPOSED &&
        !join_sink (outputs, sinks->pdata[i], base, video, audio, error)) {
      rec_outputs_free (outputs);
      return NULL;
    }
  return outputs;
}

void
rec_outputs_free (RecOutputs *outputs)
{
  if (outputs == NULL)
    return;
  g_ptr_array_unref (outputs->all);
  g_free (outputs);
}

unsigned
rec_outputs_count_tracks (RecOutputs *outputs, RecSinkRunner *sink)
{
  unsigned n = 0;

  for (unsigned i = 0; i < outputs->all->len; i++)
    n += g_ptr_array_find (((Output *) outputs->all->pdata[i])->sinks, sink, NULL);
  return n;
}

/* --- pushing --------------------------------------------------------------------------------------- */

static void
push (RecOutputs *outputs, bool is_video, GstBuffer *buffer)
{
  for (unsigned i = 0; i < outputs->all->len; i++) {
    Output *output = outputs->all->pdata[i];

    if (rec_encoder_is_video (&output->recipe) == is_video)
      rec_encoder_push (output->encoder, gst_buffer_copy (buffer));
  }
  gst_buffer_unref (buffer);
}

void
rec_outputs_push_video (RecOutputs *outputs, GstBuffer *buffer)
{
  push (outputs, true, buffer);
}

void
rec_outputs_push_audio (RecOutputs *outputs, GstBuffer *buffer)
{
  push (outputs, false, buffer);
}

void
rec_outputs_finish (RecOutputs *outputs)
{
  for (unsigned i = 0; i < outputs->all->len; i++)
    rec_encoder_finish (((Output *) outputs->all->pdata[i])->encoder);
}

void
rec_outputs_force_keyframe (RecOutputs *outputs)
{
  for (unsigned i = 0; i < outputs->all->len; i++) {
    Output *output = outputs->all->pdata[i];

    if (rec_encoder_is_video (&output->recipe))
      rec_encoder_force_keyframe (output->encoder);
  }
}
