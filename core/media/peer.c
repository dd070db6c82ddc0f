/* peer.c - the life of a peer connection on the main thread, and its slow work on the host's threads. */
#define G_LOG_DOMAIN "rec.media.peer"
#include "media/peer.h"

#include "base/main-thread.h"
#include "media/endpoint.h"
#include "media/peer-host.h"

struct RecPeer {
  gatomicrefcount references;
  RecPeerHost *host;
  RecSdpOffer *offer;
  char *msid;
  int64_t max_video_kbps;
  const RecPeerEvents *events;
  void *data;
  GDestroyNotify destroy;
  RecEndpoint *endpoint;
  gint is_connected;       /* atomic */
  gint is_latency_pending; /* atomic: a job is on its way */
  struct {
    RecPeerState state;
    bool is_closed, is_busy /* negotiating or being taken down */, is_gathered, is_answered;
    char *answer;          /* of the endpoint, until completed */
    GPtrArray *candidates; /* ours, until the answer takes them */
    GPtrArray *early;      /* theirs, until the endpoint takes them */
    int n_remote;          /* candidates of theirs */
    guint gather_timer, connect_timer;
  } main;
};

typedef enum {
  JOB_CANDIDATE = 1,
  JOB_LATENCY,
  JOB_NEGOTIATE, /* from here on they take their time */
  JOB_STOP,
  JOB_FREE, /* has no reference: nobody has one any more */
} JobKind;

/* Work for a thread of the pool, or a message of one to the main thread. */
typedef struct {
  RecPeer *peer;
  JobKind kind;
  void (*deliver) (RecPeer *peer, char *text, GError *error); /* [main] */
  char *text;
  GError *error;
} Job;

static void
free_job (void *data)
{
  Job *job = data;

  rec_peer_unref (job->peer);
  g_free (job->text);
  g_clear_error (&job->error);
  g_free (job);
}

static gboolean
deliver (void *data)
{
  Job *job = data;

  job->deliver (job->peer, job->text, job->error);
  return G_SOURCE_REMOVE;
}

/* Takes text and error. Not g_main_context_invoke: it runs here when nobody holds the context. */
static void
post (RecPeer *peer, void (*function) (RecPeer *, char *, GError *), char *text, GError *error)
{
  Job *job = g_new0 (Job, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  job->peer = rec_peer_ref (peer);
  job->deliver = function;
  job->text = text;
  job->error = error;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver, job, free_job);
  g_source_attach (source, NULL);
}

static void
push_raw_job (RecPeer *peer, JobKind kind, const char *text)
{
  Job *job = g_new0 (Job, 1);

  job->peer = peer;
  job->kind = kind;
  job->text = g_strdup (text);
  g_thread_pool_push (peer->host->pool, job, NULL);
}

static void
push_job (RecPeer *peer, JobKind kind, const char *text)
{
  push_raw_job (rec_peer_ref (peer), kind, text);
}

/* --- [main] what has happened ---------------------------------------------------------------------------- */

static void
clear_timer (guint *timer)
{
  if (*timer != 0)
    g_source_remove (*timer);
  *timer = 0;
}

static void
set_state (RecPeer *peer, RecPeerState state, const char *why)
{
  if (peer->main.is_closed || peer->main.state == state || peer->main.state == REC_PEER_FAILED)
    return;
  peer->main.state = state;
  if (state == REC_PEER_CONNECTED || state == REC_PEER_FAILED)
    clear_timer (&peer->main.connect_timer);
  if (peer->events->state_changed != NULL)
    peer->events->state_changed (state, why, peer->data);
}

static void
give_answer (RecPeer *peer, const char *answer, const GError *error)
{
  if (peer->main.is_answered || peer->main.is_closed)
    return;
  peer->main.is_answered = true;
  clear_timer (&peer->main.gather_timer);
  peer->events->answered (answer, error, peer->data);
}

static void
complete_answer (RecPeer *peer)
{
  g_autoptr (GError) error = NULL;
  RecSdpAnswerFacts facts = {
    .msid = peer->msid, .max_video_kbps = peer->max_video_kbps, .candidates = peer->main.candidates
  };
  g_autofree char *answer =
      rec_sdp_complete_answer (peer->offer, peer->main.answer, &facts, &error);

  g_clear_pointer (&peer->main.answer, g_free);
  give_answer (peer, answer, error);
}

static gboolean
on_gather_timeout (void *data)
{
  RecPeer *peer = data;

  peer->main.gather_timer = 0;
  complete_answer (peer);
  return G_SOURCE_REMOVE;
}

static gboolean
on_connect_timeout (void *data)
{
  RecPeer *peer = data;

  peer->main.connect_timer = 0;
  set_state (peer, REC_PEER_FAILED, "it did not connect in time");
  return G_SOURCE_REMOVE;
}

