/* compositor.c - paints pictures into their places, and only those that have changed.
 *
 * Browsers send pictures in BT.601 without saying so, and nobody converts: the canvas says BT.601 aloud. */
#define G_LOG_DOMAIN "rec.worker.compositor"
#include "worker/compositor.h"

#include <string.h>

typedef struct Slot {
  RecPlacement place;
  GstVideoConverter *converter; /* made for input */
  GstVideoInfo input;
  uint64_t serial; /* of the picture that is on the canvas */
  bool is_painted, is_black;
  GstBuffer *layer; /* of the picture's size, when it is not opaque */
  GstVideoInfo layer_info;
} Slot;

struct RecCompositor {
  GstVideoInfo info;
  GstCaps *caps;
  GArray *slots;   /* of Slot, in painting order */
  bool is_layered; /* something lies over something else: all is painted when anything changes */
  bool
      is_covered; /* each pixel belongs to the slot that paints it: nothing of the last canvas shines through */
  GstBuffer *canvas; /* the last picture handed out; never written again */
};

/* --- colours --------------------------------------------------------------------------------------- */

typedef struct Colour {
  uint8_t parts[3]; /* Y, U, V */
} Colour;

static const Colour black = { { 16, 128, 128 } };

static Colour
to_colour (uint32_t argb)
{
  const int red = (argb >> 16) & 255, green = (argb >> 8) & 255, blue = argb & 255;

  return (Colour){ {
      (uint8_t) (((66 * red + 129 * green + 25 * blue + 128) >> 8) + 16),
      (uint8_t) (((-38 * red - 74 * green + 112 * blue + 128) >> 8) + 128),
      (uint8_t) (((112 * red - 94 * green - 18 * blue + 128) >> 8) + 128),
  } };
}

/* --- planes ---------------------------------------------------------------------------------------- */

typedef struct Plane {
  uint8_t *data;
  int stride, width, height;
} Plane;

/* The part of a plane that lies in a box of even pixels. */
static Plane
get_plane (GstVideoFrame *frame, unsigned component, RecBox box)
{
  const int shift = component == 0 ? 0 : 1;
  const int stride = GST_VIDEO_FRAME_COMP_STRIDE (frame, component);
  uint8_t *data = GST_VIDEO_FRAME_COMP_DATA (frame, component);

  return (Plane){ data + (box.y >> shift) * stride + (box.x >> shift), stride, box.width >> shift,
    box.height >> shift };
}

static void
blend (Plane target, uint8_t value, unsigned alpha)
{
  for (int y = 0; y < target.height; y++) {
    uint8_t *line = target.data + y * target.stride;

    for (int x = 0; x < target.width; x++)
      line[x] = (uint8_t) ((line[x] * (255 - alpha) + value * alpha + 127) / 255);
  }
}

static void
fill (GstVideoFrame *canvas, RecBox box, Colour colour, unsigned alpha)
{
  for (unsigned component = 0; component < 3; component++) {
    Plane plane = get_plane (canvas, component, box);

    if (alpha == 255)
      for (int y = 0; y < plane.height; y++)
        memset (plane.data + y * plane.stride, colour.parts[component], (size_t) plane.width);
    else
      blend (plane, colour.parts[component], alpha);
  }
}

static void
blend_layer (GstVideoFrame *canvas, GstVideoFrame *layer, RecBox box, unsigned alpha)
{
  const RecBox all = { 0, 0, box.width, box.height };

  for (unsigned component = 0; component < 3; component++) {
    Plane target = get_plane (canvas, component, box), source = get_plane (layer, component, all);

    for (int y = 0; y < target.height; y++) {
      uint8_t *line = target.data + y * target.stride;
      const uint8_t *over = source.data + y * source.stride;

      for (int x = 0; x < target.width; x++)
        line[x] = (uint8_t) ((line[x] * (255 - alpha) + over[x] * alpha + 127) / 255);
    }
  }
}

/* --- slots ----------------------------------------------------------------------------------------- */

static void
clear_slot (gpointer data)
{
  Slot *slot = data;

  g_clear_pointer (&slot->converter, gst_video_converter_free);
  gst_clear_buffer (&slot->layer);
}

static bool
is_opaque (const Slot *slot)
{
  return slot->place.opacity >= 1;
}

