/* cdp.c - cuts bytes into messages and reads what they are. */
#define G_LOG_DOMAIN "rec.worker.cdp"
#include "worker/cdp.h"

#include "base/error.h"

#include <string.h>

struct RecCdpParser {
  size_t max_bytes;
  RecCdpFound found;
  void *data;
  GByteArray *input;
  bool is_skipping; /* what has grown too long, up to its end */
  bool is_broken;
};

RecCdpParser *
rec_cdp_parser_new (size_t max_bytes, RecCdpFound found, void *data)
{
  RecCdpParser *parser = g_new0 (RecCdpParser, 1);

  parser->max_bytes = max_bytes;
  parser->found = found;
  parser->data = data;
  parser->input = g_byte_array_new ();
  return parser;
}

void
rec_cdp_parser_free (RecCdpParser *parser)
{
  if (parser == NULL)
    return;
  g_byte_array_unref (parser->input);
  g_free (parser);
}

static bool
read_message (RecJson *json, RecCdpMessage *message)
{
  RecJson *failure;

  if (!json_object_is_type (json, json_type_object))
    return false;
  failure = rec_json_get (json, "error");
  *message = (RecCdpMessage){
    .id = rec_json_int_or (json, "id", 0),
    .method = rec_json_string_or (json, "method", NULL),
    .session = rec_json_string_or (json, "sessionId", ""),
    .failure = failure != NULL ? rec_json_string_or (failure, "message", "it failed") : NULL,
  };
  message->content = rec_json_get (json, message->method != NULL ? "params" : "result");
  if (!json_object_is_type (message->content, json_type_object))
    message->content = NULL;
  return (message->id > 0) != (message->method != NULL);
}

static bool
handle (RecCdpParser *parser, const char *text, size_t length, GError **error)
{
  g_autoptr (RecJson) json = rec_json_parse (text, length, parser->max_bytes, error);
  RecCdpMessage message;

  if (json == NULL)
    return false;
  if (!read_message (json, &message)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "it is neither answer nor event");
    return false;
  }
  parser->found (&message, parser->data);
  return true;
}

/* Bytes up to the end of a message; what is left over waits. Each byte is looked at once. */
static bool
take (RecCdpParser *parser, const char *bytes, size_t length, bool is_end, GError **error)
{
  GByteArray *input = parser->input;
  bool is_fine = true;

  if (input->len + length > parser->max_bytes)
    parser->is_skipping = true;
  if (!parser->is_skipping && (!is_end || input->len > 0))
    g_byte_array_append (input, (const uint8_t *) bytes, (unsigned) length);
  if (is_end && !parser->is_skipping)
    is_fine = input->len > 0 ? handle (parser, (const char *) input->data, input->len, error)
                             : handle (parser, bytes, length, error);
  if (is_end || parser->is_skipping)
    g_byte_array_set_size (input, 0);
  if (is_end)
    parser->is_skipping = false;
  return is_fine;
}

bool
rec_cdp_parser_feed (RecCdpParser *parser, const void *bytes, size_t n, GError **error)
{
  const char *rest = bytes;

  while (n > 0 && !parser->is_broken) {
    const char *end = memchr (rest, '\0', n);
    const size_t length = end != NULL ? (size_t) (end - rest) : n;

    if (!take (parser, rest, length, end != NULL, error)) {
      parser->is_broken = true;
      g_prefix_error (error, "a message of the browser is none: ");
      return false;
    }
    rest += end != NULL ? length + 1 : length;
    n -= end != NULL ? length + 1 : length;
  }
  return true;
}

char *
rec_cdp_make_command (int64_t id, const char *method, const char *session, RecJson *params,
    size_t *size)
{
  g_autoptr (RecJson) command = json_object_new_object ();
  const char *text;
  size_t length;

  rec_json_set_int (command, "id", id);
  rec_json_set_string (command, "method", method);
  if (*session != '\0')
    rec_json_set_string (command, "sessionId", session);
  if (params != NULL)
    rec_json_take (command, "params", params);
  text = json_object_to_json_string_length (command,
      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
  *size = length + 1;
  return g_memdup2 (text, length + 1);
}
