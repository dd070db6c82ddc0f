/* test-mp4.c - what the sink mp4 writes, judged by ffprobe and ffmpeg. */
#define _GNU_SOURCE
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/media-judge.h"
#include "lib/sink-rig.h"
#include "lib/small-disk.h"

#define MP4 "plugins/mp4.so"
#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS G_GINT64_CONSTANT (1000000)
#define VIDEO "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60"
#define REORDERED_VIDEO "x264enc speed-preset=ultrafast bframes=2 b-adapt=false key-int-max=60"
#define AAC "avenc_aac"
#define AAC_DELAY_NS 21333333 /* 1024 samples */
#define FRAME (1 / 30.0)
#define TICK_LEAD (477 / 48000.0) /* audiotestsrc begins a tick that long before the second */
#define PACKET (1024 / 48000.0)

#define assert_near(value, expected, tolerance)                                                    \
  g_assert_cmpfloat_with_epsilon (value, expected, tolerance)

static RecRigMedia *
make_media (const char *video, int64_t duration_ns)
{
  RecRigMedia *media = rec_rig_media_new (video, "sine", AAC, duration_ns);

  media->tracks[media->n_tracks - 1].codec_delay_ns = AAC_DELAY_NS;
  return media;
}

static RecRigPacket *
get_packet (RecRigMedia *media, uint32_t track_id, bool last)
{
  RecRigPacket *found = NULL;

  for (guint i = 0; i < media->packets->len && (found == NULL || last); i++) {
    RecRigPacket *packet = media->packets->pdata[i];

    if (packet->packet.track_id == track_id)
      found = packet;
  }
  return found;
}

