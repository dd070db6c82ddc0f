/* ids.c - random names that nobody can guess. */
#define G_LOG_DOMAIN "rec.session.ids"
#include "session/ids.h"

#include <errno.h>
#include <glib.h>
#include <sys/random.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char alphanumerics[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char old_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

/* Even over 0 to n - 1; n is at most 256. */
static unsigned
draw (unsigned n)
{
  const unsigned limit = 256 - 256 % n;
  unsigned char byte;

  for (;;) {
    if (getrandom (&byte, 1, 0) == 1) {
      if (byte < limit)
        return byte % n;
    } else if (errno != EINTR) {
      g_error ("cannot draw random numbers: %s", g_strerror (errno));
    }
  }
}

char *
rec_make_id (const char *prefix, unsigned n_characters)
{
  GString *id = g_string_new (prefix);

  g_string_append_c (id, letters[draw (sizeof letters - 1)]);
  for (unsigned i = 1; i < n_characters; i++)
    g_string_append_c (id, alphanumerics[draw (sizeof alphanumerics - 1)]);
  return g_string_free (id, FALSE);
}

char *
rec_make_old_id (void)
{
  GString *id = g_string_new (NULL);

  for (unsigned i = 0; i < 16; i++)
    g_string_append_c (id, old_characters[draw (sizeof old_characters - 1)]);
  return g_string_free (id, FALSE);
}
