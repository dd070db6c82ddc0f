/* sdp.c - the offer filter: chooses codecs and reduces the offer to them. */
#define G_LOG_DOMAIN "rec.media.sdp"
#include "media/sdp.h"

#include <string.h>

#include "base/error.h"
#include "media/sdp-section.h"

#define MAX_OFFER_BYTES 65536
/* GStreamer makes a name of each SSRC with each of its attributes, and keeps names for ever. */
#define MAX_SOURCE_LINES 8
#define URI_MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define URI_TWCC "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* --- choosing a codec ------------------------------------------------------------------------------- */

/* The value of "name=" in a list "a=1;b=2", or NULL. Free it. */
static char *
dup_parameter (const char *fmtp, const char *name)
{
  g_auto (GStrv) parameters = g_strsplit (fmtp, ";", 0);

  for (char **parameter = parameters; *parameter != NULL; parameter++) {
    char *equals = strchr (*parameter, '=');

    if (equals == NULL)
      continue;
    *equals = '\0';
    if (g_ascii_strcasecmp (g_strstrip (*parameter), name) == 0)
      return g_strdup (g_strstrip (equals + 1));
  }
  return NULL;
}

typedef struct {
  int packetization_mode;
  char profile[5]; /* profile_idc and constraints: "42e0" */
} H264Format;

static void
parse_h264 (const char *fmtp, H264Format *format)
{
  g_autofree char *mode = dup_parameter (fmtp, "packetization-mode");
  g_autofree char *level = dup_parameter (fmtp, "profile-level-id");

  format->packetization_mode = mode != NULL && strcmp (mode, "1") == 0 ? 1 : 0;
  g_strlcpy (format->profile, level != NULL ? level : "420010", sizeof format->profile);
  for (char *c = format->profile; *c != '\0'; c++)
    *c = g_ascii_tolower (*c);
}

/* 0: unfit. Larger is better. `sent` is what we have to send, NULL when we receive. */
static int
rank_h264 (const char *fmtp, const RecTrackFormat *sent)
{
  H264Format offered, given;

  parse_h264 (fmtp, &offered);
  if (sent == NULL) {
    int rank = offered.packetization_mode == 1 ? 10 : 1;

    if (strcmp (offered.profile, "42e0") == 0)
      return rank + 2;
    return strncmp (offered.profile, "42", 2) == 0 ? rank + 1 : rank;
  }
  parse_h264 (sent->fmtp, &given);
  if (offered.packetization_mode < given.packetization_mode)
    return 0;
  if (strcmp (offered.profile, given.profile) == 0)
    return 3;
  return strncmp (offered.profile, given.profile, 2) == 0 ? 2 : 1;
}

/* Profile 0, with 8 bits and 4:2:0, is what every browser has. It is also what no profile-id means. */
static int
rank_vp9 (const char *fmtp)
{
  g_autofree char *profile = dup_parameter (fmtp, "profile-id");

  return profile == NULL || strcmp (profile, "0") == 0 ? 1 : 0;
}

static int
rank_codec (const char *codec, const char *fmtp, const RecTrackFormat *sent)
{
  if (strcmp (codec, "H264") == 0)
    return rank_h264 (fmtp, sent);
  return strcmp (codec, "VP9") == 0 ? rank_vp9 (fmtp) : 1;
}

/* "VP8/90000" or "opus/48000/2" */
static bool
parse_rtpmap (const char *rtpmap, const char *codec, uint32_t *clock_rate)
{
  g_auto (GStrv) parts = g_strsplit (rtpmap, "/", 0);
  uint64_t rate;

  if (g_strv_length (parts) < 2 || g_ascii_strcasecmp (parts[0], codec) != 0 ||
      !rec_sdp_parse_number (parts[1], 192000, &rate) || rate == 0)
    return false;
  *clock_rate = (uint32_t) rate;
  return true;
}