static bool
exists (RecSinkRig *rig, const char *name)
{
  g_autofree char *path = rec_sink_rig_path (rig, name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static unsigned
count_files (RecSinkRig *rig)
{
  g_autoptr (GDir) folder = g_dir_open (rig->directory, 0, NULL);
  unsigned n_files = 0;

  while (g_dir_read_name (folder) != NULL)
    n_files++;
  return n_files;
}

/* --- ordinary recordings -------------------------------------------------------------------------- */

static void
test_is_ordinary (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = make_media (VIDEO, 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_assert_cmpuint (rig->files->len, ==, 1);
  g_assert_cmpstr (rig->files->pdata[0], ==, "film.mp4 video/mp4");
  g_assert_cmpuint (count_files (rig), ==, 1);

  g_autofree char *boxes = rec_judge_boxes (path);
  g_assert_cmpstr (boxes, ==, "ftyp mdat moov");
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (judgement->start, 0, 1e-6);
  assert_near (judgement->duration, 3, PACKET);
  assert_near (judgement->video.start, 0, 1e-6);
  assert_near (judgement->video.duration, 3, 1e-6);
  assert_near (judgement->audio.start, 0, 1e-6);
  g_assert_cmpuint (judgement->video.times->len, ==, 90);
  for (guint i = 0; i < 90; i++)
    assert_near (g_array_index (judgement->video.times, double, i), i * FRAME, 2e-5);
  rec_judge_decodes (path);
}

static void
test_plays_while_it_records (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = make_media (VIDEO, 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4.part");

  rec_sink_rig_record (rig, media);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (judgement->video.start, 0, 1e-6);
  g_assert_cmpfloat (judgement->video.duration, >=, 2.5);
  g_assert_cmpfloat ((double) rig->stored_ns, >=, 2.4e9);
  rec_judge_decodes (path);
}

static void
test_has_data_early (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = make_media (VIDEO, 1 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4.part");

  rec_sink_rig_open (rig);
  rec_sink_rig_add_track (rig, &media->tracks[0]);
  rec_sink_rig_add_track (rig, &media->tracks[1]);
  for (guint i = 0; i < media->packets->len; i++) {
    const RecRigPacket *packet = media->packets->pdata[i];

    if (packet->packet.dts_ns > 135 * MS)
      break;
    g_assert_true (rec_sink_rig_write (rig, &packet->packet));
  }
  g_assert_cmpint (rig->stored_ns, >=, 100 * MS);
  rec_judge_decodes (path);
}

/* The first loud sample from there on, in seconds. */
static double
find_tick (GArray *sound, double from)
{
  guint i = (guint) (from * 48000);

  while (i < sound->len && ABS (g_array_index (sound, int16_t, i)) < 3000)
    i++;
  return i / 48000.0;
}

static void
test_compensates_priming (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new (VIDEO, "ticks", AAC, 4 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  media->tracks[1].codec_delay_ns = AAC_DELAY_NS;
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);

  g_autoptr (GArray) sound = rec_judge_sound (path);
  g_assert_cmpuint (sound->len, >=, 4 * 48000 - 1024);
  assert_near (find_tick (sound, 0), 0, 0.001);
  for (guint second = 1; second < 4; second++)
    assert_near (find_tick (sound, second - 0.5), second - TICK_LEAD, 0.001);
}

static void
test_keeps_late_tracks_late (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new (VIDEO, "ticks", AAC, 2 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  media->tracks[1].codec_delay_ns = AAC_DELAY_NS;
  rec_rig_media_shift (media, 2, 1500 * MS);
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (judgement->video.start, 0, 1e-6);
  assert_near (judgement->audio.start, 1.5, 0.001);

  g_autoptr (GArray) sound = rec_judge_sound (path);
  assert_near (find_tick (sound, 0), 1.5, 0.001);
}

static void
test_keeps_late_video_late (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = make_media (VIDEO, 2 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  rec_rig_media_shift (media, 1, 700 * MS);
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (judgement->video.start, 0.7, 1e-4);
  assert_near (judgement->audio.start, 0, 1e-6);
  assert_near (judgement->duration, 2.7, 1e-3);
  rec_judge_decodes (path);
}

static void
test_keeps_reordered_frames (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = make_media (REORDERED_VIDEO, 2 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");
  const RecPacket *first = &get_packet (media, 1, false)->packet;

  g_assert_cmpint (first->dts_ns, <, first->pts_ns);
  rec_rig_media_shift (media, 1, -first->pts_ns); /* what is shown first is shown at 0 */
  g_assert_cmpint (get_packet (media, 1, false)->packet.dts_ns, <, 0);
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 60);
  for (guint i = 0; i < 60; i++)
    assert_near (g_array_index (judgement->video.times, double, i), i * FRAME, 2e-5);
  assert_near (judgement->video.duration, 2, 1e-4);
  rec_judge_decodes (path);
}

static void
test_cuts_what_is_before_zero (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new (VIDEO, "ticks", AAC, 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  media->tracks[1].codec_delay_ns = AAC_DELAY_NS;
  rec_rig_media_shift (media, 1, -100 * MS);
  rec_rig_media_shift (media, 2, -100 * MS);
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (judgement->start, 0, 1e-6);
  assert_near (judgement->duration, 2.9, PACKET);

  g_autoptr (GArray) sound = rec_judge_sound (path);
  assert_near (find_tick (sound, 0.4), 0.9 - TICK_LEAD, 0.001);
}

static void
test_ends_where_tracks_end (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = make_media (VIDEO, 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  rec_sink_rig_record (rig, media);
  g_assert_true (rig->plugin->end_track (rig->sink, 1, 3500 * MS, &rig->error));
  g_assert_true (rig->plugin->end_track (rig->sink, 2, 2500 * MS, &rig->error));
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (judgement->video.duration, 3.5, 1e-4);
  assert_near (judgement->audio.duration, 2.5, 1e-4);
  rec_judge_decodes (path);
}

static void
test_keeps_gaps (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = make_media (VIDEO, 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  for (guint i = media->packets->len; i-- > 0;) {
    const RecRigPacket *packet = media->packets->pdata[i];

    if (packet->packet.track_id == 1 && packet->packet.pts_ns > SECOND &&
        packet->packet.pts_ns < 1999 * MS)
      g_ptr_array_remove_index (media->packets, i);
  }
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 61);
  assert_near (g_array_index (judgement->video.times, double, 30), 1, 2e-5);
  assert_near (g_array_index (judgement->video.times, double, 31), 2, 2e-5);
  assert_near (judgement->video.duration, 3, 1e-6);
}

static void
test_makes_silent_films (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new (VIDEO, NULL, NULL, 2 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");

  rig->setup.has_audio = 0;
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_false (judgement->audio.is_there);
  assert_near (judgement->duration, 2, 1e-6);
  rec_judge_decodes (path);
}

/* --- names ---------------------------------------------------------------------------------------- */

static void
test_overwrites_nothing (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new_synthetic (SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");
  g_autofree char *text = NULL;

  rec_sink_rig_record (rig, media);
  g_assert_true (g_file_set_contents (path, "somebody else's", -1, NULL));
  rec_sink_rig_finish (rig);
  g_assert_cmpstr (rig->files->pdata[0], ==, "film-ses_A.mp4 video/mp4");
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "somebody else's");
  g_assert_cmpuint (count_files (rig), ==, 2);
}

static void
test_shares_a_name (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new_synthetic (SECOND);
  RecSinkSetup second_setup = rig->setup;
  void *first, *second;

  second_setup.recording_id = "ses_A-1";
  rec_sink_rig_record (rig, media);
  first = rig->sink;
  second = rig->plugin->open (&second_setup, &rig->error);
  g_assert_nonnull (second);
  rig->sink = second;
  rec_sink_rig_add_track (rig, &media->tracks[0]);
  g_assert_true (rec_sink_rig_write (rig, &get_packet (media, 1, false)->packet));
  g_assert_true (exists (rig, "film.mp4.part"));
  g_assert_true (exists (rig, "film-ses_A-1.mp4.part"));
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  rig->sink = first;
  rec_sink_rig_finish (rig);
  g_assert_true (exists (rig, "film.mp4"));
  g_assert_true (exists (rig, "film-ses_A.mp4"));
  g_assert_cmpuint (count_files (rig), ==, 2);
}

static void
test_refuses_paths (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);

  rig->setup.name = "../film";
  g_assert_null (rig->plugin->open (&rig->setup, &rig->error));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_INVALID);
  rig->setup.name = "film";
  rig->setup.directory = "/nowhere/at/all";
  g_assert_null (rig->plugin->open (&rig->setup, &rig->error));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_NOT_FOUND);
  g_assert_nonnull (strstr (rig->error.message, "/nowhere/at/all"));
}

static void
test_leaves_nothing_of_nothing (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);

  rec_sink_rig_open (rig);
  g_assert_false (rig->plugin->finish (rig->sink, REC_FINISH_NORMAL, &rig->error));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_NOT_FOUND);
  rec_sink_rig_close (rig);
  g_assert_cmpuint (count_files (rig), ==, 0);
}

/* --- refusals ------------------------------------------------------------------------------------- */

static void
test_says_what_it_needs (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  RecNeeds needs = { .size = sizeof needs };

  g_assert_true (rig->plugin->needs (&rig->setup, &needs, &rig->error));
  g_assert_cmpuint (needs.video_formats, ==, REC_FORMAT_H264_AVC);
  g_assert_cmpuint (needs.audio_formats, ==, REC_FORMAT_AAC_RAW);
  rig->setup.has_video = 0;
  needs = (RecNeeds){ .size = sizeof needs };
  g_assert_true (rig->plugin->needs (&rig->setup, &needs, &rig->error));
  g_assert_cmpuint (needs.video_formats, ==, 0);
  g_assert_cmpuint (needs.audio_formats, ==, REC_FORMAT_OPUS);
  rig->setup.has_audio = 0;
  g_assert_false (rig->plugin->needs (&rig->setup, &needs, &rig->error));
}

static void
test_refuses_other_tracks (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new_synthetic (SECOND);
  RecTrack track = media->tracks[0];
  RecPacket packet = get_packet (media, 1, false)->packet;

  rec_sink_rig_open (rig);
  track.format = REC_FORMAT_VP8;
  g_assert_false (rig->plugin->add_track (rig->sink, &track, &rig->error));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_UNSUPPORTED);
  track = media->tracks[0];
  track.codec_data = NULL;
  g_assert_false (rig->plugin->add_track (rig->sink, &track, &rig->error));
  track = media->tracks[1];
  track.codec_data_size = 0;
  g_assert_false (rig->plugin->add_track (rig->sink, &track, &rig->error));
  rec_sink_rig_add_track (rig, &media->tracks[0]);
  rec_sink_rig_add_track (rig, &media->tracks[1]);
  track = media->tracks[1];
  track.id = 3;
  g_assert_false (rig->plugin->add_track (rig->sink, &track, &rig->error));
  packet.track_id = 7;
  g_assert_false (rec_sink_rig_write (rig, &packet));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_INVALID);
}

/* --- no more room --------------------------------------------------------------------------------- */

/* Writes until the sink says that there is no room, finishes, and lets the file be judged. */
static void
record_until_full (RecSinkRig *rig, RecRigMedia *media)
{
  bool failed = false;

  rec_sink_rig_open (rig);
  rec_sink_rig_add_track (rig, &media->tracks[0]);
  rec_sink_rig_add_track (rig, &media->tracks[1]);
  for (guint i = 0; i < media->packets->len && !failed; i++)
    failed = !rec_sink_rig_write (rig, &((RecRigPacket *) media->packets->pdata[i])->packet);
  g_assert_true (failed);
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_NO_SPACE);
  g_assert_true (rig->plugin->finish (rig->sink, REC_FINISH_FAILED, &rig->error));
  rec_sink_rig_close (rig);
}

static void
test_survives_a_size_limit (void)
{
  g_autoptr (RecRigMedia) media = NULL;
  g_autoptr (RecSinkRig) rig = NULL;
  const struct rlimit limit = { 200000, 200000 };

  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed ();
    return;
  }
  media = make_media (VIDEO, 6 * SECOND);
  rig = rec_sink_rig_new (MP4);
  rec_sink_rig_set (rig, "reserve-kb", "0"); /* another file, with the same limit */
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  record_until_full (rig, media);

  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpfloat (judgement->video.duration, >, 0.9);
  rec_judge_decodes (path);
}

static void
test_completes_on_a_full_disk (void)
{
  g_autoptr (RecRigMedia) media = NULL;
  g_autoptr (RecSinkRig) rig = NULL;

  if (!g_test_subprocess ()) {
    if (!small_disk_can_mount ()) {
      g_test_skip ("no right to mount a small disk");
      return;
    }
    g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed ();
    return;
  }
  rig = rec_sink_rig_new (MP4);
  g_assert_true (small_disk_mount (rig->directory, 1));
  media = make_media (VIDEO, 20 * SECOND);
  rec_sink_rig_set (rig, "reserve-kb", "64");
  record_until_full (rig, media);

  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");
  g_autofree char *boxes = rec_judge_boxes (path);
  g_assert_cmpstr (boxes, ==, "ftyp mdat moov");
  g_assert_cmpuint (count_files (rig), ==, 1);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpfloat (judgement->video.duration, >, 4);
  rec_judge_decodes (path);
  g_assert_cmpint (umount2 (rig->directory, MNT_DETACH), ==, 0);
}

/* --- long recordings ------------------------------------------------------------------------------ */

/* Ten hours of packets: what finish costs does not depend on what is on the disk already. */
static void
test_stops_at_once_after_hours (void)
{
  const int64_t hours = 10, end_ns = hours * 3600 * SECOND;
  const int64_t frame_ns = SECOND / 30, sound_ns = 1024 * SECOND / 48000;
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_autoptr (RecRigMedia) media = rec_rig_media_new_synthetic (SECOND / 10);
  g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");
  RecPacket video = get_packet (media, 1, false)->packet;
  RecPacket sound = get_packet (media, 2, false)->packet;
  uint64_t n_frames = 0;

  rec_sink_rig_set (rig, "sync", "false");
  rec_sink_rig_set (rig, "fragment-ms", "1000");
  rec_sink_rig_open (rig);
  rec_sink_rig_add_track (rig, &media->tracks[0]);
  rec_sink_rig_add_track (rig, &media->tracks[1]);
  video.duration_ns = frame_ns;
  video.data_size = sound.data_size = 4;
  while (video.dts_ns < end_ns) {
    g_assert_true (rec_sink_rig_write (rig, &video));
    video.flags = ++n_frames % 60 == 0 ? REC_PACKET_KEYFRAME : 0;
    video.pts_ns = video.dts_ns = (int64_t) n_frames * SECOND / 30;
    while (sound.dts_ns < video.dts_ns) {
      g_assert_true (rec_sink_rig_write (rig, &sound));
      sound.pts_ns = sound.dts_ns += sound_ns;
    }
  }

  gint64 begin = g_get_monotonic_time ();
  rec_sink_rig_finish (rig);
  const double seconds = (double) (g_get_monotonic_time () - begin) / 1e6;
  g_test_message ("finish took %.3f s", seconds);
  g_assert_cmpfloat (seconds, <, 1);

  const char *const arguments[] = { "ffprobe", "-v", "error", "-show_entries",
    "format=duration:stream=nb_frames", "-of", "csv=p=0", path, NULL };
  g_autofree char *output = NULL, *complaints = NULL; /* of packets that hold no picture */
  g_autofree char *expected = g_strdup_printf ("%" G_GUINT64_FORMAT "\n", n_frames);
  g_assert_true (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
      &output, &complaints, NULL, NULL));
  g_assert_true (g_str_has_prefix (output, expected));
  g_assert_nonnull (strstr (output, "36000.0"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mp4/is-an-ordinary-file-in-the-end", test_is_ordinary);
  g_test_add_func ("/mp4/plays-while-it-records", test_plays_while_it_records);
  g_test_add_func ("/mp4/has-data-after-100-ms", test_has_data_early);
  g_test_add_func ("/mp4/compensates-priming", test_compensates_priming);
  g_test_add_func ("/mp4/keeps-late-sound-late", test_keeps_late_tracks_late);
  g_test_add_func ("/mp4/keeps-late-video-late", test_keeps_late_video_late);
  g_test_add_func ("/mp4/keeps-reordered-frames", test_keeps_reordered_frames);
  g_test_add_func ("/mp4/cuts-what-is-before-zero", test_cuts_what_is_before_zero);
  g_test_add_func ("/mp4/ends-where-its-tracks-end", test_ends_where_tracks_end);
  g_test_add_func ("/mp4/keeps-gaps", test_keeps_gaps);
  g_test_add_func ("/mp4/makes-silent-films", test_makes_silent_films);
  g_test_add_func ("/mp4/overwrites-nothing", test_overwrites_nothing);
  g_test_add_func ("/mp4/shares-a-name", test_shares_a_name);
  g_test_add_func ("/mp4/refuses-paths", test_refuses_paths);
  g_test_add_func ("/mp4/leaves-nothing-of-nothing", test_leaves_nothing_of_nothing);
  g_test_add_func ("/mp4/says-what-it-needs", test_says_what_it_needs);
  g_test_add_func ("/mp4/refuses-other-tracks", test_refuses_other_tracks);
  g_test_add_func ("/mp4/survives-a-size-limit", test_survives_a_size_limit);
  g_test_add_func ("/mp4/completes-on-a-full-disk", test_completes_on_a_full_disk);
  g_test_add_func ("/mp4/stops-at-once-after-hours", test_stops_at_once_after_hours);
  return g_test_run ();
}
