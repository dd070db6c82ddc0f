/* registry.h - every session and recording by id, the calls that change them, and the events that tell of it. [main]
 *
 * Events are delivered synchronously, in the order of subscription, after the change is in place (for "left" and
 * "ended": while the object is still valid, it is freed after the last listener returns). A listener may call
 * back into the registry. */
#ifndef REC_SESSION_REGISTRY_H
#define REC_SESSION_REGISTRY_H

#include "base/types.h"
#include "session/recording.h"
#include "session/session.h"

typedef struct {
  void (*session_created) (RecSession *session, void *data);
  void (*session_closed) (RecSession *session, const char *reason, void *data);
  void (*participant_joined) (RecParticipant *participant, void *data);
  void (*participant_left) (RecParticipant *participant, const char *reason, void *data);
  void (*stream_published) (RecStreamInfo *stream, void *data);
  /* Also for a stream that was never announced (is_published is false then). When its owner leaves, this comes
   * before participant_left. */
  void (*stream_ended) (RecStreamInfo *stream, const char *reason, void *data);
  /* property as in streamPropertyChanged: audioActive, videoActive, videoDimensions, audioTrack, videoTrack. */
  void (*stream_changed) (RecStreamInfo *stream, const char *property, const char *new_value,
      const char *reason, void *data);
  /* Of one that somebody joined with: property is "role" or "record". */
  void (*connection_changed) (RecConnection *connection, const char *property,
      const char *new_value, void *data);
  void (*subscribed) (RecParticipant *subscriber, RecStreamInfo *stream, void *data);
  void (*unsubscribed) (RecParticipant *subscriber, const char *stream_id, void *data);
  /* from: NULL when REST sent it; to: NULL for everybody; type without the prefix "signal:". */
  void (*signal_sent) (RecSession *session, RecParticipant *from, GPtrArray *to, const char *type,
      const char *text, void *data);
  void (*recording_changed) (RecRecording *recording, RecRecordingStatus before, void *data);
} RecRegistryEvents;

/* Wall clock in milliseconds; tests give their own. */
typedef int64_t (*RecWallClock) (void *data);

/* config is borrowed and must outlive the registry (limits: sessions, participants per session, connections...). */
RecRegistry *rec_registry_new (const RecConfig *config, RecWallClock clock, void *clock_data);
void rec_registry_free (RecRegistry *registry);

/* events is borrowed for good; members may be NULL. */
void rec_registry_subscribe (RecRegistry *registry, const RecRegistryEvents *events, void *data);

int64_t rec_registry_now_ms (RecRegistry *registry);
/* What ages are counted by: the wall clock may be set. Monotonic, the system's own unless a test gives another one. */
int64_t rec_registry_ticks_ms (RecRegistry *registry);
void rec_registry_set_ticks (RecRegistry *registry, RecWallClock ticks, void *data);

/* "https://HOST:PORT" as clients reach us: from openvidu.publicurl and server.port until somebody knows better (the
 * port that the system chose). */
const char *rec_registry_get_public_url (RecRegistry *registry);
void rec_registry_set_public_url (RecRegistry *registry, const char *url);

/* --- sessions ------------------------------------------------------------------------------------------- */

/* Takes properties. An id is made when custom_session_id is "". REC_ERROR_CONFLICT when the id is in use. */
RecSession *rec_registry_create_session (RecRegistry *registry, RecEra era,
    RecSessionProperties *properties, GError **error);
RecSession *rec_registry_find_session (RecRegistry *registry, const char *id);
GPtrArray *rec_registry_get_sessions (RecRegistry *registry); /* borrowed, of RecSession, by age */

/* Everybody is made to leave with this reason, then the session is closed and freed. A recording in progress is
 * stopped by core/recording, which listens. */
void rec_registry_close_session (RecRegistry *registry, RecSession *session, const char *reason);

/* Closes sessions that nobody ever joined and that are older than openvidu.sessions.garbage-threshold. The caller runs
 * the timer (openvidu.sessions.garbage-interval; 0: never). */
void rec_registry_collect_garbage (RecRegistry *registry);

