#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace tunic::http {

namespace detail {

inline std::string_view piece(std::string_view text) {
  return text;
}
template <std::size_t N>
std::string_view piece(const char (&literal)[N]) {  // whose size is then known where it is copied
  return {literal, N - 1};
}

inline void copy(char*) {}
template <class Piece, class... Rest>
void copy(char* to, const Piece& first, const Rest&... rest) {
  const auto text = piece(first);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  copy(to + text.size(), rest...);
}

}  // namespace detail

// Appends the pieces, literals and views, in order; none may be a view of `out`. The text grows once, not once a piece.
template <class... Piece>
void append(std::string& out, const Piece&... pieces) {
  const auto begin = out.size();
  out.resize((begin + ... + detail::piece(pieces).size()));
  detail::copy(out.data() + begin, pieces...);
}

}  // namespace tunic::http
