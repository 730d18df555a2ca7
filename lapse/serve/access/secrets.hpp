#pragma once
// Random texts, digests, and the comparison of secrets; from OpenSSL's libcrypto.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lapse::serve {

/// `bytes` random bytes. Ends the program where the system has no randomness: nothing can be made safe then.
std::string random_bytes(std::size_t bytes);
std::string base64url(std::string_view bytes);
/// Nothing for anything but base64url without padding.
std::optional<std::string> parse_base64url(std::string_view text);
/// Hexadecimal.
std::string sha256(std::string_view text);
/// Raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);
std::string hex(std::string_view bytes);
/// In a time that does not tell where they differ.
bool same_secret(std::string_view a, std::string_view b) noexcept;

}  // namespace lapse::serve
