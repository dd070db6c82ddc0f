# Builds, tests and installs Recto: `make help` lists the targets.
# Everything built goes below $(B); a new plugin, test or core file needs no edit here.

VERSION := 0.1.0
B ?= build
PREFIX ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
CFLAGS ?= -O2 -g
CLANG ?= clang
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
CPPCHECK ?= cppcheck

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2);)

# -- Compilers and packages

PACKAGES := glib-2.0 gio-unix-2.0 libmicrohttpd json-c gstreamer-1.0 gstreamer-webrtc-1.0 \
  gstreamer-sdp-1.0 gstreamer-rtsp-1.0 gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-audio-1.0 gstreamer-pbutils-1.0 gstreamer-rtp-1.0 \
  inih gnutls libcurl libarchive opus
# Headers of other people are -isystem, so that their warnings stay theirs.
PACKAGE_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

# Tables leave out what is zero.
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wundef \
  -Wno-missing-field-initializers -Werror=implicit-function-declaration
# clang calls a variable unused whose only use is its cleanup (g_autoptr); gcc finds the others.
WARNINGS += $(if $(findstring clang,$(CC)),-Wno-unused-variable)
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
# What libFuzzer looks at while it tries inputs: only for clang.
SANITIZE += $(if $(FUZZ),-fsanitize=fuzzer-no-link)
HARDEN := $(if $(SAN),,-fstack-protector-strong)

ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(if $(WERROR),-Werror) $(HARDEN) $(SANITIZE) -MMD -MP $(CFLAGS)
CORE_CPPFLAGS = -Icore -Iinclude -DREC_VERSION='"$(VERSION)"' -DGST_USE_UNSTABLE_API \
  $(if $(SAN)$(findstring coverage,$(CFLAGS)),-DREC_RUN_EXIT_HANDLERS) $(PACKAGE_CFLAGS) $(CPPFLAGS)
TEST_CPPFLAGS = -Itests -Iplugins -DREC_BUILD_DIR='"$(abspath $(B))"' -DREC_SOURCE_DIR='"$(CURDIR)"' \
  $(CORE_CPPFLAGS)
# A plugin sees the public headers and libc, nothing of the core.
PLUGIN_CPPFLAGS = -Iinclude -Iplugins $(CPPFLAGS)
PLUGIN_CFLAGS = -fPIC -fvisibility=hidden
ALL_LDFLAGS = -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS)
# clang leaves the sanitizer's symbols to the program that loads the plugin.
PLUGIN_LDFLAGS = -shared $(if $(SAN),,-Wl$(comma)-z$(comma)defs) $(ALL_LDFLAGS)
LIBS = $(PACKAGE_LIBS) -lwslay -ldl -lm $(LDLIBS)
comma := ,

# -- What there is

# STAGES="base session" builds and tests some stages while others are under construction.
STAGES ?= $(notdir $(patsubst %/,%,$(wildcard core/*/)))
CORE := $(wildcard core/*.c $(STAGES:%=core/%/*.c))
CORE_OBJECTS := $(patsubst %.c,$(B)/obj/%.o,$(filter-out core/main.c,$(CORE)))
COMMON_OBJECTS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard plugins/common/*.c))
PLUGIN_FOLDERS := $(patsubst %/,%,$(wildcard plugins/layouts/*/ plugins/sinks/*/))
EXAMPLE_FOLDERS := $(patsubst %/,%,$(wildcard plugins/examples/*/))
PLUGINS := $(patsubst %,$(B)/plugins/%.so,$(notdir $(PLUGIN_FOLDERS)))
EXAMPLES := $(patsubst %,$(B)/examples/%.so,$(notdir $(EXAMPLE_FOLDERS)))
TEST_PLUGINS := $(patsubst tests/plugins/%.c,$(B)/tests/plugins/%.so,$(wildcard tests/plugins/*.c))
TEST_LIBRARY := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/lib/*.c))
# The client libraries that layout pages load; there are none before `make deps`.
CLIENT_SCRIPTS := $(wildcard node_modules/openvidu-browser-*/static/js/openvidu-browser-*.min.js)
LIBRARIES := $(patsubst %,$(B)/openvidu-browser/%,$(notdir $(CLIENT_SCRIPTS)))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test-*.c))
MEDIA_TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/media/test-*.c))
MEDIA_SCRIPTS := $(filter-out %.c %.h,$(wildcard tests/media/test-*))
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz-%.c,%,$(wildcard tests/fuzz/fuzz-*.c))
FUZZERS := $(FUZZ_TARGETS:%=$(B)/tests/fuzz-%)
FUZZ_REPLAYS := $(FUZZ_TARGETS:%=$(B)/tests/replay-%)
TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/tools/*.c))
BENCH_TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*.c))
LOAD_OBJECTS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/tools/load/*.c))
E2E_TESTS := $(wildcard tests/e2e/*.test.mjs)
OBJECTS := $(CORE_OBJECTS) $(B)/obj/core/main.o
# What ThreadSanitizer has to be told about libraries that it does not see.
HANDOVER := $(if $(filter thread,$(SAN)),$(B)/obj/tests/tsan/handover.o)
SOURCES := $(wildcard core/*.[ch] core/*/*.[ch] include/recto/*.h plugins/*/*.[ch] \
  plugins/*/*/*.[ch] tests/*/*.[ch] tests/tools/*/*.[ch])

