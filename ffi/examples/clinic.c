/* The clinic's story in short: a vault for any 2 of 3 custodians, one therapist, one patient, one note; the therapist is
 * gone, and two custodians break the glass.
 *
 *   cc clinic.c $(pkg-config --cflags --libs lukko) && ./a.out
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lukko.h>

/* A service would pass the code on; an example ends. */
#define TRY(call) try_call((call), #call)

static void try_call(int32_t code, const char *call)
{
    if (code != LUKKO_OK) {
        fprintf(stderr, "%s\n  -> %ld: %s\n", call, (long)code, lukko_strerror(code));
        exit(1);
    }
}

/* What the store keeps, here in memory. */
static uint8_t descriptor[4096], pin[LUKKO_PIN_LEN], roster[1024], entry[2048], card[2048], endorsement[512], master_grant[2048],
    sealed[2048];
static size_t descriptor_len, pin_len, roster_len, entry_len, card_len, endorsement_len, master_grant_len, sealed_len;
static char paper[2][LUKKO_SHARE_TEXT_LEN + 1];

static void founding_day(void)
{
    lukko_registrar registrar;
    lukko_new_vault made;
    lukko_descriptor parsed;
    lukko_pin first_pin;
    lukko_pinned pinned;
    lukko_member therapist;
    lukko_entry verified;
    lukko_draft draft;
    lukko_buffer signed_roster;
    uint8_t registrar_key[LUKKO_REGISTRAR_KEY_LEN], fingerprint[LUKKO_FINGERPRINT_LEN];
    size_t written, at;

    TRY(lukko_registrar_generate(&registrar));
    TRY(lukko_registrar_public_key(registrar, registrar_key, sizeof registrar_key, &written));
    TRY(lukko_create(2, 3, LUKKO_POLICY_MAJORITY, LUKKO_SUITE_X_WING, registrar_key, written, &made));

    /* One share for each custodian, on paper. */
    for (at = 0; at < 2; at++) {
        lukko_share share;
        TRY(lukko_new_vault_share(made, at, &share));
        TRY(lukko_share_text(share, (uint8_t *)paper[at], sizeof paper[at] - 1, &written));
        TRY(lukko_free(share));
    }
    TRY(lukko_new_vault_descriptor(made, &parsed));
    TRY(lukko_descriptor_bytes(parsed, descriptor, sizeof descriptor, &descriptor_len));
    TRY(lukko_free(made)); /* Nobody has the master key any more. */

    /* Clients get the fingerprint by a trusted way. */
    TRY(lukko_descriptor_fingerprint(parsed, fingerprint, sizeof fingerprint, &written));
    TRY(lukko_pin_new(fingerprint, written, parsed, &first_pin));
    TRY(lukko_pin_bytes(first_pin, pin, sizeof pin, &pin_len));
    TRY(lukko_pin_check(first_pin, parsed, &pinned));

    /* A therapist makes her keys; the registrar admits them. */
    TRY(lukko_pinned_new_member(pinned, "dr-salo", 7, &therapist));
    TRY(lukko_member_entry(therapist, entry, sizeof entry, &entry_len));
    TRY(lukko_pinned_verify_entry(pinned, entry, entry_len, &verified));
    TRY(lukko_draft_first(pinned, &draft));
    TRY(lukko_draft_admit(draft, verified, LUKKO_ROLE_READ | LUKKO_ROLE_ENROL));
    TRY(lukko_draft_sign_as_registrar(draft, registrar, pinned, &signed_roster));
    TRY(lukko_buffer_read(signed_roster, roster, sizeof roster, &roster_len));

    /* She enrols a patient and seals a note. */
    {
        lukko_bytes entries[1];
        lukko_vault vault;
        lukko_enrolment enrolment;
        lukko_patient_key key;
        lukko_pin moved;

        entries[0].data = entry;
        entries[0].len = entry_len;
        TRY(lukko_vault_load(first_pin, descriptor, descriptor_len, roster, roster_len, entries, 1, &vault));
        TRY(lukko_vault_pin(vault, &moved));
        TRY(lukko_pin_bytes(moved, pin, sizeof pin, &pin_len));
        TRY(lukko_vault_enrol(vault, therapist, "p-1", 3, &enrolment));
        TRY(lukko_enrolment_card(enrolment, card, sizeof card, &card_len));
        TRY(lukko_enrolment_endorsement(enrolment, endorsement, sizeof endorsement, &endorsement_len));
        TRY(lukko_enrolment_master_grant(enrolment, master_grant, sizeof master_grant, &master_grant_len));
        TRY(lukko_enrolment_key(enrolment, &key));

        TRY(lukko_vault_seal_at(vault, key, "r-1", 3, "note", 4, 1, LUKKO_PADDING_PADME, "slept better", 12, sealed,
                                sizeof sealed, &sealed_len));
        printf("ok     a note of 12 bytes is sealed into %lu\n", (unsigned long)sealed_len);

        TRY(lukko_free(moved));
        TRY(lukko_free(key));
        TRY(lukko_free(enrolment));
        TRY(lukko_free(vault));
    }
    TRY(lukko_free(signed_roster));
    TRY(lukko_free(draft));
    TRY(lukko_free(verified));
    TRY(lukko_free(therapist));
    TRY(lukko_free(pinned));
    TRY(lukko_free(first_pin));
    TRY(lukko_free(parsed));
    TRY(lukko_free(registrar));
}

