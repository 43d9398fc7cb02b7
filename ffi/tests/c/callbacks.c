/* Callbacks: LUKKO_CALLBACK_OK is the only success. T113: capacity 0. What a call that failed leaves behind. */
#include "world.h"

#define LENGTH 100000

static void expect(long got, long wanted, const char *what)
{
    if (got != wanted) {
        fprintf(stderr, "%s: %ld, not %ld\n", what, got, wanted);
        exit(1);
    }
}

/* A file in memory. The answer number `fails_at` is `answer`, although all of the work is done. */
struct file {
    uint8_t bytes[LENGTH + 8192];
    size_t len;
    int calls, fails_at;
    int32_t answer;
};

static struct file sealed, moved;
static lukko_patient_key next_key;

static int32_t answer(struct file *file)
{
    file->calls++;
    return file->calls == file->fails_at ? file->answer : LUKKO_CALLBACK_OK;
}

static int32_t read_file(void *context, uint64_t offset, uint8_t *out, size_t len)
{
    struct file *file = context;
    memcpy(out, file->bytes + offset, len);
    return answer(file);
}

static int32_t write_file(void *context, const uint8_t *bytes, size_t len)
{
    struct file *file = context;
    memcpy(file->bytes + file->len, bytes, len);
    file->len += len;
    return answer(file);
}

static lukko_source from_file(struct file *file)
{
    lukko_source source;
    source.context = file;
    source.length = file->len;
    source.read_at = read_file;
    return source;
}

/* With capacity 0 nothing is taken, and the end is not reported while bytes wait. */
static void seal_a_file(void)
{
    static uint8_t part[1000];
    lukko_writer writer;
    size_t written, waiting, at;
    TRY(lukko_vault_seal_attachment(world_lukko_vault, world_lukko_patient_key, &world_context, &writer));
    for (at = 0; at < LENGTH; at += sizeof part) {
        memset(part, (int)(at / sizeof part), sizeof part);
        TRY(lukko_writer_write(writer, part, sizeof part));
    }
    TRY(lukko_writer_finish(writer));
    TRY(lukko_writer_pending(writer, &waiting));
    expect(lukko_writer_take(writer, NULL, 0, &written), LUKKO_E_TOO_SMALL, "take with capacity 0");
    expect((long)written, (long)waiting, "how many wait");
    do {
        TRY(lukko_writer_take(writer, sealed.bytes + sealed.len, 777, &written));
        sealed.len += written;
    } while (written > 0);
    expect((long)sealed.len, (long)waiting, "all was taken");
    TRY(lukko_writer_take(writer, NULL, 0, &written));
    expect((long)written, 0, "nothing waits");
    TRY(lukko_free(writer));
}

static void read_a_file(lukko_patient_key key, struct file *file)
{
    static uint8_t out[LUKKO_READ_MAX];
    lukko_source source = from_file(file);
    lukko_reader reader;
    size_t written, next, total = 0;
    int32_t code;
    TRY(lukko_vault_open_attachment(world_lukko_vault, key, &world_place, &source, &reader));
    while ((code = lukko_reader_read(reader, NULL, 0, &next)) == LUKKO_E_TOO_SMALL) {
        size_t left = LENGTH - total;
        expect((long)next, (long)(left < LUKKO_READ_MAX ? left : LUKKO_READ_MAX), "how many the next call can give");
        TRY(lukko_reader_read(reader, out, sizeof out, &written));
        expect(written > 0 && written <= next && out[0] == (uint8_t)(total / 1000), 1, "a part");
        total += written;
    }
    expect(code, LUKKO_OK, "the end with capacity 0");
    expect((long)total, LENGTH, "the whole file");
    TRY(lukko_reader_read(reader, out, sizeof out, &written));
    expect((long)written, 0, "the end");
    TRY(lukko_free(reader));
}

static int32_t reseal(int source_fails_at, int sink_fails_at, int32_t answer)
{
    lukko_source source = from_file(&sealed);
    lukko_sink sink;
    sealed.calls = moved.calls = 0;
    moved.len = 0;
    sealed.fails_at = source_fails_at;
    moved.fails_at = sink_fails_at;
    sealed.answer = moved.answer = answer;
    sink.context = &moved;
    sink.write = write_file;
    return lukko_vault_reseal_attachment(world_lukko_vault, world_lukko_patient_key, next_key, &world_place, &source, &sink);
}

/* 0 is what Python answers for an exception; 1, -1 and lengths are habits; one bit apart is as near as can be. */
static void every_other_answer_is_a_failure(void)
{
    int32_t wrong[40] = {0, 1, -1, LENGTH, 16384, INT32_MAX, INT32_MIN, LUKKO_E_IO};
    size_t count = 8, at;
    int reads, writes, call;
    for (at = 0; at < 32; at++) {
        wrong[count++] = (int32_t)((uint32_t)LUKKO_CALLBACK_OK ^ (UINT32_C(1) << at));
    }
    expect(reseal(0, 0, 0), LUKKO_OK, "no failure");
    read_a_file(next_key, &moved);
    expect(reseal(0, 0, 0), LUKKO_OK, "no failure");
    reads = sealed.calls;
    writes = moved.calls;
    expect(reads > 5 && writes > 5, 1, "many calls");
    for (at = 0; at < count; at++) {
        expect(reseal(1, 0, wrong[at]), LUKKO_E_IO, "a source");
        expect(reseal(0, writes, wrong[at]), LUKKO_E_IO, "a sink at the last part");
    }
    for (call = 1; call <= reads; call++) {
        expect(reseal(call, 0, 0), LUKKO_E_IO, "a source in the middle");
    }
    for (call = 1; call <= writes; call++) {
        expect(reseal(0, call, 0), LUKKO_E_IO, "a sink in the middle");
    }
    sealed.fails_at = moved.fails_at = 0;
    printf("%d reads and %d writes, %lu wrong answers\n", reads, writes, (unsigned long)count);
}

