/* tls.h - the server's certificate: the configured one, or one made at the first start. */
#ifndef REC_API_TLS_H
#define REC_API_TLS_H

#include "base/types.h"

#include <glib.h>

/* Both as PEM text, for the caller to free. Makes or renews the self-signed certificate in the state folder when none is
 * configured; its key stays the same. */
bool rec_tls_load (const RecConfig *config, char **certificate, char **key, GError **error);

/* Base64 of the SHA-256 of the certificate's SubjectPublicKeyInfo (the first one's in the chain), by which a browser can be
 * told to trust it. Free it. */
char *rec_tls_dup_key_hash (const char *certificate, GError **error);

/* Wipes before it frees: the key doesn't linger in memory. */
void rec_tls_free_secret (char *text);

#endif
