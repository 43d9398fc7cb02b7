/* One live object of every type, for the misuse test and others. */
#ifndef WORLD_H
#define WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lukko.h>

#define TRY(call) try_call((call), #call)

static void try_call(int32_t code, const char *call)
{
    if (code != LUKKO_OK) {
        fprintf(stderr, "%s -> %ld %s\n", call, (long)code, lukko_strerror(code));
        exit(1);
    }
}

struct bytes {
    uint8_t data[4096];
    size_t len;
};

#define READ(function, handle, into) TRY(function((handle), (into).data, sizeof (into).data, &(into).len))

static lukko_handle world_lukko_handle, world_lukko_buffer, world_lukko_registrar, world_lukko_recipient,
    world_lukko_new_vault, world_lukko_descriptor, world_lukko_pinned, world_lukko_pin, world_lukko_share,
    world_lukko_recovery, world_lukko_master, world_lukko_member, world_lukko_entry, world_lukko_draft, world_lukko_vault,
    world_lukko_enrolment, world_lukko_endorsed, world_lukko_card, world_lukko_patient_key, world_lukko_opened,
    world_lukko_deposit, world_lukko_unattributed, world_lukko_writer, world_lukko_reader, world_lukko_deposited,
    world_lukko_successor, world_lukko_rotation, world_lukko_retirement, world_lukko_retired, world_lukko_erasure,
    world_lukko_receipt, world_lukko_disclosed, world_lukko_access;
static struct bytes world_registrar_key, world_descriptor, world_roster, world_entry, world_card, world_endorsement,
    world_master_grant, world_record, world_attachment, world_file, world_statement, world_next, world_next_roster,
    world_recipient_key, world_disclosure, world_key, world_card_id, world_id, world_field, world_file_id, world_file_field;
static lukko_bytes world_entries[1], world_cards[1];
static lukko_stored_patient world_stored;
static lukko_context world_context;
static lukko_place world_place, world_file_place;

static const uint8_t *text(const char *text)
{
    return (const uint8_t *)text;
}

static lukko_bytes view(const struct bytes *bytes)
{
    lukko_bytes view;
    view.data = bytes->data;
    view.len = bytes->len;
    return view;
}

static struct bytes bytes_of(const char *text)
{
    struct bytes bytes = {{0}, 0};
    bytes.len = strlen(text);
    memcpy(bytes.data, text, bytes.len);
    return bytes;
}

static int32_t read_bytes(void *context, uint64_t offset, uint8_t *out, size_t len)
{
    const struct bytes *bytes = context;
    if (offset > bytes->len || len > bytes->len - offset) {
        return 1;
    }
    memcpy(out, bytes->data + offset, len);
    return LUKKO_CALLBACK_OK;
}

static lukko_source source_of(struct bytes *bytes)
{
    lukko_source source;
    source.context = bytes;
    source.length = bytes->len;
    source.read_at = read_bytes;
    return source;
}

static void world_vault(void)
{
    struct bytes print;
    TRY(lukko_registrar_generate(&world_lukko_registrar));
    READ(lukko_registrar_public_key, world_lukko_registrar, world_registrar_key);
    TRY(lukko_create(2, 3, LUKKO_POLICY_MAJORITY, LUKKO_SUITE_X25519, world_registrar_key.data, 32, &world_lukko_new_vault));
    TRY(lukko_new_vault_descriptor(world_lukko_new_vault, &world_lukko_descriptor));
    TRY(lukko_new_vault_share(world_lukko_new_vault, 0, &world_lukko_share));
    TRY(lukko_new_vault_master(world_lukko_new_vault, &world_lukko_master));
    READ(lukko_descriptor_bytes, world_lukko_descriptor, world_descriptor);
    READ(lukko_descriptor_fingerprint, world_lukko_descriptor, print);
    TRY(lukko_pin_new(print.data, 32, world_lukko_descriptor, &world_lukko_pin));
    TRY(lukko_pin_check(world_lukko_pin, world_lukko_descriptor, &world_lukko_pinned));
    TRY(lukko_recovery_new(world_lukko_pinned, &world_lukko_recovery));
    TRY(lukko_pinned_new_member(world_lukko_pinned, text("everyone"), 8, &world_lukko_member));
    READ(lukko_member_entry, world_lukko_member, world_entry);
    READ(lukko_member_fingerprint, world_lukko_member, world_key);
    TRY(lukko_pinned_verify_entry(world_lukko_pinned, world_entry.data, world_entry.len, &world_lukko_entry));
    TRY(lukko_draft_first(world_lukko_pinned, &world_lukko_draft));
    TRY(lukko_draft_admit(world_lukko_draft, world_lukko_entry, LUKKO_ROLE_READ | LUKKO_ROLE_DEPOSIT | LUKKO_ROLE_ENROL));
    TRY(lukko_draft_sign_as_registrar(world_lukko_draft, world_lukko_registrar, world_lukko_pinned, &world_lukko_buffer));
    READ(lukko_buffer_read, world_lukko_buffer, world_roster);
    TRY(lukko_free(world_lukko_draft));
    world_entries[0] = view(&world_entry);
    TRY(lukko_vault_load(world_lukko_pin, world_descriptor.data, world_descriptor.len, world_roster.data,
                         world_roster.len, world_entries, 1, &world_lukko_vault));
    TRY(lukko_draft_next_generation(world_lukko_vault, &world_lukko_draft));
}

