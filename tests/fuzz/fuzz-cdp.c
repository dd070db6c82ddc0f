/* fuzz-cdp.c - what a browser says on its debugging pipe, in two pieces, message by message. */
#include "fuzz/fuzz.h"

#include "worker/cdp.h"

#include <string.h>

#define MAX_BYTES 2048

typedef struct {
  GString *all; /* what was found, so that pieces make no difference */
} Finder;

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  return 0;
}

static void
on_found (const RecCdpMessage *message, void *data)
{
  Finder *finder = data;

  g_assert_nonnull (message->session);
  g_assert_true ((message->id > 0) != (message->method != NULL));
  g_string_append_printf (finder->all, "%" G_GINT64_FORMAT " %s %s %s\n", message->id,
      message->method != NULL ? message->method : "", message->session,
      message->failure != NULL ? message->failure : "");
}

/* The bytes before `cut` come first. */
static char *
parse (const uint8_t *data, size_t size, size_t cut, bool *is_fine)
{
  Finder finder = { .all = g_string_new (NULL) };
  g_autoptr (RecCdpParser) parser = rec_cdp_parser_new (MAX_BYTES, on_found, &finder);
  g_autoptr (GError) error = NULL;

  *is_fine = rec_cdp_parser_feed (parser, data, cut, &error) &&
             rec_cdp_parser_feed (parser, data + cut, size - cut, &error);
  g_assert_true (*is_fine == (error == NULL));
  return g_string_free (finder.all, FALSE);
}

/* Byte 0 says where the pieces meet. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  bool is_fine, is_fine_in_pieces;

  if (size < 2)
    return 0;
  const size_t cut = MIN ((size_t) data[0] * 4, size - 1);
  g_autofree char *whole = parse (data + 1, size - 1, size - 1, &is_fine);
  g_autofree char *pieces = parse (data + 1, size - 1, cut, &is_fine_in_pieces);
  g_assert_true (is_fine == is_fine_in_pieces);
  g_assert_cmpstr (whole, ==, pieces);
  return 0;
}
