/* test-hostile.c - publishers that send nonsense: the recording goes on, and they are seen again when they mend. */
#include "lib/film.h"
#include "lib/worker-rig.h"

#include "base/json.h"

#include <gst/gst.h>
#include <string.h>

#define RED 0xff0000
#define GREEN 0x00c000

#define RTP_HEADER 12

static const RecRigOptions small = { .width = 320, .height = 240, .frame_rate = 15 };

static RecFixture *
make_plain (const char *codec, int width, int height, double seconds, uint32_t colour)
{
  return rec_fixture_video (&(RecVideoFixture){ .codec = codec,
      .width = width,
      .height = height,
      .frame_rate = 15,
      .n_frames = (int) (seconds * 15 + 0.5),
      .keyframe_every = 5,
      .colour = colour });
}

static RecFilm *
finish (RecWorkerRig *rig, double at)
{
  g_autofree char *path = NULL;

  rec_worker_rig_stop (rig, at);
  g_assert_true (rec_json_bool_or (rig->finished, "ok", false));
  path = rec_worker_rig_get_file (rig, ".mp4");
  return rec_film_new (path);
}

typedef void (*Spoil) (uint8_t *bytes, gsize size, GRand *random);

static void
spoil (RecFixture *fixture, Spoil call)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (unsigned i = 0; i < fixture->packets->len; i++) {
    RecFixturePacket *packet = fixture->packets->pdata[i];
    gsize size;
    uint8_t *bytes = g_bytes_unref_to_data (packet->rtp, &size);

    call (bytes, size, random);
    packet->rtp = g_bytes_new_take (bytes, size);
  }
}

/* What lies behind the headers: depayloaders take it, decoders cannot. */
static void
randomize_body (uint8_t *bytes, gsize size, GRand *random)
{
  for (gsize i = RTP_HEADER + 4; i < size; i++)
    bytes[i] = (uint8_t) g_rand_int_range (random, 0, 256);
}

static void
randomize_all (uint8_t *bytes, gsize size, GRand *random)
{
  for (gsize i = RTP_HEADER; i < size; i++)
    bytes[i] = (uint8_t) g_rand_int_range (random, 0, 256);
}

/* Where a key frame's start code is, its sides follow; NULL: it has none. */
static uint8_t *
find_start_code (uint8_t *bytes, gsize size, const uint8_t code[3])
{
  for (gsize i = RTP_HEADER; i + 8 <= size && i < RTP_HEADER + 40; i++)
    if (memcmp (bytes + i, code, 3) == 0)
      return bytes + i;
  return NULL;
}

static const uint8_t vp8_code[3] = { 0x9d, 0x01, 0x2a }, vp9_code[3] = { 0x49, 0x83, 0x42 };

/* 16383 pixels square, as VP8 and as VP9 write it. */
static void
make_giant (uint8_t *bytes, gsize size, GRand *random G_GNUC_UNUSED)
{
  static const uint8_t vp9_sides[5] = { 0x03, 0xff, 0xe3, 0xff, 0xe0 };
  uint8_t *code = find_start_code (bytes, size, vp8_code);

  if (code != NULL) {
    code[3] = code[5] = 0xff;
    code[4] = code[6] = 0x3f;
  } else if ((code = find_start_code (bytes, size, vp9_code)) != NULL) {
    memcpy (code + 3, vp9_sides, sizeof vp9_sides);
  }
}

static void
break_start_code (uint8_t *bytes, gsize size, GRand *random G_GNUC_UNUSED)
{
  uint8_t *code = find_start_code (bytes, size, vp8_code);

  if (code != NULL)
    memset (code, 0, 3);
}

/* Opus that claims to hold 63 frames of 20 ms, where 120 ms are the most. */
static void
make_long (uint8_t *bytes, gsize size, GRand *random G_GNUC_UNUSED)
{
  g_assert_cmpuint (size, >, RTP_HEADER + 2);
  bytes[RTP_HEADER] = 0xff;
  bytes[RTP_HEADER + 1] = 0x3f;
}

typedef struct {
  const char *codec;
  Spoil spoil;
} Nonsense;