static void
stop (RecPeer *peer)
{
  peer->main.is_busy = true;
  push_job (peer, JOB_STOP, NULL);
}

static void
on_negotiated (RecPeer *peer, char *answer, GError *error)
{
  peer->main.is_busy = false;
  if (peer->main.is_closed) {
    stop (peer);
    return;
  }
  if (answer == NULL) {
    give_answer (peer, NULL, error);
    return;
  }
  peer->main.answer = g_strdup (answer);
  for (unsigned i = 0; i < peer->main.early->len; i++)
    push_job (peer, JOB_CANDIDATE, peer->main.early->pdata[i]);
  g_ptr_array_set_size (peer->main.early, 0);
  if (peer->main.state == REC_PEER_NEGOTIATING)
    set_state (peer, REC_PEER_CONNECTING, NULL);
  if (peer->main.is_closed)
    return;
  peer->main.connect_timer =
      g_timeout_add ((guint) peer->host->connect_timeout_ms, on_connect_timeout, peer);
  if (peer->main.is_gathered)
    complete_answer (peer);
  else
    peer->main.gather_timer =
        g_timeout_add ((guint) peer->host->gather_timeout_ms, on_gather_timeout, peer);
}

static void
on_local_candidate (RecPeer *peer, char *candidate, GError *error)
{
  const RecSdpTrack *first = &peer->offer->tracks[0];

  (void) error;
  if (peer->main.is_closed || !rec_sdp_is_usable_candidate (candidate))
    return;
  const char *outside = peer->host->external_address;
  g_autofree char *shown = outside != NULL ? rec_sdp_dup_candidate_outside (candidate, outside)
                                           : g_strdup (candidate);
  if (!peer->main.is_answered)
    g_ptr_array_add (peer->main.candidates, g_steal_pointer (&shown));
  else if (peer->events->candidate != NULL)
    peer->events->candidate (shown, first->mid, first->section, peer->data);
}

static void
on_gathered (RecPeer *peer, char *text, GError *error)
{
  (void) text;
  (void) error;
  peer->main.is_gathered = true;
  if (peer->main.answer != NULL && !peer->main.is_closed)
    complete_answer (peer);
}

static void
on_connected (RecPeer *peer, char *text, GError *error)
{
  (void) text;
  (void) error;
  set_state (peer, REC_PEER_CONNECTED, NULL);
}

static void
on_failed (RecPeer *peer, char *why, GError *error)
{
  (void) error;
  set_state (peer, REC_PEER_FAILED, why);
}

/* --- [any] what the endpoint tells --------------------------------------------------------------------------- */

static void
post_candidate (const char *candidate, void *data)
{
  post (data, on_local_candidate, g_strdup (candidate), NULL);
}

static void
post_gathered (void *data)
{
  post (data, on_gathered, NULL, NULL);
}

static void
post_connected (void *data)
{
  RecPeer *peer = data;

  g_atomic_int_set (&peer->is_connected, 1);
  if (peer->events->wants_keyframe != NULL)
    peer->events->wants_keyframe (peer->data);
  post (peer, on_connected, NULL, NULL);
}

static void
post_failed (const char *why, void *data)
{
  post (data, on_failed, g_strdup (why), NULL);
}

static void
post_latency (void *data)
{
  RecPeer *peer = data;

  if (g_atomic_int_compare_and_exchange (&peer->is_latency_pending, 0, 1))
    push_job (peer, JOB_LATENCY, NULL);
}

static void
pass_packet (unsigned track, const uint8_t *rtp, size_t size, int64_t pts_ns, void *data)
{
  RecPeer *peer = data;

  if (peer->events->packet != NULL)
    peer->events->packet (track, rtp, size, pts_ns, peer->data);
}

static void
pass_keyframe_wish (void *data)
{
  RecPeer *peer = data;

  if (peer->events->wants_keyframe != NULL)
    peer->events->wants_keyframe (peer->data);
}

static const RecEndpointEvents endpoint_events = {
  .candidate = post_candidate,
  .gathered = post_gathered,
  .connected = post_connected,
  .failed = post_failed,
  .latency_changed = post_latency,
  .packet = pass_packet,
  .wants_keyframe = pass_keyframe_wish,
};

/* --- threads of the host ----------------------------------------------------------------------------------------- */

static gboolean
free_peer (void *data)
{
  RecPeer *peer = data;

  if (peer->destroy != NULL)
    peer->destroy (peer->data);
  peer->host->n_peers--;
  rec_sdp_offer_free (peer->offer);
  g_ptr_array_unref (peer->main.candidates);
  g_ptr_array_unref (peer->main.early);
  g_free (peer->main.answer);
  g_free (peer->msid);
  g_free (peer);
  return G_SOURCE_REMOVE;
}

int
rec_peer_compare_jobs (const void *a, const void *b, void *user_data)
{
  const Job *one = a, *other = b;

  (void) user_data;
  return (one->kind >= JOB_NEGOTIATE) - (other->kind >= JOB_NEGOTIATE);
}

