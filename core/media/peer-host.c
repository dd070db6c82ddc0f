/* peer-host.c - what all peers share: their settings, their clock, and the threads that do their slow work. */
#define G_LOG_DOMAIN "rec.media.peer-host"
#include "media/peer-host.h"

#include <gst/gst.h>
#include <string.h>

#include "base/config.h"

#define N_THREADS 4
#define STOP_TIMEOUT_S 5

static char *
dup_setting (const RecConfig *config, const char *key)
{
  const char *value = rec_config_get_string (config, key);

  return *value != '\0' ? g_strdup (value) : NULL;
}

/* Where the server listens, media comes in too, unless it is told otherwise. Empty: everywhere. */
static char **
dup_local_addresses (const RecConfig *config)
{
  const char *const *addresses = rec_config_get_list (config, "media.local-addresses");
  const char *listening[] = { rec_config_get_string (config, "server.address"), NULL };

  if (*addresses == NULL && strcmp (listening[0], "0.0.0.0") != 0 &&
      strcmp (listening[0], "::") != 0)
    addresses = listening;
  return g_strdupv ((char **) addresses);
}

RecPeerHost *
rec_peer_host_new (const RecConfig *config, GError **error)
{
  g_autoptr (GstClock) clock = NULL;

  if (!gst_init_check (NULL, NULL, error))
    return NULL;
  clock = gst_system_clock_obtain ();

  RecPeerHost *host = g_new0 (RecPeerHost, 1);

  host->endpoint = (RecEndpointSettings){
    .base_time_ns = (int64_t) gst_clock_get_time (clock),
    .latency_ms = (int) rec_config_get_int (config, "media.jitter-latency-ms"),
    .min_port = (int) rec_config_get_int (config, "media.min-port"),
    .max_port = (int) rec_config_get_int (config, "media.max-port"),
    .max_packets = (int) rec_config_get_int (config, "media.subscriber-max-packets"),
    .timeout_ms = (int) rec_config_get_int (config, "media.connect-timeout-ms"),
    .local_addresses = dup_local_addresses (config),
    .stun_server = dup_setting (config, "media.stun-server"),
    .turn_server = dup_setting (config, "media.turn-server"),
  };
  host->external_address = dup_setting (config, "media.external-address");
  host->gather_timeout_ms = (int) rec_config_get_int (config, "media.gather-timeout-ms");
  host->connect_timeout_ms = (int) rec_config_get_int (config, "media.connect-timeout-ms");
  host->max_candidates = (int) rec_config_get_int (config, "media.max-candidates");
  /* Exclusive: who pushes a job never waits for a thread to begin. */
  host->pool = g_thread_pool_new (rec_peer_run_job, host, N_THREADS, TRUE, error);
  if (host->pool == NULL) {
    g_clear_pointer (&host, rec_peer_host_free);
    return NULL;
  }
  g_thread_pool_set_sort_function (host->pool, rec_peer_compare_jobs, NULL);
  return host;
}

static gboolean
on_stop_timeout (void *data)
{
  bool *is_late = data;

  *is_late = true;
  return G_SOURCE_CONTINUE;
}

/* As long as some go, others may follow. */
static bool
wait_for_peers (RecPeerHost *host)
{
  while (host->n_peers > 0) {
    unsigned n_before = host->n_peers;
    bool is_late = false;
    guint timer = g_timeout_add_seconds (STOP_TIMEOUT_S, on_stop_timeout, &is_late);

    while (host->n_peers == n_before && !is_late)
      g_main_context_iteration (NULL, TRUE);
    g_source_remove (timer);
    if (is_late)
      return false;
  }
  return true;
}

void
rec_peer_host_free (RecPeerHost *host)
{
  if (host == NULL)
    return;
  if (!wait_for_peers (host)) {
    g_warning ("%u peer connections can't be taken down: nothing happened for %d s", host->n_peers,
        STOP_TIMEOUT_S);
    return;
  }
  if (host->pool != NULL)
    g_thread_pool_free (host->pool, FALSE, TRUE);
  g_strfreev (host->endpoint.local_addresses);
  g_free (host->endpoint.stun_server);
  g_free (host->endpoint.turn_server);
  g_free (host->external_address);
  g_free (host);
}

int64_t
rec_peer_host_get_base_time_ns (RecPeerHost *host)
{
  return host->endpoint.base_time_ns;
}

unsigned
rec_peer_host_count_peers (RecPeerHost *host)
{
  return host->n_peers - host->n_warming_up;
}

/* --- warming up -------------------------------------------------------------------------------------------------- */

static const char *const warm_up_offer =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n"
    "a=ice-ufrag:none\r\na=ice-pwd:nonenonenonenonenonenone\r\na=setup:actpass\r\n"
    "a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
    "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\na=rtpmap:111 opus/48000/2\r\n";

static void
note_warm (void *data)
{
  RecPeerHost *host = data;

  host->n_warming_up--;
}

void
rec_peer_host_warm_up (RecPeerHost *host)
{
  static const RecPeerEvents no_events = { .answered = NULL };
  static const char *const no_codecs[] = { NULL };
  RecSdpWish wish = { .video_codecs = no_codecs };
  g_autoptr (GError) error = NULL;
  RecPeerRequest request = { .offer = rec_sdp_offer_parse (warm_up_offer, &wish, &error),
    .events = &no_events,
    .data = host,
    .destroy = note_warm };

  g_assert_no_error (error);
  host->n_warming_up++;
  rec_peer_close (rec_peer_new (host, &request));
}