static void
test_is_seen_again_after_nonsense (gconstpointer data)
{
  const Nonsense *nonsense = data;
  g_autoptr (RecFixture) video = make_plain ("VP8", 160, 120, 1, RED);
  g_autoptr (RecFixture) broken = make_plain (nonsense->codec, 160, 120, 26, GREEN);
  g_autoptr (RecFixture) mended = make_plain (nonsense->codec, 160, 120, 3, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  spoil (broken, nonsense->spoil);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", nonsense->codec, false, 1 }, broken, 1);
  rec_worker_rig_queue (rig, 2, mended, 27);
  film = finish (rig, 30);
  g_assert_cmpuint (film->frames->len, ==, 450);
  rec_film_assert_pixel (film, 448, 80, 120, RED);
  rec_film_assert_pixel (film, 448, 240, 120, GREEN);
}

static void
test_is_heard_again_after_nonsense (void)
{
  g_autoptr (RecFixture) first = rec_fixture_tone (440, 1);
  g_autoptr (RecFixture) broken = rec_fixture_tone (440, 1);
  g_autoptr (RecFixture) last = rec_fixture_tone (880, 1.5);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  spoil (broken, make_long);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, first, 0);
  rec_worker_rig_queue (rig, 1, broken, 1);
  rec_worker_rig_queue (rig, 1, last, 2);
  film = finish (rig, 3.5);
  g_assert_true (rec_worker_rig_has_note (rig, "OPUS of stream 'a'"));
  g_assert_cmpfloat (rec_film_get_tone (film, 440, 0.1, 0.9), >, 0.3);
  g_assert_cmpfloat (rec_film_get_tone (film, 440, 1.2, 1.8), <, 0.01);
  g_assert_cmpfloat (rec_film_get_tone (film, 880, 2.2, 3.3), >, 0.3);
}

/* A few bytes of key frame that ask for hundreds of megabytes. */
static void
test_giant_pictures_are_refused (gconstpointer data)
{
  const char *codec = data;
  g_autoptr (RecFixture) video = make_plain ("VP8", 160, 120, 3, RED);
  g_autoptr (RecFixture) giant = make_plain (codec, 160, 120, 1, GREEN);
  g_autoptr (RecFixture) mended = make_plain (codec, 160, 120, 1, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autofree char *name = g_strdup_printf ("/proc/%d/status", (int) rig->pid);
  g_autofree char *status = NULL;
  g_autoptr (RecFilm) film = NULL;
  int64_t peak_kb;

  spoil (giant, make_giant);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", codec, false, 1 }, giant, 0.5);
  rec_worker_rig_queue (rig, 2, mended, 2);
  rec_worker_rig_flush (rig);
  rec_worker_rig_wait (rig, &rig->has_started, "start");
  rec_worker_rig_run_for (rig, 0.5);
  g_assert_true (g_file_get_contents (name, &status, NULL, NULL));
  peak_kb = g_ascii_strtoll (strstr (status, "VmHWM:") + strlen ("VmHWM:"), NULL, 10);
  g_test_message ("peak %" G_GINT64_FORMAT " kB", peak_kb);
  g_assert_cmpint (peak_kb, <, 400000);
  film = finish (rig, 3);
  g_assert_cmpuint (film->frames->len, ==, 45);
  rec_film_assert_pixel (film, 44, 80, 120, RED);
  rec_film_assert_pixel (film, 44, 240, 120, GREEN);
}

static void
test_resolution_changes_every_second (void)
{
  static const int sizes[][2] = { { 160, 120 }, { 320, 180 }, { 64, 48 }, { 640, 360 }, { 90, 160 },
    { 1280, 720 }, { 16, 16 }, { 162, 122 } };
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_worker_rig_add_track (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 });
  for (unsigned i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (RecFixture)
        video = make_plain ("VP8", sizes[i][0], sizes[i][1], 1, i % 2 == 0 ? RED : GREEN);

    rec_worker_rig_queue (rig, 1, video, i);
  }
  film = finish (rig, 8);
  g_assert_cmpuint (film->frames->len, ==, 120);
  for (unsigned i = 0; i < G_N_ELEMENTS (sizes); i++)
    rec_film_assert_pixel (film, i * 15 + 10, 160, 120, i % 2 == 0 ? RED : GREEN);
}

