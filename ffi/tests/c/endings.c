/* How patients, shares and generations end, and what is taken back or found on the way. */
#include "world.h"

static struct bytes next_card, next_card_id, next_endorsement, next_master_grant, ids;

static void expect(long got, long wanted, const char *what)
{
    if (got != wanted) {
        fprintf(stderr, "%s: %ld, not %ld\n", what, got, wanted);
        exit(1);
    }
}

/* The vault, once the registrar has signed the draft. */
static lukko_vault signed_vault(lukko_draft draft)
{
    lukko_buffer roster;
    lukko_vault vault;
    static struct bytes bytes;
    TRY(lukko_draft_sign_as_registrar(draft, world_lukko_registrar, world_lukko_pinned, &roster));
    READ(lukko_buffer_read, roster, bytes);
    TRY(lukko_vault_update_roster(world_lukko_vault, bytes.data, bytes.len, world_entries, 1, &vault));
    TRY(lukko_free(draft));
    TRY(lukko_free(roster));
    return vault;
}

static void rekey(void)
{
    lukko_enrolment renewed;
    TRY(lukko_vault_rekey(world_lukko_vault, world_lukko_member, world_lukko_patient_key, &renewed));
    READ(lukko_enrolment_card, renewed, next_card);
    READ(lukko_enrolment_card_id, renewed, next_card_id);
    READ(lukko_enrolment_endorsement, renewed, next_endorsement);
    READ(lukko_enrolment_master_grant, renewed, next_master_grant);
    TRY(lukko_free(renewed));
}

static int32_t left_open(lukko_vault vault, const lukko_stored_patient *stored, size_t expected_len)
{
    return lukko_vault_cards_left_open(vault, text("p"), 1, stored, world_card_id.data, expected_len, ids.data,
                                       sizeof ids.data, &ids.len);
}

/* A re-key leaves the older card open, until a roster closes it. */
static void cards_left_open(void)
{
    lukko_bytes cards[2];
    lukko_stored_patient stored;
    lukko_draft draft;
    lukko_vault closed;
    cards[0] = view(&world_card);
    cards[1] = view(&next_card);
    stored.cards = cards;
    stored.card_count = 2;
    stored.endorsement = view(&next_endorsement);
    stored.master_grant = view(&next_master_grant);
    TRY(left_open(world_lukko_vault, &world_stored, 0));
    expect((long)ids.len, 0, "nothing to end without a re-key");
    TRY(left_open(world_lukko_vault, &stored, 32));
    expect(ids.len == 32 && memcmp(ids.data, world_card_id.data, 32) == 0, 1, "the older card is left open");
    expect(lukko_vault_cards_left_open(world_lukko_vault, text("p"), 1, &stored, NULL, 0, NULL, 0, &ids.len),
           LUKKO_E_TOO_SMALL, "a question for the size");
    expect((long)ids.len, 32, "the size");
    expect(lukko_vault_cards_left_open(world_lukko_vault, text("q"), 1, &stored, NULL, 0, ids.data, 32, &ids.len),
           LUKKO_E_MISMATCH, "cards of another patient");
    expect((long)ids.len, 0, "nothing is given out");
    TRY(lukko_draft_next(world_lukko_vault, &draft));
    TRY(lukko_draft_close(draft, world_card_id.data, 32, LUKKO_CLOSED_COMPROMISED));
    closed = signed_vault(draft);
    TRY(left_open(closed, &stored, 32));
    expect((long)ids.len, 0, "the roster has ended the re-key");
    TRY(lukko_free(closed));
}

static void cards_are_found(lukko_erasure erasure)
{
    lukko_enrolment other;
    struct bytes card;
    uint32_t is_patients = 7;
    READ(lukko_erasure_missing, erasure, ids);
    expect(ids.len == 32 && memcmp(ids.data, world_card_id.data, 32) == 0, 1, "the newer card names the missing one");
    TRY(lukko_vault_enrol(world_lukko_vault, world_lukko_member, text("q"), 1, &other));
    READ(lukko_enrolment_card, other, card);
    TRY(lukko_erasure_also_found(erasure, world_lukko_vault, card.data, card.len, &is_patients));
    expect((long)is_patients, 0, "a card of another patient");
    TRY(lukko_erasure_also_found(erasure, world_lukko_vault, world_card.data, world_card.len, &is_patients));
    expect((long)is_patients, 1, "a card of this patient");
    expect(lukko_erasure_also_found(erasure, world_lukko_vault, card.data, card.len - 1, &is_patients), LUKKO_E_MALFORMED,
           "a card that was cut off");
    expect((long)is_patients, 0, "nothing is given out");
    READ(lukko_erasure_missing, erasure, ids);
    expect((long)ids.len, 0, "no card is missing");
    READ(lukko_erasure_cards, erasure, ids);
    expect((long)ids.len, 64, "both cards of the patient are closed, and no other");
    TRY(lukko_free(other));
}

static lukko_sources sources_of(lukko_receipt receipt)
{
    lukko_sources sources;
    TRY(lukko_receipt_sources(receipt, &sources));
    return sources;
}

