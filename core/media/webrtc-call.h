/* webrtc-call.h - webrtcbin's action signals as calls that end. Included by endpoint.c alone. */
#ifndef REC_MEDIA_WEBRTC_CALL_H
#define REC_MEDIA_WEBRTC_CALL_H

#include <gst/gst.h>

/* Emits an action signal that takes an argument (may be NULL) and a promise, and waits for the reply. Blocks: not on
 * webrtcbin's own threads. Free the structure. */
GstStructure *rec_webrtc_call (GstElement *webrtc, const char *signal, void *argument,
    int timeout_ms, GError **error);

#endif
