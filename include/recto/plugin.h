/* plugin.h - what every Recto plugin shares: entry symbol, ABI numbers, options, errors, host.
 *
 * Plugins include <recto/layout.h> or <recto/sink.h>, which include this file. README.md beside
 * this file is the author's guide, with two whole plugins.
 *
 * ABI change log, newest first:
 *   1.1  2026-11-22  RecTrack.stream_formats; VP9.
 *   1.0  2026-11-22  First version: arranging layouts, page layouts, sinks.
 *
 * The rules that hold in all three headers:
 *
 * Shape      A plugin is a .so that exports one symbol, rec_plugin_v1, and asks for libc only. It
 *            has no constructors and no init call; its descriptor is constant data. Services of the
 *            host arrive as structs of function pointers, so a plugin links against nothing of ours.
 * Growth     Fields are only ever appended. A struct that crosses the border starts with its size;
 *            look at no field that lies beyond the size you were given (REC_HAS_FIELD). Arrays that
 *            cross hold pointers, so that their elements can grow. RecTile and RecError are frozen.
 *            A breaking change will be rec_plugin_v2, served beside v1.
 * Unset      0 (NULL for pointers) always means: not set, use the default.
 * Ownership  What a call receives is borrowed until the call returns. Nothing is allocated on one
 *            side and freed on the other: results go into buffers of the caller. Strings are UTF-8
 *            and end with a 0 byte.
 * Threads    Each call carries a tag:
 *              [pure]    any thread, several at once; no statics, no I/O; same input, same output.
 *              [folder]  one thread; read-only I/O below the layout's folder.
 *              [sink]    the sink's own thread, one call at a time; it may block on disk or network
 *                        up to the deadline, which the host's progress () extends.
 */
#ifndef RECTO_PLUGIN_H
#define RECTO_PLUGIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The major number is in the entry symbol's name; the minor counts appended fields. */
#define REC_ABI_MAJOR 1
#define REC_ABI_MINOR 1

#if defined(__GNUC__)
#define REC_EXPORT __attribute__ ((visibility ("default")))
#define REC_PRINTF(text, first) __attribute__ ((__format__ (__printf__, text, first)))
#else
#define REC_EXPORT
#define REC_PRINTF(text, first)
#endif

/* Whether FIELD lies within the size that *(POINTER) says it has. Fields of ABI 1.0 always do;
 * ask before you touch a later one. */
#define REC_HAS_FIELD(pointer, type, field)                                                        \
  ((pointer)->size >= offsetof (type, field) + sizeof ((pointer)->field))

/* RecAbi.kind */
enum {
  REC_KIND_ARRANGING_LAYOUT = 1, /* the descriptor is a RecArrangingLayout */
  REC_KIND_PAGE_LAYOUT = 2,      /* the descriptor is a RecPageLayout */
  REC_KIND_SINK = 3,             /* the descriptor is a RecSink */
};

/* Says what the descriptor is; filled in by REC_ARRANGING_LAYOUT_ABI, REC_PAGE_LAYOUT_ABI or
 * REC_SINK_ABI. The host copies no more than `size` bytes. */
typedef struct RecAbi {
  uint32_t size; /* of the whole descriptor, as the plugin was compiled */
  uint32_t kind; /* REC_KIND_* */
  uint16_t major, minor;
} RecAbi;

/* RecOption.type */
enum {
  REC_TYPE_INT = 1,
  REC_TYPE_BOOL = 2,   /* true or false */
  REC_TYPE_STRING = 3, /* any text, or one of `choices` */
};

/* RecOption.flags */
enum {
  REC_OPTION_REQUEST = 1u << 0, /* the request that starts a recording may override it */
  REC_OPTION_SECRET = 1u << 1,  /* its value is never logged, listed or printed */
};

/* One option: the core reads its value from conf/plugins/ID.ini and, if the flag is set, from the
 * request, checks it, and reports mistakes itself. Write it with the macros below. */
