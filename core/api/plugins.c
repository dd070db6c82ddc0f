/* plugins.c - REST: what was found in the plugin folders, usable or refused with the reason. */
#define G_LOG_DOMAIN "rec.api.plugins"
#include "api/private.h"
#include "plugin/catalogue.h"

void
rec_list_plugins (RecCall *call)
{
  rec_http_answer_json (call->request, 200, rec_catalogue_to_json (call->api->context.catalogue));
}
