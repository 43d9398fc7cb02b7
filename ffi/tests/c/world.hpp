// A vault without members, for programs in C++.
#ifndef WORLD_HPP
#define WORLD_HPP

#include <cstdlib>
#include <iostream>

#include <lukko.hpp>

struct World {
    lukko::handle master, pinned, vault;

    World()
    {
        using lukko::bytes;
        using lukko::handle;
        using lukko::make;
        const handle registrar = make(lukko_registrar_generate);
        const bytes registrar_key = lukko::read(lukko_registrar_public_key, registrar.get());
        const handle made = make(lukko_create, 2, 3, LUKKO_POLICY_MAJORITY, LUKKO_SUITE_X25519, registrar_key.data(),
                                 registrar_key.size());
        const handle descriptor = make(lukko_new_vault_descriptor, made.get());
        master = make(lukko_new_vault_master, made.get());
        const bytes print = lukko::read(lukko_descriptor_fingerprint, descriptor.get());
        const bytes described = lukko::read(lukko_descriptor_bytes, descriptor.get());
        const handle pin = make(lukko_pin_new, print.data(), print.size(), descriptor.get());
        pinned = make(lukko_pin_check, pin.get(), descriptor.get());
        const bytes roster = sign(make(lukko_draft_first, pinned.get()));
        const lukko_bytes *nobody = nullptr;
        vault = make(lukko_vault_load, pin.get(), described.data(), described.size(), roster.data(), roster.size(), nobody,
                     std::size_t{0});
    }

    // The roster that the master key signs.
    lukko::bytes sign(const lukko::handle &draft) const
    {
        const lukko::handle roster = lukko::make(lukko_draft_sign_as_root, draft.get(), master.get(), pinned.get());
        return lukko::read(lukko_buffer_read, roster.get());
    }
};

inline void require(bool holds, const char *what)
{
    if (!holds) {
        std::cerr << what << '\n';
        std::exit(1);
    }
}

#endif