/* The receipt names what it rests on, before and after more was given and remembered. */
static void receipts(lukko_erasure erasure, lukko_vault closed)
{
    lukko_receipt receipt;
    lukko_sources sources;
    lukko_bytes grants[2];
    size_t generations, keys;
    grants[0] = view(&world_master_grant);
    grants[1] = view(&world_card);
    TRY(lukko_erasure_also_given(erasure, grants, 2));
    TRY(lukko_erasure_receipt(erasure, closed, 1, &receipt));
    sources = sources_of(receipt);
    expect((long)sources.grants, 1, "grants");
    expect((long)sources.passed_over, 1, "rows that are no grants");
    expect((long)sources.remembered, 0, "remembered");
    expect((long)sources.cards, 2, "cards");
    expect((long)sources.cards_without_grants, 1, "cards without grants");
    expect((long)sources.cards_left_open, 1, "cards left open");
    expect((long)sources.readers, 1, "readers");
    expect((long)sources.readers_not_listed, 1, "readers who are not listed");
    TRY(lukko_free(receipt));

    TRY(lukko_erasure_also_given_packed(erasure, next_master_grant.data, next_master_grant.len, &next_master_grant.len, 1));
    TRY(lukko_erasure_also_readers(erasure, world_lukko_vault));
    TRY(lukko_erasure_also_granted_to_generation(erasure, 3));
    expect(lukko_erasure_also_granted_to_generation(erasure, 0), LUKKO_E_VALUE, "generations count from 1");
    TRY(lukko_erasure_receipt(erasure, closed, 1, &receipt));
    sources = sources_of(receipt);
    expect((long)sources.grants, 2, "grants of both cards");
    expect((long)sources.remembered, 2, "a key and a generation");
    expect((long)sources.cards_without_grants, 0, "no card without grants");
    expect((long)sources.readers_not_listed, 0, "every reader is listed");
    TRY(lukko_receipt_count(receipt, &generations, &keys));
    expect((long)generations, 2, "the first generation and the third");
    expect((long)keys, 1, "the reader's key");
    TRY(lukko_free(receipt));
}

static void erasure(void)
{
    lukko_erasure erasure;
    lukko_draft draft;
    lukko_vault closed;
    lukko_receipt receipt;
    lukko_bytes cards[1];
    cards[0] = view(&next_card);
    TRY(lukko_vault_begin_erasure(world_lukko_vault, text("p"), 1, cards, 1, NULL, 0, &erasure));
    expect(lukko_erasure_receipt(erasure, world_lukko_vault, 1, &receipt), LUKKO_E_NOT_YET, "a card is missing");
    cards_are_found(erasure);
    expect(lukko_erasure_receipt(erasure, world_lukko_vault, 1, &receipt), LUKKO_E_NOT_YET, "the cards are open");
    TRY(lukko_draft_next(world_lukko_vault, &draft));
    TRY(lukko_erasure_close_in(erasure, draft));
    closed = signed_vault(draft);
    receipts(erasure, closed);
    TRY(lukko_free(closed));
    TRY(lukko_free(erasure));
}

static void expect_shares(lukko_recovery recovery, uint32_t wanted, const char *what)
{
    uint32_t have, need;
    TRY(lukko_recovery_progress(recovery, &have, &need));
    expect((long)have, (long)wanted, what);
}

/* A custodian withdraws, and comes back. */
static void a_share_is_taken_out(void)
{
    lukko_recovery recovery;
    lukko_master master;
    lukko_share second;
    uint32_t index;
    TRY(lukko_new_vault_share(world_lukko_new_vault, 1, &second));
    TRY(lukko_share_index(second, &index));
    TRY(lukko_recovery_new(world_lukko_pinned, &recovery));
    TRY(lukko_recovery_add(recovery, world_lukko_share, NULL));
    TRY(lukko_recovery_add(recovery, second, NULL));
    TRY(lukko_recovery_remove(recovery, index));
    expect_shares(recovery, 1, "one share is left");
    TRY(lukko_recovery_remove(recovery, index));
    expect(lukko_recovery_remove(recovery, index + 256), LUKKO_E_VALUE, "no index");
    expect_shares(recovery, 1, "the other share stays");
    expect(lukko_recovery_finish(recovery, &master), LUKKO_E_NOT_ENOUGH_SHARES, "one share of two");
    TRY(lukko_recovery_add(recovery, second, NULL));
    TRY(lukko_recovery_finish(recovery, &master));
    TRY(lukko_free(master));
    TRY(lukko_free(recovery));
    TRY(lukko_free(second));
}

static void expect_destructions(size_t wanted, const char *what)
{
    size_t shares, patients, destructions;
    TRY(lukko_retirement_missing(world_lukko_retirement, &shares, &patients, &destructions));
    expect((long)destructions, (long)wanted, what);
}

/* The world's retirement has the two destructions that it needs. */
static void a_destruction_is_taken_back(void)
{
    lukko_retired retired;
    expect_destructions(0, "nothing is missing");
    TRY(lukko_retirement_withdraw_destroyed(world_lukko_retirement, 3));
    expect(lukko_retirement_withdraw_destroyed(world_lukko_retirement, 257), LUKKO_E_VALUE, "no index");
    expect_destructions(0, "the notes of the others stay");
    TRY(lukko_retirement_withdraw_destroyed(world_lukko_retirement, 1));
    expect_destructions(1, "one note is taken back");
    expect(lukko_retirement_finish(world_lukko_retirement, &retired), LUKKO_E_NOT_YET, "one destruction is missing");
    TRY(lukko_retirement_confirm_destroyed(world_lukko_retirement, 1));
    TRY(lukko_retirement_finish(world_lukko_retirement, &retired));
    TRY(lukko_free(retired));
}

int main(void)
{
    world_make();
    rekey();
    cards_left_open();
    erasure();
    a_share_is_taken_out();
    a_destruction_is_taken_back();
    puts("done");
    return 0;
}