static void world_patient(void)
{
    lukko_bytes grants[1];
    TRY(lukko_vault_enrol(world_lukko_vault, world_lukko_member, text("p"), 1, &world_lukko_enrolment));
    READ(lukko_enrolment_card, world_lukko_enrolment, world_card);
    READ(lukko_enrolment_endorsement, world_lukko_enrolment, world_endorsement);
    READ(lukko_enrolment_master_grant, world_lukko_enrolment, world_master_grant);
    READ(lukko_enrolment_card_id, world_lukko_enrolment, world_card_id);
    TRY(lukko_enrolment_key(world_lukko_enrolment, &world_lukko_patient_key));
    TRY(lukko_vault_endorse(world_lukko_vault, world_lukko_member, world_lukko_patient_key, &world_lukko_endorsed));
    world_cards[0] = view(&world_card);
    world_stored.cards = world_cards;
    world_stored.card_count = 1;
    world_stored.endorsement = view(&world_endorsement);
    world_stored.master_grant = view(&world_master_grant);
    TRY(lukko_vault_card(world_lukko_vault, text("p"), 1, &world_stored, NULL, 0, &world_lukko_card));
    grants[0] = view(&world_master_grant);
    TRY(lukko_vault_who_can_open(world_lukko_vault, world_card_id.data, 32, grants, 1, &world_lukko_access));
}

static void world_records(void)
{
    lukko_source source;
    world_id = bytes_of("r");
    world_field = bytes_of("note");
    world_context.record = view(&world_id);
    world_context.field = view(&world_field);
    world_context.revision = 1;
    world_context.padding = LUKKO_PADDING_PADME;
    world_place.record = world_context.record;
    world_place.field = world_context.field;
    TRY(lukko_vault_seal(world_lukko_vault, world_lukko_patient_key, &world_context, text("text"), 4, world_record.data,
                         sizeof world_record.data, &world_record.len));
    TRY(lukko_vault_open(world_lukko_vault, world_lukko_patient_key, &world_place, world_record.data, world_record.len,
                         &world_lukko_opened));
    TRY(lukko_vault_deposit(world_lukko_vault, world_lukko_card, world_lukko_member, text("note"), 4, LUKKO_PADDING_PADME,
                            text("text"), 4, &world_lukko_deposit));
    TRY(lukko_vault_seal_attachment(world_lukko_vault, world_lukko_patient_key, &world_context, &world_lukko_writer));
    TRY(lukko_writer_write(world_lukko_writer, text("text"), 4));
    TRY(lukko_writer_finish(world_lukko_writer));
    READ(lukko_writer_take, world_lukko_writer, world_attachment);
    TRY(lukko_free(world_lukko_writer));
    source = source_of(&world_attachment);
    TRY(lukko_vault_open_attachment(world_lukko_vault, world_lukko_patient_key, &world_place, &source, &world_lukko_reader));
}

static void world_deposited(void)
{
    lukko_source source;
    TRY(lukko_vault_deposit_attachment(world_lukko_vault, world_lukko_card, world_lukko_member, text("file"), 4,
                                       LUKKO_PADDING_PADME, &world_lukko_writer));
    READ(lukko_writer_record, world_lukko_writer, world_file_id);
    TRY(lukko_writer_write(world_lukko_writer, text("text"), 4));
    TRY(lukko_writer_finish(world_lukko_writer));
    READ(lukko_writer_take, world_lukko_writer, world_file);
    TRY(lukko_free(world_lukko_writer));
    TRY(lukko_vault_seal_attachment(world_lukko_vault, world_lukko_patient_key, &world_context, &world_lukko_writer));
    world_file_field = bytes_of("file");
    world_file_place.record = view(&world_file_id);
    world_file_place.field = view(&world_file_field);
    source = source_of(&world_file);
    TRY(lukko_vault_open_deposited_attachment(world_lukko_vault, world_lukko_patient_key, &world_file_place, &source,
                                              &world_lukko_deposited));
    TRY(lukko_vault_open_unattributed_attachment(world_lukko_vault, world_lukko_patient_key, &world_file_place, &source,
                                                 &world_lukko_unattributed));
}

