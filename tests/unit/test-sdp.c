/* test-sdp.c - what of a browser's offer is taken, and how the answer to it looks. */
#include "media/sdp.h"

#include <string.h>

#include "base/error.h"

static const char *const vp8_first[] = { "VP8", "H264", NULL };
static const char *const vp9_last[] = { "VP8", "H264", "VP9", NULL };
static const char *const h264_only[] = { "H264", NULL };

/* What webrtcbin says to a reduced offer of audio and video. */
static const char *const endpoint_answer =
    "v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE wrong\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
    "a=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 something=else\r\n"
    "a=ssrc:17 cname:here\r\na=ssrc:17 msid:other other\r\na=recvonly\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=msid:other other\r\n"
    "a=rtpmap:96 VP8/90000\r\na=ssrc:18 cname:here\r\na=recvonly\r\n";

static char *
read_offer (const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/tests/unit/offers/%s.sdp", REC_SOURCE_DIR, name);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static char *
replace (const char *text, const char *old, const char *new)
{
  g_auto (GStrv) parts = g_strsplit (text, old, 0);

  g_assert_cmpuint (g_strv_length (parts), >, 1);
  return g_strjoinv (new, parts);
}

static RecSdpOffer *
parse (const char *text, const RecSdpWish *wish)
{
  g_autoptr (GError) error = NULL;
  RecSdpOffer *offer = rec_sdp_offer_parse (text, wish, &error);

  g_assert_no_error (error);
  g_assert_nonnull (offer);
  return offer;
}

static RecSdpOffer *
parse_publish (const char *name, const char *const *codecs)
{
  g_autofree char *text = read_offer (name);

  return parse (text, &(RecSdpWish){ .video_codecs = codecs });
}

static void
assert_refused (const char *text, const RecSdpWish *wish, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_sdp_offer_parse (text, wish, &error));
  g_assert_error (error, REC_ERROR, code);
}

static unsigned
count (const char *text, const char *part)
{
  unsigned n = 0;

  for (const char *at = text; (at = strstr (at, part)) != NULL; at += strlen (part))
    n++;
  return n;
}

static void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("\"%s\" is missing in:\n%s", part, text);
}

static void
assert_lacks (const char *text, const char *part)
{
  if (strstr (text, part) != NULL)
    g_error ("\"%s\" is unexpected in:\n%s", part, text);
}

static void
assert_format (const RecSdpTrack *track, RecTrackKind kind, const char *codec,
    unsigned payload_type, int rtx_payload_type)
{
  g_assert_cmpint (track->format.kind, ==, kind);
  g_assert_cmpstr (track->format.codec, ==, codec);
  g_assert_cmpuint (track->format.payload_type, ==, payload_type);
  g_assert_cmpuint (track->format.clock_rate, ==, kind == REC_TRACK_AUDIO ? 48000 : 90000);
  g_assert_cmpint (track->rtx_payload_type, ==, rtx_payload_type);
}

/* --- what is taken ------------------------------------------------------------------------------------- */

static void
takes_opus_and_vp8_of_chromium (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", vp8_first);

  g_assert_cmpuint (offer->n_tracks, ==, 2);
  assert_format (&offer->tracks[0], REC_TRACK_AUDIO, "OPUS", 111, -1);
  assert_format (&offer->tracks[1], REC_TRACK_VIDEO, "VP8", 96, 97);
  g_assert_cmpstr (offer->tracks[0].format.fmtp, ==, "minptime=10;useinbandfec=1");
  g_assert_cmpstr (offer->tracks[1].format.fmtp, ==, "");
  g_assert_cmpstr (offer->tracks[1].mid, ==, "1");
}

