/* camera.c - an IP camera for the tests: plays the GStreamer pipeline that is its argument, with payloaders pay0, pay1...,
 * at /live of a free port of 127.0.0.1, to one client or several. Says "port N" when it is ready, and "clients N" when
 * one comes or goes. With three more arguments it demands a password. */
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <stdio.h>

static int n_clients; /* atomic */

static void
say_clients (int change)
{
  printf ("clients %d\n", g_atomic_int_add (&n_clients, change) + change);
}

static void
on_closed (GstRTSPClient *client, void *data)
{
  (void) client;
  (void) data;
  say_clients (-1);
}

static void
on_client (GstRTSPServer *server, GstRTSPClient *client, void *data)
{
  (void) server;
  (void) data;
  g_signal_connect (client, "closed", G_CALLBACK (on_closed), NULL);
  say_clients (1);
}

/* how: "basic" or "digest". */
static void
demand_password (GstRTSPServer *server, GstRTSPMediaFactory *factory, const char *how,
    const char *user, const char *password)
{
  GstRTSPAuth *auth = gst_rtsp_auth_new ();
  GstRTSPToken *token =
      gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", NULL);

  if (g_str_equal (how, "digest")) {
    gst_rtsp_auth_set_supported_methods (auth, GST_RTSP_AUTH_DIGEST);
    gst_rtsp_auth_add_digest (auth, user, password, token);
  } else {
    char *basic = gst_rtsp_auth_make_basic (user, password);
    gst_rtsp_auth_add_basic (auth, basic, token);
    g_free (basic);
  }
  gst_rtsp_media_factory_add_role (factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
      G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, NULL);
  gst_rtsp_server_set_auth (server, auth);
  gst_rtsp_token_unref (token);
  g_object_unref (auth);
}

int
main (int argc, char **argv)
{
  GMainLoop *loop;
  GstRTSPServer *server;
  GstRTSPMediaFactory *factory;
  GstRTSPMountPoints *mounts;

  if (argc != 3 && argc != 6) {
    fprintf (stderr,
        "usage: camera PORT PIPELINE [basic|digest USER PASSWORD] (PORT 0: a free one)\n");
    return 2;
  }
  gst_init (NULL, NULL);
  setvbuf (stdout, NULL, _IOLBF, 0);
  server = gst_rtsp_server_new ();
  gst_rtsp_server_set_address (server, "127.0.0.1");
  gst_rtsp_server_set_service (server, argv[1]);
  factory = gst_rtsp_media_factory_new ();
  gst_rtsp_media_factory_set_launch (factory, argv[2]);
  gst_rtsp_media_factory_set_shared (factory, TRUE);
  if (argc == 6)
    demand_password (server, factory, argv[3], argv[4], argv[5]);
  mounts = gst_rtsp_server_get_mount_points (server);
  gst_rtsp_mount_points_add_factory (mounts, "/live", factory);
  g_object_unref (mounts);
  g_signal_connect (server, "client-connected", G_CALLBACK (on_client), NULL);
  if (gst_rtsp_server_attach (server, NULL) == 0) {
    fprintf (stderr, "camera: cannot listen\n");
    return 1;
  }
  printf ("port %d\n", gst_rtsp_server_get_bound_port (server));
  loop = g_main_loop_new (NULL, FALSE);
  g_main_loop_run (loop);
  return 0;
}
