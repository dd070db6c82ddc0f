/* camera-place.h - where IP cameras may be: the hosts that are allowed, and the addresses that a name leads to. [main]
 *
 * Applications pass on what people typed in: nobody shall look around on the server's own machine that way. What was
 * checked is what is connected to: a name is looked up once, and its address is used. */
#ifndef REC_MEDIA_CAMERA_PLACE_H
#define REC_MEDIA_CAMERA_PLACE_H

#include <gio/gio.h>
#include <stdbool.h>

/* allowed: hosts as URIs name them; each is trusted, wherever it leads. Without any: all but this machine and its link.
 * *must_look: the host is a name, and allowed if rec_camera_place_look finds it elsewhere. INVALID_ARGUMENT. */
bool rec_camera_place_check (const char *const *allowed, const char *host, bool *must_look,
    GError **error);

/* addresses: as texts, in the order to try them in; or NULL with an error: INVALID_ARGUMENT when one of them is not
 * allowed, FAILED when there are none. Both are borrowed. */
typedef void (*RecCameraFound) (const char *const *addresses, const GError *error, void *data);

/* found is called once, later, also after cancel; *n_waiting counts those that wait, atomically. */
void rec_camera_place_look (const char *host, gint *n_waiting, GCancellable *cancel,
    RecCameraFound found, void *data);

#endif