.PHONY: all plugins libraries tests deps run demo layout-preview do-layout-preview check check-unit check-media check-e2e bench asan lint conf \
  do-run do-demo do-check do-check-unit do-check-media do-check-e2e do-bench do-lint do-asan asan-tests \
  format format-check headers layers keys tidy cppcheck install uninstall clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/recto $(B)/recto-load plugins libraries
plugins: $(PLUGINS) $(EXAMPLES)
libraries: $(LIBRARIES)
tests: $(UNIT_TESTS) $(FUZZ_REPLAYS) $(MEDIA_TESTS) $(TEST_PLUGINS) $(TOOLS) $(BENCH_TOOLS)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

#: make              build/recto, the plugins and the examples (make B=elsewhere V=1 WERROR=1)
#: make deps         install what is missing to build, run, demo and check (root or sudo)
#: make run          the server with conf/dev.ini
#: make demo         a real session with real browsers, recorded
#: make check        every test; check-unit, check-media and check-e2e are its parts
#: make test-NAME    build and run tests/unit/test-NAME.c
#: make bench        measure (rows of "name value unit"); BENCH="composed start" runs a part
#: make asan         the unit tests under AddressSanitizer and UBSan
#: make tsan         the unit tests of what threads share, under ThreadSanitizer
#: make cover        which lines the unit tests run: one number, and a report by file
#: make fuzz         each parser of outside input against libFuzzer for FUZZ_SECONDS (60)
#: make soak         joins, leaves and recordings for MINUTES (10): what grows, and does sound drift
#: make lint         gcc and clang with -Werror, clang-tidy, cppcheck, headers, layers, keys, format-check
#: make conf         conf/recto.ini, from the table of settings
#: make format       clang-format over everything
#: make layout-preview LAYOUT=folder [N=4] [SERVE=1]
#:                   a layout with 1 to N synthetic participants: pictures and a film, or an address for your browser
#: make install      to PREFIX (/usr/local), below DESTDIR; uninstall removes the same
#: make clean        remove what was built

# -- Compile

# Whoever has no packages is told so before the compiler's first error.
.PHONY: packages
packages:
	$(if $(PACKAGE_LIBS),,$(error some of $(PACKAGES) are not installed: run `make deps`))

# Changes when the flags do, and everything is compiled anew.
FLAGS = $(CC) $(ALL_CFLAGS) $(CORE_CPPFLAGS) $(ALL_LDFLAGS)
$(B)/flags: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
	  printf '%s\n' '$(subst ','\'',$(FLAGS))' > $@

# The installed folders are known to one file only.
PATHS = -DREC_SYSCONFDIR='"$(SYSCONFDIR)/recto"' -DREC_PLUGIN_DIRECTORY='"$(PREFIX)/lib/recto/plugins"' \
  -DREC_LIBRARY_DIRECTORY='"$(PREFIX)/share/recto/openvidu-browser"'
$(B)/paths: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(subst ','\'',$(PATHS))' | cmp -s - $@ || \
	  printf '%s\n' '$(subst ','\'',$(PATHS))' > $@
$(B)/obj/core/base/config.o: $(B)/paths
$(B)/obj/core/base/config.o: CORE_CPPFLAGS += $(PATHS)

