/* camera-place.c - where IP cameras may be: the hosts that are allowed, and the addresses that a name leads to. */
#define G_LOG_DOMAIN "rec.media.camera-place"
#include "media/camera-place.h"

#include "base/error.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#define MAX_ADDRESSES 4

typedef struct {
  char *host;
  gint *n_waiting;
  RecCameraFound found;
  void *data;
} Look;

/* --- addresses ---------------------------------------------------------------------------------------------- */

/* ::ffff:127.0.0.1 is 127.0.0.1. */
static GInetAddress *
unmap (GInetAddress *address)
{
  static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

  if (g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6 ||
      memcmp (g_inet_address_to_bytes (address), mapped, sizeof mapped) != 0)
    return g_object_ref (address);
  return g_inet_address_new_from_bytes (g_inet_address_to_bytes (address) + sizeof mapped,
      G_SOCKET_FAMILY_IPV4);
}

static bool
is_ours (GInetAddress *address)
{
  struct ifaddrs *all = NULL;
  bool found = false;

  if (getifaddrs (&all) != 0)
    return false;
  for (const struct ifaddrs *item = all; item != NULL && !found; item = item->ifa_next) {
    const struct sockaddr *own = item->ifa_addr;
    if (own == NULL || own->sa_family != (int) g_inet_address_get_family (address))
      continue;
    const void *bytes = own->sa_family == AF_INET
                            ? (const void *) &((const struct sockaddr_in *) own)->sin_addr
                            : &((const struct sockaddr_in6 *) own)->sin6_addr;
    found = memcmp (bytes, g_inet_address_to_bytes (address),
                g_inet_address_get_native_size (address)) == 0;
  }
  freeifaddrs (all);
  return found;
}

static bool
is_allowed (GInetAddress *given)
{
  g_autoptr (GInetAddress) address = unmap (given);

  return !g_inet_address_get_is_loopback (address) && !g_inet_address_get_is_any (address) &&
         !g_inet_address_get_is_link_local (address) &&
         !g_inet_address_get_is_multicast (address) && !is_ours (address);
}

static GError *
make_refusal (const char *host)
{
  return g_error_new (REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "field \"rtspUri\": media.camera-hosts doesn't allow cameras on '%.255s'", host);
}

bool
rec_camera_place_check (const char *const *allowed, const char *host, bool *must_look,
    GError **error)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  *must_look = *allowed == NULL && address == NULL;
  if (*allowed != NULL ? g_strv_contains (allowed, host) : address == NULL || is_allowed (address))
    return true;
  g_propagate_error (error, make_refusal (host));
  return false;
}

/* --- names -------------------------------------------------------------------------------------------------- */

/* One that leads here is enough to refuse: who names it chooses the order too. */
static GPtrArray *
take_addresses (GList *list, const char *host, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);

  for (const GList *item = list; item != NULL; item = item->next) {
    if (!is_allowed (item->data)) {
      g_propagate_error (error, make_refusal (host));
      return NULL;
    }
    if (texts->len < MAX_ADDRESSES)
      g_ptr_array_add (texts, g_inet_address_to_string (item->data));
  }
  g_ptr_array_add (texts, NULL);
  return g_steal_pointer (&texts);
}

static void
on_looked (GObject *resolver, GAsyncResult *result, void *data)
{
  Look *look = data;
  g_autoptr (GError) why = NULL, error = NULL;
  GList *list = g_resolver_lookup_by_name_finish (G_RESOLVER (resolver), result, &why);
  g_autoptr (GPtrArray) texts = list != NULL ? take_addresses (list, look->host, &error) : NULL;

  if (list == NULL)
    error = g_error_new (REC_ERROR, REC_ERROR_FAILED, "cannot play the IP camera: %s",
        why != NULL ? why->message : "its name leads nowhere");
  look->found (texts != NULL ? (const char *const *) texts->pdata : NULL, error, look->data);
  g_resolver_free_addresses (list);
  g_atomic_int_dec_and_test (look->n_waiting);
  g_free (look->host);
  g_free (look);
}

void
rec_camera_place_look (const char *host, gint *n_waiting, GCancellable *cancel,
    RecCameraFound found, void *data)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  Look *look = g_new (Look, 1);

  *look = (Look){ g_strdup (host), n_waiting, found, data };
  g_atomic_int_inc (n_waiting);
  g_resolver_lookup_by_name_async (resolver, host, cancel, on_looked, look);
}