static bool
overlap (RecBox a, RecBox b)
{
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

static bool
is_layered (GArray *slots)
{
  for (unsigned i = 0; i < slots->len; i++) {
    const Slot *slot = &g_array_index (slots, Slot, i);

    if (!is_opaque (slot))
      return true;
    for (unsigned j = 0; j < i; j++)
      if (overlap (slot->place.tile, g_array_index (slots, Slot, j).place.tile))
        return true;
  }
  return false;
}

static bool
is_box_equal (RecBox a, RecBox b)
{
  return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height;
}

/* Of slots that don't overlap. */
static bool
is_covered (const RecCompositor *compositor)
{
  int64_t area = 0;

  for (unsigned i = 0; i < compositor->slots->len; i++) {
    const RecPlacement *place = &g_array_index (compositor->slots, Slot, i).place;

    if (!is_box_equal (place->tile, place->picture) && place->background >> 24 != 255)
      return false;
    area += (int64_t) place->tile.width * place->tile.height;
  }
  return area == (int64_t) compositor->info.width * compositor->info.height;
}

void
rec_compositor_set_placements (RecCompositor *compositor, const RecPlacement *placements,
    unsigned n)
{
  g_array_set_size (compositor->slots, 0);
  for (unsigned i = 0; i < n; i++) {
    Slot slot = { .place = placements[i] };

    g_array_append_val (compositor->slots, slot);
  }
  compositor->is_layered = is_layered (compositor->slots);
  compositor->is_covered = !compositor->is_layered && is_covered (compositor);
  gst_clear_buffer (&compositor->canvas);
}

/* All streams count as BT.601, whatever the size makes GStreamer guess. */
static GstVideoInfo
to_input_info (const RecCompositor *compositor, const GstVideoInfo *info)
{
  GstVideoInfo input = *info;

  input.chroma_site = compositor->info.chroma_site;
  input.fps_n = compositor->info.fps_n; /* else the converter refuses */
  input.fps_d = compositor->info.fps_d;
  gst_video_colorimetry_from_string (&input.colorimetry, GST_VIDEO_COLORIMETRY_BT601);
  return input;
}

static void
prepare_converter (RecCompositor *compositor, Slot *slot, const GstVideoInfo *info)
{
  const GstVideoInfo input = to_input_info (compositor, info);
  const RecBox *source = &slot->place.source, *picture = &slot->place.picture;
  const bool is_direct = is_opaque (slot);
  GstVideoInfo *output = is_direct ? &compositor->info : &slot->layer_info;

  if (slot->converter != NULL && gst_video_info_is_equal (&slot->input, &input))
    return;
  g_clear_pointer (&slot->converter, gst_video_converter_free);
  if (!is_direct && slot->layer == NULL) {
    gst_video_info_set_format (&slot->layer_info, GST_VIDEO_FORMAT_I420, (unsigned) picture->width,
        (unsigned) picture->height);
    slot->layer_info.colorimetry = compositor->info.colorimetry;
    slot->layer_info.chroma_site = compositor->info.chroma_site;
    slot->layer_info.fps_n = compositor->info.fps_n;
    slot->layer_info.fps_d = compositor->info.fps_d;
    slot->layer = gst_buffer_new_allocate (NULL, slot->layer_info.size, NULL);
  }
  slot->input = input;
  slot->converter = gst_video_converter_new (&input, output,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, source->x,
          GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, source->y, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH,
          G_TYPE_INT, MIN (source->width, GST_VIDEO_INFO_WIDTH (&input) - source->x),
          GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT,
          MIN (source->height, GST_VIDEO_INFO_HEIGHT (&input) - source->y),
          GST_VIDEO_CONVERTER_OPT_DEST_X, G_TYPE_INT, is_direct ? picture->x : 0,
          GST_VIDEO_CONVERTER_OPT_DEST_Y, G_TYPE_INT, is_direct ? picture->y : 0,
          GST_VIDEO_CONVERTER_OPT_DEST_WIDTH, G_TYPE_INT, picture->width,
          GST_VIDEO_CONVERTER_OPT_DEST_HEIGHT, G_TYPE_INT, picture->height,
          GST_VIDEO_CONVERTER_OPT_FILL_BORDER, G_TYPE_BOOLEAN, FALSE,
          GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
          GST_VIDEO_RESAMPLER_METHOD_LINEAR, GST_VIDEO_CONVERTER_OPT_CHROMA_RESAMPLER_METHOD,
          GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR,
          GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT, 1, NULL));
}

/* --- painting -------------------------------------------------------------------------------------- */

static bool
is_usable (const RecPicture *picture)
{
  return picture != NULL && picture->buffer != NULL;
}

static bool
is_current (const Slot *slot, const RecPicture *picture)
{
  if (!slot->is_painted)
    return false;
  return is_usable (picture) ? !slot->is_black && slot->serial == picture->serial : slot->is_black;
}

static bool
has_changed (const RecCompositor *compositor, const RecPicture *const *pictures)
{
  for (unsigned i = 0; i < compositor->slots->len; i++)
    if (!is_current (&g_array_index (compositor->slots, Slot, i), pictures[i]))
      return true;
  return false;
}

static void
draw_picture (RecCompositor *compositor, GstVideoFrame *canvas, Slot *slot,
    const RecPicture *picture)
{
  GstVideoFrame input, layer;

  prepare_converter (compositor, slot, &picture->info);
  if (slot->converter == NULL ||
      !gst_video_frame_map (&input, &slot->input, picture->buffer, GST_MAP_READ)) {
    fill (canvas, slot->place.picture, black, 255); /* the canvas may be new memory */
    return;
  }
  if (is_opaque (slot)) {
    gst_video_converter_frame (slot->converter, &input, canvas);
  } else if (gst_video_frame_map (&layer, &slot->layer_info, slot->layer, GST_MAP_READWRITE)) {
    gst_video_converter_frame (slot->converter, &input, &layer);
    blend_layer (canvas, &layer, slot->place.picture,
        (unsigned) (slot->place.opacity * 255 + 0.5f));
    gst_video_frame_unmap (&layer);
  }
  gst_video_frame_unmap (&input);
}

