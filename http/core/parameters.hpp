#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/core/grammar.hpp"

namespace tunic::http {

// A value with parameters (RFC 9110 §5.6.6), such as a media type or a Content-Disposition:
// value *( OWS ";" OWS [ token "=" ( token / quoted-string ) ] ). A view of the text that it is made from.
class parameterized {
 public:
  explicit parameterized(std::string_view text);

  // What stands before the first ";".
  std::string_view value() const { return value_; }
  // Without its quotes; nothing if there is no parameter of that name before the grammar is broken.
  std::optional<std::string> parameter(std::string_view name) const;
  // Calls `each(name, value)` for the parameters, the value still quoted. Says whether the grammar is kept.
  template <class F>
  bool for_each(F&& each) const;

 private:
  struct item {
    std::string_view name, value;
  };
  // Takes one parameter off the front. An empty one (";;") has an empty name. Nothing if it breaks the grammar.
  static std::optional<item> take(std::string_view& rest);

  std::string_view value_, rest_;
};

// The octets that a quoted-string stands for; any other text as it is.
std::string unquoted(std::string_view text);

template <class F>
bool parameterized::for_each(F&& each) const {
  for (auto rest = rest_; !rest.empty();) {
    const auto one = take(rest);
    if (!one) return false;
    if (!one->name.empty()) each(one->name, one->value);
  }
  return true;
}

}  // namespace tunic::http
