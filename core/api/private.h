/* private.h - what the files of core/api share and nobody else includes. [main] */
#ifndef REC_API_PRIVATE_H
#define REC_API_PRIVATE_H

#include "api/api.h"
#include "api/http.h"
#include "base/json.h"
#include "session/registry.h"
#include "upload/uploads.h"

struct RecApi {
  RecApiContext context;
  RecHttpServer *http;
  GPtrArray *clients; /* of Client: the open WebSockets */
  RecUploads *uploads;
};

/* [http] Whether a file may come in: it has a stream then, and a refusal otherwise. */
bool rec_api_admit_upload (RecApi *api, RecHttpRequest *request);
/* Adds the entities of the uploads, of one session or (NULL) of all. */
void rec_add_uploads (const RecApi *api, const char *session, RecJson *items);
/* [any] For rec_uploads_new. */
void rec_api_resume_upload (void *request);

/* Answers a request whose body is complete; data: RecApi. */
void rec_api_handle (RecHttpRequest *request, void *data);

#define REC_MAX_ARGUMENTS 2

/* One request on its way through a handler, which answers it or keeps a reference to request. */
typedef struct {
  RecApi *api;
  RecHttpRequest *request;
  RecEra era;                         /* INVALID outside /api and /openvidu/api */
  RecJson *body;                      /* NULL when none was sent */
  char *arguments[REC_MAX_ARGUMENTS]; /* what stood for {} in the path */
} RecCall;

typedef enum {
  REC_ROUTE_OLD = 1 << 0,   /* below /api */
  REC_ROUTE_NEW = 1 << 1,   /* below /openvidu/api */
  REC_ROUTE_PLAIN = 1 << 2, /* the pattern is the whole path */
  REC_ROUTE_PUBLIC = 1 << 3,
  REC_ROUTE_FILES = 1 << 4,   /* public when recordings are */
  REC_ROUTE_BODY = 1 << 5,    /* takes a JSON object; others ignore what is sent */
  REC_ROUTE_METRICS = 1 << 6, /* public when metrics are */
  REC_ROUTE_UPLOAD = 1 << 7,  /* takes a file; looks itself at who sends it */
} RecRouteFlags;

typedef struct {
  const char *method;
  const char *pattern;
  unsigned flags;
  void (*handle) (RecCall *call);
} RecRoute;

/* What a method and a path lead to; route is NULL when there is none for this method. */
typedef struct {
  const RecRoute *route;
  RecEra era;
  char *arguments[REC_MAX_ARGUMENTS];
  unsigned methods; /* that the path knows, as bits of rec_route_methods */
} RecRouteMatch;

/* [any] */
void rec_route_find (const char *method, const char *path, RecRouteMatch *match);
void rec_route_match_clear (RecRouteMatch *match);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RecRouteMatch, rec_route_match_clear)
bool rec_route_is_public (const RecRouteMatch *match, const RecConfig *config);
/* "GET, HEAD, OPTIONS". Free it. */
char *rec_route_dup_methods (const RecRouteMatch *match);

/* POST connection: false when the body, which may be a bad one, asks for no IP camera; else it is answered, now or later. */
bool rec_api_create_camera (RecCall *call);

/* --- handlers, one file per resource ---------------------------------------------------------------------------- */

void rec_create_session (RecCall *call);
void rec_list_sessions (RecCall *call);
void rec_get_session (RecCall *call);
void rec_delete_session (RecCall *call);

void rec_create_connection (RecCall *call);
void rec_list_connections (RecCall *call);
void rec_get_connection (RecCall *call);
void rec_update_connection (RecCall *call);
void rec_delete_connection (RecCall *call);
void rec_delete_stream (RecCall *call);
void rec_create_token (RecCall *call);
void rec_send_signal (RecCall *call);

void rec_start_recording (RecCall *call);
void rec_stop_recording (RecCall *call);
void rec_list_recordings (RecCall *call);
void rec_get_recording (RecCall *call);
void rec_delete_recording (RecCall *call);
void rec_explain_recording (RecCall *call);

void rec_get_config (RecCall *call);
void rec_get_config_value (RecCall *call);

void rec_show_metrics (RecCall *call);
void rec_tell_live (RecCall *call);
void rec_tell_ready (RecCall *call);
void rec_tell_drain (RecCall *call);
void rec_start_drain (RecCall *call);
void rec_end_drain (RecCall *call);
void rec_tell_log (RecCall *call);
void rec_change_log (RecCall *call);
void rec_create_upload_token (RecCall *call);
void rec_create_upload (RecCall *call);
void rec_list_uploads (RecCall *call);
void rec_get_upload (RecCall *call);
void rec_delete_upload (RecCall *call);
void rec_send_upload (RecCall *call);

void rec_list_plugins (RecCall *call);
void rec_show_status (RecCall *call);
void rec_show_accept_certificate (RecCall *call);
void rec_ask_for_upgrade (RecCall *call);

void rec_list_layouts (RecCall *call);
void rec_send_layout_file (RecCall *call);

void rec_list_cdr_files (RecCall *call);
void rec_send_cdr_file (RecCall *call);

void rec_send_flat_file (RecCall *call);
void rec_send_file (RecCall *call);
void rec_send_timeline (RecCall *call);

#endif