static void
keeps_nothing_else_of_the_codecs (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", vp8_first);

  assert_has (offer->text, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n");
  assert_has (offer->text, "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n");
  assert_has (offer->text, "a=rtcp-fb:96 nack\r\n");
  assert_has (offer->text, "a=rtcp-fb:96 nack pli\r\n");
  assert_has (offer->text, "a=rtcp-fb:96 transport-cc\r\n");
  assert_has (offer->text,
      "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc");
  assert_has (offer->text, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
  assert_has (offer->text, "a=ssrc-group:FID ");
  g_assert_cmpuint (count (offer->text, "a=extmap:"), ==, 4);
  g_assert_cmpuint (count (offer->text, "a=rtpmap:"), ==, 3);
  assert_lacks (offer->text, "goog-remb");
  assert_lacks (offer->text, "red/");
  assert_lacks (offer->text, "a=rtcp-xr");
}

/* Whatever names a source stays in GStreamer's memory for good. */
static void
keeps_few_lines_of_sources (void)
{
  g_autofree char *publish = read_offer ("chromium-publish");
  g_autoptr (GString) text = g_string_new (publish);
  g_autoptr (GError) error = NULL;
  const RecSdpWish wish = { .video_codecs = vp8_first };

  for (unsigned i = 0; i < 100; i++)
    g_string_append_printf (text, "a=ssrc:%u cname:here\r\na=ssrc-group:FID %u %u\r\n", 100 + i,
        100 + i, 1000 + i);
  g_autoptr (RecSdpOffer) offer = rec_sdp_offer_parse (text->str, &wish, &error);
  g_assert_no_error (error);
  assert_has (offer->text, "a=ssrc:260142752 cname:MUPCunFxe5QB3NmF\r\n");
  assert_has (offer->text, "a=ssrc-group:FID 412172126 4215911223\r\n");
  assert_has (offer->text, "a=ssrc:4215911223 cname:");
  assert_lacks (offer->text, "a=ssrc:260142752 msid:");
  g_assert_cmpuint (count (offer->text, "a=ssrc"), ==, 1 + 8);
}

static void
prefers_constrained_baseline_in_one_packetization (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", h264_only);

  assert_format (&offer->tracks[1], REC_TRACK_VIDEO, "H264", 108, 109);
  g_assert_cmpstr (offer->tracks[1].format.fmtp, ==,
      "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
}

static void
takes_the_second_codec_when_the_first_is_missing (void)
{
  g_autofree char *text = read_offer ("chromium-publish");
  g_autofree char *without = replace (text, " VP8/90000", " X-VP8/90000");
  g_autoptr (RecSdpOffer) offer = parse (without, &(RecSdpWish){ .video_codecs = vp8_first });

  g_assert_cmpstr (offer->tracks[1].format.codec, ==, "H264");
}

static char *
without_vp8_and_h264 (const char *name)
{
  g_autofree char *text = read_offer (name);
  g_autofree char *without = replace (text, " VP8/90000", " X-VP8/90000");

  return replace (without, " H264/90000", " X-H264/90000");
}

static void
takes_vp9_of_who_offers_nothing_better (void)
{
  g_autofree char *text = without_vp8_and_h264 ("chromium-publish");
  const RecSdpWish wish = { .video_codecs = vp9_last };
  g_autoptr (RecSdpOffer) better = parse_publish ("chromium-publish", vp9_last);
  g_autoptr (RecSdpOffer) offer = parse (text, &wish);

  assert_format (&better->tracks[1], REC_TRACK_VIDEO, "VP8", 96, 97);
  assert_format (&offer->tracks[1], REC_TRACK_VIDEO, "VP9", 98, 99);
  assert_has (offer->text, "a=rtcp-fb:98 nack pli\r\n");
  assert_lacks (offer->text, "profile-id=2");
}

static void
takes_no_vp9_of_more_bits (void)
{
  g_autofree char *text = without_vp8_and_h264 ("chromium-publish");
  g_autofree char *deep = replace (text, "profile-id=0", "profile-id=2");
  g_autofree char *unnamed = replace (text, "a=fmtp:98 profile-id=0\r\n", "");
  const RecSdpWish wish = { .video_codecs = vp9_last };
  g_autoptr (RecSdpOffer) offer = parse (unnamed, &wish);

  assert_format (&offer->tracks[1], REC_TRACK_VIDEO, "VP9", 98, 99);
  assert_refused (deep, &wish, REC_ERROR_UNPROCESSABLE);
}

static void
refuses_an_offer_without_the_forced_codec (void)
{
  g_autofree char *text = read_offer ("chromium-publish");
  g_autofree char *without = replace (text, " H264/90000", " X-H264/90000");

  assert_refused (without, &(RecSdpWish){ .video_codecs = h264_only }, REC_ERROR_UNPROCESSABLE);
}

static void
takes_firefox (void)
{
  g_autoptr (RecSdpOffer) vp8 = parse_publish ("firefox-publish", vp8_first);
  g_autoptr (RecSdpOffer) h264 = parse_publish ("firefox-publish", h264_only);

  assert_format (&vp8->tracks[0], REC_TRACK_AUDIO, "OPUS", 109, -1);
  assert_format (&vp8->tracks[1], REC_TRACK_VIDEO, "VP8", 120, 124);
  assert_format (&h264->tracks[1], REC_TRACK_VIDEO, "H264", 126, 127);
  /* Its fingerprint stands in front of the m-lines. */
  g_assert_cmpuint (count (vp8->text, "a=fingerprint:"), ==, 1);
  g_assert_cmpuint (vp8->tracks[1].twcc_id, ==, 7);
}

static void
takes_video_in_front (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-video-first", vp8_first);

  g_assert_cmpint (offer->tracks[0].format.kind, ==, REC_TRACK_VIDEO);
  g_assert_cmpint (offer->tracks[1].format.kind, ==, REC_TRACK_AUDIO);
  assert_has (offer->text, "a=group:BUNDLE 0 1\r\n");
}

static void
only_receives_from_a_loopback_offer (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-loopback", vp8_first);

  g_assert_cmpuint (offer->n_tracks, ==, 2);
  g_assert_cmpuint (count (offer->text, "a=sendonly\r\n"), ==, 2);
  assert_lacks (offer->text, "a=sendrecv");
}

static RecSdpOffer *
parse_loopback (void)
{
  g_autofree char *text = read_offer ("chromium-loopback");

  return parse (text, &(RecSdpWish){ .video_codecs = vp8_first, .sends_back = true });
}

static void
sends_back_what_a_client_takes (void)
{
  g_autoptr (RecSdpOffer) loopback = parse_loopback ();
  g_autofree char *text = read_offer ("chromium-publish");
  g_autoptr (RecSdpOffer)
      sendonly = parse (text, &(RecSdpWish){ .video_codecs = vp8_first, .sends_back = true });

  g_assert_cmpuint (count (loopback->text, "a=sendrecv\r\n"), ==, 2);
  assert_has (loopback->text, "a=rtcp-fb:96 transport-cc\r\n");
  g_assert_cmpuint (count (sendonly->text, "a=sendonly\r\n"), ==, 2);
}

static void
leaves_out_what_the_client_only_receives (void)
{
  g_autofree char *text = read_offer ("chromium-publish");
  char *video = strstr (text, "m=video");
  g_autofree char *receiving = replace (video, "a=sendonly", "a=recvonly");

  *video = '\0';
  g_autofree char *mixed = g_strconcat (text, receiving, NULL);
  g_autoptr (RecSdpOffer) offer = parse (mixed, &(RecSdpWish){ .video_codecs = vp8_first });

  g_assert_cmpuint (offer->n_tracks, ==, 1);
  assert_has (offer->text, "a=group:BUNDLE 0\r\n");
}

static void
takes_a_bundled_line_without_a_port (void)
{
  g_autofree char *text = read_offer ("chromium-publish");
  g_autofree char *rejected = replace (text, "m=video 9", "m=video 0");
  g_autofree char *bundled = replace (rejected, "a=mid:1", "a=mid:1\r\na=bundle-only");
  g_autoptr (RecSdpOffer) one = parse (rejected, &(RecSdpWish){ .video_codecs = vp8_first });
  g_autoptr (RecSdpOffer) two = parse (bundled, &(RecSdpWish){ .video_codecs = vp8_first });

  g_assert_cmpuint (one->n_tracks, ==, 1);
  g_assert_cmpuint (two->n_tracks, ==, 2);
}

static void
refuses_what_is_no_offer (void)
{
  static const char *const broken[] = { "", "hello", "v=0", "v=0\r\nm=audio\r\n",
    "v=0\r\nm=audio nine UDP 1 2\r\n", "v=0\r\nm=audio 99999 UDP/TLS/RTP/SAVPF 111\r\n",
    "v=0\r\n\xff\xfe", "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n" };
  g_autofree char *text = read_offer ("chromium-publish");
  g_autofree char *unbundled = replace (text, "a=group:BUNDLE 0 1", "a=group:BUNDLE 0");
  g_autofree char *without_mids = replace (text, "a=mid:", "a=mud:");
  g_autofree char *padding = g_strnfill (100000, 'x');
  g_autofree char *long_one = g_strconcat (text, "a=", padding, "\r\n", NULL);
  GString *many = g_string_new ("v=0\r\n");
  GString *formats = g_string_new ("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF");

  for (unsigned i = 0; i < G_N_ELEMENTS (broken); i++)
    assert_refused (broken[i], &(RecSdpWish){ .video_codecs = vp8_first },
        REC_ERROR_INVALID_ARGUMENT);
  for (unsigned i = 0; i < 1000; i++)
    g_string_append_printf (formats, " %u", i);
  assert_refused (formats->str, &(RecSdpWish){ .video_codecs = vp8_first },
      REC_ERROR_INVALID_ARGUMENT);
  assert_refused (long_one, &(RecSdpWish){ .video_codecs = vp8_first }, REC_ERROR_INVALID_ARGUMENT);
  for (unsigned i = 0; i < 1000; i++)
    g_string_append (many, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n");
  assert_refused (many->str, &(RecSdpWish){ .video_codecs = vp8_first },
      REC_ERROR_INVALID_ARGUMENT);
  assert_refused (unbundled, &(RecSdpWish){ .video_codecs = vp8_first },
      REC_ERROR_INVALID_ARGUMENT);
  assert_refused (without_mids, &(RecSdpWish){ .video_codecs = vp8_first },
      REC_ERROR_INVALID_ARGUMENT);
  g_string_free (many, TRUE);
  g_string_free (formats, TRUE);
}

static void
survives_an_offer_cut_anywhere (void)
{
  g_autofree char *text = read_offer ("chromium-data-channel");

  for (size_t length = strlen (text); length > 0; length--) {
    g_autoptr (GError) error = NULL;

    text[length - 1] = '\0';
    g_autoptr (RecSdpOffer)
        offer = rec_sdp_offer_parse (text, &(RecSdpWish){ .video_codecs = vp8_first }, &error);
    g_assert_true ((offer != NULL) == (error == NULL));
  }
}

/* --- subscribers ----------------------------------------------------------------------------------------- */

static const RecTrackFormat opus = {
  .kind = REC_TRACK_AUDIO, .codec = "OPUS", .clock_rate = 48000
};
static const RecTrackFormat vp8 = { .kind = REC_TRACK_VIDEO, .codec = "VP8", .clock_rate = 90000 };
static const RecTrackFormat main_h264 = { .kind = REC_TRACK_VIDEO,
  .codec = "H264",
  .clock_rate = 90000,
  .fmtp = "profile-level-id=4d001f;packetization-mode=1" };

static void
sends_a_subscriber_what_the_publisher_has (void)
{
  g_autofree char *text = read_offer ("chromium-subscribe");
  RecSdpWish wish = { .sends = true, .audio = &opus, .video = &vp8 };
  g_autoptr (RecSdpOffer) offer = parse (text, &wish);

  assert_format (&offer->tracks[0], REC_TRACK_AUDIO, "OPUS", 111, -1);
  assert_format (&offer->tracks[1], REC_TRACK_VIDEO, "VP8", 96, 97);
  assert_lacks (offer->text, "a=extmap");
  assert_lacks (offer->text, "transport-cc");
  g_assert_cmpuint (count (offer->text, "a=recvonly\r\n"), ==, 2);
}

static void
matches_the_h264_profile (void)
{
  g_autofree char *text = read_offer ("chromium-subscribe");
  RecSdpWish wish = { .sends = true, .audio = &opus, .video = &main_h264 };
  g_autoptr (RecSdpOffer) offer = parse (text, &wish);

  g_assert_nonnull (strstr (offer->tracks[1].format.fmtp, "profile-level-id=4d001f"));
  g_assert_nonnull (strstr (offer->tracks[1].format.fmtp, "packetization-mode=1"));
}

static void
refuses_a_subscriber_without_the_codec (void)
{
  g_autofree char *text = read_offer ("chromium-subscribe");
  g_autofree char *without = replace (text, " VP8/90000", " X-VP8/90000");
  g_autofree char *single = replace (text, "packetization-mode=1", "packetization-mode=0");
  RecSdpWish wish = { .sends = true, .audio = &opus, .video = &vp8 };

  assert_refused (without, &wish, REC_ERROR_UNPROCESSABLE);
  wish.video = &main_h264;
  assert_refused (single, &wish, REC_ERROR_UNPROCESSABLE);
}

static void
sends_vp9_to_who_can_receive_it (void)
{
  g_autofree char *text = read_offer ("chromium-subscribe");
  g_autofree char *without = replace (text, " VP9/90000", " X-VP9/90000");
  const RecTrackFormat vp9 = {
    .kind = REC_TRACK_VIDEO, .codec = "VP9", .clock_rate = 90000, .fmtp = "profile-id=0"
  };
  const RecSdpWish wish = { .sends = true, .audio = &opus, .video = &vp9 };
  g_autoptr (RecSdpOffer) offer = parse (text, &wish);
  g_autoptr (GError) error = NULL;

  assert_format (&offer->tracks[1], REC_TRACK_VIDEO, "VP9", 98, 99);
  g_assert_null (rec_sdp_offer_parse (without, &wish, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_UNPROCESSABLE);
  assert_has (error->message, "coded as VP9");
}

static void
rejects_the_m_line_of_a_track_that_is_not_there (void)
{
  g_autofree char *text = read_offer ("chromium-subscribe");
  RecSdpWish wish = { .sends = true, .audio = &opus };
  g_autoptr (RecSdpOffer) offer = parse (text, &wish);

  g_assert_cmpuint (offer->n_tracks, ==, 1);
  g_assert_cmpint (offer->tracks[0].format.kind, ==, REC_TRACK_AUDIO);
}

/* --- the answer --------------------------------------------------------------------------------------------- */

static char *
complete (const RecSdpOffer *offer, const char *answer, const RecSdpAnswerFacts *facts)
{
  g_autoptr (GError) error = NULL;
  char *complete_answer = rec_sdp_complete_answer (offer, answer, facts, &error);

  g_assert_no_error (error);
  return complete_answer;
}

static void
answers_every_m_line_in_order (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-data-channel", vp8_first);
  g_autofree char *answer = complete (offer, endpoint_answer, &(RecSdpAnswerFacts){ 0 });
  const char *audio = strstr (answer, "m=audio 9 "), *video = strstr (answer, "m=video 9 ");
  const char *data = strstr (answer, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");

  g_assert_true (audio != NULL && video > audio && data > video);
  assert_has (data, "a=mid:2\r\n");
  assert_has (answer, "a=group:BUNDLE 0 1\r\n");
  assert_lacks (answer, "BUNDLE wrong");
  g_assert_cmpuint (count (answer, "m="), ==, 3);
}

static void
answers_with_the_offered_parameters (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", vp8_first);
  g_autofree char *answer = complete (offer, endpoint_answer, &(RecSdpAnswerFacts){ 0 });

  assert_has (answer, "a=fmtp:111 minptime=10;useinbandfec=1\r\n");
  assert_lacks (answer, "something=else");
}

static void
names_the_stream_on_both_m_lines (void)
{
  g_autoptr (RecSdpOffer) offer = parse_loopback ();
  g_autofree char *answer =
      complete (offer, endpoint_answer, &(RecSdpAnswerFacts){ .msid = "str_1" });

  assert_has (answer, "a=msid:str_1 str_1-audio\r\n");
  assert_has (answer, "a=msid:str_1 str_1-video\r\n");
  assert_has (answer, "a=ssrc:17 msid:str_1 str_1-audio\r\n");
  assert_has (answer, "a=ssrc:18 msid:str_1 str_1-video\r\n");
  assert_has (answer, "a=ssrc:18 cname:here\r\n");
  assert_lacks (answer, "msid:other");
}

static void
limits_the_bandwidth_of_video (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", vp8_first);
  g_autofree char *answer =
      complete (offer, endpoint_answer, &(RecSdpAnswerFacts){ .max_video_kbps = 600 });
  const char *video = strstr (answer, "m=video");

  assert_has (video, "c=IN IP4 0.0.0.0\r\nb=AS:600\r\nb=TIAS:600000\r\n");
  g_assert_cmpuint (count (answer, "b=AS:"), ==, 1);
}

static void
puts_candidates_where_all_goes_through (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", vp8_first);
  g_autoptr (GPtrArray) candidates = g_ptr_array_new ();
  g_ptr_array_add (candidates, "candidate:1 1 UDP 2015363327 192.0.2.7 40000 typ host");
  g_autofree char *answer =
      complete (offer, endpoint_answer, &(RecSdpAnswerFacts){ .candidates = candidates });
  const char *video = strstr (answer, "m=video");

  assert_lacks (video, "a=candidate:");
  assert_has (answer, "a=candidate:1 1 UDP 2015363327 192.0.2.7 40000 typ host\r\n");
}

static void
refuses_an_answer_that_does_not_fit (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", vp8_first);
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_sdp_complete_answer (offer, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
      &(RecSdpAnswerFacts){ 0 }, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_FAILED);
}

/* --- candidates ---------------------------------------------------------------------------------------------- */

static void
resolves_no_candidate (void)
{
  g_assert_true (rec_sdp_is_usable_candidate (
      "candidate:610356846 1 udp 2122194687 192.0.2.2 33288 typ host generation 0 network-id 1"));
  g_assert_true (rec_sdp_is_usable_candidate (
      "a=candidate:4010250126 1 UDP 2122265343 fd00::2 60070 typ host generation 0"));
  g_assert_false (rec_sdp_is_usable_candidate (
      "candidate:1 1 udp 2113937151 0b3ff8e5-e04e-4f2e-9954-4ea3ab03c2e9.local 46052 typ host"));
  g_assert_false (
      rec_sdp_is_usable_candidate ("candidate:1 1 udp 2113937151 media.example 46052 typ host"));
  g_assert_false (rec_sdp_is_usable_candidate (
      "candidate:3670776570 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0"));
  g_autofree char *padding = g_strnfill (100000, 'x');
  g_autofree char *long_one =
      g_strconcat ("candidate:1 1 udp 1 192.0.2.2 1 typ host ", padding, NULL);
  g_assert_false (rec_sdp_is_usable_candidate (long_one));
  g_assert_false (rec_sdp_is_usable_candidate (""));
  g_assert_false (rec_sdp_is_usable_candidate ("candidate:"));
  g_assert_false (
      rec_sdp_is_usable_candidate ("candidate:1 1 udp 1 192.0.2.2 1 typ host\r\na=ice-lite"));
}

static void
knows_the_candidates_of_the_bundle (void)
{
  g_autoptr (RecSdpOffer) offer = parse_publish ("chromium-publish", vp8_first);

  g_assert_true (rec_sdp_is_bundle_section (offer, "0", 0));
  g_assert_true (rec_sdp_is_bundle_section (offer, NULL, 0));
  g_assert_true (rec_sdp_is_bundle_section (offer, "", 0));
  g_assert_false (rec_sdp_is_bundle_section (offer, "1", 1));
  g_assert_false (rec_sdp_is_bundle_section (offer, NULL, 1));
}

static void
shows_the_external_address_of_host_candidates (void)
{
  g_autofree char *host = rec_sdp_dup_candidate_outside (
      "candidate:1 1 UDP 2015363327 10.0.0.5 40000 typ host", "203.0.113.9");
  g_autofree char *relayed = rec_sdp_dup_candidate_outside (
      "candidate:2 1 UDP 1 198.51.100.1 40000 typ relay raddr 10.0.0.5 rport 1", "203.0.113.9");

  g_assert_cmpstr (host, ==, "candidate:1 1 UDP 2015363327 203.0.113.9 40000 typ host");
  g_assert_cmpstr (relayed, ==,
      "candidate:2 1 UDP 1 198.51.100.1 40000 typ relay raddr 10.0.0.5 rport 1");
}

static void
keeps_unusable_candidates_out_of_the_offer (void)
{
  g_autofree char *text = read_offer ("chromium-publish");
  g_autofree char *with = replace (text, "a=mid:0\r\n",
      "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.2 33288 typ host\r\n"
      "a=candidate:2 1 udp 1 some.local 33288 typ host\r\n");
  g_autoptr (RecSdpOffer) offer = parse (with, &(RecSdpWish){ .video_codecs = vp8_first });

  g_assert_cmpuint (count (offer->text, "a=candidate:"), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/sdp/" name, function)
  ADD ("takes-opus-and-vp8-of-chromium", takes_opus_and_vp8_of_chromium);
  ADD ("keeps-nothing-else-of-the-codecs", keeps_nothing_else_of_the_codecs);
  ADD ("keeps-few-lines-of-sources", keeps_few_lines_of_sources);
  ADD ("prefers-constrained-baseline", prefers_constrained_baseline_in_one_packetization);
  ADD ("takes-the-second-codec", takes_the_second_codec_when_the_first_is_missing);
  ADD ("refuses-an-offer-without-the-forced-codec", refuses_an_offer_without_the_forced_codec);
  ADD ("takes-firefox", takes_firefox);
  ADD ("takes-video-in-front", takes_video_in_front);
  ADD ("only-receives-from-a-loopback-offer", only_receives_from_a_loopback_offer);
  ADD ("sends-back-what-a-client-takes", sends_back_what_a_client_takes);
  ADD ("leaves-out-what-the-client-only-receives", leaves_out_what_the_client_only_receives);
  ADD ("takes-a-bundled-line-without-a-port", takes_a_bundled_line_without_a_port);
  ADD ("refuses-what-is-no-offer", refuses_what_is_no_offer);
  ADD ("survives-an-offer-cut-anywhere", survives_an_offer_cut_anywhere);
  ADD ("sends-a-subscriber-what-the-publisher-has", sends_a_subscriber_what_the_publisher_has);
  ADD ("takes-vp9-of-who-offers-nothing-better", takes_vp9_of_who_offers_nothing_better);
  ADD ("takes-no-vp9-of-more-bits", takes_no_vp9_of_more_bits);
  ADD ("sends-vp9-to-who-can-receive-it", sends_vp9_to_who_can_receive_it);
  ADD ("matches-the-h264-profile", matches_the_h264_profile);
  ADD ("refuses-a-subscriber-without-the-codec", refuses_a_subscriber_without_the_codec);
  ADD ("rejects-the-m-line-of-a-missing-track", rejects_the_m_line_of_a_track_that_is_not_there);
  ADD ("answers-every-m-line-in-order", answers_every_m_line_in_order);
  ADD ("answers-with-the-offered-parameters", answers_with_the_offered_parameters);
  ADD ("names-the-stream-on-both-m-lines", names_the_stream_on_both_m_lines);
  ADD ("limits-the-bandwidth-of-video", limits_the_bandwidth_of_video);
  ADD ("puts-candidates-where-all-goes-through", puts_candidates_where_all_goes_through);
  ADD ("refuses-an-answer-that-does-not-fit", refuses_an_answer_that_does_not_fit);
  ADD ("resolves-no-candidate", resolves_no_candidate);
  ADD ("knows-the-candidates-of-the-bundle", knows_the_candidates_of_the_bundle);
  ADD ("shows-the-external-address", shows_the_external_address_of_host_candidates);
  ADD ("keeps-unusable-candidates-out", keeps_unusable_candidates_out_of_the_offer);
  return g_test_run ();
}
