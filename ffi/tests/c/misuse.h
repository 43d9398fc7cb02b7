/* What the generated program of the misuse test runs on. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "world.h"

static const int codes[] = {0, 101, 102, 103, 104, 105, 106, 107, 108, 110, 201, 202, 203, 301, 401, 402, 403, 501, 502, 601,
                            602, 701, 801, 802};
static lukko_handle stale;
static int threads = 1, panics, findings;

/* Each thread has its own memory for outputs. */
static __thread uint8_t mem[8192];
static struct bytes junk, patient;
static const size_t one_len = 1, huge_len = SIZE_MAX, no_len = 0;
static lukko_bytes null_element[1], huge_element[1], descriptors[1], statements[1];
static lukko_place null_place, zero_place;
static lukko_context null_context, zero_context;
static lukko_stored_patient null_stored, zero_stored;
static lukko_source source, file_source, null_source, failing_source, huge_source;
static lukko_sink sink, null_sink, failing_sink;

static int32_t fail_read(void *context, uint64_t offset, uint8_t *out, size_t len)
{
    (void)context, (void)offset, (void)out, (void)len;
    return 0;
}

static int32_t fail_write(void *context, const uint8_t *bytes, size_t len)
{
    (void)context, (void)bytes, (void)len;
    return 0;
}

/* Used from two threads, so nothing is kept. */
static int32_t swallow(void *context, const uint8_t *bytes, size_t len)
{
    (void)context, (void)bytes, (void)len;
    return LUKKO_CALLBACK_OK;
}

static void prepare(void)
{
    world_make();
    TRY(lukko_registrar_generate(&stale));
    TRY(lukko_free(stale));
    memset(junk.data, 7, 32);
    junk.len = 32;
    patient.data[0] = 'p';
    patient.len = 1;
    null_element[0].len = 1;
    huge_element[0].data = junk.data;
    huge_element[0].len = SIZE_MAX;
    descriptors[0] = view(&world_next);
    statements[0] = view(&world_statement);
    null_place.record.len = 1;
    null_context = world_context;
    null_context.record.data = NULL;
    null_stored = world_stored;
    null_stored.endorsement.data = NULL;
    source = source_of(&world_attachment);
    file_source = source_of(&world_file);
    failing_source = source;
    failing_source.read_at = fail_read;
    null_source = source;
    null_source.read_at = NULL;
    huge_source = source;
    huge_source.length = UINT64_MAX;
    sink.write = swallow;
    failing_sink.write = fail_write;
}

/* Where an output lies in `mem`, how long it is, and which two codes explain themselves there. */
struct output {
    size_t at, len;
    int32_t kept, also_kept;
};

static const struct output none[1];
static void after(const char *what, int32_t expected, const struct output *outputs, int32_t code);

/* A panic in the middle of a change: that object is of no use any more, and all others are. */
static void panic_in_a_change(void)
{
    lukko_draft draft;
    uint64_t version;
    TRY(lukko_draft_next(world_lukko_vault, &draft));
    setenv("LUKKO_FAILPOINT", "locked", 1);
    panics = 1;
    after("a panic in a change", 0, none, lukko_draft_version(draft, &version));
    setenv("LUKKO_FAILPOINT", "", 1);
    after("the object that was being changed", 0, none, lukko_draft_version(draft, &version));
    panics = 0;
    TRY(lukko_free(draft));
    TRY(lukko_draft_version(world_lukko_draft, &version));
}

/* Only while no other thread uses the world. */
static void renew_successor(void)
{
    if (threads == 1 && !panics) {
        TRY(lukko_free(world_lukko_successor));
        TRY(lukko_pinned_successor(world_lukko_pinned, descriptors, statements, 1, &world_lukko_successor));
    }
}

static void before(void)
{
    memset(mem, 0xA5, sizeof mem);
}

static void complain(const char *what, long code, const char *why)
{
    fprintf(stderr, "%s -> %ld %s: %s\n", what, code, lukko_strerror((int32_t)code), why);
    findings = 1;
}

static int known(int32_t code)
{
    size_t at;
    for (at = 0; at < sizeof codes / sizeof codes[0]; at++) {
        if (codes[at] == code) {
            return 1;
        }
    }
    return 0;
}

/* After a failure an output is zero, or explains the failure. All other memory is as it was. */
static void look(const char *what, const struct output *outputs, int32_t code)
{
    const struct output *output;
    size_t at;
    for (output = outputs; output->len != 0; output++) {
        int explains = code == output->kept || code == output->also_kept;
        for (at = output->at; at < output->at + output->len; at++) {
            if (mem[at] != 0 && !explains) {
                complain(what, code, "an output is not zero after a failure");
                at = output->at + output->len;
            }
        }
        memset(mem + output->at, 0xA5, output->len);
    }
    for (at = 0; at < sizeof mem; at++) {
        if (mem[at] != 0xA5) {
            complain(what, code, "memory beside the outputs was written");
            return;
        }
    }
}

/* `expected`: a code; 0 any known one; -1 one of the two for handles. */
static void after(const char *what, int32_t expected, const struct output *outputs, int32_t code)
{
    if (panics) {
        if (code != LUKKO_E_PANIC) {
            complain(what, code, "a panic was expected");
        }
    } else if (!known(code)) {
        complain(what, code, "not a code that may come here");
    } else if (threads == 1 || (code != LUKKO_E_BUSY && code != LUKKO_E_SPENT)) {
        if (expected > 0 && code != expected) {
            complain(what, code, "another code was expected");
        }
        if (expected == -1 && code != LUKKO_E_HANDLE && code != LUKKO_E_HANDLE_TYPE) {
            complain(what, code, "a code for handles was expected");
        }
    }
    if (code != LUKKO_OK && outputs != none) {
        look(what, outputs, code);
    }
}

static void *thread(void *run)
{
    void (*every_function)(void) = *(void (**)(void))run;
    every_function();
    return NULL;
}

static int misuse(void (*every_function)(void))
{
    pthread_t others[2];
    int at;
    prepare();
    if (getenv("LUKKO_MISUSE_PANIC")) {
        setenv("LUKKO_FAILPOINT", "entry", 1);
        panics = 1;
        every_function();
        setenv("LUKKO_FAILPOINT", "", 1);
        panics = 0;
        every_function();
        before();
        panic_in_a_change();
        puts(findings ? "see above" : "every function panicked and came back");
        return findings;
    }
    every_function();
    puts(findings ? "see above" : "one thread: no finding");
    threads = 2;
    for (at = 0; at < 2; at++) {
        if (pthread_create(&others[at], NULL, thread, &every_function) != 0) {
            return 1;
        }
    }
    for (at = 0; at < 2; at++) {
        pthread_join(others[at], NULL);
    }
    puts(findings ? "see above" : "two threads: no finding");
    return findings;
}
