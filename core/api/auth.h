/* auth.h - who may call: HTTP Basic with the server's secret. [any] */
#ifndef REC_API_AUTH_H
#define REC_API_AUTH_H

#include <stdbool.h>

/* header: the value of Authorization, may be NULL. Takes as long for a wrong secret as for the right one. */
bool rec_auth_is_valid (const char *header, const char *secret);

#endif