/* A program that ignores the code must not show one note as another. */
static void nothing_stays_from_the_call_before(void)
{
    uint8_t note[64];
    size_t written = 0;
    lukko_opened opened = world_lukko_opened;
    TRY(lukko_opened_plaintext(opened, note, sizeof note, &written));
    expect((long)written, 4, "the first note");
    expect(lukko_vault_open_at(world_lukko_vault, world_lukko_patient_key, "r-2", 3, "note", 4, world_record.data,
                               world_record.len, &opened), LUKKO_E_NOT_AUTHENTIC, "the note of another record");
    expect(opened == 0, 1, "no handle");
    expect(lukko_opened_plaintext(opened, note, sizeof note, &written), LUKKO_E_HANDLE, "no note");
    expect((long)written, 0, "no byte");
}

static void wiping(void)
{
    uint8_t bytes[5] = {1, 2, 3, 4, 5};
    TRY(lukko_wipe(bytes + 1, 3));
    expect(bytes[0] == 1 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 0 && bytes[4] == 5, 1, "wiped, and no more");
    lukko_wipe(NULL, 0);
}

/* What the functions write is as long as the constants say. */
static void sizes(void)
{
    static struct bytes out;
    lukko_pin pin = world_lukko_pin;
    READ(lukko_descriptor_fingerprint, world_lukko_descriptor, out);
    expect((long)out.len, LUKKO_FINGERPRINT_LEN, "fingerprint");
    READ(lukko_entry_fingerprint, world_lukko_entry, out);
    expect((long)out.len, LUKKO_FINGERPRINT_LEN, "fingerprint of an entry");
    READ(lukko_descriptor_vault_id, world_lukko_descriptor, out);
    expect((long)out.len, LUKKO_VAULT_ID_LEN, "id of a vault");
    READ(lukko_card_id, world_lukko_card, out);
    expect((long)out.len, LUKKO_CARD_ID_LEN, "id of a card");
    READ(lukko_member_seed, world_lukko_member, out);
    expect((long)out.len, LUKKO_SEED_LEN, "seed");
    READ(lukko_registrar_public_key, world_lukko_registrar, out);
    expect((long)out.len, LUKKO_REGISTRAR_KEY_LEN, "registrar's key");
    READ(lukko_pin_bytes, pin, out);
    expect((long)out.len, LUKKO_PIN_LEN, "pin");
    READ(lukko_share_bytes, world_lukko_share, out);
    expect((long)out.len, LUKKO_SHARE_LEN, "share");
    READ(lukko_share_text, world_lukko_share, out);
    expect((long)out.len, LUKKO_SHARE_TEXT_LEN, "share as text");
    READ(lukko_deposit_record, world_lukko_deposit, out);
    expect((long)out.len, LUKKO_RANDOM_ID_LEN, "drawn id");
}

/* The greatest id, and one byte more. */
static void the_greatest_id(void)
{
    static uint8_t id[LUKKO_ID_MAX + 1] = {1};
    lukko_enrolment enrolment;
    TRY(lukko_vault_enrol(world_lukko_vault, world_lukko_member, id, LUKKO_ID_MAX, &enrolment));
    TRY(lukko_free(enrolment));
    expect(lukko_vault_enrol(world_lukko_vault, world_lukko_member, id, LUKKO_ID_MAX + 1, &enrolment), LUKKO_E_USAGE, "id");
    expect(lukko_vault_enrol(world_lukko_vault, world_lukko_member, id, 0, &enrolment), LUKKO_E_EMPTY, "empty id");
}

/* The last second of the year 9999 is a time. What is behind it was not in seconds. */
static void times(void)
{
    expect(lukko_receipt_note_key_destroyed(world_lukko_receipt, world_lukko_vault, world_key.data, 32, LUKKO_TIME_MAX),
           LUKKO_E_NOT_YET, "the last second: the key is still active");
    expect(lukko_receipt_note_key_destroyed(world_lukko_receipt, world_lukko_vault, world_key.data, 32, LUKKO_TIME_MAX + 1),
           LUKKO_E_VALUE, "one second more");
}

int main(void)
{
    lukko_enrolment renewed;
    world_make();
    TRY(lukko_vault_rekey(world_lukko_vault, world_lukko_member, world_lukko_patient_key, &renewed));
    TRY(lukko_enrolment_key(renewed, &next_key));
    seal_a_file();
    read_a_file(world_lukko_patient_key, &sealed);
    every_other_answer_is_a_failure();
    nothing_stays_from_the_call_before();
    wiping();
    sizes();
    the_greatest_id();
    times();
    puts("done");
    return 0;
}