$(B)/obj/core/worker/page-script.o: $(wildcard core/worker/*.js)

$(B)/obj/core/%.o: core/%.c $(B)/flags | packages
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(B)/obj/plugins/%.o: plugins/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(PLUGIN_CPPFLAGS) $(ALL_CFLAGS) $(PLUGIN_CFLAGS) -c -o $@ $<

$(B)/obj/tests/plugins/%.o: tests/plugins/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(PLUGIN_CPPFLAGS) $(ALL_CFLAGS) $(PLUGIN_CFLAGS) -c -o $@ $<

$(B)/obj/tests/%.o: tests/%.c $(B)/flags | packages
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# -- Link

define archive
@mkdir -p $(@D)
$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
endef

$(B)/libcore.a: $(CORE_OBJECTS)
	$(archive)
$(B)/libcommon.a: $(COMMON_OBJECTS)
	$(archive)
$(B)/tests/libtest.a: $(TEST_LIBRARY)
	$(archive)

$(B)/recto: $(B)/obj/core/main.o $(HANDOVER) $(B)/libcore.a
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The load tool belongs to nobody's installation, but is there for whoever builds.
$(BENCH_TOOLS): $(B)/%: $(B)/obj/%.o $(filter-out %/load.o,$(LOAD_OBJECTS)) $(B)/libcore.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(B)/recto-load: $(LOAD_OBJECTS) $(B)/libcore.a
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

define plugin
$(2): $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c)) $(B)/libcommon.a
endef
$(foreach folder,$(PLUGIN_FOLDERS),$(eval $(call plugin,$(folder),$(B)/plugins/$(notdir $(folder)).so)))
$(foreach folder,$(EXAMPLE_FOLDERS),$(eval $(call plugin,$(folder),$(B)/examples/$(notdir $(folder)).so)))
$(TEST_PLUGINS): $(B)/tests/plugins/%.so: $(B)/obj/tests/plugins/%.o

$(PLUGINS) $(EXAMPLES) $(TEST_PLUGINS):
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(PLUGIN_LDFLAGS) -o $@ $^ -lm

define library
$(B)/openvidu-browser/$(notdir $(1)): $(1)
endef
$(foreach script,$(CLIENT_SCRIPTS),$(eval $(call library,$(script))))
$(LIBRARIES):
	@mkdir -p $(@D)
	$(call say,COPY,$@)cp $< $@

TEST_ARCHIVES := $(B)/tests/libtest.a $(B)/libcore.a $(B)/libcommon.a
$(UNIT_TESTS): $(B)/tests/%: $(B)/obj/tests/unit/%.o $(HANDOVER) $(TEST_ARCHIVES)
$(MEDIA_TESTS): $(B)/tests/%: $(B)/obj/tests/%.o $(HANDOVER) $(TEST_ARCHIVES)
$(TOOLS): $(B)/%: $(B)/obj/%.o $(TEST_ARCHIVES)
$(B)/tests/tools/camera: LIBS += -lgstrtspserver-1.0
$(UNIT_TESTS) $(MEDIA_TESTS) $(TOOLS):
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# A target needs the parts of the mp4 sink too: they are plain objects here, not a plugin.
FUZZ_OBJECTS := $(B)/obj/tests/fuzz/fuzz.o $(patsubst %.c,$(B)/obj/%.o,$(wildcard plugins/sinks/mp4/*.c))
$(B)/tests/libfuzz.a: $(FUZZ_OBJECTS)
	$(archive)
FUZZ_ARCHIVES := $(B)/tests/libfuzz.a $(TEST_ARCHIVES)
$(FUZZ_REPLAYS): $(B)/tests/replay-%: $(B)/obj/tests/fuzz/fuzz-%.o $(B)/obj/tests/fuzz/replay.o $(FUZZ_ARCHIVES)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(FUZZERS): $(B)/tests/fuzz-%: $(B)/obj/tests/fuzz/fuzz-%.o $(FUZZ_ARCHIVES)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# -- Run and check. Packages come first, then make again, which asks pkg-config anew.

deps:
	$(Q)tests/tools/deps

run demo layout-preview check check-unit check-media check-e2e bench lint asan: deps
	+$(Q)$(MAKE) --no-print-directory do-$@

do-run: all
	$(Q)$(B)/recto --config conf/dev.ini

do-layout-preview: all
	$(Q)B='$(B)' tests/tools/layout-preview $(if $(SERVE),--serve) -n $(or $(N),4) $(LAYOUT)

do-demo: all
	$(Q)B='$(B)' tests/e2e/demo

# The program under test and its tests a second time, with the sanitizers in.
asan-tests:
	+$(Q)$(MAKE) --no-print-directory B=$(B)/asan SAN=address,undefined all tests

UNIT = --group unit --timeout 300 --jobs 2 $(UNIT_TESTS) $(FUZZ_REPLAYS)
ASAN = --group asan --timeout 900 --jobs 2 $(patsubst $(B)/%,$(B)/asan/%,$(UNIT_TESTS) $(FUZZ_REPLAYS))
MEDIA = --group media --timeout 300 --jobs 1 $(MEDIA_TESTS) $(MEDIA_SCRIPTS)
E2E = --group e2e --timeout 900 --jobs 1 $(E2E_TESTS)
RUN_TESTS = B='$(B)' tests/run

do-check: all tests asan-tests
	$(Q)$(RUN_TESTS) $(UNIT) $(ASAN) $(MEDIA) $(E2E)
do-check-unit: all tests asan-tests
	$(Q)$(RUN_TESTS) $(UNIT) $(ASAN)
do-check-media: all tests
	$(Q)$(RUN_TESTS) $(MEDIA)
do-check-e2e: all
	$(Q)$(RUN_TESTS) $(E2E)
do-asan: asan-tests
	$(Q)$(RUN_TESTS) $(ASAN)

# Those with threads of our own, and whose workers record on theirs. tests/tsan/handover.c tells it what GLib and GStreamer
# hand from thread to thread.
TSAN_TESTS := $(addprefix test-,admission camera endpoint entity feed hostile-http http journal log lying-worker rest router \
  signal-media supervisor supervisor-faults tls websocket) media/test-pictures
.PHONY: tsan do-tsan tsan-tests cover do-cover
tsan cover: deps
	+$(Q)$(MAKE) --no-print-directory do-$@
tsan-tests:
	+$(Q)$(MAKE) --no-print-directory B=$(B)/tsan SAN=thread CFLAGS='-O1 -g' \
	  all $(patsubst $(B)/%,$(B)/tsan/%,$(TOOLS) $(TEST_PLUGINS)) $(TSAN_TESTS:%=$(B)/tsan/tests/%)
do-tsan: tsan-tests
	$(Q)$(RUN_TESTS) --group tsan --timeout 600 --jobs 2 $(TSAN_TESTS:%=$(B)/tsan/tests/%)

do-cover:
	$(Q)find $(B)/cover -name '*.gcda' -delete 2>/dev/null || true
	+$(Q)$(MAKE) --no-print-directory B=$(B)/cover CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage all tests
	$(Q)B='$(B)/cover' tests/run --group unit --timeout 300 --jobs 2 $(patsubst $(B)/%,$(B)/cover/%,$(UNIT_TESTS) $(FUZZ_REPLAYS))
	$(Q)tests/tools/cover $(B)/cover $(B)/cover/report.txt

MINUTES ?= 10
.PHONY: soak do-soak
soak: deps
	+$(Q)$(MAKE) --no-print-directory do-soak
do-soak: all
	$(Q)B=$(B) node tests/tools/soak.mjs $(MINUTES)

# One that finds something leaves the input in $(B)/fuzz/found: add it to the corpus when it is mended.
FUZZ_SECONDS ?= 60
.PHONY: fuzz do-fuzz fuzzers
fuzz: deps
	+$(Q)$(MAKE) --no-print-directory do-fuzz
do-fuzz:
	+$(Q)$(MAKE) --no-print-directory B=$(B)/fuzz CC=$(CLANG) SAN=address,undefined FUZZ=1 CFLAGS='-O1 -g1' fuzzers
	$(Q)tests/tools/fuzz $(B)/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)
fuzzers: $(FUZZERS)

do-bench: all $(BENCH_TOOLS)
	$(Q)B='$(B)' node tests/bench/bench.mjs $(BENCH)

test-%: $(B)/tests/test-% $(B)/recto plugins $(TEST_PLUGINS) $(TOOLS)
	$(Q)$(RUN_TESTS) --group unit --timeout 120 $<

# -- Lint

do-lint: headers layers keys format-check cppcheck tidy
	+$(Q)$(MAKE) --no-print-directory WERROR=1 all tests
	+$(Q)$(MAKE) --no-print-directory WERROR=1 B=$(B)/clang CC=$(CLANG) all tests

# What is built as `make` builds it; tests are looked at by compilers and sanitizers alone.
LINTED := $(CORE) $(wildcard plugins/*/*.c plugins/*/*/*.c)
LINTED_FLAGS = -std=gnu11 $(addprefix -I$(CURDIR)/,core include plugins) $(CORE_CPPFLAGS) $(PATHS)

