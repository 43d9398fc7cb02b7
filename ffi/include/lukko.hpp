/* Ownership for lukko.h in C++17: handles that free themselves, bytes as vectors, codes as exceptions, callbacks that may
 * throw. Header only. */
#ifndef LUKKO_HPP
#define LUKKO_HPP

#include <cstdint>
#include <exception>
#include <functional>
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
    void wipe() noexcept { lukko_wipe(value_.data(), value_.size()); }

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
[[nodiscard]] handle make(Function function, Arguments... arguments)
{
    lukko_handle raw = 0;
    check(function(arguments..., &raw));
    return handle(raw);
}

/** Calls a function whose last parameter gives out a number or a structure of type T. */
template <typename T, typename Function, typename... Arguments>
[[nodiscard]] T number(Function function, Arguments... arguments)
{
    T value{};
    check(function(arguments..., &value));
    return value;
}

/** Calls a function that ends in `out, out_capacity, out_written` and makes nothing: asks for the size, then reads. */
template <typename Function, typename... Arguments>
[[nodiscard]] bytes read(Function function, Arguments... arguments)
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
[[nodiscard]] secret read_secret(Function function, Arguments... arguments)
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

/** Runs a function of the caller's for a callback of C, and keeps what it throws: an exception must not leave it. */
class callback {
public:
    callback() = default;
    callback(const callback &) = delete;
    callback &operator=(const callback &) = delete;

    /** Throws what the function threw. */
    void rethrow()
    {
        if (thrown_) {
            std::rethrow_exception(std::exchange(thrown_, nullptr));
        }
    }

protected:
    template <typename Function, typename... Arguments>
    std::int32_t run(const Function &function, Arguments... arguments) noexcept
    {
        try {
            function(arguments...);
            return LUKKO_CALLBACK_OK;
        } catch (...) {
            thrown_ = std::current_exception();
            return 0;
        }
    }

private:
    std::exception_ptr thrown_;
};

/** Where a sealed attachment is read from. Must live as long as the stream that reads from it. */
class source : public callback {
public:
    /** Writes exactly `len` bytes from `offset` on to `out`, or throws. */
    using function = std::function<void(std::uint64_t offset, std::uint8_t *out, std::size_t len)>;

    source(std::uint64_t length, function read_at) : length_(length), read_at_(std::move(read_at)) {}

    /** For an argument. */
    lukko_source get() noexcept { return {this, length_, call}; }

private:
    static std::int32_t call(void *context, std::uint64_t offset, std::uint8_t *out, std::size_t len) noexcept
    {
        source &self = *static_cast<source *>(context);
        return self.run(self.read_at_, offset, out, len);
    }

    std::uint64_t length_;
    function read_at_;
};

/** Where a sealed attachment is written to, in order. */
class sink : public callback {
public:
    /** Takes all `len` bytes, or throws. */
    using function = std::function<void(const std::uint8_t *bytes, std::size_t len)>;

    explicit sink(function write) : write_(std::move(write)) {}

    /** For an argument. */
    lukko_sink get() noexcept { return {this, call}; }

private:
    static std::int32_t call(void *context, const std::uint8_t *bytes, std::size_t len) noexcept
    {
        sink &self = *static_cast<sink *>(context);
        return self.run(self.write_, bytes, len);
    }

    function write_;
};

/** Seals a note. */
[[nodiscard]] inline bytes seal(const handle &vault, const handle &key, std::string_view record, std::string_view field,
                                std::uint64_t revision, std::string_view note, std::uint32_t padding = LUKKO_PADDING_PADME)
{
    bytes out(number<std::size_t>(lukko_sealed_len, note.size(), padding));
    std::size_t written = 0;
    check(lukko_vault_seal_at(vault.get(), key.get(), record.data(), record.size(), field.data(), field.size(), revision,
                              padding, note.data(), note.size(), out.data(), out.size(), &written));
    return out;
}

/** Opens a note that a reader sealed. */
[[nodiscard]] inline handle open(const handle &vault, const handle &key, std::string_view record, std::string_view field,
                                 const bytes &sealed)
{
    return make(lukko_vault_open_at, vault.get(), key.get(), record.data(), record.size(), field.data(), field.size(),
                sealed.data(), sealed.size());
}

/** Opens an attachment that a reader sealed. Throws what the source threw. */
[[nodiscard]] inline handle open_attachment(const handle &vault, const handle &key, std::string_view record,
                                            std::string_view field, source &from)
{
    const lukko_source raw = from.get();
    lukko_reader reader = 0;
    const std::int32_t code = lukko_vault_open_attachment_at(vault.get(), key.get(), record.data(), record.size(),
                                                             field.data(), field.size(), &raw, &reader);
    handle opened(reader);
    from.rethrow();
    check(code);
    return opened;
}

/** Seals an attachment anew under another key. Throws what the source or the sink threw; what was written does not open
 * then. */
inline void reseal_attachment(const handle &vault, const handle &old_key, const handle &new_key, std::string_view record,
                              std::string_view field, source &from, sink &to)
{
    const lukko_source raw_source = from.get();
    const lukko_sink raw_sink = to.get();
    const std::int32_t code = lukko_vault_reseal_attachment_at(vault.get(), old_key.get(), new_key.get(), record.data(),
                                                               record.size(), field.data(), field.size(), &raw_source,
                                                               &raw_sink);
    from.rethrow();
    to.rethrow();
    check(code);
}

} // namespace lukko

#endif
