/* token.c - the texts that let a client in. */
#define G_LOG_DOMAIN "rec.session.token"
#include "session/token.h"

#include <string.h>

/* As in a form: "+" is a space. A broken escape leaves the text as it is. */
static char *
decode (const char *text, size_t length)
{
  g_autofree char *copy = g_strndup (text, length);
  char *decoded;

  g_strdelimit (copy, "+", ' ');
  decoded = g_uri_unescape_string (copy, NULL);
  return decoded != NULL ? decoded : g_steal_pointer (&copy);
}

/* The first one wins, as in the URL class of browsers. */
static void
take_parameter (RecToken *token, const char *name, size_t name_length, const char *value,
    size_t length)
{
  const struct {
    const char *name;
    char **member;
  } members[] = {
    { "sessionId", &token->session_id },
    { "token", &token->token },
    { "secret", &token->secret },
  };

  if (name_length == strlen ("recorder") && strncmp (name, "recorder", name_length) == 0)
    token->is_recorder = length > 0;
  for (size_t i = 0; i < G_N_ELEMENTS (members); i++)
    if (strlen (members[i].name) == name_length &&
        strncmp (members[i].name, name, name_length) == 0 && *members[i].member == NULL)
      *members[i].member = decode (value, length);
}

RecToken *
rec_token_parse (const char *text)
{
  RecToken *token = g_new0 (RecToken, 1);
  const char *at = strchr (text, '?');

  if (at == NULL) {
    if (*text != '\0' && strstr (text, "://") == NULL)
      token->token = g_strdup (text);
    return token;
  }
  at++;
  while (*at != '\0' && *at != '#') {
    size_t length = strcspn (at, "&#");
    const char *equals = memchr (at, '=', length);
    if (equals != NULL)
      take_parameter (token, at, (size_t) (equals - at), equals + 1,
          (size_t) (at + length - equals) - 1);
    at += length;
    if (*at == '&')
      at++;
  }
  return token;
}

void
rec_token_free (RecToken *token)
{
  if (token == NULL)
    return;
  g_free (token->session_id);
  g_free (token->token);
  g_free (token->secret);
  g_free (token);
}

char *
rec_token_make_url (const char *public_url, const char *session_id, const char *token, RecRole role)
{
  const char *separator = strstr (public_url, "://");
  const char *host = separator != NULL ? separator + 3 : public_url;
  g_autofree char *authority = g_strndup (host, strcspn (host, "/?#"));
  /* Newer clients decode no escapes of reserved characters, so what may stand as it is does. */
  g_autofree char *session = g_uri_escape_string (session_id, ":@,;$!*'()", FALSE);

  return g_strdup_printf ("wss://%s?sessionId=%s&token=%s&role=%s&version=%s", authority, session,
      token, rec_role_to_string (role), REC_OPENVIDU_VERSION);
}

bool
rec_secret_equals (const char *given, const char *secret)
{
  size_t n_given = given != NULL ? strlen (given) : 0;
  size_t n_secret = secret != NULL ? strlen (secret) : 0;
  unsigned char difference = n_given != n_secret;

  if (n_given == 0 || n_secret == 0)
    return false;
  for (size_t i = 0; i < n_given; i++)
    difference |= (unsigned char) (given[i] ^ secret[i % n_secret]);
  return difference == 0;
}
