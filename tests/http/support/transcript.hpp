#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/core/reader.hpp"
#include "tests/http/support/guarded.hpp"

namespace tunic::http::test {

using lines = std::vector<std::string>;

// Appends what the reader says, one line an event; neighbouring pieces of content are one line.
inline bool note(lines& out, const reader& from, event happened) {
  switch (happened) {
    case event::need_more: return false;
    case event::head: out.push_back("head"); return true;
    case event::body: {
      const std::string piece(reinterpret_cast<const char*>(from.body().data()), from.body().size());
      if (!out.empty() && out.back().starts_with("body "))
        out.back() += piece;
      else
        out.push_back("body " + piece);
      return true;
    }
    case event::end: out.push_back("end"); return true;
    case event::failed: out.push_back("failed " + std::to_string(number(from.error().status))); return false;
  }
  return false;
}

// Feeds `text` in pieces of `size` octets until there is a failure or `messages` messages are complete.
inline lines feed(reader& to, std::string_view text, std::size_t size, std::size_t messages = SIZE_MAX) {
  lines out;
  std::size_t ends = 0;
  while (!text.empty() && ends < messages) {
    const guarded piece(text.substr(0, size));
    auto input = piece.octets();
    while (ends < messages && note(out, to, to.next(input))) ends += out.back() == "end" ? 1 : 0;
    if (!out.empty() && out.back().starts_with("failed")) break;
    text.remove_prefix(std::min(size, text.size()));
  }
  return out;
}

}  // namespace tunic::http::test
