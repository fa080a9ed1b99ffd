#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// The ABNF of RFC 9110, RFC 9112 and RFC 3986 that HTTP/1.1 needs, one predicate a rule.
namespace tunic::http::grammar {

struct octet_set {
  std::array<bool, 256> has{};
};

constexpr octet_set set_of(std::string_view octets) {
  octet_set set{};
  for (const char c : octets) set.has[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr octet_set range(unsigned from, unsigned to) {
  octet_set set{};
  for (unsigned c = from; c <= to; ++c) set.has[c] = true;
  return set;
}

constexpr octet_set operator|(octet_set a, const octet_set& b) {
  for (std::size_t i = 0; i < a.has.size(); ++i) a.has[i] = a.has[i] || b.has[i];
  return a;
}

constexpr octet_set operator-(octet_set a, const octet_set& b) {
  for (std::size_t i = 0; i < a.has.size(); ++i) a.has[i] = a.has[i] && !b.has[i];
  return a;
}

inline constexpr octet_set digit = range('0', '9');                             // RFC 5234: DIGIT
inline constexpr octet_set alpha = range('A', 'Z') | range('a', 'z');           // RFC 5234: ALPHA
inline constexpr octet_set hexdig = digit | range('A', 'F') | range('a', 'f');  // RFC 5234: HEXDIG, in either case
inline constexpr octet_set vchar = range(0x21, 0x7e);                           // RFC 5234: VCHAR
inline constexpr octet_set obs_text = range(0x80, 0xff);                        // RFC 9110 §5.5

// RFC 9110 §5.6.2: tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" /
//                          DIGIT / ALPHA
inline constexpr octet_set tchar = set_of("!#$%&'*+-.^_`|~") | digit | alpha;

// RFC 9110 §5.5: field-vchar = VCHAR / obs-text; between them SP and HTAB
inline constexpr octet_set field_octet = vchar | obs_text | set_of(" \t");

// RFC 3986 §2.3: unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"
inline constexpr octet_set unreserved = alpha | digit | set_of("-._~");

// RFC 3986 §2.2: sub-delims = "!" / "$" / "&" / "'" / "(" / ")" / "*" / "+" / "," / ";" / "="
inline constexpr octet_set sub_delims = set_of("!$&'()*+,;=");

// RFC 3986 §3.3: pchar = unreserved / pct-encoded / sub-delims / ":" / "@"   (without pct-encoded)
inline constexpr octet_set pchar = unreserved | sub_delims | set_of(":@");

// A request-target is taken with any VCHAR but those no URI and no browser puts there: browsers leave []{}|\^` bare in
// a query, although RFC 3986 has them encoded. A fragment ("#") never travels: RFC 9110 §7.1.
inline constexpr octet_set target_octet = vchar - set_of("\"#<>");

// RFC 9110 §5.6.4: qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
inline constexpr octet_set qdtext = field_octet - set_of("\"\\");

inline std::string_view as_text(std::span<const std::byte> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

constexpr bool in(const octet_set& set, char c) {
  return set.has[static_cast<unsigned char>(c)];
}

constexpr bool all_in(const octet_set& set, std::string_view text) {
  for (const char c : text)
    if (!in(set, c)) return false;
  return true;
}

// RFC 9110 §5.6.2: token = 1*tchar
constexpr bool is_token(std::string_view text) {
  return !text.empty() && all_in(tchar, text);
}

// RFC 9110 §5.5: field-value = *field-content; white space around it has been taken off
constexpr bool is_field_value(std::string_view text) {
  return all_in(field_octet, text);
}

// RFC 9110 §5.6.3: OWS = *( SP / HTAB )
constexpr std::string_view trim_ows(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Field names, codings and connection options compare without regard to case.
constexpr bool same_token(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 9110 §8.6: Content-Length = 1*DIGIT. Nothing for anything else, or for a number above 2^63 - 1, or with a leading
// zero: nobody writes one, and some would read the rest as octal.
std::optional<std::uint64_t> parse_length(std::string_view text);

// RFC 9112 §7.1: chunk-size [ chunk-ext ], chunk-size = 1*HEXDIG. The size, or nothing if the line breaks the grammar.
// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ), chunk-ext-val = token / quoted-string
std::optional<std::uint64_t> parse_chunk_line(std::string_view line);

// RFC 9110 §7.2: Host = uri-host [ ":" port ]. An empty host is refused: RFC 9110 §4.2.1 has it so for "http" URIs.
bool is_host(std::string_view text);

// RFC 3986 §2.1: each "%" begins pct-encoded = "%" HEXDIG HEXDIG
bool is_percent_encoded(std::string_view text);

// Takes the longest prefix of `text` made of `set` away and returns it.
std::string_view take(std::string_view& text, const octet_set& set);

// RFC 9110 §5.6.4: takes quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE off the front; false if there is none.
bool take_quoted_string(std::string_view& text);

// RFC 9110 §5.6.1: calls `each(element)` for the elements of a comma-separated list, empty ones included. A comma in a
// quoted string divides nothing; a quoted string that does not end takes all that follows.
template <class F>
constexpr void for_each_element(std::string_view list, F&& each) {
  for (;;) {
    auto comma = list.find_first_of(",\"");
    for (bool quoted = false; comma < list.size() && (quoted || list[comma] != ',');) {
      if (list[comma] == '"') quoted = !quoted;
      comma += quoted && list[comma] == '\\' ? 2 : 1;
    }
    if (comma >= list.size()) comma = std::string_view::npos;
    each(trim_ows(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace tunic::http::grammar
