// The erasure of a patient through lukko.hpp: lists and structures that calls give out.
#include "world.hpp"

using lukko::bytes;
using lukko::handle;
using lukko::make;
using lukko::number;
using lukko::read;

int main()
{
    const World world;
    const lukko_vault vault = world.vault.get();
    const std::uint8_t *patient = lukko::data("p-1");
    const handle first = make(lukko_vault_enrol, vault, world.master.get(), patient, std::size_t{3});
    const handle key = make(lukko_enrolment_key, first.get());
    const handle second = make(lukko_vault_rekey, vault, world.master.get(), key.get());
    const bytes older = read(lukko_enrolment_card, first.get()), older_id = read(lukko_enrolment_card_id, first.get());
    const bytes card = read(lukko_enrolment_card, second.get()), grant = read(lukko_enrolment_master_grant, second.get());
    const bytes endorsement = read(lukko_enrolment_endorsement, second.get());

    const lukko_bytes cards[] = {lukko::view(older), lukko::view(card)};
    const lukko_stored_patient stored = {cards, 2, lukko::view(endorsement), lukko::view(grant)};
    const std::uint8_t *nothing = nullptr;
    const bytes left_open = read(lukko_vault_cards_left_open, vault, patient, std::size_t{3}, &stored, nothing, std::size_t{0});
    require(left_open == older_id, "the older card is left open");

    const lukko_bytes *no_grants = nullptr;
    const handle erasure = make(lukko_vault_begin_erasure, vault, patient, std::size_t{3}, cards + 1, std::size_t{1},
                                no_grants, std::size_t{0});
    require(read(lukko_erasure_missing, erasure.get()) == older_id, "the older card is missing");
    require(number<std::uint32_t>(lukko_erasure_also_found, erasure.get(), vault, older.data(), older.size()) == 1,
            "it is of this patient");
    const std::size_t grant_len = grant.size();
    lukko::check(lukko_erasure_also_given_packed(erasure.get(), grant.data(), grant.size(), &grant_len, 1));

    const handle draft = make(lukko_draft_next, vault);
    lukko::check(lukko_erasure_close_in(erasure.get(), draft.get()));
    const bytes roster = world.sign(draft);
    const handle closed = make(lukko_vault_update_roster, vault, roster.data(), roster.size(), no_grants, std::size_t{0});
    const handle receipt = make(lukko_erasure_receipt, erasure.get(), closed.get(), std::uint64_t{1});
    const lukko_sources sources = number<lukko_sources>(lukko_receipt_sources, receipt.get());
    require(sources.cards == 2 && sources.grants == 1 && sources.cards_without_grants == 1, "what the receipt rests on");
    require(sources.cards_left_open == 1 && sources.readers == 0, "a card that was left open, and no reader");
    std::cout << "done\n";
}
