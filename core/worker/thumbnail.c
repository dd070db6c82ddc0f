/* thumbnail.c - a bounded number of small pictures, evenly spread over a recording of unknown length. */
#define G_LOG_DOMAIN "rec.worker.thumbnail"
#include "worker/thumbnail.h"

#include "base/error.h"
#include "base/path.h"
#include "worker/pipeline.h"

#define MAX_PICTURES 32

typedef struct Small {
  int64_t step;
  GstBuffer *buffer;
} Small;

struct RecThumbnail {
  GstVideoInfo canvas, small;
  GstVideoConverter *converter;
  GArray *pictures; /* of Small */
  int64_t spacing;  /* in steps; doubles when there are too many */
};

static void
clear_small (gpointer data)
{
  gst_clear_buffer (&((Small *) data)->buffer);
}

RecThumbnail *
rec_thumbnail_new (const GstVideoInfo *canvas, int width)
{
  RecThumbnail *thumbnail = g_new0 (RecThumbnail, 1);
  int height;

  thumbnail->canvas = *canvas;
  thumbnail->spacing = 1;
  thumbnail->pictures = g_array_new (FALSE, TRUE, sizeof (Small));
  g_array_set_clear_func (thumbnail->pictures, clear_small);
  if (width <= 0)
    return thumbnail;
  width = MAX (width / 2 * 2, 2);
  height = MAX ((int) ((int64_t) width * canvas->height / canvas->width / 2 * 2), 2);
  gst_video_info_set_format (&thumbnail->small, GST_VIDEO_FORMAT_I420, (unsigned) width,
      (unsigned) height);
  thumbnail->small.colorimetry = canvas->colorimetry;
  thumbnail->small.chroma_site = canvas->chroma_site;
  thumbnail->small.fps_n = canvas->fps_n;
  thumbnail->small.fps_d = canvas->fps_d;
  thumbnail->converter = gst_video_converter_new (&thumbnail->canvas, &thumbnail->small, NULL);
  return thumbnail;
}

void
rec_thumbnail_free (RecThumbnail *thumbnail)
{
  if (thumbnail == NULL)
    return;
  g_clear_pointer (&thumbnail->converter, gst_video_converter_free);
  g_array_unref (thumbnail->pictures);
  g_free (thumbnail);
}

static void
thin_out (RecThumbnail *thumbnail)
{
  thumbnail->spacing *= 2;
  for (unsigned i = thumbnail->pictures->len; i > 0; i--)
    if (g_array_index (thumbnail->pictures, Small, i - 1).step % thumbnail->spacing != 0)
      g_array_remove_index (thumbnail->pictures, i - 1);
}

void
rec_thumbnail_offer (RecThumbnail *thumbnail, GstBuffer *canvas, int64_t step)
{
  Small small = { .step = step };
  GstVideoFrame from, to;

  if (thumbnail->converter == NULL || step % thumbnail->spacing != 0)
    return;
  if (!gst_video_frame_map (&from, &thumbnail->canvas, canvas, GST_MAP_READ))
    return;
  small.buffer = gst_buffer_new_allocate (NULL, thumbnail->small.size, NULL);
  if (gst_video_frame_map (&to, &thumbnail->small, small.buffer, GST_MAP_WRITE)) {
    gst_video_converter_frame (thumbnail->converter, &from, &to);
    gst_video_frame_unmap (&to);
  }
  gst_video_frame_unmap (&from);
  g_array_append_val (thumbnail->pictures, small);
  if (thumbnail->pictures->len > MAX_PICTURES)
    thin_out (thumbnail);
}

static GstBuffer *
find_nearest (RecThumbnail *thumbnail, int64_t step)
{
  const Small *best = NULL;

  for (unsigned i = 0; i < thumbnail->pictures->len; i++) {
    const Small *small = &g_array_index (thumbnail->pictures, Small, i);

    if (best == NULL || ABS (small->step - step) < ABS (best->step - step))
      best = small;
  }
  return best != NULL ? best->buffer : NULL;
}

typedef struct Jpeg {
  const char *path;
  bool is_written;
  GError *error;
} Jpeg;

static void
on_jpeg (GstBuffer *buffer, GstCaps *caps, int64_t pts_ns, int64_t dts_ns, void *data)
{
  Jpeg *jpeg = data;
  GstMapInfo map;

  (void) caps;
  (void) pts_ns;
  (void) dts_ns;
  if (jpeg->is_written || jpeg->error != NULL || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  jpeg->is_written = rec_path_write_file (jpeg->path, map.data, map.size, 0640, &jpeg->error);
  gst_buffer_unmap (buffer, &map);
}

bool
rec_thumbnail_write (RecThumbnail *thumbnail, int64_t n_steps, const char *path, GError **error)
{
  static const RecPipelineEvents events = { .output = on_jpeg };
  GstBuffer *picture = find_nearest (thumbnail, n_steps / 2);
  Jpeg jpeg = { .path = path };
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (RecPipeline) pipeline = NULL;
  RecPipelineRecipe recipe = { .name = "thumbnail", .description = "jpegenc quality=85" };

  if (picture == NULL)
    return true;
  recipe.caps = caps = gst_video_info_to_caps (&thumbnail->small);
  pipeline = rec_pipeline_new (&recipe, &events, &jpeg, error);
  if (pipeline == NULL || !rec_pipeline_push (pipeline, gst_buffer_copy (picture), error) ||
      !rec_pipeline_finish (pipeline, error))
    return false;
  if (jpeg.error != NULL) {
    g_propagate_error (error, jpeg.error);
    return false;
  }
  return jpeg.is_written;
}
