#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tunic::http {

// RFC 9110 §8.4.1, RFC 7932, RFC 8878: how a content is made smaller on its way.
enum class content_coding : std::uint8_t { identity, gzip, br, zstd };

std::string_view name(content_coding coding);
// What a file that holds the coded content of another is called besides: ".gz", ".br", ".zst"; "" for identity.
std::string_view suffix(content_coding coding);

// The coded octets, made at a level that suits a content which is sent as soon as that is done. Throws std::bad_alloc.
std::string encode(content_coding coding, std::span<const std::byte> content);

}  // namespace tunic::http