/* --- connections and tokens -------------------------------------------------------------------------------- */

typedef struct {
  RecRole role;
  const char *server_data;
  bool record;
  json_object *custom_ice_servers, *kurento_options; /* borrowed, may be NULL */
  const RecCameraInfo *camera;                       /* borrowed; NULL: not of type IPCAM */
} RecConnectionRequest;

RecConnection *rec_registry_create_connection (RecRegistry *registry, RecSession *session,
    const RecConnectionRequest *request, GError **error);
/* Deletes a pending one (its token dies) or evicts the participant of an active one. */
void rec_registry_delete_connection (RecRegistry *registry, RecConnection *connection,
    const char *reason);

/* REC_ROLE_INVALID keeps the role. What is published already goes on, whatever the new role says. */
void rec_registry_update_connection (RecRegistry *registry, RecConnection *connection, RecRole role,
    bool record);

/* The token's text for clients of every version (token.h). Free it. */
char *rec_registry_dup_token_url (RecRegistry *registry, const RecConnection *connection);

/* --- participants ------------------------------------------------------------------------------------------ */

typedef struct {
  const char *session_id;
  const char *token; /* the token query's value, NULL when none was given */
  const char *secret;
  bool recorder;
  const char *client_data, *platform, *sdk_version, *ip;
  RecEra era;
} RecJoinRequest;

/* Checks token (consumed) or secret (constant time): the server's, or with recorder that of the page which the session's
 * recording shows, good for nothing but to watch. The error's code is mapped to OpenVidu's by core/signal:
 * UNAUTHORIZED bad or used token, NOT_FOUND no such session, CONFLICT closing, TOO_MANY limit, TOO_LARGE metadata. */
RecParticipant *rec_registry_join (RecRegistry *registry, const RecJoinRequest *request,
    GError **error);

/* A connection whose camera is not NULL joins at once, with a stream that isn't announced yet. */
RecParticipant *rec_registry_join_camera (RecRegistry *registry, RecSession *session,
    const RecConnectionRequest *request, bool has_audio, GError **error);

/* Ends its stream, its subscriptions and itself; closes the session when nobody is left (unless it is recorded). */
void rec_registry_leave (RecRegistry *registry, RecParticipant *participant, const char *reason);

/* --- streams ----------------------------------------------------------------------------------------------- */

/* Begins a publication: copies the given properties (id and owner are set by the registry), not announced yet. */
RecStreamInfo *rec_registry_add_stream (RecRegistry *registry, RecParticipant *owner,
    const RecStreamInfo *properties, GError **error);
void rec_registry_announce_stream (RecRegistry *registry, RecStreamInfo *stream);
void rec_registry_end_stream (RecRegistry *registry, RecStreamInfo *stream, const char *reason);
bool rec_registry_change_stream (RecRegistry *registry, RecStreamInfo *stream, const char *property,
    const char *new_value, const char *reason, GError **error);
bool rec_registry_subscribe_to_stream (RecRegistry *registry, RecParticipant *subscriber,
    RecStreamInfo *stream, GError **error);
/* Does nothing when there is no such subscription. */
void rec_registry_unsubscribe_from_stream (RecRegistry *registry, RecParticipant *subscriber,
    const char *stream_id);

bool rec_registry_send_signal (RecRegistry *registry, RecSession *session, RecParticipant *from,
    const char *const *to_ids, const char *type, const char *text, GError **error);

/* --- recordings: kept here so that every stage finds them; written by core/recording ------------------------- */

void rec_registry_add_recording (RecRegistry *registry,
    RecRecording *recording); /* takes a reference */
void rec_registry_remove_recording (RecRegistry *registry, RecRecording *recording);
RecRecording *rec_registry_find_recording (RecRegistry *registry, const char *id);
GPtrArray *rec_registry_get_recordings (RecRegistry *registry); /* borrowed, of RecRecording */
/* Checks the state table (a transition it lacks is our own bug), sets the status, tells the listeners. */
void rec_registry_set_recording_status (RecRegistry *registry, RecRecording *recording,
    RecRecordingStatus status);

#endif