typedef struct RecOption {
  uint32_t size;        /* sizeof (RecOption), filled in by the macros */
  uint32_t flags;       /* REC_OPTION_REQUEST, REC_OPTION_SECRET */
  const char *key;      /* as in the ini file: [a-z0-9_-]+ */
  uint32_t type;        /* REC_TYPE_* */
  uint32_t reserved;    /* 0 */
  const char *fallback; /* the value when nobody sets one, as text; NULL: 0, false, "" */
  const char *help;     /* one sentence; say the unit */
  int64_t min, max;     /* INT: the range, both ends allowed; STRING: max is its length in bytes.
                           0 and 0: no bound of yours */
  const char *const *choices; /* STRING: the allowed values, ended by NULL; NULL: any text */
} RecOption;

/* Initialisers, in C and in C++:  static const RecOption gap = REC_OPTION_INT_INIT (...);  */
#define REC_OPTION_INT_INIT(flags, key, fallback, help, min, max)                                  \
  {                                                                                                \
    sizeof (RecOption), (flags), (key), REC_TYPE_INT, 0, (fallback), (help), (min), (max), NULL    \
  }
#define REC_OPTION_BOOL_INIT(flags, key, fallback, help)                                           \
  {                                                                                                \
    sizeof (RecOption), (flags), (key), REC_TYPE_BOOL, 0, (fallback), (help), 0, 0, NULL           \
  }
#define REC_OPTION_STRING_INIT(flags, key, fallback, help)                                         \
  {                                                                                                \
    sizeof (RecOption), (flags), (key), REC_TYPE_STRING, 0, (fallback), (help), 0, 0, NULL         \
  }
#define REC_OPTION_CHOICE_INIT(flags, key, fallback, help, choices)                                \
  {                                                                                                \
    sizeof (RecOption), (flags), (key), REC_TYPE_STRING, 0, (fallback), (help), 0, 0, (choices)    \
  }

#ifndef __cplusplus
/* Elements of an option table, in C:
 *   static const RecOption *const row_options[] = {
 *     REC_OPTION_INT (REC_OPTION_REQUEST, "gap", "8", "Pixels between two tiles", 0, 200),
 *     REC_OPTION_END,
 *   };  */
#define REC_OPTION_INT(flags, key, fallback, help, min, max)                                       \
  (&(const RecOption) REC_OPTION_INT_INIT (flags, key, fallback, help, min, max))
#define REC_OPTION_BOOL(flags, key, fallback, help)                                                \
  (&(const RecOption) REC_OPTION_BOOL_INIT (flags, key, fallback, help))
#define REC_OPTION_STRING(flags, key, fallback, help)                                              \
  (&(const RecOption) REC_OPTION_STRING_INIT (flags, key, fallback, help))
#define REC_OPTION_CHOICE(flags, key, fallback, help, choices)                                     \
  (&(const RecOption) REC_OPTION_CHOICE_INIT (flags, key, fallback, help, choices))
#endif
#define REC_OPTION_END NULL

/* The values that hold for this recording. Valid as long as the struct that carries it: for a scene
 * until arrange returns, for a sink's setup until close returns; so are the strings. Asking for
 * a key that is not in your table, or as another type, is logged as the plugin's mistake and gives
 * 0, false or "". */
typedef struct RecOptions RecOptions;
struct RecOptions {
  uint32_t size;
  uint32_t reserved;
  void *context; /* the host's */

  /* [any thread that has the struct] */
  int64_t (*get_int) (const RecOptions *options, const char *key);
  bool (*get_bool) (const RecOptions *options, const char *key);
  const char *(*get_string) (const RecOptions *options, const char *key); /* never NULL */
};

/* The first member of every descriptor. */
typedef struct RecPlugin {
  RecAbi abi;
  const char *id;      /* its name in ini files and requests: [a-z0-9_-]+, 64 bytes at most */
  const char *version; /* yours, for people */
  const char *summary; /* one line, for people */
  const RecOption *const *options; /* ended by REC_OPTION_END; NULL: none */
} RecPlugin;