static bool
choose_format (const RecSdpSection *section, const char *codec, const RecTrackFormat *sent,
    RecTrackFormat *chosen)
{
  int best = 0;

  for (char **field = section->fields + 3; *field != NULL; field++) {
    uint64_t payload_type;
    uint32_t clock_rate;

    if (!rec_sdp_parse_number (*field, 127, &payload_type))
      continue;
    const char *rtpmap = rec_sdp_find_for_payload (section, "a=rtpmap:", (unsigned) payload_type);
    const char *fmtp = rec_sdp_find_for_payload (section, "a=fmtp:", (unsigned) payload_type);
    if (rtpmap == NULL || !parse_rtpmap (rtpmap, codec, &clock_rate))
      continue;
    int rank = rank_codec (codec, fmtp != NULL ? fmtp : "", sent);
    if (rank <= best)
      continue;
    best = rank;
    *chosen = (RecTrackFormat){
      .kind = section->kind, .payload_type = (uint8_t) payload_type, .clock_rate = clock_rate
    };
    g_strlcpy (chosen->codec, codec, sizeof chosen->codec);
    g_strlcpy (chosen->fmtp, fmtp != NULL ? fmtp : "", sizeof chosen->fmtp);
  }
  return best > 0;
}

static int
find_rtx (const RecSdpSection *section, unsigned payload_type)
{
  g_autofree char *wanted = g_strdup_printf ("%u", payload_type);

  for (char **field = section->fields + 3; *field != NULL; field++) {
    uint64_t candidate;
    uint32_t clock_rate;

    if (!rec_sdp_parse_number (*field, 127, &candidate))
      continue;
    const char *rtpmap = rec_sdp_find_for_payload (section, "a=rtpmap:", (unsigned) candidate);
    const char *fmtp = rec_sdp_find_for_payload (section, "a=fmtp:", (unsigned) candidate);
    if (rtpmap == NULL || fmtp == NULL || !parse_rtpmap (rtpmap, "rtx", &clock_rate))
      continue;
    g_autofree char *apt = dup_parameter (fmtp, "apt");
    if (g_strcmp0 (apt, wanted) == 0)
      return (int) candidate;
  }
  return -1;
}

static unsigned
find_extension (const RecSdpSection *section, const char *uri)
{
  for (size_t i = 0; i < section->n_lines; i++) {
    if (!g_str_has_prefix (section->lines[i], "a=extmap:"))
      continue;
    g_auto (GStrv) parts = g_strsplit (section->lines[i] + strlen ("a=extmap:"), " ", 3);
    if (g_strv_length (parts) < 2 || strcmp (parts[1], uri) != 0)
      continue;
    unsigned id = (unsigned) g_ascii_strtoull (parts[0], NULL, 10);
    if (id >= 1 && id <= 14) /* what one-byte headers can carry */
      return id;
  }
  return 0;
}

static bool
choose_codec (const RecSdpSection *section, const RecSdpWish *wish, RecTrackFormat *format,
    GError **error)
{
  static const char *const audio_codecs[] = { "OPUS", NULL };
  bool is_audio = section->kind == REC_TRACK_AUDIO;

  if (wish->sends) {
    const RecTrackFormat *sent = is_audio ? wish->audio : wish->video;

    if (choose_format (section, sent->codec, sent, format))
      return true;
    return rec_sdp_fail (error, REC_ERROR_UNPROCESSABLE,
        "the offer can't receive this stream's %s, which is coded as %s", section->fields[0],
        sent->codec);
  }

  const char *const *codecs = is_audio ? audio_codecs : wish->video_codecs;

  for (const char *const *codec = codecs; *codec != NULL; codec++)
    if (choose_format (section, *codec, NULL, format))
      return true;
  g_autofree char *names = g_strjoinv (" or ", (char **) codecs);
  return rec_sdp_fail (error, REC_ERROR_UNPROCESSABLE, "the offer's %s lacks the codec %s",
      section->fields[0], names);
}

/* --- writing the reduced offer ------------------------------------------------------------------------ */

static bool
starts_with_any (const char *line, const char *const *prefixes)
{
  for (; *prefixes != NULL; prefixes++)
    if (g_str_has_prefix (line, *prefixes))
      return true;
  return false;
}

static bool
is_kept_feedback (const char *value, bool sends, RecTrackKind kind)
{
  if (strcmp (value, "transport-cc") == 0)
    return !sends;
  return kind == REC_TRACK_VIDEO &&
         (strcmp (value, "nack") == 0 || strcmp (value, "nack pli") == 0 ||
             strcmp (value, "ccm fir") == 0);
}

