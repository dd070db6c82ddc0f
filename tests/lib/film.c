/* film.c - lets ffprobe and ffmpeg read a file and looks at what they give. */
#include "lib/film.h"

#include "base/json.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

#define NEAR 40

static GBytes *
run (const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = g_subprocess_newv (arguments,
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  GBytes *output = NULL;
  g_autoptr (GBytes) complaints = NULL;

  g_assert_no_error (error);
  g_subprocess_communicate (process, NULL, NULL, &output, &complaints, &error);
  g_assert_no_error (error);
  if (!g_subprocess_get_successful (process) || g_bytes_get_size (complaints) > 0)
    g_error ("%s: %.*s", arguments[0], (int) g_bytes_get_size (complaints),
        (const char *) g_bytes_get_data (complaints, NULL));
  return output;
}

static void
read_stream (RecFilm *film, json_object *stream)
{
  const bool is_video = g_str_equal (rec_json_string_or (stream, "codec_type", ""), "video");
  const char *codec = rec_json_string_or (stream, "codec_name", "");

  if (!is_video) {
    film->audio_codec = g_strdup (codec);
    film->audio_duration = g_ascii_strtod (rec_json_string_or (stream, "duration", "0"), NULL);
    return;
  }
  film->video_codec = g_strdup (codec);
  film->video_duration = g_ascii_strtod (rec_json_string_or (stream, "duration", "0"), NULL);
  film->width = (int) rec_json_int_or (stream, "width", 0);
  film->height = (int) rec_json_int_or (stream, "height", 0);
  film->frame_rate = g_ascii_strtod (rec_json_string_or (stream, "avg_frame_rate", "0"), NULL);
}

static void
probe (RecFilm *film, const char *path)
{
  const char *const arguments[] = { "ffprobe", "-v", "warning", "-of", "json", "-show_streams",
    "-show_format", path, NULL };
  g_autoptr (GBytes) output = run (arguments);
  g_autoptr (GError) error = NULL;
  gsize size;
  const char *text = g_bytes_get_data (output, &size);
  g_autoptr (RecJson) json = rec_json_parse (text, size, 1 << 20, &error);
  json_object *streams;

  g_assert_no_error (error);
  streams = rec_json_get (json, "streams");
  for (size_t i = 0; i < json_object_array_length (streams); i++)
    read_stream (film, json_object_array_get_idx (streams, i));
}

/* With what the file says about colours; ffmpeg assumes BT.601 where it says nothing. */
static void
read_frames (RecFilm *film, const char *path)
{
  const char *const arguments[] = { "ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-fps_mode",
    "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-", NULL };
  g_autoptr (GBytes) output = run (arguments);
  const gsize size = (gsize) film->width * (gsize) film->height * 3;

  g_assert_cmpuint (g_bytes_get_size (output) % size, ==, 0);
  for (gsize at = 0; at < g_bytes_get_size (output); at += size)
    g_ptr_array_add (film->frames, g_bytes_new_from_bytes (output, at, size));
}

static void
read_sound (RecFilm *film, const char *path)
{
  const char *const arguments[] = { "ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-af",
    "aresample=48000:async=1:first_pts=0,pan=mono|c0=0.5*c0+0.5*c1", "-f", "f32le", "-", NULL };
  g_autoptr (GBytes) output = run (arguments);
  gsize size;
  const void *data = g_bytes_get_data (output, &size);

  g_array_append_vals (film->sound, data, (unsigned) (size / sizeof (float)));
}

RecFilm *
rec_film_new (const char *path)
{
  RecFilm *film = g_new0 (RecFilm, 1);

  film->frames = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  film->sound = g_array_new (FALSE, FALSE, sizeof (float));
  film->video_duration = film->audio_duration = -1;
  probe (film, path);
  if (film->video_codec != NULL)
    read_frames (film, path);
  if (film->audio_codec != NULL)
    read_sound (film, path);
  return film;
}

void
rec_film_free (RecFilm *film)
{
  if (film == NULL)
    return;
  g_ptr_array_unref (film->frames);
  g_array_unref (film->sound);
  g_free (film->video_codec);
  g_free (film->audio_codec);
  g_free (film);
}

/* --- pictures -------------------------------------------------------------------------------------- */

uint32_t
rec_film_get_pixel (const RecFilm *film, unsigned frame, int x, int y)
{
  const uint8_t *pixel;

  g_assert_cmpuint (frame, <, film->frames->len);
  g_assert_true (x >= 0 && x < film->width && y >= 0 && y < film->height);
  pixel = g_bytes_get_data (film->frames->pdata[frame], NULL);
  pixel += (y * film->width + x) * 3;
  return (uint32_t) (pixel[0] << 16 | pixel[1] << 8 | pixel[2]);
}

bool
rec_film_is_near (uint32_t a, uint32_t b)
{
  for (int shift = 0; shift <= 16; shift += 8)
    if (abs ((int) ((a >> shift) & 255) - (int) ((b >> shift) & 255)) > NEAR)
      return false;
  return true;
}

void
rec_film_assert_pixel (const RecFilm *film, unsigned frame, int x, int y, uint32_t colour)
{
  const uint32_t seen = rec_film_get_pixel (film, frame, x, y);

  if (!rec_film_is_near (seen, colour))
    g_error ("frame %u of %u, pixel %d,%d: #%06x, expected #%06x", frame, film->frames->len, x, y,
        seen, colour);
}

static void
assert_ends (const RecFilm *film, unsigned frame, int x, int y, uint32_t colour)
{
  if (x < 0 || y < 0 || x >= film->width || y >= film->height)
    return;
  if (rec_film_is_near (rec_film_get_pixel (film, frame, x, y), colour))
    g_error ("frame %u, pixel %d,%d: still #%06x, outside of its tile", frame, x, y, colour);
}

void
rec_film_assert_box (const RecFilm *film, unsigned frame, int x, int y, int width, int height,
    uint32_t colour)
{
  const int right = x + width, bottom = y + height;
  const int centre_x = x + width / 2, centre_y = y + height / 2;

  rec_film_assert_pixel (film, frame, centre_x, centre_y, colour);
  rec_film_assert_pixel (film, frame, x + 2, y + 2, colour);
  rec_film_assert_pixel (film, frame, right - 3, y + 2, colour);
  rec_film_assert_pixel (film, frame, x + 2, bottom - 3, colour);
  rec_film_assert_pixel (film, frame, right - 3, bottom - 3, colour);
  assert_ends (film, frame, x - 3, centre_y, colour);
  assert_ends (film, frame, right + 2, centre_y, colour);
  assert_ends (film, frame, centre_x, y - 3, colour);
  assert_ends (film, frame, centre_x, bottom + 2, colour);
}

/* --- sound ----------------------------------------------------------------------------------------- */

static unsigned
to_index (const RecFilm *film, double seconds)
{
  return (unsigned) CLAMP (seconds * 48000, 0, film->sound->len);
}

double
rec_film_get_tone (const RecFilm *film, double hertz, double from, double to)
{
  const unsigned start = to_index (film, from), end = to_index (film, to);
  const double turn = 2 * G_PI * hertz / 48000;
  double last = 0, before = 0;

  g_assert_cmpuint (start, <, end);
  for (unsigned i = start; i < end; i++) {
    const double now = g_array_index (film->sound, float, i) + 2 * cos (turn) * last - before;

    before = last;
    last = now;
  }
  return 2 * sqrt (last * last + before * before - 2 * cos (turn) * last * before) / (end - start);
}

double
rec_film_get_peak (const RecFilm *film, double from, double to)
{
  double peak = 0;

  for (unsigned i = to_index (film, from); i < to_index (film, to); i++)
    peak = fmax (peak, fabs (g_array_index (film->sound, float, i)));
  return peak;
}
