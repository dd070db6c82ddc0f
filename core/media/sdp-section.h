/* sdp-section.h - an SDP text as its m-lines. Included by sdp.c and sdp-answer.c. [any] */
#ifndef REC_MEDIA_SDP_SECTION_H
#define REC_MEDIA_SDP_SECTION_H

#include "base/types.h"
#include "media/router.h"

#include <glib.h>

/* One m-line with its lines. */
typedef struct {
  RecTrackKind kind; /* INVALID: neither audio nor video */
  char **fields;     /* of the m= line: kind, port, protocol, formats; NULL at the end */
  char **lines;      /* n_lines, borrowed from the text */
  size_t n_lines;
  char *mid;                     /* NULL: none */
  bool is_sending, is_receiving; /* seen from who wrote it */
  bool is_rejected;
} RecSdpSection;

/* Sets the error and returns false. */
bool rec_sdp_fail (GError **error, int code, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Without empty ones and line ends; free with g_strfreev. */
char **rec_sdp_split_lines (const char *text);
/* sections: of RecSdpSection, which borrow the lines. n_session_lines: those before the first m-line. */
bool rec_sdp_parse_sections (char **lines, size_t *n_session_lines, GPtrArray **sections,
    GError **error);

/* What follows the prefix in the first line that has it, or NULL. */
const char *rec_sdp_find_attribute (const RecSdpSection *section, const char *prefix);
/* The same for "<prefix>PT VALUE" -> VALUE */
const char *rec_sdp_find_for_payload (const RecSdpSection *section, const char *prefix,
    unsigned payload_type);
bool rec_sdp_parse_number (const char *text, uint64_t max, uint64_t *number);

#endif