/* Times of tomorrow and of yesterday do not move anything else, and what follows is heard. */
static void
test_sound_with_wild_times_is_survived (void)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) first = rec_fixture_tone (440, 1);
  g_autoptr (RecFixture) wild = rec_fixture_tone (440, 0.5);
  g_autoptr (RecFixture) last = rec_fixture_tone (880, 1.5);
  g_autoptr (RecFilm) film = NULL;

  options.is_live = true;
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, first, 0);
  rec_worker_rig_flush_live (rig);
  rec_worker_rig_queue (rig, 1, wild, 4 * 3600);
  rec_worker_rig_queue (rig, 1, wild, -100);
  rec_worker_rig_flush (rig);
  rec_worker_rig_queue (rig, 1, last, 1.5);
  rec_worker_rig_flush_live (rig);
  film = finish (rig, 3);
  g_assert_cmpfloat_with_epsilon (film->video_duration, 3, 0.1);
  g_assert_cmpfloat (rec_film_get_tone (film, 440, 0.1, 0.9), >, 0.3);
  g_assert_cmpfloat (rec_film_get_tone (film, 880, 1.8, 2.8), >, 0.3);
}

/* Thousands of packets with next to nothing in them, held back by a time that has not come yet. */
static void
test_tiny_packets_count_for_what_they_cost (void)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) tiny = make_plain ("VP8", 160, 120, 1, RED);
  RecFixturePacket *first = tiny->packets->pdata[0];
  GBytes *whole = first->rtp;

  options.is_live = true;
  options.sink_queue_bytes = 200000;
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&options);
  g_ptr_array_set_size (tiny->packets, 1);
  first->rtp = g_bytes_new_from_bytes (whole, 0, RTP_HEADER + 1);
  g_bytes_unref (whole);
  rec_worker_rig_add_track (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 });
  for (unsigned i = 0; i < 2000; i++)
    rec_worker_rig_queue (rig, 1, tiny,
        (double) (g_get_monotonic_time () * 1000 - rig->start_ns) / 1e9 + 0.8);
  rec_worker_rig_flush (rig);
  while (rig->stats == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (rec_json_int_or (rig->stats, "packetsIn", 0), ==, 2000);
  g_assert_cmpint (rec_json_int_or (rig->stats, "packetsDropped", 0), >, 1000);
}

int
main (int argc, char **argv)
{
  static const Nonsense vp8 = { "VP8", break_start_code }, vp8_body = { "VP8", randomize_body },
                        vp8_all = { "VP8", randomize_all }, h264 = { "H264", randomize_body },
                        h264_all = { "H264", randomize_all }, vp9_body = { "VP9", randomize_body },
                        vp9_all = { "VP9", randomize_all };

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_data_func ("/hostile/is-seen-again-after-nonsense/vp8-header", &vp8,
      test_is_seen_again_after_nonsense);
  g_test_add_data_func ("/hostile/is-seen-again-after-nonsense/vp8-body", &vp8_body,
      test_is_seen_again_after_nonsense);
  g_test_add_data_func ("/hostile/is-seen-again-after-nonsense/vp8", &vp8_all,
      test_is_seen_again_after_nonsense);
  g_test_add_data_func ("/hostile/is-seen-again-after-nonsense/h264-body", &h264,
      test_is_seen_again_after_nonsense);
  g_test_add_data_func ("/hostile/is-seen-again-after-nonsense/h264", &h264_all,
      test_is_seen_again_after_nonsense);
  g_test_add_data_func ("/hostile/is-seen-again-after-nonsense/vp9-body", &vp9_body,
      test_is_seen_again_after_nonsense);
  g_test_add_data_func ("/hostile/is-seen-again-after-nonsense/vp9", &vp9_all,
      test_is_seen_again_after_nonsense);
  g_test_add_func ("/hostile/is-heard-again-after-nonsense", test_is_heard_again_after_nonsense);
  g_test_add_data_func ("/hostile/giant-pictures-are-refused/vp8", "VP8",
      test_giant_pictures_are_refused);
  g_test_add_data_func ("/hostile/giant-pictures-are-refused/vp9", "VP9",
      test_giant_pictures_are_refused);
  g_test_add_func ("/hostile/tiny-packets-count-for-what-they-cost",
      test_tiny_packets_count_for_what_they_cost);
  g_test_add_func ("/hostile/resolution-changes-every-second",
      test_resolution_changes_every_second);
  g_test_add_func ("/hostile/sound-with-wild-times-is-survived",
      test_sound_with_wild_times_is_survived);
  return g_test_run ();
}
