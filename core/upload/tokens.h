/* tokens.h - permissions to upload one file each. [any] */
#ifndef REC_UPLOAD_TOKENS_H
#define REC_UPLOAD_TOKENS_H

#include "base/types.h"

#include <glib.h>

typedef struct RecUploadTokens RecUploadTokens;

/* Whose file it will be: what the application said when it asked for the token. Texts are "" when not told. */
typedef struct {
  char *session, *stream, *user;
} RecUploadOwner;

RecUploadOwner *rec_upload_owner_new (const char *session, const char *stream, const char *user);
void rec_upload_owner_free (RecUploadOwner *owner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecUploadOwner, rec_upload_owner_free)

RecUploadTokens *rec_upload_tokens_new (size_t max_tokens, int64_t lifetime_us);
void rec_upload_tokens_free (RecUploadTokens *tokens);

/* Takes owner. TOO_MANY when max_tokens wait to be used. Free the text. */
char *rec_upload_tokens_issue (RecUploadTokens *tokens, RecUploadOwner *owner, int64_t now_us,
    GError **error);

/* Whose it is, while the file comes in: nobody else can use it meanwhile. UNAUTHORIZED when it is unknown, used up or too
 * old, CONFLICT while it is in use. Free the owner. */
RecUploadOwner *rec_upload_tokens_take (RecUploadTokens *tokens, const char *token, int64_t now_us,
    GError **error);
/* The upload is over. A token whose file was kept is used up; after a failure it may be tried again. */
void rec_upload_tokens_give_back (RecUploadTokens *tokens, const char *token, bool is_used_up);

#endif
