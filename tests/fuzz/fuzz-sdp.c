/* fuzz-sdp.c - what clients say of their media: offers for both directions, and candidates. */
#include "fuzz/fuzz.h"

#include "media/sdp.h"

#include <string.h>

static const char *const codecs[] = { "VP8", "H264", NULL };

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  return 0;
}

static void
check_offer (const char *text, const RecSdpWish *wish)
{
  const RecSdpAnswerFacts facts = { .msid = "str_CAM_1", .max_video_kbps = 1000 };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecSdpOffer) offer = rec_sdp_offer_parse (text, wish, &error);

  g_assert_true ((offer == NULL) == (error != NULL));
  if (offer == NULL)
    return;
  g_assert_cmpuint (offer->n_tracks, <=, REC_SDP_MAX_TRACKS);
  (void) rec_sdp_is_bundle_section (offer, "0", 0);
  /* The reduced offer answers itself as far as its form goes, and is understood again. */
  g_autofree char *answer = rec_sdp_complete_answer (offer, offer->text, &facts, NULL);
  g_autoptr (RecSdpOffer) again = rec_sdp_offer_parse (offer->text, wish, NULL);
  if (again != NULL)
    g_assert_cmpuint (again->n_tracks, <=, offer->n_tracks);
  g_autofree char *of_client = rec_sdp_complete_answer (offer, text, &facts, NULL);
}

static void
check_candidate (const char *text)
{
  if (!rec_sdp_is_usable_candidate (text))
    return;
  g_autofree char *outside = rec_sdp_dup_candidate_outside (text, "192.0.2.7");
  g_assert_nonnull (outside);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const RecTrackFormat audio = {
    .kind = REC_TRACK_AUDIO, .codec = "OPUS", .payload_type = 111, .clock_rate = 48000
  };
  static const RecTrackFormat video = {
    .kind = REC_TRACK_VIDEO, .codec = "VP8", .payload_type = 96, .clock_rate = 90000
  };
  g_autofree char *text = g_strndup ((const char *) data, size);

  check_offer (text, &(RecSdpWish){ .video_codecs = codecs });
  check_offer (text, &(RecSdpWish){ .video_codecs = codecs, .sends_back = true });
  check_offer (text, &(RecSdpWish){ .sends = true, .audio = &audio, .video = &video });
  check_candidate (text);
  return 0;
}
