/* test-jsonrpc.c - frames: what is read, what is refused with which code, what is written. */
#include "signal/jsonrpc.h"

#include "base/error.h"

#include <glib.h>
#include <string.h>

#define MAX_BYTES 1000

static void
test_reads_requests (void)
{
  static const char text[] =
      "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\",\"params\":{\"interval\":5000}}";
  g_auto (RecRpcRequest) request = { 0 };
  g_autoptr (GError) error = NULL;

  rec_rpc_request_parse (&request, text, strlen (text), MAX_BYTES, &error);
  g_assert_no_error (error);
  g_assert_cmpint (json_object_get_int (request.id), ==, 0);
  g_assert_cmpstr (request.method, ==, "ping");
  g_assert_cmpint (rec_json_int_or (request.params, "interval", 0), ==, 5000);
}

static void
test_params_may_be_absent (void)
{
  static const char *const texts[] = { "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}",
    "{\"id\":\"a\",\"method\":\"ping\",\"params\":null}" };

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_auto (RecRpcRequest) request = { 0 };
    g_assert_true (rec_rpc_request_parse (&request, texts[i], strlen (texts[i]), MAX_BYTES, NULL));
    g_assert_null (request.params);
    g_assert_nonnull (request.id);
  }
}

static void
test_answers_are_no_requests (void)
{
  static const char *const texts[] = { "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}",
    "{\"id\":2,\"error\":{\"code\":1}}" };

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_auto (RecRpcRequest) request = { 0 };
    g_assert_true (rec_rpc_request_parse (&request, texts[i], strlen (texts[i]), MAX_BYTES, NULL));
    g_assert_null (request.method);
  }
}

static void
test_refuses_with_a_code (void)
{
  g_autofree char *too_long = g_strnfill (MAX_BYTES + 1, ' ');
  g_autofree char *filling = g_strnfill (101, 'm');
  g_autofree char *long_method = g_strdup_printf ("{\"id\":1,\"method\":\"%s\"}", filling);
  g_autofree char *opening = g_strnfill (200, '['), *closing = g_strnfill (200, ']');
  g_autofree char *deep =
      g_strdup_printf ("{\"id\":1,\"method\":\"ping\",\"params\":{\"a\":%s%s}}", opening, closing);
  const struct {
    const char *text;
    int code;
    bool knows_id;
  } cases[] = {
    { "", REC_RPC_NOT_JSON, false },
    { "hello", REC_RPC_NOT_JSON, false },
    { "{\"id\":1,", REC_RPC_NOT_JSON, false },
    { deep, REC_RPC_NOT_JSON, false },
    { "[]", REC_RPC_INVALID_REQUEST, false },
    { "[{\"id\":1,\"method\":\"ping\"}]", REC_RPC_INVALID_REQUEST, false },
    { "1", REC_RPC_INVALID_REQUEST, false },
    { "{}", REC_RPC_INVALID_REQUEST, false },
    { "{\"id\":{},\"method\":\"ping\"}", REC_RPC_INVALID_REQUEST, false },
    { "{\"id\":true,\"method\":\"ping\"}", REC_RPC_INVALID_REQUEST, false },
    { "{\"id\":1.5,\"method\":\"ping\"}", REC_RPC_INVALID_REQUEST, false },
    { "{\"id\":7,\"method\":5}", REC_RPC_INVALID_REQUEST, true },
    { "{\"id\":7,\"method\":\"\"}", REC_RPC_INVALID_REQUEST, true },
    { long_method, REC_RPC_INVALID_REQUEST, true },
    { "{\"id\":7,\"method\":\"ping\",\"params\":[]}", REC_RPC_INVALID_PARAMS, true },
    { "{\"id\":7,\"method\":\"ping\",\"params\":\"x\"}", REC_RPC_INVALID_PARAMS, true },
    { too_long, REC_RPC_TRANSPORT_REQUEST, false },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (RecRpcRequest) request = { 0 };
    g_autoptr (GError) error = NULL;
    g_test_message ("%.80s", cases[i].text);
    g_assert_false (
        rec_rpc_request_parse (&request, cases[i].text, strlen (cases[i].text), MAX_BYTES, &error));
    g_assert_error (error, REC_RPC_ERROR, cases[i].code);
    g_assert_cmpint (request.id != NULL, ==, cases[i].knows_id);
  }
}

static void
test_writes_results (void)
{
  g_autoptr (RecJson) id = json_object_new_int (3);
  RecJson *result = json_object_new_object ();
  g_autofree char *text = NULL;

  rec_json_set_string (result, "value", "pong");
  text = rec_rpc_make_result (id, result);
  g_assert_cmpstr (text, ==, "{\"id\":3,\"result\":{\"value\":\"pong\"},\"jsonrpc\":\"2.0\"}");
}

static void
test_writes_errors (void)
{
  g_autoptr (RecJson) id = json_object_new_string ("a");
  g_autoptr (GError) ours = g_error_new (REC_RPC_ERROR, REC_RPC_SDP, "no \"m=\"");
  g_autoptr (GError) core = g_error_new (REC_ERROR, REC_ERROR_FAILED, "out of luck");
  g_autoptr (GError) foreign = g_error_new (G_FILE_ERROR, G_FILE_ERROR_IO, "/secret/path");
  g_autofree char *first = rec_rpc_make_error (id, ours);
  g_autofree char *second = rec_rpc_make_error (NULL, core);
  g_autofree char *third = rec_rpc_make_error (id, foreign);

  g_assert_cmpstr (first, ==,
      "{\"id\":\"a\",\"error\":{\"code\":302,\"message\":\"no \\\"m=\\\"\"},\"jsonrpc\":\"2.0\"}");
  g_assert_cmpstr (second, ==,
      "{\"id\":null,\"error\":{\"code\":999,\"message\":\"out of luck\"},\"jsonrpc\":\"2.0\"}");
  g_assert_null (strstr (third, "/secret/path"));
  g_assert_nonnull (strstr (third, "\"code\":999"));
}

static void
test_writes_notifications (void)
{
  RecJson *params = json_object_new_object ();
  g_autofree char *text = NULL;

  rec_json_set_string (params, "id", "con_A");
  text = rec_rpc_make_notification ("participantJoined", params);
  g_assert_cmpstr (text, ==,
      "{\"method\":\"participantJoined\",\"params\":{\"id\":\"con_A\"},\"jsonrpc\":\"2.0\"}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/jsonrpc/reads-requests", test_reads_requests);
  g_test_add_func ("/jsonrpc/params-may-be-absent", test_params_may_be_absent);
  g_test_add_func ("/jsonrpc/answers-are-no-requests", test_answers_are_no_requests);
  g_test_add_func ("/jsonrpc/refuses-with-a-code", test_refuses_with_a_code);
  g_test_add_func ("/jsonrpc/writes-results", test_writes_results);
  g_test_add_func ("/jsonrpc/writes-errors", test_writes_errors);
  g_test_add_func ("/jsonrpc/writes-notifications", test_writes_notifications);
  return g_test_run ();
}
