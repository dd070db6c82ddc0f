/* session.h - sessions, their connections, participants and streams: states, no I/O. [main]
 *
 * The structs are open for reading by every later stage; only core/session writes them (exceptions are named).
 * A later stage that wants to know of changes subscribes to the registry's events. */
#ifndef REC_SESSION_SESSION_H
#define REC_SESSION_SESSION_H

#include "base/types.h"
#include "session/recording.h"

#include <glib.h>

typedef enum {
  REC_ROLE_INVALID = 0,
  REC_ROLE_SUBSCRIBER,
  REC_ROLE_PUBLISHER,
  REC_ROLE_MODERATOR,
} RecRole;

const char *rec_role_to_string (RecRole role);
RecRole rec_role_from_string (const char *text); /* INVALID for an unknown word */

struct RecSessionProperties {
  bool is_relayed;          /* mediaMode RELAYED: refuses to be recorded */
  bool records_always;      /* recordingMode ALWAYS */
  char *custom_session_id;  /* "" when none, never NULL */
  char *forced_video_codec; /* MEDIA_SERVER_PREFERRED, NONE, VP8, VP9, H264 */
  bool allow_transcoding;
  RecRecordingProperties *recording; /* defaults of its recordings */
};

RecSessionProperties *rec_session_properties_new (void);
void rec_session_properties_free (RecSessionProperties *properties);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecSessionProperties, rec_session_properties_free)

struct RecSession {
  int n_references;      /* of core/session alone */
  RecRegistry *registry; /* borrowed */
  char *id;
  RecEra era; /* of its creator */
  RecSessionProperties *properties;
  int64_t created_at_ms;
  int64_t created_at_ticks_ms; /* monotonic */
  int64_t active_since_ms;     /* of the first join; 0 before */
  bool is_closing;
  GPtrArray *
      connections; /* of RecConnection, owned: pending ones (tokens not used yet) and active ones */
  GPtrArray *participants; /* of RecParticipant, owned, in order of joining; hidden ones included */
  RecRecording *recording; /* the active one, or NULL; set and cleared by core/recording */
  bool manually_stopped;   /* set by core/recording: no automatic start any more (NEW) */
};

/* Where an IP camera's stream comes from, and how it is to be played. */
typedef struct {
  char *uri; /* may hold a password: never logged */
  bool adapts_bitrate;
  bool only_with_subscribers;
  int network_cache_ms;
} RecCameraInfo;

/* Its URI as others may read it: without user and password. Free it. */
char *rec_camera_info_dup_shown_uri (const RecCameraInfo *camera);

/* A permission to join once, and what is told of it by REST; becomes active when somebody joins with it. */
struct RecConnection {
  RecSession *session; /* borrowed */
  char *id;            /* the connection id its participant will have */
  char *token;         /* the token's query value alone ("tok_..."), never logged */
  RecRole role;
  char *server_data;
  bool record;
  int64_t created_at_ms;
  json_object *custom_ice_servers; /* array or NULL */
  json_object *kurento_options;    /* object or NULL */
  RecCameraInfo *camera;           /* of type IPCAM; NULL: WEBRTC */
  RecParticipant *participant;     /* NULL while pending */
};

/* One published stream; a participant has at most one. */
struct RecStreamInfo {
  char *id;
  RecParticipant *owner; /* borrowed */
  bool has_audio, has_video;
  bool audio_active, video_active; /* false: muted */
  char *type_of_video;             /* CAMERA, SCREEN, CUSTOM, IPCAM; NULL for audio only */
  int frame_rate;                  /* -1 unknown */
  char *video_dimensions;          /* JSON text {"width":640,"height":480}; NULL unknown */
  int64_t created_at_ms;
  int64_t created_at_ticks_ms; /* monotonic */
  bool is_echoed;    /* its owner wants it back, on the peer connection that publishes it */
  bool is_published; /* announced to others; before that it is being negotiated */
};

typedef struct {
  char *stream_id;
  int64_t created_at_ms;
} RecSubscription;

struct RecParticipant {
  int n_references; /* of core/session alone */
  RecSession *session;
  RecConnection *connection; /* borrowed; NULL for those who joined with the secret */
  char *id;                  /* the connection id */
  char *rpc_id;              /* RPC session id, unguessable; identifies it over reconnections */
  RecRole role;
  bool is_insecure; /* joined with the server's secret: may publish whatever its role says */
  bool is_hidden;   /* RECORDER */
  bool is_leaving;  /* listeners are being told */
  char *client_data, *server_data;   /* never NULL */
  char *metadata;                    /* both, joined as the protocol says */
  char *platform, *sdk_version, *ip; /* "" when not told */
  char *token_url; /* as the client sent it, without secrets; "" for insecure ones */
  int64_t joined_at_ms;
  RecStreamInfo *stream;    /* owned; NULL when it does not publish */
  GPtrArray *subscriptions; /* of RecSubscription, owned */
  void *signal_client;      /* written by core/signal: whom to send to */
};

/* A JSON object of width and height as clients send it, written our way; NULL when it is anything else. Free it. */
char *rec_stream_dup_dimensions (const char *text);

bool rec_participant_is_camera (const RecParticipant *participant);
bool rec_participant_can_publish (const RecParticipant *participant);
bool rec_participant_can_moderate (const RecParticipant *participant);

#define REC_MAX_SESSION_ID_BYTES 128
#define REC_OLD_SESSION_ID                                                                         \
  "at most 128 bytes without spaces, control characters and / \\ ? & = # %, not starting with '.'"
#define REC_NEW_SESSION_ID "at most 128 letters, digits, '_' and '-'"

/* Whether an application of that era may choose it; "" means that one is made. It becomes a part of token texts,
 * addresses and file names. */
bool rec_session_id_is_valid (RecEra era, const char *id);

/* The connection id of the hidden participant that records a page. */
#define REC_RECORDER_ID "RECORDER"

RecParticipant *rec_session_find_participant (RecSession *session, const char *connection_id);
RecStreamInfo *rec_session_find_stream (RecSession *session,
    const char *stream_id); /* published ones only */
RecConnection *rec_session_find_connection (RecSession *session, const char *connection_id);
unsigned rec_session_count_visible (const RecSession *session);
unsigned rec_session_count_publishers (const RecSession *session);

#endif
