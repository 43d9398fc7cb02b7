/* Ownership for lukko.h in C++17: handles that free themselves, bytes as vectors, codes as exceptions. Header only. */
#ifndef LUKKO_HPP
#define LUKKO_HPP

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lukko.h"

namespace lukko {

/** A call that was refused. */
class error : public std::runtime_error {
public:
    explicit error(std::int32_t code) : std::runtime_error(lukko_strerror(code)), code_(code) {}

    /** LUKKO_E_... */
    std::int32_t code() const noexcept { return code_; }

private:
    std::int32_t code_;
};

/** Throws for everything but LUKKO_OK. */
inline void check(std::int32_t code)
{
    if (code != LUKKO_OK) {
        throw error(code);
    }
}

using bytes = std::vector<std::uint8_t>;

/** Bytes to be wiped: they are when this goes. Moves, and does not copy. */
class secret {
public:
    secret() = default;
    explicit secret(bytes value) : value_(std::move(value)) {}
    secret(secret &&other) noexcept : value_(std::move(other.value_)) {}
    secret &operator=(secret &&other) noexcept
    {
        if (this != &other) {
            wipe();
            value_ = std::move(other.value_);
        }
        return *this;
    }
    secret(const secret &) = delete;
    secret &operator=(const secret &) = delete;
    ~secret() { wipe(); }

    const bytes &value() const noexcept { return value_; }
    std::string_view text() const noexcept
    {
        return {reinterpret_cast<const char *>(value_.data()), value_.size()};
    }

private:
    void wipe() noexcept
    {
        volatile std::uint8_t *at = value_.data();
        for (std::size_t left = value_.size(); left > 0; left--) {
            *at++ = 0;
        }
    }

    bytes value_;
};

/** Owns one handle. Moves, and does not copy; frees what it owns. */
class handle {
public:
    handle() = default;
    explicit handle(lukko_handle raw) noexcept : raw_(raw) {}
    handle(handle &&other) noexcept : raw_(std::exchange(other.raw_, 0)) {}
    handle &operator=(handle &&other) noexcept
    {
        if (this != &other) {
            lukko_free(std::exchange(raw_, std::exchange(other.raw_, 0)));
        }
        return *this;
    }
    handle(const handle &) = delete;
    handle &operator=(const handle &) = delete;
    ~handle() { lukko_free(raw_); }

    /** For an argument. */
    lukko_handle get() const noexcept { return raw_; }
    /** False for 0: moved from, or nothing was to be done. */
    explicit operator bool() const noexcept { return raw_ != 0; }

private:
    lukko_handle raw_ = 0;
};

/** Calls a function whose last parameter gives out a handle: make(lukko_vault_pin, vault.get()). */
template <typename Function, typename... Arguments>
handle make(Function function, Arguments... arguments)
{
    lukko_handle raw = 0;
    check(function(arguments..., &raw));
    return handle(raw);
}

/** Calls a function whose last parameter gives out a number of type T. */
template <typename T, typename Function, typename... Arguments>
T number(Function function, Arguments... arguments)
{
    T value{};
    check(function(arguments..., &value));
    return value;
}

/** Calls a function that ends in `out, out_capacity, out_written` and makes nothing: asks for the size, then reads. */
template <typename Function, typename... Arguments>
bytes read(Function function, Arguments... arguments)
{
    std::size_t size = 0;
    std::int32_t code = function(arguments..., nullptr, std::size_t{0}, &size);
    if (code == LUKKO_OK) {
        return {};
    }
    if (code != LUKKO_E_TOO_SMALL) {
        throw error(code);
    }
    bytes out(size);
    check(function(arguments..., out.data(), out.size(), &size));
    out.resize(size);
    return out;
}

/** The same for secret bytes. */
template <typename Function, typename... Arguments>
secret read_secret(Function function, Arguments... arguments)
{
    return secret(read(function, arguments...));
}

/** The first byte of a text. */
inline const std::uint8_t *data(std::string_view text) noexcept
{
    return reinterpret_cast<const std::uint8_t *>(text.data());
}

/** A view for lists and structures. What it shows must outlive it. */
inline lukko_bytes view(const bytes &bytes) noexcept { return {bytes.data(), bytes.size()}; }
inline lukko_bytes view(std::string_view text) noexcept { return {data(text), text.size()}; }

/** Seals a note. */
inline bytes seal(const handle &vault, const handle &key, std::string_view record, std::string_view field,
                  std::uint64_t revision, std::string_view note, std::uint32_t padding = LUKKO_PADDING_PADME)
{
    const lukko_context context = {view(record), view(field), revision, padding};
    bytes out(number<std::size_t>(lukko_sealed_len, note.size(), padding));
    std::size_t written = 0;
    check(lukko_vault_seal(vault.get(), key.get(), &context, data(note), note.size(), out.data(), out.size(), &written));
    return out;
}

/** Opens a note that a reader sealed. */
inline handle open(const handle &vault, const handle &key, std::string_view record, std::string_view field,
                   const bytes &sealed)
{
    const lukko_place place = {view(record), view(field)};
    return make(lukko_vault_open, vault.get(), key.get(), &place, sealed.data(), sealed.size());
}

} // namespace lukko

#endif
