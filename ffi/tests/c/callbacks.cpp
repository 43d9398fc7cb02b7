// Callbacks of lukko.hpp that throw: the call fails, and the exception comes out of it.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "world.hpp"

namespace {

using lukko::bytes;
using lukko::handle;
using lukko::make;

struct disk_full : std::runtime_error {
    disk_full() : std::runtime_error("disk full") {}
};

bytes seal(const handle &vault, const handle &key, const bytes &file)
{
    const handle writer = make(lukko_vault_seal_attachment_at, vault.get(), key.get(), "r-1", std::size_t{3}, "scan",
                               std::size_t{4}, std::uint64_t{1}, LUKKO_PADDING_PADME);
    lukko::check(lukko_writer_write(writer.get(), file.data(), file.size()));
    lukko::check(lukko_writer_finish(writer.get()));
    return lukko::read(lukko_writer_take, writer.get());
}

lukko::source source_of(const bytes &sealed)
{
    return {sealed.size(), [&sealed](std::uint64_t offset, std::uint8_t *out, std::size_t len) {
                std::copy_n(sealed.begin() + static_cast<std::ptrdiff_t>(offset), len, out);
            }};
}

} // namespace

int main()
{
    const World world;
    const handle &vault = world.vault, &master = world.master;
    const handle key = make(lukko_enrolment_key, make(lukko_vault_enrol, vault.get(), master.get(), "p-1", std::size_t{3}).get());
    const handle next = make(lukko_enrolment_key, make(lukko_vault_rekey, vault.get(), master.get(), key.get()).get());

    const bytes file(100000, 7), sealed = seal(vault, key, file);
    std::size_t parts = 0;
    bytes moved;
    {
        lukko::source source = source_of(sealed);
        lukko::sink sink([&](const std::uint8_t *part, std::size_t len) {
            parts++;
            moved.insert(moved.end(), part, part + len);
        });
        lukko::reseal_attachment(vault, key, next, "r-1", "scan", source, sink);
    }
    require(parts > 5, "many parts");
    lukko::source again = source_of(moved);
    const handle reader = lukko::open_attachment(vault, next, "r-1", "scan", again);
    require(lukko::number<std::uint64_t>(lukko_reader_len, reader.get()) == file.size(), "the whole file");

    for (std::size_t at = 1; at <= parts; at++) {
        std::size_t part = 0;
        lukko::source source = source_of(sealed);
        lukko::sink sink([&](const std::uint8_t *, std::size_t) {
            if (++part == at) {
                throw disk_full();
            }
        });
        try {
            lukko::reseal_attachment(vault, key, next, "r-1", "scan", source, sink);
            require(false, "a sink that threw");
        } catch (const disk_full &) {
            require(part == at, "nothing is written behind an exception");
        }
    }

    // A number is thrown, which is no std::exception.
    lukko::source failing(sealed.size(), [](std::uint64_t, std::uint8_t *, std::size_t) { throw 5; });
    try {
        (void)lukko::open_attachment(vault, next, "r-1", "scan", failing);
        require(false, "a source that threw");
    } catch (int thrown) {
        require(thrown == 5, "what was thrown");
    }
    std::cout << "done\n";
}
