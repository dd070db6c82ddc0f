/* control.h - server <-> worker: one JSON object per line over a stream socket, checked against one table.
 *
 * Numbered descriptors of a worker: 3 control, 4 media. Every message has "type". Times ending in Ns are
 * CLOCK_MONOTONIC nanoseconds unless said otherwise; a file time counts from 0.
 *
 * down   setup         version, build, recording {id, directory, name, width, height, frameRate, hasAudio, hasVideo,
 *                      individual (packed into NAME.zip in the end), zipDeflates},
 *                      layout {id, file, options {}} (absent when hasVideo is false),
 *                      sinks [{id, file, required, options {}}], encoder {preset, crf, maxBitrate (kbit/s),
 *                      keyframeIntervalMs, audioBitrate (kbit/s), threads (absent or 0: chosen)}, limits {sinkQueueMs, sinkQueueBytes, sinkDeadlineMs,
 *                      finishDeadlineMs, zipTimeoutMs, zipSpareBytes (left free on the disk)}, clock "live" | "packets", thumbnailWidth (0: none),
 *                      page (absent: native) {plugin {id, file, options {}}, layoutDir, baseUrl, layout (customLayout),
 *                      sessionId, secret, recordingId, hostRules (as --host-resolver-rules, "": none),
 *                      port (the server's, on loopback), certKeyHash (base64 of the SHA-256 of the certificate's
 *                      SubjectPublicKeyInfo, "": none), fallback "best_fit" | "fail",
 *                      browser {program, user ("": as the worker), profileDirectory (where private folders are made),
 *                      memoryBytes (0: no limit), cpuPercent (of one core, 0: no limit), readyTimeoutMs, sandbox}}.
 *                      layout is then what the recording falls back to
 *        recover       the same as setup: call the sinks' recover in the directory, answer with finished
 *        begin         startNs (file time 0; of the server's clock): after ready, before all that follows
 *        track-add     track (id, > 0), stream, participant, data, media "audio" | "video", codec, payloadType, clockRate,
 *                      fmtp, isScreen, joinedNs
 *        track-end     track, atNs
 *        stream-state  stream, audioActive, videoActive, isScreen (those that changed), atNs (absent: now)
 *        recorder      state "joined" | "left" (the hidden participant RECORDER of this page recording), streams (how
 *                      many with a picture there are in the session now; absent: not known. A page that has joined but
 *                      shows nothing but one colour is of no use when there are some)
 *        stop          atNs (file ends here), reason
 * up     hello         version, build, pid        (first, unasked)
 *        ready                                    (after setup: plugins loaded, encoder open: begin may come; with a
 *                                                 page: RECORDER has joined and the page has painted, or it fell back,
 *                                                 within REC_WIRE_PAGE_LAUNCH_MS + readyTimeoutMs)
 *        started       file (name of the file being written), (its first data is on disk)
 *        keyframe      track                      (please ask the publisher for one)
 *        note          text                       (a sink was detached, the machine is too slow ...: goes to the entity)
 *        page          event (below), message, console [lines], fromNs, toNs (file times of a gap): what became of the
 *                      page. At "fallback" the server attaches the session's feeds, as for a native recording
 *        stats         media seconds, framesOut, framesRepeated, packetsIn, packetsDropped  (every 5 s), and with a page
 *                      pageFrames (pictures it gave), pageFramesRepeated (pictures of the file for which it gave no new one)
 *        progress      bytes (packed into the ZIP so far: the server has patience as long as they grow; absent: files are
 *                      still being recovered, and that gets on)
 *        finished      ok, files [{name, mediaType, size, durationNs, hasAudio, hasVideo, stream?}], message
 *                      (all files have their final names; the worker may still write the thumbnail before it exits)
 *        failed        message, code              (cannot start or go on; finished follows when something could be saved;
 *                                                 code "invalid" | "not-found" | "unsupported": a page layout refused)
 *
 * Events of a page: loading, connected (RECORDER joined), painted, console (lines for the recording's log), hung, crashed
 * and limit (it is started anew), restarted (with the gap's times), failed (why it is of no use; fallback or the message
 * failed follows), fallback.
 */
#ifndef REC_WIRE_CONTROL_H
#define REC_WIRE_CONTROL_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>

#define REC_WIRE_CONTROL_FD 3
#define REC_WIRE_MEDIA_FD 4

#define REC_WIRE_PAGE_LAUNCH_MS 60000 /* how long a browser may take until it opens the page */

typedef enum {
  REC_CONTROL_INVALID = 0,
  /* down */
  REC_CONTROL_SETUP,
  REC_CONTROL_RECOVER,
  REC_CONTROL_BEGIN,
  REC_CONTROL_TRACK_ADD,
  REC_CONTROL_TRACK_END,
  REC_CONTROL_STREAM_STATE,
  REC_CONTROL_RECORDER,
  REC_CONTROL_STOP,
  /* up */
  REC_CONTROL_HELLO,
  REC_CONTROL_READY,
  REC_CONTROL_STARTED,
  REC_CONTROL_KEYFRAME,
  REC_CONTROL_NOTE,
  REC_CONTROL_PAGE,
  REC_CONTROL_STATS,
  REC_CONTROL_PROGRESS,
  REC_CONTROL_FINISHED,
  REC_CONTROL_FAILED,
} RecControlType;

/* message is borrowed. */
typedef void (*RecControlMessage) (RecControl *control, RecControlType type, json_object *message,
    void *data);
/* The other end is gone (error NULL) or broke the rules (too long a line, no JSON, unknown type or field type: error
 * says which). Called once; nothing is received afterwards. */
typedef void (*RecControlClosed) (RecControl *control, const GError *error, void *data);

/* Takes fd (made non-blocking). Reads on the thread-default main context of the caller. is_worker chooses which
 * half of the table may come in. */
RecControl *rec_control_new (int fd, bool is_worker, RecControlMessage message,
    RecControlClosed closed, void *data);
void rec_control_free (RecControl *control);

/* Takes message, adds "type". Queued, bounded; false when the queue is full or the other end is gone. [owner's thread] */
bool rec_control_send (RecControl *control, RecControlType type, json_object *message);
/* Blocks until what was sent is written, at most timeout_ms (for a worker about to exit). */
bool rec_control_flush (RecControl *control, int timeout_ms);

/* Receives what has already arrived, without waiting: what was sent on this socket before a datagram of the media
 * socket is then handled before it. May be called from within the callbacks (and does nothing there). */
void rec_control_poll (RecControl *control);

/* Exposed for tests and fuzzing: checks one parsed message against the table. INVALID and error set when it fails. */
RecControlType rec_control_check (json_object *message, bool is_worker, GError **error);

#endif