# Says on standard error only how much it left out.
tidy:
	$(call say,CHECK,clang-tidy)mkdir -p $(B) && printf '%s\n' $(LINTED_FLAGS) > $(B)/compile_flags.txt
	$(Q)printf '%s\n' $(LINTED) | xargs -P "$$(nproc)" -n 4 sh -c '$(CLANG_TIDY) --quiet -p $(B) "$$@" 2>/dev/null' tidy

cppcheck:
	$(call say,CHECK,cppcheck)$(CPPCHECK) -q -j "$$(nproc)" --std=c11 --error-exitcode=1 --inline-suppr \
	  --enable=warning,performance,portability --suppressions-list=tests/cppcheck.supp \
	  --library=gtk,posix,gnu '-DG_DEFINE_QUARK(a,b)=' '-Djson_object_object_foreach(o,k,v)=while(1)' $(PATHS) -Icore -Iinclude -Iplugins $(LINTED)

# Every public header alone, as a stranger's compiler sees it.
headers:
	$(call say,CHECK,headers)set -e; for header in include/recto/*.h; do \
	  $(CC) -std=c11 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c $$header; \
	  $(CXX) -std=c++17 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ $$header; \
	done

layers:
	$(call say,CHECK,layers)tests/tools/layers

keys:
	$(call say,CHECK,keys)tests/tools/keys

format:
	$(call say,FORMAT,sources)$(CLANG_FORMAT) -i $(SOURCES)

format-check:
	$(call say,CHECK,format)$(CLANG_FORMAT) --dry-run -Werror $(SOURCES)

conf: $(B)/recto
	$(call say,WRITE,conf/recto.ini)$< --print-sample > conf/recto.ini

# -- Install

LAYOUT_FILES := $(shell find layouts -type f 2>/dev/null)
SHARED := $(DESTDIR)$(PREFIX)
SETTINGS := $(DESTDIR)$(SYSCONFDIR)/recto
PLUGIN_SETTINGS := $(wildcard $(patsubst %,conf/plugins/%.ini,$(notdir $(PLUGIN_FOLDERS))))
SETTINGS_FILES := recto.ini $(PLUGIN_SETTINGS:conf/%=%)
# mode:file:place
INSTALLED := 755:$(B)/recto:$(SHARED)/bin/recto \
  $(foreach so,$(PLUGINS),755:$(so):$(SHARED)/lib/recto/plugins/$(notdir $(so))) \
  $(foreach header,$(wildcard include/recto/*.h),644:$(header):$(SHARED)/include/recto/$(notdir $(header))) \
  $(foreach file,$(LIBRARIES),644:$(file):$(SHARED)/share/recto/openvidu-browser/$(notdir $(file))) \
  $(foreach file,$(LAYOUT_FILES),644:$(file):$(SHARED)/share/recto/$(file)) \
  644:$(B)/recto.service:$(SHARED)/lib/systemd/system/recto.service \
  644:conf/recto.sysusers:$(SHARED)/lib/sysusers.d/recto.conf \
  644:conf/recto.tmpfiles:$(SHARED)/lib/tmpfiles.d/recto.conf
part = $(word $(1),$(subst :, ,$(2)))

$(B)/recto.service: conf/recto.service.in $(B)/paths
	$(call say,WRITE,$@)sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' $< > $@

# An operator's settings are never overwritten.
install: all $(B)/recto.service
	$(Q)set -e; $(foreach item,$(INSTALLED),install -D -m $(call part,1,$(item)) \
	  $(call part,2,$(item)) $(call part,3,$(item));) \
	for file in $(SETTINGS_FILES); do \
	  if ! test -e $(SETTINGS)/$$file; then install -D -m 644 conf/$$file $(SETTINGS)/$$file; \
	  elif ! cmp -s conf/$$file $(SETTINGS)/$$file; then echo "kept $(SETTINGS)/$$file"; fi; \
	done

# Settings go only as long as they are as they came.
uninstall:
	$(Q)rm -f $(foreach item,$(INSTALLED),$(call part,3,$(item)))
	$(Q)for file in $(SETTINGS_FILES); do \
	  if cmp -s conf/$$file $(SETTINGS)/$$file; then rm -f $(SETTINGS)/$$file; fi; \
	done
	$(Q)for folder in $(SHARED)/lib/recto $(SHARED)/include/recto $(SHARED)/share/recto $(SETTINGS); do \
	  if test -d $$folder; then find $$folder -depth -type d -empty -delete; fi; \
	done

clean:
	$(Q)rm -rf $(B)