/* rtpmap, fmtp and rtcp-fb lines stay for the chosen payload types only. */
static bool
is_kept_codec_line (const char *line, const RecSdpTrack *track, bool sends)
{
  uint64_t payload_type = 0;
  const char *value = strchr (line, ':') + 1, *space = strchr (value, ' ');

  if (space == NULL)
    return false;
  g_autofree char *number = g_strndup (value, (gsize) (space - value));
  bool is_any = strcmp (number, "*") == 0;
  if (!is_any && !rec_sdp_parse_number (number, 127, &payload_type))
    return false;
  bool is_main = is_any || payload_type == track->format.payload_type;
  if (g_str_has_prefix (line, "a=rtcp-fb:"))
    return is_main && is_kept_feedback (space + 1, sends, track->format.kind);
  return is_main || (int) payload_type == track->rtx_payload_type;
}

static bool
is_kept_line (const char *line, const RecSdpTrack *track, bool sends)
{
  static const char *const always[] = { "c=", "a=mid:", "a=rtcp-mux", "a=rtcp-rsize",
    "a=ice-ufrag:", "a=ice-pwd:", "a=ice-options:", "a=fingerprint:", "a=setup:",
    "a=ssrc-group:FID ", "a=msid:", NULL };
  static const char *const codec[] = { "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", NULL };

  if (starts_with_any (line, codec))
    return is_kept_codec_line (line, track, sends);
  if (g_str_has_prefix (line, "a=candidate:"))
    return rec_sdp_is_usable_candidate (line + 2);
  if (g_str_has_prefix (line, "a=ssrc:"))
    return strstr (line, " cname:") != NULL;
  return starts_with_any (line, always);
}

/* Seen from the client. */
static const char *
get_direction (const RecSdpTrack *track)
{
  if (track->is_received)
    return track->is_sent ? "sendrecv" : "sendonly";
  return "recvonly";
}

static void
append_track (GString *text, const RecSdpSection *section, const RecSdpTrack *track)
{
  unsigned n_source_lines = 0;

  g_string_append_printf (text, "m=%s 9 %s %u", section->fields[0], section->fields[2],
      track->format.payload_type);
  if (track->rtx_payload_type >= 0)
    g_string_append_printf (text, " %d", track->rtx_payload_type);
  g_string_append (text, "\r\n");
  for (size_t i = 1; i < section->n_lines; i++) {
    const char *line = section->lines[i];

    if (!is_kept_line (line, track, !track->is_received))
      continue;
    if (g_str_has_prefix (line, "a=ssrc") && ++n_source_lines > MAX_SOURCE_LINES)
      continue;
    g_string_append_printf (text, "%s\r\n", line);
  }
  if (track->mid_id != 0)
    g_string_append_printf (text, "a=extmap:%u " URI_MID "\r\n", track->mid_id);
  if (track->twcc_id != 0)
    g_string_append_printf (text, "a=extmap:%u " URI_TWCC "\r\n", track->twcc_id);
  g_string_append_printf (text, "a=%s\r\n", get_direction (track));
}

static char *
make_bundle_line (const RecSdpOffer *offer)
{
  GString *line = g_string_new ("a=group:BUNDLE");

  for (unsigned i = 0; i < offer->n_tracks; i++)
    g_string_append_printf (line, " %s", offer->tracks[i].mid);
  return g_string_free (line, FALSE);
}

static void
append_session_lines (GString *text, char **lines, size_t n_lines, const RecSdpOffer *offer)
{
  static const char *const kept[] = { "v=", "o=", "s=", "c=", "t=", "a=ice-",
    "a=fingerprint:", "a=setup:", "a=msid-semantic:", NULL };

  for (size_t i = 0; i < n_lines; i++)
    if (starts_with_any (lines[i], kept) && strcmp (lines[i], "a=ice-lite") != 0)
      g_string_append_printf (text, "%s\r\n", lines[i]);
  g_string_append_printf (text, "%s\r\n", offer->bundle_line);
}

/* --- the offer ------------------------------------------------------------------------------------------ */

static bool
is_wanted (const RecSdpSection *section, const RecSdpOffer *offer, const RecSdpWish *wish)
{
  if (section->kind == REC_TRACK_INVALID || section->is_rejected)
    return false;
  for (unsigned i = 0; i < offer->n_tracks; i++)
    if (offer->tracks[i].format.kind == section->kind)
      return false;
  if (!wish->sends)
    return section->is_sending;
  return section->is_receiving &&
         (section->kind == REC_TRACK_AUDIO ? wish->audio : wish->video) != NULL;
}

