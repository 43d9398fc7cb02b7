// The clinic's story in short, in C++17: see clinic.c.
#include <iostream>
#include <string>

#include <lukko.hpp>

namespace {

using lukko::bytes;
using lukko::handle;
using lukko::make;
using lukko::read;
using lukko::view;

// What the store keeps.
struct Store {
    bytes descriptor, pin, roster, entry, card, endorsement, master_grant, sealed;
    lukko::secret paper[2];
};

Store founding_day()
{
    Store store;
    const handle registrar = make(lukko_registrar_generate);
    const bytes registrar_key = read(lukko_registrar_public_key, registrar.get());
    handle made = make(lukko_create, 2, 3, LUKKO_POLICY_MAJORITY, LUKKO_SUITE_X_WING, registrar_key.data(),
                       registrar_key.size());
    for (std::size_t at = 0; at < 2; at++) {
        store.paper[at] = lukko::read_secret(lukko_share_text, make(lukko_new_vault_share, made.get(), at).get());
    }
    const handle descriptor = make(lukko_new_vault_descriptor, made.get());
    store.descriptor = read(lukko_descriptor_bytes, descriptor.get());
    made = handle(); // Nobody has the master key any more.

    const bytes fingerprint = read(lukko_descriptor_fingerprint, descriptor.get());
    const handle pin = make(lukko_pin_new, fingerprint.data(), fingerprint.size(), descriptor.get());
    const handle pinned = make(lukko_pin_check, pin.get(), descriptor.get());

    const handle therapist = make(lukko_pinned_new_member, pinned.get(), lukko::data("dr-salo"), std::size_t{7});
    store.entry = read(lukko_member_entry, therapist.get());
    const handle entry = make(lukko_pinned_verify_entry, pinned.get(), store.entry.data(), store.entry.size());
    const handle draft = make(lukko_draft_first, pinned.get());
    lukko::check(lukko_draft_admit(draft.get(), entry.get(), LUKKO_ROLE_READ | LUKKO_ROLE_ENROL));
    store.roster = read(lukko_buffer_read,
                        make(lukko_draft_sign_as_registrar, draft.get(), registrar.get(), pinned.get()).get());

    const lukko_bytes entries[] = {view(store.entry)};
    const handle vault = make(lukko_vault_load, pin.get(), store.descriptor.data(), store.descriptor.size(),
                              store.roster.data(), store.roster.size(), entries, std::size_t{1});
    store.pin = read(lukko_pin_bytes, make(lukko_vault_pin, vault.get()).get());
    const handle enrolment = make(lukko_vault_enrol, vault.get(), therapist.get(), lukko::data("p-1"), std::size_t{3});
    store.card = read(lukko_enrolment_card, enrolment.get());
    store.endorsement = read(lukko_enrolment_endorsement, enrolment.get());
    store.master_grant = read(lukko_enrolment_master_grant, enrolment.get());
    store.sealed = lukko::seal(vault, make(lukko_enrolment_key, enrolment.get()), "r-1", "note", 1, "slept better");
    return store;
}

handle quorum(const handle &pinned, const Store &store)
{
    const handle recovery = make(lukko_recovery_new, pinned.get());
    for (const lukko::secret &paper : store.paper) {
        lukko_share raw = 0;
        lukko::check(lukko_share_from_text(paper.value().data(), paper.value().size(), &raw, nullptr));
        const handle share(raw);
        lukko::check(lukko_recovery_add(recovery.get(), share.get(), nullptr));
    }
    return make(lukko_recovery_finish, recovery.get());
}

void break_glass(Store &store)
{
    const handle pin = make(lukko_pin_from_bytes, store.pin.data(), store.pin.size());
    const lukko_bytes entries[] = {view(store.entry)};
    const handle vault = make(lukko_vault_load, pin.get(), store.descriptor.data(), store.descriptor.size(),
                              store.roster.data(), store.roster.size(), entries, std::size_t{1});
    const handle pinned = make(lukko_vault_pinned, vault.get());
    const lukko_bytes cards[] = {view(store.card)};
    const lukko_stored_patient stored = {cards, 1, view(store.endorsement), view(store.master_grant)};
    const std::uint8_t *nothing = nullptr;
    const handle card = make(lukko_vault_card, vault.get(), lukko::data("p-1"), std::size_t{3}, &stored, nothing,
                             std::size_t{0});
    const handle key = make(lukko_vault_break_glass, vault.get(), card.get(), quorum(pinned, store).get());
    const handle opened = lukko::open(vault, key, "r-1", "note", store.sealed);
    std::cout << "ok     the quorum reads: " << lukko::read_secret(lukko_opened_plaintext, opened.get()).text() << '\n';

    store.sealed.back() ^= 1;
    try {
        (void)lukko::open(vault, key, "r-1", "note", store.sealed);
        throw std::logic_error("an altered note was opened");
    } catch (const lukko::error &error) {
        std::cout << "ok     one altered bit: " << error.what() << '\n';
    }
}

} // namespace

int main()
{
    {
        Store store = founding_day();
        break_glass(store);
    }
    const auto alive = lukko::number<std::size_t>(lukko_live_handles);
    std::cout << "ok     handles left: " << alive << '\n';
    return alive == 0 ? 0 : 1;
}
