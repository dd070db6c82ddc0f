/* dialect.h - what differs between clients of the two eras; all else is said in one form that both understand. [any] */
#ifndef REC_SIGNAL_DIALECT_H
#define REC_SIGNAL_DIALECT_H

#include "base/json.h"
#include "session/session.h"

typedef struct {
  RecEra era;
  int no_session_code;       /* error of a join into a session that isn't there */
  bool comes_back;           /* sends `connect` on a new socket after a loss */
  bool understands_eviction; /* closes by itself when told; the other kind must be closed */
  bool hears_stream_changes; /* knows streamPropertyChanged */
  bool needs_signal_sender;  /* drops signals without `from` */
  bool active_means_has;     /* takes audioActive, videoActive for "has such a track" */
  /* Of a signal: what the client's word is without OpenVidu's prefix, borrowed from it... */
  const char *(*read_signal_type) (const char *type);
  /* ...and the word that this client expects for it. Free it. */
  char *(*make_signal_type) (const char *type);
} RecDialect;

extern const RecDialect rec_dialect_old; /* 2.0 to 2.4: without reconnection */
extern const RecDialect rec_dialect_new; /* 2.5 to 2.32 */

/* params: of joinRoom; query: of the WebSocket's address, or NULL. */
const RecDialect *rec_dialect_detect (RecJson *params, const char *query);

#endif
