/* test-rtp.c - which packets of VP9 are taken for the beginning of a keyframe. */
#include "media/rtp.h"

#include <glib.h>

#define PICTURE_ID 0x80
#define PREDICTED 0x40
#define LAYERS 0x20
#define BEGINS 0x08
#define ENDS 0x04

typedef struct {
  uint8_t payload[5];
  size_t size;
  bool is_keyframe;
} Packet;

static void
tells_keyframes_of_vp9 (void)
{
  static const Packet packets[] = {
    { { BEGINS, 0x82 }, 2, true },
    { { BEGINS | ENDS, 0x82 }, 2, true },
    { { PICTURE_ID | BEGINS, 0x05, 0x82 }, 3, true },
    { { PICTURE_ID | BEGINS, 0x85, 0x05, 0x82 }, 4, true },
    { { PICTURE_ID | LAYERS | BEGINS, 0x85, 0x05, 0x00, 0x00 }, 5, true },
    { { PICTURE_ID | LAYERS | BEGINS, 0x05, 0xf1, 0x00 }, 4, true },  /* of a higher rate */
    { { PICTURE_ID | LAYERS | BEGINS, 0x05, 0x03, 0x00 }, 4, false }, /* a larger picture's layer */
    { { LAYERS | BEGINS, 0x04, 0x00 }, 3, false },                    /* the layer above that */
    { { ENDS, 0x82 }, 2, false },                                     /* goes on */
    { { PREDICTED | BEGINS, 0x86 }, 2, false },                       /* needs the one before */
    { { PICTURE_ID | PREDICTED | BEGINS, 0x85, 0x05, 0x86 }, 4, false }, /* so does this */
    { { BEGINS }, 1, false },                                            /* cut off */
    { { PICTURE_ID | BEGINS, 0x05 }, 2, false },
    { { PICTURE_ID | BEGINS, 0x85, 0x05 }, 3, false },
    { { 0 }, 0, false },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (packets); i++) {
    /* of its very size, so that a read behind its end is found */
    g_autofree uint8_t *payload = g_memdup2 (packets[i].payload, packets[i].size);

    if (rec_rtp_is_keyframe ("VP9", payload, packets[i].size) != packets[i].is_keyframe)
      g_error ("packet %zu is%s taken for a keyframe", i, packets[i].is_keyframe ? " not" : "");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rtp/tells-keyframes-of-vp9", tells_keyframes_of_vp9);
  return g_test_run ();
}
