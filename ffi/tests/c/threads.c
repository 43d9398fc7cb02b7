/* T115: one handle in two threads; an object freed while it is used. T113: overlapping buffers. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "world.h"

static void expect(int32_t code, int32_t wanted, const char *what)
{
    if (code != wanted) {
        fprintf(stderr, "%s: %ld, not %ld\n", what, (long)code, (long)wanted);
        exit(1);
    }
}

/* A source whose callback calls the library again, with the handle that is being served. */
static lukko_deposited served;
static int32_t seen;

static int32_t read_and_call(void *context, uint64_t offset, uint8_t *out, size_t len)
{
    uint64_t length;
    if (served != 0) {
        seen = lukko_deposited_len(served, &length);
    }
    return read_bytes(context, offset, out, len);
}

static void a_callback_meets_busy(void)
{
    lukko_source source = source_of(&world_file);
    lukko_reader reader;
    lukko_deposited deposited;
    source.read_at = read_and_call;
    TRY(lukko_vault_open_deposited_attachment(world_lukko_vault, world_lukko_patient_key, &world_file_place, &source,
                                              &deposited));
    served = deposited;
    TRY(lukko_deposited_verify(deposited, &reader));
    served = 0;
    expect(seen, LUKKO_E_BUSY, "a callback on its own handle");
    expect(lukko_deposited_verify(deposited, &reader), LUKKO_E_SPENT, "verified twice");
    TRY(lukko_free(reader));
    TRY(lukko_free(deposited));
}

/* One thread opens and frees keys under a number that the other one uses. */
static lukko_patient_key shared;
static volatile int stop;
static long sealed, refused;

static void *seal(void *unused)
{
    uint8_t out[1024];
    size_t written;
    (void)unused;
    while (!stop) {
        int32_t code = lukko_vault_seal(world_lukko_vault, shared, &world_context, text("text"), 4, out, sizeof out, &written);
        if (code == LUKKO_OK) {
            sealed++;
        } else if (code == LUKKO_E_HANDLE) {
            refused++;
        } else {
            expect(code, LUKKO_OK, "a key that is freed meanwhile");
        }
    }
    return NULL;
}

static void freed_while_in_use(void)
{
    pthread_t thread;
    int round;
    TRY(lukko_enrolment_key(world_lukko_enrolment, &shared));
    if (pthread_create(&thread, NULL, seal, NULL) != 0) {
        exit(1);
    }
    for (round = 0; round < 2000; round++) {
        lukko_patient_key next;
        TRY(lukko_enrolment_key(world_lukko_enrolment, &next));
        TRY(lukko_free(shared));
        shared = next;
    }
    stop = 1;
    pthread_join(thread, NULL);
    TRY(lukko_free(shared));
    printf("sealed while keys were freed: %s, refused or not: fine\n", sealed > 0 ? "yes" : "no");
}

static int32_t busy_seen;

static void *write_much(void *unused)
{
    uint8_t part[1024] = {0};
    int round;
    (void)unused;
    for (round = 0; round < 2000; round++) {
        int32_t code = lukko_writer_write(world_lukko_writer, part, sizeof part);
        if (code == LUKKO_E_BUSY) {
            busy_seen = 1;
        } else {
            expect(code, LUKKO_OK, "a write beside another");
        }
    }
    return NULL;
}

static void a_stream_takes_one_call_at_a_time(void)
{
    pthread_t threads[2];
    int at;
    for (at = 0; at < 2; at++) {
        if (pthread_create(&threads[at], NULL, write_much, NULL) != 0) {
            exit(1);
        }
    }
    for (at = 0; at < 2; at++) {
        pthread_join(threads[at], NULL);
    }
    TRY(lukko_writer_finish(world_lukko_writer));
    expect(lukko_writer_write(world_lukko_writer, text("x"), 1), LUKKO_E_SPENT, "a write behind the end");
}

/* The note lies where the record is written to. */
static void an_output_may_overlap_an_input(void)
{
    uint8_t both[1024], note[64];
    size_t written, note_len, shift;
    lukko_opened opened;
    for (shift = 0; shift < 500; shift += 83) {
        memcpy(both + shift, "the same memory", 15);
        TRY(lukko_vault_seal(world_lukko_vault, world_lukko_patient_key, &world_context, both + shift, 15, both, 512, &written));
        TRY(lukko_vault_open(world_lukko_vault, world_lukko_patient_key, &world_place, both, written, &opened));
        TRY(lukko_opened_plaintext(opened, note, sizeof note, &note_len));
        expect(note_len == 15 && memcmp(note, "the same memory", 15) == 0, 1, "the note");
        TRY(lukko_free(opened));
    }
}

/* Capacity one too small, exact, one more. */
static void capacities(void)
{
    uint8_t out[512];
    size_t written = 7, needed;
    TRY(lukko_sealed_len(4, LUKKO_PADDING_PADME, &needed));
    memset(out, 0xA5, sizeof out);
    expect(lukko_vault_seal(world_lukko_vault, world_lukko_patient_key, &world_context, text("text"), 4, out, needed - 1, &written),
           LUKKO_E_TOO_SMALL, "one too small");
    expect(written == needed && out[0] == 0xA5, 1, "the needed size and nothing else");
    TRY(lukko_vault_seal(world_lukko_vault, world_lukko_patient_key, &world_context, text("text"), 4, out, needed, &written));
    expect(written == needed && out[needed] == 0xA5, 1, "exactly");
    TRY(lukko_vault_seal(world_lukko_vault, world_lukko_patient_key, &world_context, text("text"), 4, out, needed + 1, &written));
    expect(written == needed && out[needed] == 0xA5, 1, "with room left");
    expect(lukko_opened_plaintext(world_lukko_opened, NULL, 0, &written), LUKKO_E_TOO_SMALL, "a size query");
    expect(written == 4, 1, "the size");
}

int main(void)
{
    world_make();
    a_callback_meets_busy();
    freed_while_in_use();
    capacities();
    an_output_may_overlap_an_input();
    a_stream_takes_one_call_at_a_time();
    puts("done");
    return 0;
}
