/* camera-guard.h - takes redirections out of what IP cameras answer, before rtspsrc follows them. */
#ifndef REC_MEDIA_CAMERA_GUARD_H
#define REC_MEDIA_CAMERA_GUARD_H

/* For every rtspsrc of this process from now on. [main] */
void rec_camera_guard_install (void);

#endif