static bool
add_track (RecSdpOffer *offer, const RecSdpSection *section, unsigned index, const RecSdpWish *wish,
    GError **error)
{
  RecSdpTrack *track = &offer->tracks[offer->n_tracks];

  if (section->mid == NULL || strpbrk (section->mid, " \t") != NULL)
    return rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT, "the offer's %s has no a=mid",
        section->fields[0]);
  if (rec_sdp_find_attribute (section, "a=rtcp-mux") == NULL)
    return rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT, "the offer's %s has no a=rtcp-mux",
        section->fields[0]);
  if (!choose_codec (section, wish, &track->format, error))
    return false;
  track->section = index;
  track->mid = g_strdup (section->mid);
  track->rtx_payload_type =
      section->kind == REC_TRACK_VIDEO ? find_rtx (section, track->format.payload_type) : -1;
  track->is_received = !wish->sends;
  track->is_sent = wish->sends || (wish->sends_back && section->is_receiving);
  if (track->is_received) {
    track->mid_id = find_extension (section, URI_MID);
    track->twcc_id = find_extension (section, URI_TWCC);
  }
  offer->n_tracks++;
  return true;
}

static bool
is_bundled (char **lines, size_t n_lines, const RecSdpOffer *offer)
{
  for (size_t i = 0; i < n_lines; i++) {
    if (!g_str_has_prefix (lines[i], "a=group:BUNDLE "))
      continue;
    g_auto (GStrv) mids = g_strsplit (lines[i], " ", 0);
    unsigned n_found = 0;
    for (unsigned j = 0; j < offer->n_tracks; j++)
      n_found += g_strv_contains ((const char *const *) mids + 1, offer->tracks[j].mid) ? 1 : 0;
    return n_found == offer->n_tracks;
  }
  return offer->n_tracks <= 1;
}

/* What a rejected m-line of the answer repeats. */
static char *
dup_rejection (const RecSdpSection *section)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n",
      section->fields[0], section->fields[2], section->fields[3]);
  if (section->mid != NULL)
    g_string_append_printf (text, "a=mid:%s\r\n", section->mid);
  return g_string_free (text, FALSE);
}

static bool
fill_offer (RecSdpOffer *offer, char **lines, const RecSdpWish *wish, GError **error)
{
  size_t n_session_lines;
  g_autoptr (GPtrArray) sections = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (!rec_sdp_parse_sections (lines, &n_session_lines, &sections, error))
    return false;
  for (unsigned i = 0; i < sections->len; i++) {
    const RecSdpSection *section = sections->pdata[i];

    g_ptr_array_add (offer->sections, dup_rejection (section));
    if (is_wanted (section, offer, wish) && !add_track (offer, section, i, wish, error))
      return false;
  }
  if (offer->n_tracks == 0)
    return rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT,
        wish->sends ? "the offer receives nothing that this stream has"
                    : "the offer sends neither audio nor video");
  if (!is_bundled (lines, n_session_lines, offer))
    return rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT,
        "the offer doesn't BUNDLE audio and video");

  offer->bundle_line = make_bundle_line (offer);
  append_session_lines (text, lines, n_session_lines, offer);
  for (unsigned i = 0; i < offer->n_tracks; i++)
    append_track (text, sections->pdata[offer->tracks[i].section], &offer->tracks[i]);
  offer->text = g_strdup (text->str);
  return true;
}

RecSdpOffer *
rec_sdp_offer_parse (const char *offer, const RecSdpWish *wish, GError **error)
{
  g_auto (GStrv) lines = NULL;
  g_autoptr (RecSdpOffer) parsed = g_new0 (RecSdpOffer, 1);

  parsed->sections = g_ptr_array_new_with_free_func (g_free);
  if (strlen (offer) > MAX_OFFER_BYTES || !g_utf8_validate (offer, -1, NULL)) {
    rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT, "the SDP is no UTF-8 text of at most %d bytes",
        MAX_OFFER_BYTES);
    return NULL;
  }
  lines = rec_sdp_split_lines (offer);
  if (!fill_offer (parsed, lines, wish, error))
    return NULL;
  return g_steal_pointer (&parsed);
}

void
rec_sdp_offer_free (RecSdpOffer *offer)
{
  if (offer == NULL)
    return;
  for (unsigned i = 0; i < REC_SDP_MAX_TRACKS; i++)
    g_free (offer->tracks[i].mid);
  g_ptr_array_unref (offer->sections);
  g_free (offer->text);
  g_free (offer->bundle_line);
  g_free (offer);
}