static void world_generations(void)
{
    lukko_bytes descriptor, statement;
    lukko_descriptor next;
    lukko_pin pin, moved;
    lukko_pinned pinned;
    lukko_share share;
    uint32_t index;
    size_t at;
    TRY(lukko_vault_rotate(world_lukko_vault, world_lukko_master, 2, 3, LUKKO_POLICY_MAJORITY, world_registrar_key.data, 32,
                           world_lukko_draft, &world_lukko_rotation));
    TRY(lukko_free(world_lukko_draft));
    TRY(lukko_draft_next(world_lukko_vault, &world_lukko_draft));
    TRY(lukko_rotation_descriptor(world_lukko_rotation, &next));
    READ(lukko_descriptor_bytes, next, world_next);
    READ(lukko_rotation_statement, world_lukko_rotation, world_statement);
    READ(lukko_rotation_roster, world_lukko_rotation, world_next_roster);
    descriptor = view(&world_next);
    statement = view(&world_statement);
    TRY(lukko_pinned_successor(world_lukko_pinned, &descriptor, &statement, 1, &world_lukko_successor));
    TRY(lukko_vault_pin(world_lukko_vault, &pin));
    TRY(lukko_pin_follow(pin, world_lukko_successor, &moved, &pinned));
    TRY(lukko_free(world_lukko_successor));
    TRY(lukko_pinned_successor(world_lukko_pinned, &descriptor, &statement, 1, &world_lukko_successor));
    TRY(lukko_retirement_new(world_lukko_pinned, pinned, world_card_id.data, 32, &world_lukko_retirement));
    TRY(lukko_retirement_patient_done(world_lukko_retirement, world_card_id.data, 32));
    for (at = 0; at < 3; at++) {
        TRY(lukko_rotation_share(world_lukko_rotation, at, &share));
        TRY(lukko_retirement_confirm_share(world_lukko_retirement, share, NULL));
        TRY(lukko_free(share));
    }
    for (index = 1; index <= 2; index++) {
        TRY(lukko_retirement_confirm_destroyed(world_lukko_retirement, index));
    }
    TRY(lukko_retirement_finish(world_lukko_retirement, &world_lukko_retired));
    TRY(lukko_free(next));
    TRY(lukko_free(pin));
    TRY(lukko_free(moved));
    TRY(lukko_free(pinned));
}

static void world_endings(void)
{
    lukko_draft draft;
    lukko_buffer roster;
    lukko_vault closed;
    lukko_buffer disclosure;
    static struct bytes bytes;
    TRY(lukko_vault_begin_erasure(world_lukko_vault, text("p"), 1, world_cards, 1, NULL, 0, &world_lukko_erasure));
    TRY(lukko_draft_next(world_lukko_vault, &draft));
    TRY(lukko_erasure_close_in(world_lukko_erasure, draft));
    TRY(lukko_draft_sign_as_registrar(draft, world_lukko_registrar, world_lukko_pinned, &roster));
    READ(lukko_buffer_read, roster, bytes);
    TRY(lukko_vault_update_roster(world_lukko_vault, bytes.data, bytes.len, world_entries, 1, &closed));
    TRY(lukko_erasure_also_granted(world_lukko_erasure, world_key.data, 32));
    TRY(lukko_erasure_receipt(world_lukko_erasure, closed, 1, &world_lukko_receipt));
    TRY(lukko_recipient_generate(LUKKO_SUITE_X25519, &world_lukko_recipient));
    READ(lukko_recipient_public_key, world_lukko_recipient, world_recipient_key);
    TRY(lukko_vault_disclose(world_lukko_vault, world_lukko_patient_key, &world_place, LUKKO_PATH_READER, world_record.data,
                             world_record.len, world_recipient_key.data, world_recipient_key.len, world_lukko_member,
                             &disclosure));
    READ(lukko_buffer_read, disclosure, world_disclosure);
    TRY(lukko_vault_open_disclosure(world_lukko_vault, world_lukko_recipient, world_disclosure.data, world_disclosure.len,
                                    &world_lukko_disclosed));
    TRY(lukko_free(draft));
    TRY(lukko_free(roster));
    TRY(lukko_free(closed));
    TRY(lukko_free(disclosure));
}

static void world_make(void)
{
    world_vault();
    world_patient();
    world_records();
    world_deposited();
    world_generations();
    world_endings();
    world_lukko_handle = world_lukko_member;
}

#endif
