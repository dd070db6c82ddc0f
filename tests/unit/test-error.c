/* test-error.c - what a code means over HTTP, and what a client may read. */
#include "base/error.h"

#include <gio/gio.h>
#include <string.h>

#include "base/main-thread.h"

static void
test_every_code_has_status_and_phrase (void)
{
  for (int code = REC_ERROR_INVALID + 1; code < REC_N_ERRORS; code++) {
    g_autoptr (GError) error = g_error_new_literal (REC_ERROR, code, "x");
    unsigned status = rec_error_http_status (error);

    g_assert_cmpuint (status, >=, 400);
    g_assert_cmpuint (status, <, 600);
    g_assert_cmpstr (rec_error_http_phrase (status), !=, "Unknown");
  }
}

static void
test_codes_mean_what_clients_expect (void)
{
  static const struct {
    RecErrorCode code;
    unsigned status;
  } cases[] = {
    { REC_ERROR_INVALID_ARGUMENT, 400 },
    { REC_ERROR_UNAUTHORIZED, 401 },
    { REC_ERROR_NOT_FOUND, 404 },
    { REC_ERROR_NOT_ACCEPTABLE, 406 },
    { REC_ERROR_TOO_SLOW, 408 },
    { REC_ERROR_CONFLICT, 409 },
    { REC_ERROR_TOO_LARGE, 413 },
    { REC_ERROR_UNPROCESSABLE, 422 },
    { REC_ERROR_TOO_MANY, 429 },
    { REC_ERROR_FAILED, 500 },
    { REC_ERROR_NOT_IMPLEMENTED, 501 },
    { REC_ERROR_UNAVAILABLE, 503 },
    { REC_ERROR_TIMEOUT, 504 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = g_error_new_literal (REC_ERROR, (int) cases[i].code, "x");
    g_assert_cmpuint (rec_error_http_status (error), ==, cases[i].status);
  }
  g_assert_cmpstr (rec_error_http_phrase (409), ==, "Conflict");
}

static void
test_foreign_errors_are_hidden (void)
{
  g_autoptr (GError) own = g_error_new_literal (REC_ERROR, REC_ERROR_CONFLICT, "it runs already");
  g_autoptr (GError) foreign =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "/home/someone/secret is gone");
  g_autoptr (GError) odd = g_error_new_literal (REC_ERROR, 9999, "x");

  g_assert_cmpstr (rec_error_public_message (own), ==, "it runs already");
  g_assert_cmpuint (rec_error_http_status (foreign), ==, 500);
  g_assert_null (strstr (rec_error_public_message (foreign), "secret"));
  g_assert_cmpuint (rec_error_http_status (odd), ==, 500);
}

static void *
ask_from_a_thread (void *data)
{
  (void) data;
  return GINT_TO_POINTER (rec_is_main_thread ());
}

static void
test_main_thread_is_who_claimed_it (void)
{
  g_assert_true (rec_is_main_thread ());
  g_assert_true (GPOINTER_TO_INT (g_thread_join (g_thread_new ("any", ask_from_a_thread, NULL))));
  rec_main_thread_claim ();
  g_assert_true (rec_is_main_thread ());
  g_assert_false (
      GPOINTER_TO_INT (g_thread_join (g_thread_new ("other", ask_from_a_thread, NULL))));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/every-code-has-status-and-phrase",
      test_every_code_has_status_and_phrase);
  g_test_add_func ("/error/codes-mean-what-clients-expect", test_codes_mean_what_clients_expect);
  g_test_add_func ("/error/foreign-errors-are-hidden", test_foreign_errors_are_hidden);
  g_test_add_func ("/main-thread/is-who-claimed-it", test_main_thread_is_who_claimed_it);
  return g_test_run ();
}
