/* talkative.c - prints while it is loaded, and has an option of every kind. */
#include <recto/layout.h>

#include <stdio.h>

static const char *const moods[] = { "calm", "loud", NULL };

static const RecOption *const options[] = {
  REC_OPTION_INT (REC_OPTION_REQUEST, "gap", "8", "Pixels between two tiles", 0, 200),
  REC_OPTION_BOOL (REC_OPTION_REQUEST, "names", "true", "Show names"),
  REC_OPTION_CHOICE (REC_OPTION_REQUEST, "mood", "calm", "How to speak", moods),
  REC_OPTION_STRING (0, "title", NULL, "What to say"),
  REC_OPTION_STRING (REC_OPTION_SECRET, "password", "open sesame", "Never shown"),
  REC_OPTION_END,
};

__attribute__ ((constructor)) static void
speak (void)
{
  puts ("{\"id\": \"somebody-else\"}");
  (void) fflush (stdout);
}

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "talkative",
  .plugin.version = "2.5",
  .plugin.summary = "Talks",
  .plugin.options = options,
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