/* RecError.code; tells the host what kind of trouble it is, the message tells people. */
enum {
  REC_FAIL_OTHER = 1,
  REC_FAIL_INVALID = 2,     /* an option, name or packet makes no sense */
  REC_FAIL_UNSUPPORTED = 3, /* a codec or format this plugin cannot take */
  REC_FAIL_IO = 4,          /* disk or network */
  REC_FAIL_NO_SPACE = 5,    /* the disk, quota or file size limit is exhausted */
  REC_FAIL_DENIED = 6,      /* permissions */
  REC_FAIL_NOT_FOUND = 7,
};

/* The caller's buffer for what went wrong. Frozen: it never grows. */
typedef struct RecError {
  uint32_t code; /* REC_FAIL_* */
  char message[252];
} RecError;

/* Fills in the error (may be NULL) and returns false, so that a call can end with
 *   return rec_fail (error, REC_FAIL_IO, "cannot open '%s': %s", path, strerror (errno));  */
REC_PRINTF (3, 4)
static inline bool
rec_fail (RecError *error, uint32_t code, const char *format, ...)
{
  va_list arguments;

  if (error == NULL)
    return false;
  error->code = code;
  va_start (arguments, format);
  (void) vsnprintf (error->message, sizeof error->message, format, arguments);
  va_end (arguments);
  return false;
}

/* Levels of RecHost.log */
enum {
  REC_LOG_ERROR = 1, /* the recording is lost */
  REC_LOG_WARNING = 2,
  REC_LOG_MESSAGE = 3, /* events in the recording's life */
  REC_LOG_DEBUG = 4,   /* never per packet: count, and log the count */
};

/* What the host does for a sink. Valid from `open` until `close` returns (for `needs` and
 * `recover`: until they return). Call it from the sink's calls or from threads of your own. */
typedef struct RecHost RecHost;
struct RecHost {
  uint32_t size;
  uint32_t reserved;
  void *context; /* the host's */

  /* One line into the server's log, with the plugin's and recording's names; rec_log () formats. */
  void (*log) (const RecHost *host, uint32_t level, const char *message);

  /* This file now belongs to the recording, complete and under its final name. `path` is relative
   * to the setup's directory, `media_type` like "video/mp4"; `stream_id` is NULL for a composed
   * file. The strings are copied. */
  void (*add_file) (const RecHost *host, const char *path, const char *media_type,
      const char *stream_id);

  /* "Still working": the deadline of the running call starts anew. `stored_ns` says up to which
   * file time everything is safe from a crash (0: nothing yet, or not known). */
  void (*progress) (const RecHost *host, int64_t stored_ns);

  /* Asks for a keyframe of this video track soon; repeated calls cost nothing. */
  void (*request_keyframe) (const RecHost *host, uint32_t track_id);
};

/* Formats a line for the host's log. */
REC_PRINTF (3, 4)
static inline void
rec_log (const RecHost *host, uint32_t level, const char *format, ...)
{
  char message[512];
  va_list arguments;

  va_start (arguments, format);
  (void) vsnprintf (message, sizeof message, format, arguments);
  va_end (arguments);
  host->log (host, level, message);
}

/* The entry: returns the plugin's constant descriptor, valid for ever (a plugin is never unloaded).
 * Written by REC_REGISTER_PLUGIN. */
REC_EXPORT const RecPlugin *rec_plugin_v1 (void);

/* Exports a descriptor; the last line of a plugin, without a semicolon. */
#define REC_REGISTER_PLUGIN(descriptor)                                                            \
  const RecPlugin *rec_plugin_v1 (void)                                                            \
  {                                                                                                \
    return &(descriptor).plugin;                                                                   \
  }

#ifdef __cplusplus
}
#endif

#endif
