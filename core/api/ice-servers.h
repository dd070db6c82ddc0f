/* ice-servers.h - the ICE servers that an application gives to one connection. [main] */
#ifndef REC_API_ICE_SERVERS_H
#define REC_API_ICE_SERVERS_H

#include "base/json.h"

/* Whether a browser would take them: it refuses all when one is wrong. */
bool rec_body_check_ice_servers (RecJson *servers, GError **error);

/* Makes name and password of a static secret, as TURN servers expect it (their REST API); servers may be NULL. */
void rec_body_resolve_ice_servers (RecJson *servers, int64_t now_ms);

#endif
