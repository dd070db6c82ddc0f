/* new.c - clients of OpenVidu 2.32, back to 2.5; and how they are told from older ones. */
#define G_LOG_DOMAIN "rec.signal.new"
#include "signal/dialect.h"
#include "signal/jsonrpc.h"

#include <glib.h>
#include <string.h>

#define PREFIX "signal:"
/* What the client writes when the application gave no type. */
#define NO_TYPE "signal"

static const char *
read_signal_type (const char *type)
{
  if (g_str_has_prefix (type, PREFIX))
    type += strlen (PREFIX);
  return strcmp (type, NO_TYPE) == 0 ? "" : type;
}

static char *
make_signal_type (const char *type)
{
  return g_strconcat (PREFIX, *type != '\0' ? type : NO_TYPE, NULL);
}

const RecDialect rec_dialect_new = {
  .era = REC_ERA_NEW,
  .no_session_code = REC_RPC_SESSION_NOT_FOUND,
  .comes_back = true,
  .understands_eviction = true,
  .hears_stream_changes = true,
  .read_signal_type = read_signal_type,
  .make_signal_type = make_signal_type,
};

const RecDialect *
rec_dialect_detect (RecJson *params, const char *query)
{
  bool is_new = rec_json_has (params, "platform") || rec_json_has (params, "sdkVersion") ||
                (query != NULL && strstr (query, "sessionId=") != NULL);

  return is_new ? &rec_dialect_new : &rec_dialect_old;
}
