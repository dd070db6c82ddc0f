/* tokens.c - permissions to upload one file each, bounded in number and in age. */
#define G_LOG_DOMAIN "rec.upload.tokens"
#include "upload/tokens.h"

#include "base/error.h"
#include "base/lock.h"
#include "session/ids.h"

#define N_CHARACTERS 32

typedef struct {
  RecUploadOwner *owner;
  int64_t expires_us;
  bool is_in_use;
} Permission;

struct RecUploadTokens {
  size_t max_tokens;
  int64_t lifetime_us;

  RecLock lock; /* guards what follows */
  GHashTable *
      permissions; /* token -> Permission; found by hash, so that no comparison tells how much was right */
};

RecUploadOwner *
rec_upload_owner_new (const char *session, const char *stream, const char *user)
{
  RecUploadOwner *owner = g_new (RecUploadOwner, 1);

  owner->session = g_strdup (session != NULL ? session : "");
  owner->stream = g_strdup (stream != NULL ? stream : "");
  owner->user = g_strdup (user != NULL ? user : "");
  return owner;
}

void
rec_upload_owner_free (RecUploadOwner *owner)
{
  if (owner == NULL)
    return;
  g_free (owner->session);
  g_free (owner->stream);
  g_free (owner->user);
  g_free (owner);
}

static void
permission_free (void *data)
{
  Permission *permission = data;

  rec_upload_owner_free (permission->owner);
  g_free (permission);
}

/* What is looked up is a digest: where two of them part says nothing about the tokens. */
static char *
digest (const char *token)
{
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, token, -1);
}

RecUploadTokens *
rec_upload_tokens_new (size_t max_tokens, int64_t lifetime_us)
{
  RecUploadTokens *tokens = g_new0 (RecUploadTokens, 1);

  tokens->max_tokens = max_tokens;
  tokens->lifetime_us = lifetime_us;
  rec_lock_init (&tokens->lock);
  tokens->permissions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, permission_free);
  return tokens;
}

void
rec_upload_tokens_free (RecUploadTokens *tokens)
{
  if (tokens == NULL)
    return;
  g_hash_table_unref (tokens->permissions);
  rec_lock_clear (&tokens->lock);
  g_free (tokens);
}

static gboolean
is_over (gpointer key G_GNUC_UNUSED, gpointer value, gpointer data)
{
  const Permission *permission = value;

  return !permission->is_in_use && permission->expires_us <= *(const int64_t *) data;
}

char *
rec_upload_tokens_issue (RecUploadTokens *tokens, RecUploadOwner *owner, int64_t now_us,
    GError **error)
{
  REC_LOCKED (&tokens->lock);
  Permission *permission;

  g_hash_table_foreach_remove (tokens->permissions, is_over, &now_us);
  if (g_hash_table_size (tokens->permissions) >= tokens->max_tokens) {
    rec_upload_owner_free (owner);
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_MANY,
        "%zu upload tokens wait to be used already (uploads.max-tokens)", tokens->max_tokens);
    return NULL;
  }
  permission = g_new0 (Permission, 1);
  permission->owner = owner;
  permission->expires_us = now_us + tokens->lifetime_us;
  char *token = rec_make_id ("upl_", N_CHARACTERS);
  g_hash_table_insert (tokens->permissions, digest (token), permission);
  return token;
}

RecUploadOwner *
rec_upload_tokens_take (RecUploadTokens *tokens, const char *token, int64_t now_us, GError **error)
{
  g_autofree char *key = digest (token);
  REC_LOCKED (&tokens->lock);
  Permission *permission = g_hash_table_lookup (tokens->permissions, key);

  if (permission == NULL || (!permission->is_in_use && permission->expires_us <= now_us)) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_UNAUTHORIZED,
        "this upload token is unknown, used up or too old: ask for another one");
    return NULL;
  }
  if (permission->is_in_use) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_CONFLICT,
        "a file is being uploaded with this token right now");
    return NULL;
  }
  permission->is_in_use = true;
  const RecUploadOwner *owner = permission->owner;
  return rec_upload_owner_new (owner->session, owner->stream, owner->user);
}

void
rec_upload_tokens_give_back (RecUploadTokens *tokens, const char *token, bool is_used_up)
{
  g_autofree char *key = digest (token);
  REC_LOCKED (&tokens->lock);
  Permission *permission = g_hash_table_lookup (tokens->permissions, key);

  if (permission == NULL)
    return;
  permission->is_in_use = false;
  if (is_used_up)
    g_hash_table_remove (tokens->permissions, key);
}
