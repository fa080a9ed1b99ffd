#include "http/core/negotiation.hpp"

#include "http/core/grammar.hpp"
#include "http/core/parameters.hpp"

namespace tunic::http {
namespace {

constexpr unsigned full_weight = 1000;

// The weight among an element's parameters; nothing if it is malformed, and the element then does not count.
std::optional<unsigned> weight_of(const parameterized& element) {
  std::optional<unsigned> weight = full_weight;
  const bool valid = element.for_each([&](std::string_view name, std::string_view value) {
    if (grammar::same_token(name, "q")) weight = parse_weight(value);
  });
  return valid ? weight : std::nullopt;
}

// How closely a media range names a media type: 0 not at all, then "*/*", "text/*", "text/html", and one more for each
// parameter. RFC 9110 §12.5.1: the closest range decides.
unsigned closeness(const parameterized& range, const parameterized& type) {
  const auto wanted = range.value(), offered = type.value();
  if (wanted == "*/*") return 1;
  if (wanted.ends_with("/*"))
    return grammar::same_token(wanted.substr(0, wanted.size() - 1), offered.substr(0, offered.find('/') + 1)) ? 2 : 0;
  if (!grammar::same_token(wanted, offered)) return 0;
  unsigned close = 3;
  bool has_all = true;
  range.for_each([&](std::string_view name, std::string_view value) {
    if (grammar::same_token(name, "q")) return;
    const auto own = type.parameter(name);
    has_all = has_all && own && grammar::same_token(*own, unquoted(value));
    ++close;
  });
  return has_all ? close : 0;
}

unsigned closeness(std::string_view coding, std::string_view offered) {
  if (coding == "*") return 1;
  // RFC 9110 §8.4.1.3: x-gzip is gzip
  const bool same = grammar::same_token(coding, offered) ||
                    (grammar::same_token(coding, "x-gzip") && grammar::same_token(offered, "gzip"));
  return same ? 2 : 0;
}

// The weight that the closest element of a field gives to an offer, `otherwise` if there is none.
template <class Close>
unsigned weight_for(const fields& header, std::string_view field, unsigned otherwise, Close close) {
  unsigned best = 0, weight = otherwise;
  for (const auto [name, value] : header) {
    if (!grammar::same_token(name, field)) continue;
    grammar::for_each_element(value, [&](std::string_view text) {
      const parameterized element(text);
      const auto how_close = close(element);
      const auto q = weight_of(element);
      if (!q || how_close <= best) return;
      best = how_close;
      weight = *q;
    });
  }
  return weight;
}

template <class Weight>
std::optional<std::size_t> heaviest(std::span<const std::string_view> offers, Weight weight) {
  std::optional<std::size_t> best;
  unsigned most = 0;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const unsigned w = weight(offers[i]);
    if (w <= most) continue;
    most = w;
    best = i;
  }
  return best;
}

}  // namespace

std::optional<unsigned> parse_weight(std::string_view text) {
  // qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned weight = text[0] == '1' ? full_weight : 0;
  unsigned place = full_weight;
  for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
    if (!grammar::in(grammar::digit, c)) return std::nullopt;
    place /= 10;
    weight += place * static_cast<unsigned>(c - '0');
  }
  return weight <= full_weight ? std::optional<unsigned>{weight} : std::nullopt;
}

std::optional<std::size_t> preferred_type(const fields& header, std::span<const std::string_view> offers) {
  const unsigned otherwise = header.count("Accept") == 0 ? full_weight : 0;
  return heaviest(offers, [&](std::string_view offer) {
    const parameterized type(offer);
    return weight_for(header, "Accept", otherwise, [&](const parameterized& range) { return closeness(range, type); });
  });
}

std::optional<std::size_t> preferred_coding(const fields& header, std::span<const std::string_view> offers) {
  return heaviest(offers, [&](std::string_view offer) {
    // An unnamed identity is acceptable and yet the last to be taken.
    const unsigned otherwise = grammar::same_token(offer, "identity") ? 1 : 0;
    return weight_for(header, "Accept-Encoding", otherwise,
                      [&](const parameterized& coding) { return closeness(coding.value(), offer); });
  });
}

}  // namespace tunic::http
