/* old.c - clients of OpenVidu 2.0 and 2.1, up to 2.4. */
#define G_LOG_DOMAIN "rec.signal.old"
#include "signal/dialect.h"
#include "signal/jsonrpc.h"

#include <glib.h>

static const char *
read_signal_type (const char *type)
{
  return type;
}

static char *
make_signal_type (const char *type)
{
  return g_strdup (type);
}

const RecDialect rec_dialect_old = {
  .era = REC_ERA_OLD,
  .no_session_code = REC_RPC_UNAUTHORIZED,
  .needs_signal_sender = true,
  .active_means_has = true,
  .read_signal_type = read_signal_type,
  .make_signal_type = make_signal_type,
};