void
rec_peer_run_job (void *data, void *user_data)
{
  Job *job = data;
  RecPeer *peer = job->peer;
  GError *error = NULL;

  (void) user_data;
  switch (job->kind) {
  case JOB_CANDIDATE:
    rec_endpoint_add_candidate (peer->endpoint, job->text);
    break;
  case JOB_NEGOTIATE: {
    char *answer = rec_endpoint_negotiate (peer->endpoint, &error);
    post (peer, on_negotiated, answer, error);
    break;
  }
  case JOB_LATENCY:
    g_atomic_int_set (&peer->is_latency_pending, 0);
    rec_endpoint_recalculate_latency (peer->endpoint);
    break;
  case JOB_STOP:
    rec_endpoint_stop (peer->endpoint);
    rec_peer_unref (peer); /* its pipeline's */
    break;
  case JOB_FREE:
    rec_endpoint_free (peer->endpoint);
    g_idle_add_full (G_PRIORITY_DEFAULT, free_peer, peer, NULL);
    g_free (job);
    return;
  }
  free_job (job);
}

/* --- [main] ---------------------------------------------------------------------------------------------------------- */

RecPeer *
rec_peer_new (RecPeerHost *host, const RecPeerRequest *request)
{
  RecPeer *peer = g_new0 (RecPeer, 1);

  REC_ASSERT_MAIN ();
  g_atomic_ref_count_init (&peer->references);
  peer->host = host;
  peer->offer = request->offer;
  peer->msid = g_strdup (request->msid);
  peer->max_video_kbps = request->max_video_kbps;
  peer->events = request->events;
  peer->data = request->data;
  peer->destroy = request->destroy;
  peer->endpoint =
      rec_endpoint_new (&host->endpoint, peer->offer, peer->msid, &endpoint_events, peer);
  peer->main.state = REC_PEER_NEGOTIATING;
  peer->main.is_busy = true;
  peer->main.candidates = g_ptr_array_new_with_free_func (g_free);
  peer->main.early = g_ptr_array_new_with_free_func (g_free);
  host->n_peers++;
  rec_peer_ref (peer); /* given back when its pipeline is down */
  push_job (peer, JOB_NEGOTIATE, NULL);
  return peer;
}

RecPeer *
rec_peer_ref (RecPeer *peer)
{
  g_atomic_ref_count_inc (&peer->references);
  return peer;
}

/* Threads of the endpoint's end with it, which is waited for. */
void
rec_peer_unref (RecPeer *peer)
{
  if (peer != NULL && g_atomic_ref_count_dec (&peer->references))
    push_raw_job (peer, JOB_FREE, NULL);
}

void
rec_peer_close (RecPeer *peer)
{
  REC_ASSERT_MAIN ();
  if (peer == NULL)
    return;
  peer->main.is_closed = true;
  g_atomic_int_set (&peer->is_connected, 0);
  clear_timer (&peer->main.gather_timer);
  clear_timer (&peer->main.connect_timer);
  if (!peer->main.is_busy)
    stop (peer);
  rec_peer_unref (peer);
}

const RecSdpOffer *
rec_peer_get_offer (RecPeer *peer)
{
  return peer->offer;
}

void
rec_peer_add_candidate (RecPeer *peer, const char *candidate, const char *mid, int mline_index)
{
  if (peer->main.n_remote >= peer->host->max_candidates ||
      !rec_sdp_is_bundle_section (peer->offer, mid, mline_index) ||
      !rec_sdp_is_usable_candidate (candidate))
    return;
  peer->main.n_remote++;
  if (peer->main.is_busy)
    g_ptr_array_add (peer->main.early, g_strdup (candidate));
  else
    push_job (peer, JOB_CANDIDATE, candidate);
}

RecPeerState
rec_peer_get_state (RecPeer *peer)
{
  return peer->main.state;
}

bool
rec_peer_is_connected (RecPeer *peer)
{
  return g_atomic_int_get (&peer->is_connected) != 0;
}

int64_t
rec_peer_get_silence_ms (RecPeer *peer)
{
  return (g_get_monotonic_time () - rec_endpoint_get_activity_us (peer->endpoint)) / 1000;
}

void
rec_peer_request_keyframe (RecPeer *peer, unsigned track)
{
  rec_endpoint_request_keyframe (peer->endpoint, track);
}

uint32_t
rec_peer_get_ssrc (RecPeer *peer, unsigned track)
{
  return rec_endpoint_get_ssrc (peer->endpoint, track);
}

void
rec_peer_send (RecPeer *peer, unsigned track, const uint8_t *header, size_t header_size,
    const uint8_t *payload, size_t payload_size, int64_t pts_ns)
{
  rec_endpoint_send (peer->endpoint, track, header, header_size, payload, payload_size, pts_ns);
}
