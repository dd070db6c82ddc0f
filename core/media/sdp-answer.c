/* sdp-answer.c - completes answers, and reads and writes candidates. */
#define G_LOG_DOMAIN "rec.media.sdp-answer"
#include "media/sdp.h"

#include <gio/gio.h>
#include <string.h>

#include "base/error.h"
#include "media/sdp-section.h"

#define MAX_CANDIDATE_BYTES 512

/* --- the answer ------------------------------------------------------------------------------------------- */

static void
append_ssrc (GString *text, const char *line, const RecSdpAnswerFacts *facts, const char *kind)
{
  const char *space = strchr (line, ' ');

  if (space == NULL || !g_str_has_prefix (space, " cname:"))
    return;
  g_string_append_printf (text, "%s\r\n%.*s msid:%s %s-%s\r\n", line, (int) (space - line), line,
      facts->msid, facts->msid, kind);
}

/* webrtcbin leaves out profile-level-id, which means another profile then; what was offered is what we take. */
static void
append_format_parameters (GString *text, const RecTrackFormat *format)
{
  if (*format->fmtp != '\0')
    g_string_append_printf (text, "a=fmtp:%u %s\r\n", format->payload_type, format->fmtp);
}

static void
append_answer_section (GString *text, const RecSdpSection *section, const RecSdpTrack *track,
    const RecSdpAnswerFacts *facts, bool carries_candidates)
{
  g_autofree char *fmtp = g_strdup_printf ("a=fmtp:%u ", track->format.payload_type);
  bool is_sent = track->is_sent && facts->msid != NULL;

  g_string_append_printf (text, "%s\r\n", section->lines[0]);
  for (size_t i = 1; i < section->n_lines; i++) {
    const char *line = section->lines[i];

    if (g_str_has_prefix (line, "a=msid:") || g_str_has_prefix (line, "a=candidate:") ||
        g_str_has_prefix (line, fmtp))
      continue;
    if (g_str_has_prefix (line, "a=ssrc:") && is_sent) {
      append_ssrc (text, line, facts, section->fields[0]);
      continue;
    }
    g_string_append_printf (text, "%s\r\n", line);
    if (g_str_has_prefix (line, "c=") && section->kind == REC_TRACK_VIDEO &&
        facts->max_video_kbps > 0)
      g_string_append_printf (text, "b=AS:%" G_GINT64_FORMAT "\r\nb=TIAS:%" G_GINT64_FORMAT "\r\n",
          facts->max_video_kbps, facts->max_video_kbps * 1000);
  }
  append_format_parameters (text, &track->format);
  if (is_sent)
    g_string_append_printf (text, "a=msid:%s %s-%s\r\n", facts->msid, facts->msid,
        section->fields[0]);
  if (!carries_candidates || facts->candidates == NULL)
    return;
  for (unsigned i = 0; i < facts->candidates->len; i++)
    g_string_append_printf (text, "a=%s\r\n", (const char *) facts->candidates->pdata[i]);
}

char *
rec_sdp_complete_answer (const RecSdpOffer *offer, const char *answer,
    const RecSdpAnswerFacts *facts, GError **error)
{
  g_auto (GStrv) lines = rec_sdp_split_lines (answer);
  g_autoptr (GPtrArray) sections = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  size_t n_session_lines;
  unsigned track = 0;

  if (!rec_sdp_parse_sections (lines, &n_session_lines, &sections, error))
    return NULL;
  if (sections->len != offer->n_tracks) {
    rec_sdp_fail (error, REC_ERROR_FAILED, "the answer has %u m-lines where %u were expected",
        sections->len, offer->n_tracks);
    return NULL;
  }
  for (size_t i = 0; i < n_session_lines; i++)
    if (!g_str_has_prefix (lines[i], "a=group:"))
      g_string_append_printf (text, "%s\r\n", lines[i]);
  g_string_append_printf (text, "%s\r\n", offer->bundle_line);
  for (unsigned i = 0; i < offer->sections->len; i++) {
    if (track < offer->n_tracks && offer->tracks[track].section == i) {
      append_answer_section (text, sections->pdata[track], &offer->tracks[track], facts,
          track == 0);
      track++;
    } else {
      g_string_append (text, offer->sections->pdata[i]);
    }
  }
  return g_strdup (text->str);
}

/* --- candidates --------------------------------------------------------------------------------------------- */

/* "candidate:FOUNDATION COMPONENT PROTOCOL PRIORITY ADDRESS PORT typ TYPE ..." */
static char **
split_candidate (const char *candidate)
{
  if (g_str_has_prefix (candidate, "a="))
    candidate += 2;
  if (!g_str_has_prefix (candidate, "candidate:") || strpbrk (candidate, "\r\n") != NULL)
    return NULL;

  char **fields = g_strsplit (candidate, " ", 0);

  if (g_strv_length (fields) < 8 || strcmp (fields[6], "typ") != 0)
    g_clear_pointer (&fields, g_strfreev);
  return fields;
}

bool
rec_sdp_is_usable_candidate (const char *candidate)
{
  g_auto (GStrv) fields = NULL;

  if (strlen (candidate) > MAX_CANDIDATE_BYTES)
    return false;
  fields = split_candidate (candidate);
  return fields != NULL && g_ascii_strcasecmp (fields[2], "udp") == 0 &&
         g_hostname_is_ip_address (fields[4]);
}

bool
rec_sdp_is_bundle_section (const RecSdpOffer *offer, const char *mid, int mline_index)
{
  if (mid != NULL && *mid != '\0')
    return strcmp (mid, offer->tracks[0].mid) == 0;
  return mline_index == (int) offer->tracks[0].section;
}

char *
rec_sdp_dup_candidate_outside (const char *candidate, const char *external_address)
{
  g_auto (GStrv) fields = split_candidate (candidate);

  if (fields == NULL || strcmp (fields[7], "host") != 0 || strchr (fields[4], ':') != NULL)
    return g_strdup (candidate);
  g_free (fields[4]);
  fields[4] = g_strdup (external_address);
  return g_strjoinv (" ", fields);
}