/* Two custodians type their shares; the first one makes a mistake. */
static lukko_master quorum(lukko_pinned pinned)
{
    lukko_recovery recovery;
    lukko_share share;
    lukko_share_fault fault;
    lukko_master master;
    size_t at;
    char right = paper[0][40];
    int32_t code;

    TRY(lukko_recovery_new(pinned, &recovery));
    paper[0][40] = right == 'q' ? 'p' : 'q';
    code = lukko_share_from_text(paper[0], strlen(paper[0]), &share, &fault);
    printf("ok     refused: %s, character %lu\n", lukko_strerror(code), (unsigned long)fault.position);
    if (code != LUKKO_E_MALFORMED || fault.position != 40) {
        exit(1);
    }
    paper[0][40] = right;
    for (at = 0; at < 2; at++) {
        TRY(lukko_share_from_text(paper[at], strlen(paper[at]), &share, &fault));
        TRY(lukko_recovery_add(recovery, share, &fault));
        TRY(lukko_free(share));
    }
    TRY(lukko_recovery_finish(recovery, &master));
    TRY(lukko_free(recovery));
    return master;
}

static void break_glass(void)
{
    lukko_pin stored_pin;
    lukko_vault vault;
    lukko_pinned pinned;
    lukko_card verified;
    lukko_patient_key key;
    lukko_master master;
    lukko_opened opened;
    lukko_bytes entries[1], cards[1];
    lukko_stored_patient stored;
    uint8_t note[64];
    size_t note_len;

    TRY(lukko_pin_from_bytes(pin, pin_len, &stored_pin));
    entries[0].data = entry;
    entries[0].len = entry_len;
    TRY(lukko_vault_load(stored_pin, descriptor, descriptor_len, roster, roster_len, entries, 1, &vault));
    TRY(lukko_vault_pinned(vault, &pinned));
    master = quorum(pinned);

    cards[0].data = card;
    cards[0].len = card_len;
    stored.cards = cards;
    stored.card_count = 1;
    stored.endorsement.data = endorsement;
    stored.endorsement.len = endorsement_len;
    stored.master_grant.data = master_grant;
    stored.master_grant.len = master_grant_len;
    TRY(lukko_vault_card(vault, "p-1", 3, &stored, NULL, 0, &verified));
    TRY(lukko_vault_break_glass(vault, verified, master, &key));
    TRY(lukko_free(master));

    TRY(lukko_vault_open_at(vault, key, "r-1", 3, "note", 4, sealed, sealed_len, &opened));
    TRY(lukko_opened_plaintext(opened, note, sizeof note, &note_len));
    printf("ok     the quorum reads: %.*s\n", (int)note_len, (const char *)note);
    lukko_wipe(note, sizeof note);
    TRY(lukko_free(opened));

    sealed[sealed_len - 1] ^= 1;
    printf("ok     one altered bit: %s\n",
           lukko_strerror(lukko_vault_open_at(vault, key, "r-1", 3, "note", 4, sealed, sealed_len, &opened)));

    TRY(lukko_free(key));
    TRY(lukko_free(verified));
    TRY(lukko_free(pinned));
    TRY(lukko_free(vault));
    TRY(lukko_free(stored_pin));
}

int main(void)
{
    size_t alive;

    printf("lukko %s\n", lukko_version());
    founding_day();
    break_glass();
    TRY(lukko_live_handles(&alive));
    printf("ok     handles left: %lu\n", (unsigned long)alive);
    return alive == 0 ? 0 : 1;
}
