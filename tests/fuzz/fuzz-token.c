/* fuzz-token.c - texts that let a client in. */
#include "fuzz/fuzz.h"

#include "session/token.h"

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  return 0;
}

/* A token that we would make of the parts is read as the same parts. */
static void
check_round_trip (const RecToken *parsed)
{
  if (parsed->token == NULL || !rec_session_id_is_valid (REC_ERA_OLD, parsed->session_id) ||
      *parsed->session_id == '\0' || parsed->token[strcspn (parsed->token, "&=#%+? ")] != '\0')
    return;
  g_autofree char *url = rec_token_make_url ("https://localhost:4443", parsed->session_id,
      parsed->token, REC_ROLE_PUBLISHER);
  g_autoptr (RecToken) again = rec_token_parse (url);
  g_assert_cmpstr (again->session_id, ==, parsed->session_id);
  g_assert_cmpstr (again->token, ==, parsed->token);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (RecToken) token = rec_token_parse (text);

  if (token != NULL && token->session_id != NULL)
    check_round_trip (token);
  (void) rec_secret_equals (text, "MY_SECRET");
  return 0;
}