static void
draw_slot (RecCompositor *compositor, GstVideoFrame *canvas, Slot *slot, const RecPicture *picture)
{
  const unsigned opacity = (unsigned) (slot->place.opacity * 255 + 0.5f);
  const unsigned alpha = (slot->place.background >> 24) * opacity / 255;

  if (alpha > 0)
    fill (canvas, slot->place.tile, to_colour (slot->place.background), alpha);
  if (slot->place.picture.width > 0) {
    if (is_usable (picture))
      draw_picture (compositor, canvas, slot, picture);
    else
      fill (canvas, slot->place.picture, black, opacity);
  }
  slot->is_painted = true;
  slot->is_black = !is_usable (picture);
  slot->serial = is_usable (picture) ? picture->serial : 0;
}

static void
copy_box (GstVideoFrame *canvas, GstVideoFrame *last, RecBox box)
{
  for (unsigned component = 0; component < 3; component++) {
    const Plane to = get_plane (canvas, component, box), from = get_plane (last, component, box);

    for (int y = 0; y < to.height; y++)
      memcpy (to.data + y * to.stride, from.data + y * from.stride, (size_t) to.width);
  }
}

/* Of the last canvas, what isn't painted over. */
static void
copy_last (RecCompositor *compositor, GstVideoFrame *canvas, GstVideoFrame *last,
    const RecPicture *const *pictures)
{
  if (!compositor->is_covered) {
    gst_video_frame_copy (canvas, last);
    return;
  }
  for (unsigned i = 0; i < compositor->slots->len; i++) {
    const Slot *slot = &g_array_index (compositor->slots, Slot, i);

    if (is_current (slot, pictures[i]))
      copy_box (canvas, last, slot->place.tile);
  }
}

/* A canvas that may be written: black when all is to be painted, else as the last one was. */
static GstBuffer *
start_canvas (RecCompositor *compositor, bool is_fresh, const RecPicture *const *pictures,
    GstVideoFrame *frame)
{
  const RecBox all = { 0, 0, compositor->info.width, compositor->info.height };
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, compositor->info.size, NULL);
  GstVideoFrame last;

  gst_video_frame_map (frame, &compositor->info, buffer, GST_MAP_READWRITE);
  if (is_fresh) {
    fill (frame, all, black, 255);
  } else if (gst_video_frame_map (&last, &compositor->info, compositor->canvas, GST_MAP_READ)) {
    copy_last (compositor, frame, &last, pictures);
    gst_video_frame_unmap (&last);
  }
  return buffer;
}

GstBuffer *
rec_compositor_paint (RecCompositor *compositor, const RecPicture *const *pictures)
{
  if (compositor->canvas == NULL || has_changed (compositor, pictures)) {
    const bool is_fresh = compositor->canvas == NULL || compositor->is_layered;
    GstVideoFrame frame;
    GstBuffer *canvas = start_canvas (compositor, is_fresh, pictures, &frame);

    for (unsigned i = 0; i < compositor->slots->len; i++) {
      Slot *slot = &g_array_index (compositor->slots, Slot, i);

      if (is_fresh || !is_current (slot, pictures[i]))
        draw_slot (compositor, &frame, slot, pictures[i]);
    }
    gst_video_frame_unmap (&frame);
    gst_clear_buffer (&compositor->canvas);
    compositor->canvas = canvas;
  }
  return gst_buffer_copy (compositor->canvas);
}

/* --- life ------------------------------------------------------------------------------------------ */

RecCompositor *
rec_compositor_new (int width, int height, int frame_rate)
{
  RecCompositor *compositor = g_new0 (RecCompositor, 1);

  gst_video_info_set_format (&compositor->info, GST_VIDEO_FORMAT_I420, (unsigned) width,
      (unsigned) height);
  compositor->info.fps_n = frame_rate;
  compositor->info.fps_d = 1;
  gst_video_colorimetry_from_string (&compositor->info.colorimetry, GST_VIDEO_COLORIMETRY_BT601);
  compositor->info.chroma_site = GST_VIDEO_CHROMA_SITE_H_COSITED;
  compositor->caps = gst_video_info_to_caps (&compositor->info);
  compositor->slots = g_array_new (FALSE, TRUE, sizeof (Slot));
  g_array_set_clear_func (compositor->slots, clear_slot);
  return compositor;
}

void
rec_compositor_free (RecCompositor *compositor)
{
  if (compositor == NULL)
    return;
  gst_clear_buffer (&compositor->canvas);
  g_array_unref (compositor->slots);
  gst_clear_caps (&compositor->caps);
  g_free (compositor);
}

GstCaps *
rec_compositor_get_caps (RecCompositor *compositor)
{
  return compositor->caps;
}

const GstVideoInfo *
rec_compositor_get_info (RecCompositor *compositor)
{
  return &compositor->info;
}
